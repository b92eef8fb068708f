//! Via (RFC 3261 §20.42, rport: RFC 3581).

use super::{Host, Malformed, Params, number, trim};
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`… as written.
    pub transport: &'a str,
    pub host: Host<'a>,
    pub port: Option<u16>,
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// One value. Blanks may stand around the slashes, semicolons and equals signs.
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let bad = Malformed("bad Via");
        let (protocol, rest) = value.split_once('/').ok_or(bad)?;
        let (version, rest) = rest.split_once('/').ok_or(bad)?;
        if !trim(protocol).eq_ignore_ascii_case("SIP") || trim(version) != "2.0" {
            return Err(bad);
        }
        let rest = trim(rest);
        let (transport, rest) = rest.split_once([' ', '\t']).ok_or(bad)?;
        if !super::is_token(transport) {
            return Err(bad);
        }
        let (sent_by, params) = match rest.find(';') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = Host::with_port(sent_by)?;
        Ok(Self { transport, host, port, params: Params::parse(params)? })
    }
    /// The part an answer needs: everything before the parameters.
    pub fn is_answerable(value: &str) -> bool {
        Via::parse(value.split(';').next().unwrap_or("")).is_ok()
    }
    pub fn branch(&self) -> Option<&'a str> {
        self.params.token("branch")
    }
    /// A branch in the form of RFC 3261 identifies the transaction alone; the bare cookie does not (RFC 4475 §3.1.2.19).
    pub fn rfc3261_branch(&self) -> Option<&'a str> {
        let branch = self.branch()?;
        let cookie = branch.get(..7).is_some_and(|c| c.eq_ignore_ascii_case("z9hG4bK"));
        (cookie && branch.len() > 7).then_some(branch)
    }
    pub fn received(&self) -> Option<IpAddr> {
        Host::parse(self.params.token("received")?).ok()?.ip()
    }
    /// `Some(None)`: asked for. `Some(Some(port))`: filled in by the server.
    pub fn rport(&self) -> Option<Option<u16>> {
        match self.params.raw("rport")? {
            None => Some(None),
            Some(text) => number(text).ok().and_then(|n| u16::try_from(n).ok()).map(Some),
        }
    }
    /// The port to answer to when there is no rport.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.transport.eq_ignore_ascii_case("TLS") { 5061 } else { 5060 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_are_right() {
        let v = Via::parse("SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8 ;rport")
            .unwrap();
        assert_eq!((v.transport, v.branch(), v.rport()), ("TCP", Some("z9hG4bK9ikj8"), Some(None)));
        let v =
            Via::parse("SIP/2.0/UDP [2001:db8::9:1]:5070;received=2001:db8::9:255;rport=5099;branch=z9hG4bK")
                .unwrap();
        assert_eq!(v.host.to_string(), "[2001:db8::9:1]");
        assert_eq!((v.port, v.rport()), (Some(5070), Some(Some(5099))));
        assert_eq!(v.received(), "2001:db8::9:255".parse().ok());
        assert_eq!(v.rfc3261_branch(), None, "only the cookie");
        assert_eq!(Via::parse("SIP/2.0/UDP a;received=[::1]").unwrap().received(), "::1".parse().ok());
    }

    #[test]
    fn forms_that_are_not() {
        for bad in [
            "",
            "SIP",
            "SIP/2.0",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/1.0/UDP a",
            "HTTP/2.0/UDP a",
            "SIP/2.0/UDP a:99999",
            "SIP/2.0/UDP a;;branch=b",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP [::1;branch=x",
            "SIP/2.0/UDP a;branch=\"x",
        ] {
            assert!(Via::parse(bad).is_err(), "{bad}");
        }
        assert!(Via::is_answerable("SIP/2.0/UDP 192.0.2.15;;,;,,"));
        assert!(!Via::is_answerable("SIP/2.0/UDP ;branch=x"));
    }
}
