//! 试拨: duty numbers are dialled by the rules, told who we are, hung up on; the facts of that call tell what came of it.

use crate::room::{OUTSIDE, Room, config};
use crate::sip::Rung;
use hotline::base::CallId;
use hotline::call::agents::seam::Refused;
use hotline::call::agents::testing::{DIAL_TEST, DialTest};
use hotline::call::fact::Fact;
use hotline::call::{Count, EndReason, Reply, Request};

fn tries(room: &mut Room, number: &str) -> Result<CallId, Refused> {
    let test = DialTest { duty: "rl-day".into(), number: number.into(), by: "lead".into() };
    match room.request(Request::DialTest(test)) {
        Reply::DialTest(begun) => begun,
        other => panic!("{other:?}"),
    }
}

fn rung(room: &mut Room, how: Rung) {
    room.peers.entry(OUTSIDE).or_insert_with(|| crate::sip::Peer::new(OUTSIDE)).rung = how;
}

fn ended(room: &Room) -> Option<(EndReason, u16)> {
    room.facts.iter().find_map(|fact| match fact {
        Fact::CallEnded(end) => Some((end.reason, end.sip_status)),
        _ => None,
    })
}

#[test]
fn who_answers_hears_who_we_are_and_is_hung_up_on() {
    let mut room = Room::new();
    rung(&mut room, Rung::Answers);
    let call = tries(&mut room, "1390 0000 001").expect("the rules open it");
    room.pass(10);
    let clip = config().clips.get("dial_test").expect("a clip").0;
    assert_eq!(room.played, [clip], "once");
    assert_eq!(room.peers[&OUTSIDE].asked("BYE"), 1);
    assert_eq!(ended(&room), Some((EndReason::FlowEnded, 0)));
    let facts: Vec<_> = room.facts.iter().filter(|fact| fact.call() == Some(call)).collect();
    let noted = |fact: &&&Fact| matches!(fact, Fact::CallNoted { kind, agent, note, .. } if kind == DIAL_TEST && agent == "lead" && note.reveal() == "rl-day");
    assert_eq!(facts.iter().filter(noted).count(), 1);
    assert!(facts.iter().any(|fact| matches!(fact, Fact::CallAnswered(_))));
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::NumberDrawn { .. })), "no ticket");
    assert_eq!(room.engine.counters().get(Count::DialTests), 1);
    room.assert_rest();
}

#[test]
fn what_came_of_it_is_in_its_end() {
    for (how, reason, status) in [
        (Rung::Refuses(486), EndReason::CalleeBusy, 486),
        (Rung::Refuses(480), EndReason::CalleeNoAnswer, 480),
        (Rung::Refuses(404), EndReason::CalleeUnknown, 404),
        (Rung::Refuses(503), EndReason::DialFailed, 503),
        (Rung::Rings, EndReason::CalleeNoAnswer, 0),
    ] {
        let mut room = Room::new();
        rung(&mut room, how);
        tries(&mut room, "13900000001").expect("the rules open it");
        room.pass(60_000);
        assert_eq!(ended(&room), Some((reason, status)), "{how:?}");
        assert!(room.played.is_empty(), "{how:?}");
        room.assert_rest();
    }
}

#[test]
fn emergency_codes_and_what_the_rules_do_not_open_are_never_dialled() {
    let mut config = config();
    config.dial.allow = ["110", "119", "139*"].map(Into::into).to_vec();
    let mut room = Room::with(config, &[]);
    for (number, why) in [
        ("110", Refused::NotAllowed),
        ("1 1-9", Refused::NotAllowed),
        ("120", Refused::NotAllowed),
        ("13800000001", Refused::NumberRefused),
        ("sip:x@y", Refused::NumberRefused),
        ("", Refused::NumberRefused),
    ] {
        assert_eq!(tries(&mut room, number), Err(why), "{number}");
    }
    assert!(room.peers.get(&OUTSIDE).is_none_or(|peer| peer.asked("INVITE") == 0));
    assert_eq!(room.engine.live_calls(), 0);
}

#[test]
fn a_number_is_tried_once_at_a_time_and_few_at_once() {
    let mut room = Room::new();
    rung(&mut room, Rung::Rings);
    tries(&mut room, "13900000001").expect("the first");
    assert_eq!(tries(&mut room, "13900000001"), Err(Refused::TargetBusy));
    for n in 2..=4 {
        tries(&mut room, &format!("1390000000{n}")).expect("four at once");
    }
    assert_eq!(tries(&mut room, "13900000005"), Err(Refused::Limit));
    room.pass(60_000);
    tries(&mut room, "13900000001").expect("those are over");
    room.give(hotline::call::Input::EndAll);
    room.assert_rest();
}
