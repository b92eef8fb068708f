//! The floor at a minute: who may be ready, who is on call, whether anybody is missing, and when any of that changes next.
//!
//! Whoever tells the engine sleeps until [`Schedule::next_turn`]; nothing is looked at minute by minute.

use super::coverage::{Gap, gaps};
use super::model::{Kind, PersonId, Roster, ShiftCode};
use super::moment::Minute;
use super::presence::Presence;
use super::schedule::{Duty, Schedule};
use std::collections::{BTreeMap, BTreeSet};

/// A shift's beginning and end are announced so many minutes before.
pub const ANNOUNCED: i64 = 10;
/// A gap is told so many minutes before it begins.
pub const GAP_AHEAD: i64 = 60;

/// Somebody who may be ready, and the shift it is for; without one he is on shift at every minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    pub shift: Option<ShiftCode>,
    pub from: Option<Minute>,
    pub to: Option<Minute>,
}

/// What somebody is told of his shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// It begins in [`ANNOUNCED`] minutes.
    Begins,
    /// It ends in [`ANNOUNCED`] minutes.
    Ends,
    /// It is over, and so is the time allowed after it.
    Over,
}

impl Word {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Begins => "shift_begins",
            Self::Ends => "shift_ends",
            Self::Over => "shift_over",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    pub word: Word,
    pub at: Minute,
    pub duty: &'a Duty,
}

impl Schedule {
    /// Everybody who may be ready at `at`: on shift, or within what is allowed before and after it.
    pub fn may_be_ready(&self, roster: &Roster, at: Minute) -> BTreeMap<PersonId, Turned> {
        let mut out = BTreeMap::new();
        for person in self.people().chain(self.always()) {
            let turned = match self.presence(roster, person, at) {
                Presence::OffShift => continue,
                Presence::OnShift { until: None, .. } => Turned { shift: None, from: None, to: None },
                Presence::OnShift { .. } => Turned::of(self.shift_at(person, at)),
                Presence::Early { minutes, .. } => Turned::of(self.shift_at(person, at.plus(minutes))),
                Presence::Late { minutes, .. } => Turned::of(self.shift_at(person, at.plus(-minutes - 1))),
            };
            out.insert(PersonId::clone(person), turned);
        }
        out
    }

    /// The next minute after `at` at which somebody may begin or must end, is announced to, or a gap has to be told.
    pub fn next_turn(&self, roster: &Roster, at: Minute) -> Option<Minute> {
        let (early, late) = (roster.rules.early_login, roster.rules.late_logout);
        let turns = |duty: &Duty| {
            let (from, to) = (duty.from, duty.to);
            let floor = [from.plus(-ANNOUNCED), from.plus(-early), to.plus(-ANNOUNCED), to.plus(late)];
            let works = duty.kind == Kind::Work;
            let own = floor.into_iter().filter(move |_| works);
            own.chain([from, to, to.plus(-GAP_AHEAD)]).filter(move |turn| *turn > at).min()
        };
        self.duties().iter().filter_map(turns).min()
    }

    /// What is to be said in `(after, upto]`, by time and person.
    pub fn notices(&self, roster: &Roster, after: Minute, upto: Minute) -> Vec<Notice<'_>> {
        let mut out = Vec::new();
        let floor = self.duties().iter().filter(|duty| duty.kind == Kind::Work);
        for duty in floor.filter(|duty| !self.is_always_on(&duty.person)) {
            let over = duty.to.plus(roster.rules.late_logout);
            let words = [
                (Word::Begins, duty.from.plus(-ANNOUNCED)),
                (Word::Ends, duty.to.plus(-ANNOUNCED)),
                (Word::Over, over),
            ];
            for (word, at) in words.into_iter().filter(|(_, at)| after < *at && *at <= upto) {
                // Who goes on with another shift is neither sent home nor greeted.
                let goes_on = match word {
                    Word::Begins => self.shift_at(&duty.person, duty.from.plus(-1)).is_some(),
                    Word::Ends => self.shift_at(&duty.person, duty.to).is_some(),
                    Word::Over => self.presence(roster, &duty.person, over).may_be_ready(),
                };
                if !goes_on {
                    out.push(Notice { word, at, duty });
                }
            }
        }
        out.sort_by(|a, b| (a.at, &a.duty.person, a.word).cmp(&(b.at, &b.duty.person, b.word)));
        out
    }

    /// People whose shifts from `at` on are others than in `before`.
    pub fn changed_since(&self, before: &Self, at: Minute) -> BTreeSet<PersonId> {
        let mine = |schedule: &Self, person: &PersonId| -> Vec<(Minute, Minute, Kind)> {
            let ahead = schedule.of_person(person).filter(|duty| duty.to > at);
            ahead.map(|duty| (duty.from, duty.to, duty.kind)).collect()
        };
        let all: BTreeSet<&PersonId> = self.people().chain(before.people()).collect();
        all.into_iter().filter(|person| mine(self, person) != mine(before, person)).cloned().collect()
    }

    /// The first stretch of `[at, at + minutes)` without any agent on shift.
    pub fn nobody_within(&self, roster: &Roster, at: Minute, minutes: i64) -> Option<Gap> {
        let is_lead = |person: &PersonId| roster.people.get(person).is_none_or(|person| person.lead);
        if self.always().any(|person| !is_lead(person)) {
            return None;
        }
        let agent = |duty: &Duty| duty.kind == Kind::Work && !is_lead(&duty.person);
        gaps(self, at, at.plus(minutes), 1, &agent).into_iter().next()
    }
}

impl Turned {
    fn of(duty: Option<&Duty>) -> Self {
        Self {
            shift: duty.map(|duty| ShiftCode::clone(&duty.shift)),
            from: duty.map(|duty| duty.from),
            to: duty.map(|duty| duty.to),
        }
    }
}
