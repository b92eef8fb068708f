//! One message as it came: start line, header lines, body. Nothing is understood here but names and limits.
//!
//! Reading takes two steps, so that headers can be borrowed: [`Text::cut`] makes the head valid text in one piece
//! (copying only when lines are folded or bytes are not UTF-8), [`Message::read`] divides it into lines.
//!
//! What always holds of a [`Message`]: every name is a token, every value one line without control characters at its
//! ends, no line is over 8 KiB, there are at most 128 of them.

use super::header::{HeaderName, Malformed, Values, is_token, number, trim};
use super::stream::find;
use std::borrow::Cow;

/// Bytes of a whole message, of its head, of one header line (`attacks.md` S4).
pub const LARGEST_MESSAGE: usize = 64 * 1024;
pub const LARGEST_HEAD: usize = 48 * 1024;
pub const LARGEST_LINE: usize = 8 * 1024;
/// Bytes of a body: no offer is longer.
pub const LARGEST_BODY: usize = 16 * 1024;
/// Header lines (`attacks.md` S6).
pub const MOST_HEADERS: usize = 128;

/// A message's head as text, and its body.
#[derive(Debug)]
pub struct Text<'a> {
    head: Cow<'a, str>,
    body: &'a [u8],
    /// The empty line was there.
    ended: bool,
    /// The head was longer than [`LARGEST_HEAD`]: it is not read in part, nothing of it is believed.
    long: bool,
    /// Bytes that were not UTF-8 have been replaced.
    pub replaced: bool,
}

impl<'a> Text<'a> {
    pub fn cut(bytes: &'a [u8]) -> Self {
        let bytes = skip_blank_lines(bytes);
        let (head, body, ended) = match find(bytes, b"\r\n\r\n") {
            Some(at) => (&bytes[..at], &bytes[at + 4..], true),
            None => (bytes.strip_suffix(b"\r\n").unwrap_or(bytes), &bytes[bytes.len()..], false),
        };
        // A stream's framer hands over just so much of a head that does not end.
        let long = head.len() > LARGEST_HEAD || (!ended && head.len() + 2 >= LARGEST_HEAD);
        let text = String::from_utf8_lossy(&head[..head.len().min(LARGEST_HEAD)]);
        let replaced = matches!(text, Cow::Owned(_));
        Self { head: unfold(text), body, ended, long, replaced }
    }
}

fn skip_blank_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    bytes
}

/// Joins folded lines (RFC 3261 §7.3.1): a line that begins with white space goes on with the one before.
fn unfold(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("\r\n ") && !text.contains("\r\n\t") {
        return text;
    }
    let mut whole = String::with_capacity(text.len());
    for (i, line) in text.split("\r\n").enumerate() {
        if i == 0 {
            whole.push_str(line);
        } else if line.starts_with([' ', '\t']) {
            whole.push(' ');
            whole.push_str(line.trim_start_matches([' ', '\t']));
        } else {
            whole.push_str("\r\n");
            whole.push_str(line);
        }
    }
    whole.into()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'t> {
    Request { method: &'t str, uri: &'t str },
    Response { status: u16 },
}

/// Why a message cannot be taken, and the status that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    pub status: u16,
    pub why: &'static str,
}

impl Refused {
    pub const fn bad(why: &'static str) -> Self {
        Self { status: 400, why }
    }
}

impl From<Malformed> for Refused {
    fn from(bad: Malformed) -> Self {
        Self::bad(bad.0)
    }
}

#[derive(Debug)]
pub struct Message<'t> {
    pub start: Start<'t>,
    lines: Vec<Line<'t>>,
    pub body: &'t [u8],
}

#[derive(Clone, Copy, Debug)]
struct Line<'t> {
    name: HeaderName,
    text: &'t str,
    value: &'t str,
}

