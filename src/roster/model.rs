//! Who works, which shifts there are, who is put where: plain data, as the files say it.

use super::moment::{Clock, DAY, Minute};
use super::rules::{Code, Rules};
use super::template::Rotation;
use crate::base::DayKind;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub type PersonId = Arc<str>;
pub type ShiftCode = Arc<str>;

/// Where something was written. Columns in characters, both from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// By which working-time system somebody is employed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contract {
    /// 标准工时: 8 h a day, 40 h a week.
    Standard,
    /// 综合工时: averaged over a cycle, with the approval of the labour authority.
    Averaged { cycle: Cycle, approval: Option<Approved> },
}

/// Over what 综合工时 is averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cycle {
    Month,
    Quarter,
    Year,
}

/// The labour authority's approval of 综合工时.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    pub number: String,
    pub date: Date,
    /// Last day it holds; without it, until it is taken back.
    pub until: Option<Date>,
}

impl Approved {
    pub fn holds(&self, day: Date) -> bool {
        self.date <= day && self.until.is_none_or(|until| day <= until)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    /// Skill and level, 1 the lowest.
    pub skills: BTreeMap<String, u8>,
    /// 班长: may lead a shift. A lead takes no seat in the count of agents.
    pub lead: bool,
    pub birth: Option<Date>,
    /// First day of the pregnancy as the doctor counts it, and the expected day of birth: either is enough.
    pub pregnant_from: Option<Date>,
    pub due: Option<Date>,
    /// The child's first birthday.
    pub nursing_until: Option<Date>,
    pub contract: Contract,
    pub hired: Option<Date>,
    /// First day no longer in service.
    pub left: Option<Date>,
    pub place: Option<Place>,
}

impl Person {
    pub fn can(&self, skill: &str, level: u8) -> bool {
        self.skills.get(skill).is_some_and(|have| *have >= level)
    }

    pub fn in_service(&self, day: Date) -> bool {
        self.hired.is_none_or(|hired| hired <= day) && self.left.is_none_or(|left| day < left)
    }
}

/// A kind of shift: 早, 中, 夜.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    pub code: ShiftCode,
    pub name: String,
    /// Minutes after midnight of the duty's date. 24:00 is the night that begins when the date ends.
    pub start: i64,
    /// After `start`, at most a day.
    pub end: i64,
    /// Unpaid break, minutes. Agents take it in turn, so it is no hole in the coverage.
    pub unpaid: i64,
    pub place: Option<Place>,
}

impl Shift {
    pub fn span(&self, day: Date) -> (Minute, Minute) {
        (Minute::on(day, self.start), Minute::on(day, self.end))
    }

    /// Minutes that count as work.
    pub const fn paid(&self) -> i64 {
        self.end - self.start - self.unpaid
    }
}

/// What an assignment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Work,
    /// Reachable at night; not on the floor, no working hours.
    OnCall,
    /// The whole day off: no shift.
    Leave,
    /// Hours that count, without a seat.
    Training,
}

impl Kind {
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Work, "work"),
        (Self::OnCall, "on_call"),
        (Self::Leave, "leave"),
        (Self::Training, "training"),
    ];

    pub fn label(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("work", |(_, label)| label)
    }
}

/// One person, one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub person: PersonId,
    pub date: Date,
    /// Empty for leave.
    pub shift: ShiftCode,
    pub kind: Kind,
    pub place: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Draft,
    Published,
}

/// Somebody answers with his name for a finding that is no matter of law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub code: Code,
    /// Only this person's findings; without it everybody's.
    pub person: Option<PersonId>,
    /// Only this day's; without it all days'.
    pub date: Option<Date>,
    pub by: String,
    pub reason: String,
    pub place: Option<Place>,
}

/// A roster for a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub name: String,
    pub from: Date,
    /// First day no longer planned. Without it the rotations go on for ever.
    pub to: Option<Date>,
    pub status: Status,
    pub rotations: Vec<Rotation>,
    /// Single assignments. Dates before `from` are what went before, for rest and hours.
    pub assignments: Vec<Assignment>,
    /// What approved swaps and leave made of a person's day, instead of all else on it.
    pub changes: BTreeMap<(PersonId, Date), Vec<Assignment>>,
    pub approvals: Vec<Approval>,
    /// On shift at every minute, outside all counts: the demonstration's own people.
    pub always: BTreeSet<PersonId>,
    pub place: Option<Place>,
}

/// Whom a need counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    Agents,
    Lead,
    OnCall,
    Skill(String, u8),
}

/// How many must be there, on which days, between which hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub wanted: Wanted,
    pub people: u16,
    /// Empty: every day.
    pub days: Vec<DayKind>,
    /// Minutes after midnight, `from < to`, at most a day: hours over midnight are two needs.
    pub from: i64,
    pub to: i64,
    pub place: Option<Place>,
}

impl Need {
    pub fn holds_on(&self, kind: DayKind) -> bool {
        self.days.is_empty() || self.days.contains(&kind)
    }
}

/// A forecast day: calls of each half hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    pub source: String,
    /// Average handling time, seconds.
    pub aht_s: f64,
    /// Share answered within `within_s`, 0 to 1.
    pub service: f64,
    pub within_s: f64,
    /// Mean time after which a caller gives up, seconds: the simulation's, Erlang C knows none.
    pub patience_s: f64,
    /// Seed of the simulation.
    pub seed: u64,
    /// Calls an hour, for each half hour of a working day.
    pub workday: Vec<f64>,
    /// The same day's shape on days off: times this.
    pub weekend: f64,
    pub holiday: f64,
}

impl Forecast {
    /// Half hours of a day.
    pub const SLOTS: usize = 48;

    /// Calls an hour in a half hour of a day of this kind.
    pub fn calls(&self, kind: DayKind, slot: usize) -> f64 {
        let factor = match kind {
            DayKind::Workday => 1.0,
            DayKind::Weekend => self.weekend,
            DayKind::Holiday => self.holiday,
        };
        self.workday.get(slot).copied().unwrap_or(0.0) * factor
    }
}

/// Everything the roster's files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roster {
    pub people: BTreeMap<PersonId, Person>,
    pub shifts: BTreeMap<ShiftCode, Shift>,
    pub needs: Vec<Need>,
    pub rules: Rules,
    pub plans: Vec<Plan>,
    pub forecast: Option<Forecast>,
    /// Who decides on swaps and leave beside the leads: the office.
    pub deciders: BTreeSet<PersonId>,
}

impl Roster {
    pub fn plan(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name == name)
    }

    /// The published plan of a day: the last one that begins by then.
    pub fn in_force(&self, day: Date) -> Option<&Plan> {
        let holds = |plan: &&Plan| {
            plan.status == Status::Published && plan.from <= day && plan.to.is_none_or(|to| day < to)
        };
        self.plans.iter().filter(holds).max_by_key(|plan| plan.from)
    }
}

/// `08:00–16:00`, or `22:00–24:00`, of a stretch inside one day.
pub(super) fn hours(from: Minute, to: Minute) -> String {
    let end = if to.of_day() == 0 && to > from { DAY } else { to.of_day() };
    format!("{}–{}", Clock(from.of_day()), Clock(end))
}
