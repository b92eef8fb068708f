//! One unbroken RTP stream out of many: whoever the sound comes from, sequence numbers and timestamps go on.
//!
//! Within one source gaps and order are kept, so the listener's jitter buffer sees the path's own losses. At a change of source the
//! number goes up by one and the timestamp by the time that has passed.

use crate::base::Time;

/// Samples of 20 ms at 8,000 Hz.
const FRAME: u32 = 160;
/// A number so far from the expected one is a new source, not loss or reordering.
const JUMP: u16 = 500;

/// What is to be written into a packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub seq: u16,
    pub timestamp: u32,
}

#[derive(Clone, Debug)]
pub struct Splice {
    /// The highest number and its timestamp that went out; the first to go is one more.
    seq: u16,
    timestamp: u32,
    last: Option<Time>,
    source: Option<Source>,
    /// Numbers used so far, with those skipped.
    span: u32,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    /// Added to the source's own.
    seq: u16,
    timestamp: u32,
    /// Its first number as sent: what is older than that belongs before the change and is not let in.
    first: u16,
}

impl Splice {
    /// `seq` and `timestamp` come before the first packet's; they should be random (RFC 3550 section 5.1).
    pub fn new(seq: u16, timestamp: u32) -> Self {
        Self { seq, timestamp, last: None, source: None, span: 0 }
    }

    /// How many numbers have been used, with those that the sources skipped.
    pub fn span(&self) -> u32 {
        self.span
    }

    /// The highest number that went out.
    pub fn last(&self) -> u16 {
        self.seq
    }

    /// The next packet is of another source, even if it should have the same SSRC.
    pub fn cut(&mut self) {
        self.source = None;
    }

    /// A packet of a source. `None`: it is older than the change to this source.
    pub fn pass(&mut self, ssrc: u32, seq: u16, timestamp: u32, marker: bool, now: Time) -> Option<Header> {
        let known = self.source.filter(|source| {
            let ahead = seq.wrapping_add(source.seq).wrapping_sub(self.seq);
            source.ssrc == ssrc && !(JUMP..=u16::MAX - JUMP).contains(&ahead)
        });
        let Some(source) = known else {
            let next = self.next(now);
            self.source = Some(Source {
                ssrc,
                seq: next.seq.wrapping_sub(seq),
                timestamp: next.timestamp.wrapping_sub(timestamp),
                first: next.seq,
            });
            return Some(next);
        };
        let out = Header {
            marker,
            seq: seq.wrapping_add(source.seq),
            timestamp: timestamp.wrapping_add(source.timestamp),
        };
        let behind = self.seq.wrapping_sub(out.seq);
        if behind < JUMP {
            // Late, or a double: it goes where it belongs, if that place is this source's.
            return (behind <= self.seq.wrapping_sub(source.first)).then_some(out);
        }
        self.span = self.span.wrapping_add(u32::from(out.seq.wrapping_sub(self.seq)));
        self.seq = out.seq;
        self.timestamp = out.timestamp;
        self.last = Some(now);
        Some(out)
    }

    /// A packet of our own.
    pub fn own(&mut self, now: Time) -> Header {
        self.source = None;
        self.next(now)
    }

    fn next(&mut self, now: Time) -> Header {
        let passed = self.last.map_or(0, |last| now.since(last).as_millis() / 20);
        let frames = u32::try_from(passed).unwrap_or(u32::MAX).max(1);
        self.seq = self.seq.wrapping_add(1);
        self.span = self.span.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(frames.wrapping_mul(FRAME));
        self.last = Some(now);
        Header { marker: true, seq: self.seq, timestamp: self.timestamp }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_millis(ms)
    }
    fn out(marker: bool, seq: u16, timestamp: u32) -> Option<Header> {
        Some(Header { marker, seq, timestamp })
    }

