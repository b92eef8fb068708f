//! A plan worked out for a range of days: who is where at which minute. Built once, asked often.

use super::Calendar;
use super::model::{Assignment, Kind, PersonId, Place, Plan, Roster, ShiftCode};
use super::moment::{Minute, plus_days};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Days before the range that are worked out with it, for rest, nights running and the hours of a week.
pub const BEFORE: i64 = 14;

/// One duty with its minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub person: PersonId,
    /// The day it is written under; a night may begin when that day ends.
    pub date: Date,
    pub shift: ShiftCode,
    pub kind: Kind,
    pub from: Minute,
    pub to: Minute,
    /// Minutes that count as work: none on call.
    pub paid: i64,
    pub place: Option<Place>,
}

/// From here until the next one, these duties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub at: Minute,
    /// Indices into [`Schedule::duties`], of people on the floor or on call.
    pub on: Vec<usize>,
}

/// The duties of a range, and two ways to find them: by person and by time. A question costs a logarithm.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// By time, then person.
    duties: Vec<Duty>,
    by_person: BTreeMap<PersonId, Vec<usize>>,
    slots: Vec<Slot>,
    always: BTreeSet<PersonId>,
}

impl Plan {
    /// Assignments of `[from, to)`: the single ones, and the rotations' as far as the plan reaches; then what swaps and leave made
    /// of a person's day takes the place of all that.
    pub fn assignments(&self, from: Date, to: Date, calendar: &Calendar) -> Vec<Assignment> {
        let inside = |a: &&Assignment| from <= a.date && a.date < to;
        let mut out: Vec<Assignment> = self.assignments.iter().filter(inside).cloned().collect();
        let end = self.to.map_or(to, |end| end.min(to));
        out.extend(self.rotations.iter().flat_map(|rotation| rotation.assignments(from, end, calendar)));
        out.retain(|a| !self.changes.contains_key(&(PersonId::clone(&a.person), a.date)));
        out.extend(self.changes.values().flatten().filter(inside).cloned());
        out.sort_by(|a, b| (a.date, &a.person, &a.shift).cmp(&(b.date, &b.person, &b.shift)));
        out
    }
}

impl Roster {
    /// The published plans worked out for `[from, to)`, each day by the plan in force on it, and [`BEFORE`] days before. Who is on shift
    /// at every minute is so by the plan of the first day.
    pub fn schedule(&self, from: Date, to: Date, calendar: &Calendar) -> Schedule {
        let mut all = Vec::new();
        let mut at = plus_days(from, -BEFORE);
        while at < to {
            let plan = self.in_force(at);
            let name = plan.map(|plan| &plan.name);
            let mut end = plus_days(at, 1);
            while end < to && self.in_force(end).map(|plan| &plan.name) == name {
                end = plus_days(end, 1);
            }
            all.extend(plan.into_iter().flat_map(|plan| plan.assignments(at, end, calendar)));
            at = end;
        }
        let mut schedule = Schedule::of(self, &all);
        schedule.always = self.in_force(from).map(|plan| plan.always.clone()).unwrap_or_default();
        schedule
    }
}

impl Schedule {
    /// Works out `plan` for `[from, to)` and [`BEFORE`] days before. What names no known shift is left out here and told by the check.
    pub fn new(roster: &Roster, plan: &Plan, from: Date, to: Date, calendar: &Calendar) -> Self {
        let all = plan.assignments(plus_days(from, -BEFORE), to, calendar);
        let mut schedule = Self::of(roster, &all);
        schedule.always.clone_from(&plan.always);
        schedule
    }

