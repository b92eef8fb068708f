//! 交接班: the sheet that goes from one lead to the next.
//!
//! ```text
//!  Writing ──sign_out(lead)──▶ Offered ──sign_in(next lead)──▶ Taken
//!     ▲                          │
//!     └──────── any change ──────┘
//! ```
//!
//! The rule that always holds: the shift is over only in `Taken`, and nobody takes over from himself.

use super::model::{Kind, PersonId, Roster, ShiftCode};
use super::moment::Minute;
use super::schedule::{Duty, Schedule};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The leads change: who goes, who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The minute at which the next shift begins.
    pub at: Minute,
    pub out: Vec<PersonId>,
    pub into: Vec<PersonId>,
}

/// The changes of leads on the floor from `from` on and before `to`. Where nobody was there is nobody to take over from.
pub fn changes(roster: &Roster, schedule: &Schedule, from: Minute, to: Minute) -> Vec<Change> {
    let is_lead = |duty: &Duty| {
        duty.kind == Kind::Work && roster.people.get(&duty.person).is_some_and(|person| person.lead)
    };
    let leads = |at: Minute| -> BTreeSet<PersonId> {
        schedule.at(at).filter(|duty| is_lead(duty)).map(|duty| PersonId::clone(&duty.person)).collect()
    };
    let begins = schedule.duties().iter().filter(|duty| is_lead(duty)).map(|duty| duty.from);
    let turns: BTreeSet<Minute> = begins.filter(|at| (from..to).contains(at)).collect();
    let change = |at: Minute| {
        let (out, now) = (leads(at.plus(-1)), leads(at));
        let into: Vec<PersonId> = now.difference(&out).cloned().collect();
        let change = Change { at, out: out.into_iter().collect(), into };
        (!change.out.is_empty() && !change.into.is_empty()).then_some(change)
    };
    turns.into_iter().filter_map(change).collect()
}

/// What a line of the sheet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    UrgentTicket,
    PromisedCallback,
    Crisis,
    Fault,
    /// 必读: the next lead must say of each that he has read it.
    MustRead,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub matter: Matter,
    /// The ticket, callback, alarm or notice it points to.
    pub reference: String,
    pub note: String,
    pub by: PersonId,
    pub at: Minute,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Writing,
    Offered { by: PersonId, at: Minute },
    Taken { from: PersonId, by: PersonId, offered_at: Minute, at: Minute },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the sheet is signed by both: it is closed")]
    Closed,
    #[error("the outgoing lead has not signed")]
    NotOffered,
    #[error("nobody takes over from himself")]
    SamePerson,
    #[error("not read yet: {0}")]
    Unread(String),
    #[error("there is no notice {0}")]
    NoNotice(String),
    #[error("the sheet is full: {MOST_ITEMS} lines")]
    Full,
}

/// Lines of a sheet.
pub const MOST_ITEMS: usize = 500;

/// One shift's sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub date: Date,
    pub shift: ShiftCode,
    items: Vec<Item>,
    /// Notices the next lead has read.
    read: BTreeSet<String>,
    state: State,
}

