//! Nobody is dropped when somebody goes: hand-overs, agents whose line is lost, a crisis whose last helper leaves.

use crate::room::{OUTSIDE, PHONE, Room, config, person, relay, who};
use crate::sip::{Peer, Rung, rtp};
use hotline::acd::AgentSpec;
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use hotline::media::seam::ClipId;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const HANG_UP: AgentCommand = AgentCommand::HangUp { call: None };
const COMPLETE: AgentCommand = AgentCommand::Complete { call: None };
const CRISIS: AgentCommand = AgentCommand::CrisisRaise { call: None };
const GLITCH: Path = Path::Deaf(Deafness::NothingHeard);
const RELOAD: Path = Path::Deaf(Deafness::NotSetUp);

fn conference(to: Target) -> AgentCommand {
    AgentCommand::Conference { call: None, to: Some(to) }
}

fn colleague() -> Target {
    Target::Agent(who("8002"))
}

fn police() -> Target {
    Target::Number(who("13900000110"))
}

fn people() -> [AgentSpec; 3] {
    [person("8001", &["main"], &[]), person("8002", &["main"], &[]), person("boss", &[], &[])]
}

/// 8001 talks with a citizen; 8002 and the lead are there, and not ready. Citizens' numbers may be dialled.
fn talk() -> (Room, SocketAddr) {
    let mut config = config();
    config.dial.allow.push("120*".into());
    let mut clips = (*config.clips).clone();
    clips.insert("moh/hold".into(), ClipId(60_000));
    config.clips = Arc::new(clips);
    let mut room = Room::with(config, &people());
    room.log_in("boss");
    room.log_in("8002");
    room.ready("8001");
    let citizen = room.citizen();
    room.order_of("8001", ANSWER);
    // Sooner, his line was dead already when the call came.
    room.pass(3_000);
    (room, citizen)
}

fn crisis() -> (Room, SocketAddr) {
    let (mut room, citizen) = talk();
    room.order_of("8001", CRISIS);
    room.forget();
    (room, citizen)
}

/// A number joins: 110, as it were.
fn with_police(room: &mut Room, citizen: SocketAddr) {
    room.order_of("8001", conference(police()));
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)) && room.hears(relay("8001"), rtp(OUTSIDE)));
}

/// Alarms of this kind to the lead: about whom, and the note.
fn alarms(room: &Room, wanted: &str) -> Vec<(String, String)> {
    let of = |(to, event): &(Arc<str>, AgentEvent)| match event {
        AgentEvent::Alarm { kind, agent, note, .. } if **to == *"boss" && *kind == wanted => {
            Some((agent.as_deref().unwrap_or("-").to_owned(), note.to_string()))
        }
        _ => None,
    };
    room.told.iter().filter_map(of).collect()
}

fn alarm(agent: &str, note: &str) -> Vec<(String, String)> {
    vec![(agent.to_owned(), note.to_owned())]
}

fn talks(room: &Room, agent: &str, citizen: SocketAddr) -> bool {
    room.hears(relay(agent), rtp(citizen)) && room.hears(rtp(citizen), relay(agent))
}

fn ended(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::Ended { .. })
}

fn music(room: &Room, of: SocketAddr) -> bool {
    room.legs.values().any(|leg| leg.remote == Some(rtp(of)) && leg.music)
}

#[test]
fn a_crisis_that_breaks_after_a_hand_over_is_dialled_again_by_whoever_has_it() {
    for hand_over in ["complete", "transfer", "take over"] {
        let (mut room, citizen) = crisis();
        let (next, other) = match hand_over {
            "complete" => {
                room.order_of("8001", conference(colleague()));
                room.order_of("8002", ANSWER);
                room.order_of("8001", COMPLETE);
                ("8002", "8001")
            }
            "transfer" => {
                room.order_of("8001", AgentCommand::Consult { call: None, to: colleague() });
                room.order_of("8002", ANSWER);
                room.order_of("8001", AgentCommand::Transfer { call: None, to: None });
                ("8002", "8001")
            }
            _ => {
                room.order_of("boss", AgentCommand::TakeOver { agent: who("8001") });
                ("boss", "8001")
            }
        };
        assert!(talks(&room, next, citizen), "{hand_over}");
        room.peer_says(citizen, Peer::bye);
        assert_eq!(alarms(&room, "crisis_dropped"), alarm(next, "called_back"), "{hand_over}");
        room.peer_says(OUTSIDE, Peer::pick_up);
        assert!(talks(&room, next, OUTSIDE), "{hand_over}");
        assert_ne!(room.state(other), "on_call", "{hand_over}");
        room.order_of(next, HANG_UP);
        room.assert_rest();
    }
}

