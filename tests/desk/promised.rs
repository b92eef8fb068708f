//! What was promised is kept: callbacks that cannot be dialled, are answered into nobody's ears, come back after a restart; and the
//! mobile that is rung when nobody answers.

use crate::room::{OUTSIDE, PHONE, Room, WALL, config, flow, person, relay, who};
use crate::sip::{Peer, rtp};
use hotline::acd::{AgentSpec, Overflow};
use hotline::base::{CallId, Personal};
use hotline::call::agents::seam::*;
use hotline::call::callbacks::{CallbackFold, OpenCallback, RestoredCallback};
use hotline::call::fact::Fact;
use hotline::call::{EngineConfig, Input};
use std::sync::Arc;
use std::time::Duration;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const OF: CallId = CallId { node: 1, boot: 0, n: 7 };

/// One that the journal still promises: asked for an hour ago.
fn promise(number: &str) -> RestoredCallback {
    let open = OpenCallback { seq: 1, entered_ms: WALL - 3_600_000, priority: 3, ..OpenCallback::default() };
    let ticket = Some((Arc::from("20270101000001"), Arc::from("123456")));
    let queue = Arc::from("main");
    RestoredCallback {
        call: OF,
        number: Personal::new(number),
        queue,
        needs: Default::default(),
        ticket,
        asked_ms: WALL - 3_600_000,
        open,
    }
}

fn people() -> [AgentSpec; 3] {
    [person("8001", &["main"], &[]), person("8002", &["second"], &[]), person("boss", &[], &[])]
}

/// 8001 is offered the callback.
fn offered(phone: bool) -> Room {
    let mut room = Room::with(config(), &people());
    room.log_in("boss");
    match phone {
        true => room.ready_at_phone("8001"),
        false => room.ready("8001"),
    }
    room.give(Input::RestoreCallbacks(vec![promise("13900000001")]));
    assert_eq!(room.state("8001"), "offered");
    room.forget();
    room
}

fn over(room: &Room) -> Vec<String> {
    let why = |fact: &Fact| match fact {
        Fact::CallbackOver { call, why } => {
            assert_eq!(*call, OF);
            Some(why.clone())
        }
        _ => None,
    };
    room.facts.iter().filter_map(why).collect()
}

fn tries(room: &Room) -> Vec<String> {
    let outcome = |fact: &Fact| match fact {
        Fact::CallbackTryEnded { outcome, .. } => Some(outcome.clone()),
        _ => None,
    };
    room.facts.iter().filter_map(outcome).collect()
}

fn rescinded(room: &Room, wanted: &str) -> usize {
    room.heard("8001", |event| matches!(event, AgentEvent::Rescinded { call: OF, why } if *why == wanted))
}

#[test]
fn a_callback_that_is_answered_into_nobodys_ears_stays_promised() {
    // The page dies while it rings there.
    let mut room = offered(false);
    room.order_of("8001", ANSWER);
    room.pass(3_000);
    room.path("8001", Path::Deaf(Deafness::NothingHeard));
    room.pass(1_000);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(!room.peers[&OUTSIDE].up);
    assert_eq!((tries(&room), over(&room)), (vec!["failed".to_owned()], Vec::new()));
    assert_eq!(room.engine.acd().callback_tries(OF), Some(1), "the promise stands");
    assert_eq!(room.seat("8001").call, None);
    // He is well again, and it is the callback's time.
    room.path("8001", Path::Proven);
    room.pass(300_000);
    assert_eq!(room.state("8001"), "offered");
    room.order_of("8001", ANSWER);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(room.hears(relay("8001"), rtp(OUTSIDE)) && room.hears(rtp(OUTSIDE), relay("8001")));
    assert_eq!(over(&room), ["reached"]);
}