impl Sheet {
    pub fn new(date: Date, shift: ShiftCode) -> Self {
        Self { date, shift, items: Vec::new(), read: BTreeSet::new(), state: State::Writing }
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    pub const fn state(&self) -> &State {
        &self.state
    }

    /// May the outgoing lead go?
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Taken { .. })
    }

    /// Adds a line. A signature of the outgoing lead falls: he signs what the sheet says now.
    pub fn add(&mut self, item: Item) -> Result<(), Refused> {
        self.open()?;
        if self.items.len() >= MOST_ITEMS {
            return Err(Refused::Full);
        }
        self.items.push(item);
        self.state = State::Writing;
        Ok(())
    }

    /// Takes out what is settled meanwhile; true when there was such a line.
    pub fn settle(&mut self, matter: Matter, reference: &str) -> Result<bool, Refused> {
        self.open()?;
        let before = self.items.len();
        self.items.retain(|item| item.matter != matter || item.reference != reference);
        let gone = self.items.len() < before;
        if gone {
            self.state = State::Writing;
        }
        Ok(gone)
    }

    /// The outgoing lead signs. An empty sheet is signed too: it says that nothing is open.
    pub fn sign_out(&mut self, by: PersonId, at: Minute) -> Result<(), Refused> {
        self.open()?;
        self.read.clear();
        self.state = State::Offered { by, at };
        Ok(())
    }

    /// The next lead has read a notice.
    pub fn read(&mut self, reference: &str) -> Result<(), Refused> {
        if !matches!(self.state, State::Offered { .. }) {
            self.open()?;
            return Err(Refused::NotOffered);
        }
        if !self.notices().any(|notice| notice == reference) {
            return Err(Refused::NoNotice(reference.to_owned()));
        }
        self.read.insert(reference.to_owned());
        Ok(())
    }

    /// The next lead signs: the shift is over.
    pub fn sign_in(&mut self, by: PersonId, at: Minute) -> Result<(), Refused> {
        self.open()?;
        let State::Offered { by: from, at: offered_at } = &self.state else {
            return Err(Refused::NotOffered);
        };
        if *from == by {
            return Err(Refused::SamePerson);
        }
        if let Some(notice) = self.notices().find(|notice| !self.read.contains(*notice)) {
            return Err(Refused::Unread(notice.to_owned()));
        }
        self.state = State::Taken { from: PersonId::clone(from), by, offered_at: *offered_at, at };
        Ok(())
    }

    fn notices(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|item| item.matter == Matter::MustRead).map(|item| &*item.reference)
    }

    fn open(&self) -> Result<(), Refused> {
        if self.is_over() { Err(Refused::Closed) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_shift_is_over_when_both_have_signed_what_it_says() {
        let (old, new) = (PersonId::from("lead"), PersonId::from("lead2"));
        let line = |matter, reference: &str| Item {
            matter,
            reference: reference.into(),
            note: String::new(),
            by: PersonId::clone(&old),
            at: Minute(0),
        };
        let mut sheet = Sheet::new(date(2026, 11, 26), "early".into());
        sheet.add(line(Matter::UrgentTicket, "261126000018")).unwrap();
        sheet.add(line(Matter::MustRead, "storm")).unwrap();
        assert_eq!(sheet.sign_in(PersonId::clone(&new), Minute(1)), Err(Refused::NotOffered));
        assert_eq!(sheet.read("storm"), Err(Refused::NotOffered));
        sheet.sign_out(PersonId::clone(&old), Minute(2)).unwrap();
        assert_eq!(sheet.sign_in(PersonId::clone(&old), Minute(3)), Err(Refused::SamePerson));
        assert_eq!(sheet.sign_in(PersonId::clone(&new), Minute(3)), Err(Refused::Unread("storm".into())));
        assert_eq!(sheet.read("snow"), Err(Refused::NoNotice("snow".into())));
        sheet.read("storm").unwrap();
        sheet.add(line(Matter::Crisis, "c-01-00001-0000000001")).unwrap();
        assert_eq!(
            sheet.sign_in(PersonId::clone(&new), Minute(4)),
            Err(Refused::NotOffered),
            "a new line, a new signature"
        );
        assert_eq!(sheet.settle(Matter::UrgentTicket, "261126000018"), Ok(true));
        assert_eq!(sheet.settle(Matter::UrgentTicket, "261126000018"), Ok(false));
        sheet.sign_out(PersonId::clone(&old), Minute(5)).unwrap();
        assert!(!sheet.is_over());
        assert_eq!(
            sheet.sign_in(PersonId::clone(&new), Minute(6)),
            Err(Refused::Unread("storm".into())),
            "read again with it"
        );
        sheet.read("storm").unwrap();
        sheet.sign_in(PersonId::clone(&new), Minute(6)).unwrap();
        assert!(sheet.is_over());
        assert_eq!(sheet.add(line(Matter::Fault, "x")), Err(Refused::Closed));
        assert_eq!(sheet.sign_out(new, Minute(7)), Err(Refused::Closed));
    }

    #[test]
    fn leads_who_change_hand_over_and_nobody_else_does() {
        let day = date(2026, 11, 26);
        let (roster, _) = crate::roster::demo_roster(day);
        let next = crate::roster::plus_days(day, 1);
        let calendar = crate::roster::Calendar::default();
        let schedule = roster.schedule(day, crate::roster::plus_days(day, 2), &calendar);
        let found = changes(&roster, &schedule, Minute::on(day, 0), Minute::on(next, 0));
        assert!(found.len() >= 2, "a day has more than one shift: {found:?}");
        for Change { at, out, into } in &found {
            let lead = |id: &PersonId| roster.people.get(id).is_some_and(|person| person.lead);
            assert!(out.iter().chain(into).all(lead), "{at}");
            assert!(into.iter().all(|id| !out.contains(id)), "{at}: nobody takes over from himself");
            let begins = |id: &PersonId| schedule.of_person(id).any(|duty| duty.from == *at);
            assert!(into.iter().all(begins), "{at}");
        }
        assert_eq!(changes(&roster, &schedule, found[0].at.plus(1), found[1].at), []);
    }

    #[test]
    fn a_sheet_has_an_end() {
        let mut sheet = Sheet::new(date(2026, 11, 26), "early".into());
        let line = |n: usize| Item {
            matter: Matter::Fault,
            reference: n.to_string(),
            note: String::new(),
            by: "lead".into(),
            at: Minute(0),
        };
        (0..MOST_ITEMS).for_each(|n| sheet.add(line(n)).unwrap());
        assert_eq!(sheet.add(line(0)), Err(Refused::Full));
    }
}
