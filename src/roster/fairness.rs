//! Who carries the nights, the weekends and the holidays.

use super::Calendar;
use super::law::{by_day, night_of};
use super::model::{Kind, PersonId, Roster};
use super::schedule::Schedule;
use crate::base::DayKind;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// One person's share of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub days: u32,
    pub nights: u32,
    pub weekend_days: u32,
    pub holiday_days: u32,
    pub on_call: u32,
    pub paid_minutes: i64,
    /// Minutes on statutory days, paid threefold.
    pub statutory_minutes: i64,
}

/// Everybody's share, and how far apart the people of one contract and role are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fairness {
    pub shares: BTreeMap<PersonId, Share>,
}

/// Fewest, mean (in tenths) and most among those who have any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    pub fewest: u32,
    pub mean_tenths: u32,
    pub most: u32,
    pub people: u32,
}

impl Fairness {
    /// Counts duties that begin under a date of `[from, to)`.
    pub fn of(roster: &Roster, schedule: &Schedule, calendar: &Calendar, from: Date, to: Date) -> Self {
        let mut shares: BTreeMap<PersonId, Share> = BTreeMap::new();
        let mut days: BTreeSet<(&str, Date)> = BTreeSet::new();
        for duty in schedule.duties().iter().filter(|duty| from <= duty.date && duty.date < to) {
            let share = shares.entry(PersonId::clone(&duty.person)).or_default();
            if duty.kind == Kind::OnCall {
                share.on_call += 1;
                continue;
            }
            share.paid_minutes += duty.paid;
            let night = night_of(roster, duty) >= roster.rules.night_counts_from;
            share.nights += u32::from(night);
            share.days += u32::from(days.insert((&duty.person, duty.date)));
            // A day is a weekend's or a holiday's by where most of the shift lies.
            let parts = by_day(duty.from, duty.to);
            if let Some((day, _)) = parts.iter().rev().max_by_key(|(_, minutes)| *minutes) {
                match calendar.day_kind(*day) {
                    DayKind::Weekend => share.weekend_days += 1,
                    DayKind::Holiday => share.holiday_days += 1,
                    DayKind::Workday => {}
                }
            }
            let statutory = parts.iter().filter(|(day, _)| calendar.is_statutory(*day));
            share.statutory_minutes += statutory.map(|(_, minutes)| minutes).sum::<i64>();
        }
        Self { shares }
    }

    pub fn spread(&self, of: impl Fn(&Share) -> u32) -> Spread {
        let all: Vec<u32> = self.shares.values().map(of).filter(|n| *n > 0).collect();
        let people = u32::try_from(all.len()).unwrap_or(u32::MAX);
        Spread {
            fewest: all.iter().copied().min().unwrap_or(0),
            mean_tenths: (all.iter().sum::<u32>() * 10).checked_div(people).unwrap_or(0),
            most: all.iter().copied().max().unwrap_or(0),
            people,
        }
    }
}
