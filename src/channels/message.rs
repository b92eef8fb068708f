//! What the city says of a ticket afterwards: rulings, its own callbacks, points it takes off.

use super::{Wrong, is_no};
use crate::ticket::indicators::{SATISFIED, SOLVED};
use crate::ticket::life::{Refusal, Why};

const TEXT_MAX: usize = 2_000;
/// Hundredths: a thousand points either way.
const POINTS_MAX: i64 = 100_000;

/// What was given, not yet looked at.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub id: String,
    pub city_no: Option<String>,
    pub kind: String,
    pub about: Option<String>,
    pub granted: Option<bool>,
    pub until: Option<i64>,
    pub contacted: Option<bool>,
    pub solved: Option<String>,
    pub satisfied: Option<String>,
    /// Hundredths of a point.
    pub points: Option<i64>,
    pub reason: Option<String>,
}

/// A message that can be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The city's own id: the same one twice is one message.
    pub id: String,
    pub city_no: Option<String>,
    pub news: News,
    /// Its words, which may tell who somebody is.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A ruling on what we asked: the id of our push.
    Decision { about: String, granted: bool, until: Option<i64> },
    /// 回访结果.
    Visit { contacted: Option<bool>, solved: Option<String>, satisfied: Option<String> },
    /// 扣分, hundredths.
    Points { points: i64 },
}

impl News {
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Decision { .. } => "decision",
            Self::Visit { .. } => "visit",
            Self::Points { .. } => "points",
        }
    }
}

impl Message {
    pub const KINDS: &[&str] = &["decision", "visit", "points"];

    /// The message, or all that is wrong with it.
    pub fn read(given: Given) -> Result<Self, Vec<Refusal>> {
        let mut wrong = Wrong::default();
        if !is_no(&given.id) {
            wrong.tell("id", Why::Needed, "id: letters, digits and dashes, 40 at most");
        }
        let city_no = wrong.code("city_no", given.city_no, &is_no);
        let reason = wrong.text("reason", given.reason, TEXT_MAX);
        let news = match &*given.kind {
            "decision" => {
                let about = wrong.code("about", given.about, &is_no);
                if about.is_none() || given.granted.is_none() {
                    wrong.tell("about", Why::Needed, "about and granted: needed for a decision");
                }
                let (about, granted) = (about.unwrap_or_default(), given.granted.unwrap_or_default());
                News::Decision { about, granted, until: given.until }
            }
            "visit" => {
                let solved = wrong.code("solved", given.solved, &|code| SOLVED.contains(&code));
                let satisfied = wrong.code("satisfied", given.satisfied, &|code| SATISFIED.contains(&code));
                News::Visit { contacted: given.contacted, solved, satisfied }
            }
            "points" => {
                let points = given.points.filter(|points| points.abs() <= POINTS_MAX);
                if points.is_none() {
                    wrong.tell("points", Why::Needed, "points: a number, a thousand at most");
                }
                News::Points { points: points.unwrap_or_default() }
            }
            _ => {
                wrong.tell("kind", Why::UnknownCode, "kind: decision, visit, points");
                News::Points { points: 0 }
            }
        };
        if city_no.is_none() && !matches!(news, News::Decision { .. }) {
            wrong.tell("city_no", Why::Needed, "city_no: needed");
        }
        if wrong.0.is_empty() { Ok(Self { id: given.id, city_no, news, reason }) } else { Err(wrong.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: &str) -> Given {
        Given { id: "m-1".into(), city_no: Some("12345-1".into()), kind: kind.into(), ..Given::default() }
    }

    #[test]
    fn each_kind_says_what_it_has_to() {
        let decided =
            Given { about: Some("o-1".into()), granted: Some(true), until: Some(5), ..given("decision") };
        let news = News::Decision { about: "o-1".into(), granted: true, until: Some(5) };
        assert_eq!(Message::read(decided.clone()).unwrap().news, news);
        assert!(Message::read(Given { city_no: None, ..decided.clone() }).is_ok(), "our own id is enough");
        let points = Given { points: Some(-250), ..given("points") };
        assert_eq!(Message::read(points.clone()).unwrap().news, News::Points { points: -250 });
        assert!(Message::read(given("visit")).is_ok());
        for (slip, field) in [
            (Given { granted: None, ..decided.clone() }, "about"),
            (Given { about: None, ..decided }, "about"),
            (Given { points: None, ..points.clone() }, "points"),
            (Given { points: Some(100_001), ..points.clone() }, "points"),
            (Given { id: "a b".into(), ..points.clone() }, "id"),
            (Given { city_no: None, ..points }, "city_no"),
            (Given { solved: Some("maybe".into()), ..given("visit") }, "solved"),
            (given("greeting"), "kind"),
        ] {
            let told = Message::read(slip).unwrap_err();
            assert_eq!(told.iter().map(|one| one.field).collect::<Vec<_>>(), [field], "{told:?}");
        }
    }
}
