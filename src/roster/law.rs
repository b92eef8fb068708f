//! One person at a time: slips of the pen, rest, nights, and whom the law protects.

use super::check::Told;
use super::model::{Assignment, Kind, Person, PersonId, Roster};
use super::moment::{DAY, Minute, days_since, plus_days};
use super::rules::Code;
use super::schedule::{Duty, Schedule};
use super::template::Template;
use super::{Calendar, hours};
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};

/// Days of pregnancy after which seven months are full (28 weeks), and before the expected birth (40 weeks less those).
const SEVEN_MONTHS: i64 = 28 * 7;
const BEFORE_DUE: i64 = 12 * 7;

/// What every rule needs to know.
pub(super) struct Look<'a> {
    pub(super) roster: &'a Roster,
    pub(super) calendar: &'a Calendar,
    from: Date,
    pub(super) to: Date,
    /// The first day whose hours are this plan's.
    pub(super) counted: Date,
}

impl Look<'_> {
    pub(super) fn shown(&self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
    pub(super) fn limit(&self, code: Code) -> i64 {
        self.roster.rules.limit(code)
    }
}

pub(super) fn check(
    roster: &Roster,
    assignments: &[Assignment],
    schedule: &Schedule,
    calendar: &Calendar,
    (from, to): (Date, Date),
    told: &mut Told<'_>,
) {
    let counted = told.plan.from;
    let look = Look { roster, calendar, from, to, counted };
    slips(&look, assignments, told);
    years_and_days(&look, schedule, told);
    let turning: BTreeSet<PersonId> = told
        .plan
        .rotations
        .iter()
        .filter(|r| matches!(r.template, Template::FourThree | Template::FourTwo | Template::NightCrew))
        .flat_map(|r| r.teams.iter().flatten().map(|member| member.id.clone()))
        .collect();
    for id in schedule.people() {
        let Some(person) = roster.people.get(id) else { continue };
        let duties: Vec<&Duty> = schedule.of_person(id).collect();
        twice(&look, person, &duties, told);
        let works: Vec<&Duty> = duties.into_iter().filter(|duty| duty.kind != Kind::OnCall).collect();
        rest(&look, person, &works, told);
        protected(&look, person, &works, told);
        in_a_row(&look, person, &works, told);
        hours::daily(&look, person, &works, told);
        hours::weekly(&look, person, &works, turning.contains(id), told);
        hours::overtime(&look, person, &works, told);
    }
}

/// What names nothing, or stands where it can't.
fn slips(look: &Look<'_>, assignments: &[Assignment], told: &mut Told<'_>) {
    let mut leave: BTreeSet<(&str, Date)> = BTreeSet::new();
    for a in assignments.iter().filter(|a| a.kind == Kind::Leave) {
        leave.insert((&a.person, a.date));
    }
    // A rotation repeats the same slip every day: once is enough.
    let mut seen = BTreeSet::new();
    for a in assignments.iter().filter(|a| look.shown(a.date)) {
        let (who, day) = (Some(&a.person), Some(a.date));
        let Some(person) = look.roster.people.get(&a.person) else {
            if seen.insert((Code::UnknownPerson, a.person.clone(), a.place.clone())) {
                let words = (
                    format!("人员 {} 不在名册里", a.person),
                    format!(
                        "nobody has the id \"{}\"{}",
                        a.person,
                        near(&a.person, look.roster.people.keys())
                    ),
                );
                told.of(Code::UnknownPerson, who, day, a.place.clone(), words);
            }
            continue;
        };
        if a.kind != Kind::Leave && !look.roster.shifts.contains_key(&a.shift) {
            if seen.insert((Code::UnknownShift, a.shift.clone(), a.place.clone())) {
                let words = (
                    format!("没有班次 {}", a.shift),
                    format!("there is no shift \"{}\"{}", a.shift, near(&a.shift, look.roster.shifts.keys())),
                );
                told.of(Code::UnknownShift, who, day, a.place.clone(), words);
            }
            continue;
        }
        if !person.in_service(a.date) && seen.insert((Code::NotInService, a.person.clone(), a.place.clone()))
        {
            let words = (
                format!("{}（{}）在 {} 不在职", person.name, person.id, a.date),
                format!("{} is not in service on {}", person.id, a.date),
            );
            told.of(Code::NotInService, who, day, a.place.clone(), words);
        }
        if a.kind != Kind::Leave && leave.contains(&(&a.person, a.date)) {
            let words = (
                format!("{}（{}）{} 休假，又排了 {}", person.name, person.id, a.date, a.shift),
                format!("{} is on leave on {} and has the shift {}", person.id, a.date, a.shift),
            );
            told.of(Code::OnLeave, who, day, a.place.clone(), words);
        }
    }
    let Some(end) = told.plan.to else { return };
    let plan = told.plan;
    for a in plan.assignments.iter().filter(|a| a.date >= end) {
        let words = (
            format!("{} 在计划“{}”之外（至 {end} 前）", a.date, plan.name),
            format!("{} is outside the plan \"{}\", which ends before {end}", a.date, plan.name),
        );
        told.of(Code::OutsidePlan, Some(&a.person), Some(a.date), a.place.clone(), words);
    }
}

