//! Who really calls, and by which way the call came: P-Asserted-Identity and Privacy (RFC 3325, 3323), Diversion
//! (RFC 5806), History-Info (RFC 7044).

use super::{Malformed, NameAddr, Params, Uri, number};

/// A number that sent the call on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverted {
    pub number: String,
    /// `unconditional`, `no-answer`, `user-busy`…; empty when not said.
    pub reason: String,
}

/// One step of a call's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub number: String,
    /// The cause that sent it on (RFC 4458 §4.2), or of the Reason header inside the URI.
    pub cause: Option<u16>,
}

/// The number in an address of any form.
pub fn number_in(value: &str) -> Result<String, Malformed> {
    let address = NameAddr::parse(value)?;
    Ok(Uri::parse(address.uri)?.user_plain().into_owned())
}

pub fn diversion(value: &str) -> Result<Diverted, Malformed> {
    let address = NameAddr::parse(value)?;
    let number = Uri::parse(address.uri)?.user_plain().into_owned();
    Ok(Diverted { number, reason: address.params.get("reason").unwrap_or_default().into_owned() })
}

pub fn history(value: &str) -> Result<History, Malformed> {
    let address = NameAddr::parse(value)?;
    let uri = Uri::parse(address.uri)?;
    let param = uri.params.token("cause");
    let inside = uri.headers.split('&').find_map(|h| {
        let (name, value) = h.split_once('=')?;
        name.eq_ignore_ascii_case("Reason").then(|| super::unescape(value).into_owned())
    });
    let inside = inside.and_then(|reason| {
        let at = reason.find(';')?;
        Params::parse(&reason[at..]).ok()?.token("cause").map(str::to_owned)
    });
    let cause =
        param.or(inside.as_deref()).and_then(|text| number(text).ok()).and_then(|n| u16::try_from(n).ok());
    Ok(History { number: uri.user_plain().into_owned(), cause })
}

/// Privacy values, lower case; they are divided by semicolons.
pub fn privacy(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split([';', ',']).map(|v| super::trim(v).to_ascii_lowercase()).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_form() {
        for (value, want) in [
            ("<tel:+8613800000000>", "+8613800000000"),
            ("\"W\" <sip:12000000001@carrier.example;user=phone>", "12000000001"),
            ("sip:12000000002@a", "12000000002"),
        ] {
            assert_eq!(number_in(value).as_deref(), Ok(want));
        }
        let d = diversion("<sip:12345@a>;reason=\"no-answer\";counter=1").unwrap();
        assert_eq!((d.number.as_str(), d.reason.as_str()), ("12345", "no-answer"));
    }

    #[test]
    fn causes_of_history() {
        let h = history("<sip:12345@a;cause=302>;index=1.1").unwrap();
        assert_eq!((h.number.as_str(), h.cause), ("12345", Some(302)));
        let h = history("<sip:12345@a?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1").unwrap();
        assert_eq!(h.cause, Some(486));
        assert_eq!(history("<sip:12345@a>;index=1").unwrap().cause, None);
        assert_eq!(privacy("ID; critical ;").collect::<Vec<_>>(), ["id", "critical"]);
    }
}
