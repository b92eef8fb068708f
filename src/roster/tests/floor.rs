use super::*;

const PEOPLE: &str =
    "[[person]]\nid = \"a\"\n[[person]]\nid = \"b\"\n[[person]]\nid = \"boss\"\nlead = true\n";

/// `a` early and late on the 26th, `b` at night after it, the lead early; nobody else ever.
fn day() -> (Roster, Schedule) {
    let today = date(2026, 11, 26);
    let mut text = format!("{PEOPLE}[[plan]]\nname = \"p\"\nfrom = {today}\nstatus = \"published\"\n");
    for (person, shift) in [("a", "early"), ("a", "late"), ("b", "night"), ("boss", "early")] {
        text.push_str(&format!(
            "[[plan.assign]]\nperson = \"{person}\"\nshift = \"{shift}\"\ndates = [{today}]\n"
        ));
    }
    let roster = roster(&text);
    let schedule = roster.schedule(today, plus_days(today, 3), &calendar());
    (roster, schedule)
}

fn at(hour: i64, minute: i64) -> Minute {
    Minute::on(date(2026, 11, 26), hour * 60 + minute)
}

#[test]
fn who_may_be_ready_follows_shifts_and_what_is_allowed_around_them() {
    let (roster, schedule) = day();
    let may = |minute| -> Vec<String> {
        schedule.may_be_ready(&roster, minute).keys().map(ToString::to_string).collect()
    };
    assert_eq!(may(at(7, 29)), [""; 0]);
    assert_eq!(may(at(7, 30)), ["a", "boss"], "half an hour before");
    assert_eq!(may(at(16, 59)), ["a", "boss"]);
    assert_eq!(may(at(17, 0)), ["a"], "an hour after it the lead may no more");
    assert_eq!(may(at(23, 30)), ["a", "b"]);
    assert_eq!(may(at(25, 0)), ["b"]);
    assert_eq!(may(at(32, 59)), ["b"]);
    assert_eq!(may(at(33, 0)), [""; 0]);
    let turned = &schedule.may_be_ready(&roster, at(16, 30))["boss"];
    assert_eq!(
        (turned.shift.as_deref(), turned.from, turned.to),
        (Some("early"), Some(at(8, 0)), Some(at(16, 0)))
    );
    let early = &schedule.may_be_ready(&roster, at(7, 45))["a"];
    assert_eq!(early.from, Some(at(8, 0)));
}

#[test]
fn presence_changes_only_at_the_turns_that_are_told() {
    let (roster, schedule) = day();
    let (mut now, mut turns) = (at(0, 0), Vec::new());
    let end = at(48, 0);
    let mut before = schedule.may_be_ready(&roster, now).keys().cloned().collect::<Vec<_>>();
    while now < end {
        let next = schedule.next_turn(&roster, now).unwrap_or(end);
        assert!(next > now);
        // Between two turns nothing moves.
        for minute in now.0..next.0.min(end.0) {
            let there: Vec<_> = schedule.may_be_ready(&roster, Minute(minute)).keys().cloned().collect();
            assert_eq!(there, before, "{}", Minute(minute));
        }
        turns.push(next);
        now = next;
        before = schedule.may_be_ready(&roster, now).keys().cloned().collect();
    }
    assert_eq!(turns.first(), Some(&at(7, 30)));
    assert!(
        turns.contains(&at(33, 0)) && turns.contains(&at(7, 30)) && turns.contains(&at(17, 0)),
        "{turns:?}"
    );
    assert_eq!(schedule.next_turn(&roster, at(33, 0)), None);
}

