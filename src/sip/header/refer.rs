//! Replaces (RFC 3891): the dialog a new INVITE wants to take over.

use super::{Malformed, Params, trim};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    pub call_id: &'a str,
    pub to_tag: &'a str,
    pub from_tag: &'a str,
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// Both tags must be there (`attacks.md` S21).
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let bad = Malformed("bad Replaces");
        let (call_id, params) = value.split_at(value.find(';').ok_or(bad)?);
        let params = Params::parse(params)?;
        let call_id = trim(call_id);
        if call_id.is_empty() {
            return Err(bad);
        }
        Ok(Self {
            call_id,
            to_tag: params.token("to-tag").ok_or(bad)?,
            from_tag: params.token("from-tag").ok_or(bad)?,
            early_only: params.has("early-only"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tags_or_nothing() {
        let r = Replaces::parse("a@b;from-tag=1;to-tag=2;early-only").unwrap();
        assert_eq!((r.call_id, r.from_tag, r.to_tag, r.early_only), ("a@b", "1", "2", true));
        for bad in ["", "a", "a;from-tag=1", "a;to-tag=1", ";from-tag=1;to-tag=2"] {
            assert!(Replaces::parse(bad).is_err(), "{bad}");
        }
    }
}
