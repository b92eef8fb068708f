//! Who it is: HMAC-SHA256 by a shared secret over the time and the body, as with the units' webhooks.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header: `t=<seconds since 1970>,v1=<hex>`.
pub const SIGNATURE: &str = "Hotline-Signature";

/// Why a message is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("no signature, or none that can be read")]
    Missing,
    #[error("the signature's time is too far from ours")]
    Stale,
    #[error("the signature is another")]
    Wrong,
}

fn mac(secret: &str, seconds: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    // Any length is a key; an empty one is nobody's.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok().filter(|_| !secret.is_empty())?;
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The header's value for a body.
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("t={seconds},v1=");
    for byte in mac(secret, seconds, body).map(|mac| mac.finalize().into_bytes()).into_iter().flatten() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether whoever has the secret has signed this body within `window_s` of now, before or after.
pub fn verify(
    secret: &str,
    header: Option<&str>,
    body: &[u8],
    now_s: i64,
    window_s: i64,
) -> Result<(), Unsigned> {
    let (time, hex) = header
        .and_then(|text| text.trim().strip_prefix("t=")?.split_once(",v1="))
        .ok_or(Unsigned::Missing)?;
    let seconds: i64 = time.parse().map_err(|_| Unsigned::Missing)?;
    let given = bytes(hex).ok_or(Unsigned::Missing)?;
    let mac = mac(secret, seconds, body).ok_or(Unsigned::Wrong)?;
    // In constant time, and before anything is said about the clock.
    mac.verify_slice(&given).map_err(|_| Unsigned::Wrong)?;
    if seconds.abs_diff(now_s) > window_s.unsigned_abs() {
        return Err(Unsigned::Stale);
    }
    Ok(())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_any_other_hmac_gives() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            sign("secret", 1_700_000_000, b"{\"a\":1}"),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }

    #[test]
    fn only_who_has_the_secret_is_believed_and_only_now() {
        let good = sign("secret", 1_000, b"body");
        let judged = |secret, header: Option<&str>, body: &[u8], now| verify(secret, header, body, now, 300);
        for (secret, header, body, now, want) in [
            ("secret", Some(&*good), &b"body"[..], 1_000, Ok(())),
            ("secret", Some(&*good), b"body", 1_300, Ok(())),
            ("secret", Some(&*good), b"body", 700, Ok(())),
            ("secret", Some(&*good), b"body", 1_301, Err(Unsigned::Stale)),
            ("secret", Some(&*good), b"body", 699, Err(Unsigned::Stale)),
            ("secret", Some(&*good), b"bodY", 1_000, Err(Unsigned::Wrong)),
            ("Secret", Some(&*good), b"body", 1_000, Err(Unsigned::Wrong)),
            ("", Some(&*sign("", 1_000, b"body")), b"body", 1_000, Err(Unsigned::Missing)),
            ("secret", None, b"body", 1_000, Err(Unsigned::Missing)),
            ("secret", Some("v1=00"), b"body", 1_000, Err(Unsigned::Missing)),
            ("secret", Some("t=1000,v1=zz"), b"body", 1_000, Err(Unsigned::Missing)),
            ("secret", Some(&*good.replace("t=1000", "t=1001")), b"body", 1_000, Err(Unsigned::Wrong)),
        ] {
            assert_eq!(judged(secret, header, body, now), want, "{secret} {header:?} {now}");
        }
    }
}