impl<'t> Message<'t> {
    /// Divides the head into lines. What is wrong is told beside what could be read: enough of it may be left to answer.
    pub fn read(text: &'t Text<'_>) -> (Option<Self>, Result<(), Refused>) {
        let mut lines = text.head.split("\r\n");
        let start = match lines.next().map(start_line) {
            Some(Ok(start)) => start,
            Some(Err(Refused { status: 505, .. })) => {
                let mut message = Self { start: unknown_version(text), lines: Vec::new(), body: &[] };
                let _ = message.read_lines(lines);
                return (Some(message), Err(Refused { status: 505, why: "not SIP/2.0" }));
            }
            Some(Err(refused)) => return (None, Err(refused)),
            None => return (None, Err(Refused::bad("empty"))),
        };
        let mut message = Self { start, lines: Vec::with_capacity(24), body: &[] };
        let mut fits = message.read_lines(lines);
        if text.long {
            return (Some(message), Err(Refused { status: 513, why: "head too large" }));
        }
        if !text.ended {
            fits = fits.and(Err(Refused::bad("no empty line after the headers")));
        }
        let fits = fits.and_then(|()| message.take_body(text.body));
        (Some(message), fits)
    }

    fn read_lines(&mut self, lines: impl Iterator<Item = &'t str>) -> Result<(), Refused> {
        for line in lines {
            if self.lines.len() == MOST_HEADERS {
                return Err(Refused::bad("too many headers"));
            }
            if line.len() > LARGEST_LINE {
                return Err(Refused::bad("header line too long"));
            }
            // Other control characters hide things from one of two readers (`attacks.md` S10).
            if line.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
                return Err(Refused::bad("control character in a header"));
            }
            let (name, value) = line.split_once(':').ok_or(Refused::bad("header without a colon"))?;
            let name = name.trim_end_matches([' ', '\t']);
            if !is_token(name) {
                return Err(Refused::bad("bad header name"));
            }
            let known = HeaderName::read(name.as_bytes());
            if known.is_single() && self.has(known) {
                return Err(Refused::bad("a header that must stand once stands twice"));
            }
            self.lines.push(Line { name: known, text: name, value: trim(value) });
        }
        Ok(())
    }

    fn take_body(&mut self, body: &'t [u8]) -> Result<(), Refused> {
        let mut length = None;
        for value in self.lines_of(HeaderName::ContentLength) {
            let n = number(value).map_err(|_| Refused::bad("bad Content-Length"))? as usize;
            if length.is_some_and(|before| before != n) {
                return Err(Refused::bad("two different Content-Lengths"));
            }
            length = Some(n);
        }
        let length = length.unwrap_or(body.len());
        if length > LARGEST_BODY {
            return Err(Refused { status: 413, why: "body too large" });
        }
        // What stands behind the body in a datagram is cut (RFC 3261 §18.3).
        self.body = body.get(..length).ok_or(Refused::bad("body shorter than Content-Length"))?;
        Ok(())
    }

    pub fn has(&self, name: HeaderName) -> bool {
        self.lines.iter().any(|line| line.name == name)
    }
    /// The first line of this name.
    pub fn line(&self, name: HeaderName) -> Option<&'t str> {
        self.lines_of(name).next()
    }
    pub fn lines_of(&self, name: HeaderName) -> impl DoubleEndedIterator<Item = &'t str> + '_ {
        self.lines.iter().filter(move |line| line.name == name).map(|line| line.value)
    }
    /// Every value of this name, lists divided.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = &'t str> + '_ {
        self.lines_of(name).flat_map(move |line| {
            if name.is_list() { Values::of(line, b',') } else { Values::of(line, b'\n') }
        })
    }
    /// A header we have no name for, by its text.
    pub fn other(&self, name: &str) -> Option<&'t str> {
        self.lines.iter().find(|line| line.text.eq_ignore_ascii_case(name)).map(|line| line.value)
    }
}

/// A request of another version keeps its line, so that 505 can be sent.
fn unknown_version<'t>(text: &'t Text<'_>) -> Start<'t> {
    let line = text.head.split("\r\n").next().unwrap_or("");
    Start::Request { method: line.split(' ').next().unwrap_or(""), uri: "" }
}

