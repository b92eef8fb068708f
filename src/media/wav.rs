//! WAV files read from bytes: PCM of 8, 16, 24 or 32 bits, floats, A-law, µ-law. Chunk sizes that lie are caught (`attacks.md` M13).

use super::g711;
use super::seam::Codec;

/// A sound of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// The mean of all channels.
    pub samples: Vec<i16>,
    /// Longest stretch of samples at the very end of the scale; from [`CLIPPED`] up it is heard as distortion.
    pub clipped_run: u32,
}

/// So many samples in a row at full scale are a sound cut off by its maker.
pub const CLIPPED: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("not a WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    #[error("cut off: a chunk says it is longer than the file")]
    Cut,
    #[error("no fmt chunk before the sound")]
    NoFormat,
    #[error("no data chunk")]
    NoData,
    #[error("encoding {tag} with {bits} bits a sample is not one we read")]
    Encoding { tag: u16, bits: u16 },
    #[error("{0} channels")]
    Channels(u16),
    #[error("{0} samples a second")]
    Rate(u32),
    #[error("longer than ten minutes, or larger than 256 MiB")]
    TooLong,
}

/// Longest sound, seconds, and largest file, bytes.
const MAX_S: u64 = 600;
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Chunks looked at before the sound; more is an attack.
const MAX_CHUNKS: usize = 64;

#[derive(Clone, Copy)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

/// Reads a whole file. Work and memory are linear in its length.
pub fn read(bytes: &[u8]) -> Result<Sound, Bad> {
    if bytes.len() > MAX_BYTES {
        return Err(Bad::TooLong);
    }
    if bytes.get(..4) != Some(b"RIFF".as_slice()) || bytes.get(8..12) != Some(b"WAVE".as_slice()) {
        return Err(Bad::NotWav);
    }
    let mut rest = &bytes[12..];
    let mut format = None;
    for _ in 0..MAX_CHUNKS {
        let Some((head, body)) = rest.split_at_checked(8) else { break };
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"fmt " => format = Some(read_format(body.get(..length).ok_or(Bad::Cut)?)?),
            b"data" => {
                let format = format.ok_or(Bad::NoFormat)?;
                return samples(format, body.get(..length).ok_or(Bad::Cut)?);
            }
            _ => {}
        }
        // Chunks stand on even places.
        rest = body.get(length + (length & 1)..).unwrap_or_default();
    }
    Err(if format.is_some() { Bad::NoData } else { Bad::NoFormat })
}

