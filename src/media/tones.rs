//! Keys by tones in the sound (ITU-T Q.23, received after Q.24), for peers without telephone-event.
//!
//! Blocks of 12.75 ms are measured at the eight frequencies by Goertzel's method. A key is two blocks in a row that agree;
//! it is over after three that don't, so that a pause of 40 ms parts two presses and a hole of 10 ms does not. Speech is
//! refused by what a key has and speech has not: nearly all power in two lines, each well above its neighbours and its
//! second harmonic, neither much louder than the other, from block to block the same.

use super::g711::FRAME;
use crate::base::Digit;

/// Samples of a block.
const BLOCK: usize = 102;
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];

/// Weakest tone taken: −36 dB below a full-scale sine, so that Q.24's −29 dBm has room.
const WEAKEST: f32 = 0.000_25;
/// The column may be louder by 8 dB at most, the row by 6 dB.
const TWIST: f32 = 6.3;
const REVERSE_TWIST: f32 = 4.0;
/// A line stands so far above the others of its group: 7 dB.
const ABOVE_OTHERS: f32 = 5.0;
/// Share of the whole power in the two lines.
const SHARE: f32 = 0.82;
/// The second harmonic of each line, at most 9 dB below it.
const HARMONIC: f32 = 0.125;
/// Two blocks of one key differ by no more than 5 dB.
const STEADY: f32 = 3.2;
const HITS: u8 = 2;
const MISSES: u8 = 3;
/// Frames that may be missing within a key: a lost packet is no pause.
const HOLE: u8 = 3;

#[derive(Clone, Debug)]
pub struct Tones {
    block: [f32; BLOCK],
    filled: usize,
    /// The key of the last blocks, how many agreed, and their power.
    hit: Option<(u8, u8, f32)>,
    /// The key being held, already told; and blocks without it.
    held: Option<(u8, u8)>,
    missing: u8,
}

impl Default for Tones {
    fn default() -> Self {
        Self { block: [0.0; BLOCK], filled: 0, hit: None, held: None, missing: 0 }
    }
}

impl Tones {
    /// One frame in the bytes of a codec; `None` for one that did not come. Returns a key that began.
    pub fn frame(&mut self, frame: Option<&[u8; FRAME]>, table: &[i16; 256]) -> Option<Digit> {
        let Some(frame) = frame else {
            self.missing = self.missing.saturating_add(1);
            if self.missing > HOLE {
                self.filled = 0;
                self.hit = None;
                self.held = None;
            }
            return None;
        };
        self.missing = 0;
        let mut key = None;
        for byte in frame {
            self.block[self.filled] = f32::from(table[usize::from(*byte)]) / 32_768.0;
            self.filled += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                key = self.block_done().or(key);
            }
        }
        key
    }

    fn block_done(&mut self) -> Option<Digit> {
        let found = analyse(&self.block);
        if let Some((held, misses)) = &mut self.held {
            match found {
                Some((key, _)) if key == *held => *misses = 0,
                _ => *misses += 1,
            }
            if *misses < MISSES {
                return None;
            }
            self.held = None;
        }
        let Some((key, power)) = found else {
            self.hit = None;
            return None;
        };
        let hits = match self.hit {
            Some((last, hits, before)) if last == key && is_steady(before, power) => hits + 1,
            _ => 1,
        };
        self.hit = Some((key, hits, power));
        if hits < HITS {
            return None;
        }
        self.hit = None;
        self.held = Some((key, 0));
        Digit::from_event(key)
    }
}

/// Sample `n` of a key's two tones, each −9 dB below full scale, the column 1 dB above the row.
pub fn sample(digit: Digit, n: u32) -> i16 {
    let event = digit.as_event();
    let place = KEYS.iter().enumerate().find_map(|(row, keys)| {
        keys.iter().position(|key| *key == event).map(|column| (ROWS[row], COLUMNS[column]))
    });
    let Some((row, column)) = place else { return 0 };
    let wave = |hz: f32| (std::f32::consts::TAU * hz * n as f32 / 8000.0).sin();
    (wave(row) * 10_400.0 + wave(column) * 11_700.0) as i16
}

