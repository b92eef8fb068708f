//! What everybody who watches the floor is told, and what it costs.

use crate::room::{Room, config, person, who};
use hotline::call::agents::seam::*;

const MANY: usize = 200;

fn watch(queues: &[&str]) -> AgentCommand {
    AgentCommand::QueueWatch { queues: queues.iter().map(|queue| who(queue)).collect() }
}

fn not_ready(reason: &str) -> AgentCommand {
    AgentCommand::NotReady { reason: who(reason) }
}

/// Everybody is logged in and watches.
fn many() -> Room {
    let names: Vec<String> = (0..MANY).map(|n| format!("{}", 8001 + n)).collect();
    let people: Vec<_> = names.iter().map(|name| person(name, &["main"], &[])).collect();
    let mut room = Room::with(config(), &people);
    for name in &names {
        room.log_in(name);
        room.order_of(name, watch(&["main"]));
    }
    room.pass(1_000);
    room
}

/// Words for pages among what the engine wanted.
fn words(room: &Room) -> usize {
    room.done.iter().filter(|what| *what == "told or ordered").count()
}

fn state_of<'a>(agent: &'a str) -> impl Fn(&AgentEvent) -> bool + 'a {
    move |event| matches!(event, AgentEvent::State { agent: about, .. } if &**about == agent)
}

fn numbers(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::QueueStats(_))
}

#[test]
fn a_change_is_one_word_however_many_watch_and_each_is_told_once() {
    let mut room = many();
    room.forget();
    room.order_of("8001", not_ready("training"));
    assert_eq!(words(&room), 2, "his own, and the one for all others");
    for n in 0..MANY {
        assert_eq!(room.heard(&format!("{}", 8001 + n), state_of("8001")), 1, "{n}");
    }
    room.forget();
    // However much happens to a queue, its numbers are one word each quarter of a second.
    for n in 0..50 {
        room.order_of(&format!("{}", 8001 + n), not_ready("meeting"));
    }
    room.forget();
    room.pass(250);
    assert_eq!(words(&room), 1);
    assert_eq!(room.heard("8150", numbers), 1);
}

#[test]
fn who_watches_nothing_is_told_of_himself_only() {
    let mut room = many();
    room.order_of("8002", watch(&[]));
    room.order_of("8003", watch(&["second"]));
    room.pass(1_000);
    room.forget();
    room.order_of("8001", not_ready("training"));
    room.order_of("8002", not_ready("training"));
    room.pass(250);
    assert_eq!(room.heard("8002", state_of("8001")), 0);
    assert_eq!(room.heard("8002", state_of("8002")), 1);
    assert_eq!(room.heard("8002", numbers), 0);
    assert_eq!(room.heard("8003", state_of("8001")), 1);
    assert_eq!(room.heard("8003", numbers), 0, "of the other queue nothing has changed");
    assert_eq!(room.heard("8004", numbers), 1);
}

/// A page that resumes gets what came after its number and no snapshot: what was not said while it was away would be lost to it.
#[test]
fn who_has_lost_the_line_is_told_all_the_same() {
    let mut room = many();
    room.present("8001", false);
    room.forget();
    room.order_of("8002", not_ready("training"));
    room.pass(300);
    assert_eq!(room.heard("8001", state_of("8002")), 1);
    assert_eq!(room.heard("8001", numbers), 1);
    // And of himself: so long away that he is logged out.
    room.forget();
    room.pass(25_000);
    assert_eq!(room.state("8001"), "offline");
    assert!(room.heard("8001", state_of("8001")) >= 1);
}
