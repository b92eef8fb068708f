//! What one received stream tells about the network: sequence numbers (RFC 3550 A.1, A.3) and jitter (A.8).

/// Packets this far behind the newest can still be told from duplicates.
const WINDOW: u64 = 128;
/// Beyond these a packet is not of this stream (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;
const MAX_MISORDER: u16 = 100;

/// One stream of one SSRC.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stream {
    /// First and newest sequence number, with the turns of the 16-bit counter above them.
    base: u64,
    newest: u64,
    /// Which of the last [`WINDOW`] have come: bit 0 is `newest`.
    seen: u128,
    received: u64,
    duplicates: u64,
    /// Arrival minus timestamp of the packet before, samples.
    transit: i64,
    /// Sixteen times the mean deviation, samples.
    jitter_16: i64,
    /// What the last report already told.
    reported: (u64, u64),
    began: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Newer than all before, by how many.
    Newer(u64),
    /// Late, but not seen yet.
    Older,
    Duplicate,
    /// Too far from the stream to be of it.
    Outside,
}

impl Stream {
    /// Where a sequence number stands, without taking it.
    pub fn place(&self, seq: u16) -> Place {
        if !self.began {
            return Place::Newer(1);
        }
        let ahead = seq.wrapping_sub(self.newest as u16);
        if ahead == 0 {
            return Place::Duplicate;
        }
        if ahead < MAX_DROPOUT {
            return Place::Newer(u64::from(ahead));
        }
        let behind = ahead.wrapping_neg();
        if behind > MAX_MISORDER {
            return Place::Outside;
        }
        if self.seen >> behind & 1 == 1 { Place::Duplicate } else { Place::Older }
    }

    /// Takes a packet. `arrival` and `timestamp` in samples of the stream's clock.
    pub fn take(&mut self, seq: u16, arrival: u64, timestamp: u32) -> Place {
        let place = self.place(seq);
        match place {
            Place::Outside => return place,
            Place::Duplicate => self.duplicates += 1,
            Place::Older => {
                let behind = (self.newest as u16).wrapping_sub(seq);
                self.seen |= 1 << behind;
                self.received += 1;
                // The first packets came in another order.
                self.base = self.base.min(self.newest - u64::from(behind));
            }
            Place::Newer(by) if self.began => {
                self.newest += by;
                self.seen = if by < WINDOW { self.seen << by } else { 0 } | 1;
                self.received += 1;
            }
            Place::Newer(_) => {
                // One turn of the counter above zero, so that an older packet has a place below.
                self.base = 0x1_0000 + u64::from(seq);
                self.newest = self.base;
                self.seen = 1;
                self.received = 1;
            }
        }
        if place != Place::Duplicate {
            self.measure(arrival, timestamp);
        }
        self.began = true;
        place
    }

    fn measure(&mut self, arrival: u64, timestamp: u32) {
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp) as i32);
        if self.began {
            let change = (transit - self.transit).abs();
            // A timestamp that jumped is a new talkspurt or another source, not jitter.
            if change < 8_000 {
                self.jitter_16 += change - ((self.jitter_16 + 8) >> 4);
            }
        }
        self.transit = transit;
    }

    /// Packets that should have come by now.
    pub fn expected(&self) -> u64 {
        if self.began { self.newest - self.base + 1 } else { 0 }
    }
    pub fn received(&self) -> u64 {
        self.received
    }
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }
    /// In samples.
    pub fn jitter(&self) -> u32 {
        u32::try_from(self.jitter_16 >> 4).unwrap_or(0)
    }
    /// Extended highest sequence number received, as reports carry it.
    pub fn highest(&self) -> u32 {
        (self.newest - self.newest.min(0x1_0000)) as u32
    }
    /// Share lost since the last time this was asked, 0–255 (RFC 3550 A.3).
    pub fn fraction_lost(&mut self) -> u8 {
        let (expected, received) = (self.expected(), self.received);
        let (before_expected, before_received) = self.reported;
        self.reported = (expected, received);
        let due = expected.saturating_sub(before_expected);
        let lost = due.saturating_sub(received.saturating_sub(before_received));
        (lost * 256).checked_div(due).map_or(0, |share| share.min(255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(seqs: &[u16]) -> Stream {
        let mut stream = Stream::default();
        for (i, seq) in seqs.iter().enumerate() {
            stream.take(*seq, 160 * i as u64, 160 * i as u32);
        }
        stream
    }

    #[test]
    fn loss_order_doubles_and_the_turn_of_the_counter() {
        for (what, seqs, lost, doubles) in [
            ("all", &[1, 2, 3][..], 0, 0),
            ("one lost", &[1, 2, 4], 1, 0),
            ("late", &[1, 2, 4, 3], 0, 0),
            ("the first two swapped", &[2, 1, 3], 0, 0),
            ("doubled", &[1, 1, 2, 2, 1], 0, 3),
            ("over the turn", &[65_534, 65_535, 0, 1], 0, 0),
            ("lost at the turn", &[65_534, 1], 2, 0),
            ("late over the turn", &[65_534, 0, 65_535], 0, 0),
        ] {
            let stream = fed(seqs);
            assert_eq!((stream.lost(), stream.duplicates()), (lost, doubles), "{what}");
        }
        assert_eq!(fed(&[65_535, 0]).highest(), 0x1_0000);
    }

    #[test]
    fn a_packet_far_away_is_outside() {
        let mut stream = fed(&[1000]);
        for seq in [899, 4000, 40_000] {
            assert_eq!(stream.take(seq, 0, 0), Place::Outside, "{seq}");
        }
        assert_eq!(stream.received(), 1);
        assert_eq!(stream.take(3999, 0, 0), Place::Newer(2999));
        assert_eq!(stream.take(3871, 0, 0), Place::Outside);
    }

    #[test]
    fn jitter_is_the_mean_deviation() {
        let mut stream = Stream::default();
        for i in 0..2000u32 {
            let off = if i % 2 == 0 { 0 } else { 40 };
            stream.take(i as u16, u64::from(160 * i + off), 160 * i);
        }
        assert!((38..=41).contains(&stream.jitter()), "{}", stream.jitter());
    }

    #[test]
    fn the_fraction_is_of_the_time_between_reports() {
        let mut stream = fed(&[1, 3, 5, 7]);
        assert_eq!(stream.fraction_lost(), (3 * 256 / 7) as u8);
        stream.take(8, 0, 0);
        assert_eq!(stream.fraction_lost(), 0);
        assert_eq!(stream.fraction_lost(), 0);
    }
}
