//! 系统中断: sheets of paper that are written while the system is down, numbered when they were printed. Each is entered afterwards,
//! as one ticket with the time that stands on it, or is void; one that is neither is missing.

/// Characters before the digits.
const SERIES_MAX: usize = 12;
/// Digits of a sheet.
const DIGITS_MAX: usize = 6;

/// A sheet's number as it is printed: 纸-0001.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sheet {
    /// What stands before the digits: 纸-.
    pub series: String,
    pub n: u32,
}

impl Sheet {
    /// `None`: no number of a sheet. Leading zeros and full-width digits make no other sheet of it.
    pub fn read(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().map(narrow).collect();
        let series = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &text[series.len()..];
        let fine = |c: char| c.is_alphabetic() || matches!(c, '-' | '/' | '.');
        let long = series.chars().count();
        ((1..=SERIES_MAX).contains(&long)
            && series.chars().all(fine)
            && (1..=DIGITS_MAX).contains(&digits.len()))
        .then(|| Some(Self { series: series.to_owned(), n: digits.parse().ok().filter(|n| *n > 0)? }))?
    }
}

impl std::fmt::Display for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:04}", self.series, self.n)
    }
}

/// What a Chinese keyboard makes of digits and dashes.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xff10 + 0x30).unwrap_or(c),
        '－' | '—' | '–' => '-',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_the_same_however_it_is_typed() {
        let first = Sheet { series: "纸-".into(), n: 1 };
        for text in ["纸-0001", " 纸-1 ", "纸－０００１", "纸—01"] {
            assert_eq!(Sheet::read(text), Some(first.clone()), "{text}");
        }
        assert_eq!(first.to_string(), "纸-0001");
        assert_eq!(Sheet::read("A/123456").map(|sheet| sheet.to_string()).as_deref(), Some("A/123456"));
        for text in [
            "",
            "0001",
            "纸-",
            "纸-0000",
            "纸-1234567",
            "纸 1",
            "纸-1号",
            "一二三四五六七八九十一二三1",
            "纸;1",
        ] {
            assert_eq!(Sheet::read(text), None, "{text}");
        }
    }
}
