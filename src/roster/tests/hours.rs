//! Hours, nights and protection at their edges.

use super::*;
use crate::roster::law::{by_day, no_nights};

const AVERAGED: &str = "[[contract]]\nname = \"averaged\"\ncycle = \"year\"\nnumber = \"1\"\ndate = 2026-01-01\n[[person]]\nid = \"a\"\ncontract = \"averaged\"\n";

#[test]
fn the_four_team_cycles_are_42_hours_a_week_and_2190_a_year() {
    for (template, a_cycle) in [(Template::FourThree, 8), (Template::FourTwo, 4)] {
        let teams = ["a", "b", "c", "d"].map(|id| vec![PersonId::from(id)]).to_vec();
        let rotation = Rotation::new(template, date(2026, 1, 1), teams);
        let roster = roster("");
        let hours = |days| {
            let all = rotation.assignments(date(2026, 1, 1), plus_days(date(2026, 1, 1), days), &calendar());
            let theirs = all.iter().filter(|a| &*a.person == "a");
            theirs.map(|a| roster.shifts[&a.shift].paid()).sum::<i64>() / 60
        };
        assert_eq!(hours(a_cycle * 7), 42 * a_cycle);
        // 365 days are no whole number of cycles: the mean is the domain's 2,190 h.
        assert!((2_184..=2_200).contains(&hours(365)), "{}", hours(365));
        assert!(hours(365) > 248 * 8);
    }
}

#[test]
fn eleven_hours_are_rest_and_less_is_not() {
    let day = date(2026, 11, 24);
    let shift = "[[shift]]\ncode = \"x\"\nstart = \"09:00\"\nend = \"13:00\"\n[[shift]]\ncode = \"y\"\nstart = \"08:59\"\nend = \"13:00\"\n";
    for (code, found) in [("x", vec![]), ("y", vec![(Code::Rest, Some(plus_days(day, 1)))])] {
        let person = format!("{shift}[[person]]\nid = \"a\"\n");
        // s13 ends at 22:00.
        let roster = one(&person, &[("s13", day), (code, plus_days(day, 1))]);
        assert_eq!(codes(&roster, day, plus_days(day, 3)), found, "{code}");
    }
}

#[test]
fn seven_nights_may_run_and_eight_may_not() {
    let first = date(2026, 11, 23);
    for (nights, found) in [(7, vec![]), (8, vec![(Code::NightsRunning, Some(date(2026, 11, 30)))])] {
        let turns: Vec<_> = (0..nights).map(|n| ("crew", plus_days(first, n))).collect();
        let roster = one(AVERAGED, &turns);
        let told: Vec<_> = codes(&roster, first, plus_days(first, 10));
        let told: Vec<_> = told.into_iter().filter(|(code, _)| *code != Code::DayOff).collect();
        assert_eq!(told, found, "{nights}");
    }
}

#[test]
fn whom_the_law_keeps_from_nights() {
    let person = |line: &str| roster(&format!("[[person]]\nid = \"a\"\n{line}\n")).people["a"].clone();
    let rules = roster("");
    let code = |line: &str, day: Date| no_nights(&rules, &person(line), day).map(|(code, ..)| code);
    assert_eq!(code("birth = 2008-11-27", date(2026, 11, 26)), Some(Code::MinorNight));
    assert_eq!(code("birth = 2008-11-26", date(2026, 11, 26)), None, "eighteen today");
    assert_eq!(code("birth = 2008-02-29", date(2026, 2, 28)), Some(Code::MinorNight));
    assert_eq!(code("birth = 2008-02-29", date(2026, 3, 1)), None);
    // 28 weeks from 2026-05-14 are full on 2026-11-26; the same by the day of birth, 2027-02-18.
    for line in ["pregnant_from = 2026-05-14", "due = 2027-02-18"] {
        assert_eq!(code(line, date(2026, 11, 25)), None, "{line}");
        assert_eq!(code(line, date(2026, 11, 26)), Some(Code::PregnantNight), "{line}");
    }
    assert_eq!(code("due = 2027-02-18", date(2027, 3, 19)), None, "long born");
    assert_eq!(code("nursing_until = 2026-11-27", date(2026, 11, 26)), Some(Code::NursingNight));
    assert_eq!(code("nursing_until = 2026-11-27", date(2026, 11, 27)), None);
    assert_eq!(code("", date(2026, 11, 27)), None);
}

