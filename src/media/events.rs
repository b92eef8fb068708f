//! Keys by RTP (RFC 4733): many packets, one press.
//!
//! ```text
//!  packets of one timestamp     duration 160 320 480 … end end end
//!                                        │   └ told here: 40 ms are a press
//!  Idle ──first──▶ Held ──40 ms, or an end of 40 ms, or the next event, or 100 ms of nothing──▶ Told
//! ```
//!
//! A press is known by its timestamp, so repeated, reordered and late packets change nothing. All ends may be lost.

use crate::base::{Digit, Time};
use std::time::Duration;

/// One block of a packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub event: u8,
    pub end: bool,
    /// Power below 0 dBm0, dB.
    pub volume: u8,
    /// Samples since the event's timestamp.
    pub duration: u16,
}

/// Reads the first block of a payload; more may follow (RFC 4733 section 2.5.1.5), `None` when shorter than one.
pub fn read(payload: &[u8]) -> Option<Block> {
    let block = payload.first_chunk::<4>()?;
    Some(Block {
        event: block[0],
        end: block[1] & 0x80 != 0,
        volume: block[1] & 0x3F,
        duration: u16::from_be_bytes([block[2], block[3]]),
    })
}

/// A press shorter than this is not one (Q.24), samples: 40 ms.
const SHORTEST: u16 = 320;
/// Nothing for so long ends a press whose ends were lost.
const QUIET: Duration = Duration::from_millis(100);
/// Presses remembered against late packets.
const REMEMBERED: usize = 8;
/// Blocks looked at in one packet.
const BLOCKS: usize = 4;
/// Presses taken in a second; a telephone's user makes ten (`attacks.md` M11).
const PER_SECOND: u32 = 20;

/// What a press in progress is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Press {
    event: u8,
    /// Of the first packet; segments of a long press move it on (RFC 4733 section 2.5.1.3).
    began: u32,
    timestamp: u32,
    duration: u16,
    last: Time,
    state: PressState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PressState {
    /// Shorter than a press so far.
    Held,
    Told,
    /// Told or too short; kept so that repeated ends are known.
    Ended,
}

/// Presses of one leg.
#[derive(Clone, Debug, Default)]
pub struct Events {
    press: Option<Press>,
    past: [Option<u32>; REMEMBERED],
    next_past: usize,
    second: Option<(Time, u32)>,
    /// Presses refused because they came too fast.
    pub flooded: u32,
}

impl Events {
    /// One packet of the negotiated payload type. At most one press comes of it, or one that was held before and one now.
    pub fn packet(&mut self, now: Time, timestamp: u32, payload: &[u8], told: &mut impl FnMut(Digit)) {
        let mut at = timestamp;
        for block in payload.chunks_exact(4).take(BLOCKS).filter_map(read) {
            self.block(now, at, block, told);
            // Blocks after the first begin where the one before ended.
            at = at.wrapping_add(u32::from(block.duration));
        }
    }

    fn block(&mut self, now: Time, timestamp: u32, block: Block, told: &mut impl FnMut(Digit)) {
        if Digit::from_event(block.event).is_none() || self.past.contains(&Some(timestamp)) {
            return;
        }
        let continued = match &mut self.press {
            Some(press) if press.is_same(timestamp, block) => true,
            // An old press whose packet came late.
            Some(press) if (timestamp.wrapping_sub(press.timestamp) as i32) < 0 => return,
            _ => false,
        };
        if !continued {
            self.settle(now, told);
            let press = Press {
                event: block.event,
                began: timestamp,
                timestamp,
                duration: 0,
                last: now,
                state: PressState::Held,
            };
            self.press = Some(press);
        }
        let Some(press) = &mut self.press else { return };
        press.duration =
            if press.timestamp == timestamp { press.duration.max(block.duration) } else { block.duration };
        press.timestamp = timestamp;
        press.last = now;
        if press.state == PressState::Held && press.duration >= SHORTEST {
            press.state = PressState::Told;
            let event = press.event;
            self.tell(now, event, told);
        }
        if block.end
            && let Some(press) = &mut self.press
        {
            // A held press that ends now was too short: a glitch.
            press.state = PressState::Ended;
        }
    }

