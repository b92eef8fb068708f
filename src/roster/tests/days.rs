//! Days that are odd: the year's end, make-up days, leap days, midnight.

use super::*;

#[test]
fn working_days_turn_with_the_calendar() {
    let rotation = Rotation::new(Template::Workdays, date(2026, 2, 9), vec![vec!["a".into()]]);
    let days = rotation.assignments(date(2026, 2, 9), date(2026, 3, 2), &calendar());
    let dates: Vec<i8> = days.iter().map(|a| a.date.day()).collect();
    // 14 and 28 February are Saturdays worked in place of others, 15 to 23 the Spring Festival.
    assert_eq!(dates, [9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28]);
}

/// A second source: `is_workday` of PyPI's chinese-calendar 1.11.0 for each day of 2026, a line a month, `W` or `-`
/// (`python3 -c "import chinese_calendar"` and a loop over the year). Every day counted from every day must agree too.
#[test]
fn all_days_of_2026_are_what_chinese_calendar_says() {
    let theirs: Vec<bool> =
        include_str!("workdays-2026.txt").lines().flat_map(str::chars).map(|day| day == 'W').collect();
    assert_eq!((theirs.len(), theirs.iter().filter(|day| **day).count()), (365, 248));
    let calendar = calendar();
    let days: Vec<Date> = dates(date(2026, 1, 1), date(2027, 1, 1)).collect();
    let ours: Vec<bool> = days.iter().map(|day| calendar.is_workday(*day)).collect();
    assert_eq!(ours, theirs);
    for (n, day) in days.iter().enumerate() {
        let mut after =
            days.iter().zip(&theirs).skip(n + 1).filter(|(_, workday)| **workday).map(|(day, _)| *day);
        for count in 1..=15 {
            let Some(theirs) = after.next() else { break };
            assert_eq!(calendar.add_workdays(*day, count).value, theirs, "{day} + {count}");
        }
    }
}

#[test]
fn a_need_of_working_days_holds_on_a_make_up_saturday() {
    let mut roster = roster(
        "[[person]]\nid = \"a\"\n[[need]]\nwanted = \"agents\"\npeople = 2\nfrom = \"09:00\"\nto = \"17:30\"\ndays = [\"workday\"]\n[[plan]]\nname = \"p\"\nfrom = 2026-02-13\n",
    );
    let gaps = |roster: &Roster, day: i8| {
        let (from, to) = (date(2026, 2, day), date(2026, 2, day + 1));
        let report = roster.check(roster.plan("p").unwrap(), from, to, &calendar());
        report.findings.iter().filter(|f| f.code == Code::Seats).map(|f| f.missing).collect::<Vec<_>>()
    };
    assert_eq!(gaps(&roster, 13), [2]);
    assert_eq!(gaps(&roster, 14), [2], "Saturday, a make-up day");
    assert_eq!(gaps(&roster, 15), [0u16; 0], "Sunday, a holiday");
    roster.needs[0].days = vec![crate::base::DayKind::Holiday];
    assert_eq!(gaps(&roster, 14), [0u16; 0]);
    assert_eq!(gaps(&roster, 15), [2]);
}

#[test]
fn a_night_belongs_to_its_date_and_is_worked_on_the_next() {
    let roster =
        one("[[person]]\nid = \"a\"\n", &[("night", date(2026, 12, 31)), ("night12", date(2028, 2, 28))]);
    let plan = roster.plan("p").unwrap();
    let schedule = Schedule::new(&roster, plan, date(2026, 12, 31), date(2028, 3, 1), &calendar());
    let on = |day: Date, hour: i64| schedule.on_shift("a", Minute::on(day, hour * 60));
    assert!(!on(date(2026, 12, 31), 23));
    assert!(on(date(2027, 1, 1), 0) && on(date(2027, 1, 1), 7), "over the year's end");
    assert!(!on(date(2027, 1, 1), 8));
    assert!(on(date(2028, 2, 28), 20) && on(date(2028, 2, 29), 7), "into the leap day");
    assert!(!on(date(2028, 2, 29), 8) && !on(date(2028, 2, 28), 19));
    assert_eq!(schedule.who(Minute::on(date(2028, 2, 29), 0)), ["a"].into());
    assert_eq!(schedule.who(Minute::on(date(2026, 1, 1), 0)), [""; 0].into(), "before all of it");
}