#[test]
fn a_crisis_that_breaks_while_nobody_has_it_is_the_leads() {
    // His agent was lost: he waits again.
    let (mut room, citizen) = crisis();
    room.path("8001", GLITCH);
    room.pass(20_000);
    assert_eq!(room.calls()[0].state, "queued");
    room.peer_says(citizen, Peer::bye);
    assert_eq!(alarms(&room, "crisis_dropped"), alarm("-", "no_agent"));
    room.assert_rest();
    // The police has him alone.
    let (mut room, citizen) = crisis();
    with_police(&mut room, citizen);
    room.order_of("8001", COMPLETE);
    room.peer_says(citizen, Peer::bye);
    assert_eq!(alarms(&room, "crisis_dropped"), alarm("-", "no_agent"));
    room.assert_rest();
    // His number is not known: nobody can dial it, and the lead hears so.
    let mut config = config();
    config.dial.allow.clear();
    let mut room = Room::with(config, &people());
    room.log_in("boss");
    room.ready("8001");
    let citizen = room.citizen();
    room.order_of("8001", ANSWER);
    room.order_of("8001", CRISIS);
    room.peer_says(citizen, Peer::bye);
    assert_eq!(alarms(&room, "crisis_dropped"), alarm("8001", "number_refused"));
}

#[test]
fn a_reload_while_a_colleague_is_asked_takes_nobody_away() {
    let (mut room, citizen) = talk();
    room.order_of("8001", AgentCommand::Consult { call: None, to: colleague() });
    room.order_of("8002", ANSWER);
    room.forget();
    room.path("8001", RELOAD);
    room.pass(5_000);
    assert_eq!(room.heard("8001", ended), 0);
    assert!(!room.hears(relay("8002"), rtp(citizen)), "whoever is asked has not got the citizen");
    room.path("8001", Path::Proven);
    assert!(room.hears(relay("8001"), relay("8002")) && room.hears(relay("8002"), relay("8001")));
    room.order_of("8001", AgentCommand::Retrieve { call: None });
    assert!(talks(&room, "8001", citizen) && !room.hears(relay("8002"), rtp(citizen)));
    assert_eq!(room.state("8002"), "not_ready login");
    // Whoever was asked reloads: he is still the one who is asked.
    room.order_of("8001", AgentCommand::Consult { call: None, to: colleague() });
    room.order_of("8002", ANSWER);
    room.path("8002", RELOAD);
    room.pass(5_000);
    room.path("8002", Path::Proven);
    assert!(room.hears(relay("8001"), relay("8002")) && !talks(&room, "8002", citizen));
    // He who asked does not come back: whoever was asked has the citizen then.
    room.path("8001", RELOAD);
    room.pass(19_000);
    assert!(!talks(&room, "8002", citizen));
    room.pass(1_000);
    assert!(talks(&room, "8002", citizen));
    assert_eq!((room.heard("8001", ended), room.seat("8001").call), (1, None));
    room.order_of("8002", HANG_UP);
    room.assert_rest();
}

