//! Random numbers and words for streams and connections.

use super::RtcError;

fn bytes<const N: usize>() -> Result<[u8; N], RtcError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RtcError::NoRandom)?;
    Ok(bytes)
}

pub(super) fn number() -> Result<u32, RtcError> {
    Ok(u32::from_be_bytes(bytes()?))
}

/// `length` (at most 64) characters of ICE's alphabet; 6 random bits each.
pub(super) fn word(length: usize) -> Result<String, RtcError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let random = bytes::<64>()?;
    Ok(random[..length.min(64)].iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect())
}