fn is_steady(before: f32, now: f32) -> bool {
    before < now * STEADY && now < before * STEADY
}

/// The key of a block and the power of its two lines.
fn analyse(block: &[f32; BLOCK]) -> Option<(u8, f32)> {
    let total: f32 = block.iter().map(|s| s * s).sum::<f32>() / BLOCK as f32;
    // Most blocks end here: silence costs 102 multiplications.
    if total < WEAKEST * 2.0 * 0.5 {
        return None;
    }
    let rows = ROWS.map(|hz| power(block, hz));
    let columns = COLUMNS.map(|hz| power(block, hz));
    let (row, low) = strongest(&rows)?;
    let (column, high) = strongest(&columns)?;
    let loud = low >= WEAKEST * 0.5 && high >= WEAKEST * 0.5;
    let balanced = high <= low * TWIST && low <= high * REVERSE_TWIST;
    if !loud || !balanced || low + high < SHARE * total {
        return None;
    }
    // Where the row's harmonic falls on the column itself (as in 2, 6, C) it says nothing.
    let apart = (2.0 * ROWS[row] - COLUMNS[column]).abs() > 200.0;
    let clean = power(block, 2.0 * COLUMNS[column]) < high * HARMONIC
        && (!apart || power(block, 2.0 * ROWS[row]) < low * HARMONIC);
    clean.then_some((KEYS[row][column], low + high))
}

/// The strongest of a group, if it stands clear of the others.
fn strongest(group: &[f32; 4]) -> Option<(usize, f32)> {
    let (at, most) = group.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let clear = group.iter().enumerate().all(|(n, other)| n == at || other * ABOVE_OTHERS < most);
    clear.then_some((at, most))
}