#[test]
fn a_moment_without_sound_costs_nobody_his_place_in_a_crisis() {
    let (mut room, citizen) = crisis();
    with_police(&mut room, citizen);
    room.path("8001", GLITCH);
    room.pass(800);
    assert!(room.hears(rtp(OUTSIDE), rtp(citizen)), "the police goes on");
    room.path("8001", Path::Proven);
    assert!(talks(&room, "8001", citizen) && room.hears(relay("8001"), rtp(OUTSIDE)));
    assert_eq!(room.heard("8001", ended), 0);
    // Told again and again it is still one loss: twenty seconds from the first word.
    for _ in 0..19 {
        room.path("8001", GLITCH);
        room.pass(1_000);
    }
    assert_eq!(room.heard("8001", ended), 0);
    room.pass(1_000);
    assert_eq!(room.heard("8001", ended), 1);
    assert_eq!(alarms(&room, "crisis_unattended"), alarm("8001", ""), "a helper is there, no agent");
    // Now the police hangs up: he is not hung up on, he is the next one.
    room.forget();
    room.peer_says(OUTSIDE, Peer::bye);
    assert!(room.peers[&citizen].up, "we do not hang up on him");
    assert_eq!(room.calls()[0].state, "queued");
    assert_eq!(alarms(&room, "crisis_unattended"), alarm("-", ""));
    assert!(!music(&room, citizen), "and nobody is left with music");
    // Another has waited for longer; he is taken first all the same.
    room.order_of("8002", AgentCommand::Ready);
    room.order_of("8002", ANSWER);
    assert!(talks(&room, "8002", citizen));
    // By the agent's own hand it is over.
    room.order_of("8002", HANG_UP);
    assert!(!room.peers[&citizen].up);
    room.assert_rest();
}

#[test]
fn a_crisis_waits_before_all_others() {
    let (mut room, citizen) = crisis();
    let other = room.citizen();
    room.pass(60_000);
    room.path("8001", GLITCH);
    room.pass(20_000);
    assert_eq!(alarms(&room, "crisis_unattended"), alarm("-", ""));
    assert!(!music(&room, citizen) && music(&room, other));
    room.order_of("8002", AgentCommand::Ready);
    room.order_of("8002", ANSWER);
    assert!(talks(&room, "8002", citizen));
}

#[test]
fn whom_we_called_back_in_a_crisis_is_not_hung_up_on_either() {
    let (mut room, citizen) = crisis();
    room.peer_says(citizen, Peer::bye);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(talks(&room, "8001", OUTSIDE));
    room.path("8001", GLITCH);
    room.pass(20_000);
    assert!(room.peers[&OUTSIDE].up);
    assert_eq!(alarms(&room, "crisis_unattended"), alarm("-", ""));
    room.order_of("8002", AgentCommand::Ready);
    room.order_of("8002", ANSWER);
    assert!(talks(&room, "8002", OUTSIDE));
    room.order_of("8002", HANG_UP);
    assert!(!room.peers[&OUTSIDE].up);
    room.assert_rest();
    // Nobody comes for as long as anybody waits: it ends.
    let (mut room, citizen) = crisis();
    room.peer_says(citizen, Peer::bye);
    room.peer_says(OUTSIDE, Peer::pick_up);
    room.path("8001", GLITCH);
    room.pass(20_000);
    room.pass(2 * 3600 * 1000);
    assert!(!room.peers[&OUTSIDE].up);
    room.assert_rest();
}

