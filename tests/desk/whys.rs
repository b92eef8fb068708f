//! Twenty staged situations through the whole engine: does the answer of `GET /api/v1/calls/{id}/why` name the true cause?

use crate::room::{OUTSIDE, Room, WALL, config, flow, person, who};
use crate::sip::Peer;
use hotline::acd::AgentSpec;
use hotline::base::CallId;
use hotline::call::agents::seam::*;
use hotline::call::{Kept, Why};
use std::net::SocketAddr;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const HANG_UP: AgentCommand = AgentCommand::HangUp { call: None };

fn staff(names: &[&str]) -> Vec<AgentSpec> {
    names.iter().map(|name| person(name, &["main"], &[("zh", 2)])).collect()
}

/// These are at work, in this order.
fn desk(names: &[&str]) -> Room {
    let mut room = Room::with(config(), &staff(names));
    for name in names {
        room.ready(name);
        room.pass(1_000);
    }
    room.forget();
    room
}

/// 8001 alone, on a call.
fn talking() -> Room {
    let mut room = desk(&["8001"]);
    room.citizen();
    room.order_of("8001", ANSWER);
    room
}

/// A citizen comes and ten seconds pass.
fn waits(room: &mut Room) -> Vec<&'static str> {
    let (call, _) = comes(room);
    room.pass(10_000);
    causes(room, call)
}

fn comes(room: &mut Room) -> (CallId, SocketAddr) {
    let at = room.citizen();
    (room.call_of(at), at)
}

/// The causes in order; the stretches meet end to end, from his entry to now or to the answer.
fn causes(room: &mut Room, call: CallId) -> Vec<&'static str> {
    let Why { waited, .. } = room.why(call);
    for pair in waited.windows(2) {
        assert_eq!(pair[0].to_ms, pair[1].from_ms, "a gap in {waited:?}");
    }
    let now = WALL + i64::try_from(room.now.as_millis()).expect("soon") - 1_000;
    let waiting = room.engine.acd().queue_of(call).is_some();
    assert!(!waiting || waited.last().map(|kept| kept.to_ms) == Some(now), "{waited:?} does not reach {now}");
    waited.iter().map(|kept| kept.cause).collect()
}

fn kept(room: &mut Room, call: CallId, cause: &str) -> Kept {
    let found = room.why(call).waited.into_iter().find(|kept| kept.cause == cause);
    found.unwrap_or_else(|| panic!("no {cause}"))
}

const SKILLED: &str = include_str!("flow.toml");

/// The flow asks for this skill.
fn asking_for(skills: &str, people: &[AgentSpec]) -> Room {
    let mut config = config();
    config.flow =
        flow(&SKILLED.replace("queue = \"main\"", &format!("queue = \"main\"\nskills = {{ {skills} }}")));
    let mut room = Room::with(config, people);
    for person in people {
        room.ready(person.id.as_str());
    }
    room
}

#[test]
fn w01_nobody_serves_the_queue() {
    let mut room = Room::with(config(), &[person("8001", &["second"], &[])]);
    room.ready("8001");
    assert_eq!(waits(&mut room), ["no_agent_on_roster"]);
}

#[test]
fn w02_the_last_one_was_taken_out_of_the_directory() {
    let mut room = talking();
    let (call, _) = comes(&mut room);
    room.pass(10_000);
    room.order_of("8001", HANG_UP);
    room.give(hotline::call::Input::Agents(Vec::new()));
    room.pass(10_000);
    assert_eq!(causes(&mut room, call), ["all_talking", "no_agent_on_roster"]);
}

#[test]
fn w03_nobody_has_logged_in() {
    let mut room = Room::with(config(), &staff(&["8001"]));
    assert_eq!(waits(&mut room), ["nobody_logged_in"]);
}

#[test]
fn w04_nobody_has_the_skill() {
    let mut room = asking_for("english = 1", &staff(&["8001"]));
    assert_eq!(waits(&mut room), ["skill_missing"]);
}

#[test]
fn w05_the_level_is_too_low() {
    let mut room = asking_for("zh = 3", &staff(&["8001"]));
    assert_eq!(waits(&mut room), ["skill_missing"]);
}

#[test]
fn w06_the_one_with_the_skill_talks_and_another_is_free() {
    let people = [person("8001", &["main"], &[("english", 2)]), person("8002", &["main"], &[])];
    let mut room = asking_for("english = 1", &people);
    room.citizen();
    room.order_of("8001", ANSWER);
    assert_eq!(waits(&mut room), ["all_talking"]);
    assert_eq!(room.state("8002"), "ready");
}

#[test]
fn w07_all_talking() {
    assert_eq!(waits(&mut talking()), ["all_talking"]);
}

#[test]
fn w08_all_on_calls_they_dialled() {
    let mut room = desk(&["8001"]);
    room.order_of("8001", AgentCommand::Dial { number: who("13900000001"), ticket: None });
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert_eq!(waits(&mut room), ["all_talking"]);
}

#[test]
fn w09_all_wrapping_up() {
    let mut room = talking();
    room.order_of("8001", HANG_UP);
    assert_eq!(waits(&mut room), ["all_wrapping_up"]);
}

#[test]
fn w10_all_on_a_break() {
    let mut room = desk(&["8001"]);
    room.order_of("8001", AgentCommand::BreakRequest { reason: who("tea") });
    assert_eq!(waits(&mut room), ["all_on_break"]);
}