/// Power of one frequency in a block, 0.5 for a full-scale sine (Goertzel).
fn power(block: &[f32; BLOCK], hz: f32) -> f32 {
    let turn = 2.0 * (std::f32::consts::TAU * hz / 8000.0).cos();
    let (mut a, mut b) = (0.0f32, 0.0f32);
    for sample in block {
        (a, b) = (sample + turn * a - b, a);
    }
    let square = a * a + b * b - turn * a * b;
    2.0 * square / (BLOCK * BLOCK) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711;
    use crate::media::seam::Codec;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// One stretch of sound: (row Hz, column Hz, dB of each below full scale, ms).
    type Stretch = (f32, f32, f32, f32, f32);
    const fn pause(ms: f32) -> Stretch {
        (0.0, 0.0, -200.0, -200.0, ms)
    }

    fn tones(key: char) -> (f32, f32) {
        let event = "0123456789*#ABCD".find(key).unwrap() as u8;
        let row = KEYS.iter().position(|row| row.contains(&event)).unwrap();
        let column = KEYS[row].iter().position(|k| *k == event).unwrap();
        (ROWS[row], COLUMNS[column])
    }

    fn sound(parts: &[Stretch], noise_db: f32, offset: usize) -> Vec<i16> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut samples = vec![0f32; offset];
        for (low, high, low_db, high_db, ms) in parts {
            for n in 0..(ms * 8.0) as usize {
                let at = n as f32 / 8000.0 * std::f32::consts::TAU;
                samples.push(
                    10f32.powf(low_db / 20.0) * (at * low).sin()
                        + 10f32.powf(high_db / 20.0) * (at * high).sin(),
                );
            }
        }
        samples.extend([0.0; 1600]);
        let noise = 10f32.powf(noise_db / 20.0);
        samples
            .iter()
            .map(|s| {
                let n = (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 3.46 * noise * 0.707;
                ((s + n) * 32_767.0).clamp(-32_768.0, 32_767.0) as i16
            })
            .collect()
    }

    fn keys(samples: &[i16]) -> String {
        let mut detector = Tones::default();
        let table = g711::table(Codec::Pcma);
        let mut keys = String::new();
        for frame in samples.chunks_exact(FRAME) {
            let frame: [u8; FRAME] = std::array::from_fn(|i| g711::encode(Codec::Pcma, frame[i]));
            keys.extend(detector.frame(Some(&frame), table).map(Digit::as_char));
        }
        keys
    }

    fn press(key: char, ms: f32) -> Stretch {
        let (low, high) = tones(key);
        (low, high, -12.0, -10.0, ms)
    }

    #[test]
    fn every_key_at_every_phase_of_the_blocks() {
        for key in "0123456789*#ABCD".chars() {
            for offset in (0..BLOCK).step_by(3) {
                let samples = sound(&[press(key, 40.0), pause(40.0), press(key, 40.0)], -60.0, offset);
                assert_eq!(keys(&samples), format!("{key}{key}"), "{key} at {offset}");
            }
        }
    }

    #[test]
    fn levels_twist_frequency_and_time_as_q24_has_them() {
        let at = |low_db: f32, high_db: f32, off: f32, ms: f32| {
            let (low, high) = tones('5');
            sound(&[pause(50.0), (low * off, high * off, low_db, high_db, ms)], -65.0, 0)
        };
        for (what, samples, want) in [
            ("loud", at(-6.5, -6.5, 1.0, 60.0), "5"),
            ("quiet", at(-31.0, -31.0, 1.0, 60.0), "5"),
            ("too quiet", at(-45.0, -45.0, 1.0, 60.0), ""),
            ("the column 6 dB louder", at(-16.0, -10.0, 1.0, 60.0), "5"),
            ("the row 4 dB louder", at(-10.0, -14.0, 1.0, 60.0), "5"),
            ("the column 14 dB louder", at(-24.0, -10.0, 1.0, 60.0), ""),
            ("the row 14 dB louder", at(-10.0, -24.0, 1.0, 60.0), ""),
            ("1.5 % high", at(-10.0, -10.0, 1.015, 60.0), "5"),
            ("1.5 % low", at(-10.0, -10.0, 0.985, 60.0), "5"),
            ("20 ms are no press", at(-10.0, -10.0, 1.0, 20.0), ""),
            ("held for a second", at(-10.0, -10.0, 1.0, 1000.0), "5"),
        ] {
            assert_eq!(keys(&samples), want, "{what}");
        }
        let interrupted = [press('8', 60.0), pause(10.0), press('8', 60.0)];
        assert_eq!(keys(&sound(&interrupted, -60.0, 0)), "8", "a hole of 10 ms is no pause");
        let noisy = sound(&[press('3', 60.0), pause(60.0), press('4', 60.0)], -28.0, 0);
        assert_eq!(keys(&noisy), "34", "16 dB above noise");
        let fast: Vec<_> =
            "12345678901234567890".chars().flat_map(|key| [press(key, 45.0), pause(45.0)]).collect();
        assert_eq!(keys(&sound(&fast, -60.0, 0)), "12345678901234567890");
    }

    #[test]
    fn a_lost_packet_within_a_key_does_not_double_it() {
        let samples = sound(&[press('6', 200.0)], -60.0, 0);
        let table = g711::table(Codec::Pcma);
        let mut detector = Tones::default();
        let mut got = String::new();
        for (n, frame) in samples.chunks_exact(FRAME).enumerate() {
            let frame: [u8; FRAME] = std::array::from_fn(|i| g711::encode(Codec::Pcma, frame[i]));
            got.extend(detector.frame((n != 4 && n != 6).then_some(&frame), table).map(Digit::as_char));
        }
        assert_eq!(got, "6");
    }

    #[test]
    fn single_tones_and_noise_are_no_keys() {
        for hz in [350.0, 440.0, 450.0, 697.0, 941.0, 1209.0, 1400.0, 1633.0, 2100.0] {
            assert_eq!(keys(&sound(&[(hz, hz, -12.0, -200.0, 3000.0)], -60.0, 0)), "", "{hz} Hz");
        }
        assert_eq!(keys(&sound(&[pause(60_000.0)], -15.0, 0)), "", "a minute of noise");
    }
}
