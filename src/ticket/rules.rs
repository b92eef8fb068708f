//! The rules a ticket is judged by: clocks by urgency and kind, returns, extensions, redos. Data with a date from which it counts
//! (`district/rules/`); a ticket keeps the version it was accepted by.

use super::clock::{Family, Span, due};
use super::district::District;
use super::indicators::Weights;
use super::life::{TYPES, URGENCIES};
use crate::roster::{Calendar, OfficeHours};
use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the program carries: file names and texts, oldest first.
const SHIPPED: &[(&str, &str)] = &[("2026-11.toml", include_str!("../../district/rules/2026-11.toml"))];

/// The clocks of one kind of ticket, from acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub dispatch: Span,
    pub sign: Span,
    /// From a late dispatch.
    pub sign_after: Span,
    pub contact: Span,
    pub feedback: Span,
    pub close: Span,
}

/// Waits inside a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    pub clarify: Span,
    pub return_review: Span,
    pub extension_review: Span,
    pub joint_review: Span,
    pub review: Span,
    pub transfer: Span,
    pub progress: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returns {
    pub per_unit: usize,
    pub per_ticket: usize,
    pub window: Span,
    pub window_urgent: Span,
    pub window_danger: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Percent of the row's days that an extension may add.
    pub extension_pct: u32,
    /// Percent of the row's time that a redo gets.
    pub redo_pct: u32,
    /// Redos after which a ticket is supervised.
    pub redos: u32,
    pub reopen_days: u32,
    pub visit_tries: usize,
}

/// One version of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub version: String,
    /// Tickets accepted from this day on.
    pub from: Date,
    pub office: OfficeHours,
    pub waits: Waits,
    pub returns: Returns,
    pub limits: Limits,
    /// Percents at which people are reminded, ascending.
    pub remind: Vec<u8>,
    /// 市派: the city calls the citizen back where its order does not say who does.
    pub city_visits: bool,
    /// What answers are worth in the rates.
    pub weights: Weights,
    rows: BTreeMap<String, Row>,
    /// By urgency and kind, where a kind has clocks of its own.
    by_kind: BTreeMap<(String, String), Row>,
}

impl Rules {
    /// The clocks of a ticket; the general row where nothing is known of it.
    pub fn row(&self, urgency: Option<&str>, kind: Option<&str>) -> Option<&Row> {
        let urgency = urgency.unwrap_or("N");
        kind.and_then(|kind| self.by_kind.get(&(urgency.to_owned(), kind.to_owned())))
            .or_else(|| self.rows.get(urgency))
    }

    /// Reads one file; the place is in the message.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("{name}:{line}:{column}: {}", error.message())
        })?;
        raw.rules().map_err(|what| format!("{name}: {what}"))
    }
}

/// All versions, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBook {
    versions: Vec<Rules>,
}

impl RuleBook {
    /// From files; each problem is a line.
    pub fn read(files: &[(&str, &str)]) -> (Self, Vec<String>) {
        let (mut versions, mut problems) = (Vec::<Rules>::new(), Vec::new());
        for (name, text) in files {
            match Rules::read(name, text) {
                Ok(rules) if versions.iter().any(|known| known.version == rules.version) => {
                    problems.push(format!("{name}: version {:?} is there twice", rules.version));
                }
                Ok(rules) => versions.push(rules),
                Err(problem) => problems.push(problem),
            }
        }
        versions.sort_by_key(|rules| rules.from);
        (Self { versions }, problems)
    }

    /// The ones the program carries. They read: a test looks at these very texts.
    pub fn shipped() -> Self {
        Self::read(SHIPPED).0
    }

    /// The version for tickets accepted on `date`; the oldest for still older ones.
    pub fn on(&self, date: Date) -> Option<&Rules> {
        self.versions.iter().rev().find(|rules| rules.from <= date).or_else(|| self.versions.first())
    }

    /// The version with this name; the oldest when nobody has it any more.
    pub fn version(&self, name: &str) -> Option<&Rules> {
        self.versions.iter().find(|rules| rules.version == name).or_else(|| self.versions.first())
    }

    /// Everything that is wrong with the rules under this calendar: clocks out of order in some hour of a known year, rows that are
    /// missing, matters whose lead is nobody. Each is a line that names row and hour.
    pub fn check(&self, calendar: &Calendar, district: &District) -> Vec<String> {
        let mut problems = Vec::new();
        if self.versions.is_empty() {
            problems.push("district/rules: no version of the rules is there".to_owned());
        }
        if calendar.years().next().is_none() {
            problems.push("district/calendar: no year is known, and the rules count days of work".to_owned());
        }
        for rules in &self.versions {
            for urgency in URGENCIES {
                if !rules.rows.contains_key(urgency) {
                    problems.push(format!("rules {}: no row for urgency {urgency}", rules.version));
                }
            }
            let general = rules.rows.iter().map(|(urgency, row)| (urgency.clone(), row));
            let kinds = rules.by_kind.iter().map(|((urgency, kind), row)| (format!("{urgency}.{kind}"), row));
            for (name, row) in general.chain(kinds) {
                let broken = calendar.years().find_map(|year| rules.out_of_order(row, year, calendar));
                problems.extend(broken.map(|what| format!("rules {}: row {name}: {what}", rules.version)));
            }
        }
        problems.extend(district.without_lead().map(|code| format!("categories.json: {code} has no lead")));
        problems
    }
}

