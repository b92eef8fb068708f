//! G.711 (ITU-T G.711, 1988): A-law and µ-law to 16-bit samples and back, by table.

use super::seam::Codec;

/// Samples, and bytes, of one 20 ms frame at 8,000 Hz.
pub const FRAME: usize = 160;

/// One sample of 16 bits as one byte.
pub fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => to_alaw(sample),
        Codec::Pcmu => to_ulaw(sample),
    }
}

/// One byte as one sample of 16 bits.
pub fn decode(codec: Codec, byte: u8) -> i16 {
    table(codec)[usize::from(byte)]
}

/// All 256 bytes of a codec as samples.
pub fn table(codec: Codec) -> &'static [i16; 256] {
    match codec {
        Codec::Pcma => &ALAW,
        Codec::Pcmu => &ULAW,
    }
}

/// The byte of the quietest level.
pub const fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcma => 0xD5,
        Codec::Pcmu => 0xFF,
    }
}

/// Whole sounds, at load.
pub fn encode_all(codec: Codec, samples: &[i16]) -> Box<[u8]> {
    samples.iter().map(|sample| encode(codec, *sample)).collect()
}

static ALAW: [i16; 256] = tabulate(true);
static ULAW: [i16; 256] = tabulate(false);

const fn tabulate(alaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if alaw { from_alaw(byte as u8) } else { from_ulaw(byte as u8) };
        byte += 1;
    }
    table
}

/// Table 1a of G.711, 13 bits left-justified in 16.
const fn from_alaw(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = ((byte >> 4) & 7, (byte & 0x0F) as i16);
    let size = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if byte & 0x80 != 0 { size } else { -size }
}

/// Table 2a of G.711, 14 bits left-justified in 16.
const fn from_ulaw(byte: u8) -> i16 {
    let byte = !byte;
    let size = ((((byte & 0x0F) as i16) << 3) + ULAW_BIAS) << ((byte >> 4) & 7);
    if byte & 0x80 != 0 { ULAW_BIAS - size } else { size - ULAW_BIAS }
}

const ULAW_BIAS: i16 = 0x84;

fn to_alaw(sample: i16) -> u8 {
    let (sign, size) = if sample >= 0 { (0x80, sample) } else { (0, !sample) };
    let segment = (16 - (size >> 8).leading_zeros()).min(7) as u8;
    let step = if segment == 0 { size >> 4 } else { size >> (segment + 3) } as u8 & 0x0F;
    (sign | (segment << 4) | step) ^ 0x55
}

fn to_ulaw(sample: i16) -> u8 {
    let (sign, size) = if sample < 0 { (0x80, -i32::from(sample)) } else { (0, i32::from(sample)) };
    // The largest the eighth segment holds.
    let size = size.min(32_635) + i32::from(ULAW_BIAS);
    // The bias puts the highest bit at 7 or above: 7 is segment 0, 14 is segment 7.
    let segment = (size.ilog2() - 7).min(7) as u8;
    let step = (size >> (segment + 3)) as u8 & 0x0F;
    !(sign | (segment << 4) | step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_as_itself() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for byte in 0..=255 {
                let again = encode(codec, decode(codec, byte));
                // µ-law has two zeros.
                let same = again == byte || (codec == Codec::Pcmu && byte == 0x7F && again == 0xFF);
                assert!(same, "{codec:?} {byte:#x} → {} → {again:#x}", decode(codec, byte));
            }
        }
    }

    #[test]
    fn the_nearest_level_is_taken() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for sample in i16::MIN..=i16::MAX {
                let got = i32::from(decode(codec, encode(codec, sample)));
                // Half a step of the segment: 1/32 of the size, at least half the smallest step.
                let bound = (i32::from(sample).abs() / 32 + 8).max(8) + 4;
                let bound = if i32::from(sample).abs() > 32_000 { 800 } else { bound };
                assert!((got - i32::from(sample)).abs() <= bound, "{codec:?} {sample} → {got}");
            }
        }
    }

    #[test]
    fn the_known_values_of_the_tables() {
        for (codec, byte, sample) in [
            (Codec::Pcma, 0xD5, 8),
            (Codec::Pcma, 0x55, -8),
            (Codec::Pcma, 0xAA, 32_256),
            (Codec::Pcma, 0x2A, -32_256),
            (Codec::Pcmu, 0xFF, 0),
            (Codec::Pcmu, 0x80, 32_124),
            (Codec::Pcmu, 0x00, -32_124),
        ] {
            assert_eq!(decode(codec, byte), sample, "{codec:?} {byte:#x}");
        }
        assert_eq!(encode(Codec::Pcma, 0), silence(Codec::Pcma));
        assert_eq!(encode(Codec::Pcmu, 0), silence(Codec::Pcmu));
    }
}