#[test]
fn two_who_speak_with_him_are_lost_one_after_the_other() {
    let both = || {
        let (mut room, citizen) = talk();
        room.order_of("8001", conference(colleague()));
        room.order_of("8002", ANSWER);
        assert!(talks(&room, "8001", citizen) && talks(&room, "8002", citizen));
        room.forget();
        (room, citizen)
    };
    let held = |room: &Room| {
        room.facts.iter().filter(|fact| matches!(fact, Fact::PartyHeld { on: true, .. })).count()
    };
    // One is lost: the other goes on, and after twenty seconds alone.
    let (mut room, citizen) = both();
    room.path("8001", GLITCH);
    room.pass(20_000);
    assert_eq!((room.heard("8001", ended), held(&room)), (1, 0));
    assert!(talks(&room, "8002", citizen));
    // Both: he hears that he is not forgotten, and the first who is back has him.
    let (mut room, citizen) = both();
    room.path("8001", GLITCH);
    room.pass(5_000);
    assert_eq!(held(&room), 0);
    room.path("8002", GLITCH);
    assert_eq!(held(&room), 1);
    room.pass(10_000);
    room.path("8001", Path::Proven);
    assert!(talks(&room, "8001", citizen));
    room.pass(15_000);
    assert_eq!((room.heard("8002", ended), room.heard("8001", ended)), (1, 0));
    assert!(talks(&room, "8001", citizen));
    // The other hangs up while the first is lost: he waits for the first.
    let (mut room, citizen) = both();
    room.path("8001", GLITCH);
    room.order_of("8002", HANG_UP);
    assert_eq!(held(&room), 1);
    room.pass(10_000);
    room.path("8001", Path::Proven);
    assert!(talks(&room, "8001", citizen));
    room.order_of("8001", HANG_UP);
    room.assert_rest();
    // Neither comes back: to the front of the line, though his first place went with the first agent.
    let (mut room, citizen) = both();
    room.order_of("8001", COMPLETE);
    room.path("8002", GLITCH);
    room.pass(20_000);
    assert_eq!((room.calls()[0].state, room.peers[&citizen].up), ("queued", true));
}

#[test]
fn a_lead_who_takes_a_lost_agents_call_keeps_it() {
    for how in ["take over", "barge"] {
        let (mut room, citizen) = talk();
        room.path("8001", GLITCH);
        let command = match how {
            "barge" => AgentCommand::Barge { agent: who("8001") },
            _ => AgentCommand::TakeOver { agent: who("8001") },
        };
        room.order_of("boss", command);
        assert!(talks(&room, "boss", citizen), "{how}");
        room.pass(60_000);
        assert!(talks(&room, "boss", citizen), "{how}: he is with the lead");
        assert_eq!(room.seat("8001").call, None, "{how}");
        room.order_of("boss", HANG_UP);
        room.assert_rest();
    }
}

#[test]
fn whoever_is_called_in_for_somebody_lost_has_the_citizen() {
    let (mut room, citizen) = talk();
    room.order_of("8001", conference(colleague()));
    room.path("8001", GLITCH);
    room.order_of("8002", ANSWER);
    assert!(talks(&room, "8002", citizen));
    room.pass(60_000);
    assert!(talks(&room, "8002", citizen));
    assert_eq!(room.seat("8001").call, None);
}

#[test]
fn whoever_hands_a_caller_on_need_not_finish_his_ticket() {
    for how in ["queue", "agent", "complete", "attended", "silent", "number", "alone"] {
        let mut config = config();
        config.limits.hold_unfinished = true;
        if how == "silent" {
            config.flow = crate::room::flow(include_str!("silent.toml"));
        }
        let mut room = Room::with(config, &people());
        room.log_in("8002");
        room.ready("8001");
        room.citizen();
        room.order_of("8001", ANSWER);
        let blind = |to| AgentCommand::Transfer { call: None, to: Some(to) };
        match how {
            "queue" => room.order_of("8001", blind(Target::Queue(who("second")))),
            "agent" => room.order_of("8001", blind(colleague())),
            "complete" => {
                room.order_of("8001", conference(colleague()));
                room.order_of("8002", ANSWER);
                room.order_of("8001", COMPLETE);
            }
            "attended" => {
                room.order_of("8001", AgentCommand::Consult { call: None, to: colleague() });
                room.order_of("8002", ANSWER);
                room.order_of("8001", AgentCommand::Transfer { call: None, to: None });
            }
            "silent" => room.order_of("8001", AgentCommand::Mark { call: None, special: Special::Silent }),
            // Nobody else is there to write it.
            "number" => room.order_of("8001", blind(police())),
            _ => room.order_of("8001", HANG_UP),
        }
        let his = ["number", "alone"].contains(&how);
        let finished = room.ask("8001", AgentCommand::WrapUpFinish);
        assert_eq!(finished == Err(Refused::TicketUnfinished), his, "{how}: {finished:?}");
    }
}