/// `, did you mean "x"?`, or nothing.
pub(super) fn near<'a>(word: &str, names: impl Iterator<Item = &'a PersonId>) -> String {
    let scored = names.map(|name| (strsim::damerau_levenshtein(word, name), &**name));
    match scored.min() {
        Some((distance, name)) if distance * 5 <= word.chars().count().max(name.chars().count()) * 2 => {
            format!(", did you mean \"{name}\"?")
        }
        _ => String::new(),
    }
}

/// Years without a calendar, and the days that are paid threefold.
fn years_and_days(look: &Look<'_>, schedule: &Schedule, told: &mut Told<'_>) {
    let last = plus_days(look.to, -1);
    for year in (look.from.year()..=last.year()).filter(|year| !look.calendar.knows(*year)) {
        let first = Date::new(year, 1, 1).unwrap_or(look.from).max(look.from);
        let words = (
            format!("{year} 年没有日历文件，节假日按周一至周五推算"),
            format!("no calendar for {year}: Monday to Friday are counted, no holiday is known"),
        );
        told.of(Code::CalendarMissing, None, Some(first), told.plan.place.clone(), words);
    }
    let mut paid: BTreeMap<Date, (BTreeSet<&str>, i64)> = BTreeMap::new();
    for duty in schedule.duties().iter().filter(|duty| duty.kind == Kind::Work) {
        for (day, minutes) in by_day(duty.from, duty.to) {
            if look.calendar.is_statutory(day) && look.shown(day) {
                let entry = paid.entry(day).or_default();
                entry.0.insert(&duty.person);
                entry.1 += minutes;
            }
        }
    }
    let percent = look.limit(Code::StatutoryDay);
    for (day, (people, minutes)) in paid {
        let (n, hours) = (people.len(), tenths(minutes));
        let name = look.calendar.holiday(day).unwrap_or_default();
        let words = (
            format!("{day} {name}：{n} 人上班，{hours} 小时按 {percent}% 计酬"),
            format!("{day} is a statutory day ({name}): {hours} h at {percent} %, people at work: {n}"),
        );
        told.of(Code::StatutoryDay, None, Some(day), told.plan.place.clone(), words);
    }
}

/// A stretch cut at midnights: each day and its minutes.
pub(super) fn by_day(from: Minute, to: Minute) -> Vec<(Date, i64)> {
    let mut out = Vec::new();
    let mut at = from;
    while at < to {
        let end = at.plus(DAY - at.of_day()).min(to);
        out.push((at.date(), end.0 - at.0));
        at = end;
    }
    out
}

