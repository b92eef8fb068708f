//! One record's frame: length, CRC-32C, position, kind, version, stamps, body.

/// Bytes before the part that length and checksum cover.
pub const HEAD: usize = 8;
/// Position, kind, version, two stamps.
const FIXED: usize = 8 + 2 + 2 + 8 + 8;
/// Largest record: a call's two session descriptions and its headers are far below.
pub const LARGEST: usize = 1024 * 1024;

/// Stands in the version of a group's first record.
pub(super) const FIRST: u16 = 0x8000;

/// A record as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Position in the node's journal, from 1.
    pub seq: u64,
    pub kind: u16,
    pub version: u16,
    /// The first of its group: everything before it in its segment is on the disk.
    pub first: bool,
    /// Nanoseconds of the boot's monotone clock.
    pub mono_ns: u64,
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    pub body: &'a [u8],
}

/// What bytes at some place are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole record and the bytes it takes.
    Frame(Frame<'a>, usize),
    /// The beginning of one that is not whole: a torn tail, or a write in progress.
    Short,
    /// No record; when the length is believable, so many bytes may be skipped.
    Damaged { skip: Option<usize> },
}

/// Reads the record that begins at the first byte.
pub fn read(bytes: &[u8]) -> Found<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Found::Short };
    let length = u32::from_le_bytes(*length) as usize;
    if !(FIXED..=LARGEST).contains(&length) {
        return Found::Damaged { skip: None };
    }
    let Some((crc, rest)) = rest.split_first_chunk::<4>() else { return Found::Short };
    let Some(covered) = rest.get(..length) else { return Found::Short };
    if crc32c::crc32c(covered) != u32::from_le_bytes(*crc) {
        return Found::Damaged { skip: Some(HEAD + length) };
    }
    // `covered` has at least FIXED bytes.
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| covered[at + i]));
    let u16_at = |at: usize| u16::from_le_bytes([covered[at], covered[at + 1]]);
    let frame = Frame {
        seq: u64_at(0),
        kind: u16_at(8),
        version: u16_at(10) & !FIRST,
        first: u16_at(10) & FIRST != 0,
        mono_ns: u64_at(12),
        wall_ms: u64_at(20) as i64,
        body: &covered[FIXED..],
    };
    Found::Frame(frame, HEAD + length)
}

/// The kind of the record that begins at the first byte, if it is one at all.
#[cfg(feature = "full")]
pub(super) fn kind(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(HEAD + 8)?, *bytes.get(HEAD + 9)?]))
}

/// Begins a record at the end of `out`; write the body, then [`end`].
pub fn begin(out: &mut Vec<u8>, seq: u64, kind: u16, version: u16, mono_ns: u64, wall_ms: i64) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&mono_ns.to_le_bytes());
    out.extend_from_slice(&wall_ms.to_le_bytes());
    at
}

/// Fills in length and checksum of the record begun at `at`.
pub fn end(out: &mut [u8], at: usize) {
    let length = (out.len() - at - HEAD) as u32;
    let crc = crc32c::crc32c(&out[at + HEAD..]);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    out[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_flipped_bit_is_found() {
        let mut bytes = Vec::new();
        let at = begin(&mut bytes, 7, 3, 1 | FIRST, 99, -5);
        bytes.extend_from_slice(b"body");
        end(&mut bytes, at);
        let whole =
            Frame { seq: 7, kind: 3, version: 1, first: true, mono_ns: 99, wall_ms: -5, body: b"body" };
        assert_eq!(read(&bytes), Found::Frame(whole, bytes.len()));
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Found::Short, "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(read(&bad), Found::Frame(..)), "bit {bit}");
        }
    }
}