#[test]
fn an_outside_number_may_be_silent_for_as_long_as_a_citizen() {
    let mut config = config();
    config.limits.media_silence = Duration::from_secs(60);
    let mut room = Room::with(config, &people());
    room.ready("8001");
    let citizen = room.citizen();
    room.order_of("8001", ANSWER);
    with_police(&mut room, citizen);
    let watched = |room: &Room, at| {
        let leg = room.legs.values().find(|leg| leg.remote == Some(at));
        leg.expect("a leg").silence_ms
    };
    assert_eq!((watched(&room, relay("8001")), watched(&room, rtp(OUTSIDE))), (3_000, 60_000));
    // It holds us: then it may send nothing.
    for hold in ["inactive", "sendonly"] {
        room.peer_says(OUTSIDE, |peer| peer.reinvite(hold));
        assert_eq!(watched(&room, rtp(OUTSIDE)), 0, "{hold}");
        room.peer_says(OUTSIDE, |peer| peer.reinvite("sendrecv"));
        assert_eq!(watched(&room, rtp(OUTSIDE)), 60_000);
    }
    room.peer_says(OUTSIDE, Peer::bye);
    assert!(talks(&room, "8001", citizen));
    // A desk phone may keep quiet as long as others do.
    let mut room = Room::new();
    room.ready_at_phone("8001");
    room.citizen();
    room.peer_says(PHONE, Peer::pick_up);
    assert_eq!(watched(&room, rtp(PHONE)), 3_600_000);
}

#[test]
fn one_desk_phone_is_one_agents() {
    let mut room = Room::new();
    let phone = || AgentCommand::Login { device: Device::Phone(who("desk")) };
    room.ready_at_phone("8001");
    assert_eq!(room.ask("8002", phone()), Err(Refused::TargetBusy));
    assert_eq!(room.seat("8002").device, None);
    // His own second log-in is his.
    room.order_of("8001", phone());
    room.order_of("8001", AgentCommand::Logout);
    room.order_of("8002", phone());
    assert_eq!(room.ask("8001", phone()), Err(Refused::TargetBusy));
    // Sent off by a lead he holds it no more.
    room.log_in("boss");
    room.order_of("boss", AgentCommand::ForceState { agent: who("8002"), state: Forced::Offline });
    room.order_of("8001", phone());
    room.order_of("8001", AgentCommand::Ready);
    room.citizen();
    assert_eq!(room.peers[&PHONE].asked("INVITE"), 1);
    assert_eq!(room.state("8001"), "offered");
}

#[test]
fn who_answers_a_call_of_ours_is_never_met_by_nobody() {
    let dial = || AgentCommand::Dial { number: who("13900000001"), ticket: None };
    // His line is lost while it rings there, and stays so: nobody is answered for.
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", dial());
    room.path("8001", GLITCH);
    room.pass(1_000);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(!room.peers[&OUTSIDE].up, "hung up at once");
    assert_eq!((room.heard("8001", ended), room.seat("8001").call), (1, None));
    room.assert_rest();
    // It is back in time: nothing is lost.
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", dial());
    room.path("8001", RELOAD);
    room.pass(2_000);
    room.path("8001", Path::Proven);
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(talks(&room, "8001", OUTSIDE));
    // It rings for nobody no longer than anybody is waited for.
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", dial());
    room.path("8001", GLITCH);
    room.pass(20_000);
    assert_eq!(room.peers[&OUTSIDE].asked("CANCEL"), 1);
    room.assert_rest();
    // A desk phone that is still ringing is waited for.
    let mut room = Room::new();
    room.ready_at_phone("8001");
    room.peers.get_mut(&PHONE).expect("the phone").rung = Rung::Rings;
    room.order_of("8001", dial());
    room.peer_says(OUTSIDE, Peer::pick_up);
    assert!(room.peers[&OUTSIDE].up);
    room.peer_says(PHONE, Peer::pick_up);
    assert!(room.hears(rtp(PHONE), rtp(OUTSIDE)) && room.hears(rtp(OUTSIDE), rtp(PHONE)));
}
