//! What is wrong with a configuration, and where: one line for each problem, all of them at once.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a problem was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and column in the file, both counted from 1; columns in characters.
    At { file: PathBuf, line: usize, column: usize },
    /// The file as a whole: missing, unreadable.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Place {
    /// The place of a byte offset in `text`.
    pub fn of(file: &Path, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::At { file: file.to_path_buf(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Problem {
    pub place: Place,
    /// One line, with the words the author wrote and what would be right.
    pub what: String,
}

/// Every problem of one configuration, in the order of the file, the environment last. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// `, did you mean "x"?` when something known is close enough to be a slip of the finger.
pub fn suggestion<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> String {
    known
        .map(|k| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= (k.chars().count().max(3) / 3) || k.starts_with(wrong))
        .min()
        .map(|(_, k)| format!(", did you mean \"{k}\"?"))
        .unwrap_or_default()
}