#[test]
fn overtime_is_what_a_month_has_beyond_its_working_days() {
    // Eight hours on all 30 days of November 2026 with 21 working days: 72 h of overtime, and the 36th hour is passed on the last Sunday but one.
    let turns: Vec<_> = (0..30).map(|n| ("s08", plus_days(date(2026, 11, 1), n))).collect();
    let roster = one("[[person]]\nid = \"a\"\n", &turns);
    let told = codes(&roster, date(2026, 11, 1), date(2026, 12, 1));
    assert_eq!(told.iter().filter(|(code, _)| *code == Code::Overtime).count(), 1);
    assert!(told.iter().any(|(code, _)| *code == Code::WeeklyHours));
    assert!(told.iter().any(|(code, _)| *code == Code::DayOff));
    // Working days only: nothing to tell.
    let days = dates(date(2026, 11, 1), date(2026, 12, 1)).filter(|day| calendar().is_workday(*day));
    let roster = one("[[person]]\nid = \"a\"\n", &days.map(|day| ("s08", day)).collect::<Vec<_>>());
    assert_eq!(codes(&roster, date(2026, 11, 1), date(2026, 12, 1)), []);
}

#[test]
fn a_year_has_an_end_of_its_hours() {
    // Twelve hours on five days of seven, all 2026: 3,132 h against 1,984 and 432 of overtime.
    let roster = |cycle: &str| {
        let person = AVERAGED.replace("year", cycle);
        let days = (0..365).filter(|n| n % 7 < 5).map(|n| ("day12", plus_days(date(2026, 1, 1), n)));
        one(&person, &days.collect::<Vec<_>>())
    };
    let told = |cycle: &str| {
        let all = codes(&roster(cycle), date(2026, 1, 1), date(2027, 1, 1));
        let of = |wanted: Code| all.iter().filter(|(code, _)| *code == wanted).count();
        (of(Code::Overtime), of(Code::YearlyHours))
    };
    assert_eq!(told("year"), (1, 0), "the cycle is the year: told once");
    assert_eq!(told("quarter"), (4, 1));
    assert_eq!(told("month"), (12, 1));
}

#[test]
fn an_approval_holds_from_its_date_until_its_end() {
    let turns = [("early", date(2026, 11, 24))];
    let contract = |rest: &str| {
        format!("[[contract]]\nname = \"c\"\n{rest}\n[[person]]\nid = \"a\"\ncontract = \"c\"\n")
    };
    for (rest, holds) in [
        ("number = \"1\"\ndate = 2026-11-24", true),
        ("number = \"1\"\ndate = 2026-11-25", false),
        ("number = \"1\"\ndate = 2026-01-01\nuntil = 2026-11-24", true),
        ("number = \"1\"\ndate = 2026-01-01\nuntil = 2026-11-23", false),
        ("number = \" \"\ndate = 2026-01-01", false),
        ("number = \"1\"", false),
    ] {
        let roster = one(&contract(rest), &turns);
        let told = codes(&roster, date(2026, 11, 24), date(2026, 11, 25));
        assert_eq!(told.is_empty(), holds, "{rest}: {told:?}");
    }
}

#[test]
fn stretches_are_cut_at_midnight() {
    let from = Minute::on(date(2028, 2, 28), 22 * 60);
    assert_eq!(by_day(from, from.plus(600)), [(date(2028, 2, 28), 120), (date(2028, 2, 29), 480)]);
    assert_eq!(by_day(from, from), []);
}
