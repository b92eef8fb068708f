//! What is wrong with a flow, and where: all of it at once, in the author's own words.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// Counted from 1; columns in characters.
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

/// Every problem of a set of files, by file and place. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            let end = if n + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "{problem}{end}")?;
        }
        Ok(())
    }
}

/// The name that was probably meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    // A name of quite another length needs no look at its letters.
    let near = names.into_iter().filter(|name| {
        let other = name.chars().count();
        other.abs_diff(letters) * 5 <= other.max(letters) * 2
    });
    let scored = near.map(|name| (strsim::damerau_levenshtein(word, name), name));
    let (distance, name) = scored.min_by(|a, b| a.cmp(b))?;
    let longest = letters.max(name.chars().count());
    (distance > 0 && distance * 5 <= longest * 2).then_some(name)
}

/// `, did you mean "x"?`, or nothing.
pub(super) fn hint<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, names).map(|name| format!(", did you mean \"{name}\"?")).unwrap_or_default()
}

/// Where each line of a text begins, found once: a file with many faults has each place told without another search.
#[derive(Clone, Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// Line and column of a byte offset of the same text.
    pub fn place(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = if text.is_char_boundary(offset) { offset } else { text.len() };
        let line = self.0.partition_point(|start| *start <= offset);
        let start = self.0.get(line - 1).copied().unwrap_or_default();
        (line, text[start..offset].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        assert_eq!(nearest("welcom", ["people", "welcome"]), Some("welcome"));
        assert_eq!(nearest("pepole", ["people", "welcome"]), Some("people"));
        assert_eq!(nearest("xyz", ["people", "welcome"]), None);
        assert_eq!(nearest("people", ["people"]), None);
    }

    #[test]
    fn places_are_counted_in_characters() {
        let text = "一二\n三四\n";
        let lines = Lines::of(text);
        let places =
            [(0, (1, 1)), (3, (1, 2)), (6, (1, 3)), (7, (2, 1)), (10, (2, 2)), (14, (3, 1)), (99, (3, 1))];
        for (offset, place) in places {
            assert_eq!(lines.place(text, offset), place, "{offset}");
        }
    }
}
