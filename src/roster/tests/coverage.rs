//! The sweep against counting every minute.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A handful of people put anywhere in eight days, shifts of any length, also twice at once.
fn any_assignments() -> impl Strategy<Value = Vec<(u8, i64, i64, i64, u8)>> {
    prop::collection::vec((0u8..6, 0i64..8, 0i64..=DAY, 1i64..=DAY, 0u8..4), 0..40)
}

fn build(given: &[(u8, i64, i64, i64, u8)]) -> (Roster, Vec<Assignment>) {
    let mut roster = Roster::default();
    let mut assignments = Vec::new();
    for (n, (person, day, start, length, kind)) in given.iter().enumerate() {
        let code = ShiftCode::from(format!("s{n}"));
        let shift = Shift {
            code: code.clone(),
            name: String::new(),
            start: *start,
            end: start + length,
            unpaid: 0,
            place: None,
        };
        roster.shifts.insert(code.clone(), shift);
        assignments.push(Assignment {
            person: PersonId::from(format!("p{person}")),
            date: plus_days(date(2026, 12, 28), *day),
            shift: code,
            kind: [Kind::Work, Kind::Work, Kind::OnCall, Kind::Training][usize::from(*kind)],
            place: None,
        });
    }
    (roster, assignments)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_sweep_finds_what_counting_every_minute_finds(given in any_assignments(), needed in 1u16..4) {
        let (roster, assignments) = build(&given);
        let schedule = Schedule::of(&roster, &assignments);
        let (from, to) = (Minute::on(date(2026, 12, 28), 0), Minute::on(date(2027, 1, 6), 0));
        let found = gaps(&schedule, from, to, needed, &|duty| duty.kind == Kind::Work);
        let mut missing = vec![0u16; usize::try_from(to.0 - from.0).unwrap()];
        for gap in &found {
            prop_assert!(gap.from < gap.to && gap.there < needed);
            for minute in gap.from.0..gap.to.0 {
                missing[usize::try_from(minute - from.0).unwrap()] += needed - gap.there;
            }
        }
        for (n, told) in missing.iter().enumerate() {
            let at = from.plus(i64::try_from(n).unwrap());
            let there: BTreeSet<&str> = assignments
                .iter()
                .filter(|a| a.kind == Kind::Work)
                .filter(|a| {
                    let (begin, end) = roster.shifts[&a.shift].span(a.date);
                    begin <= at && at < end
                })
                .map(|a| &*a.person)
                .collect();
            let lack = needed.saturating_sub(u16::try_from(there.len()).unwrap());
            prop_assert_eq!(*told, lack, "{}", at);
            prop_assert_eq!(&schedule.who(at), &there, "{}", at);
        }
        // Stretches with the same count are told once.
        for pair in found.windows(2) {
            prop_assert!(pair[0].to < pair[1].from || pair[0].there != pair[1].there);
        }
    }

    #[test]
    fn on_shift_is_what_the_assignments_say(given in any_assignments()) {
        // Somebody may be entered many times at once here: the look-up has to see through four of them.
        let mut once = BTreeSet::new();
        let given: Vec<_> = given.into_iter().filter(|g| once.insert((g.0, g.1))).collect();
        let (roster, assignments) = build(&given);
        let schedule = Schedule::of(&roster, &assignments);
        for person in 0..6 {
            let id = format!("p{person}");
            for step in 0..9 * 48 {
                let at = Minute::on(date(2026, 12, 28), step * 30);
                prop_assert_eq!(schedule.on_shift(&id, at), schedule.who(at).contains(&*id), "{} {}", id, at);
            }
        }
    }
}

#[test]
fn somebody_entered_twice_is_one_person() {
    let (roster, assignments) = build(&[(1, 0, 480, 480, 0), (1, 0, 500, 60, 0)]);
    let schedule = Schedule::of(&roster, &assignments);
    let day = date(2026, 12, 28);
    let found = gaps(&schedule, Minute::on(day, 480), Minute::on(day, 960), 2, &|_| true);
    assert_eq!(found, [Gap { from: Minute::on(day, 480), to: Minute::on(day, 960), there: 1, needed: 2 }]);
}
