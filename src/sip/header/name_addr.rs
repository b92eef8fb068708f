//! `name-addr` and `addr-spec` (RFC 3261 §25.1): From, To, Contact, Route, identity headers.

use super::{Malformed, Params, find_outside, is_quoted, trim, unquote};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// As written, perhaps quoted.
    display: &'a str,
    /// The URI's text, without brackets.
    pub uri: &'a str,
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    pub fn parse(value: &'a str) -> Result<Self, Malformed> {
        let value = trim(value);
        let Some(open) = find_outside(value, b"<", false) else {
            // Without brackets, parameters belong to the header (RFC 3261 §20.10).
            let (uri, params) = match value.find(';') {
                Some(at) => value.split_at(at),
                None => (value, ""),
            };
            let uri = trim(uri);
            if uri.is_empty() || uri.contains(['"', ' ', '\t', '>']) {
                return Err(Malformed("bad address"));
            }
            return Ok(Self { display: "", uri, params: Params::parse(params)? });
        };
        let display = trim(&value[..open]);
        if display.starts_with('"') && !is_quoted(display) {
            return Err(Malformed("quoted name not closed"));
        }
        if !display.starts_with('"') && display.contains(['"', '>', ';']) {
            return Err(Malformed("bad display name"));
        }
        let rest = &value[open + 1..];
        let close = rest.find('>').ok_or(Malformed("address not closed"))?;
        let uri = trim(&rest[..close]);
        if uri.is_empty() {
            return Err(Malformed("empty address"));
        }
        Ok(Self { display, uri, params: Params::parse(&rest[close + 1..])? })
    }

    /// The name people see, without its quotes.
    pub fn display(&self) -> Cow<'a, str> {
        unquote(self.display)
    }
    pub fn tag(&self) -> Option<&'a str> {
        self.params.token("tag")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let a = NameAddr::parse(r#" "A \"B\" <x>" <sip:a@b;lr>;tag=1 "#).unwrap();
        assert_eq!((a.display().as_ref(), a.uri, a.tag()), (r#"A "B" <x>"#, "sip:a@b;lr", Some("1")));
        let a = NameAddr::parse("sip:a@b;tag=2").unwrap();
        assert_eq!((a.uri, a.tag()), ("sip:a@b", Some("2")));
        let a = NameAddr::parse("王 小明<tel:+86>").unwrap();
        assert_eq!((a.display().as_ref(), a.tag()), ("王 小明", None));
        for bad in
            ["", "<", "<>", "\"a <sip:b>", "a\" <sip:b>", "<sip:a", "sip:a b", "<sip:a>x", "\"a\"b\" <sip:c>"]
        {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }
}
