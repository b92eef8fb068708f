//! Sound in tests: G.711 A-law, WAV files, and how like each other two sounds are.
//!
//! Written here and not taken from the program under test: a mistake in both would compare equal.

use std::path::Path;

pub mod alaw {
    //! ITU-T G.711 A-law.

    pub fn encode(sample: i16) -> u8 {
        let (sign, magnitude) =
            if sample >= 0 { (0x80_u8, i32::from(sample)) } else { (0, !i32::from(sample)) };
        let magnitude = magnitude >> 3;
        let code = if magnitude < 32 {
            (magnitude >> 1) as u8
        } else {
            let exponent = 31 - (magnitude as u32).leading_zeros();
            // Segment 1 begins at 32, which is bit 5.
            let segment = exponent - 4;
            let mantissa = (magnitude >> (exponent - 4)) & 0x0f;
            ((segment << 4) as u8) | mantissa as u8
        };
        (code | sign) ^ 0x55
    }

    pub fn decode(code: u8) -> i16 {
        let code = code ^ 0x55;
        let (segment, mantissa) = (u32::from(code >> 4 & 7), i32::from(code & 0x0f));
        let magnitude = match segment {
            0 => (mantissa << 4) + 8,
            _ => ((mantissa << 4) + 0x108) << (segment - 1),
        };
        (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
    }

    #[test]
    fn every_code_decodes_and_encodes_to_itself() {
        for code in 0..=255_u8 {
            assert_eq!(encode(decode(code)), code, "{code:#x} is {}", decode(code));
        }
    }
}

/// A WAV file of 16-bit PCM: one vector of samples a channel, and the rate.
pub fn read_wav(path: &Path) -> (Vec<Vec<f32>>, u32) {
    let mut reader = hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let mut out = vec![Vec::new(); channels];
    for (n, sample) in reader.samples::<i16>().enumerate() {
        // A file that is cut while it is being written ends early; what is there counts.
        let Ok(sample) = sample else { break };
        out[n % channels].push(f32::from(sample));
    }
    (out, spec.sample_rate)
}

/// Where `part` is found in `whole`, and how like it is there: normalised cross-correlation, −1 to 1, and the offset in samples.
///
/// First by the loudness of 5 ms blocks, then sample by sample around the best places: exact, and quick without a transform.
pub fn find(part: &[f32], whole: &[f32]) -> (f64, usize) {
    const BLOCK: usize = 40;
    const PLACES: usize = 12;
    if part.len() < BLOCK * 10 || whole.len() < part.len() {
        return (0.0, 0);
    }
    let envelope = |s: &[f32]| -> Vec<f32> {
        let loud: Vec<f32> = s
            .chunks_exact(BLOCK)
            .map(|c| (c.iter().map(|x| x * x).sum::<f32>() / BLOCK as f32).sqrt())
            .collect();
        let mean = loud.iter().sum::<f32>() / loud.len() as f32;
        loud.into_iter().map(|x| x - mean).collect()
    };
    let (small, large) = (envelope(part), envelope(whole));
    let mut places: Vec<(f64, usize)> = (0..=large.len() - small.len())
        .map(|at| (likeness(&small, &large[at..at + small.len()]), at * BLOCK))
        .collect();
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best = (-1.0, 0);
    for &(_, near) in places.iter().take(PLACES) {
        let first = near.saturating_sub(2 * BLOCK);
        let last = (near + 2 * BLOCK).min(whole.len() - part.len());
        for at in first..=last {
            let here = likeness(part, &whole[at..at + part.len()]);
            if here > best.0 {
                best = (here, at);
            }
        }
    }
    best
}

/// Correlation of two stretches of the same length.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

#[test]
fn a_part_is_found_where_it_stands_and_noise_is_not() {
    let mut state = 7_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 32_768.0 - 1.0
    };
    let voice: Vec<f32> =
        (0..8_000).map(|n| noise() * ((n / 700) as f32 * 1.7).sin().abs() * 1_000.0).collect();
    let mut whole: Vec<f32> = (0..24_000).map(|_| noise() * 50.0).collect();
    for (n, v) in voice.iter().enumerate() {
        whole[9_137 + n] += v;
    }
    let (like, at) = find(&voice, &whole);
    assert!(like > 0.95 && at == 9_137, "{like} at {at}");
    let other: Vec<f32> = (0..8_000).map(|_| noise() * 1_000.0).collect();
    assert!(find(&other, &whole).0 < 0.3);
}
