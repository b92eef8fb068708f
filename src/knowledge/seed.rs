//! The district's entries as they are shipped: `district/kb.json`.

use super::entry::{Confidence, Text};
use super::life::Stage;
use jiff::civil::Date;
use serde::Deserialize;

const SHIPPED: &str = include_str!("../../district/kb.json");

/// An entry of the district's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    pub id: String,
    pub text: Text,
    /// `draft` or `published`.
    pub stage: Stage,
    /// 待核: why it may not be quoted.
    pub doubt: Option<String>,
    /// Its sources contradict each other: how.
    pub conflict: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    title: String,
    question: String,
    answer: String,
    owner_dept: String,
    category: String,
    confidence: String,
    source: String,
    status: String,
    review_by: Date,
}

impl Seed {
    fn of(raw: Raw) -> Option<Self> {
        let confidence = Confidence::read(&raw.confidence)?;
        let (stage, doubted) = match raw.status.as_str() {
            "published" => (Stage::Published, false),
            // Agents read it, and may not give it as the standard answer.
            "needs_review" => (Stage::Published, true),
            "draft" => (Stage::Draft, false),
            _ => return None,
        };
        let why = raw.source.split_once("待核:").map_or(raw.source.as_str(), |(_, why)| why);
        Some(Self {
            doubt: doubted.then(|| why.to_owned()),
            conflict: confidence.contradicted().then(|| raw.source.clone()),
            text: Text {
                title: raw.title,
                questions: vec![raw.question],
                full: String::new(),
                papers: String::new(),
                place: String::new(),
                basis: String::new(),
                answer: raw.answer,
                unit: raw.owner_dept,
                category: raw.category,
                valid_from: None,
                valid_until: None,
                review_by: raw.review_by,
                source: raw.source,
                confidence,
            },
            id: raw.id,
            stage,
        })
    }
}

/// The entries the program carries; a test counts them.
pub fn shipped() -> Vec<Seed> {
    let raws: Vec<Raw> = serde_json::from_str(SHIPPED).unwrap_or_default();
    raws.into_iter().filter_map(Seed::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::{Entry, is_entry_id, obstacles};
    use crate::ticket::district::District;

    #[test]
    fn all_twenty_read_and_fit_their_rules() {
        let (seeds, district) = (shipped(), District::shipped());
        assert_eq!(seeds.len(), 20);
        for seed in &seeds {
            assert_eq!(seed.text.faults(), [], "{}", seed.id);
            assert!(is_entry_id(&seed.id));
            assert!(
                district.has_unit(&seed.text.unit) && district.has_category(&seed.text.category),
                "{}",
                seed.id
            );
        }
        let of = |stage, doubted| {
            let of = |seed: &&Seed| seed.stage == stage && seed.doubt.is_some() == doubted;
            seeds.iter().filter(of).map(|seed| seed.id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of(Stage::Draft, false), ["KB-0014"]);
        assert_eq!(of(Stage::Published, true), ["KB-0010", "KB-0013", "KB-0015", "KB-0018"]);
        assert_eq!(of(Stage::Published, false).len(), 15);
    }

    #[test]
    fn what_is_shipped_as_good_has_no_obstacle_and_the_contradicted_one_has() {
        for seed in shipped() {
            let told = obstacles(&Entry::new("x".into()), &seed.text, jiff::civil::date(2026, 11, 23), None);
            let want: &[&str] = if seed.id == "KB-0014" { &["contradicted", "unverified"] } else { &[] };
            assert_eq!(told, want, "{}", seed.id);
        }
    }
}
