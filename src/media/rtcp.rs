//! RTCP (RFC 3550 section 6): what a peer reports, read within its bounds; our own report, written.
//!
//! A BYE is a hint and never an end (`attacks.md` M6): whoever can forge one must not end a call.

/// What a compound packet told, the newest of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// SSRC of whoever reports.
    pub sender: u32,
    /// A sender report's clock: the middle 32 bits of its NTP time.
    pub sender_ntp: Option<u32>,
    /// The block about `about`, if there was one.
    pub about_us: Option<Block>,
    pub bye: bool,
}

/// A reception report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Share of our packets lost since its last report, 0–255.
    pub fraction_lost: u8,
    /// 24 bits, signed: duplicates can make it negative.
    pub lost: i32,
    pub highest_seq: u32,
    /// In samples.
    pub jitter: u32,
    /// The middle of the NTP time of our last report it saw, and how long ago that was, in 1/65,536 s.
    pub last_sr: u32,
    pub delay: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("shorter than its own header")]
    Short,
    #[error("not version 2")]
    Version,
    #[error("does not begin with a report (RFC 3550 section 6.1)")]
    NoReport,
    #[error("a length or a count goes beyond the packet")]
    Length,
}

/// Packets looked at in one datagram.
const MAX_PACKETS: usize = 32;

