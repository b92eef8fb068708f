//! 一把手接听: while a session is open 1 leads to the head of the department, a recorder listens from the first word and writes; nobody
//! is left waiting for a head who is not there.

use crate::room::{Room, WALL, config, flow, person, relay, who};
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use hotline::call::{EngineConfig, Input};
use std::net::SocketAddr;
use std::sync::Arc;

const HEAD: &str = "9001";
const RECORDER: &str = "9002";
const MINUTE: i64 = 60_000;

fn session() -> LeaderSession {
    LeaderSession {
        id: who("ls-7"),
        unit: who("rl"),
        from_ms: WALL,
        to_ms: WALL + 90 * MINUTE,
        seat: who(HEAD),
        recorder: Some(who(RECORDER)),
    }
}

/// Key 1 while waiting leads to the head.
fn with_head() -> EngineConfig {
    let mut config = config();
    config.limits.hold_unfinished = true;
    let queue = config.queues[0].1.clone();
    config.queues.push((who("leader"), queue));
    let text = include_str!("flow.toml").replace("raise =", "keys = { \"1\" = \"head\" }\nraise =")
        + r#"
[node.head]
kind = "queue"
queue = "leader"
comfort = "queue_comfort"
timeout_s = 600
timeout = "people"
full = "people"
no_staff = "people"
answered = "bye"
"#;
    config.flow = flow(&text);
    config
}

/// All of them serve every line by the directory, as they do by default.
fn room(sessions: &[LeaderSession]) -> Room {
    let all = ["main", "second", "leader"];
    let people = [
        person("8001", &["main"], &[]),
        person(HEAD, &all, &[]),
        person(RECORDER, &all, &[]),
        person("boss", &[], &[]),
    ];
    let mut room = Room::with(with_head(), &people);
    room.give(Input::Agent(ToEngine::LeaderSessions(sessions.to_vec())));
    room.log_in("boss");
    room
}

fn asks_for_head(room: &mut Room) -> SocketAddr {
    let at = room.citizen();
    room.peer_says(at, |peer| peer.key('1'));
    at
}

fn offered_to(room: &Room) -> Vec<String> {
    let offered = |event: &AgentEvent| matches!(event, AgentEvent::Offered { .. });
    room.told.iter().filter(|(_, event)| offered(event)).map(|(to, _)| to.to_string()).collect()
}

fn notes(room: &Room) -> Vec<(String, String, String)> {
    let note = |fact: &Fact| match fact {
        Fact::CallNoted { agent, kind, note, .. } => {
            Some((kind.clone(), agent.clone(), note.reveal().to_owned()))
        }
        _ => None,
    };
    room.facts.iter().filter_map(note).collect()
}

fn alarms(room: &Room) -> Vec<&'static str> {
    let alarm = |(to, event): &(Arc<str>, AgentEvent)| match event {
        AgentEvent::Alarm { kind, .. } if &**to == "boss" => Some(*kind),
        _ => None,
    };
    room.told.iter().filter_map(alarm).collect()
}

