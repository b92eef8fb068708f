//! Numbers in headers: any digits may come, 32 bits are taken (`attacks.md` S5).

use super::{Malformed, trim};

/// `1*DIGIT` as a `u32`. Leading zeros are fine, signs, blanks inside and larger values are not.
pub fn number(text: &str) -> Result<u32, Malformed> {
    let text = trim(text);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Malformed("not a number"));
    }
    text.bytes()
        .try_fold(0_u32, |n, b| n.checked_mul(10)?.checked_add(u32::from(b - b'0')))
        .ok_or(Malformed("number out of range"))
}

/// A number that may be followed by parameters, as in `Session-Expires: 90;refresher=uac`.
pub fn number_of(text: &str) -> Result<u32, Malformed> {
    number(text.split(';').next().unwrap_or(""))
}

/// Retry-After in seconds (RFC 3261 §20.33): comments and parameters are passed over.
pub fn retry_after(text: &str) -> Result<u32, Malformed> {
    number(text.split([';', '(']).next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_number() {
        for (text, want) in [
            ("0", Ok(0)),
            (" 0068\t", Ok(68)),
            ("4294967295", Ok(u32::MAX)),
            ("4294967296", Err(Malformed("number out of range"))),
            ("", Err(Malformed("not a number"))),
            ("-1", Err(Malformed("not a number"))),
            ("+1", Err(Malformed("not a number"))),
            ("1 2", Err(Malformed("not a number"))),
            ("٣", Err(Malformed("not a number"))),
        ] {
            assert_eq!(number(text), want, "{text:?}");
        }
        assert_eq!(retry_after("18000;duration=3600"), Ok(18000));
        assert_eq!(retry_after("120 (in a meeting)"), Ok(120));
        assert_eq!(number_of("90 ;refresher=uac"), Ok(90));
    }

    proptest! {
        #[test]
        fn any_digits_are_a_number_or_out_of_range(digits in "[0-9]{1,40}") {
            let exact = digits.parse::<u128>().ok().and_then(|n| u32::try_from(n).ok());
            prop_assert_eq!(number(&digits).ok(), exact);
        }
    }
}
