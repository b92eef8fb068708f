//! The fifteen faults that other queues have had (`docs/verification.md` lists them with their sources), each as the engine with its
//! calls, legs and phones could still have it. The queue alone has its own tests in `src/acd/tests`.
//!
//! | fault | here | in the queue alone |
//! |---|---|---|
//! | 1 two agents answer one call | `fault_01` | `two_agents_never_answer_one_call` |
//! | 2 one rung twice, another skipped | `fault_02` | `one_agent_is_never_rung_twice_while_another_is_skipped` |
//! | 3 stuck as offered | `fault_03` | `no_agent_stays_offered_without_an_offer` |
//! | 4 answers silence | `fault_04` | `an_offer_ends_with_its_caller_even_before_it_is_bound` |
//! | 5 nobody is offered | `fault_05` | the day's invariant and `watchdog` |
//! | 6 one side mute, hang-up lost | `fault_06` | - |
//! | 7 quick teardown | `fault_07` | - |
//! | 8 the free get the call late | `fault_08` | `a_free_agent_gets_the_call_the_moment_wrap_up_ends` |
//! | 9 wrap-up cut short | `fault_09` | `wrap_up_is_the_agents_own_and_is_extended_up_to_a_cap` |
//! | 10 counted twice | `fault_10` | - |
//! | 11 reload loses what it had | `fault_11` | `reload_keeps_states_places_and_offers` |
//! | 12 restart loses callers and reasons | `fault_12` | - |
//! | 13 transfers missing in the log | `fault_13` | - |
//! | 14 two truths about one agent | `fault_14` | `a_break_wished_for_during_a_call_is_neither_lost_nor_early` |
//! | 15 who comes again jumps the line | `fault_15` | `a_callback_never_jumps_the_queue_and_a_lost_agents_caller_does` |

use crate::room::{OUTSIDE, PHONE, Room, config, person, relay, who};
use crate::sip::{Peer, Rung, rtp};
use hotline::acd::Strategy;
use hotline::base::CallId;
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use hotline::call::{Count, EndReason, Input};
use std::time::Duration;

const ANSWER: AgentCommand = AgentCommand::Answer { call: None };
const HANG_UP: AgentCommand = AgentCommand::HangUp { call: None };

fn offered(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::Offered { .. })
}

fn rescinded(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::Rescinded { .. })
}

/// 8001 and 8002 ready, in this order.
fn pair() -> Room {
    let mut room = Room::new();
    room.ready("8001");
    room.pass(1_000);
    room.ready("8002");
    room.forget();
    room
}

#[test]
fn fault_01_two_agents_answer_one_call() {
    let mut config = config();
    config.queues[0].1.strategy = Strategy::RingAll { at_most: 2 };
    let people = [person("8001", &["main"], &[]), person("8002", &["main"], &[])];
    let mut room = Room::with(config, &people);
    room.ready("8001");
    room.ready_at_phone("8002");
    let citizen = room.citizen();
    assert_eq!((room.heard("8001", offered), room.heard("8002", offered)), (1, 1), "both are rung");
    assert!(room.peers[&PHONE].invite.is_some());
    // The phone is picked up in the same moment as the panel's key: its 200 crosses our CANCEL.
    room.peers.get_mut(&PHONE).expect("the phone").crosses = true;
    room.order_of("8001", ANSWER);
    assert_eq!(room.heard("8002", rescinded), 1);
    assert_eq!(room.peers[&PHONE].asked("CANCEL"), 1);
    room.peer_says(PHONE, Peer::pick_up);
    let phone = &room.peers[&PHONE];
    assert_eq!((phone.asked("ACK"), phone.asked("BYE"), phone.up), (1, 1, false), "the late one is let go");
    assert_eq!((room.state("8001").as_str(), room.state("8002").as_str()), ("on_call", "ready"));
    assert!(room.hears(rtp(citizen), relay("8001")) && room.hears(relay("8001"), rtp(citizen)));
    assert!(!room.hears(rtp(PHONE), rtp(citizen)));
    // By keys the same: the second is told that there is nothing to answer.
    assert_eq!(room.ask("8002", ANSWER), Err(Refused::NotOffered));
    room.peer_says(citizen, Peer::bye);
    room.assert_rest();
}

