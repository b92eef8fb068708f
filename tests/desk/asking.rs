//! Who asks somebody while others are with the citizen; and what a caller keeps when he is handed on or called back.

use crate::room::{OUTSIDE, Room, config, flow, person, relay, who};
use crate::sip::{Peer, rtp};
use hotline::base::Personal;
use hotline::call::agents::seam::{AgentCommand, AgentEvent, Refused, Target};
use hotline::call::callbacks::RestoredCallback;
use hotline::call::fact::Fact;
use hotline::call::{Input, callbacks::CallbackFold};
use std::net::SocketAddr;
use std::sync::Arc;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const HOLD: AgentCommand = AgentCommand::Hold { call: None };
const RETRIEVE: AgentCommand = AgentCommand::Retrieve { call: None };

/// Who of these hears whom, in letters: `ab` for two who hear each other, `a:b` for `a` who hears `b` alone.
fn heard(room: &Room, who: &[(char, SocketAddr)]) -> String {
    let mut words = Vec::new();
    for (n, (a, one)) in who.iter().enumerate() {
        for (b, other) in &who[n + 1..] {
            match (room.hears(*one, *other), room.hears(*other, *one)) {
                (true, true) => words.push(format!("{a}{b}")),
                (true, false) => words.push(format!("{a}:{b}")),
                (false, true) => words.push(format!("{b}:{a}")),
                (false, false) => {}
            }
        }
        if room.legs.values().any(|leg| leg.remote == Some(*one) && leg.music) {
            words.push(format!("{a}:m"));
        }
    }
    words.join(" ")
}

/// The citizen, 8001 and an outside number speak with each other; 8002 and the lead are there.
fn three() -> (Room, [(char, SocketAddr); 5]) {
    let mut config = config();
    config.hold_music = Some("queue_comfort".into());
    let people = [person("8001", &["main"], &[]), person("8002", &["main"], &[]), person("boss", &[], &[])];
    let mut room = Room::with(config, &people);
    for agent in ["8002", "boss"] {
        room.log_in(agent);
    }
    room.ready("8001");
    let citizen = room.citizen();
    room.order_of("8001", ANSWER);
    let to = Some(Target::Number(who("13900000001")));
    room.order_of("8001", AgentCommand::Conference { call: None, to });
    room.peer_says(OUTSIDE, Peer::pick_up);
    let ears = [
        ('C', rtp(citizen)),
        ('a', relay("8001")),
        ('N', rtp(OUTSIDE)),
        ('x', relay("8002")),
        ('L', relay("boss")),
    ];
    assert_eq!(heard(&room, &ears), "Ca CN aN");
    room.forget();
    (room, ears)
}

fn asks() -> AgentCommand {
    AgentCommand::Consult { call: None, to: Target::Agent(who("8002")) }
}

#[test]
fn who_asks_leaves_a_conference_that_goes_on() {
    let (mut room, ears) = three();
    room.order_of("8001", asks());
    assert_eq!(heard(&room, &ears), "CN", "while it rings");
    assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Held { .. })), 1);
    room.order_of("8002", ANSWER);
    assert_eq!(heard(&room, &ears), "CN ax", "nobody hears what is not for him");
    room.order_of("boss", AgentCommand::Listen { agent: who("8001") });
    assert_eq!(heard(&room, &ears), "CN L:C ax L:a L:N L:x");
    assert_eq!(room.ask("8001", HOLD), Err(Refused::WrongState), "he has turned away already");
    assert_eq!(room.ask("8002", RETRIEVE), Err(Refused::WrongState));
    room.order_of("8001", RETRIEVE);
    assert_eq!(heard(&room, &ears), "Ca CN L:C aN L:a L:N", "the one who was asked is gone");
    assert!(room.heard("8001", |event| matches!(event, AgentEvent::Retrieved { .. })) > 0);
}

#[test]
fn the_citizen_has_music_once_his_company_goes() {
    let (mut room, ears) = three();
    room.order_of("8001", asks());
    room.order_of("8002", ANSWER);
    room.peer_says(OUTSIDE, Peer::bye);
    assert_eq!(heard(&room, &ears), "C:m ax");
    room.forget();
    room.order_of("boss", AgentCommand::Barge { agent: who("8001") });
    assert_eq!(heard(&room, &ears), "CL ax", "the lead is with him");
    let back = |event: &AgentEvent| matches!(event, AgentEvent::Retrieved { .. });
    assert_eq!(room.heard("8001", back), 0, "for who asks he is not back");
    room.order_of("8001", AgentCommand::Conference { call: None, to: None });
    assert_eq!(heard(&room, &ears), "Ca Cx CL ax aL xL");
}

