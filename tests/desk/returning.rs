//! A restart: who was ready, not ready or on a break is that again when his page has come back, unless it says something else.

use crate::room::{Room, WALL, who};
use hotline::call::Input;
use hotline::call::agents::seam::{AgentCommand, Device, Path};
use hotline::call::intents::IntentFold;

/// A new process that read the journal of `room`, which died `later_ms` ago.
fn restarted(room: &Room, later_ms: i64) -> Room {
    restarted_with(room, later_ms, Room::new())
}

fn restarted_with(room: &Room, later_ms: i64, mut next: Room) -> Room {
    let mut fold = IntentFold::default();
    room.facts.iter().for_each(|fact| fold.fold(WALL, fact));
    next.give(Input::Wall { ms: WALL + later_ms });
    next.give(Input::RestoreIntents(fold));
    next
}

fn not_ready(reason: &str) -> AgentCommand {
    AgentCommand::NotReady { reason: who(reason) }
}

fn wants_break(reason: &str) -> AgentCommand {
    AgentCommand::BreakRequest { reason: who(reason) }
}

#[test]
fn everybody_is_what_he_was() {
    let mut room = Room::new();
    room.ready("8001");
    room.ready("8002");
    room.order_of("8002", wants_break("tea"));
    room.log_in("boss");
    room.order_of("boss", not_ready("meeting"));
    let mut next = restarted(&room, 30_000);
    for agent in ["8001", "8002", "boss"] {
        assert_eq!(next.state(agent), "offline", "{agent}: nobody is there before his page");
        next.log_in(agent);
    }
    assert_eq!(next.state("8001"), "ready");
    assert_eq!(next.state("8002"), "not_ready tea");
    assert_eq!(next.state("boss"), "not_ready meeting");
    let on_break = |room: &Room, name: &str| {
        let id = hotline::acd::AgentId::new(name).expect("a name");
        room.engine.acd().agent_view(id).is_some_and(|view| view.on_break)
    };
    assert!(on_break(&next, "8002") && !on_break(&next, "boss"), "a break is a place on break");
    // The next restart knows as much as this one.
    let mut again = restarted(&next, 60_000);
    again.log_in("8002");
    assert_eq!(again.state("8002"), "not_ready tea");
    // And his page's own word ends it.
    again.order_of("8002", AgentCommand::Ready);
    assert_eq!(again.state("8002"), "ready");
    assert!(!on_break(&again, "8002"));
}

#[test]
fn what_was_said_during_a_call_holds_after_it() {
    let mut room = Room::new();
    room.ready("8001");
    room.citizen();
    room.order_of("8001", AgentCommand::Answer { call: None });
    room.order_of("8001", not_ready("lunch"));
    assert_eq!(room.state("8001"), "on_call");
    let mut next = restarted(&room, 1_000);
    next.log_in("8001");
    assert_eq!(next.state("8001"), "not_ready lunch");
    next.citizen();
    assert_eq!(next.state("8001"), "not_ready lunch", "he gets no call");
}

/// Where an unfinished ticket holds its agent, a restart is no way around it.
#[test]
fn who_was_at_a_call_finishes_its_ticket_first() {
    for (hold, want) in [(true, "not_ready login"), (false, "ready")] {
        let open = || {
            let mut held = crate::room::config();
            held.limits.hold_unfinished = hold;
            Room::with(held, &[crate::room::person("8001", &["main"], &[])])
        };
        let mut room = open();
        room.ready("8001");
        room.citizen();
        room.order_of("8001", AgentCommand::Answer { call: None });
        assert_eq!(room.state("8001"), "on_call");
        let mut next = restarted_with(&room, 1_000, open());
        next.log_in("8001");
        assert_eq!(next.state("8001"), want);
        // The one after knows it too: he has not said that he is through.
        let mut again = restarted_with(&next, 1_000, open());
        again.log_in("8001");
        assert_eq!(again.state("8001"), want);
        again.order_of("8001", AgentCommand::Ready);
        assert_eq!(again.state("8001"), "ready");
    }
}

#[test]
fn a_deaf_path_is_no_wish() {
    let mut room = Room::new();
    room.ready("8001");
    room.path("8001", Path::Deaf(hotline::call::agents::seam::Deafness::NoMicrophone));
    let mut next = restarted(&room, 1_000);
    next.order_of("8001", AgentCommand::Login { device: Device::Browser });
    assert_eq!(next.state("8001"), "not_ready path_unproven", "ready, and nothing is heard of him yet");
    next.path("8001", Path::Proven);
    assert_eq!(next.state("8001"), "ready");
}

#[test]
fn who_logged_out_or_comes_much_later_begins_anew() {
    let mut room = Room::new();
    room.ready("8001");
    room.ready("8002");
    room.order_of("8001", AgentCommand::Logout);
    let mut next = restarted(&room, 1_000);
    next.log_in("8001");
    assert_eq!(next.state("8001"), "not_ready login");
    next.pass(601_000);
    next.log_in("8002");
    assert_eq!(next.state("8002"), "not_ready login", "ten minutes after the start");
    let mut tomorrow = restarted(&room, 13 * 3_600_000);
    tomorrow.log_in("8002");
    assert_eq!(tomorrow.state("8002"), "not_ready login", "that was yesterday");
}

#[test]
fn only_the_first_log_in_after_a_start_restores() {
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", not_ready("desk"));
    let mut next = restarted(&room, 1_000);
    next.log_in("8001");
    assert_eq!(next.state("8001"), "not_ready desk");
    next.order_of("8001", AgentCommand::Logout);
    next.log_in("8001");
    assert_eq!(next.state("8001"), "not_ready login");
}