    /// The schedule of these assignments alone.
    pub fn of(roster: &Roster, assignments: &[Assignment]) -> Self {
        let mut duties: Vec<Duty> = assignments
            .iter()
            .filter(|a| a.kind != Kind::Leave)
            .filter_map(|a| {
                let shift = roster.shifts.get(&a.shift)?;
                let (from, to) = shift.span(a.date);
                Some(Duty {
                    person: PersonId::clone(&a.person),
                    date: a.date,
                    shift: ShiftCode::clone(&a.shift),
                    kind: a.kind,
                    from,
                    to,
                    paid: if a.kind == Kind::OnCall { 0 } else { shift.paid() },
                    place: a.place.clone(),
                })
            })
            .collect();
        duties.sort_by(|a, b| (a.from, &a.person, a.to).cmp(&(b.from, &b.person, b.to)));
        let mut by_person: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
        for (n, duty) in duties.iter().enumerate() {
            by_person.entry(PersonId::clone(&duty.person)).or_default().push(n);
        }
        let slots = slots(&duties);
        Self { duties, by_person, slots, always: BTreeSet::new() }
    }

    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// A person's duties, by time.
    pub fn of_person(&self, person: &str) -> impl DoubleEndedIterator<Item = &Duty> {
        self.by_person.get(person).into_iter().flatten().filter_map(|n| self.duties.get(*n))
    }

    pub fn people(&self) -> impl Iterator<Item = &PersonId> {
        self.by_person.keys()
    }

    /// Duties that are running at a minute, on call with them.
    pub fn at(&self, at: Minute) -> impl Iterator<Item = &Duty> {
        let n = self.slots.partition_point(|slot| slot.at <= at);
        let slot = n.checked_sub(1).and_then(|n| self.slots.get(n));
        slot.into_iter().flat_map(|slot| &slot.on).filter_map(|n| self.duties.get(*n))
    }

    /// Who is on the floor at a minute.
    pub fn who(&self, at: Minute) -> BTreeSet<&str> {
        let on = self.at(at).filter(|duty| duty.kind == Kind::Work).map(|duty| &*duty.person);
        on.chain(self.always.iter().map(|id| &**id)).collect()
    }

    /// Who is on call at a minute.
    pub fn on_call(&self, at: Minute) -> BTreeSet<&str> {
        self.at(at).filter(|duty| duty.kind == Kind::OnCall).map(|duty| &*duty.person).collect()
    }

    /// Is this person on the floor at a minute?
    pub fn on_shift(&self, person: &str, at: Minute) -> bool {
        self.always.contains(person) || self.shift_at(person, at).is_some()
    }

    /// The person's duty on the floor at a minute.
    pub fn shift_at(&self, person: &str, at: Minute) -> Option<&Duty> {
        let list = self.by_person.get(person)?;
        let begun = list.partition_point(|n| self.duties.get(*n).is_some_and(|duty| duty.from <= at));
        // A duty lasts at most a day and rarely stands beside another: the last few are enough.
        let before = list.get(begun.saturating_sub(4)..begun)?.iter().rev();
        let mut duties = before.filter_map(|n| self.duties.get(*n));
        duties.find(|duty| duty.kind == Kind::Work && duty.from <= at && at < duty.to)
    }

    /// Those on shift at every minute.
    pub fn always(&self) -> impl Iterator<Item = &PersonId> {
        self.always.iter()
    }

    /// On shift at every minute, by the plan's word.
    pub fn is_always_on(&self, person: &str) -> bool {
        self.always.contains(person)
    }
}

/// Sweeps over the beginnings and ends: a new slot wherever somebody comes or goes.
fn slots(duties: &[Duty]) -> Vec<Slot> {
    let mut turns: BTreeMap<Minute, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (n, duty) in duties.iter().enumerate().filter(|(_, d)| d.kind != Kind::Training && d.from < d.to) {
        turns.entry(duty.from).or_default().0.push(n);
        turns.entry(duty.to).or_default().1.push(n);
    }
    let mut on = BTreeSet::new();
    let mut out = Vec::with_capacity(turns.len());
    for (at, (come, go)) in turns {
        go.iter().for_each(|n| {
            on.remove(n);
        });
        on.extend(come);
        out.push(Slot { at, on: on.iter().copied().collect() });
    }
    out
}