fn read_format(body: &[u8]) -> Result<Format, Bad> {
    let word = |at: usize| Some(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let (Some(mut tag), Some(channels), Some(low), Some(high), Some(bits)) =
        (word(0), word(2), word(4), word(6), word(14))
    else {
        return Err(Bad::Cut);
    };
    // WAVE_FORMAT_EXTENSIBLE names the real one in the first two bytes of its GUID.
    if tag == 0xFFFE {
        tag = word(24).ok_or(Bad::Cut)?;
    }
    let rate = u32::from(high) << 16 | u32::from(low);
    if !(1..=8).contains(&channels) {
        return Err(Bad::Channels(channels));
    }
    if !(4_000..=192_000).contains(&rate) {
        return Err(Bad::Rate(rate));
    }
    Ok(Format { tag, channels, rate, bits })
}

fn samples(format: Format, body: &[u8]) -> Result<Sound, Bad> {
    let Format { tag, channels, rate, bits } = format;
    let (width, one): (usize, fn(&[u8]) -> i16) = match (tag, bits) {
        (1, 8) => (1, |b| (i16::from(b[0]) - 128) << 8),
        (1, 16) => (2, |b| i16::from_le_bytes([b[0], b[1]])),
        (1, 24) => (3, |b| i16::from_le_bytes([b[1], b[2]])),
        (1, 32) => (4, |b| i16::from_le_bytes([b[2], b[3]])),
        (3, 32) => (4, |b| (f32::from_le_bytes([b[0], b[1], b[2], b[3]]) * 32_768.0) as i16),
        (6, 8) => (1, |b| g711::decode(Codec::Pcma, b[0])),
        (7, 8) => (1, |b| g711::decode(Codec::Pcmu, b[0])),
        _ => return Err(Bad::Encoding { tag, bits }),
    };
    let frame = width * usize::from(channels);
    let count = body.len() / frame;
    if count as u64 > MAX_S * u64::from(rate) {
        return Err(Bad::TooLong);
    }
    let mut samples = Vec::with_capacity(count);
    let (mut run, mut longest) = (0, 0);
    for frame in body.chunks_exact(frame) {
        let sum: i32 = frame.chunks_exact(width).map(|b| i32::from(one(b))).sum();
        let loud = frame.chunks_exact(width).any(|b| matches!(one(b), i16::MAX | i16::MIN));
        run = if loud { run + 1 } else { 0 };
        longest = longest.max(run);
        samples.push((sum / i32::from(channels)) as i16);
    }
    Ok(Sound { rate, samples, clipped_run: longest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVEJUNK\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        out.extend(tag.to_le_bytes());
        out.extend(channels.to_le_bytes());
        out.extend(rate.to_le_bytes());
        out.extend([0; 6]);
        out.extend(bits.to_le_bytes());
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out
    }

    #[test]
    fn every_encoding_gives_the_same_sound() {
        let want = [0i16, 16_128, -16_128];
        for (tag, bits, data) in [
            (1, 16, want.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>()),
            (1, 24, want.iter().flat_map(|s| [0, s.to_le_bytes()[0], s.to_le_bytes()[1]]).collect()),
            (1, 8, want.iter().map(|s| ((s >> 8) + 128) as u8).collect()),
            (3, 32, want.iter().flat_map(|s| (f32::from(*s) / 32_768.0).to_le_bytes()).collect()),
        ] {
            assert_eq!(read(&file(tag, 1, 8_000, bits, &data)).unwrap().samples, want, "{tag} {bits}");
        }
        let alaw = read(&file(6, 1, 8_000, 8, &[0xD5, 0xAA])).unwrap().samples;
        assert_eq!(alaw, [8, 32_256]);
    }

    #[test]
    fn channels_are_averaged_and_full_scale_is_noticed() {
        let sound = read(&file(1, 2, 16_000, 16, &[100, 0, 200, 0, 0xFF, 0x7F, 0xFF, 0x7F])).unwrap();
        assert_eq!(sound, Sound { rate: 16_000, samples: vec![150, 32_767], clipped_run: 1 });
        assert_eq!(read(&file(1, 1, 8_000, 16, &[0xFF, 0x7F].repeat(9))).unwrap().clipped_run, 9);
    }

    #[test]
    fn files_that_lie_are_refused() {
        let good = file(1, 1, 8_000, 16, &[0; 320]);
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        for (tag, channels, rate, bits, want) in [
            (1, 0, 8_000, 16, Bad::Channels(0)),
            (1, 1, 0, 16, Bad::Rate(0)),
            (1, 1, 8_000, 12, Bad::Encoding { tag: 1, bits: 12 }),
            (0x55, 1, 8_000, 16, Bad::Encoding { tag: 0x55, bits: 16 }),
        ] {
            assert_eq!(read(&file(tag, channels, rate, bits, &[0; 4])), Err(want));
        }
        let mut endless = good.clone();
        let at = endless.windows(4).position(|w| w == b"data").unwrap();
        endless[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&endless), Err(Bad::Cut));
        assert_eq!(read(b"RIFF\0\0\0\0WAVE"), Err(Bad::NoFormat));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), head in 0..3usize) {
            let prefix = [&b""[..], b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\0\0\0\0\0\0\x10\0data"][head];
            bytes.splice(0..0, prefix.iter().copied());
            let _ = read(&bytes);
        }
    }
}
