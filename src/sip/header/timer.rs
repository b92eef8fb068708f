//! Session-Expires and Min-SE (RFC 4028 §4, §5).

use super::{Malformed, Params, number, number_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds.
    pub s: u32,
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let (s, params) = match value.find(';') {
            Some(at) => value.split_at(at),
            None => (value, ""),
        };
        let refresher = match Params::parse(params)?.token("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Ok(Self { s: number(s)?, refresher })
    }
}

/// Seconds.
pub fn min_se(value: &str) -> Result<u32, Malformed> {
    number_of(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_refreshers() {
        let read = |text| SessionExpires::parse(text).map(|s| (s.s, s.refresher));
        assert_eq!(read("1800 ; Refresher=UAC"), Ok((1800, Some(Refresher::Uac))));
        assert_eq!(read("90;refresher=uas;x"), Ok((90, Some(Refresher::Uas))));
        assert_eq!(read("90;refresher=both"), Ok((90, None)));
        assert!(read("x").is_err() && read("").is_err());
    }
}