    /// Call it every tick: a press whose packets stopped is decided.
    pub fn tick(&mut self, now: Time, told: &mut impl FnMut(Digit)) {
        if self.press.is_some_and(|press| press.state != PressState::Ended && now.since(press.last) >= QUIET)
        {
            self.settle(now, told);
        }
    }

    /// The press in progress is over. If it was never told its packets were lost, for nobody presses for 20 ms.
    fn settle(&mut self, now: Time, told: &mut impl FnMut(Digit)) {
        let Some(press) = self.press.take() else { return };
        for timestamp in [press.began, press.timestamp] {
            if !self.past.contains(&Some(timestamp)) {
                self.past[self.next_past] = Some(timestamp);
                self.next_past = (self.next_past + 1) % REMEMBERED;
            }
        }
        if press.state == PressState::Held {
            self.tell(now, press.event, told);
        }
    }

    fn tell(&mut self, now: Time, event: u8, told: &mut impl FnMut(Digit)) {
        let Some(digit) = Digit::from_event(event) else { return };
        let (since, count) = self.second.unwrap_or((now, 0));
        let (since, count) =
            if now.since(since) >= Duration::from_secs(1) { (now, 0) } else { (since, count) };
        self.second = Some((since, count.saturating_add(1)));
        if count >= PER_SECOND {
            self.flooded = self.flooded.saturating_add(1);
            return;
        }
        told(digit);
    }
}