#[test]
fn a_gap_over_midnight_is_told_for_each_day() {
    let roster =
        one("[[person]]\nid = \"a\"\n", &[("late", date(2026, 12, 30)), ("early", date(2027, 1, 1))]);
    let plan = roster.plan("p").unwrap();
    let report = roster.check(plan, date(2026, 12, 30), date(2027, 1, 2), &calendar());
    let told: Vec<_> = report.gaps().map(|f| f.en.clone()).collect();
    assert_eq!(
        told,
        [
            "2026-12-30 00:00–16:00: no agent is on shift",
            "2026-12-31 00:00–24:00: no agent is on shift",
            "2027-01-01 00:00–08:00: no agent is on shift",
            "2027-01-01 16:00–24:00: no agent is on shift",
        ]
    );
    assert!(
        report.findings.iter().any(|f| f.code == Code::CalendarMissing && f.date == Some(date(2027, 1, 1)))
    );
}

#[test]
fn statutory_minutes_are_those_of_the_day_itself() {
    // The night of 30 September is worked on 1 October; the night of 3 October on the 4th, which is a moved weekend.
    let roster = one(
        "[[person]]\nid = \"a\"\n",
        &[("night", date(2026, 9, 30)), ("night", date(2026, 10, 3)), ("night12", date(2026, 10, 6))],
    );
    let (from, to) = (date(2026, 9, 30), date(2026, 10, 9));
    let schedule = Schedule::new(&roster, roster.plan("p").unwrap(), from, to, &calendar());
    let share = Fairness::of(&roster, &schedule, &calendar(), from, to).shares["a"].clone();
    assert_eq!((share.statutory_minutes, share.nights, share.holiday_days), (8 * 60, 3, 3));
    let report = roster.check(roster.plan("p").unwrap(), from, to, &calendar());
    let paid: Vec<_> =
        report.findings.iter().filter(|f| f.code == Code::StatutoryDay).map(|f| &*f.en).collect();
    assert_eq!(paid, ["2026-10-01 is a statutory day (国庆节): 8.0 h at 300 %, people at work: 1"]);
}

#[test]
fn log_ins_are_held_against_the_plan() {
    let day = date(2026, 11, 26);
    let roster = one("[[person]]\nid = \"a\"\n", &[("early", day), ("night", plus_days(day, 1))]);
    let schedule = Schedule::new(&roster, roster.plan("p").unwrap(), day, plus_days(day, 3), &calendar());
    let at = |hours: i64, minutes: i64| Minute::on(day, hours * 60 + minutes);
    let presence = |hours, minutes| schedule.presence(&roster, "a", at(hours, minutes));
    let early = ShiftCode::from("early");
    assert_eq!(presence(7, 29), Presence::OffShift);
    assert_eq!(presence(7, 31), Presence::Early { shift: early.clone(), minutes: 29 });
    assert_eq!(presence(8, 0), Presence::OnShift { shift: Some(early.clone()), until: Some(at(16, 0)) });
    assert_eq!(presence(16, 10), Presence::Late { shift: early.clone(), minutes: 10 });
    assert_eq!(presence(16, 59), Presence::Late { shift: early, minutes: 59 });
    assert_eq!(presence(17, 0), Presence::OffShift);
    assert!(!presence(17, 0).may_be_ready() && presence(7, 45).may_be_ready());
    assert_eq!(schedule.presence(&roster, "stranger", at(9, 0)), Presence::OffShift);

    let session = |from: Minute, to: Option<Minute>| Session { login: from, logout: to };
    let sessions = [
        session(at(7, 50), Some(at(10, 0))),
        session(at(10, 5), Some(at(15, 30))),
        session(at(48, 20), None),
    ];
    let told = schedule.adherence("a", &sessions, at(0, 0), at(72, 0));
    let figures = |n: usize| {
        let a: &Adherence = &told[n];
        (a.present, a.came_early, a.came_late, a.left_early, a.left_late, a.absent)
    };
    assert_eq!(figures(0), (120 + 325, 10, 0, 30, 0, false));
    assert_eq!(figures(1), (460, 0, 20, 0, 16 * 60, false), "nobody logged out");
    let nobody = schedule.adherence("a", &[], at(0, 0), at(24, 0));
    assert!(nobody[0].absent && nobody[0].present == 0 && nobody.len() == 1);
}