fn start_line(line: &str) -> Result<Start<'_>, Refused> {
    if line.len() > LARGEST_LINE {
        return Err(Refused::bad("start line too long"));
    }
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let code = rest
            .get(..3)
            .filter(|c| c.bytes().all(|b| b.is_ascii_digit()))
            .ok_or(Refused::bad("bad status"))?;
        let status =
            code.parse().ok().filter(|s| (100..700).contains(s)).ok_or(Refused::bad("bad status"))?;
        return match rest.as_bytes().get(3) {
            None | Some(b' ') => Ok(Start::Response { status }),
            Some(_) => Err(Refused::bad("bad status")),
        };
    }
    let mut parts = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::bad("bad start line"));
    };
    if !is_token(method) || uri.is_empty() || uri.bytes().any(|b| b < b' ') {
        return Err(Refused::bad("bad start line"));
    }
    match version {
        "SIP/2.0" => Ok(Start::Request { method, uri }),
        v if v.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("SIP/")) => {
            Err(Refused { status: 505, why: "not SIP/2.0" })
        }
        _ => Err(Refused::bad("bad start line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Refused> {
        let text = Text::cut(text.as_bytes());
        let (message, fits) = Message::read(&text);
        fits.map(|()| format!("{:?}", message.unwrap()))
    }

    #[test]
    fn folded_lines_compact_names_and_lists() {
        let raw = "\r\nINVITE sip:12341@a SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bKx,\r\n SIP/2.0/UDP b\r\nSubject : hi\r\n\tthere\r\nl: 2\r\n\r\nabcd";
        let text = Text::cut(raw.as_bytes());
        let (message, fits) = Message::read(&text);
        let message = message.unwrap();
        assert_eq!(fits, Ok(()));
        assert_eq!(
            message.values(HeaderName::Via).collect::<Vec<_>>(),
            ["SIP/2.0/UDP a;branch=z9hG4bKx", "SIP/2.0/UDP b"]
        );
        assert_eq!(message.line(HeaderName::Subject), Some("hi there"));
        assert_eq!(message.body, b"ab", "surplus bytes of a datagram are cut");
    }

    #[test]
    fn each_limit_is_a_limit() {
        let with = |extra: String| read(&format!("OPTIONS sip:a SIP/2.0\r\n{extra}Call-ID: x\r\n\r\n"));
        assert!(with("X: y\r\n".repeat(127)).is_ok());
        assert_eq!(with("X: y\r\n".repeat(128)).unwrap_err().why, "too many headers");
        assert!(with(format!("X: {}\r\n", "y".repeat(LARGEST_LINE - 3))).is_ok());
        assert_eq!(
            with(format!("X: {}\r\n", "y".repeat(LARGEST_LINE - 2))).unwrap_err().why,
            "header line too long"
        );
        assert_eq!(with(format!("l: {}\r\n", LARGEST_BODY + 1)).unwrap_err().status, 413);
    }

    #[test]
    fn only_blanks_may_stand_before_the_colon() {
        for byte in 0..=255_u8 {
            let mut raw = b"OPTIONS sip:a SIP/2.0\r\nCall-ID".to_vec();
            raw.push(byte);
            raw.extend_from_slice(b": x\r\n\r\n");
            let text = Text::cut(&raw);
            let (message, fits) = Message::read(&text);
            let hidden = fits.is_ok() && !message.unwrap().has(HeaderName::CallId);
            // A token byte makes another name, a colon ends it early: both are plain to see. All else is refused.
            let plain = is_token(&char::from(byte).to_string()) || byte == b':';
            assert_eq!(hidden, plain && byte != b':', "byte {byte}");
        }
    }

    #[test]
    fn start_lines() {
        for (line, status) in [
            ("INVITE sip:a SIP/2.0", 0),
            ("INVITE sip:a SIP/7.0", 505),
            ("INVITE  sip:a SIP/2.0", 400),
            ("INVITE sip:a  SIP/2.0", 400),
            ("INVITE <sip:a b> SIP/2.0", 400),
            ("IN VITE", 400),
            ("INVITE sip:a HTTP/1.1", 400),
            ("SIP/2.0 200 OK", 0),
            ("SIP/2.0 200", 0),
            ("SIP/2.0 099 x", 400),
            ("SIP/2.0 2000 x", 400),
            ("SIP/2.0 4294967301 x", 400),
        ] {
            let got = read(&format!("{line}\r\nCall-ID: x\r\n\r\n")).map_or_else(|r| r.status, |_| 0);
            assert_eq!(got, status, "{line}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_said() {
        let text = Text::cut(b"OPTIONS sip:a SIP/2.0\r\nSubject: \xd6\xd0\r\n\r\n");
        assert!(text.replaced);
        let (message, fits) = Message::read(&text);
        assert!(fits.is_ok() && message.unwrap().line(HeaderName::Subject).unwrap().contains('\u{fffd}'));
    }
}
