//! Values of header fields, each read when somebody asks for it.
//!
//! A reader takes one value as [`crate::sip::message::Message`] hands it out: a single line of valid UTF-8, already cut
//! out of a comma list. It borrows; nothing is copied but what has to be unescaped. What does not fit is [`Malformed`],
//! which says what was wrong in words fit for a Reason phrase or a log line.
//!
//! To add a header: its name in `name.rs` (and to the lists there), a small file with a reader and its table of tests.
//!
//! `rsip`'s types are not used for reading: of this list they refuse or lose IPv6 hosts, `\"` in display names, URI
//! headers and white space that RFC 3261 allows. `uri.rs` has the way over to `rsip::Uri` for who needs one.

mod auth;
mod cseq;
mod host;
mod identity;
mod name;
mod name_addr;
mod number;
mod params;
mod reason;
mod refer;
mod timer;
mod uri;
mod via;

pub use auth::{AuthParams, Scheme as AuthScheme};
pub use cseq::{CSeq, RAck};
pub use host::Host;
pub use identity::{Diverted, History, diversion, history, number_in, privacy};
pub use name::HeaderName;
pub use name_addr::NameAddr;
pub use number::{number, number_of, retry_after};
pub use params::Params;
pub use reason::{Protocol, Reason};
pub use refer::Replaces;
pub use timer::{Refresher, SessionExpires, min_se};
pub use uri::{Scheme, Uri, unescape};
pub use via::Via;

/// A value that its grammar does not allow, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// RFC 3261 §25.1 `token`.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

pub(crate) const fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// White space inside a line.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The position of the first of `wanted` outside quoted strings (and outside `<…>` when `angles`), from the beginning.
pub(crate) fn find_outside(text: &str, wanted: &[u8], angles: bool) -> Option<usize> {
    let (mut quoted, mut inside, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            _ if !inside && wanted.contains(&byte) => return Some(at),
            b'"' if !inside => quoted = true,
            b'<' if angles => inside = true,
            b'>' if angles => inside = false,
            _ => {}
        }
    }
    None
}

/// The values of one line of a list header.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: &'a str,
    divider: u8,
}

impl<'a> Values<'a> {
    pub(crate) const fn of(line: &'a str, divider: u8) -> Self {
        Self { rest: line, divider }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;
    /// Empty elements are passed over.
    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let (value, rest) = match find_outside(self.rest, &[self.divider], true) {
                Some(at) => (&self.rest[..at], &self.rest[at + 1..]),
                None => (self.rest, ""),
            };
            self.rest = rest;
            let value = trim(value);
            if !value.is_empty() {
                return Some(value);
            }
        }
        None
    }
}

/// The inside of a quoted string, unescaped, or the text itself when it is not quoted.
pub(crate) fn unquote(text: &str) -> std::borrow::Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { return text.into() };
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            c => plain.push(c),
        }
    }
    plain.into()
}

/// Is this exactly one quoted string, closed at its end?
pub(crate) fn is_quoted(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('"') else { return false };
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1 == rest.len(),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_divide_outside_quotes_and_brackets() {
        let line = r#" "Bell, A. \" <" <sip:a,b@c> ;q=1, , <sip:d@e;x="1,2">,tel:+86"#;
        let got: Vec<_> = Values::of(line, b',').collect();
        assert_eq!(got, [r#""Bell, A. \" <" <sip:a,b@c> ;q=1"#, r#"<sip:d@e;x="1,2">"#, "tel:+86"]);
        assert_eq!(Values::of(" , ,", b',').count(), 0);
        assert_eq!(Values::of("\"never, closed", b',').collect::<Vec<_>>(), ["\"never, closed"]);
    }

    #[test]
    fn quoted_strings_lose_their_escapes_once() {
        assert_eq!(unquote(r#""a\"b\\c""#), r#"a"b\c"#);
        assert_eq!(unquote("plain"), "plain");
        assert!(is_quoted(r#""a\"""#));
        for not in ["", "\"", "\"a", "\"a\"b", r#""a\""#] {
            assert!(!is_quoted(not), "{not}");
        }
    }
}