#[test]
fn beginnings_and_ends_are_announced_and_two_shifts_running_are_one() {
    let (roster, schedule) = day();
    let told: Vec<_> = schedule
        .notices(&roster, at(0, 0), at(48, 0))
        .iter()
        .map(|n| (n.at.of_day() / 60, n.at.of_day() % 60, n.duty.person.to_string(), n.word.label()))
        .collect();
    let told: Vec<_> = told.iter().map(|(h, m, who, word)| (*h, *m, &**who, *word)).collect();
    assert_eq!(
        told,
        [
            (7, 50, "a", "shift_begins"),
            (7, 50, "boss", "shift_begins"),
            (15, 50, "boss", "shift_ends"),
            (17, 0, "boss", "shift_over"),
            (23, 50, "a", "shift_ends"),
            (23, 50, "b", "shift_begins"),
            (1, 0, "a", "shift_over"),
            (7, 50, "b", "shift_ends"),
            (9, 0, "b", "shift_over"),
        ]
    );
    assert_eq!(schedule.notices(&roster, at(7, 50), at(7, 50)).len(), 0, "each is told once");
}

#[test]
fn a_gap_is_known_before_it_begins() {
    let (roster, schedule) = day();
    assert_eq!(schedule.nobody_within(&roster, at(30, 59), 60), None);
    let gap = schedule.nobody_within(&roster, at(31, 30), 60).unwrap();
    assert_eq!((gap.from, gap.to), (at(32, 0), at(32, 30)));
    assert_eq!(schedule.nobody_within(&roster, at(40, 0), 60).unwrap().from, at(40, 0));
    // The demonstration is never without anybody, whatever the day.
    for today in [date(2026, 11, 26), date(2027, 1, 1), date(2028, 2, 29), date(1999, 12, 31)] {
        let (roster, _) = demo_roster(today);
        let schedule = roster.schedule(today, plus_days(today, 2), &Calendar::default());
        for hour in 0..24 {
            let now = Minute::on(today, hour * 60);
            let may = schedule.may_be_ready(&roster, now);
            for person in ["8001", "8002", "8003", "8004", "lead"] {
                assert!(may.contains_key(person), "{person} at {now}");
            }
            assert_eq!(schedule.nobody_within(&roster, now, 60), None);
        }
    }
}

#[test]
fn each_day_has_the_plan_in_force_on_it() {
    let text = format!(
        "{PEOPLE}[[plan]]\nname = \"one\"\nfrom = 2026-11-01\nto = 2026-11-27\nstatus = \"published\"\n\
         [[plan.assign]]\nperson = \"a\"\nshift = \"early\"\ndates = [2026-11-26, 2026-11-27]\n\
         [[plan]]\nname = \"two\"\nfrom = 2026-11-27\nstatus = \"published\"\n\
         [[plan.assign]]\nperson = \"b\"\nshift = \"early\"\ndates = [2026-11-26, 2026-11-27]\n"
    );
    let (roster, _) = read(&text);
    let schedule = roster.schedule(date(2026, 11, 26), date(2026, 11, 28), &calendar());
    let on: Vec<_> = schedule.duties().iter().map(|d| (d.date.day(), &*d.person)).collect();
    assert_eq!(on, [(26, "a"), (27, "b")]);
}

#[test]
fn the_strip_counts_agents_by_half_hours() {
    let (roster, schedule) = day();
    let today = date(2026, 11, 26);
    let strip = roster.cover(&schedule, &calendar(), today, plus_days(today, 1));
    assert_eq!(strip.len(), 48);
    let piece = |hour: i64| strip.iter().find(|piece| piece.at == at(hour, 0)).unwrap();
    assert_eq!((piece(7).agents, piece(7).leads, piece(7).required(), piece(7).missing()), (0, 0, 1, 1));
    assert_eq!((piece(8).agents, piece(8).leads, piece(8).missing()), (1, 1, 0));
    assert_eq!((piece(16).agents, piece(16).leads), (1, 0));
    let (roster, _) = demo_roster(today);
    let schedule = roster.schedule(today, plus_days(today, 1), &calendar());
    let strip = roster.cover(&schedule, &calendar(), today, plus_days(today, 1));
    let nine = strip.iter().find(|piece| piece.at == at(9, 0)).unwrap();
    assert_eq!((nine.needed, nine.forecast), (8, Some(20)), "160 calls an hour of 300 s");
    assert!(strip.iter().all(|piece| piece.missing() == 0 && piece.leads > 0), "{strip:?}");
    assert!(strip.iter().filter(|piece| piece.at < at(8, 0)).all(|piece| piece.on_call > 0));
}
