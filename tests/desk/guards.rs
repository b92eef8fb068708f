//! Whom the hotline never dials, and how often (`attacks.md` S20): whatever a caller types, whatever a stolen page asks for.

use crate::room::{OUTSIDE, Room, WALL, config, flow, person, who};
use crate::sip::Peer;
use hotline::base::CallId;
use hotline::base::reach::Reachable;
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use hotline::call::{Count, Request, TicketSaved};

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

/// `09:30-10:30`: from and to so many minutes after the room's first.
fn window(from: i64, to: i64) -> String {
    let at = |after: i64| {
        let at = jiff::Timestamp::from_millisecond(WALL + after * 60_000).expect("a time");
        at.to_zoned_datetime(config().timezone).time().strftime("%H:%M").to_string()
    };
    format!("{}-{}", at(from), at(to))
}

/// A room with a callback promised, nobody ready yet; the ticket of its call says this.
fn promised(notify: Option<&str>, safe: Option<&str>) -> (Room, CallId) {
    let mut config = config();
    config.flow = flow(ASKS);
    let mut room = Room::with(config, &[person("8001", &["main"], &[]), person("boss", &[], &[])]);
    assert_eq!(asks_for(&mut room, "13900000001"), 1);
    let of = room.facts.iter().find_map(|fact| match fact {
        Fact::CallbackRequested { call, .. } => Some(*call),
        _ => None,
    });
    let of = of.expect("promised");
    room.log_in("boss");
    room.forget();
    let saved = TicketSaved {
        done: false,
        opened: false,
        state: "draft".into(),
        reachable: Reachable::of(notify, safe),
    };
    room.request(Request::TicketSaved { call: of, saved });
    (room, of)
}

fn offered(room: &Room) -> usize {
    room.heard("8001", |event| matches!(event, AgentEvent::Offered { .. }))
}

#[test]
fn who_wants_text_only_is_not_called_back_and_leads_hear_of_it() {
    let (mut room, of) = promised(Some("text_only"), None);
    let over =
        |fact: &Fact| matches!(fact, Fact::CallbackOver { call, why } if *call == of && why == "text_only");
    assert!(room.facts.iter().any(over), "{:?}", room.facts);
    let given_up = |event: &AgentEvent| matches!(event, AgentEvent::Alarm { kind: "callback_given_up", .. });
    assert_eq!(room.heard("boss", given_up), 1);
    room.ready("8001");
    room.pass(3_600_000);
    assert_eq!(offered(&room), 0);
}

#[test]
fn nobody_is_called_back_before_his_safe_time_and_his_place_is_kept() {
    let (mut room, of) = promised(None, Some(&window(60, 120)));
    room.ready("8001");
    room.pass(50 * 60_000);
    assert_eq!(offered(&room), 0, "it is not time yet");
    room.pass(10 * 60_000);
    assert!(offered(&room) > 0, "now it is");
    room.order_of("8001", AgentCommand::Answer { call: Some(of) });
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert_eq!(room.state("8001"), "on_call");
}

#[test]
fn a_safe_time_of_tomorrow_is_waited_for_and_one_that_is_taken_back_is_not() {
    // Longer than the longest wait of a callback.
    let (mut room, of) = promised(None, Some(&window(12 * 60, 13 * 60)));
    room.ready("8001");
    for _ in 0..12 {
        assert_eq!(offered(&room), 0, "it is not time yet");
        room.pass(60 * 60_000);
    }
    assert!(offered(&room) > 0, "now it is");
    let over = |fact: &Fact| matches!(fact, Fact::CallbackOver { .. });
    assert!(!room.facts.iter().any(over), "{:?}", room.facts);
    drop(room);
    let (mut room, again) = promised(None, Some(&window(12 * 60, 13 * 60)));
    assert_eq!(of, again);
    room.ready("8001");
    let saved =
        TicketSaved { done: false, opened: false, state: "draft".into(), reachable: Reachable::Always };
    room.request(Request::TicketSaved { call: again, saved });
    assert_eq!(offered(&room), 1, "a slip of the pen, mended");
}

#[test]
fn what_the_ticket_says_before_the_callback_is_asked_for_holds_for_it() {
    let mut config = config();
    config.flow = flow(ASKS);
    let mut room = Room::with(config, &[person("8001", &["main"], &[])]);
    let at = room.citizen();
    let call = room.call();
    let reachable = Reachable::of(Some("text_only"), None);
    room.request(Request::TicketSaved {
        call,
        saved: TicketSaved { done: false, opened: false, state: "draft".into(), reachable },
    });
    for key in "13900000001#".chars() {
        room.peer_says(at, |peer| peer.key(key));
    }
    room.pass(60_000);
    let over = |fact: &Fact| matches!(fact, Fact::CallbackOver { call: of, why } if *of == call && why == "text_only");
    assert!(room.facts.iter().any(over), "{:?}", room.facts);
    room.ready("8001");
    room.pass(3_600_000);
    assert_eq!(offered(&room), 0);
}

#[test]
fn a_safe_time_that_ends_while_the_offer_rings_or_between_two_tries_is_over() {
    // Its end comes while nobody was free; the one who takes the case then is told.
    let (mut room, of) = promised(None, Some(&window(-60, 30)));
    room.pass(35 * 60_000);
    room.ready("8001");
    assert_eq!(offered(&room), 1);
    room.order_of("8001", AgentCommand::Answer { call: Some(of) });
    let back = |event: &AgentEvent| matches!(event, AgentEvent::Rescinded { why: "not_now", .. });
    assert_eq!(room.heard("8001", back), 1);
    assert!(room.peers.get(&OUTSIDE).is_none_or(|peer| peer.asked("INVITE") == 0), "nothing was dialled");
    assert_eq!(room.state("8001"), "ready");
    // A try within it fails; the next one would be after its end.
    let (mut room, of) = promised(None, Some(&window(-60, 4)));
    room.ready("8001");
    room.order_of("8001", AgentCommand::Answer { call: Some(of) });
    room.peer_says(OUTSIDE, |peer| peer.refuse(486));
    room.forget();
    room.pass(3_600_000);
    assert_eq!(offered(&room), 0, "five minutes later is too late today");
}
