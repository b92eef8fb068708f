//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), read as far as a user agent needs them.

use super::{Host, Malformed, Params, find_outside};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Sip,
    Sips,
    Tel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    pub scheme: Scheme,
    /// As written, `%` escapes kept; for `tel:` the number. Empty when there is none.
    pub user: &'a str,
    /// Not of `tel:`.
    pub host: Option<Host<'a>>,
    pub port: Option<u16>,
    pub params: Params<'a>,
    /// Behind `?`: headers a sender asks us to add. Never obeyed.
    pub headers: &'a str,
}

impl<'a> Uri<'a> {
    /// A bare URI, without angle brackets.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (scheme, rest) = text.split_once(':').ok_or(Malformed("URI without a scheme"))?;
        let scheme = match scheme {
            s if s.eq_ignore_ascii_case("sip") => Scheme::Sip,
            s if s.eq_ignore_ascii_case("sips") => Scheme::Sips,
            s if s.eq_ignore_ascii_case("tel") => Scheme::Tel,
            // RFC 4475 §3.1.2.9: what is no scheme at all is bad, not unknown.
            s if s.contains(['<', '"', ' ']) => return Err(Malformed("bad URI scheme")),
            _ => return Err(Malformed("unknown URI scheme")),
        };
        if rest.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | 0x7f)) {
            return Err(Malformed("bad character in a URI"));
        }
        if scheme == Scheme::Tel {
            let (number, params) = split_params(rest);
            if number.is_empty() {
                return Err(Malformed("tel URI without a number"));
            }
            let params = Params::parse(params)?;
            return Ok(Self { scheme, user: number, host: None, port: None, params, headers: "" });
        }
        // The last @ before the host: a user part may hold `;` and `?` but no bare @.
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (user.split(':').next().unwrap_or(""), rest),
            None => ("", rest),
        };
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, params) = split_params(rest);
        let (host, port) = Host::with_port(place)?;
        Ok(Self { scheme, user, host: Some(host), port, params: Params::parse(params)?, headers })
    }

    /// The user part without escapes and without its own parameters (`+8610…;phone-context=…`).
    pub fn user_plain(&self) -> Cow<'a, str> {
        unescape(self.user.split(';').next().unwrap_or(""))
    }
    pub fn is_loose_router(&self) -> bool {
        self.params.has("lr")
    }
    pub fn is_tcp(&self) -> bool {
        self.params.token("transport").is_some_and(|t| t.eq_ignore_ascii_case("tcp"))
    }
}

fn split_params(text: &str) -> (&str, &str) {
    match find_outside(text, b";", false) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

/// Resolves `%hh`; an escape that is none stays as it is. What is not UTF-8 then is replaced.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        // Two hexadecimal digits: the number reader alone would take a sign for one.
        let hex = text
            .get(at + 1..at + 3)
            .filter(|h| bytes[at] == b'%' && h.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_uri() {
        let u = Uri::parse("sip:12341;phone-context=cn:pw@[2001:db8::1]:5070;transport=TCP;lr?Subject=x")
            .unwrap();
        assert_eq!((u.user_plain().as_ref(), u.port, u.headers), ("12341", Some(5070), "Subject=x"));
        assert!(u.is_tcp() && u.is_loose_router());
        let u = Uri::parse("tel:+86-10-12345678;phone-context=x").unwrap();
        assert_eq!((u.scheme, u.user), (Scheme::Tel, "+86-10-12345678"));
        assert_eq!(Uri::parse("SIP:a.example").unwrap().user, "");
        assert_eq!(Uri::parse("sip:%31%32341@a").unwrap().user_plain(), "12341");
    }

    #[test]
    fn what_is_no_uri() {
        for bad in [
            "",
            "sip:",
            "sip",
            "http:a",
            "sip:a b@c",
            "sip:a@",
            "sip:a@b:99999",
            "tel:",
            "sip:a@b;x=",
            "sip:<a>@b",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }

    /// `rsip` reads what we read, where its grammar is as wide.
    #[test]
    fn a_second_reader_agrees() {
        for text in ["sip:12341@192.0.2.1:5070", "sip:12341@example.cn;transport=tcp", "sips:a@b.cn"] {
            let ours = Uri::parse(text).unwrap();
            let theirs = rsip::Uri::try_from(text).unwrap();
            assert_eq!(theirs.user(), Some(ours.user));
            assert_eq!(theirs.host_with_port.port.map(|p| *p.value()), ours.port);
        }
    }

    #[test]
    fn escapes() {
        for (text, want) in [
            ("a%20b", "a b"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%+5", "%+5"),
            ("%e4%b8%ad", "中"),
            ("%中", "%中"),
        ] {
            assert_eq!(unescape(text), want);
        }
    }
}