#[test]
fn fault_02_one_agent_is_rung_twice_and_another_skipped() {
    let people =
        [person("8001", &["main"], &[]), person("8002", &["main"], &[]), person("8003", &["main"], &[])];
    let mut room = Room::with(config(), &people);
    // All three callers wait before anybody is there, so that all offers fall due at once.
    let citizens: Vec<_> = (0..3).map(|_| room.citizen()).collect();
    for agent in ["8001", "8002", "8003"] {
        room.ready(agent);
    }
    let mut calls: Vec<CallId> = Vec::new();
    for agent in ["8001", "8002", "8003"] {
        assert_eq!(room.heard(agent, offered), 1, "{agent}");
        calls.extend(room.seat(agent).call);
    }
    calls.dedup();
    assert_eq!(calls.len(), 3, "each has another caller");
    // Nobody takes it: each goes round, and still no agent has two at once.
    room.pass(60_000);
    for citizen in citizens {
        room.peer_says(citizen, Peer::bye);
    }
    room.assert_rest();
}

#[test]
fn fault_03_an_agent_is_stuck_as_offered() {
    let endings = [
        "reject",
        "no answer",
        "caller",
        "cut",
        "logout",
        "not_ready",
        "forced",
        "deaf",
        "page",
        "removed",
        "drain",
        "phone busy",
        "phone dead",
        "phone gone",
    ];
    for ending in endings {
        let mut room = Room::new();
        room.log_in("boss");
        let phone = ending.starts_with("phone");
        if phone {
            room.ready_at_phone("8001")
        } else {
            room.ready("8001")
        };
        room.pass(1_000);
        room.ready("8002");
        room.forget();
        if ending == "phone gone" {
            // It has registered and is off: the INVITE is never answered.
            room.peers.get_mut(&PHONE).expect("the phone").rung = Rung::Silent;
        }
        let citizen = room.citizen();
        assert_eq!(room.state("8001"), "offered", "{ending}");
        match ending {
            "reject" => room.order_of("8001", AgentCommand::Reject { call: None }),
            "no answer" | "phone gone" => room.pass(8_000),
            "caller" => room.peer_says(citizen, Peer::bye),
            "cut" => {
                let call = room.call();
                room.request(hotline::call::Request::HangUp { call });
            }
            "logout" => room.order_of("8001", AgentCommand::Logout),
            // Wanting no more is no answer: the offer stays, and ends by itself.
            "not_ready" => {
                room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
                room.pass(8_000);
            }
            "forced" => {
                let state = Forced::NotReady { reason: who("talk") };
                room.order_of("boss", AgentCommand::ForceState { agent: who("8001"), state });
            }
            "deaf" => room.path("8001", Path::Deaf(Deafness::IceFailed)),
            "page" => room.present("8001", false),
            "removed" => {
                room.give(Input::Agents(vec![person("8002", &["main"], &[]), person("boss", &[], &[])]))
            }
            "drain" => room.give(Input::Drain),
            "phone busy" => room.peer_says(PHONE, |phone| phone.refuse(486)),
            _ => room.peer_says(PHONE, |phone| phone.refuse(500)),
        }
        if ending != "removed" {
            let seat = room.seat("8001");
            assert!(seat.state != AgentState::Offered && seat.call.is_none(), "{ending}: {seat:?}");
        }
        let next = !["caller", "cut", "drain"].contains(&ending);
        assert_eq!(
            room.heard("8002", offered),
            usize::from(next),
            "{ending}: the caller goes to the next at once"
        );
        assert_eq!(room.peers[&citizen].up, next, "{ending}");
        if ["removed", "drain"].contains(&ending) {
            continue;
        }
        // And he is not lost for the next one.
        if next {
            room.order_of("8002", ANSWER);
        } else {
            room.order_of("8002", AgentCommand::NotReady { reason: who("case") });
        }
        room.pass(10_000);
        if phone {
            room.ready_at_phone("8001")
        } else {
            room.ready("8001")
        };
        room.forget();
        room.citizen();
        assert_eq!(room.heard("8001", offered), 1, "{ending}: he is offered the next one");
    }
}