impl Press {
    fn is_same(&self, timestamp: u32, block: Block) -> bool {
        if self.event != block.event {
            return false;
        }
        if timestamp == self.timestamp || timestamp == self.began {
            return true;
        }
        if self.state == PressState::Ended {
            return false;
        }
        let moved = timestamp.wrapping_sub(self.timestamp);
        // The next segment of a press longer than 8 s; or a sender that moves the timestamp with every packet while the
        // duration counts on.
        (moved == 0xFFFF) || (moved <= 480 && block.duration > self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets as (ms of arrival, timestamp, event, end, duration); then 200 ms of ticks.
    fn pressed(packets: &[(u64, u32, u8, bool, u16)]) -> String {
        let (mut events, mut keys) = (Events::default(), String::new());
        let mut told = |digit: Digit| keys.push(digit.as_char());
        let mut clock = 0;
        for (at, timestamp, event, end, duration) in packets {
            while clock + 20 < *at {
                clock += 20;
                events.tick(Time::from_millis(clock), &mut told);
            }
            let [high, low] = duration.to_be_bytes();
            let payload = [*event, u8::from(*end) << 7 | 10, high, low];
            events.packet(Time::from_millis(*at), *timestamp, &payload, &mut told);
        }
        for after in 1..10 {
            events.tick(
                Time::from_millis(clock.max(packets.last().map_or(0, |p| p.0)) + 20 * after),
                &mut told,
            );
        }
        keys
    }

    #[test]
    fn a_press_is_told_once_whatever_happens_to_its_packets() {
        let whole = [
            (0, 1000, 5, false, 160),
            (20, 1000, 5, false, 320),
            (40, 1000, 5, false, 480),
            (60, 1000, 5, true, 640),
            (60, 1000, 5, true, 640),
            (60, 1000, 5, true, 640),
        ];
        // Every subset of its packets that is not empty.
        for kept in 1u32..1 << whole.len() {
            let some: Vec<_> =
                whole.iter().enumerate().filter(|(i, _)| kept >> i & 1 == 1).map(|(_, p)| *p).collect();
            assert_eq!(pressed(&some), "5", "{kept:#b}");
        }
        let mut doubled: Vec<_> = whole.iter().flat_map(|p| [*p, *p]).collect();
        assert_eq!(pressed(&doubled), "5");
        doubled.reverse();
        let backwards: Vec<_> =
            doubled.iter().enumerate().map(|(i, p)| (i as u64 * 10, p.1, p.2, p.3, p.4)).collect();
        assert_eq!(pressed(&backwards), "5");
    }

    #[test]
    fn presses_in_a_row() {
        for (what, packets, keys) in [
            (
                "the same key twice",
                vec![
                    (0, 0, 1, false, 400),
                    (60, 0, 1, true, 800),
                    (200, 1600, 1, false, 400),
                    (260, 1600, 1, true, 800),
                ],
                "11",
            ),
            (
                "all ends lost",
                vec![(0, 0, 1, false, 400), (200, 1600, 2, false, 400), (400, 3200, 2, false, 400)],
                "122",
            ),
            ("only first packets", vec![(0, 0, 1, false, 160), (200, 1600, 2, false, 160)], "12"),
            (
                "a late end of the one before",
                vec![(0, 0, 1, false, 400), (100, 1600, 2, false, 400), (110, 0, 1, true, 800)],
                "12",
            ),
            ("too short", vec![(0, 0, 1, false, 80), (10, 0, 1, true, 160), (10, 0, 1, true, 160)], ""),
            ("no key but flash", vec![(0, 0, 16, false, 800), (20, 0, 16, true, 800)], ""),
            (
                "a long press in segments",
                vec![(0, 0, 3, false, 400), (8000, 0xFFFF, 3, false, 200), (8020, 0xFFFF, 3, true, 400)],
                "33",
            ),
            (
                "the timestamp moves with each packet",
                vec![
                    (0, 0, 7, false, 160),
                    (20, 160, 7, false, 320),
                    (40, 320, 7, false, 480),
                    (60, 480, 7, true, 640),
                ],
                "7",
            ),
            (
                "over the turn of the timestamp",
                vec![(0, u32::MAX - 100, 4, false, 400), (90, 700, 6, false, 400)],
                "46",
            ),
        ] {
            assert_eq!(pressed(&packets), keys, "{what}");
        }
        let long: Vec<_> = (1..450u64)
            .map(|i| {
                let whole = i * 160;
                let segment = whole / 0xFFFF;
                (20 * i, (segment * 0xFFFF) as u32, 3, false, (whole - segment * 0xFFFF) as u16)
            })
            .collect();
        assert_eq!(pressed(&long), "3", "a key held for nine seconds");
    }

    #[test]
    fn a_flood_is_held_to_twenty_a_second() {
        let (mut events, mut taken) = (Events::default(), 0);
        for i in 0..10_000u32 {
            let now = Time::from_millis(u64::from(i));
            events.packet(now, i.wrapping_mul(4000), &[5, 0, 2, 0], &mut |_| taken += 1);
        }
        assert!((150..=200).contains(&taken), "{taken} in ten seconds");
        assert!(events.flooded > 9_000);
    }

    #[test]
    fn several_blocks_in_one_packet() {
        let (mut events, mut keys) = (Events::default(), String::new());
        let payload = [1, 0x80, 2, 0, 2, 0x80, 2, 0, 3];
        events.packet(Time::ZERO, 0, &payload, &mut |digit| keys.push(digit.as_char()));
        assert_eq!(keys, "12");
    }

    proptest::proptest! {
        #[test]
        fn no_payload_makes_it_panic(packets in proptest::collection::vec((proptest::num::u32::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..24)), 0..60)) {
            let mut events = Events::default();
            for (i, (timestamp, payload)) in packets.iter().enumerate() {
                events.packet(Time::from_millis(i as u64 * 7), *timestamp, payload, &mut |_| {});
                events.tick(Time::from_millis(i as u64 * 7 + 1), &mut |_| {});
            }
        }
    }
}
