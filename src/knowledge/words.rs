//! Chinese without a dictionary: text becomes pairs of characters, and a table of the district says which words mean the same.

use serde::Deserialize;

const SHIPPED: &str = include_str!("../../district/kb-words.json");

/// A single character counts for this much beside pairs and words.
const SINGLE: f32 = 0.25;

/// A pair of characters, one alone, or a word of letters and digits, as one number.
pub(super) type Term = u64;

/// Which words mean the same, and which mean nothing here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Each group's words stand for each other.
    same: Vec<Vec<String>>,
    /// Said in every call: taken out of a question.
    noise: Vec<String>,
}

impl Words {
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let mut words: Self = serde_json::from_str(text)?;
        // The longest first: 怎么办理 is not 怎么办 and a rest.
        words.noise.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        Ok(words)
    }

    /// The one the program carries; a test reads it.
    pub fn shipped() -> Self {
        Self::read(SHIPPED).unwrap_or_default()
    }

    /// A question without what every caller says; as it was when nothing else is in it.
    pub(super) fn quiet(&self, plain: &str) -> String {
        let mut text = plain.to_owned();
        for word in &self.noise {
            if text.contains(word.as_str()) {
                text = text.replace(word.as_str(), " ");
            }
        }
        if text.trim().is_empty() { plain.to_owned() } else { text }
    }

    /// The other words of every group of which one is in `plain`.
    pub(super) fn others<'a>(&'a self, plain: &'a str) -> impl Iterator<Item = &'a str> {
        let named = |group: &&Vec<String>| group.iter().any(|word| plain.contains(word.as_str()));
        self.same
            .iter()
            .filter(named)
            .flat_map(|group| group.iter())
            .map(String::as_str)
            .filter(|word| !plain.contains(word))
    }

    /// What is left of a question whichever way it is asked: two with the same rest are the same.
    pub fn bare(&self, question: &str) -> String {
        self.quiet(&plain(question)).chars().filter(|c| !c.is_whitespace()).collect()
    }
}

/// Small letters, half-width, blanks for everything that is neither letter nor digit.
pub fn plain(text: &str) -> String {
    let one = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(' '),
        c => c,
    };
    let text = text.chars().map(one).flat_map(char::to_lowercase);
    text.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect()
}

/// The terms of a plain text with their weights, in order, repeated as often as they occur.
pub(super) fn terms(plain: &str, mut tell: impl FnMut(Term, f32)) {
    let mut before: Option<char> = None;
    let mut word: Option<u64> = None;
    for c in plain.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            // FNV-1a; the top bit keeps words apart from characters. Two words that meet cost a wrong hit, not a wrong answer.
            word = Some((word.unwrap_or(0xcbf2_9ce4_8422_2325) ^ c as u64).wrapping_mul(0x0100_0000_01b3));
            before = None;
            continue;
        }
        if let Some(hash) = word.take() {
            tell(hash | 1 << 63, 1.0);
        }
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        tell((c as u64) << 32, SINGLE);
        if let Some(left) = before {
            tell((left as u64) << 32 | c as u64, 1.0);
        }
        before = Some(c);
    }
}

/// A character alone says too little to be found by.
pub(super) const fn is_single(term: Term) -> bool {
    term >> 63 == 0 && term & 0xffff_ffff == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> (usize, usize) {
        let (mut singles, mut others) = (0, 0);
        terms(&plain(text), |term, _| if is_single(term) { singles += 1 } else { others += 1 });
        (singles, others)
    }

    #[test]
    fn text_becomes_pairs_and_words() {
        assert_eq!(counted("暖气不热"), (4, 3));
        assert_eq!(
            counted("打12345，暖气"),
            (3, 2),
            "a word and a pair; nothing reaches over a comma or a number"
        );
        assert_eq!(counted("１２３４５ ABC abc"), (0, 3));
        assert_eq!(counted("，。 "), (0, 0));
        let mut seen = Vec::new();
        terms(&plain("ＡＢＣ abc"), |term, _| seen.push(term));
        assert_eq!(seen[0], seen[1], "full width and capitals are the same word");
    }

    #[test]
    fn the_shipped_table_reads_and_each_word_is_in_one_group() {
        let words = Words::read(SHIPPED).unwrap();
        let mut all: Vec<&String> = words.same.iter().flatten().collect();
        let count = all.len();
        assert!(words.same.iter().all(|group| group.len() > 1) && count > 100, "{count}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "a word in two groups");
        assert!(words.same.iter().flatten().chain(&words.noise).all(|word| plain(word) == *word));
    }

    #[test]
    fn the_same_question_is_known_in_other_words_around_it() {
        let words = Words::shipped();
        assert_eq!(words.bare("请问，居住证怎么办理？"), words.bare("居住证怎么办理"));
        assert_ne!(words.bare("居住证怎么办理"), words.bare("身份证怎么办理"));
    }

    #[test]
    fn a_question_of_nothing_but_noise_stays() {
        let words = Words::shipped();
        assert!(!words.quiet("请问").trim().is_empty());
        assert_eq!(words.quiet("请问暖气").trim(), "暖气");
    }
}
