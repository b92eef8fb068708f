//! `;name=value` parameters, as they follow URIs, addresses and Via.

use super::{Malformed, find_outside, is_quoted, is_token, trim, unquote};
use std::borrow::Cow;

/// The text behind the first `;`, checked once. Names compare without case; the first of equal names counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// `text` is empty or starts with `;`.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(Self(""));
        }
        let mut rest = text.strip_prefix(';').ok_or(Malformed("parameters without a semicolon"))?;
        let all = rest;
        loop {
            let (one, next) = match find_outside(rest, b";", false) {
                Some(at) => (&rest[..at], Some(&rest[at + 1..])),
                None => (rest, None),
            };
            check(one)?;
            match next {
                // One semicolon too many at the very end is a habit of some phones and hides nothing.
                Some(next) if trim(next).is_empty() => {
                    return Ok(Self(trim(&all[..all.len() - next.len() - 1])));
                }
                Some(next) => rest = next,
                None => return Ok(Self(all)),
            }
        }
    }

    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (one, next) = match find_outside(rest, b";", false) {
                Some(at) => (&rest[..at], &rest[at + 1..]),
                None => (rest, ""),
            };
            rest = next;
            Some(divide(one))
        })
    }
    /// The value as it stands; `Some(None)` for a name without a value.
    pub fn raw(self, name: &str) -> Option<Option<&'a str>> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
    pub fn has(self, name: &str) -> bool {
        self.raw(name).is_some()
    }
    /// The value, unquoted.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).flatten().map(unquote)
    }
    /// A value that is a token: what tags and branches are.
    pub fn token(self, name: &str) -> Option<&'a str> {
        self.raw(name).flatten()
    }
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

fn divide(one: &str) -> (&str, Option<&str>) {
    match one.split_once('=') {
        Some((name, value)) => (trim(name), Some(trim(value))),
        None => (trim(one), None),
    }
}

fn check(one: &str) -> Result<(), Malformed> {
    let (name, value) = divide(one);
    // RFC 3261 allows brackets and a few more in URI parameters (`param-unreserved`), escapes too.
    let fits = is_token(name)
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>=,".contains(&b)));
    if !fits {
        return Err(Malformed("bad parameter name"));
    }
    match value {
        None => Ok(()),
        Some("") => Err(Malformed("parameter without its value")),
        Some(value) if value.starts_with('"') => {
            if is_quoted(value) {
                Ok(())
            } else {
                Err(Malformed("quoted string not closed"))
            }
        }
        Some(value) if value.contains(['"', '<', '>', ' ', '\t']) => Err(Malformed("bad parameter value")),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_with_blanks_quotes_and_flags() {
        let p = Params::parse(" ; tag = a1 ;lr; text=\"x;y\\\"\" ;TAG=second;").unwrap();
        assert_eq!(p.get("Tag").as_deref(), Some("a1"));
        assert_eq!(p.raw("lr"), Some(None));
        assert_eq!(p.get("text").as_deref(), Some("x;y\""));
        assert_eq!(p.iter().count(), 4);
        assert!(!p.has("x"));
        assert_eq!(Params::parse("").unwrap().iter().count(), 0);
    }

    #[test]
    fn what_is_refused() {
        for bad in ["x", ";;", ";a;;b", ";=1", ";a=", ";a=\"b", ";a=b c", ";a b", ";a=\"b\"c", ";,;", "; ;"] {
            assert!(Params::parse(bad).is_err(), "{bad}");
        }
    }
}
