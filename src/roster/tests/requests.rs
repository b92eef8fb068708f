use super::*;
use crate::roster::request::{Denied, Request, Stage, Turn, Wish};

/// The demonstration's roster from a Monday on, without the rest of what a check may say.
fn demo() -> (Roster, Plan) {
    let (roster, problems) = demo_roster(date(2026, 11, 26));
    assert_eq!(problems, []);
    let plan = roster.plan("four_three").unwrap().clone();
    (roster, plan)
}

fn turn(plan: &Plan, person: &str, from: Date) -> Turn {
    let all = plan.assignments(from, plus_days(from, 9), &calendar());
    let theirs = all.into_iter().find(|a| &*a.person == person && a.kind == Kind::Work).unwrap();
    Turn { person: theirs.person, date: theirs.date, shift: theirs.shift }
}

const NOW: Minute = Minute(0);

#[test]
fn a_swap_is_asked_agreed_and_approved() {
    let (roster, plan) = demo();
    // Two of the same team on the same day have the same turn: a swap of early shifts two days apart changes no count.
    let day = date(2026, 12, 1);
    let mine = turn(&plan, "8011", day);
    let theirs = Turn { person: "8012".into(), ..turn(&plan, "8012", plus_days(mine.date, 1)) };
    assert_eq!(mine.shift, theirs.shift);
    let (me, other, lead): (PersonId, PersonId, PersonId) = ("8011".into(), "8012".into(), "lead2".into());
    let wish = Wish::Swap { mine: mine.clone(), theirs: theirs.clone() };
    let mut request = Request::new(wish, NOW, "家中有事").unwrap();
    let decide =
        |request: &mut Request, by: &PersonId| request.approve(&roster, &plan, &calendar(), by, NOW, "");
    assert_eq!(decide(&mut request, &lead), Err(Denied::NotAgreed(other.clone())));
    assert_eq!(request.agree(&me, NOW), Err(Denied::NotYours(other.clone())));
    request.agree(&other, NOW.plus(5)).unwrap();
    assert_eq!(request.agree(&other, NOW), Err(Denied::Settled));
    assert_eq!(decide(&mut request, &"8013".into()), Err(Denied::NoLead("8013".into())));
    assert_eq!(decide(&mut request, &other), Err(Denied::OwnRequest));
    // Each has two turns on one day then and none on the other: 16 h running, no rest.
    let Err(Denied::Breaks(told)) = decide(&mut request, &lead) else { panic!("it breaks the law") };
    assert!(told.iter().any(|f| f.code == Code::Twice), "{told:?}");
    assert_eq!(request.stage(), Stage::Agreed, "what is denied changes nothing");
    request.refuse(&roster, &lead, NOW, " ").unwrap_err();
    request.refuse(&roster, &lead, NOW.plus(9), "同日两班").unwrap();
    let story: Vec<_> = request.events().iter().map(|e| (e.stage, &*e.by, e.at.0, &*e.why)).collect();
    assert_eq!(
        story,
        [
            (Stage::Requested, "8011", 0, "家中有事"),
            (Stage::Agreed, "8012", 5, ""),
            (Stage::Refused, "lead2", 9, "同日两班"),
        ]
    );
    assert_eq!(request.withdraw(&me, NOW, ""), Err(Denied::Settled));
}

