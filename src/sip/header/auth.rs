//! Challenges and credentials (RFC 3261 §20.7, RFC 7616): a scheme and its parameters, divided by commas.

use super::{Malformed, find_outside, is_quoted, is_token, trim, unquote};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Digest,
    Other,
}

/// Checked once as a whole; a parameter that stands twice makes it ambiguous and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthParams<'a> {
    pub scheme: Scheme,
    text: &'a str,
}

impl<'a> AuthParams<'a> {
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let (scheme, text) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        let scheme = if scheme.eq_ignore_ascii_case("Digest") { Scheme::Digest } else { Scheme::Other };
        let this = Self { scheme, text: trim(text) };
        if scheme == Scheme::Digest {
            this.check()?;
        }
        Ok(this)
    }

    fn check(self) -> Result<(), Malformed> {
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in self.iter() {
            let value = value.ok_or(Malformed("credentials: parameter without its value"))?;
            let fits = if value.starts_with('"') { is_quoted(value) } else { is_token(value) };
            if !is_token(name) || !fits {
                return Err(Malformed("credentials: bad parameter"));
            }
            if seen.iter().any(|s| s.eq_ignore_ascii_case(name)) {
                return Err(Malformed("credentials: a parameter twice"));
            }
            if seen.len() >= 32 {
                return Err(Malformed("credentials: too many parameters"));
            }
            seen.push(name);
        }
        Ok(())
    }

    fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (one, next) = match find_outside(rest, b",", false) {
                    Some(at) => (&rest[..at], &rest[at + 1..]),
                    None => (rest, ""),
                };
                rest = next;
                let one = trim(one);
                if !one.is_empty() {
                    return Some(match one.split_once('=') {
                        Some((name, value)) => (trim(name), Some(trim(value))),
                        None => (one, None),
                    });
                }
            }
            None
        })
    }

    /// Unquoted.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, v)| v).map(unquote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_any_form() {
        let a = AuthParams::parse(r#"digest realm="a, \"b\"" ,nonce=xyz, qop="auth,auth-int",,"#).unwrap();
        assert_eq!(a.get("REALM").as_deref(), Some("a, \"b\""));
        assert_eq!(a.get("qop").as_deref(), Some("auth,auth-int"));
        assert_eq!(a.get("none"), None);
        assert_eq!(AuthParams::parse("Basic abc==").unwrap().scheme, Scheme::Other);
    }

    /// `attacks.md` S3.
    #[test]
    fn twenty_broken_credentials() {
        for bad in [
            "Digest realm",
            "Digest realm=",
            "Digest realm=\"",
            "Digest realm=\"a",
            "Digest realm=\"a\\\"",
            "Digest =a",
            "Digest realm=a b",
            "Digest realm=a;nonce=b",
            "Digest realm=a,realm=b",
            "Digest realm=\"a\"b",
            "Digest \"a\"=b",
            "Digest a=b, c",
            "Digest nonce=<a>",
            "Digest nonce=a@b",
            "Digest n=\"\\",
            "Digest re alm=a",
            "Digest a==b",
            "Digest a=b,A=c",
            "Digest a=\u{7f}",
            "Digest 王=a",
        ] {
            assert!(AuthParams::parse(bad).is_err(), "{bad}");
        }
        let bare = AuthParams::parse("Digest").unwrap();
        assert_eq!(bare.get("realm"), None);
    }
}
