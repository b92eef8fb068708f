//! Tickets that the desk makes of a call: their numbers, and when the call is written up.

use crate::room::{Room, config, person};
use hotline::call::agents::seam::{AgentCommand, Refused};
use hotline::call::fact::Fact;
use hotline::call::{Input, Reply, Request, TicketSaved};
use hotline::ticket::number::is_official;

fn number(reply: Option<Reply>) -> Option<(String, String)> {
    match reply {
        Some(Reply::Number(drawn)) => drawn.map(|(no, code)| (no.to_string(), code.reveal().to_owned())),
        None => None,
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_number_for_the_desk_waits_for_its_block_and_is_nobody_elses() {
    let mut room = Room::new();
    room.disk = false;
    room.reply = None;
    room.give(Input::Request { id: 1, request: Request::DrawNumber });
    assert_eq!(room.reply, None, "its block is not on disk");
    room.sync();
    let (first, code) = number(room.reply.take()).expect("a number");
    assert!(is_official(&first) && code.len() == 6, "{first} {code}");
    room.give(Input::Request { id: 2, request: Request::DrawNumber });
    let (second, _) = number(room.reply.take()).expect("at once: the block is safe");
    room.disk = true;
    room.ready("8001");
    room.citizen();
    room.order_of("8001", AgentCommand::Answer { call: None });
    let mut all = room.numbers.clone();
    assert_eq!(all.len(), 1, "the caller's own");
    all.extend([first, second]);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 3);
    let drawn = room.facts.iter().filter(|fact| matches!(fact, Fact::NumberDrawn { .. })).count();
    assert_eq!(drawn, 1, "the desk's tickets say themselves which numbers they have");
}

#[test]
fn a_disk_that_says_nothing_gives_no_number_and_keeps_a_bounded_few_waiting() {
    let mut room = Room::new();
    room.disk = false;
    for id in 1..=64 {
        room.give(Input::Request { id, request: Request::DrawNumber });
        assert_eq!(room.reply, None, "{id}");
    }
    room.give(Input::Request { id: 65, request: Request::DrawNumber });
    assert_eq!(room.reply.take(), Some(Reply::Number(None)), "too many wait");
    room.sync();
    assert!(number(room.reply.take()).is_some());
    room.give(Input::Request { id: 66, request: Request::DrawNumber });
    assert!(number(room.reply.take()).is_some(), "it goes on");
}

/// 8001 has spoken with a citizen and writes it up.
fn writing(split_while: &str) -> Room {
    let mut config = config();
    config.limits.hold_unfinished = true;
    let mut room = Room::with(config, &[person("8001", &["main"], &[])]);
    room.ready("8001");
    room.citizen();
    room.order_of("8001", AgentCommand::Answer { call: None });
    let call = room.call();
    let tell = |room: &mut Room, done, opened| {
        let state = if done { "accepted" } else { "draft" }.to_owned();
        let saved = TicketSaved { done, opened, state, ..TicketSaved::default() };
        room.request(Request::TicketSaved { call, saved });
    };
    match split_while {
        // The first is done during the call, then there is a second.
        "talking" => {
            tell(&mut room, true, false);
            tell(&mut room, false, true);
            room.order_of("8001", AgentCommand::HangUp { call: None });
        }
        _ => {
            tell(&mut room, true, false);
            room.order_of("8001", AgentCommand::HangUp { call: None });
            tell(&mut room, false, true);
        }
    }
    let busy = room.ask("8001", AgentCommand::WrapUpFinish);
    assert_eq!(busy, Err(Refused::TicketUnfinished), "{split_while}");
    tell(&mut room, true, false);
    room
}

#[test]
fn whoever_split_a_call_is_free_when_all_its_tickets_are_finished() {
    for when in ["talking", "wrapping up"] {
        let mut room = writing(when);
        assert!(room.ask("8001", AgentCommand::WrapUpFinish).is_ok(), "{when}");
        assert_eq!(room.state("8001"), "ready", "{when}");
        room.assert_rest();
    }
}
