//! Swaps and leave: asked, agreed by the other, decided by a lead.
//!
//! ```text
//!               agree(other)                approve(lead): the rules are asked first
//!  Requested ───────────────▶ Agreed ──────────────────────▶ Approved
//!      │  (leave without cover needs no other)  │
//!      ├── withdraw(who asked) ──▶ Withdrawn    └── refuse(lead, why) ──▶ Refused
//!      └── refuse(other or lead, why) ──▶ Refused
//! ```
//!
//! The rule that always holds: a plan is changed by `approve` alone, and only if that breaks nothing that was whole before, or a lead
//! answers for it with a reason where the law lets him.

use super::Calendar;
use super::finding::Finding;
use super::model::{Approval, Assignment, Kind, PersonId, Plan, Roster, ShiftCode};
use super::moment::{Minute, dates, days_since, plus_days};
use jiff::civil::Date;

/// One turn of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub person: PersonId,
    pub date: Date,
    pub shift: ShiftCode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Each takes the other's turn. The first is who asks.
    Swap { mine: Turn, theirs: Turn },
    /// `[from, to)` off. Who covers takes the turns as they are.
    Leave { person: PersonId, from: Date, to: Date, cover: Option<PersonId> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Requested,
    Agreed,
    Approved,
    Refused,
    Withdrawn,
}

/// What happened to a request: who, when, why. Nothing is ever taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub stage: Stage,
    pub by: PersonId,
    pub at: Minute,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub wish: Wish,
    stage: Stage,
    events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("the request is settled already")]
    Settled,
    #[error("only {0} can do this")]
    NotYours(PersonId),
    #[error("{0} is no lead")]
    NoLead(PersonId),
    #[error("nobody decides on his own request")]
    OwnRequest,
    #[error("{0} has not agreed")]
    NotAgreed(PersonId),
    #[error("a reason is needed")]
    NoReason,
    #[error("{person} does not have {shift} on {date} any more")]
    TurnGone { person: PersonId, shift: ShiftCode, date: Date },
    #[error("{0}")]
    Odd(&'static str),
    /// New findings that stop the plan. With a reason, a lead may answer for those that aren't law.
    #[error("the plan would break: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Breaks(Vec<Finding>),
}

/// A leave is at most so many days.
pub const LONGEST_LEAVE: i64 = 366;

impl Stage {
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Requested, "requested"),
        (Self::Agreed, "agreed"),
        (Self::Approved, "approved"),
        (Self::Refused, "refused"),
        (Self::Withdrawn, "withdrawn"),
    ];

    pub fn label(self) -> &'static str {
        Self::ALL.iter().find(|(stage, _)| *stage == self).map_or("requested", |(_, label)| label)
    }

    pub fn read(label: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == label).map(|(stage, _)| *stage)
    }
}

impl Request {
    pub fn new(wish: Wish, at: Minute, why: &str) -> Result<Self, Denied> {
        match &wish {
            Wish::Swap { mine, theirs } if mine.person == theirs.person => {
                return Err(Denied::Odd("nobody swaps with himself"));
            }
            Wish::Leave { from, to, .. } if !(1..=LONGEST_LEAVE).contains(&days_since(*from, *to)) => {
                return Err(Denied::Odd("a leave has one to 366 days"));
            }
            Wish::Leave { person, cover: Some(cover), .. } if person == cover => {
                return Err(Denied::Odd("nobody covers for himself"));
            }
            Wish::Swap { .. } | Wish::Leave { .. } => {}
        }
        let mut request = Self { wish, stage: Stage::Requested, events: Vec::new() };
        let by = request.asker().clone();
        request.note(Stage::Requested, by, at, why);
        Ok(request)
    }

    /// A request as it was kept: the stage is that of the last event. `None` without any.
    pub fn kept(wish: Wish, events: Vec<Event>) -> Option<Self> {
        let stage = events.last()?.stage;
        Some(Self { wish, stage, events })
    }

    /// The first day it is about, and the last.
    pub fn days(&self) -> (Date, Date) {
        match &self.wish {
            Wish::Swap { mine, theirs } => (mine.date.min(theirs.date), mine.date.max(theirs.date)),
            Wish::Leave { from, to, .. } => (*from, plus_days(*to, -1)),
        }
    }