impl Rules {
    /// The first hour of the year in which a receipt has its clocks out of order. Local wall time stands for itself here.
    fn out_of_order(&self, row: &Row, year: i16, calendar: &Calendar) -> Option<String> {
        let zone = jiff::tz::TimeZone::UTC;
        let first = Date::new(year, 1, 1).ok()?.to_datetime(Time::midnight());
        let hours = (0..366 * 24).map_while(|n: i64| {
            first.checked_add(jiff::SignedDuration::from_hours(n)).ok().filter(|at| at.year() == year)
        });
        for hour in hours {
            // A minute in: a receipt on the stroke of an hour hides off-by-ones of the office's own hours.
            for at in [hour, plus_minutes(hour, 31)] {
                let from = zone.to_timestamp(at).ok()?.as_millisecond();
                let times = [
                    ("dispatch", row.dispatch),
                    ("sign", row.sign),
                    ("contact", row.contact),
                    ("feedback", row.feedback),
                    ("close", row.close),
                ]
                .map(|(name, span)| (name, due(from, span, 0, self.office, calendar, &zone).at));
                for ((a, first), (b, second)) in times.iter().zip(&times[1..]) {
                    if first > second {
                        return Some(format!("{b} is before {a} for a receipt at {at}"));
                    }
                }
            }
        }
        None
    }
}

fn plus_minutes(at: DateTime, minutes: i64) -> DateTime {
    at.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap_or(at)
}

