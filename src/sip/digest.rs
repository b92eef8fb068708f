//! Digest authentication (RFC 7616, RFC 8760) both ways, with nonces that need no memory.
//!
//! A nonce is the time it was made and a keyed hash of that time and of the asker's address: we know our own again, and
//! one made for another address is worth nothing.

use super::header::{AuthParams, AuthScheme};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl std::str::FromStr for Algorithm {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::read(Some(name)).ok_or(())
    }
}

impl Algorithm {
    /// The best first: the order in which we challenge (RFC 8760 §2.4).
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
    /// None said means MD5. `None`: one we don't know.
    pub fn read(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Md5),
            Some(n) if n.eq_ignore_ascii_case("MD5") => Some(Self::Md5),
            Some(n) if n.eq_ignore_ascii_case("SHA-256") => Some(Self::Sha256),
            Some(_) => None,
        }
    }
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// What a response is computed from (RFC 7616 §3.4.1).
#[derive(Clone, Copy, Debug)]
pub struct Secret<'a> {
    pub user: &'a str,
    pub realm: &'a str,
    pub password: &'a str,
}

/// `qop`: nonce count and cnonce with `qop=auth`; without it the form of RFC 2069.
pub fn response(
    algorithm: Algorithm,
    secret: Secret<'_>,
    method: &str,
    uri: &str,
    nonce: &str,
    qop: Option<(&str, &str)>,
) -> String {
    let who = algorithm.hash(&[secret.user, secret.realm, secret.password]);
    let what = algorithm.hash(&[method, uri]);
    match qop {
        Some((count, cnonce)) => algorithm.hash(&[&who, nonce, count, cnonce, "auth", &what]),
        None => algorithm.hash(&[&who, nonce, &what]),
    }
}

/// How long a nonce of ours is good for.
pub const NONCE_LIFE: Duration = Duration::from_secs(60);

/// A nonce for `source` at `now` (since any fixed beginning).
pub fn nonce(key: &[u8; 32], now: Duration, source: IpAddr) -> String {
    let at = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    format!("{at:016x}{}", hex(&stamp(key, at, source)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    Good,
    /// Ours, but too old: `stale=true`.
    Stale,
    Strange,
}

pub fn check_nonce(key: &[u8; 32], now: Duration, source: IpAddr, text: &str) -> Nonce {
    let Some((at, mark)) = text.split_at_checked(16) else { return Nonce::Strange };
    let Ok(at) = u64::from_str_radix(at, 16) else { return Nonce::Strange };
    if !same(hex(&stamp(key, at, source)).as_bytes(), mark.as_bytes()) {
        return Nonce::Strange;
    }
    let age = now.saturating_sub(Duration::from_millis(at));
    if age <= NONCE_LIFE { Nonce::Good } else { Nonce::Stale }
}

fn stamp(key: &[u8; 32], at: u64, source: IpAddr) -> [u8; 16] {
    // A key of any length fits HMAC; of this length it always does.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 16] };
    mac.update(&at.to_be_bytes());
    mac.update(&match source.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    });
    let mut short = [0; 16];
    short.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    short
}

/// The same work whether they differ early or late.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}"); // Writing into a String cannot fail.
        text
    })
}

/// Our answer to a challenge: the value of an Authorization header. `None`: another scheme, algorithm, qop or realm.
pub fn answer(
    challenge: &str,
    user: &str,
    password: &str,
    wanted_realm: Option<&str>,
    method: &str,
    uri: &str,
    cnonce: &str,
) -> Option<String> {
    let params = AuthParams::parse(challenge).ok()?;
    if params.scheme != AuthScheme::Digest {
        return None;
    }
    let realm = params.get("realm")?;
    if wanted_realm.is_some_and(|wanted| *wanted != *realm) {
        return None; // Credentials go to their own realm only (`attacks.md` S16).
    }
    let algorithm = Algorithm::read(params.get("algorithm").as_deref())?;
    let nonce = params.get("nonce")?;
    let qop = match params.get("qop") {
        None => false,
        Some(list) if list.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
        Some(_) => return None,
    };
    const COUNT: &str = "00000001";
    let secret = Secret { user, realm: &realm, password };
    let proof = response(algorithm, secret, method, uri, &nonce, qop.then_some((COUNT, cnonce)));
    let (user, realm, nonce) = (quoted(user), quoted(&realm), quoted(&nonce));
    let mut line = format!(
        "Digest username={user}, realm={realm}, nonce={nonce}, uri=\"{uri}\", response=\"{proof}\", algorithm={}",
        algorithm.name()
    );
    if qop {
        line.push_str(&format!(", qop=auth, nc={COUNT}, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = params.get("opaque") {
        line.push_str(&format!(", opaque={}", quoted(&opaque)));
    }
    Some(line)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616 §3.9.1.
    #[test]
    fn the_standards_own_example() {
        let secret = Secret { user: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life" };
        let qop = Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let of = |algorithm| response(algorithm, secret, "GET", "/dir/index.html", nonce, qop);
        assert_eq!(of(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(of(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn a_nonce_is_for_one_address_and_one_minute() {
        let (key, a, b) = ([7; 32], "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let text = nonce(&key, Duration::from_secs(100), a);
        let check = |s: u64, from| check_nonce(&key, Duration::from_secs(s), from, &text);
        assert_eq!(check(160, a), Nonce::Good);
        assert_eq!(check(161, a), Nonce::Stale);
        assert_eq!(check(100, b), Nonce::Strange);
        assert_eq!(check_nonce(&[8; 32], Duration::from_secs(100), a, &text), Nonce::Strange);
        for bad in ["", "0", "王王王王王王王王", &text[..40], &text.replace('0', "1")] {
            assert_eq!(check_nonce(&key, Duration::from_secs(100), a, bad), Nonce::Strange, "{bad}");
        }
    }

    #[test]
    fn challenges_answered_and_not() {
        let ask = |challenge| answer(challenge, "me", "secret", Some("ims.cn"), "INVITE", "sip:1@a", "abc");
        let line = ask(
            "Digest realm=\"ims.cn\", nonce=\"n\", qop=\"auth-int,auth\", opaque=\"o\", algorithm=SHA-256",
        )
        .unwrap();
        assert!(
            line.contains("algorithm=SHA-256, qop=auth, nc=00000001") && line.contains("opaque=\"o\""),
            "{line}"
        );
        assert!(ask("Digest realm=\"ims.cn\", nonce=\"n\"").unwrap().contains("algorithm=MD5"));
        for no in [
            "Digest realm=\"other\", nonce=\"n\"",
            "Digest realm=\"ims.cn\"",
            "Basic realm=\"ims.cn\"",
            "Digest realm=\"ims.cn\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"ims.cn\", nonce=n, algorithm=AKAv1-MD5",
            "Digest",
        ] {
            assert_eq!(ask(no), None, "{no}");
        }
    }
}