#[test]
fn fault_04_the_agent_answers_silence() {
    // The caller leaves before the offer is on disk: nobody is told of it, no phone rings.
    let mut room = Room::new();
    room.ready_at_phone("8001");
    room.forget();
    room.disk = false;
    let citizen = room.citizen();
    assert_eq!(room.state("8001"), "offered");
    room.peer_says(citizen, Peer::bye);
    room.disk = true;
    room.sync();
    assert_eq!(room.peers[&PHONE].asked("INVITE"), 0);
    assert_eq!((room.heard("8001", offered), room.heard("8001", rescinded)), (0, 0));
    assert_eq!(room.state("8001"), "ready");
    // He leaves while it rings, and the phone is picked up in that moment.
    let citizen = room.citizen();
    room.peers.get_mut(&PHONE).expect("the phone").crosses = true;
    room.peer_says(citizen, Peer::bye);
    assert_eq!(room.heard("8001", rescinded), 1);
    room.peer_says(PHONE, Peer::pick_up);
    let phone = &room.peers[&PHONE];
    assert_eq!((phone.asked("CANCEL"), phone.asked("BYE"), phone.up), (1, 1, false));
    assert_eq!(room.ask("8001", ANSWER), Err(Refused::NotOffered));
    assert_eq!(room.state("8001"), "ready");
    room.assert_rest();
}

#[test]
fn fault_05_nobody_is_offered_although_agents_are_free() {
    let mut room = Room::new();
    room.citizen();
    let offers = |room: &Room| room.heard("8001", offered);
    // Everything but one thing is there; the moment that comes, so does the offer.
    room.order_of("8001", AgentCommand::Login { device: Device::Browser });
    room.order_of("8001", AgentCommand::Ready);
    assert_eq!(offers(&room), 0, "no ears yet");
    room.path("8001", Path::Proven);
    assert_eq!(offers(&room), 1);
    for (away, back) in [
        (AgentCommand::Reject { call: None }, None),
        (AgentCommand::NotReady { reason: who("case") }, Some(AgentCommand::Ready)),
        (AgentCommand::Logout, Some(AgentCommand::Login { device: Device::Browser })),
    ] {
        room.order_of("8001", away);
        room.pass(10_000);
        room.forget();
        if let Some(back) = back {
            let login = matches!(back, AgentCommand::Login { .. });
            room.order_of("8001", back);
            if login {
                room.order_of("8001", AgentCommand::Ready);
            }
        }
        assert_eq!(room.engine.acd().watchdog(room.now), Duration::ZERO);
        assert_eq!(room.state("8001"), "offered");
    }
    // Page gone and back, path dead and back.
    for word in ["page", "path"] {
        match word {
            "page" => room.present("8001", false),
            _ => room.path("8001", Path::Deaf(Deafness::NothingHeard)),
        }
        room.pass(1_000);
        room.forget();
        match word {
            "page" => room.present("8001", true),
            _ => room.path("8001", Path::Proven),
        }
        assert_eq!(offers(&room), 1, "{word}");
    }
    assert_eq!(room.engine.acd().watchdog(room.now), Duration::ZERO);
}

#[test]
fn fault_06_one_side_is_mute_or_a_hang_up_is_not_passed_on() {
    for (device, from) in [
        ("browser", "agent"),
        ("browser", "citizen"),
        ("phone", "agent"),
        ("phone", "citizen"),
        ("phone", "keys"),
    ] {
        let what = format!("{device}, {from} hangs up");
        let mut room = Room::new();
        if device == "phone" {
            room.ready_at_phone("8001")
        } else {
            room.ready("8001")
        };
        let citizen = room.citizen();
        let ears = if device == "phone" {
            room.peer_says(PHONE, Peer::pick_up);
            rtp(PHONE)
        } else {
            room.order_of("8001", ANSWER);
            relay("8001")
        };
        assert!(room.hears(rtp(citizen), ears), "{what}: the citizen hears the agent");
        assert!(room.hears(ears, rtp(citizen)), "{what}: the agent hears the citizen");
        // Held: neither; retrieved: both again.
        room.order_of("8001", AgentCommand::Hold { call: None });
        assert!(!room.hears(rtp(citizen), ears) && !room.hears(ears, rtp(citizen)), "{what}: set aside");
        room.order_of("8001", AgentCommand::Retrieve { call: None });
        assert!(room.hears(rtp(citizen), ears) && room.hears(ears, rtp(citizen)), "{what}: back");
        match (device, from) {
            (_, "citizen") => room.peer_says(citizen, Peer::bye),
            ("phone", "agent") => room.peer_says(PHONE, Peer::bye),
            _ => room.order_of("8001", HANG_UP),
        }
        room.pass(1_000);
        assert_eq!(room.state("8001"), "wrap_up", "{what}");
        assert!(!room.peers[&citizen].up, "{what}: the citizen is still on the line");
        assert!(
            room.peers.get(&PHONE).is_none_or(|phone| !phone.up),
            "{what}: the phone is still off the hook"
        );
        assert!(room.legs.is_empty(), "{what}: a leg is left");
        room.assert_rest();
    }
    // Dialled by the agent.
    for from in ["agent", "callee"] {
        let mut room = Room::new();
        room.ready("8001");
        room.order_of("8001", AgentCommand::Dial { number: who("13900000001"), ticket: None });
        room.peer_says(OUTSIDE, Peer::pick_up);
        let (out, ears) = (rtp(OUTSIDE), relay("8001"));
        assert!(room.hears(out, ears) && room.hears(ears, out), "both ways");
        if from == "agent" {
            room.order_of("8001", HANG_UP)
        } else {
            room.peer_says(OUTSIDE, Peer::bye)
        };
        assert!(!room.peers[&OUTSIDE].up && room.legs.is_empty(), "{from}");
        assert_eq!(room.state("8001"), "wrap_up", "{from}");
        let recorded = |fact: &&Fact| matches!(fact, Fact::RecordingEnded { .. });
        assert_eq!(room.facts.iter().filter(recorded).count(), 1, "it was recorded");
        room.assert_rest();
    }
    // While it still rings there, hanging up is heard there too.
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", AgentCommand::Dial { number: who("13900000001"), ticket: None });
    room.order_of("8001", HANG_UP);
    assert_eq!(room.peers[&OUTSIDE].asked("CANCEL"), 1);
    room.assert_rest();
}

