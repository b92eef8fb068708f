//! Tones made and measured.

use crate::media::g711::{self, FRAME};
use crate::media::seam::Codec;

/// The `n`th frame of a tone, continuous with its neighbours.
pub fn tone(hz: f64, n: u32) -> [u8; FRAME] {
    std::array::from_fn(|i| {
        let at = f64::from(n) * FRAME as f64 + i as f64;
        let sample = (at * hz * std::f64::consts::TAU / 8_000.0).sin() * 8_000.0;
        g711::encode(Codec::Pcma, sample as i16)
    })
}

/// The share of the power of PCMA that is at one frequency, by Goertzel in blocks of 20 ms: 1 for a pure tone.
pub fn share(pcma: &[u8], hz: f64) -> f64 {
    let (mut at, mut all) = (0.0, f64::EPSILON);
    for block in pcma.chunks_exact(FRAME) {
        let turn = 2.0 * (std::f64::consts::TAU * hz / 8_000.0).cos();
        let (mut one, mut two) = (0.0, 0.0);
        for byte in block {
            let sample = f64::from(g711::decode(Codec::Pcma, *byte));
            (one, two) = (sample + turn * one - two, one);
            all += sample * sample;
        }
        at += (one * one + two * two - turn * one * two) * 2.0 / FRAME as f64;
    }
    at / all
}

#[test]
fn the_measure_tells_tones_apart() {
    let sound: Vec<u8> = (0..50).flat_map(|n| tone(700.0, n)).collect();
    assert!(share(&sound, 700.0) > 0.98 && share(&sound, 700.0) < 1.02);
    assert!(share(&sound, 450.0) < 0.01);
}
