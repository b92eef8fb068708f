//! What a check found: named, placed, in both languages, and whether somebody has answered for it.

use super::model::{PersonId, Place};
use super::moment::Minute;
use super::rules::{Code, Severity};
use jiff::civil::Date;
use std::fmt;

/// One thing that is wrong with a plan. Shows itself as `file:line:column: code: what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// A matter of law: no approval helps.
    pub law: bool,
    pub person: Option<PersonId>,
    /// The day it is about, or the first of them.
    pub date: Option<Date>,
    /// The minutes without cover, for a gap.
    pub hours: Option<(Minute, Minute)>,
    /// People missing, for a gap.
    pub missing: u16,
    pub zh: String,
    pub en: String,
    /// Where the plan says so; for a gap, where the need is written.
    pub place: Option<Place>,
    /// Who answers for it.
    pub approved_by: Option<String>,
}

impl Finding {
    /// Does it keep the plan from being published?
    pub fn stops(&self) -> bool {
        self.severity == Severity::Blocks && self.approved_by.is_none()
    }

    /// Is it the same matter, whatever its place and words? Then a swap did not make it worse.
    pub(super) fn is(&self, other: &Self) -> bool {
        let same = (self.code, self.date, self.hours) == (other.code, other.date, other.hours);
        same && self.person == other.person && self.missing == other.missing
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.code.label(), self.en)?;
        match &self.approved_by {
            Some(by) => write!(f, " (approved by {by})"),
            None => Ok(()),
        }
    }
}

/// What a check says of a plan, by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    /// Nothing in the way that nobody answers for.
    pub fn publishable(&self) -> bool {
        !self.findings.iter().any(Finding::stops)
    }

    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.stops())
    }

    /// Stretches with fewer people than needed.
    pub fn gaps(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.hours.is_some())
    }
}
