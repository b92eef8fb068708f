//! Looking for tickets: what somebody typed is a number, a telephone number, or words. Chinese without a dictionary: a text becomes the
//! pairs of its neighbouring characters, and is found by the pairs of the question in a row.

use std::fmt::Write as _;

/// Shortest and longest question, in characters.
pub const LEAST: usize = 2;
pub const MOST: usize = 40;
/// A beginning of an official number has at least so many digits: its day.
const NUMBER_LEAST: usize = 6;

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// An official number, or its beginning.
    Number(String),
    /// A telephone number, or an official one.
    Digits(String),
    /// All of these, each a row of neighbouring terms.
    Words(Vec<Vec<String>>),
}

/// Small letters, half-width; `None` for what is neither letter nor digit.
fn plain(c: char) -> Option<char> {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0)?,
        c => c,
    };
    // No letter that is searched for has a small form of two characters.
    let c = c.to_lowercase().next()?;
    c.is_alphanumeric().then_some(c)
}

/// Stretches of Chinese as pairs, words of letters and digits as they are.
fn runs(text: &str) -> Vec<Vec<String>> {
    let (mut runs, mut chinese, mut word) = (Vec::new(), Vec::<char>::new(), String::new());
    for c in text.chars().map(plain).chain([None]) {
        let latin = c.filter(char::is_ascii_alphanumeric);
        if latin.is_none() && !word.is_empty() {
            runs.push(vec![std::mem::take(&mut word)]);
        }
        if (latin.is_some() || c.is_none()) && !chinese.is_empty() {
            runs.push(pairs(&chinese));
            chinese.clear();
        }
        match (c, latin) {
            (_, Some(c)) => word.push(c),
            (Some(c), None) => chinese.push(c),
            (None, None) => {}
        }
    }
    runs
}

fn pairs(run: &[char]) -> Vec<String> {
    if run.len() == 1 {
        return vec![run.iter().collect()];
    }
    run.windows(2).map(|pair| pair.iter().collect()).collect()
}

/// The terms of a text in their order, blanks between.
pub fn terms<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut out = String::new();
    for term in texts.into_iter().flatten().flat_map(runs).flatten() {
        let _ = write!(out, "{}{term}", if out.is_empty() { "" } else { " " });
    }
    out
}

/// `None`: too short, too long, or nothing in it that can be looked for.
pub fn read(text: &str) -> Option<Sought> {
    let text = text.trim();
    if !(LEAST..=MOST).contains(&text.chars().count()) {
        return None;
    }
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if digits.len() >= NUMBER_LEAST && digits.bytes().all(|b| b.is_ascii_digit()) {
        let mobile = digits.len() == 11 || digits.starts_with('0') || digits.len() < 10;
        return Some(if mobile { Sought::Digits(digits) } else { Sought::Number(digits) });
    }
    let runs = runs(text);
    (!runs.is_empty()).then_some(Sought::Words(runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        match read(text) {
            Some(Sought::Words(runs)) => runs.iter().map(|run| run.join(" ")).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_is_found_by_any_of_its_parts() {
        let text = terms([Some("暖气不热，室温15度"), None, Some("ＫＢ-２ 号楼")]);
        assert_eq!(text, "暖气 气不 不热 室温 15 度 kb 2 号楼");
        assert_eq!(words("暖气"), ["暖气"]);
        assert_eq!(words("气不热"), ["气不 不热"]);
        assert_eq!(words("室温15度"), ["室温", "15", "度"]);
        assert_eq!(words("KB 号楼"), ["kb", "号楼"]);
    }

    #[test]
    fn digits_are_numbers() {
        assert_eq!(read("261123000018"), Some(Sought::Number("261123000018".into())));
        assert_eq!(read("120 0000 0001"), Some(Sought::Digits("12000000001".into())));
        assert_eq!(read("010-0000 1234"), Some(Sought::Digits("01000001234".into())));
        assert_eq!(read("261123"), Some(Sought::Digits("261123".into())), "a day, or a short number");
        assert_eq!(words("15 度"), ["15", "度"]);
    }

    #[test]
    fn what_says_nothing_finds_nothing() {
        for text in ["", "热", "  ", "，。", "%_", "'\""] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&"热".repeat(41)), None);
    }
}
