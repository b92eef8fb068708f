//! Hours of a day, a week, a cycle and a year, and the approval of 综合工时.

use super::check::Told;
use super::law::{Look, tenths};
use super::model::{Contract, Cycle, Person};
use super::moment::plus_days;
use super::rules::Code;
use super::schedule::Duty;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A day of the standard system, minutes.
const STANDARD_DAY: i64 = 8 * 60;

pub(super) fn daily(look: &Look<'_>, person: &Person, works: &[&Duty], told: &mut Told<'_>) {
    let averaged = matches!(person.contract, Contract::Averaged { .. });
    let most = look.limit(if averaged { Code::Averaging } else { Code::DailyHours }) * 60;
    let mut days: BTreeMap<Date, (i64, &Duty)> = BTreeMap::new();
    for duty in works.iter().filter(|duty| look.shown(duty.date)) {
        let day = days.entry(duty.date).or_insert((0, duty));
        *day = (day.0 + duty.paid, duty);
    }
    for (day, (minutes, duty)) in days.into_iter().filter(|(_, (minutes, _))| *minutes > most) {
        let (hours, most) = (tenths(minutes), tenths(most));
        let words = (
            format!("{}（{}）{day} 工作 {hours} 小时，超过 {most}", person.name, person.id),
            format!("{} works {hours} h on {day}, more than {most}", person.id),
        );
        told.of(Code::DailyHours, Some(&person.id), Some(day), duty.place.clone(), words);
    }
}

/// The hours of weeks, and whether the pattern needs an approved 综合工时.
pub(super) fn weekly(look: &Look<'_>, person: &Person, works: &[&Duty], turning: bool, told: &mut Told<'_>) {
    let most = look.limit(Code::WeeklyHours) * 60;
    let place = || person.place.clone();
    let first = works.iter().find(|duty| look.shown(duty.date)).map(|duty| duty.date);
    let Some(first) = first else { return };
    if let Contract::Averaged { approval, .. } = &person.contract {
        let (zh, en) = match approval {
            None => {
                ("没有批准文号和日期".to_owned(), "the number and date of the approval are missing".into())
            }
            Some(approval) if !approval.holds(first) => (
                format!("批准 {} 在 {first} 无效", approval.number),
                format!("approval {} does not hold on {first}", approval.number),
            ),
            Some(_) => return,
        };
        let words = (
            format!("{}（{}）按综合工时排班，{zh}", person.name, person.id),
            format!("{} works averaged hours, and {en}", person.id),
        );
        return told.of(Code::Averaging, Some(&person.id), Some(first), place(), words);
    }
    if turning {
        let words = (
            format!("{}（{}）轮班超过标准工时，须有经批准的综合工时（文号、日期）", person.name, person.id),
            format!(
                "{} turns by a cycle over the standard hours, which needs an approved 综合工时",
                person.id
            ),
        );
        told.of(Code::Averaging, Some(&person.id), Some(first), place(), words);
    }
    let mut weeks: BTreeMap<Date, (i64, &Duty)> = BTreeMap::new();
    for duty in works {
        let monday = plus_days(duty.date, -i64::from(duty.date.weekday().to_monday_zero_offset()));
        let week = weeks.entry(monday).or_insert((0, duty));
        *week = (week.0 + duty.paid, duty);
    }
    for (monday, (minutes, duty)) in weeks {
        if minutes > most && look.shown(duty.date) {
            let (hours, most) = (tenths(minutes), tenths(most));
            let words = (
                format!("{}（{}）{monday} 这周 {hours} 小时，超过 {most}", person.name, person.id),
                format!("{} works {hours} h in the week of {monday}, more than {most}", person.id),
            );
            told.of(Code::WeeklyHours, Some(&person.id), Some(duty.date), duty.place.clone(), words);
        }
    }
}

/// The cycle a day is in: its first day, the next one's first day, its months.
fn cycle_of(cycle: Cycle, day: Date) -> (Date, Date, i64) {
    let (year, month) = (day.year(), day.month());
    let (first, months) = match cycle {
        Cycle::Month => (month, 1),
        Cycle::Quarter => (month - (month - 1) % 3, 3),
        Cycle::Year => (1, 12),
    };
    let start = Date::new(year, first, 1).unwrap_or(day);
    let end = start.checked_add(jiff::Span::new().months(months)).unwrap_or(Date::MAX);
    (start, end, months)
}

/// Hours over the standard in a month, or in the cycle of 综合工时; and over a year.
pub(super) fn overtime(look: &Look<'_>, person: &Person, works: &[&Duty], told: &mut Told<'_>) {
    let cycle = match &person.contract {
        Contract::Standard => Cycle::Month,
        Contract::Averaged { cycle, .. } => *cycle,
    };
    over(look, person, works, (cycle, Code::Overtime), told);
    if cycle != Cycle::Year {
        over(look, person, works, (Cycle::Year, Code::YearlyHours), told);
    }
}

fn over(
    look: &Look<'_>,
    person: &Person,
    works: &[&Duty],
    (cycle, code): (Cycle, Code),
    told: &mut Told<'_>,
) {
    let mut sums: BTreeMap<(Date, Date, i64), (i64, &Duty)> = BTreeMap::new();
    for duty in works.iter().filter(|duty| look.counted <= duty.date) {
        let sum = sums.entry(cycle_of(cycle, duty.date)).or_insert((0, duty));
        *sum = (sum.0 + duty.paid, duty);
    }
    for ((start, end, months), (minutes, duty)) in sums {
        let first = start.max(look.counted).max(person.hired.unwrap_or(start));
        let standard = i64::from(look.calendar.workdays_between(first, end.min(look.to))) * STANDARD_DAY;
        let most = look.limit(Code::Overtime) * 60 * months;
        if minutes - standard > most && look.shown(duty.date) {
            let (extra, most) = (tenths(minutes - standard), tenths(most));
            let words = (
                format!(
                    "{}（{}）{start} 起 {months} 个月加班 {extra} 小时，超过 {most}",
                    person.name, person.id
                ),
                format!(
                    "{} has {extra} h of overtime in the cycle from {start}, more than {most}",
                    person.id
                ),
            );
            told.of(code, Some(&person.id), Some(duty.date), duty.place.clone(), words);
        }
    }
}
