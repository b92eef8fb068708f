//! Texts about persons as they stand in a record: sealed under their call's key.

use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

/// Each text of a record has its own nonce: the record's position and the field's number in it.
fn nonce(seq: u64, field: u32) -> Nonce {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&seq.to_le_bytes());
    bytes[8..].copy_from_slice(&field.to_le_bytes());
    bytes.into()
}

pub(super) fn seal(cipher: &ChaCha20Poly1305, seq: u64, field: u32, text: &str) -> Vec<u8> {
    // It fails only for texts of more than 256 GiB.
    cipher.encrypt(&nonce(seq, field), text.as_bytes()).unwrap_or_default()
}

pub(super) fn unseal(cipher: &ChaCha20Poly1305, seq: u64, field: u32, sealed: &[u8]) -> Option<String> {
    String::from_utf8(cipher.decrypt(&nonce(seq, field), sealed).ok()?).ok()
}
