//! An agent's own telephone holds (a re-INVITE with `sendonly`): the citizen has music and is told as held, and comes back with it.

use crate::room::{PHONE, Room, config, person};
use crate::sip::rtp;
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use std::net::SocketAddr;

fn talking() -> (Room, SocketAddr) {
    let mut config = config();
    config.hold_music = Some("queue_comfort".into());
    let people = [person("8001", &["main"], &[]), person("8002", &[], &[])];
    let mut room = Room::with(config, &people);
    room.ready_at_phone("8001");
    let citizen = room.citizen();
    room.peer_says(PHONE, |phone| phone.pick_up());
    assert!(room.hears(rtp(citizen), rtp(PHONE)), "they talk");
    room.forget();
    (room, citizen)
}

fn music(room: &Room, at: SocketAddr) -> bool {
    room.legs.values().find(|leg| leg.remote == Some(rtp(at))).expect("his leg").music
}

fn holds(room: &Room) -> Vec<bool> {
    let held = |fact: &Fact| match fact {
        Fact::PartyHeld { party: 0, on, .. } => Some(*on),
        _ => None,
    };
    room.facts.iter().filter_map(held).collect()
}

#[test]
fn the_citizen_hears_music_until_the_telephone_is_back() {
    for direction in ["sendonly", "inactive"] {
        let (mut room, citizen) = talking();
        room.peer_says(PHONE, |phone| phone.reinvite(direction));
        assert!(music(&room, citizen), "{direction}");
        assert!(!room.hears(rtp(citizen), rtp(PHONE)) && !room.hears(rtp(PHONE), rtp(citizen)));
        assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Held { .. })), 1);
        assert_eq!(room.calls()[0].state, "held");
        room.peer_says(PHONE, |phone| phone.reinvite("sendrecv"));
        assert!(!music(&room, citizen));
        assert!(room.hears(rtp(citizen), rtp(PHONE)) && room.hears(rtp(PHONE), rtp(citizen)));
        assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Retrieved { .. })), 1);
        assert_eq!(holds(&room), [true, false], "counted as one hold");
        room.peer_says(citizen, |peer| peer.bye());
        room.assert_rest();
    }
}

#[test]
fn what_the_panel_holds_the_telephone_does_not_let_go() {
    let (mut room, citizen) = talking();
    room.order_of("8001", AgentCommand::Hold { call: None });
    room.peer_says(PHONE, |phone| phone.reinvite("sendonly"));
    room.peer_says(PHONE, |phone| phone.reinvite("sendrecv"));
    assert!(music(&room, citizen), "he is held by the panel still");
    room.order_of("8001", AgentCommand::Retrieve { call: None });
    assert!(!music(&room, citizen));
    // And the other way about: the panel may take back what the telephone holds.
    room.peer_says(PHONE, |phone| phone.reinvite("sendonly"));
    room.order_of("8001", AgentCommand::Retrieve { call: None });
    assert!(!music(&room, citizen));
    assert_eq!(holds(&room), [true, false, true, false]);
    room.peer_says(PHONE, |phone| phone.bye());
    room.assert_rest();
}

#[test]
fn in_company_he_goes_on_with_the_others() {
    let (mut room, citizen) = talking();
    room.log_in("8002");
    let to = Some(Target::Agent("8002".into()));
    room.order_of("8001", AgentCommand::Conference { call: None, to });
    room.order_of("8002", AgentCommand::Answer { call: None });
    room.peer_says(PHONE, |phone| phone.reinvite("sendonly"));
    assert!(!music(&room, citizen), "nobody is left with music who has somebody to speak with");
    assert!(room.hears(rtp(citizen), crate::room::relay("8002")));
    assert!(holds(&room).is_empty());
    room.peer_says(citizen, |peer| peer.bye());
    room.assert_rest();
}