// === What the file says ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: String,
    from: toml::value::Datetime,
    office: RawOffice,
    row: BTreeMap<String, RawRow>,
    wait: RawWaits,
    returns: RawReturns,
    limits: Limits,
    remind: RawRemind,
    #[serde(default)]
    city: RawCity,
    weights: Option<RawWeights>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffice {
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    calendar: Family,
    dispatch: String,
    sign: String,
    sign_after: String,
    contact: String,
    feedback: String,
    close: String,
    #[serde(default, rename = "type")]
    kinds: BTreeMap<String, RawKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    dispatch: Option<String>,
    sign: Option<String>,
    contact: Option<String>,
    feedback: Option<String>,
    close: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWaits {
    clarify: RawSpan,
    return_review: RawSpan,
    extension_review: RawSpan,
    joint_review: RawSpan,
    review: RawSpan,
    transfer: RawSpan,
    progress: RawSpan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReturns {
    per_unit: usize,
    per_ticket: usize,
    window: RawSpan,
    window_urgent: RawSpan,
    window_danger: RawSpan,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpan {
    calendar: Family,
    time: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWeights {
    solved: BTreeMap<String, i64>,
    satisfied: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCity {
    callback: RawCallback,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawCallback {
    City,
    District,
}

impl Default for RawCity {
    fn default() -> Self {
        Self { callback: RawCallback::City }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRemind {
    at: Vec<u8>,
}

impl RawSpan {
    fn read(&self) -> Result<Span, String> {
        span(self.calendar, &self.time)
    }
}

fn span(family: Family, text: &str) -> Result<Span, String> {
    Span::read(family, text).ok_or_else(|| format!("{text:?}: a time such as 30m, 2h or 5d"))
}

impl Raw {
    fn rules(self) -> Result<Rules, String> {
        let from = self.from.date.ok_or("from: a date such as 2026-11-01")?;
        let part = |n: u8| i8::try_from(n).map_err(|_| "from: no such date");
        let year = i16::try_from(from.year).map_err(|_| "from: no such date")?;
        let from = Date::new(year, part(from.month)?, part(from.day)?).map_err(|e| format!("from: {e}"))?;
        let clock = |text: &str| text.parse::<Time>().map_err(|e| format!("office: {e}"));
        let office = OfficeHours { from: clock(&self.office.from)?, to: clock(&self.office.to)? };
        if office.from >= office.to {
            return Err("office: it closes before it opens".to_owned());
        }
        let (mut rows, mut by_kind) = (BTreeMap::new(), BTreeMap::new());
        for (urgency, raw) in &self.row {
            if !URGENCIES.contains(&urgency.as_str()) {
                return Err(format!("row.{urgency}: urgencies are U, L, N and C"));
            }
            rows.insert(urgency.clone(), raw.row(None).map_err(|e| format!("row.{urgency}: {e}"))?);
            for (kind, own) in &raw.kinds {
                if !TYPES.contains(&kind.as_str()) {
                    return Err(format!("row.{urgency}.type.{kind}: no such kind of matter"));
                }
                let row = raw.row(Some(own)).map_err(|e| format!("row.{urgency}.type.{kind}: {e}"))?;
                by_kind.insert((urgency.clone(), kind.clone()), row);
            }
        }
        let mut remind = self.remind.at;
        remind.sort_unstable();
        remind.dedup();
        Ok(Rules {
            version: self.version,
            from,
            office,
            waits: Waits {
                clarify: self.wait.clarify.read()?,
                return_review: self.wait.return_review.read()?,
                extension_review: self.wait.extension_review.read()?,
                joint_review: self.wait.joint_review.read()?,
                review: self.wait.review.read()?,
                transfer: self.wait.transfer.read()?,
                progress: self.wait.progress.read()?,
            },
            returns: Returns {
                per_unit: self.returns.per_unit,
                per_ticket: self.returns.per_ticket,
                window: self.returns.window.read()?,
                window_urgent: self.returns.window_urgent.read()?,
                window_danger: self.returns.window_danger.read()?,
            },
            limits: self.limits,
            remind,
            city_visits: self.city.callback == RawCallback::City,
            weights: match self.weights {
                None => Weights::default(),
                Some(raw) => Weights::new(raw.solved, raw.satisfied)?,
            },
            rows,
            by_kind,
        })
    }
}

impl RawRow {
    fn row(&self, own: Option<&RawKind>) -> Result<Row, String> {
        let of =
            |own: Option<&String>, general: &str| span(self.calendar, own.map_or(general, String::as_str));
        Ok(Row {
            dispatch: of(own.and_then(|o| o.dispatch.as_ref()), &self.dispatch)?,
            sign: of(own.and_then(|o| o.sign.as_ref()), &self.sign)?,
            sign_after: of(None, &self.sign_after)?,
            contact: of(own.and_then(|o| o.contact.as_ref()), &self.contact)?,
            feedback: of(own.and_then(|o| o.feedback.as_ref()), &self.feedback)?,
            close: of(own.and_then(|o| o.close.as_ref()), &self.close)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        let file = ("2026.toml".to_owned(), include_str!("../../district/calendar/2026.toml").to_owned());
        Calendar::read(&[file]).0
    }

    #[test]
    fn the_shipped_rules_hold_in_every_hour() {
        let (book, problems) = RuleBook::read(SHIPPED);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(book.check(&calendar(), &District::shipped()), Vec::<String>::new());
    }

    /// The row this project once had: feedback in days of work, close in seven calendar days. It breaks over the long holidays.
    #[test]
    fn a_row_that_breaks_in_some_hour_is_named() {
        let text = SHIPPED[0].1;
        let wrong =
            text.replacen("feedback = \"15d\"\nclose = \"15d\"", "feedback = \"15d\"\nclose = \"47h\"", 1);
        let (book, problems) = RuleBook::read(&[("x.toml", &wrong)]);
        assert!(problems.is_empty(), "{problems:?}");
        let told = book.check(&calendar(), &District::shipped());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0]
                .starts_with("rules 2026-11: row C: close is before feedback for a receipt at 2026-01-01T00")
        );
        // A day of work is no promise of hours: two office hours on a Friday evening end on Monday.
        let wrong = text.replacen("sign = \"1d\"", "sign = \"1h\"", 1);
        let told = RuleBook::read(&[("x.toml", &wrong)]).0.check(&calendar(), &District::shipped());
        assert!(told.iter().any(|line| line.contains("row N: sign is before dispatch")), "{told:?}");
        let told = RuleBook::shipped().check(&Calendar::default(), &District::shipped());
        assert!(told[0].contains("no year is known"), "{told:?}");
    }

    #[test]
    fn slips_are_told_with_their_place() {
        let text = SHIPPED[0].1;
        let told = |from: &str, to: &str| Rules::read("x.toml", &text.replacen(from, to, 1)).unwrap_err();
        assert!(told("calendar = \"clock\"", "calendar = \"moon\"").starts_with("x.toml:"));
        assert!(told("dispatch = \"10m\"", "dispatch = \"10\"").contains("row.U: \"10\""));
        assert!(told("[row.C]", "[row.X]").contains("row.X"));
        assert!(told("[row.N.type.consult]", "[row.N.type.question]").contains("question"));
        assert!(told("redos = 2", "redos = 2\nwishes = 3").contains("wishes"));
        assert!(told("partial = 50", "partial = 150").contains("weights.solved.partial"));
    }

    #[test]
    fn a_ticket_is_judged_by_the_version_of_its_day() {
        let text = SHIPPED[0].1;
        let newer =
            text.replacen("2026-11", "2027-01", 1).replacen("from = 2026-01-01", "from = 2027-01-01", 1);
        let (book, problems) = RuleBook::read(&[("b.toml", &newer), ("a.toml", text)]);
        assert!(problems.is_empty());
        let on = |y, m, d| book.on(Date::constant(y, m, d)).map(|rules| rules.version.as_str());
        assert_eq!(on(2026, 12, 31), Some("2026-11"));
        assert_eq!(on(2027, 1, 1), Some("2027-01"));
        assert_eq!(on(2020, 1, 1), Some("2026-11"), "older than all: the oldest");
        assert_eq!(book.version("2026-11").unwrap().from, Date::constant(2026, 1, 1));
    }
}
