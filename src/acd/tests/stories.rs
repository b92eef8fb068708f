//! Short stories, a rule each.

use super::*;

fn two() -> Room {
    Room::new(
        QueueConfig { answer: Answer::Ring, ..QueueConfig::default() },
        &[person("8001", &["main"], &[]), person("8002", &["main"], &[])],
    )
    .staffed()
}

#[test]
fn callers_are_counted_in_order_of_priority_then_arrival() {
    let mut room = Room::new(QueueConfig::default(), &[]);
    for n in 1..=3 {
        assert_eq!(room.calls(n), Entered::Waiting { ahead: n as u32 - 1 });
    }
    assert_eq!(room.enter(Enter::new(call(4), "main", 5)), Entered::Waiting { ahead: 0 });
    assert_eq!(room.acd.ahead(call(1)), Some(1));
    assert!(room.tell(|acd, now, out| acd.raise(now, call(3), 5, out)), "raised");
    let ahead = |n| room.acd.ahead(call(n));
    assert_eq!((ahead(3), ahead(4), ahead(2)), (Some(0), Some(1), Some(3)));
    room.tell(|acd, now, out| acd.leave(now, call(4), out));
    assert_eq!(room.acd.ahead(call(2)), Some(2));
}

#[test]
fn a_full_queue_and_an_unknown_one_take_nobody() {
    let mut room = Room::new(QueueConfig { max_waiting: 1, ..QueueConfig::default() }, &[]);
    room.calls(1);
    assert_eq!(room.calls(2), Entered::Full);
    assert_eq!(room.enter(Enter::new(call(2), "other", 0)), Entered::Unknown);
}

#[test]
fn the_longest_wait_ends() {
    let config = QueueConfig { max_wait: Duration::from_secs(600), ..QueueConfig::default() };
    let mut room = Room::new(config, &[]);
    room.calls(1);
    room.pass(599);
    assert!(room.said.is_empty());
    room.pass(1);
    assert_eq!(room.said, [Action::TimedOut { call: call(1) }]);
}

#[test]
fn a_call_is_offered_answered_wrapped_up_and_the_next_one_comes() {
    let mut room = two();
    room.calls(1);
    let (offer, agent, _) = room.one_offer();
    assert_eq!(agent, name("8001"), "idle longest");
    assert_eq!(room.state("8001"), "offered");
    room.answer(offer);
    assert!(matches!(room.said[..], [Action::AgentState { .. }, Action::Connect { dial: false, .. }]));
    room.tell(|acd, now, out| acd.hung_up(now, agent, call(1), out)).expect("was on it");
    assert_eq!(room.state("8001"), "wrap_up");
    room.pass(89);
    assert_eq!(room.state("8001"), "wrap_up");
    room.pass(1);
    assert_eq!(room.state("8001"), "ready");
    room.said.clear();
    room.calls(2);
    assert_eq!(room.one_offer().1, name("8002"), "who has worked last is last");
}

#[test]
fn no_answer_takes_the_agent_out_and_keeps_the_place() {
    let mut room = two();
    room.calls(1);
    room.calls(2);
    let offers = room.offers();
    room.calls(3);
    room.ring_out(offers[0].0);
    assert_eq!(room.state("8001"), "not_responding");
    assert_eq!(room.acd.ahead(call(1)), Some(0));
    assert_eq!(room.acd.ahead(call(3)), Some(2));
}
