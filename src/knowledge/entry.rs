//! What an entry says: one version of its text, and what is wrong with a text before anybody reviews it.

use jiff::civil::Date;

/// What is read aloud takes half a minute at most (domain reference 1.4, row 30).
pub const ANSWER_MAX: usize = 200;
pub const QUESTIONS_MAX: usize = 30;
const TITLE_MAX: usize = 60;
const QUESTION_MAX: usize = 120;
const SHORT_MAX: usize = 1_000;
const FULL_MAX: usize = 10_000;

/// One version of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    /// How people ask for it; the first is the one that is shown.
    pub questions: Vec<String>,
    /// The standard answer as it is spoken.
    pub answer: String,
    /// The same at length.
    pub full: String,
    /// What to bring.
    pub papers: String,
    /// Where, and when it is open.
    pub place: String,
    /// The rule it follows from.
    pub basis: String,
    /// The unit that answers for it.
    pub unit: String,
    pub category: String,
    pub valid_from: Option<Date>,
    /// The last day.
    pub valid_until: Option<Date>,
    /// The last day on which it may be quoted without having been looked at again.
    pub review_by: Date,
    /// Where the text was taken from.
    pub source: String,
    pub confidence: Confidence,
}

/// How sure the text is: `S` from a named source, `G` general knowledge, `P` practice of the house, `X` its sources contradict each
/// other; several with `+`, a remark in brackets: `S+G`, `S(2020)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confidence(String);

impl Confidence {
    pub fn read(text: &str) -> Option<Self> {
        let (kinds, remark) = match text.split_once('(') {
            None => (text, None),
            Some((kinds, rest)) => (kinds, Some(rest.strip_suffix(')')?)),
        };
        let fine = kinds.split('+').all(|kind| matches!(kind, "S" | "G" | "P" | "X"))
            && remark.is_none_or(|remark| (1..=20).contains(&remark.chars().count()));
        fine.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its sources contradict each other.
    pub fn contradicted(&self) -> bool {
        self.0.split('(').next().is_some_and(|kinds| kinds.contains('X'))
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    pub code: &'static str,
    pub detail: String,
}

impl Text {
    /// All that is wrong with the text itself. Whether its unit and category exist is the district's to say.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut tell = |field, code, detail: String| faults.push(Fault { field, code, detail });
        for (field, text, most, needed) in [
            ("title", &self.title, TITLE_MAX, true),
            ("answer", &self.answer, ANSWER_MAX, true),
            ("full", &self.full, FULL_MAX, false),
            ("papers", &self.papers, SHORT_MAX, false),
            ("place", &self.place, SHORT_MAX, false),
            ("basis", &self.basis, SHORT_MAX, false),
            ("source", &self.source, SHORT_MAX, true),
        ] {
            if needed && text.trim().is_empty() {
                tell(field, "needed", format!("{field}: a text is needed"));
            } else if text.chars().count() > most {
                tell(field, "too_long", format!("{field}: at most {most} characters"));
            }
        }
        if self.questions.is_empty() {
            tell("questions", "needed", "questions: one at least".into());
        } else if self.questions.len() > QUESTIONS_MAX {
            tell("questions", "too_many", format!("questions: at most {QUESTIONS_MAX}"));
        }
        if self.questions.iter().any(|q| q.trim().is_empty() || q.chars().count() > QUESTION_MAX) {
            tell("questions", "too_long", format!("questions: each of 1 to {QUESTION_MAX} characters"));
        }
        if let (Some(from), Some(until)) = (self.valid_from, self.valid_until)
            && until < from
        {
            tell("valid_until", "before_from", "valid_until: not before valid_from".into());
        }
        faults
    }
}

/// `KB-` and four to eight digits.
pub fn is_entry_id(text: &str) -> bool {
    text.strip_prefix("KB-")
        .is_some_and(|n| (4..=8).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::shipped;

    #[test]
    fn confidence_reads_the_districts_marks_and_no_others() {
        for (text, contradicted) in [
            ("S", false),
            ("S+G", false),
            ("S(2020)", false),
            ("S(旧)", false),
            ("X", true),
            ("S+X(网)", true),
        ] {
            assert_eq!(Confidence::read(text).map(|c| c.contradicted()), Some(contradicted), "{text}");
        }
        for bad in ["", "A", "S+", "S()", "S(2020", "s", "S(一二三四五六七八九十一二三四五六七八九十一)"]
        {
            assert_eq!(Confidence::read(bad), None, "{bad}");
        }
        assert!(!Confidence::read("S(X)").unwrap().contradicted(), "a remark is only a remark");
    }

    #[test]
    fn each_field_is_looked_at() {
        let fine = shipped().remove(0).text;
        assert_eq!(fine.faults(), []);
        let told = |change: &dyn Fn(&mut Text)| {
            let mut text = fine.clone();
            change(&mut text);
            text.faults().into_iter().map(|fault| (fault.field, fault.code)).collect::<Vec<_>>()
        };
        assert_eq!(told(&|t| t.answer = "长".repeat(201)), [("answer", "too_long")]);
        assert_eq!(told(&|t| t.answer = "长".repeat(200)), []);
        assert_eq!(told(&|t| t.title = " ".into()), [("title", "needed")]);
        assert_eq!(told(&|t| t.source.clear()), [("source", "needed")]);
        assert_eq!(told(&|t| t.questions.clear()), [("questions", "needed")]);
        assert_eq!(told(&|t| t.questions = vec!["问".into(); 31]), [("questions", "too_many")]);
        assert_eq!(told(&|t| t.questions.push(String::new())), [("questions", "too_long")]);
        let day = jiff::civil::date(2026, 11, 23);
        let turned = |t: &mut Text| {
            t.valid_from = Some(day);
            t.valid_until = day.yesterday().ok();
        };
        assert_eq!(told(&turned), [("valid_until", "before_from")]);
    }

    #[test]
    fn ids_are_the_districts() {
        assert!(is_entry_id("KB-0001") && is_entry_id("KB-12345678"));
        for bad in ["KB-001", "kb-0001", "KB-", "KB-00a1", "KB-123456789", "0001"] {
            assert!(!is_entry_id(bad), "{bad}");
        }
    }
}
