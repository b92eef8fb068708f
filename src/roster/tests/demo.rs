use super::*;

const TEMPLATES: [&str; 3] = ["four_three", "four_two", "staggered"];

#[test]
fn four_weeks_of_each_template_have_no_gap() {
    // Today, the year's end, before make-up days and a long holiday, a leap day, and the end of a year without a calendar.
    for today in [
        date(2026, 11, 26),
        date(2026, 12, 20),
        date(2026, 2, 9),
        date(2026, 9, 18),
        date(2028, 2, 20),
        date(2027, 12, 20),
    ] {
        let (roster, problems) = demo_roster(today);
        assert_eq!(problems, []);
        for name in TEMPLATES {
            let plan = roster.plan(name).unwrap();
            let report = roster.check(plan, today, plus_days(today, 28), &calendar());
            let told: Vec<_> = report.blocking().map(ToString::to_string).collect();
            assert!(
                told.is_empty(),
                "{name} from {today}: {} findings: {:#?}",
                told.len(),
                &told[..told.len().min(9)]
            );
            assert_eq!(report.gaps().count(), 0);
            assert!(report.publishable());
        }
    }
}

#[test]
fn the_demonstrations_people_are_on_shift_whenever_they_sign_in() {
    let today = date(2026, 12, 31);
    let (roster, _) = demo_roster(today);
    let plan = roster.in_force(today).unwrap();
    assert_eq!(plan.name, "four_three");
    let schedule = Schedule::new(&roster, plan, today, plus_days(today, 28), &calendar());
    for minute in (0..28 * DAY).step_by(30) {
        let at = Minute::on(today, minute);
        for person in ["8001", "8002", "8003", "8004", "lead"] {
            assert!(schedule.on_shift(person, at), "{person} at {at}");
            assert!(schedule.presence(&roster, person, at).may_be_ready());
            assert!(schedule.who(at).contains(person));
        }
        assert_eq!(
            schedule.on_call(at).len(),
            usize::from(!(8 * 60..22 * 60).contains(&at.of_day())),
            "{at}"
        );
    }
    // They have turns of their own too: the four teams take turns.
    let cycles = schedule.of_person("8001").filter(|d| d.date >= today && d.date < plus_days(today, 24));
    assert_eq!(cycles.count(), 18, "six turns in each eight days");
}

#[test]
fn a_plan_is_as_fair_as_its_cycle() {
    let (roster, _) = demo_roster(date(2026, 9, 14));
    let (from, to) = (date(2026, 9, 7), date(2026, 11, 2));
    let plan = roster.plan("four_three").unwrap();
    let schedule = Schedule::new(&roster, plan, from, to, &calendar());
    let fairness = Fairness::of(&roster, &schedule, &calendar(), from, to);
    // 56 days are seven whole cycles: 14 nights for everybody in the four teams.
    let nights = fairness.spread(|share| share.nights);
    assert_eq!((nights.fewest, nights.most, nights.mean_tenths, nights.people), (14, 14, 140, 56));
    let calls = fairness.spread(|share| share.on_call);
    assert_eq!((calls.fewest, calls.most, calls.people), (4, 5, 12));
    assert_eq!(fairness.shares["8001"].paid_minutes, 42 * 8 * 60);
    // Every statutory hour of the autumn belongs to somebody: 25 September and 1 to 3 October, 14 people at each minute.
    let statutory: i64 = fairness.shares.values().map(|share| share.statutory_minutes).sum();
    assert_eq!(statutory, 4 * DAY * 14);
}

#[test]
fn the_table_shows_both_ways_of_counting() {
    let (roster, _) = demo_roster(date(2026, 11, 26));
    let table = roster.forecast.as_ref().unwrap().table(crate::base::DayKind::Workday);
    assert_eq!(table.len(), 48);
    let peak = &table[18];
    assert_eq!(
        (peak.from, peak.erlang),
        (540, Some(20)),
        "domain reference 2.5: 160 calls/h of 300 s, 95/15"
    );
    assert_eq!(table[6].erlang, Some(4));
    for row in &table {
        let difference = row.difference().unwrap();
        assert!((-2..=2).contains(&difference), "{row:?}");
        assert!(row.gave_up < 0.05 && row.asa_s.unwrap() < 15.0, "{row:?}");
    }
    assert_eq!(
        table,
        roster.forecast.as_ref().unwrap().table(crate::base::DayKind::Workday),
        "a seed is a day"
    );
}