    #[test]
    fn another_source_goes_on_where_the_first_stopped() {
        let mut stream = Splice::new(65_534, u32::MAX - 100);
        assert_eq!(stream.pass(1, 9_000, 70_000, true, ms(0)), out(true, 65_535, 59));
        assert_eq!(stream.pass(1, 9_001, 70_160, false, ms(20)), out(false, 0, 219));
        // 60 ms later somebody else: one number on, three frames of time on, marked.
        assert_eq!(stream.pass(2, 5, 5, false, ms(80)), out(true, 1, 699));
        assert_eq!(stream.pass(2, 6, 165, false, ms(100)), out(false, 2, 859));
        // The same SSRC from another port.
        stream.cut();
        assert_eq!(stream.pass(2, 7, 325, false, ms(120)), out(true, 3, 1_019));
    }

    #[test]
    fn loss_and_order_within_a_source_are_kept() {
        let mut stream = Splice::new(0, 0);
        assert_eq!(stream.pass(1, 100, 0, true, ms(0)), out(true, 1, 160));
        assert_eq!(stream.pass(1, 103, 480, false, ms(60)), out(false, 4, 640));
        assert_eq!(stream.pass(1, 102, 320, false, ms(61)), out(false, 3, 480));
        assert_eq!(stream.pass(1, 104, 640, false, ms(80)), out(false, 5, 800));
    }

    #[test]
    fn what_is_older_than_the_change_stays_out() {
        let mut stream = Splice::new(0, 0);
        stream.pass(1, 100, 0, true, ms(0));
        assert_eq!(stream.pass(2, 50, 0, true, ms(20)), out(true, 2, 320));
        assert_eq!(stream.pass(2, 49, 0, false, ms(21)), None);
        assert_eq!(stream.pass(2, 51, 160, false, ms(40)), out(false, 3, 480));
    }

    #[test]
    fn a_jump_is_a_new_source() {
        let mut stream = Splice::new(0, 0);
        stream.pass(1, 100, 0, true, ms(0));
        assert_eq!(stream.pass(1, 30_000, 4_000_000, false, ms(20)), out(true, 2, 320));
        assert_eq!(stream.pass(1, 100, 0, false, ms(40)), out(true, 3, 480));
    }

    #[test]
    fn own_packets_take_their_turn() {
        let mut stream = Splice::new(10, 1_000);
        assert_eq!(Some(stream.own(ms(0))), out(true, 11, 1_160));
        assert_eq!(Some(stream.own(ms(100))), out(true, 12, 1_960));
        assert_eq!(stream.pass(4, 1, 1, false, ms(120)), out(true, 13, 2_120));
        assert_eq!(stream.pass(4, 2, 161, false, ms(140)), out(false, 14, 2_280));
        assert_eq!(Some(stream.own(ms(240))), out(true, 15, 3_080));
        assert_eq!(stream.pass(4, 3, 321, false, ms(260)), out(true, 16, 3_240));
    }

    proptest::proptest! {
        /// Whatever comes, in-order packets of changing sources never repeat a number and never go back.
        #[test]
        fn numbers_only_grow(steps in proptest::collection::vec((0_u32..3, 0_u16..4, 1_u64..200, proptest::bool::ANY), 1..200)) {
            let mut stream = Splice::new(65_000, 4_000_000_000);
            let (mut own, mut now, mut last) = ([0_u16, 30_000, 65_500], 0, 65_000_u16);
            for (who, gap, wait, probe) in steps {
                now += wait;
                let header = if probe {
                    stream.own(ms(now))
                } else {
                    let seq = &mut own[who as usize];
                    *seq = seq.wrapping_add(1 + gap);
                    stream.pass(who, *seq, u32::from(*seq) * 160, false, ms(now)).expect("in order")
                };
                let ahead = header.seq.wrapping_sub(last);
                proptest::prop_assert!((1..=4).contains(&ahead), "{last} then {}", header.seq);
                last = header.seq;
            }
        }
    }
}