    pub const fn stage(&self) -> Stage {
        self.stage
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    pub const fn asker(&self) -> &PersonId {
        match &self.wish {
            Wish::Swap { mine, .. } => &mine.person,
            Wish::Leave { person, .. } => person,
        }
    }

    /// Who has to agree before a lead decides.
    pub const fn other(&self) -> Option<&PersonId> {
        match &self.wish {
            Wish::Swap { theirs, .. } => Some(&theirs.person),
            Wish::Leave { cover, .. } => cover.as_ref(),
        }
    }

    pub fn agree(&mut self, by: &PersonId, at: Minute) -> Result<(), Denied> {
        self.open()?;
        match self.other() {
            _ if self.stage == Stage::Agreed => Err(Denied::Settled),
            Some(other) if other == by => {
                self.note(Stage::Agreed, PersonId::clone(by), at, "");
                Ok(())
            }
            other => Err(Denied::NotYours(other.unwrap_or(self.asker()).clone())),
        }
    }

    pub fn withdraw(&mut self, by: &PersonId, at: Minute, why: &str) -> Result<(), Denied> {
        self.open()?;
        if self.asker() != by {
            return Err(Denied::NotYours(self.asker().clone()));
        }
        self.note(Stage::Withdrawn, PersonId::clone(by), at, why);
        Ok(())
    }

    /// The other says no, or a lead does; either says why.
    pub fn refuse(&mut self, roster: &Roster, by: &PersonId, at: Minute, why: &str) -> Result<(), Denied> {
        self.open()?;
        if self.other() != Some(by) {
            self.is_lead(roster, by)?;
        }
        if why.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        self.note(Stage::Refused, PersonId::clone(by), at, why);
        Ok(())
    }

    /// A lead approves: gives back the plan as it is then. With `why`, he answers for what breaks and isn't law.
    pub fn approve(
        &mut self,
        roster: &Roster,
        plan: &Plan,
        calendar: &Calendar,
        by: &PersonId,
        at: Minute,
        why: &str,
    ) -> Result<Plan, Denied> {
        self.open()?;
        self.is_lead(roster, by)?;
        if let Some(other) = self.other().filter(|_| self.stage != Stage::Agreed) {
            return Err(Denied::NotAgreed(other.clone()));
        }
        let mut after = plan.clone();
        let (first, last) = self.change(plan, &mut after, calendar)?;
        // A week on either side: rest, nights running and the week's hours reach so far.
        let (from, to) = (plus_days(first, -7), plus_days(last, 8));
        let before = roster.check(plan, from, to, calendar);
        let known: Vec<&Finding> = before.blocking().collect();
        let report = roster.check(&after, from, to, calendar);
        let new: Vec<Finding> =
            report.blocking().filter(|f| !known.iter().any(|k| k.is(f))).cloned().collect();
        if !new.is_empty() && (why.trim().is_empty() || new.iter().any(|finding| finding.law)) {
            return Err(Denied::Breaks(new));
        }
        after.approvals.extend(new.into_iter().map(|finding| Approval {
            code: finding.code,
            person: finding.person,
            date: finding.date,
            by: by.to_string(),
            reason: why.to_owned(),
            place: None,
        }));
        self.note(Stage::Approved, PersonId::clone(by), at, why);
        Ok(after)
    }

    /// Writes the change into `after`; the first and last day it touches.
    fn change(&self, plan: &Plan, after: &mut Plan, calendar: &Calendar) -> Result<(Date, Date), Denied> {
        match &self.wish {
            Wish::Swap { mine, theirs } => {
                let (a, b) = (take(after, mine, calendar)?, take(after, theirs, calendar)?);
                put(after, Assignment { person: theirs.person.clone(), ..a }, calendar);
                put(after, Assignment { person: mine.person.clone(), ..b }, calendar);
                Ok((mine.date.min(theirs.date), mine.date.max(theirs.date)))
            }
            Wish::Leave { person, from, to, cover } => {
                for date in dates(*from, *to) {
                    let tomorrow = plus_days(date, 1);
                    let of_day = plan.assignments(date, tomorrow, calendar);
                    let theirs = of_day.into_iter().filter(|a| a.person == *person && a.kind != Kind::Leave);
                    if let Some(cover) = cover {
                        theirs.for_each(|a| put(after, Assignment { person: cover.clone(), ..a }, calendar));
                    }
                    let leave = Assignment {
                        person: person.clone(),
                        date,
                        shift: ShiftCode::from(""),
                        kind: Kind::Leave,
                        place: None,
                    };
                    after.changes.insert((person.clone(), date), vec![leave]);
                }
                Ok((*from, plus_days(*to, -1)))
            }
        }
    }

    fn is_lead(&self, roster: &Roster, by: &PersonId) -> Result<(), Denied> {
        if self.asker() == by || self.other() == Some(by) {
            return Err(Denied::OwnRequest);
        }
        match roster.people.get(by) {
            Some(person) if person.lead => Ok(()),
            _ if roster.deciders.contains(by) => Ok(()),
            _ => Err(Denied::NoLead(by.clone())),
        }
    }

    fn open(&self) -> Result<(), Denied> {
        match self.stage {
            Stage::Requested | Stage::Agreed => Ok(()),
            Stage::Approved | Stage::Refused | Stage::Withdrawn => Err(Denied::Settled),
        }
    }

    fn note(&mut self, stage: Stage, by: PersonId, at: Minute, why: &str) {
        self.stage = stage;
        self.events.push(Event { stage, by, at, why: why.to_owned() });
    }
}

/// A person's assignments of a day, as changes that stand for themselves.
fn of_day(plan: &Plan, person: &PersonId, date: Date, calendar: &Calendar) -> Vec<Assignment> {
    let all = plan.assignments(date, plus_days(date, 1), calendar).into_iter();
    all.filter(|a| a.person == *person).collect()
}

fn take(plan: &mut Plan, turn: &Turn, calendar: &Calendar) -> Result<Assignment, Denied> {
    let mut day = of_day(plan, &turn.person, turn.date, calendar);
    let Some(n) = day.iter().position(|a| a.shift == turn.shift && a.kind != Kind::Leave) else {
        let Turn { person, date, shift } = turn.clone();
        return Err(Denied::TurnGone { person, shift, date });
    };
    let taken = day.remove(n);
    plan.changes.insert((turn.person.clone(), turn.date), day);
    Ok(taken)
}

fn put(plan: &mut Plan, assignment: Assignment, calendar: &Calendar) {
    let mut day = of_day(plan, &assignment.person, assignment.date, calendar);
    let key = (assignment.person.clone(), assignment.date);
    day.push(assignment);
    plan.changes.insert(key, day);
}
