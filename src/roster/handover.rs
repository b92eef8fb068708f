//! 交接班: the sheet that goes from one lead to the next.
//!
//! ```text
//!  Writing ──sign_out(lead)──▶ Offered ──sign_in(next lead)──▶ Taken
//!     ▲                          │
//!     └──────── any change ──────┘
//! ```
//!
//! The rule that always holds: the shift is over only in `Taken`, and nobody takes over from himself.

use super::model::{PersonId, ShiftCode};
use super::moment::Minute;
use jiff::civil::Date;
use std::collections::BTreeSet;

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
