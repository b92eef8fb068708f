//! Whom the hotline never dials, and how often (`attacks.md` S20): whatever a caller types, whatever a stolen page asks for.

use crate::room::{OUTSIDE, Room, config, flow, person, who};
use crate::sip::Peer;
use hotline::call::Count;
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;

/// Asks for a number and books a callback there; the goodbye is for who got none.
const ASKS: &str = r#"
[flow]
title = "asks"
start = "ask"
version = "1"

[node.ask]
kind = "collect"
prompt = "callback_newno"
var = "number"
min = 3
max = 15
done = "book"
no_input = "bye"
wrong = "bye"

[node.book]
kind = "callback"
number = "$number"
queue = "main"
done = "booked"
failed = "bye"

[node.booked]
kind = "hangup"
prompt = "callback_ok"

[node.bye]
kind = "hangup"
prompt = "goodbye"
"#;

/// The number typed, and what was promised.
fn asks_for(room: &mut Room, number: &str) -> usize {
    room.forget();
    let at = room.citizen();
    for key in number.chars().chain(['#']) {
        room.peer_says(at, |peer| peer.key(key));
    }
    room.pass(60_000);
    room.facts.iter().filter(|fact| matches!(fact, Fact::CallbackRequested { .. })).count()
}

#[test]
fn a_typed_number_is_promised_once_and_never_an_emergency_code_or_ourselves() {
    let mut config = config();
    config.flow = flow(ASKS);
    let allow = ["110", "139*", "12341"];
    config.dial.allow = allow.into_iter().map(Into::into).collect();
    let mut room = Room::with(config, &[person("8001", &["main"], &[])]);
    for never in ["110", "12341", "13800000001"] {
        assert_eq!(asks_for(&mut room, never), 0, "{never}");
    }
    assert_eq!(room.engine.counters().get(Count::CallbacksRefused), 3);
    assert_eq!(asks_for(&mut room, "13900000001"), 1);
    assert_eq!(asks_for(&mut room, "13900000001"), 0, "promised already");
    assert_eq!(room.engine.counters().get(Count::CallbacksAgain), 1);
    let numbered = room.facts.iter().filter(|fact| matches!(fact, Fact::NumberDrawn { .. })).count();
    assert_eq!(numbered, 1, "and has a number all the same");
    assert_eq!(asks_for(&mut room, "13900000002"), 1, "another telephone is another promise");
}

#[test]
fn a_page_in_the_wrong_hands_dials_so_many_numbers_an_hour() {
    let mut config = config();
    config.dial.per_agent_hour = 3;
    let mut room = Room::with(config, &[person("8001", &["main"], &[]), person("boss", &[], &[])]);
    room.log_in("boss");
    room.ready("8001");
    let dial = || AgentCommand::Dial { number: who("13900000001"), ticket: None };
    let alarms = |room: &Room| {
        room.heard("boss", |event| matches!(event, AgentEvent::Alarm { kind: "dials_limited", .. }))
    };
    for _ in 0..3 {
        room.order_of("8001", dial());
        room.order_of("8001", AgentCommand::HangUp { call: None });
        room.pass(200_000);
        room.order_of("8001", AgentCommand::Ready);
    }
    assert_eq!(room.ask("8001", dial()), Err(Refused::Limit));
    assert_eq!(room.ask("8001", dial()), Err(Refused::Limit));
    assert_eq!(alarms(&room), 1, "leads hear of it once");
    // A consultation with a number is one too.
    let citizen = room.citizen();
    room.order_of("8001", AgentCommand::Answer { call: None });
    let to = Target::Number(who("13900000002"));
    assert_eq!(room.ask("8001", AgentCommand::Consult { call: None, to: to.clone() }), Err(Refused::Limit));
    room.pass(3_600_000 - 3 * 200_000);
    assert!(room.ask("8001", AgentCommand::Consult { call: None, to }).is_ok(), "the hour is over");
    room.peer_says(citizen, Peer::bye);
}

#[test]
fn nobody_is_left_with_the_police_before_a_word_was_said_to_them() {
    let mut config = config();
    config.dial.allow = vec!["110".into(), "139*".into()];
    let mut room = Room::with(config, &[person("8001", &["main"], &[])]);
    room.ready("8001");
    room.citizen();
    room.order_of("8001", AgentCommand::Answer { call: None });
    for police in ["110", "1 1-0"] {
        let blind = AgentCommand::Transfer { call: None, to: Some(Target::Number(who(police))) };
        assert_eq!(room.ask("8001", blind), Err(Refused::NotAllowed), "{police}");
    }
    assert!(room.peers.get(&OUTSIDE).is_none_or(|peer| peer.asked("INVITE") == 0));
    room.order_of("8001", AgentCommand::Consult { call: None, to: Target::Number(who("110")) });
    room.peer_says(OUTSIDE, Peer::pick_up);
    room.order_of("8001", AgentCommand::Transfer { call: None, to: None });
    assert_eq!(room.calls().len(), 1, "handed over, after a word");
}