#[test]
fn a_callback_is_reached_when_the_agents_own_phone_is_up_too() {
    // The citizen was quicker than the desk phone.
    let mut room = offered(true);
    room.order_of("8001", ANSWER);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert_eq!(over(&room), [""; 0], "nobody has spoken with him yet");
    room.peer_says(PHONE, Peer::pick_up);
    assert!(room.hears(rtp(PHONE), rtp(OUTSIDE)) && room.hears(rtp(OUTSIDE), rtp(PHONE)));
    assert_eq!((over(&room), tries(&room)), (vec!["reached".to_owned()], vec!["answered".to_owned()]));
    room.peer_says(PHONE, Peer::bye);
    room.pass(1_000);
    assert_eq!(room.state("8001"), "wrap_up");
    // The desk phone was quicker: the same.
    let mut room = offered(true);
    room.order_of("8001", ANSWER);
    room.peer_says(PHONE, Peer::pick_up);
    assert_eq!(over(&room), [""; 0]);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert_eq!(over(&room), ["reached"]);
    // The desk phone does not come: he was met by nobody, and is called again.
    for refused in [true, false] {
        let mut room = offered(true);
        room.order_of("8001", ANSWER);
        room.peer_says(OUTSIDE, Peer::pick_up);
        match refused {
            true => room.peer_says(PHONE, |phone| phone.refuse(486)),
            false => room.peer_says(OUTSIDE, Peer::bye),
        }
        assert!(!room.peers[&OUTSIDE].up);
        assert_eq!((tries(&room).len(), over(&room)), (1, Vec::new()), "{refused}");
        assert_eq!(room.engine.acd().callback_tries(OF), Some(1));
        assert_eq!(room.seat("8001").call, None);
    }
}

#[test]
fn a_callback_that_cannot_be_dialled_stops_ringing_on_the_panel() {
    let with = |change: fn(&mut EngineConfig)| {
        let mut room = offered(false);
        let mut config = config();
        change(&mut config);
        room.give(Input::Reconfigure(Box::new(config)));
        room.order_of("8001", ANSWER);
        assert_eq!(rescinded(&room, "failed"), 1);
        assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Answered { .. })), 0);
        assert_eq!(room.seat("8001").call, None);
        room
    };
    let room = with(|config| config.dial.allow.clear());
    assert_eq!(over(&room), ["number_refused"]);
    let room = with(|config| config.limits.max_calls = 0);
    assert_eq!((tries(&room), over(&room)), (vec!["failed".to_owned()], Vec::new()));
    let room = with(|config| config.dial.trunk = Some("nothing".into()));
    assert_eq!((tries(&room), over(&room)), (vec!["failed".to_owned()], Vec::new()));
    // One that can be is taken back from nobody.
    let mut room = offered(false);
    room.order_of("8001", ANSWER);
    assert_eq!(rescinded(&room, "failed"), 0);
}

#[test]
fn a_callback_that_cannot_be_read_any_more_is_told_and_over() {
    let mut room = Room::with(config(), &people());
    room.log_in("boss");
    room.forget();
    room.give(Input::RestoreCallbacks(vec![promise("")]));
    assert_eq!(over(&room), ["lost"]);
    let told = |event: &AgentEvent| matches!(event, AgentEvent::Alarm { kind: "callback_given_up", call: Some(OF), note, .. } if **note == *"lost");
    assert_eq!(room.heard("boss", told), 1);
}

