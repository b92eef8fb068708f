//! 语音催签 in the engine: who is dialled, what he hears, what his keys do, and when he is left in peace.

use crate::room::{OUTSIDE, Room, config};
use crate::sip::Rung;
use hotline::base::{CallId, Digit};
use hotline::call::agents::seam::Refused;
use hotline::call::agents::urging::{URGE_HEARD, VOICE_URGE, VoiceUrge};
use hotline::call::fact::Fact;
use hotline::call::{Count, EndReason, Input, Reply, Request};
use hotline::media::seam::{DigitSource, Event};

const SAID: [&str; 6] = ["urge_intro", "urge_what", "cat_010201", "urge_where", "dept_st019", "urge_key"];

fn urges(room: &mut Room, number: &str) -> Result<CallId, Refused> {
    let clips = SAID.map(str::to_owned).to_vec();
    match room.request(Request::VoiceUrge(VoiceUrge {
        attempt: "t-1/0/0".into(),
        number: number.into(),
        clips,
    })) {
        Reply::VoiceUrge(begun) => begun,
        other => panic!("{other:?}"),
    }
}

fn rung(room: &mut Room, how: Rung) {
    room.peers.entry(OUTSIDE).or_insert_with(|| crate::sip::Peer::new(OUTSIDE)).rung = how;
}

fn ended(room: &Room) -> Option<EndReason> {
    room.facts.iter().find_map(|fact| match fact {
        Fact::CallEnded(end) => Some(end.reason),
        _ => None,
    })
}

fn noted(room: &Room, what: &str) -> usize {
    let of = |fact: &&Fact| matches!(fact, Fact::CallNoted { kind, .. } if kind == what);
    room.facts.iter().filter(of).count()
}

fn clip(name: &str) -> u32 {
    config().clips.get(name).unwrap_or_else(|| panic!("{name}")).0
}

/// On the only leg there is.
fn press(room: &mut Room, key: char) {
    let leg = *room.legs.keys().next().expect("a leg");
    let digit = Digit::from_char(key).expect("a key");
    let at = room.now;
    room.give(Input::Media(Event::Digit { leg, digit, source: DigitSource::Rtp, at }));
}

#[test]
fn who_presses_nothing_hears_it_three_times_and_that_others_are_told() {
    let mut room = Room::new();
    rung(&mut room, Rung::Answers);
    urges(&mut room, "13900000001").expect("the rules open it");
    room.pass(10);
    let said = SAID.map(clip);
    let want: Vec<u32> = [said, said, said].concat().into_iter().chain([clip("urge_bye")]).collect();
    assert_eq!(room.played, want);
    assert_eq!(ended(&room), Some(EndReason::FlowEnded));
    assert_eq!((noted(&room, VOICE_URGE), noted(&room, URGE_HEARD)), (1, 0));
    assert_eq!(room.peers[&OUTSIDE].asked("BYE"), 1);
    assert!(!room.facts.iter().any(|fact| matches!(fact, Fact::NumberDrawn { .. })), "no ticket");
    room.assert_rest();
}

#[test]
fn key_1_is_noted_once_and_thanked_for() {
    let mut room = Room::new();
    room.plays_on = true;
    rung(&mut room, Rung::Answers);
    urges(&mut room, "13900000001").expect("the rules open it");
    room.pass(10);
    assert_eq!(room.played, SAID.map(clip), "and he thinks");
    press(&mut room, '5');
    assert_eq!(noted(&room, URGE_HEARD), 0, "no such key");
    press(&mut room, '2');
    assert_eq!(room.played.len(), 2 * SAID.len(), "again");
    press(&mut room, '1');
    room.pass(200);
    press(&mut room, '1');
    assert_eq!(noted(&room, URGE_HEARD), 1);
    assert_eq!(room.played.last(), Some(&clip("urge_heard")));
    room.finish_playing();
    assert_eq!(ended(&room), Some(EndReason::FlowEnded));
    assert_eq!(room.engine.counters().get(Count::VoiceUrgesHeard), 1);
    room.assert_rest();
}

#[test]
fn what_was_signed_meanwhile_rings_no_longer_and_says_so_to_who_has_answered() {
    let mut room = Room::new();
    rung(&mut room, Rung::Rings);
    let call = urges(&mut room, "13900000001").expect("the rules open it");
    room.request(Request::UrgeOver { call });
    room.pass(10);
    assert!(ended(&room).is_some());
    assert_eq!(room.peers[&OUTSIDE].asked("CANCEL"), 1);
    assert!(room.played.is_empty());
    room.assert_rest();

    let mut room = Room::new();
    room.plays_on = true;
    rung(&mut room, Rung::Answers);
    let call = urges(&mut room, "13900000001").expect("the rules open it");
    room.pass(10);
    room.request(Request::UrgeOver { call });
    assert_eq!(room.played.last(), Some(&clip("urge_signed")));
    room.finish_playing();
    assert_eq!(ended(&room), Some(EndReason::FlowEnded));
    room.assert_rest();
}

#[test]
fn nobody_is_dialled_whom_the_rules_do_not_open_nor_more_than_four_at_once() {
    let mut room = Room::new();
    rung(&mut room, Rung::Rings);
    for (number, why) in [("110", Refused::NotAllowed), ("13800000001", Refused::NumberRefused)] {
        assert_eq!(urges(&mut room, number), Err(why), "{number}");
    }
    for n in 1..=4 {
        urges(&mut room, &format!("1390000000{n}")).expect("four at once");
    }
    assert_eq!(urges(&mut room, "13900000005"), Err(Refused::Limit));
    room.pass(60_000);
    assert_eq!(ended(&room), Some(EndReason::CalleeNoAnswer));
    room.give(Input::EndAll);
    room.assert_rest();
}
