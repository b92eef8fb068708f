//! Prompts recorded at another rate, brought to 8,000 Hz once, at load.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// The telephone's rate, samples a second.
pub const RATE: u32 = 8000;

#[derive(Debug, thiserror::Error)]
#[error("cannot be brought from {from} to 8000 samples a second: {why}")]
pub struct ResampleError {
    from: u32,
    why: String,
}

/// The same sound at [`RATE`].
pub fn to_8k(samples: Vec<i16>, from: u32) -> Result<Vec<i16>, ResampleError> {
    if from == RATE || samples.is_empty() {
        return Ok(samples);
    }
    let bad = |why: &dyn std::fmt::Display| ResampleError { from, why: why.to_string() };
    let floats: Vec<f32> = samples.iter().map(|s| f32::from(*s) / 32_768.0).collect();
    let mut fft =
        Fft::<f32>::new(from as usize, RATE as usize, 1024, 1, FixedSync::Both).map_err(|e| bad(&e))?;
    let input = InterleavedSlice::new(&floats, 1, floats.len()).map_err(|e| bad(&e))?;
    let out = fft.process_all(&input, floats.len(), None).map_err(|e| bad(&e))?;
    Ok(out
        .take_data()
        .into_iter()
        .map(|s| (s * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    #[test]
    fn a_tone_keeps_its_length_its_pitch_and_its_level() {
        for from in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000] {
            let samples: Vec<i16> =
                (0..from).map(|n| ((TAU * 440.0 * n as f32 / from as f32).sin() * 10_000.0) as i16).collect();
            let out = to_8k(samples, from).unwrap();
            assert!((out.len() as i32 - 8000).abs() <= 2, "{from}: {} samples", out.len());
            let (mut re, mut im, mut power) = (0f32, 0f32, 0f32);
            for (n, s) in out[1000..7000].iter().enumerate() {
                let (sin, cos) = (TAU * 440.0 * n as f32 / 8000.0).sin_cos();
                let s = f32::from(*s);
                (re, im, power) = (re + s * cos, im + s * sin, power + s * s);
            }
            let tone = 2.0 * (re * re + im * im) / 6000.0;
            assert!(tone / power > 0.99, "{from}: {} of the power is the tone", tone / power);
            assert!((power / 6000.0).sqrt() > 6_900.0, "{from}: level {}", (power / 6000.0).sqrt());
        }
    }
}
