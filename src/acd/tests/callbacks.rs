//! Callbacks keep the place, the retry keeps it too, and there are never more dials than free agents.

use super::dice::Dice;
use super::*;

#[test]
fn three_hundred_callers_are_dialled_in_order() {
    for seed in 0..5 {
        let mut dice = Dice::new(seed);
        let people: Vec<AgentSpec> =
            (0..7).map(|n| person(&format!("{}", 8000 + n), &["main"], &[])).collect();
        let mut room = Room::new(QueueConfig { max_waiting: 400, ..QueueConfig::default() }, &people);
        let mut expected = Vec::new();
        for n in 1..=300 {
            let priority = if dice.chance(20) { 3 } else { 0 };
            room.enter(Enter::new(call(n), "main", priority));
            expected.push((9 - priority, room.now, call(n)));
            room.now = room.now + dice.between(0, 1_000);
        }
        for n in 1..=300 {
            room.tell(|acd, now, out| acd.to_callback(now, call(n), out)).expect("waits");
        }
        let stats = room.acd.stats("main").expect("a queue");
        assert_eq!((stats.waiting, stats.callbacks), (0, 300), "seed {seed}");
        expected.sort_unstable();
        let mut first_dials = Vec::new();
        let ids: Vec<AgentId> = room.acd.agents().collect();
        ids.iter().for_each(|id| room.work(*id));
        let mut tried = std::collections::BTreeMap::new();
        let mut given_up = 0;
        while first_dials.len() < 300 || room.acd.stats("main").is_some_and(|stats| stats.callbacks > 0) {
            given_up += room.said.iter().filter(|a| matches!(a, Action::CallbackGivenUp { .. })).count();
            let offers = room.offers();
            assert!(offers.len() <= 7, "seed {seed}: more dials than agents");
            if offers.is_empty() {
                room.pass(60);
                continue;
            }
            for (offer, agent, call) in offers {
                let tries = tried.entry(call).or_insert(0u8);
                *tries += 1;
                if *tries == 1 {
                    first_dials.push(call);
                }
                assert!(*tries <= 3, "seed {seed}: {call} is dialled a fourth time");
                room.acd.bound(offer).expect("open");
                room.tell(|acd, now, out| acd.answered(now, offer, out)).expect("bound");
                let dialled = room
                    .said
                    .iter()
                    .any(|a| matches!(a, Action::Connect { dial: true, call: c, .. } if *c == call));
                assert!(dialled, "seed {seed}: {call} is not dialled");
                if dice.chance(30) {
                    room.tell(|acd, now, out| acd.callback_failed(now, call, out)).expect("dialled");
                } else {
                    room.tell(|acd, now, out| acd.idle(now, agent, out)).expect("on it");
                }
            }
        }
        given_up += room.said.iter().filter(|a| matches!(a, Action::CallbackGivenUp { .. })).count();
        assert_eq!(first_dials, expected.iter().map(|(_, _, call)| *call).collect::<Vec<_>>(), "seed {seed}");
        assert!(given_up > 0, "seed {seed}: thrice out of reach happens to one in 37");
    }
}

#[test]
fn a_retry_stands_before_those_who_came_later() {
    let ring = QueueConfig { answer: Answer::Ring, ..QueueConfig::default() };
    let mut room = Room::new(ring, &[person("8001", &["main"], &[])]).staffed();
    let mut first = Enter::new(call(1), "main", 0);
    first.kind = Kind::Callback;
    room.enter(first);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    room.now = room.now + Duration::from_secs(1);
    room.calls(2);
    room.calls(3);
    room.said.clear();
    room.tell(|acd, now, out| acd.callback_failed(now, call(1), out)).expect("dialled");
    let (offer, _, next) = room.one_offer();
    assert_eq!(next, call(2), "who rests is in nobody's way");
    room.answer(offer);
    room.pass(300);
    assert_eq!(room.acd.ahead(call(1)), Some(0));
    assert_eq!(room.acd.ahead(call(3)), Some(1));
    assert_eq!(room.acd.callback_tries(call(1)), Some(1));
}

#[test]
fn only_callbacks_fail_and_only_once_each() {
    let mut room = Room::new(QueueConfig::default(), &[person("8001", &["main"], &[])]).staffed();
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    let fails = |acd: &mut Acd, now, out: &mut Vec<Action>| acd.callback_failed(now, call(1), out);
    assert_eq!(room.tell(fails), Err(Refused::NotACallback));
    assert_eq!(room.tell(|acd, now, out| acd.callback_failed(now, call(9), out)), Err(Refused::UnknownCall));
    assert_eq!(room.tell(|acd, now, out| acd.to_callback(now, call(9), out)), Err(Refused::UnknownCall));
}
