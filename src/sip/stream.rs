//! Messages cut out of a byte stream by Content-Length (RFC 3261 §18.3), with limits.
//!
//! ```text
//!   between messages --bytes--> head (until the empty line) --Content-Length--> body --> a message
//!        |  CRLF CRLF: a ping (RFC 5626 §4.4.1)
//!        +  CRLF alone: passed over (RFC 3261 §7.5)
//! ```
//!
//! A stream whose next boundary cannot be known is broken for good: the caller answers what can be answered and closes it.

use super::header::{HeaderName, number};
use super::message::{LARGEST_HEAD, LARGEST_MESSAGE};
use bytes::{Bytes, BytesMut};

#[derive(Debug, Default)]
pub struct Framer {
    kept: BytesMut,
    /// How far the end of the head has been looked for.
    searched: usize,
    /// Length of the message whose head has come whole, so that a slow body costs no second look at it.
    whole: Option<usize>,
    broken: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Framed {
    Message(Bytes),
    /// A double CRLF that asks for a single one.
    Ping,
}

/// The stream cannot be followed any further. `head` is what may still be answered: it reads as a bad message.
#[derive(Debug, PartialEq, Eq)]
pub struct Bad {
    pub head: Bytes,
}

impl Framer {
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// Nothing of a message has come yet.
    pub fn is_between_messages(&self) -> bool {
        self.kept.is_empty()
    }

    pub fn next_frame(&mut self) -> Result<Option<Framed>, Bad> {
        if self.broken {
            return Ok(None);
        }
        if self.whole.is_none() {
            if self.kept.starts_with(b"\r\n\r\n") {
                let _ = self.kept.split_to(4);
                return Ok(Some(Framed::Ping));
            }
            if self.kept.len() >= 3 && self.kept.starts_with(b"\r\n") && self.kept[2] != b'\r' {
                let _ = self.kept.split_to(2);
            }
            if self.kept.first() == Some(&b'\r') && self.kept.len() < 4 {
                return Ok(None); // A ping, or a blank line before a message: the next bytes tell.
            }
            self.whole = self.find_head()?;
        }
        match self.whole {
            Some(whole) if self.kept.len() >= whole => {
                (self.searched, self.whole) = (0, None);
                Ok(Some(Framed::Message(self.kept.split_to(whole).freeze())))
            }
            _ => Ok(None),
        }
    }

    /// The length of the message at the front, once its head is there.
    fn find_head(&mut self) -> Result<Option<usize>, Bad> {
        let from = self.searched.saturating_sub(3);
        // However the bytes are cut, the same head is too long: the limit counts it with its empty line.
        let most = LARGEST_HEAD + 4;
        let Some(end) = find(&self.kept[from..], b"\r\n\r\n").map(|at| from + at + 4) else {
            self.searched = self.kept.len();
            return if self.kept.len() >= most { Err(self.give_up(LARGEST_HEAD)) } else { Ok(None) };
        };
        if end > most {
            return Err(self.give_up(LARGEST_HEAD));
        }
        match content_length(&self.kept[..end]) {
            Some(length) if end + length <= LARGEST_MESSAGE => Ok(Some(end + length)),
            _ => Err(self.give_up(end)),
        }
    }

    fn give_up(&mut self, upto: usize) -> Bad {
        self.broken = true;
        let head = self.kept.split_to(upto.min(self.kept.len())).freeze();
        self.kept = BytesMut::new();
        Bad { head }
    }
}

/// The body's length; none is none (nothing else could end it on a stream). `None`: not a number, or two different ones.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        if HeaderName::read(line[..colon].trim_ascii_end()) != HeaderName::ContentLength {
            continue;
        }
        let value = std::str::from_utf8(&line[colon + 1..]).ok()?.trim_ascii();
        let value = number(value).ok()? as usize;
        if found.is_some_and(|before| before != value) {
            return None;
        }
        found = Some(value);
    }
    Some(found.unwrap_or(0))
}

/// Where `needle` first stands in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        if bytes[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";
    const TWO: &str = "OPTIONS sip:b SIP/2.0\r\nCall-ID: x\r\n\r\n";

    fn all(framer: &mut Framer) -> Vec<String> {
        let mut got = Vec::new();
        while let Some(frame) = framer.next_frame().unwrap() {
            got.push(match frame {
                Framed::Message(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Framed::Ping => "ping".into(),
            });
        }
        got
    }

    #[test]
    fn any_cut_gives_the_same_messages() {
        let stream = format!("\r\n\r\n{ONE}{TWO}\r\n{ONE}\r\n\r\n");
        let expected = ["ping", ONE, TWO, ONE, "ping"];
        for size in 1..=stream.len() {
            let (mut framer, mut got) = (Framer::default(), Vec::new());
            for piece in stream.as_bytes().chunks(size) {
                framer.push(piece);
                got.extend(all(&mut framer));
            }
            assert_eq!(got, expected, "cut by {size}");
            assert!(framer.is_between_messages());
        }
    }

    #[test]
    fn lengths_that_end_the_stream() {
        for bad in ["-1", "x", "4294967296", "99999999", "3\r\nContent-Length: 4", ""] {
            let mut framer = Framer::default();
            framer.push(format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {bad}\r\n\r\nabc").as_bytes());
            let gone = framer.next_frame().unwrap_err();
            assert!(gone.head.ends_with(b"\r\n\r\n"), "{bad}");
            framer.push(TWO.as_bytes());
            assert_eq!(framer.next_frame(), Ok(None), "nothing follows a broken stream");
        }
        let mut framer = Framer::default();
        framer.push(ONE.replace("l: 3", "l: 3\r\nContent-Length : 3").as_bytes());
        assert_eq!(all(&mut framer).len(), 1, "twice the same length is one length");
    }

    #[test]
    fn a_head_without_end_is_bounded() {
        let mut framer = Framer::default();
        let mut pushed = 0;
        while framer.next_frame().is_ok() && pushed < 10 * LARGEST_HEAD {
            framer.push(&[b'a'; 1000]);
            pushed += 1000;
        }
        assert!(pushed <= LARGEST_HEAD + 1000, "{pushed}");
    }

    /// Found by fuzzing: a long head was taken in one piece and refused in two.
    #[test]
    fn a_head_is_too_long_however_it_is_cut() {
        for (length, taken) in [(LARGEST_HEAD - 1, true), (LARGEST_HEAD, true), (LARGEST_HEAD + 1, false)] {
            let bytes = [&vec![b'x'; length][..], b"\r\n\r\n"].concat();
            for step in [bytes.len(), 1024, 7, 1] {
                let mut framer = Framer::default();
                let mut got = Ok(None);
                for piece in bytes.chunks(step) {
                    framer.push(piece);
                    got = framer.next_frame();
                    if !matches!(got, Ok(None)) {
                        break;
                    }
                }
                assert_eq!(matches!(got, Ok(Some(_))), taken, "{length} in pieces of {step}");
                assert_eq!(got.is_err(), !taken, "{length} in pieces of {step}");
            }
        }
    }
}