#[test]
fn the_head_talks_and_the_recorder_listens_from_the_first_word() {
    let mut room = room(&[session()]);
    [RECORDER, HEAD].into_iter().for_each(|agent| room.ready(agent));
    let citizen = asks_for_head(&mut room);
    assert_eq!(offered_to(&room), [HEAD], "the recorder has no line of his own");
    let call = room.call();
    room.order_of(HEAD, AgentCommand::Answer { call: None });
    let (head, recorder) = (relay(HEAD), relay(RECORDER));
    let rtp = crate::sip::rtp(citizen);
    assert!(room.hears(rtp, head) && room.hears(head, rtp));
    assert!(room.hears(recorder, rtp) && room.hears(recorder, head), "he hears both");
    assert!(!room.hears(rtp, recorder) && !room.hears(head, recorder), "and is heard by nobody");
    let told = |room: &Room, agent: &str| {
        let card = |(to, event): &(Arc<str>, AgentEvent)| match event {
            AgentEvent::Answered { card } if &**to == agent => card.session.clone(),
            _ => None,
        };
        room.told.iter().rev().find_map(card).expect("a card of the session")
    };
    let (mine, his) = (told(&room, HEAD), told(&room, RECORDER));
    assert_eq!((mine.part, mine.listens, mine.recorder.as_deref()), ("leader", false, Some(RECORDER)));
    assert_eq!((his.part, his.listens, &*his.unit), ("recorder", true, "rl"));
    assert_eq!(room.heard(HEAD, |e| matches!(e, AgentEvent::Monitored { how: "listen", .. })), 1);
    let want = [("leader_asked", "", "ls-7"), ("leader_session", "", "ls-7"), ("recorder", RECORDER, "")];
    let want = want.map(|(kind, agent, note)| (kind.to_owned(), agent.to_owned(), note.to_owned()));
    assert_eq!(notes(&room), want);
    // The citizen hangs up: the ticket keeps the recorder, not the head.
    room.peer_says(citizen, |peer| peer.bye());
    assert_eq!((room.state(HEAD), room.state(RECORDER)), ("wrap_up".into(), "wrap_up".into()));
    room.pass(95_000);
    assert_eq!((room.state(HEAD), room.state(RECORDER)), ("ready".into(), "wrap_up".into()));
    let saved = hotline::call::TicketSaved { done: true, state: "accepted".into(), ..Default::default() };
    room.request(hotline::call::Request::TicketSaved { call, saved });
    assert_eq!(room.state(RECORDER), "ready");
    room.assert_rest();
}

#[test]
fn the_recorder_takes_the_citizen_over_and_the_head_is_free() {
    let mut room = room(&[session()]);
    [RECORDER, HEAD].into_iter().for_each(|agent| room.ready(agent));
    let citizen = asks_for_head(&mut room);
    room.order_of(HEAD, AgentCommand::Answer { call: None });
    room.order_of(HEAD, AgentCommand::Hold { call: None });
    room.forget();
    let to = Some(Target::Agent(who(RECORDER)));
    room.order_of(HEAD, AgentCommand::Transfer { call: None, to });
    let (rtp, recorder) = (crate::sip::rtp(citizen), relay(RECORDER));
    assert!(room.hears(rtp, recorder) && room.hears(recorder, rtp), "they speak, the hold is over");
    assert_eq!(room.heard(HEAD, |e| matches!(e, AgentEvent::Ended { reason: "transferred", .. })), 1);
    assert_eq!((room.state(HEAD), room.state(RECORDER)), ("wrap_up".into(), "on_call".into()));
    // He does everything an agent does.
    room.order_of(RECORDER, AgentCommand::Hold { call: None });
    room.order_of(RECORDER, AgentCommand::Retrieve { call: None });
    room.order_of(RECORDER, AgentCommand::HangUp { call: None });
    room.pass(95_000);
    assert_eq!((room.state(HEAD), room.state(RECORDER)), ("ready".into(), "wrap_up".into()), "his ticket");
    room.assert_rest();
}

#[test]
fn without_a_session_or_a_head_who_is_ready_a_person_answers() {
    let later = LeaderSession { from_ms: WALL + MINUTE, ..session() };
    for (sessions, ready) in [(vec![], true), (vec![later], true), (vec![session()], false)] {
        let shown = format!("{sessions:?} ready: {ready}");
        let mut room = room(&sessions);
        room.log_in(HEAD);
        if ready {
            room.order_of(HEAD, AgentCommand::Ready);
            room.order_of(HEAD, AgentCommand::NotReady { reason: who("busy") });
        }
        room.ready("8001");
        room.forget();
        asks_for_head(&mut room);
        assert!(offered_to(&room).iter().all(|who| who == "8001"), "{shown}: {:?}", offered_to(&room));
        assert!(!offered_to(&room).is_empty(), "{shown}");
    }
}

