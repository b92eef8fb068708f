//! Keys we press towards a peer: RFC 4733 packets, or tones where it takes none. Pure; a frame at a time.
//!
//! ```text
//!  frame        0   1   2   3   4   5   6   7   8   9
//!  event       160 320 480 640 800E 800E 800E  ·   ·   ·    timestamp of frame 0 in all; E: the end, three times
//!  tones       ♪   ♪   ♪   ♪   ♪   ·   ·   ·   ·   ·        ·: whatever else the leg sends
//! ```

use super::g711::{self, FRAME};
use super::seam::{Codec, DIGITS_MAX};
use super::tones;
use crate::base::Digit;

/// Frames that a key is held, that its end is said again in, and from one key to the next.
const HELD: u8 = 5;
const ENDS: u8 = 2;
const PERIOD: u8 = 10;
/// Power of the event as RFC 4733 tells it, dB below 0 dBm0.
const VOLUME: u8 = 10;

/// Keys still to be sent.
#[derive(Clone, Debug)]
pub struct Digits {
    keys: [Option<Digit>; DIGITS_MAX],
    /// The key in hand, and one past the last.
    next: usize,
    end: usize,
    /// The frame of the key in hand, and the timestamp and way of its first.
    frame: u8,
    began: u32,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Event(u8),
    Tones,
}

/// What goes out in a frame's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Event {
        payload_type: u8,
        /// The first packet of a press.
        first: bool,
        timestamp: u32,
        payload: [u8; 4],
    },
    /// The frame was filled with the tones.
    Tones,
}

impl Default for Digits {
    fn default() -> Self {
        Self { keys: [None; DIGITS_MAX], next: 0, end: 0, frame: 0, began: 0, by: By::Tones }
    }
}

impl Digits {
    /// Keys after those still waiting; how many found no room.
    pub fn push(&mut self, digits: &[Digit]) -> usize {
        self.keys.copy_within(self.next..self.end, 0);
        self.end -= self.next;
        self.next = 0;
        let room = &mut self.keys[self.end..];
        let some = digits.len().min(room.len());
        room.iter_mut().zip(digits).for_each(|(place, digit)| *place = Some(*digit));
        self.end += some;
        digits.len() - some
    }

    /// The next frame, at `timestamp`: a key's part of it, or nothing. `event`: the peer's payload type, which a press
    /// keeps to its end.
    pub fn frame(
        &mut self,
        event: Option<u8>,
        timestamp: u32,
        codec: Codec,
        sound: &mut [u8; FRAME],
    ) -> Option<Key> {
        if self.next >= self.end {
            return None;
        }
        let digit = self.keys[self.next]?;
        let frame = self.frame;
        if frame == 0 {
            self.began = timestamp;
            self.by = event.map_or(By::Tones, By::Event);
        }
        self.frame += 1;
        if self.frame == PERIOD {
            self.frame = 0;
            self.next += 1;
        }
        match self.by {
            By::Event(payload_type) if frame < HELD + ENDS => {
                let duration = u16::from(HELD.min(frame + 1)) * FRAME as u16;
                let end = frame + 1 >= HELD;
                let [high, low] = duration.to_be_bytes();
                let payload = [digit.as_event(), u8::from(end) << 7 | VOLUME, high, low];
                Some(Key::Event { payload_type, first: frame == 0, timestamp: self.began, payload })
            }
            By::Tones if frame < HELD => {
                let from = u32::from(frame) * FRAME as u32;
                for (n, out) in (from..).zip(sound.iter_mut()) {
                    *out = g711::encode(codec, tones::sample(digit, n));
                }
                Some(Key::Tones)
            }
            _ => None,
        }
    }

    /// Has every key gone out?
    pub fn is_idle(&self) -> bool {
        self.next >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::media::events::Events;
    use crate::media::tones::Tones;

    fn keys(text: &str) -> Vec<Digit> {
        text.chars().filter_map(Digit::from_char).collect()
    }

    #[test]
    fn our_own_ear_hears_every_key_once_by_event_and_by_tone() {
        const ALL: &str = "0123456789*#ABCD1155##";
        let (mut events, mut heard) = (Events::default(), String::new());
        let mut digits = Digits::default();
        assert_eq!(digits.push(&keys(ALL)), 0);
        let mut sound = [0; FRAME];
        for n in 0..ALL.len() as u32 * 10 {
            let now = Time::from_millis(u64::from(n) * 20);
            if let Some(Key::Event { timestamp, payload, payload_type: 97, .. }) =
                digits.frame(Some(97), n * 160, Codec::Pcma, &mut sound)
            {
                events.packet(now, timestamp, &payload, &mut |key| heard.push(key.as_char()));
            }
            events.tick(now, &mut |key| heard.push(key.as_char()));
        }
        assert_eq!((heard.as_str(), digits.is_idle()), (ALL, true));
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let (mut tones, mut heard) = (Tones::default(), String::new());
            digits.push(&keys(ALL));
            for n in 0..ALL.len() as u32 * 10 {
                let mut sound = [g711::silence(codec); FRAME];
                assert!(!matches!(digits.frame(None, n * 160, codec, &mut sound), Some(Key::Event { .. })));
                heard.extend(tones.frame(Some(&sound), g711::table(codec)).map(Digit::as_char));
            }
            assert_eq!(heard, ALL, "{codec:?}");
        }
    }

    #[test]
    fn a_press_is_100_ms_long_ends_three_times_and_is_100_ms_from_the_next() {
        let mut digits = Digits::default();
        digits.push(&keys("5#"));
        let mut line = Vec::new();
        for n in 0..21u32 {
            let event = if n == 3 { None } else { Some(101) };
            match digits.frame(event, 7000 + n * 160, Codec::Pcma, &mut [0; FRAME]) {
                Some(Key::Event { first, timestamp, payload, payload_type: 101 }) => {
                    let duration = u16::from_be_bytes([payload[2], payload[3]]);
                    line.push((n, payload[0], first, timestamp - 7000, duration, payload[1] >> 7));
                }
                None => {}
                other => panic!("{other:?}"),
            }
        }
        let press = |from: u32, key: u8| {
            (0..7u32).map(move |n| {
                let duration = 160 * (n + 1).min(5) as u16;
                (from + n, key, n == 0, from * 160, duration, u8::from(n >= 4))
            })
        };
        assert_eq!(line, press(0, 5).chain(press(10, 11)).collect::<Vec<_>>());
    }

    #[test]
    fn too_many_keys_are_dropped_and_later_ones_follow() {
        let mut digits = Digits::default();
        assert_eq!(digits.push(&keys(&"1".repeat(DIGITS_MAX + 3))), 3);
        for n in 0..20 {
            digits.frame(Some(101), n, Codec::Pcma, &mut [0; FRAME]);
        }
        assert_eq!(digits.push(&keys("234")), 1);
    }
}
