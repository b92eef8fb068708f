mod coverage;
mod days;
mod demo;
mod faults;
mod floor;
mod hours;
mod requests;

use super::*;
use jiff::civil::{Date, date};

/// The shipped calendar.
fn calendar() -> Calendar {
    let text = include_str!("../../../district/calendar/2026.toml").to_owned();
    let (calendar, problems) = Calendar::read(&[("2026.toml".to_owned(), text)]);
    assert_eq!(problems, []);
    calendar
}

/// The shipped rules and shifts without needs, with this text beside them.
fn roster(text: &str) -> Roster {
    let (roster, problems) = read(text);
    assert_eq!(problems, []);
    roster
}

fn read(text: &str) -> (Roster, Vec<Problem>) {
    let shifts = include_str!("../../../district/roster/shifts.toml");
    let shifts = shifts.split("[[need]]").next().unwrap();
    Roster::read(&[
        ("rules.toml".to_owned(), include_str!("../../../district/roster/rules.toml").to_owned()),
        ("shifts.toml".to_owned(), shifts.to_owned()),
        ("plan.toml".to_owned(), text.to_owned()),
    ])
}

/// One person and his turns: shift, date.
fn one(person: &str, turns: &[(&str, Date)]) -> Roster {
    let mut text = format!("{person}\n[[plan]]\nname = \"p\"\nfrom = {}\n", turns[0].1);
    for (shift, date) in turns {
        text.push_str(&format!("[[plan.assign]]\nperson = \"a\"\nshift = \"{shift}\"\ndates = [{date}]\n"));
    }
    roster(&text)
}

/// What a check of the plan "p" says of people: gaps are another matter.
fn codes(roster: &Roster, from: Date, to: Date) -> Vec<(Code, Option<Date>)> {
    let report = roster.check(roster.plan("p").unwrap(), from, to, &calendar());
    report.findings.iter().filter(|f| f.hours.is_none()).map(|f| (f.code, f.date)).collect()
}