#[test]
fn w11_the_cap_on_breaks_keeps_one_at_work_who_talks() {
    let mut config = config();
    config.acd.max_on_break = 1;
    let mut room = Room::with(config, &staff(&["8001", "8002"]));
    for name in ["8001", "8002"] {
        room.ready(name);
        room.order_of(name, AgentCommand::BreakRequest { reason: who("tea") });
    }
    assert_eq!((room.state("8001").as_str(), room.state("8002").as_str()), ("not_ready tea", "ready"));
    let waiting = |event: &AgentEvent| matches!(event, AgentEvent::Break { granted: false, .. });
    assert_eq!(room.heard("8002", waiting), 1, "he is told that he waits for his");
    room.citizen();
    room.order_of("8002", ANSWER);
    assert_eq!(waits(&mut room), ["all_talking"]);
}

#[test]
fn w12_all_not_ready() {
    let mut room = desk(&["8001"]);
    room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
    assert_eq!(waits(&mut room), ["all_not_ready"]);
}

#[test]
fn w13_no_sound_passes() {
    let mut room = desk(&["8001"]);
    room.path("8001", Path::Deaf(Deafness::NoMicrophone));
    assert_eq!(waits(&mut room), ["deaf_path"]);
}

#[test]
fn w14_the_page_is_gone() {
    let mut room = desk(&["8001"]);
    room.present("8001", false);
    let (call, _) = comes(&mut room);
    room.pass(10_000);
    assert_eq!(causes(&mut room, call), ["deaf_path"]);
    // It does not come back: he is logged out.
    room.pass(20_000);
    assert_eq!(causes(&mut room, call), ["deaf_path", "nobody_logged_in"]);
}

#[test]
fn w15_being_offered() {
    let mut room = desk(&["8001"]);
    let (call, _) = comes(&mut room);
    room.pass(3_000);
    assert_eq!(causes(&mut room, call), ["being_offered"]);
    assert_eq!(kept(&mut room, call, "being_offered").agent.as_deref(), Some("8001"));
}

#[test]
fn w16_who_was_asked_did_not_answer() {
    let mut room = desk(&["8001", "8002"]);
    room.citizen();
    room.order_of("8001", ANSWER);
    let (call, _) = comes(&mut room);
    room.pass(8_000);
    assert_eq!(room.state("8002"), "not_responding");
    room.pass(4_000);
    assert_eq!(causes(&mut room, call), ["being_offered", "all_talking"]);
    // Now the other is away as well, and the one who should be there is named.
    room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
    room.order_of("8001", HANG_UP);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    room.pass(10_000);
    assert_eq!(causes(&mut room, call).last(), Some(&"not_responding"));
}

#[test]
fn w17_somebody_more_urgent_was_first() {
    let mut room = talking();
    let (call, _) = comes(&mut room);
    room.pass(10_000);
    let (urgent, at) = comes(&mut room);
    // 0: something urgent is happening.
    room.peer_says(at, |peer| peer.key('0'));
    room.pass(10_000);
    room.order_of("8001", HANG_UP);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    assert_eq!(room.seat("8001").call, Some(urgent));
    room.order_of("8001", ANSWER);
    room.pass(10_000);
    assert_eq!(causes(&mut room, call).last(), Some(&"higher_priority_first"));
    let passed = kept(&mut room, call, "higher_priority_first");
    assert_eq!((passed.agent.as_deref(), passed.served), (Some("8001"), Some(urgent)));
}

#[test]
fn w18_an_earlier_caller_of_the_same_priority_is_no_injustice() {
    let mut room = talking();
    comes(&mut room);
    room.pass(1_000);
    let (call, _) = comes(&mut room);
    room.pass(10_000);
    room.order_of("8001", HANG_UP);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    room.order_of("8001", ANSWER);
    room.pass(10_000);
    assert!(!causes(&mut room, call).contains(&"higher_priority_first"));
    assert_eq!(causes(&mut room, call).last(), Some(&"all_talking"));
}

#[test]
fn w19_everybody_leaves_in_mid_wait() {
    let mut room = talking();
    let (call, _) = comes(&mut room);
    room.pass(10_000);
    room.order_of("8001", AgentCommand::NotReady { reason: who("home") });
    room.order_of("8001", HANG_UP);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    room.pass(10_000);
    room.order_of("8001", AgentCommand::Logout);
    room.pass(10_000);
    assert_eq!(causes(&mut room, call), ["all_talking", "all_not_ready", "nobody_logged_in"]);
}

#[test]
fn w20_afterwards_the_whole_wait_and_the_choice_can_still_be_told() {
    let mut room = talking();
    room.pass(1_000);
    let (call, at) = comes(&mut room);
    room.pass(41_000);
    room.order_of("8001", HANG_UP);
    room.pass(90_000);
    room.pass(2_000);
    room.order_of("8001", ANSWER);
    room.pass(60_000);
    room.peer_says(at, Peer::bye);
    assert_eq!(causes(&mut room, call), ["all_talking", "all_wrapping_up", "being_offered"]);
    let Why { waited, chosen } = room.why(call);
    let sum: i64 = waited.iter().map(|kept| kept.to_ms - kept.from_ms).sum();
    assert_eq!(sum, 41_000 + 90_000 + 2_000);
    assert_eq!(chosen.len(), 1);
    assert_eq!((chosen[0].agent.as_str(), chosen[0].rule, chosen[0].free), ("8001", "longest_idle", 1));
    assert_eq!(chosen[0].considered, ["8001"]);
}