#[test]
fn fault_07_quick_teardowns_break_nothing() {
    let (mut seed, mut ends) = (12_341_u64, [0_u32; 5]);
    let mut config = config();
    config.limits.answer_after = Duration::from_millis(20);
    let people = [person("8001", &["main"], &[]), person("8002", &["main"], &[])];
    let mut room = Room::with(config, &people);
    room.ready("8001");
    room.ready_at_phone("8002");
    for n in 0..10_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let citizen = room.citizen();
        room.pass(seed % 50);
        room.peers.get_mut(&PHONE).expect("the phone").rung =
            [Rung::Rings, Rung::Answers, Rung::Refuses(486), Rung::Refuses(503)][(seed >> 8) as usize % 4];
        let way = (seed >> 16) as usize % 5;
        let _ = room.ask("8001", ANSWER);
        // All within 50 ms of the INVITE; what does not fit the state any more is refused.
        match way {
            0 if !room.peers[&citizen].up => room.peer_says(citizen, Peer::cancel),
            1 => drop(room.ask("8001", HANG_UP)),
            2 => drop(room.ask("8002", HANG_UP)),
            3 => drop(
                room.ask("8001", AgentCommand::Transfer { call: None, to: Some(Target::Agent(who("8002"))) }),
            ),
            _ => {}
        }
        ends[way] += 1;
        if room.peers[&citizen].up {
            room.peer_says(citizen, Peer::bye);
        }
        if room.peers[&PHONE].up {
            room.peer_says(PHONE, Peer::bye);
        }
        room.pass(30);
        if room.peers[&citizen].up {
            room.peer_says(citizen, Peer::bye);
        }
        for agent in ["8001", "8002"] {
            let _ = room.ask(agent, AgentCommand::WrapUpFinish);
            let _ = room.ask(agent, AgentCommand::Ready);
        }
        room.register();
        room.forget();
        assert!(room.engine.live_calls() <= 1, "round {n}: {:?}", room.calls());
    }
    println!("10,000 calls, ways to end {ends:?}");
    room.pass(60_000);
    room.assert_rest();
}

#[test]
fn fault_08_a_free_agent_gets_the_call_late() {
    let mut room = pair();
    let _first = room.citizen();
    let second = room.citizen();
    room.order_of("8001", ANSWER);
    room.order_of("8002", ANSWER);
    room.order_of("8001", HANG_UP);
    room.citizen();
    room.forget();
    room.pass(89_999);
    assert_eq!(room.heard("8001", offered), 0);
    // 8002 talks on; that is no reason for 8001 to wait.
    room.pass(1);
    assert_eq!((room.heard("8001", offered), room.state("8002").as_str()), (1, "on_call"));
    room.peer_says(second, Peer::bye);
}

