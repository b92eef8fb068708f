//! A tone for each party, and ears that keep what came with its time: who heard whom is measured in what each one received.

use super::audio::alaw;
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const FRAME: usize = 160;
/// A party's tone at its source: eight of them together do not clip.
const LOUD: f64 = 3_500.0;
/// Heard from half of it on; below a thirtieth (30 dB down) it is not there. Between them lies no honest path.
const HEARD: f64 = 0.5;
const ABSENT: f64 = 1.0 / 30.0;
/// A window is so long: a third of a second tells tones 20 Hz apart.
pub const WINDOW: Duration = Duration::from_millis(340);
const WINDOW_FRAMES: usize = 16;

/// The frequency of a party by its number, Hz. No two are near each other or each other's harmonics' sum.
pub fn frequency(party: usize) -> f64 {
    assert!(party < 40, "no more tones than a telephone carries");
    330.0 + 71.0 * party as f64 + (party * party % 7) as f64 * 3.0
}

/// The `n`th frame of a tone, continuous with its neighbours.
pub fn frame(hz: f64, n: u32) -> [u8; FRAME] {
    std::array::from_fn(|i| {
        let at = f64::from(n) * FRAME as f64 + i as f64;
        alaw::encode(((at * hz * TAU / 8_000.0).sin() * LOUD) as i16)
    })
}

/// The tone, or with `bursts` 40 ms of it each second; when each began is noted.
pub fn burst_or_tone(hz: f64, n: u32, bursts: &mut Option<Vec<Instant>>) -> [u8; FRAME] {
    match bursts {
        Some(went) if n.is_multiple_of(50) => went.push(Instant::now()),
        Some(_) if n % 50 >= 2 => return [alaw::encode(0); FRAME],
        _ => {}
    }
    frame(hz, n)
}

/// `seconds` of a tone as samples, for a file.
pub fn samples(hz: f64, seconds: f64) -> Vec<i16> {
    let count = (seconds * 8_000.0) as usize;
    (0..count).map(|n| ((n as f64 * hz * TAU / 8_000.0).sin() * LOUD) as i16).collect()
}

/// How loud `hz` is in these samples, 1 for a party's own tone: Goertzel under a Hann window.
pub fn level(samples: &[f32], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / 8_000.0).cos();
    let count = samples.len() as f64;
    let (mut one, mut two, mut weight) = (0.0, 0.0, f64::EPSILON);
    for (n, sample) in samples.iter().enumerate() {
        let hann = 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / count).cos();
        (one, two) = (f64::from(*sample) * hann + turn * one - two, one);
        weight += hann;
    }
    let power = (one * one + two * two - turn * one * two).max(0.0);
    2.0 * power.sqrt() / weight / LOUD
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Yes,
    No,
    /// Neither: something is on its way in or out, or a path damps.
    Faint,
}

/// Samples of one packet, and when it came.
type Frame = (Instant, Vec<i16>);

/// What one party received, frame by frame.
#[derive(Clone, Default)]
pub struct Ears(Arc<Mutex<Vec<Frame>>>);

impl Ears {
    /// A packet's payload in A-law.
    pub fn take(&self, payload: &[u8]) {
        let samples = payload.iter().map(|byte| alaw::decode(*byte)).collect();
        self.0.lock().expect("no test panics with it").push((Instant::now(), samples));
    }

    /// What came between these times.
    pub fn between(&self, from: Instant, to: Instant) -> Vec<f32> {
        let heard = self.0.lock().expect("no test panics with it");
        let begin = heard.partition_point(|(at, _)| *at < from);
        let within = heard[begin..].iter().take_while(|(at, _)| *at <= to);
        within.flat_map(|(_, samples)| samples.iter().map(|sample| f32::from(*sample))).collect()
    }

    /// Forgets what came before.
    pub fn clear(&self) {
        self.0.lock().expect("no test panics with it").clear();
    }

    /// The last window's judgement of each of these tones. Who receives too little hears nothing.
    pub fn now(&self, tones: &[f64]) -> Vec<Heard> {
        let now = Instant::now();
        let window = self.between(now - WINDOW, now);
        if window.len() < WINDOW_FRAMES * FRAME * 3 / 4 {
            return vec![Heard::No; tones.len()];
        }
        tones.iter().map(|hz| judge(level(&window, *hz))).collect()
    }
}

pub fn judge(level: f64) -> Heard {
    match level {
        loud if loud >= HEARD => Heard::Yes,
        quiet if quiet < ABSENT => Heard::No,
        _ => Heard::Faint,
    }
}

#[test]
fn each_tone_is_told_from_all_others_alone_and_in_a_choir() {
    let tones: Vec<f64> = (0..40).map(frequency).collect();
    let sound = |parties: &[usize]| -> Vec<f32> {
        let mut sum = vec![0.0; WINDOW_FRAMES * FRAME];
        for party in parties {
            for n in 0..WINDOW_FRAMES {
                for (i, byte) in frame(tones[*party], n as u32).iter().enumerate() {
                    sum[n * FRAME + i] += f32::from(alaw::decode(*byte));
                }
            }
        }
        sum.iter().map(|sample| f32::from(alaw::decode(alaw::encode(*sample as i16)))).collect()
    };
    for parties in [vec![], vec![0], vec![17], vec![39], (8..15).collect(), (0..40).step_by(6).collect()] {
        let sound = sound(&parties);
        for (party, hz) in tones.iter().enumerate() {
            let want = if parties.contains(&party) { Heard::Yes } else { Heard::No };
            assert_eq!(judge(level(&sound, *hz)), want, "{hz} Hz in {parties:?}: {}", level(&sound, *hz));
        }
    }
}
