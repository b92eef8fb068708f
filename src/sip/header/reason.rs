//! Reason (RFC 3326): why a request was sent.

use super::{Malformed, Params, number, trim};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Sip,
    /// ITU-T Q.850 causes.
    Q850,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    pub protocol: Protocol,
    pub cause: Option<u16>,
}

impl Reason {
    /// One value of the list.
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let (protocol, params) = match value.find(';') {
            Some(at) => value.split_at(at),
            None => (value, ""),
        };
        let protocol = match trim(protocol) {
            p if p.eq_ignore_ascii_case("SIP") => Protocol::Sip,
            p if p.eq_ignore_ascii_case("Q.850") => Protocol::Q850,
            _ => Protocol::Other,
        };
        let cause = Params::parse(params)?
            .token("cause")
            .and_then(|c| number(c).ok())
            .and_then(|n| u16::try_from(n).ok());
        Ok(Self { protocol, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes() {
        let r = Reason::parse("Q.850 ;cause=16;text=\"Terminated; done\"").unwrap();
        assert_eq!(r, Reason { protocol: Protocol::Q850, cause: Some(16) });
        assert_eq!(Reason::parse("SIP").unwrap().cause, None);
        assert_eq!(Reason::parse("SIP;cause=99999").unwrap().cause, None);
        assert!(Reason::parse("SIP;text=\"open").is_err());
    }
}