#[test]
fn a_restart_moves_no_callback_because_nobody_has_logged_in_yet() {
    let mut config = config();
    let overflow = Overflow { to: "second".into(), after: None, longer_than: None, no_staff: true };
    config.queues[0].1.overflow = Some(overflow);
    let mut room = Room::with(config, &people());
    room.forget();
    room.give(Input::RestoreCallbacks(vec![promise("13900000001")]));
    let queue = |room: &Room| room.engine.acd().queue_of(OF).map(|queue| queue.to_string());
    let moved = |room: &Room| {
        room.facts
            .iter()
            .any(|fact| matches!(fact, Fact::CallbackMoved { call: OF, queue } if queue == "second"))
    };
    assert_eq!((queue(&room).as_deref(), moved(&room)), (Some("main"), false));
    // The queue had people and has lost them: it goes on to the other, and the journal knows.
    room.ready("8001");
    room.order_of("8001", AgentCommand::Reject { call: None });
    room.order_of("8001", AgentCommand::Logout);
    room.pass(1);
    assert_eq!((queue(&room).as_deref(), moved(&room)), (Some("second"), true));
    let mut fold = CallbackFold::default();
    fold.0.insert(OF, OpenCallback::default());
    room.facts.iter().for_each(|fact| fold.fold(1, fact));
    assert_eq!(fold.0[&OF].queue.as_deref(), Some("second"));
    // And the next start has it there.
    let mut again = Room::with(crate::room::config(), &people());
    let mut promise = promise("13900000001");
    promise.queue = "second".into();
    again.give(Input::RestoreCallbacks(vec![promise]));
    again.ready("8002");
    assert_eq!(again.state("8002"), "offered");
}

fn booking() -> EngineConfig {
    let mut config = config();
    config.flow = flow(include_str!("with_callback.toml"));
    config.dial.allow.push("120*".into());
    config
}

/// The request's queue and priority.
fn requested(room: &Room) -> Option<(String, u8)> {
    room.facts.iter().find_map(|fact| match fact {
        Fact::CallbackRequested { queue, priority, .. } => Some((queue.clone(), *priority)),
        _ => None,
    })
}

#[test]
fn whoever_is_booked_by_a_time_limit_keeps_his_priority() {
    for how in ["key", "too long", "drain"] {
        let mut config = booking();
        config.queues[0].1.max_wait = Duration::from_secs(600);
        let mut room = Room::with(config, &people());
        let citizen = room.citizen();
        room.peer_says(citizen, |peer| peer.key('0'));
        match how {
            "key" => room.peer_says(citizen, |peer| peer.key('9')),
            "too long" => room.pass(600_000),
            _ => room.give(Input::Drain),
        }
        assert_eq!(requested(&room), Some(("main".to_owned(), 5)), "{how}");
    }
}

/// 8001 lets it ring twice: the mobile rings, and he is offered the call once more.
fn nobody_answers(key: Option<char>) -> (Room, std::net::SocketAddr) {
    let mut config = booking();
    config.acd.on_call = Some("13900000999".into());
    let mut room = Room::with(config, &people());
    room.ready("8001");
    let citizen = room.citizen();
    if let Some(key) = key {
        room.peer_says(citizen, |peer| peer.key(key));
    }
    room.pass(17_000);
    assert!(room.peers[&OUTSIDE].invite.is_some(), "the mobile rings");
    assert_eq!(room.state("8001"), "offered");
    room.forget();
    (room, citizen)
}

#[test]
fn the_mobile_answers_while_an_agent_is_offered_the_call() {
    let (mut room, citizen) = nobody_answers(None);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)) && room.hears(rtp(citizen), rtp(OUTSIDE)));
    assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Rescinded { .. })), 1);
    assert_eq!(room.state("8001"), "ready");
    let faults: Vec<_> = room.engine.reach().filter(|(.., count, why)| *count > 0 && why.is_some()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    room.peer_says(OUTSIDE, Peer::bye);
    room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
    room.assert_rest();
}

#[test]
fn whoever_the_mobile_speaks_with_is_not_called_back_as_well() {
    let (mut room, citizen) = nobody_answers(Some('8'));
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)));
    let over = |fact: &&Fact| matches!(fact, Fact::CallbackOver { why, .. } if why == "withdrawn");
    assert_eq!(room.facts.iter().filter(over).count(), 1);
    room.peer_says(citizen, Peer::bye);
    room.pass(60_000);
    assert_eq!(room.state("8001"), "ready", "nothing is left to be done for him");
}
