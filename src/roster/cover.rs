//! Coverage as a strip: for each half hour how many are planned, and how many are asked for.

use super::Calendar;
use super::coverage::{day_key, gaps};
use super::forecast::required_by_kind;
use super::model::{Kind, Roster, Wanted};
use super::moment::{DAY, Minute, dates};
use super::schedule::{Duty, Schedule};
use jiff::civil::Date;

/// Minutes of a piece of the strip.
pub const PIECE: i64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cover {
    pub at: Minute,
    /// Agents on shift, the fewest within the half hour; leads take no seat.
    pub agents: u16,
    pub leads: u16,
    pub on_call: u16,
    /// What the rules of the house ask for.
    pub needed: u16,
    /// What the forecast asks for by Erlang C; `None` without a forecast.
    pub forecast: Option<u16>,
}

impl Cover {
    /// Seats required: the larger of both.
    pub fn required(&self) -> u16 {
        self.needed.max(self.forecast.unwrap_or(0))
    }

    pub fn missing(&self) -> u16 {
        self.required().saturating_sub(self.agents)
    }
}

impl Roster {
    /// The strip of `[from, to)`. At least one agent is needed at every minute.
    pub fn cover(&self, schedule: &Schedule, calendar: &Calendar, from: Date, to: Date) -> Vec<Cover> {
        let required = self.forecast.as_ref().map(required_by_kind);
        let lead = |duty: &Duty| self.people.get(&duty.person).map(|person| person.lead);
        let agent = |duty: &Duty| duty.kind == Kind::Work && lead(duty) == Some(false);
        let leads = |duty: &Duty| duty.kind == Kind::Work && lead(duty) == Some(true);
        let on_call = |duty: &Duty| duty.kind == Kind::OnCall;
        let fewest = |at: Minute, counts: &dyn Fn(&Duty) -> bool| {
            let stretches = gaps(schedule, at, at.plus(PIECE), u16::MAX, counts);
            stretches.iter().map(|gap| gap.there).min().unwrap_or(0)
        };
        let mut out = Vec::new();
        for date in dates(from, to) {
            let kind = calendar.day_kind(date);
            let day = required.as_ref().and_then(|required| required.get(&day_key(kind)));
            for (slot, begin) in (0..).zip((0..DAY).step_by(30)) {
                let at = Minute::on(date, begin);
                let holds = |need: &&super::model::Need| {
                    need.wanted == Wanted::Agents
                        && need.holds_on(kind)
                        && need.from < begin + PIECE
                        && begin < need.to
                };
                let needs = self.needs.iter().filter(holds).map(|need| need.people);
                out.push(Cover {
                    at,
                    agents: fewest(at, &agent),
                    leads: fewest(at, &leads),
                    on_call: fewest(at, &on_call),
                    needed: needs.max().unwrap_or(0).max(1),
                    forecast: day.and_then(|day| day.get::<usize>(slot)).copied(),
                });
            }
        }
        out
    }
}
