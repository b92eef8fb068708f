//! A host as it stands in URIs and Via: name, IPv4, or IPv6 in brackets.

use super::{Malformed, number};
use std::net::{IpAddr, Ipv6Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// Brackets around IPv6 may be missing (`received=` of older stacks).
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(Malformed("IPv6 address not closed"))?;
            return inner
                .parse::<Ipv6Addr>()
                .map(|ip| Self::Ip(ip.into()))
                .map_err(|_| Malformed("bad IPv6 address"));
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || c == ':' || c.is_ascii_hexdigit())
            && let Ok(ip) = text.parse::<IpAddr>()
        {
            return Ok(Self::Ip(ip));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            return Err(Malformed("bad host"));
        }
        Ok(Self::Name(text))
    }
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(ip),
            Self::Name(_) => None,
        }
    }
    /// `host [":" port]`, blanks around the colon allowed as Via has them.
    pub fn with_port(text: &'a str) -> Result<(Self, Option<u16>), Malformed> {
        let text = super::trim(text);
        let colon = match text.strip_prefix('[') {
            Some(rest) => {
                let close = rest.find(']').ok_or(Malformed("IPv6 address not closed"))? + 2;
                let after = super::trim(&text[close..]);
                match after.strip_prefix(':') {
                    _ if after.is_empty() => None,
                    Some(_) => text[close..].find(':').map(|at| at + close),
                    None => return Err(Malformed("bad port")),
                }
            }
            None => text.find(':'),
        };
        let Some(colon) = colon else { return Ok((Self::parse(text)?, None)) };
        let host = Self::parse(super::trim(&text[..colon]))?;
        let port = number(&text[colon + 1..]).ok().and_then(|n| u16::try_from(n).ok());
        Ok((host, Some(port.ok_or(Malformed("bad port"))?)))
    }
}

impl std::fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (text, want) in [
            ("192.0.2.1", Some("192.0.2.1 None")),
            ("192.0.2.1:5060", Some("192.0.2.1 Some(5060)")),
            ("[2001:db8::9:1]", Some("[2001:db8::9:1] None")),
            ("[2001:db8::9:1] : 5061", Some("[2001:db8::9:1] Some(5061)")),
            ("sbc_1.example.cn : 5060", Some("sbc_1.example.cn Some(5060)")),
            ("face.example", Some("face.example None")),
            ("a:0", Some("a Some(0)")),
            ("a:65535", Some("a Some(65535)")),
            ("a:65536", None),
            ("a:00000000000000000000000000005060", Some("a Some(5060)")),
            ("a:", None),
            ("a:x", None),
            ("", None),
            (":5060", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[nothing]", None),
            ("a b", None),
            ("a@b", None),
        ] {
            let got = Host::with_port(text).ok().map(|(h, p)| format!("{h} {p:?}"));
            assert_eq!(got.as_deref(), want, "{text:?}");
        }
        assert_eq!(Host::parse("2001:db8::1").unwrap().to_string(), "[2001:db8::1]");
    }
}
