//! Is somebody there at every minute, and as many as are needed? One sweep over the turns of the schedule, no minute by minute.

use super::model::{Forecast, Kind, Roster, Wanted, hours};
use super::moment::{DAY, Minute, dates};
use super::rules::Code;
use super::schedule::{Duty, Schedule};
use super::{Calendar, check::Told};
use crate::base::DayKind;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A stretch with too few people, inside one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: Minute,
    pub to: Minute,
    pub there: u16,
    pub needed: u16,
}

/// Where fewer than `needed` of the duties `counts` takes are running in `[from, to)`. People, not duties: somebody entered twice is one.
pub fn gaps(
    schedule: &Schedule,
    from: Minute,
    to: Minute,
    needed: u16,
    counts: &dyn Fn(&Duty) -> bool,
) -> Vec<Gap> {
    let mut out: Vec<Gap> = Vec::new();
    let mut at = from;
    let slots = schedule.slots();
    let mut next = slots.partition_point(|slot| slot.at <= from);
    while at < to {
        let end = slots.get(next).map_or(to, |slot| slot.at.min(to));
        let running = next.checked_sub(1).and_then(|n| slots.get(n));
        let on = running.into_iter().flat_map(|slot| &slot.on);
        let duties = on.filter_map(|n| schedule.duties().get(*n)).filter(|duty| counts(duty));
        let mut people: Vec<&str> = duties.map(|duty| &*duty.person).collect();
        people.sort_unstable();
        people.dedup();
        let there = u16::try_from(people.len()).unwrap_or(u16::MAX);
        if there < needed {
            match out.last_mut() {
                Some(last) if last.to == at && last.there == there => last.to = end,
                _ => out.push(Gap { from: at, to: end, there, needed }),
            }
        }
        (at, next) = (end, next + 1);
    }
    out
}

/// The duties a need counts.
fn counted<'a>(roster: &'a Roster, wanted: &'a Wanted) -> impl Fn(&Duty) -> bool + 'a {
    move |duty| {
        let Some(person) = roster.people.get(&duty.person) else { return false };
        let works = duty.kind == Kind::Work && person.in_service(duty.date);
        match wanted {
            Wanted::Agents => works && !person.lead,
            Wanted::Lead => works && person.lead,
            Wanted::OnCall => duty.kind == Kind::OnCall && person.in_service(duty.date),
            Wanted::Skill(skill, level) => works && person.can(skill, *level),
        }
    }
}

fn words(wanted: &Wanted) -> (Code, String, String) {
    match wanted {
        Wanted::Agents => (Code::Seats, "坐席".into(), "agents".into()),
        Wanted::Lead => (Code::Lead, "班长".into(), "leads".into()),
        Wanted::OnCall => (Code::OnCall, "备班".into(), "on call".into()),
        Wanted::Skill(skill, level) => {
            (Code::Skill, format!("“{skill}”{level} 级坐席"), format!("{skill} at level {level}"))
        }
    }
}

/// Every gap of `[from, to)`: nobody at all, then each need, then the forecast.
pub(super) fn check(
    roster: &Roster,
    schedule: &Schedule,
    calendar: &Calendar,
    from: Date,
    to: Date,
    told: &mut Told<'_>,
) {
    let anybody = counted(roster, &Wanted::Agents);
    for date in dates(from, to) {
        let (midnight, kind) = (Minute::on(date, 0), calendar.day_kind(date));
        let empty = gaps(schedule, midnight, midnight.plus(DAY), 1, &anybody);
        for gap in &empty {
            let text = hours(gap.from, gap.to);
            told.gap(
                (Code::Nobody, date, (gap.from, gap.to), 1),
                told.plan.place.clone(),
                format!("{date} {text} 没有坐席在岗"),
                format!("{date} {text}: no agent is on shift"),
            );
        }
        for need in roster.needs.iter().filter(|need| need.holds_on(kind)) {
            let (code, zh, en) = words(&need.wanted);
            let counts = counted(roster, &need.wanted);
            for gap in gaps(schedule, midnight.plus(need.from), midnight.plus(need.to), need.people, &counts)
            {
                let within = |e: &Gap| e.from <= gap.from && gap.to <= e.to;
                if need.wanted == Wanted::Agents && need.people == 1 && empty.iter().any(within) {
                    continue;
                }
                let (text, missing) = (hours(gap.from, gap.to), gap.needed - gap.there);
                told.gap(
                    (code, date, (gap.from, gap.to), missing),
                    need.place.clone(),
                    format!("{date} {text} 缺{zh} {missing} 人（在岗 {}，应有 {}）", gap.there, gap.needed),
                    format!("{date} {text}: {en}: {missing} missing ({} of {})", gap.there, gap.needed),
                );
            }
        }
    }
}

/// Required agents of each half hour of a day, by the kind of day.
pub type Required = BTreeMap<u8, Vec<u16>>;

/// The three kinds of day as keys that have an order.
pub(super) const fn day_key(kind: DayKind) -> u8 {
    match kind {
        DayKind::Workday => 0,
        DayKind::Weekend => 1,
        DayKind::Holiday => 2,
    }
}

/// Where a plan has fewer agents than the forecast asks, half hours with the same lack joined.
pub(super) fn against_forecast(
    roster: &Roster,
    schedule: &Schedule,
    calendar: &Calendar,
    range: (Date, Date),
    forecast: &Forecast,
    told: &mut Told<'_>,
) {
    let required = super::forecast::required_by_kind(forecast);
    let agents = counted(roster, &Wanted::Agents);
    for date in dates(range.0, range.1) {
        let Some(day) = required.get(&day_key(calendar.day_kind(date))) else { continue };
        let mut joined: Vec<Gap> = Vec::new();
        for (slot, needed) in (0..).zip(day) {
            let from = Minute::on(date, slot * 30);
            for gap in gaps(schedule, from, from.plus(30), *needed, &agents) {
                match joined.last_mut() {
                    Some(last)
                        if last.to == gap.from && last.needed - last.there == gap.needed - gap.there =>
                    {
                        last.to = gap.to;
                    }
                    _ => joined.push(gap),
                }
            }
        }
        for gap in joined {
            let (text, missing) = (hours(gap.from, gap.to), gap.needed - gap.there);
            told.gap(
                (Code::Forecast, date, (gap.from, gap.to), missing),
                told.plan.place.clone(),
                format!("{date} {text} 比预测需要少 {missing} 人"),
                format!("{date} {text}: {missing} fewer agents than the forecast asks"),
            );
        }
    }
}