#[test]
fn who_was_asked_stays_when_the_one_who_asked_goes() {
    for last in [AgentCommand::Transfer { call: None, to: None }, AgentCommand::Complete { call: None }] {
        let (mut room, ears) = three();
        room.order_of("8001", asks());
        room.order_of("8002", ANSWER);
        room.order_of("8001", last);
        assert_eq!(heard(&room, &ears), "CN Cx Nx");
        room.order_of("8002", AgentCommand::HangUp { call: None });
        assert_eq!(heard(&room, &ears), "CN");
    }
}

#[test]
fn taken_back_while_it_rings_nobody_is_asked_any_more() {
    let (mut room, ears) = three();
    room.order_of("8001", asks());
    room.order_of("8001", RETRIEVE);
    assert_eq!(heard(&room, &ears), "Ca CN aN");
    assert_eq!(room.ask("8002", ANSWER), Err(Refused::NotOffered), "it rings no more");
    assert_eq!(room.ask("8001", RETRIEVE), Err(Refused::WrongState), "there is nothing to take back");
}

#[test]
fn held_twice_is_refused() {
    let mut room = Room::new();
    room.ready("8001");
    room.citizen();
    room.order_of("8001", ANSWER);
    room.order_of("8001", HOLD);
    room.forget();
    assert_eq!(room.ask("8001", HOLD), Err(Refused::WrongState));
    assert!(room.done.is_empty(), "{:?}", room.done);
}

/// In English, with a callback by key 8.
fn english() -> Room {
    let flow_text = include_str!("flow.toml")
        .replace("raise =", "skills = { english = 2 }\nkeys = { \"8\" = \"callback\" }\nraise =")
        + r#"
[node.callback]
kind = "callback"
queue = "main"
done = "bye"
failed = "bye"
"#;
    let mut config = config();
    config.flow = flow(&flow_text);
    config.dial.allow.push("120*".into());
    let people = [
        person("8001", &["main"], &[("english", 3)]),
        person("8002", &["main", "second"], &[]),
        person("8003", &["second"], &[("english", 2)]),
    ];
    Room::with(config, &people)
}

fn offered_to(room: &Room) -> Vec<String> {
    let offered = |event: &AgentEvent| matches!(event, AgentEvent::Offered { .. });
    room.told.iter().filter(|(_, event)| offered(event)).map(|(to, _)| to.to_string()).collect()
}

#[test]
fn a_transfer_to_a_queue_keeps_the_skills() {
    let mut room = english();
    room.ready("8001");
    room.citizen();
    room.order_of("8001", ANSWER);
    room.ready("8002");
    room.ready("8003");
    room.forget();
    let to = Some(Target::Queue(who("second")));
    room.order_of("8001", AgentCommand::Transfer { call: None, to });
    assert_eq!(offered_to(&room), ["8003"], "8002 is there longer and does not speak English");
}

#[test]
fn a_skill_that_nobody_there_has_keeps_nobody_waiting() {
    let mut config = config();
    config.flow = flow(&include_str!("flow.toml").replace("raise =", "skills = { english = 2 }\nraise ="));
    let people = [person("8001", &["main"], &[("english", 3)]), person("8002", &["second"], &[])];
    let mut room = Room::with(config, &people);
    room.ready("8001");
    room.citizen();
    room.order_of("8001", ANSWER);
    room.ready("8002");
    room.forget();
    let to = Some(Target::Queue(who("second")));
    room.order_of("8001", AgentCommand::Transfer { call: None, to });
    assert_eq!(offered_to(&room), ["8002"]);
}

#[test]
fn a_callback_keeps_the_skills_also_over_a_restart() {
    let mut room = english();
    let citizen = room.citizen();
    room.peer_says(citizen, |peer| peer.key('8'));
    room.pass(2_000);
    room.ready("8002");
    assert_eq!(offered_to(&room), Vec::<String>::new(), "he does not speak English");
    let mut fold = CallbackFold::default();
    let facts = std::mem::take(&mut room.facts);
    facts.iter().for_each(|fact| fold.fold(1, fact));
    room.ready("8001");
    assert_eq!(offered_to(&room), ["8001"]);

    let asked = facts.iter().find_map(|fact| match fact {
        Fact::CallbackRequested { call, number, skills, .. } => Some((*call, number.clone(), skills.clone())),
        _ => None,
    });
    let (call, number, skills) = asked.expect("was asked for");
    assert_eq!(skills, [("english".to_owned(), 2)]);
    let needs = hotline::acd::Needs::new(skills.into_iter().map(|(name, level)| (Arc::from(name), level)));
    let number = Personal::new(number.reveal());
    let open = fold.0.get(&call).expect("still promised").clone();
    let restored =
        RestoredCallback { call, number, queue: who("main"), needs, ticket: None, asked_ms: 0, open };
    let mut next = english();
    next.give(Input::RestoreCallbacks(vec![restored]));
    next.ready("8002");
    assert_eq!(offered_to(&next), Vec::<String>::new());
    next.ready("8001");
    assert_eq!(offered_to(&next), ["8001"]);
}
