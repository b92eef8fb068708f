//! CSeq (RFC 3261 §20.16) and RAck (RFC 3262 §7.2).

use super::{Malformed, is_token, number};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2³¹.
    pub n: u32,
    pub method: &'a str,
}

impl<'a> CSeq<'a> {
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let (n, method) = value.split_once([' ', '\t']).ok_or(Malformed("bad CSeq"))?;
        let (n, method) = (number(n)?, super::trim(method));
        if n > 0x7fff_ffff {
            return Err(Malformed("CSeq out of range"));
        }
        if !is_token(method) {
            return Err(Malformed("bad CSeq"));
        }
        Ok(Self { n, method })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    pub rseq: u32,
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let (rseq, rest) = value.split_once([' ', '\t']).ok_or(Malformed("bad RAck"))?;
        Ok(Self { rseq: number(rseq)?, cseq: CSeq::parse(super::trim(rest))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_methods() {
        assert_eq!(CSeq::parse("0009  INVITE"), Ok(CSeq { n: 9, method: "INVITE" }));
        assert_eq!(CSeq::parse("2147483647 ACK").map(|c| c.n), Ok(0x7fff_ffff));
        for bad in [
            "",
            "1",
            "2147483648 INVITE",
            "36893488147419103232 REGISTER",
            "-1 INVITE",
            "1 IN VITE",
            "x INVITE",
        ] {
            assert!(CSeq::parse(bad).is_err(), "{bad}");
        }
        let rack = RAck::parse("776656 1 INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq.n), (776_656, 1));
        assert!(RAck::parse("776656 1").is_err());
    }
}