/// Hours with one digit after the point.
pub(super) fn tenths(minutes: i64) -> String {
    let tenths = minutes / 6;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn twice(look: &Look<'_>, person: &Person, duties: &[&Duty], told: &mut Told<'_>) {
    let mut before: Option<&Duty> = None;
    for duty in duties {
        let clash = before.filter(|earlier| duty.from < earlier.to && look.shown(duty.date));
        if let Some(earlier) = clash {
            let words = (
                format!(
                    "{}（{}）{} 的 {} 与 {} 重叠",
                    person.name, person.id, duty.date, earlier.shift, duty.shift
                ),
                format!(
                    "{} is in {} and {} at once from {}",
                    person.id, earlier.shift, duty.shift, duty.from
                ),
            );
            told.of(Code::Twice, Some(&person.id), Some(duty.date), duty.place.clone(), words);
        }
        if before.is_none_or(|earlier| earlier.to < duty.to) {
            before = Some(duty);
        }
    }
}

fn rest(look: &Look<'_>, person: &Person, works: &[&Duty], told: &mut Told<'_>) {
    let least = look.limit(Code::Rest) * 60;
    for (earlier, duty) in works.iter().zip(works.iter().skip(1)) {
        let pause = duty.from.0 - earlier.to.0;
        if (0..least).contains(&pause) && look.shown(duty.date) {
            let hours = tenths(pause);
            let least = tenths(least);
            let words = (
                format!(
                    "{}（{}）{} 的 {} 前只休息 {hours} 小时，少于 {least}",
                    person.name, person.id, duty.date, duty.shift
                ),
                format!(
                    "{} rests {hours} h before {} on {}, less than {least}",
                    person.id, duty.shift, duty.date
                ),
            );
            told.of(Code::Rest, Some(&person.id), Some(duty.date), duty.place.clone(), words);
        }
    }
}

/// Minutes of the night in a duty.
pub(super) fn night_of(roster: &Roster, duty: &Duty) -> i64 {
    let midnight = Minute::on(duty.date, 0);
    roster.rules.night_minutes(duty.from.0 - midnight.0, duty.to.0 - midnight.0)
}

/// The day somebody is `years` old; on 1 March for those born on a leap day.
fn birthday(birth: Date, years: i64) -> Date {
    let year = birth.year().saturating_add(i16::try_from(years).unwrap_or(0));
    Date::new(year, birth.month(), birth.day())
        .unwrap_or_else(|_| Date::new(year, 3, 1).unwrap_or(date(9999, 1, 1)))
}

/// Why somebody must not work at night on a day.
pub(super) fn no_nights(roster: &Roster, person: &Person, day: Date) -> Option<(Code, String, String)> {
    let age = roster.rules.limit(Code::MinorNight);
    if person.birth.is_some_and(|birth| day < birthday(birth, age)) {
        return Some((Code::MinorNight, format!("未满 {age} 周岁"), format!("is under {age}")));
    }
    let by_due = person.due.map(|due| plus_days(due, -BEFORE_DUE));
    let seven = person.pregnant_from.map(|first| plus_days(first, SEVEN_MONTHS)).or(by_due);
    // A pregnancy whose birth is not yet entered lasts: until the due day is a month past.
    let over = person.due.or(person.pregnant_from.map(|first| plus_days(first, 280)));
    if seven.is_some_and(|seven| seven <= day) && over.is_some_and(|over| day <= plus_days(over, 28)) {
        return Some((
            Code::PregnantNight,
            "怀孕满七个月".into(),
            "is more than seven months pregnant".into(),
        ));
    }
    if person.nursing_until.is_some_and(|until| day < until) {
        return Some((Code::NursingNight, "哺乳未满一周岁婴儿".into(), "nurses a child under one".into()));
    }
    None
}

fn protected(look: &Look<'_>, person: &Person, works: &[&Duty], told: &mut Told<'_>) {
    for duty in works.iter().filter(|duty| look.shown(duty.date) && night_of(look.roster, duty) > 0) {
        if let Some((code, zh, en)) = no_nights(look.roster, person, duty.to.plus(-1).date()) {
            let words = (
                format!("{}（{}）{zh}，{} 不得上 {}", person.name, person.id, duty.date, duty.shift),
                format!("{} {en} and must not work {} on {}", person.id, duty.shift, duty.date),
            );
            told.of(code, Some(&person.id), Some(duty.date), duty.place.clone(), words);
        }
    }
}

/// Nights running and days running.
fn in_a_row(look: &Look<'_>, person: &Person, works: &[&Duty], told: &mut Told<'_>) {
    let nights: Vec<&&Duty> = works
        .iter()
        .filter(|duty| night_of(look.roster, duty) >= look.roster.rules.night_counts_from)
        .collect();
    let all: Vec<&&Duty> = works.iter().collect();
    for (code, duties) in [(Code::NightsRunning, nights), (Code::DayOff, all)] {
        let most = look.limit(code);
        let (mut row, mut last): (i64, Option<Date>) = (0, None);
        for duty in duties {
            match last.map(|last| days_since(last, duty.date)) {
                Some(0) => continue,
                Some(1) => row += 1,
                _ => row = 1,
            }
            last = Some(duty.date);
            if row == most + 1 && look.shown(duty.date) {
                let (zh, en) = match code {
                    Code::NightsRunning => ("个夜班", "nights"),
                    _ => ("天", "days"),
                };
                let words = (
                    format!(
                        "{}（{}）到 {} 已连续 {row} {zh}，最多 {most}",
                        person.name, person.id, duty.date
                    ),
                    format!("{} works {row} {en} running up to {}, {most} at most", person.id, duty.date),
                );
                told.of(code, Some(&person.id), Some(duty.date), duty.place.clone(), words);
            }
        }
    }
}