#[test]
fn fault_09_wrap_up_is_cut_short_or_begins_again() {
    let mut room = pair();
    room.citizen();
    room.citizen();
    room.order_of("8001", ANSWER);
    room.order_of("8002", ANSWER);
    let call = room.seat("8001").call.expect("on a call");
    room.order_of("8001", HANG_UP);
    room.forget();
    let AgentState::WrapUp { until_ms } = room.seat("8001").state else { panic!("no wrap-up") };
    // Whatever happens meanwhile, by him or by others, it is his and ends when it was to.
    room.pass(20_000);
    room.order_of("8002", HANG_UP);
    room.present("8001", false);
    room.pass(5_000);
    room.present("8001", true);
    room.log_in("8001");
    room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
    room.order_of("8001", AgentCommand::Ready);
    room.path("8001", Path::Deaf(Deafness::NothingHeard));
    room.path("8001", Path::Proven);
    room.citizen();
    room.pass(64_999);
    assert_eq!(room.seat("8001").state, AgentState::WrapUp { until_ms });
    assert_eq!(room.heard("8001", offered), 0, "no call while he writes");
    room.pass(1);
    assert_eq!(room.state("8001"), "offered");
    let wrapped: Vec<_> = room
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::WrappedUp { call, agent, wrap_ms } if agent == "8001" => Some((*call, *wrap_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(wrapped, [(call, 90_000)], "once, and tied to its call");
}

#[test]
fn fault_10_nothing_is_counted_twice() {
    let mut room = Room::new();
    room.ready_at_phone("8001");
    room.forget();
    let citizen = room.citizen();
    room.peer_says(PHONE, Peer::pick_up);
    // Each word of the end comes three times, from both sides.
    room.peer_says(citizen, |peer| {
        let bye = peer.bye();
        [bye.clone(), bye.clone(), bye].concat()
    });
    room.peer_says(PHONE, |phone| {
        phone.up = true;
        let bye = phone.bye();
        [bye.clone(), bye.clone(), bye].concat()
    });
    room.pass(200_000);
    let count = |fits: fn(&Fact) -> bool| room.facts.iter().filter(|fact| fits(fact)).count();
    for (what, n) in [
        ("CallEnded", count(|fact| matches!(fact, Fact::CallEnded(_)))),
        ("CallOffered", count(|fact| matches!(fact, Fact::CallOffered { .. }))),
        ("OfferEnded", count(|fact| matches!(fact, Fact::OfferEnded { .. }))),
        ("QueueEntered", count(|fact| matches!(fact, Fact::QueueEntered { .. }))),
        ("QueueLeft", count(|fact| matches!(fact, Fact::QueueLeft { .. }))),
        ("PartyJoined", count(|fact| matches!(fact, Fact::PartyJoined(_)))),
        ("PartyLeft", count(|fact| matches!(fact, Fact::PartyLeft { .. }))),
        ("WrappedUp", count(|fact| matches!(fact, Fact::WrappedUp { .. }))),
        ("NumberDrawn", count(|fact| matches!(fact, Fact::NumberDrawn { .. }))),
        ("RecordingEnded", count(|fact| matches!(fact, Fact::RecordingEnded { .. }))),
    ] {
        assert_eq!(n, 1, "{what}");
    }
    assert_eq!(room.heard("8001", |event| matches!(event, AgentEvent::Ended { .. })), 1);
    let counters = room.engine.counters();
    for count in [Count::Offers, Count::OffersAnswered] {
        assert_eq!(counters.get(count), 1);
    }
    room.assert_rest();
}

#[test]
fn fault_11_a_reload_loses_nothing() {
    let mut room = Room::new();
    room.ready_at_phone("8002");
    let first = room.citizen();
    room.peer_says(PHONE, Peer::pick_up);
    room.ready("8001");
    let second = room.citizen();
    room.log_in("boss");
    room.order_of("boss", AgentCommand::NotReady { reason: who("desk") });
    let before = ["8001", "8002", "boss"].map(|agent| room.seat(agent));
    room.forget();
    // A trunk more in front of the others, another ring, an agent more; all peers have other numbers now.
    let mut next = config();
    next.ua.peers.insert(0, next.ua.peers[1].clone());
    next.ua.peers[0].name = "new".into();
    next.acd.wrap_up = Duration::from_secs(10);
    room.give(Input::Reconfigure(Box::new(next)));
    let people = ["8001", "8002", "8003"].map(|agent| person(agent, &["main"], &[]));
    room.give(Input::Agents([people.as_slice(), &[person("boss", &[], &[])]].concat()));
    assert_eq!(before, ["8001", "8002", "boss"].map(|agent| room.seat(agent)));
    let ended = |event: &AgentEvent| matches!(event, AgentEvent::Ended { .. } | AgentEvent::Rescinded { .. });
    assert_eq!(room.told.iter().filter(|(_, event)| ended(event)).count(), 0, "nobody loses a call");
    assert!(room.hears(rtp(first), rtp(PHONE)) && room.hears(rtp(PHONE), rtp(first)));
    // The offer that was open is answered, the phone is still known and rings again.
    room.order_of("8001", ANSWER);
    assert!(room.hears(rtp(second), relay("8001")));
    room.peer_says(PHONE, Peer::bye);
    room.pass(10_000);
    assert_eq!(room.state("8002"), "ready", "the new length holds for the next wrap-up");
    room.citizen();
    assert_eq!(room.peers[&PHONE].asked("INVITE"), 2, "the phone rings");
    // An agent taken out of the directory finishes what he has.
    room.give(Input::Agents(vec![person("8002", &["main"], &[])]));
    assert!(room.hears(rtp(second), relay("8001")));
    assert_eq!(room.state("8001"), "on_call");
}

#[test]
fn fault_12_a_restart_loses_neither_callers_nor_reasons() {
    // What an agent is, and why, is on disk before anybody relies on it.
    let mut room = Room::new();
    room.ready("8001");
    room.order_of("8001", AgentCommand::BreakRequest { reason: who("lunch") });
    let last = room.facts.iter().rev().find_map(|fact| match fact {
        Fact::AgentState { agent, state, reason, device } if agent == "8001" => {
            Some((state.as_str(), reason.as_str(), device.as_str()))
        }
        _ => None,
    });
    assert_eq!(last, Some(("not_ready", "lunch", "browser")));
    // Whoever waited or talked when the last process died ends once, and it was us.
    let lost: Vec<CallId> = (1..=3).map(|n| CallId { node: 1, boot: 0, n }).collect();
    room.forget();
    room.give(Input::LostByRestart(lost.clone()));
    let ended: Vec<_> = room
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::CallEnded(ended) => Some((ended.call, ended.reason)),
            _ => None,
        })
        .collect();
    assert_eq!(ended, lost.into_iter().map(|call| (call, EndReason::Restarted)).collect::<Vec<_>>());
}