/// Reads a compound packet; `about` is our own SSRC. Unknown kinds (XR, feedback, APP) are stepped over.
pub fn read(bytes: &[u8], about: u32) -> Result<Report, Bad> {
    let mut report = Report::default();
    let mut rest = bytes;
    for n in 0..MAX_PACKETS {
        if rest.is_empty() && n > 0 {
            break;
        }
        let (head, _) = rest.split_at_checked(4).ok_or(Bad::Short)?;
        if head[0] >> 6 != 2 {
            return Err(Bad::Version);
        }
        if n == 0 && !matches!(head[1], 200 | 201) {
            return Err(Bad::NoReport);
        }
        let length = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        let body = rest.get(4..length).ok_or(Bad::Length)?;
        let count = usize::from(head[0] & 0x1F);
        match head[1] {
            200 => sender_report(body, count, about, &mut report)?,
            201 => {
                report.sender = word(body, 0).ok_or(Bad::Length)?;
                blocks(body, 4, count, about, &mut report)?;
            }
            203 => report.bye = true,
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(report)
}

fn sender_report(body: &[u8], count: usize, about: u32, report: &mut Report) -> Result<(), Bad> {
    report.sender = word(body, 0).ok_or(Bad::Length)?;
    let (high, low) = (word(body, 4).ok_or(Bad::Length)?, word(body, 8).ok_or(Bad::Length)?);
    report.sender_ntp = Some(high << 16 | low >> 16);
    blocks(body, 24, count, about, report)
}

fn blocks(body: &[u8], from: usize, count: usize, about: u32, report: &mut Report) -> Result<(), Bad> {
    let all = body.get(from..from + 24 * count).ok_or(Bad::Length)?;
    for block in all.chunks_exact(24).filter(|block| word(block, 0) == Some(about)) {
        let get = |at| word(block, at).unwrap_or(0);
        let lost = get(4);
        report.about_us = Some(Block {
            fraction_lost: (lost >> 24) as u8,
            // Sign of 24 bits.
            lost: ((lost << 8) as i32) >> 8,
            highest_seq: get(8),
            jitter: get(12),
            last_sr: get(16),
            delay: get(20),
        });
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// What we have sent, for a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Seconds since 1900 and their fraction in 1/2³² s.
    pub ntp: u64,
    /// Our RTP timestamp at that moment.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// Room that any report of ours needs, bytes.
pub const ROOM: usize = 96;

/// Writes our compound report: SR when we send, RR otherwise, then SDES with a CNAME of 16 hex digits, then BYE at the end.
/// Returns its length.
pub fn write(
    into: &mut [u8; ROOM],
    ssrc: u32,
    cname: u64,
    sent: Option<Sent>,
    heard: Option<(u32, Block)>,
    bye: bool,
) -> usize {
    let mut out = Writer { into, at: 0 };
    let count = u8::from(heard.is_some());
    match sent {
        Some(sent) => {
            out.head(count, 200, 6 + 6 * u16::from(count));
            out.word(ssrc);
            out.word((sent.ntp >> 32) as u32);
            out.word(sent.ntp as u32);
            out.word(sent.timestamp);
            out.word(sent.packets);
            out.word(sent.octets);
        }
        None => {
            out.head(count, 201, 1 + 6 * u16::from(count));
            out.word(ssrc);
        }
    }
    if let Some((about, block)) = heard {
        out.word(about);
        out.word(u32::from(block.fraction_lost) << 24 | (block.lost as u32 & 0x00FF_FFFF));
        out.word(block.highest_seq);
        out.word(block.jitter);
        out.word(block.last_sr);
        out.word(block.delay);
    }
    // CNAME (type 1) of 16 characters, then at least one zero up to the next word: 2 + 16 + 2.
    out.head(1, 202, 6);
    out.word(ssrc);
    out.bytes(&[1, 16]);
    for digit in (0..16).rev() {
        out.bytes(&[b"0123456789abcdef"[(cname >> (4 * digit) & 15) as usize]]);
    }
    out.bytes(&[0, 0]);
    if bye {
        out.head(1, 203, 1);
        out.word(ssrc);
    }
    out.at
}

struct Writer<'a> {
    into: &'a mut [u8; ROOM],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.into[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }
    /// `words` follow this head.
    fn head(&mut self, count: u8, kind: u8, words: u16) {
        let [high, low] = words.to_be_bytes();
        self.bytes(&[0x80 | count, kind, high, low]);
    }
}

/// Round trip in milliseconds from what a report says of ours (RFC 3550 section 6.4.1), `now` the middle of NTP time.
pub fn round_trip_ms(block: &Block, now: u32) -> Option<u32> {
    if block.last_sr == 0 {
        return None;
    }
    let units = now.wrapping_sub(block.last_sr).wrapping_sub(block.delay);
    // More than ten seconds is a clock that jumped, or a lie.
    (units < (10 << 16)).then(|| ((u64::from(units) * 1000) >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block =
        Block { fraction_lost: 12, lost: -3, highest_seq: 0x1_0002, jitter: 9, last_sr: 77, delay: 65_536 };
    const SENT: Sent = Sent { ntp: 0x1111_2222_3333_4444, timestamp: 5, packets: 6, octets: 7 };

    #[test]
    fn our_own_reports_read_back() {
        let mut room = [0; ROOM];
        for (sent, heard, bye) in [
            (Some(SENT), Some((9, BLOCK)), true),
            (Some(SENT), None, false),
            (None, Some((9, BLOCK)), false),
            (None, None, true),
        ] {
            let length = write(&mut room, 4, 0xABCD, sent, heard, bye);
            assert_eq!(length % 4, 0);
            let want = Report {
                sender: 4,
                sender_ntp: sent.map(|_| 0x2222_3333),
                about_us: heard.map(|(_, block)| block),
                bye,
            };
            assert_eq!(read(&room[..length], 9), Ok(want));
            assert_eq!(read(&room[..length], 8).unwrap().about_us, None, "a block about another");
        }
    }

    #[test]
    fn lengths_and_counts_that_lie_are_refused() {
        let mut room = [0; ROOM];
        let length = write(&mut room, 4, 1, Some(SENT), Some((9, BLOCK)), true);
        for cut in 0..length {
            // Between two packets of the compound it is still one.
            let whole = [52, 80].contains(&cut);
            assert_eq!(read(&room[..cut], 9).is_ok(), whole, "cut at {cut}");
        }
        let bad = |at: usize, byte: u8| {
            let mut copy = room;
            copy[at] = byte;
            read(&copy[..length], 9).unwrap_err()
        };
        assert_eq!(bad(0, 0x9F), Bad::Length, "31 blocks");
        assert_eq!(bad(0, 0x41), Bad::Version);
        assert_eq!(bad(1, 204), Bad::NoReport);
        assert_eq!(bad(2, 0xFF), Bad::Length);
        assert_eq!(read(&[0x80, 200, 0, 0], 9), Err(Bad::Length), "four bytes");
    }

    #[test]
    fn a_round_trip_is_now_less_report_less_delay() {
        let block = Block { last_sr: 10 << 16, delay: 1 << 16, ..BLOCK };
        assert_eq!(round_trip_ms(&block, (11 << 16) + 6_554), Some(100));
        assert_eq!(round_trip_ms(&block, 5), None, "a clock that jumped");
        assert_eq!(round_trip_ms(&Block { last_sr: 0, ..block }, 1), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 200u8..206) {
            let _ = read(&bytes, 9);
            let mut shaped = bytes;
            if shaped.len() > 4 {
                shaped[0] = 0x80 | shaped[0] & 0x1F;
                shaped[1] = kind;
                shaped[2] = 0;
                shaped[3] %= 32;
            }
            let _ = read(&shaped, 9);
        }
    }
}
