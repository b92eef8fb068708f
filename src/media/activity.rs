//! Is somebody speaking? By level, against a floor that follows the line's own noise.

use super::g711::FRAME;

/// Below this nothing is speech, dB below full scale.
const LOWEST_DB: f32 = -48.0;
/// Speech stands so far above the floor, dB.
const ABOVE_DB: f32 = 9.0;
/// The floor rises by so much a frame: 3 dB a second, so that music or a tone is not taken for a floor within a message.
const RISE_DB: f32 = 0.02;
const FLOOR_DB: (f32, f32) = (-70.0, -30.0);
/// Frames that go on as speech after a loud one: the ends of words are quiet.
const HANG: u8 = 8;

#[derive(Clone, Copy, Debug)]
pub struct Activity {
    floor_db: f32,
    hang: u8,
}

impl Default for Activity {
    fn default() -> Self {
        Self { floor_db: FLOOR_DB.0 + 10.0, hang: 0 }
    }
}

/// What a frame of 20 ms is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sounds {
    Loud,
    /// Quiet, so soon after loud that it belongs to it.
    Between,
    Quiet,
}

impl Activity {
    /// `frame` in the bytes of a codec whose `table` is given; `None` for one that did not come.
    pub fn frame(&mut self, frame: Option<&[u8; FRAME]>, table: &[i16; 256]) -> Sounds {
        let Some(frame) = frame else { return self.quiet() };
        let level = level_db(frame, table);
        self.floor_db = if level < self.floor_db { level } else { self.floor_db + RISE_DB };
        self.floor_db = self.floor_db.clamp(FLOOR_DB.0, FLOOR_DB.1);
        if level >= LOWEST_DB && level >= self.floor_db + ABOVE_DB {
            self.hang = HANG;
            return Sounds::Loud;
        }
        self.quiet()
    }

    fn quiet(&mut self) -> Sounds {
        if self.hang == 0 {
            return Sounds::Quiet;
        }
        self.hang -= 1;
        Sounds::Between
    }
}

/// Mean power without its constant part, dB below a full-scale square.
fn level_db(frame: &[u8; FRAME], table: &[i16; 256]) -> f32 {
    let (mut sum, mut squares) = (0i64, 0i64);
    for byte in frame {
        let sample = i64::from(table[usize::from(*byte)]);
        sum += sample;
        squares += sample * sample;
    }
    let mean = sum as f32 / FRAME as f32;
    let power = (squares as f32 / FRAME as f32 - mean * mean).max(1.0);
    10.0 * (power / (32_768.0 * 32_768.0)).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711;
    use crate::media::seam::Codec;
    use std::f32::consts::TAU;

    fn tone(db: f32, n: usize) -> [u8; FRAME] {
        let peak = 32_768.0 * 2f32.sqrt() * 10f32.powf(db / 20.0);
        std::array::from_fn(|i| {
            let at = (n * FRAME + i) as f32 / 8000.0;
            g711::encode(Codec::Pcma, ((TAU * 300.0 * at).sin() * peak).clamp(-32_768.0, 32_767.0) as i16)
        })
    }

    fn loud(levels: impl Iterator<Item = f32>) -> usize {
        let mut activity = Activity::default();
        let table = g711::table(Codec::Pcma);
        levels
            .enumerate()
            .filter(|(n, db)| activity.frame(Some(&tone(*db, *n)), table) == Sounds::Loud)
            .count()
    }

    #[test]
    fn speech_levels_are_heard_and_line_noise_is_not() {
        let words =
            |speech: f32, noise: f32| move |n: usize| if (n / 10).is_multiple_of(2) { speech } else { noise };
        assert_eq!(loud((0..500).map(words(-20.0, -60.0))), 250);
        assert_eq!(loud((0..500).map(words(-38.0, -55.0))), 250, "a quiet speaker");
        assert_eq!(loud((0..500).map(|_| -60.0)), 0);
        let settled = loud((0..1000).map(|_| -42.0));
        assert!(settled < 600, "steady noise becomes the floor: {settled}");
    }

    #[test]
    fn a_message_is_not_over_between_two_words() {
        let mut activity = Activity::default();
        let table = g711::table(Codec::Pcma);
        assert_eq!(activity.frame(Some(&tone(-20.0, 0)), table), Sounds::Loud);
        for _ in 0..HANG {
            assert_eq!(activity.frame(None, table), Sounds::Between);
        }
        assert_eq!(activity.frame(None, table), Sounds::Quiet);
    }
}