/// Who joined and left, in the journal of one call.
fn legs(room: &Room) -> Vec<String> {
    let line = |fact: &Fact| match fact {
        Fact::PartyJoined(joined) => {
            Some(format!("+{}{}", joined.agent, if joined.agent.is_empty() { "outside" } else { "" }))
        }
        Fact::PartyLeft { why, .. } => Some(format!("-{why}")),
        Fact::QueueEntered { queue, .. } => Some(format!("queue {queue}")),
        _ => None,
    };
    room.facts.iter().filter_map(line).collect()
}

#[test]
fn fault_13_transfers_are_missing_in_the_log() {
    let begin = || {
        let mut room = Room::new();
        room.ready("8001");
        room.citizen();
        room.order_of("8001", ANSWER);
        room.log_in("8002");
        room
    };
    let to = |target| AgentCommand::Transfer { call: None, to: Some(target) };
    let mut blind = begin();
    blind.order_of("8001", to(Target::Agent(who("8002"))));
    blind.order_of("8002", ANSWER);
    blind.order_of("8002", HANG_UP);
    assert_eq!(legs(&blind), ["queue main", "+8001", "-transferred", "+8002", "-hung_up"]);

    let mut asked = begin();
    asked.order_of("8001", AgentCommand::Consult { call: None, to: Target::Agent(who("8002")) });
    asked.order_of("8002", ANSWER);
    asked.order_of("8001", AgentCommand::Transfer { call: None, to: None });
    asked.order_of("8002", HANG_UP);
    assert_eq!(legs(&asked), ["queue main", "+8001", "+8002", "-transferred", "-hung_up"]);

    let mut outside = begin();
    outside.order_of("8001", to(Target::Number(who("13900000001"))));
    outside.peer_says(OUTSIDE, Peer::pick_up);
    outside.peer_says(OUTSIDE, Peer::bye);
    assert_eq!(legs(&outside), ["queue main", "+8001", "-transferred", "+outside", "-hung_up"]);

    let mut queue = begin();
    queue.order_of("8001", to(Target::Queue(who("second"))));
    assert_eq!(legs(&queue), ["queue main", "+8001", "queue second", "-transferred"]);

    let mut three = begin();
    three.order_of(
        "8001",
        AgentCommand::Conference { call: None, to: Some(Target::Number(who("13900000001"))) },
    );
    three.peer_says(OUTSIDE, Peer::pick_up);
    three.order_of("8001", AgentCommand::Complete { call: None });
    three.peer_says(OUTSIDE, Peer::bye);
    assert_eq!(legs(&three), ["queue main", "+8001", "+outside", "-completed", "-hung_up"]);

    for room in [&mut blind, &mut asked, &mut outside, &mut queue, &mut three] {
        let calls: std::collections::BTreeSet<_> = room.facts.iter().filter_map(Fact::call).collect();
        assert_eq!(calls.len(), 1, "one call, one journal: {calls:?}");
        room.give(Input::EndAll);
        room.assert_rest();
    }
}