#[test]
fn an_approved_swap_changes_exactly_two_turns() {
    let (roster, plan) = demo();
    let (from, to) = (date(2026, 12, 1), date(2026, 12, 17));
    let all = plan.assignments(from, to, &calendar());
    let of = |person: &'static str| all.iter().filter(move |a| &*a.person == person && a.date.day() < 11);
    let same =
        |a: &Assignment, b: &Assignment| (&a.person, a.date, &a.shift) == (&b.person, b.date, &b.shift);
    let mut approved = 0;
    // Two people of teams that follow each other: most swaps cost one of them his rest, some don't.
    for (a, b) in of("8011").flat_map(|a| of("8044").map(move |b| (a, b))) {
        let turn = |a: &Assignment| Turn { person: a.person.clone(), date: a.date, shift: a.shift.clone() };
        let mut request = Request::new(Wish::Swap { mine: turn(a), theirs: turn(b) }, NOW, "").unwrap();
        request.agree(&"8044".into(), NOW).unwrap();
        match request.approve(&roster, &plan, &calendar(), &"lead".into(), NOW, "") {
            Ok(after) => {
                approved += 1;
                let report = roster.check(&after, date(2026, 11, 24), date(2026, 12, 24), &calendar());
                assert!(report.publishable());
                let moved = after.assignments(from, to, &calendar());
                assert_eq!(moved.len(), all.len());
                let new: Vec<_> = moved.iter().filter(|m| !all.iter().any(|a| same(a, m))).collect();
                let theirs: Vec<_> = new.iter().map(|m| (&*m.person, m.date, &m.shift)).collect();
                let mut wanted = vec![("8011", b.date, &b.shift), ("8044", a.date, &a.shift)];
                wanted.sort_by_key(|w| w.1);
                assert_eq!(theirs, wanted);
                // The turn is gone now: the same swap again finds nothing.
                let mut again = Request::new(request.wish.clone(), NOW, "").unwrap();
                again.agree(&"8044".into(), NOW).unwrap();
                let denied = again.approve(&roster, &after, &calendar(), &"lead".into(), NOW, "");
                assert!(matches!(denied, Err(Denied::TurnGone { .. })), "{denied:?}");
            }
            Err(Denied::Breaks(told)) => assert!(
                told.iter().all(|f| matches!(f.code, Code::Rest | Code::Twice | Code::DailyHours)),
                "{told:?}"
            ),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(approved > 0);
}

#[test]
fn leave_that_opens_a_gap_needs_a_cover_or_a_name_and_a_reason() {
    let (roster, plan) = demo();
    let off = |person: &str, cover: Option<&str>| Wish::Leave {
        person: person.into(),
        from: date(2026, 12, 4),
        to: date(2026, 12, 6),
        cover: cover.map(PersonId::from),
    };
    // The seats of a team are one more than the evening asks; two away are one too few.
    let mut first = Request::new(off("8011", None), NOW, "年假").unwrap();
    let after = first.approve(&roster, &plan, &calendar(), &"lead".into(), NOW, "").unwrap();
    let mut second = Request::new(off("8012", None), NOW, "年假").unwrap();
    let denied = second.approve(&roster, &after, &calendar(), &"lead".into(), NOW, "");
    let Err(Denied::Breaks(told)) = denied else { panic!("{denied:?}") };
    assert!(told.iter().all(|f| f.code == Code::Forecast && f.missing == 1), "{told:?}");
    let open =
        second.approve(&roster, &after, &calendar(), &"lead".into(), NOW, "取暖初期已加派夜班").unwrap();
    let (from, to) = (date(2026, 12, 1), date(2026, 12, 20));
    let report = roster.check(&open, from, to, &calendar());
    assert!(report.publishable());
    assert!(report.findings.iter().any(|f| f.approved_by.as_deref() == Some("lead")));
    // Law is law: a cover who works twice is refused with any reason.
    let mut third = Request::new(off("8013", Some("8014")), NOW, "").unwrap();
    third.agree(&"8014".into(), NOW).unwrap();
    let denied = third.approve(&roster, &plan, &calendar(), &"lead".into(), NOW, "请准");
    let Err(Denied::Breaks(told)) = denied else { panic!("{denied:?}") };
    assert!(told.iter().any(|f| f.code == Code::Twice && f.law));
}

#[test]
fn odd_wishes_are_denied_at_once() {
    let turn = |person: &str| Turn { person: person.into(), date: date(2026, 12, 7), shift: "early".into() };
    let swap = |a, b| Request::new(Wish::Swap { mine: turn(a), theirs: turn(b) }, NOW, "");
    assert!(matches!(swap("a", "a"), Err(Denied::Odd(_))));
    let leave = |from, to| Request::new(Wish::Leave { person: "a".into(), from, to, cover: None }, NOW, "");
    assert!(matches!(leave(date(2026, 12, 7), date(2026, 12, 7)), Err(Denied::Odd(_))));
    assert!(matches!(leave(date(2026, 12, 7), date(2028, 12, 7)), Err(Denied::Odd(_))));
    let mut fine = leave(date(2026, 12, 31), date(2027, 1, 2)).unwrap();
    assert_eq!(fine.agree(&"b".into(), NOW), Err(Denied::NotYours("a".into())));
    assert_eq!(fine.withdraw(&"b".into(), NOW, ""), Err(Denied::NotYours("a".into())));
    fine.withdraw(&"a".into(), NOW, "不休了").unwrap();
    assert_eq!(fine.stage(), Stage::Withdrawn);
}
