//! Who leaves, and what stays: nobody's hand ends what is another's, and no citizen is left in silence.

use crate::room::{OUTSIDE, PHONE, Room, config, person, relay, who};
use crate::sip::{Peer, rtp};
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const HANG_UP: AgentCommand = AgentCommand::HangUp { call: None };

fn music(room: &Room, ear: std::net::SocketAddr) -> bool {
    room.legs.values().any(|leg| leg.remote == Some(ear) && leg.music)
}

fn ends(room: &Room) -> usize {
    room.facts.iter().filter(|fact| matches!(fact, Fact::CallEnded(_))).count()
}

/// 8001 speaks with a citizen; 8002 and the lead are there.
fn talk(phone: bool) -> (Room, std::net::SocketAddr) {
    let mut config = config();
    config.hold_music = Some("queue_comfort".into());
    config.dial.allow = vec!["139*".into(), "110".into()];
    let people = [person("8001", &["main"], &[]), person("8002", &["main"], &[]), person("boss", &[], &[])];
    let mut room = Room::with(config, &people);
    for agent in ["8002", "boss"] {
        room.log_in(agent);
    }
    let citizen = if phone {
        room.ready_at_phone("8001");
        let citizen = room.citizen();
        room.peer_says(PHONE, Peer::pick_up);
        citizen
    } else {
        room.ready("8001");
        let citizen = room.citizen();
        room.order_of("8001", ANSWER);
        citizen
    };
    assert_eq!(room.state("8001"), "on_call");
    room.forget();
    (room, citizen)
}

fn ask(to: Target) -> AgentCommand {
    AgentCommand::Consult { call: None, to }
}

#[test]
fn a_question_is_ended_by_whoever_asks_and_by_nobody_else() {
    // A lead who listens hangs up: he is off, the question goes on.
    let (mut room, citizen) = talk(false);
    room.order_of("boss", AgentCommand::Listen { agent: who("8001") });
    room.order_of("8001", ask(Target::Agent(who("8002"))));
    room.order_of("8002", ANSWER);
    room.order_of("boss", HANG_UP);
    assert_eq!(room.seat("boss").call, None);
    assert!(room.hears(relay("8001"), relay("8002")), "they still speak");
    assert!(!room.hears(relay("boss"), relay("8001")));
    // The one who asks hangs up: the one who was asked is off, the citizen is still his.
    room.order_of("8001", HANG_UP);
    assert_eq!(room.seat("8002").call, None);
    assert_eq!(room.state("8001"), "on_call");
    room.order_of("8001", AgentCommand::Retrieve { call: None });
    assert!(room.hears(relay("8001"), rtp(citizen)));
    assert_eq!(ends(&room), 0);
}

#[test]
fn hanging_up_while_a_colleagues_page_rings_takes_the_question_back() {
    for crisis in [false, true] {
        let (mut room, citizen) = talk(false);
        if crisis {
            room.order_of("8001", AgentCommand::CrisisRaise { call: None });
        }
        room.order_of("8001", ask(Target::Agent(who("8002"))));
        room.order_of("8001", HANG_UP);
        assert_eq!(room.ask("8002", ANSWER), Err(Refused::NotOffered), "it rings no more");
        assert_eq!((room.state("8001").as_str(), ends(&room)), ("on_call", 0), "the citizen is still his");
        room.order_of("8001", AgentCommand::Retrieve { call: None });
        assert!(room.hears(relay("8001"), rtp(citizen)));
    }
}

#[test]
fn a_number_that_is_asked_is_asked_no_more_when_the_one_who_asks_goes() {
    let (mut room, _) = talk(true);
    room.order_of("8001", ask(Target::Number(who("110"))));
    room.peer_says(PHONE, Peer::bye);
    assert_eq!(
        room.peers[&OUTSIDE].asked("CANCEL"),
        1,
        "the police are not met by a citizen nobody announced"
    );
}

#[test]
fn whoever_waits_for_one_who_is_called_in_has_music() {
    let (mut room, citizen) = talk(false);
    let to = Some(Target::Number(who("13900000001")));
    room.order_of("8001", AgentCommand::Conference { call: None, to });
    room.order_of("8001", HANG_UP);
    assert!(music(&room, rtp(citizen)), "nobody is with him while it rings");
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(!music(&room, rtp(citizen)));
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)) && room.hears(rtp(citizen), rtp(OUTSIDE)));
}

#[test]
fn handed_on_from_a_conference_the_citizen_keeps_his_company() {
    let (mut room, citizen) = talk(false);
    let to = Some(Target::Number(who("13900000001")));
    room.order_of("8001", AgentCommand::Conference { call: None, to });
    room.peer_says(OUTSIDE, Peer::pick_up);
    room.order_of("8001", AgentCommand::Transfer { call: None, to: Some(Target::Agent(who("8002"))) });
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)), "they go on while it rings");
    assert!(!music(&room, rtp(citizen)));
    room.order_of("8002", ANSWER);
    assert!(room.hears(relay("8002"), rtp(citizen)) && room.hears(rtp(citizen), relay("8002")));
    assert!(room.hears(relay("8002"), rtp(OUTSIDE)));
}

#[test]
fn whom_we_dial_is_not_met_by_silence_while_our_own_phone_rings() {
    let dialled = || {
        let (mut room, citizen) = talk(true);
        room.peer_says(citizen, Peer::bye);
        room.pass(1_000);
        let _ = room.ask("8001", AgentCommand::WrapUpFinish);
        room.order_of("8001", AgentCommand::NotReady { reason: who("dials") });
        room.order_of("8001", AgentCommand::Dial { number: who("13900000001"), ticket: None });
        room.forget();
        room.peer_says(OUTSIDE, Peer::pick_up);
        assert!(music(&room, rtp(OUTSIDE)), "he is asked to wait");
        room
    };
    let mut room = dialled();
    room.peer_says(PHONE, Peer::pick_up);
    assert!(!music(&room, rtp(OUTSIDE)));
    assert!(room.hears(rtp(PHONE), rtp(OUTSIDE)) && room.hears(rtp(OUTSIDE), rtp(PHONE)));
    room.pass(60_000);
    assert_eq!(ends(&room), 0, "they speak for as long as they like");
    let mut room = dialled();
    room.pass(60_000);
    assert_eq!(ends(&room), 1, "nobody came");
}

#[test]
fn who_is_put_aside_by_hand_stays_there_when_the_agents_line_comes_back() {
    let (mut room, citizen) = talk(false);
    room.order_of("8001", AgentCommand::Hold { call: None });
    room.pass(5_000);
    room.path("8001", Path::Deaf(Deafness::NothingHeard));
    room.pass(3_000);
    room.path("8001", Path::Proven);
    assert!(!room.hears(relay("8001"), rtp(citizen)), "the agent had put him aside");
    room.order_of("8001", AgentCommand::Retrieve { call: None });
    assert!(room.hears(relay("8001"), rtp(citizen)));
}

#[test]
fn a_lead_who_listens_to_one_who_is_lost_is_neither_deaf_nor_in_charge() {
    let (mut room, citizen) = talk(false);
    room.order_of("boss", AgentCommand::Listen { agent: who("8001") });
    room.pass(5_000);
    room.path("8001", Path::Deaf(Deafness::NothingHeard));
    assert!(music(&room, rtp(citizen)));
    room.pass(30_000);
    assert!(!room.state("boss").contains("lost"), "his own line is sound: {}", room.state("boss"));
    assert!(room.state("8001").contains("lost"), "{}", room.state("8001"));
}