#[test]
fn fault_14_a_phone_that_disturbs_nobody_is_a_state_everybody_sees() {
    let mut room = Room::new();
    // Another is at work, so that this one is not the last.
    room.ready("8002");
    room.citizen();
    room.order_of("8002", ANSWER);
    room.ready_at_phone("8001");
    room.peers.get_mut(&PHONE).expect("the phone").rung = Rung::Refuses(480);
    room.forget();
    let citizen = room.citizen();
    room.pass(60_000);
    assert_eq!(room.peers[&PHONE].asked("INVITE"), 3, "taken at its word after the third time");
    assert_eq!(room.state("8001"), "not_ready declined");
    let told = room.told.iter().rev().find_map(|(to, event)| match event {
        AgentEvent::State { agent, state, .. } if **to == *"8001" && **agent == *"8001" => {
            Some(state.clone())
        }
        _ => None,
    });
    assert_eq!(told, Some(AgentState::NotReady { reason: who("declined") }), "his panel says the same");
    let journal = room.facts.iter().rev().find_map(|fact| match fact {
        Fact::AgentState { agent, state, reason, .. } if agent == "8001" => Some(format!("{state} {reason}")),
        _ => None,
    });
    assert_eq!(journal.as_deref(), Some("not_ready declined"), "and so does the journal");
    assert!(room.peers[&citizen].up, "the caller keeps his place");
    // One word from the panel ends it, whatever the phone thought.
    room.peers.get_mut(&PHONE).expect("the phone").rung = Rung::Answers;
    room.order_of("8001", AgentCommand::Ready);
    assert_eq!(room.state("8001"), "on_call");
}

#[test]
fn fault_15_who_comes_again_jumps_the_line() {
    let mut room = Room::new();
    room.ready("8001");
    let first = room.citizen();
    room.order_of("8001", ANSWER);
    room.pass(30_000);
    let (second, third) = (room.citizen(), room.citizen());
    let call = |room: &mut Room, at| room.call_of(at);
    let (a, b, c) = (call(&mut room, first), call(&mut room, second), call(&mut room, third));
    // Handed back to the queue he has the place of his first arrival, no better priority, and nobody behind him loses his own.
    room.order_of("8001", AgentCommand::NotReady { reason: who("case") });
    room.order_of("8001", AgentCommand::Transfer { call: None, to: Some(Target::Queue(who("main"))) });
    let ahead = |room: &Room, call| room.engine.acd().ahead(call);
    assert_eq!((ahead(&room, a), ahead(&room, b), ahead(&room, c)), (Some(0), Some(1), Some(2)));
    let priority = |room: &Room, call| room.engine.acd().place(call).map(|(_, priority)| priority);
    assert_eq!(priority(&room, a), priority(&room, b), "it is his time that puts him first");
    // One who came later and is handed on stays behind.
    room.order_of("8001", AgentCommand::Ready);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    room.order_of("8001", ANSWER);
    room.peer_says(first, Peer::bye);
    room.order_of("8001", AgentCommand::WrapUpFinish);
    room.order_of("8001", AgentCommand::Reject { call: None });
    assert_eq!((ahead(&room, b), ahead(&room, c)), (Some(0), Some(1)), "declining costs the caller nothing");
}