#[test]
fn whoever_waits_for_the_head_has_a_person_when_he_leaves_or_the_session_is_over() {
    for leaves in [true, false] {
        let mut room = room(&[session()]);
        [RECORDER, HEAD].into_iter().for_each(|agent| room.ready(agent));
        let first = asks_for_head(&mut room);
        room.order_of(HEAD, AgentCommand::Answer { call: None });
        let second = asks_for_head(&mut room);
        room.forget();
        room.pass(5_000);
        assert_eq!(offered_to(&room), Vec::<String>::new(), "he waits for the head");
        room.ready("8001");
        if leaves {
            // He wants no more after this one: whoever waits is still his until he is off the call.
            room.order_of(HEAD, AgentCommand::NotReady { reason: who("meeting") });
            room.peer_says(first, |peer| peer.bye());
            room.pass(95_000);
        } else {
            room.give(Input::Wall { ms: session().to_ms });
            assert!(room.hears(crate::sip::rtp(first), relay(HEAD)), "the call he has goes on");
        }
        assert_eq!(offered_to(&room), ["8001"], "leaves: {leaves}");
        room.order_of("8001", AgentCommand::Answer { call: None });
        assert!(room.hears(crate::sip::rtp(second), relay("8001")));
        // No session's ticket: an agent's own.
        assert!(notes(&room).iter().all(|(kind, ..)| kind != "leader_session"), "{:?}", notes(&room));
        room.give(Input::EndAll);
        room.assert_rest();
    }
}

#[test]
fn while_it_is_open_head_and_recorder_have_no_other_line() {
    let mut room = room(&[session()]);
    [RECORDER, HEAD].into_iter().for_each(|agent| room.ready(agent));
    room.citizen();
    assert_eq!(offered_to(&room), Vec::<String>::new());
    room.give(Input::Wall { ms: session().to_ms });
    assert_eq!(offered_to(&room), [HEAD], "afterwards they are agents like the others");
    room.give(Input::EndAll);
    room.assert_rest();
}

#[test]
fn a_recorder_who_is_not_there_holds_nothing_up_and_leads_hear_of_it() {
    let mut room = room(&[session()]);
    room.ready(HEAD);
    let citizen = asks_for_head(&mut room);
    room.order_of(HEAD, AgentCommand::Answer { call: None });
    assert!(room.hears(crate::sip::rtp(citizen), relay(HEAD)));
    assert_eq!(alarms(&room), ["recorder_missing"]);
    room.order_of(HEAD, AgentCommand::HangUp { call: None });
    room.pass(95_000);
    assert_eq!(room.state(HEAD), "wrap_up", "then the ticket is his own");
    room.assert_rest();
}

#[test]
fn the_roster_stands_in_nobodys_way_during_the_session() {
    let mut config = with_head();
    config.acd.roster_binds = true;
    let people = [person(HEAD, &[], &[]), person(RECORDER, &[], &[])];
    let mut room = Room::with(config, &people);
    room.give(Input::Agent(ToEngine::Roster { may: Some(Default::default()), on_call: Vec::new() }));
    room.log_in(HEAD);
    assert_eq!(room.ask(HEAD, AgentCommand::Ready), Err(Refused::NotOnRoster));
    room.give(Input::Agent(ToEngine::LeaderSessions(vec![session()])));
    room.order_of(HEAD, AgentCommand::Ready);
    asks_for_head(&mut room);
    assert_eq!(offered_to(&room), [HEAD]);
    room.order_of(HEAD, AgentCommand::Answer { call: None });
    room.give(Input::Wall { ms: session().to_ms });
    room.order_of(HEAD, AgentCommand::HangUp { call: None });
    assert_eq!(room.ask(HEAD, AgentCommand::Ready), Err(Refused::NotOnRoster), "it is over");
    room.assert_rest();
}
