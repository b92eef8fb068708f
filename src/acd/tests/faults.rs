//! What has broken in other queues, as far as a queue alone can show it, each by name.

use super::*;

fn ring() -> QueueConfig {
    QueueConfig { answer: Answer::Ring, ..QueueConfig::default() }
}

fn people(n: u64) -> Vec<AgentSpec> {
    (1..=n).map(|n| person(&format!("{}", 8000 + n), &["main"], &[])).collect()
}

fn rescinded(room: &Room) -> Vec<(AgentId, Ending)> {
    let found = room.said.iter().filter_map(|action| match action {
        Action::Rescind { agent, why, .. } => Some((*agent, *why)),
        _ => None,
    });
    found.collect()
}

#[test]
fn two_agents_never_answer_one_call() {
    let mut room =
        Room::new(QueueConfig { strategy: Strategy::RingAll { at_most: 2 }, ..ring() }, &people(3)).staffed();
    room.calls(1);
    let offers = room.offers();
    assert_eq!(offers.iter().map(|o| o.1).collect::<Vec<_>>(), [name("8001"), name("8002")], "bounded");
    for (offer, ..) in &offers {
        room.acd.bound(*offer).expect("open");
    }
    let (first, second) = (offers[0].0, offers[1].0);
    room.tell(|acd, now, out| acd.answered(now, second, out)).expect("the first to answer has it");
    assert_eq!(rescinded(&room), [(name("8001"), Ending::TakenByOther)]);
    assert_eq!(room.tell(|acd, now, out| acd.answered(now, first, out)), Err(Refused::NotOffered));
    assert_eq!(room.acd.agent_view(name("8001")).map(|view| view.missed), Some(0), "a lost race is no miss");
    assert_eq!((room.state("8001"), room.state("8002")), ("ready", "on_call"));
}

/// Two agents rung for one caller are free together when he leaves; the first in order for the later caller is the only one who
/// may take the earlier one.
#[test]
fn agents_set_free_together_are_not_spent_on_the_later_caller() {
    let staff = [person("8001", &["main"], &[]), person("8002", &["main"], &[("en", 1)])];
    let all = QueueConfig { strategy: Strategy::RingAll { at_most: 2 }, ..ring() };
    let mut room = Room::new(all, &staff).staffed();
    room.calls(1);
    let mut english = Enter::new(call(2), "main", 0);
    english.needs = needs(&[("en", 1)]);
    room.pass(1);
    room.enter(english);
    room.pass(1);
    room.calls(3);
    assert_eq!(room.offers().len(), 2);
    room.tell(|acd, now, out| acd.leave(now, call(1), out));
    let taken: Vec<_> = room.offers().iter().map(|(_, agent, call)| (*agent, *call)).collect();
    assert_eq!(taken, [(name("8002"), call(2)), (name("8001"), call(3))]);
}

#[test]
fn one_agent_is_never_rung_twice_while_another_is_skipped() {
    let mut room = Room::new(ring(), &people(3)).staffed();
    for n in 1..=3 {
        room.calls(n);
    }
    let agents: Vec<AgentId> = room.offers().iter().map(|offer| offer.1).collect();
    assert_eq!(agents, [name("8001"), name("8002"), name("8003")]);
}

#[test]
fn no_agent_stays_offered_without_an_offer() {
    for ending in ["declined", "no answer", "device", "caller", "refused", "logout", "forced", "reload"] {
        let mut room = Room::new(ring(), &people(2)).staffed();
        room.calls(1);
        let (offer, agent, _) = room.one_offer();
        match ending {
            "declined" => room.tell(|acd, now, out| acd.declined(now, offer, out)).expect("open"),
            "device" => room.tell(|acd, now, out| acd.device_failed(now, offer, out)).expect("open"),
            "caller" => drop(room.tell(|acd, now, out| acd.leave(now, call(1), out))),
            "refused" => {
                let by = RefusedBy::Agent("busy elsewhere".into());
                room.tell(|acd, now, out| acd.refused(now, offer, by, out)).expect("open");
            }
            "logout" => room.tell(|acd, now, out| acd.logout(now, agent, out)).expect("in"),
            "forced" => {
                let to = Forced::NotReady("talk".into());
                room.tell(|acd, now, out| acd.force_state(now, agent, to, out)).expect("in");
            }
            "reload" => {
                let rest = people(2).into_iter().filter(|spec| spec.id != agent).collect::<Vec<_>>();
                room.tell(|acd, now, out| acd.set_agents(now, rest, out));
            }
            _ => room.ring_out(offer),
        }
        let view = room.acd.agent_view(agent);
        assert!(
            view.is_none_or(|view| view.offer.is_none() && view.state != AgentState::Offered),
            "{ending}"
        );
        let other = room.acd.agent_view(name("8002")).expect("stays");
        assert_eq!(
            other.offer.is_some(),
            ending != "caller",
            "{ending}: the caller goes to the next at once"
        );
    }
}

#[test]
fn an_offer_ends_with_its_caller_even_before_it_is_bound() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.tell(|acd, now, out| acd.leave(now, call(1), out));
    assert_eq!(rescinded(&room), [(name("8001"), Ending::CallerLeft)]);
    assert_eq!(room.acd.bound(offer), Err(Refused::NotOffered));
    assert_eq!(room.state("8001"), "ready");
}

#[test]
fn an_answer_before_the_call_is_bound_is_refused_and_a_silent_owner_is_not_waited_for() {
    let mut room = Room::new(ring(), &people(2)).staffed();
    room.calls(1);
    let (offer, agent, _) = room.one_offer();
    assert_eq!(room.tell(|acd, now, out| acd.answered(now, offer, out)), Err(Refused::NotBound));
    room.pass(8);
    assert_eq!(rescinded(&room), [(agent, Ending::NotBound)]);
    assert_eq!(room.acd.agent_view(agent).map(|view| view.missed), Some(0), "not his miss");
    assert_eq!(room.one_offer().1, name("8002"));
}

#[test]
fn a_free_agent_gets_the_call_the_moment_wrap_up_ends() {
    let mut room = Room::new(ring(), &people(2)).staffed();
    room.calls(1);
    room.calls(2);
    for (offer, ..) in room.offers() {
        room.answer(offer);
    }
    room.tell(|acd, now, out| acd.hung_up(now, name("8001"), call(1), out)).expect("on it");
    room.pass(10);
    room.calls(3);
    room.said.clear();
    room.pass(79);
    assert!(room.offers().is_empty());
    room.pass(1);
    assert_eq!(room.one_offer().1, name("8001"), "and not when the last of all is free");
}

#[test]
fn wrap_up_is_the_agents_own_and_is_extended_up_to_a_cap() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    let id = name("8001");
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    room.tell(|acd, now, out| acd.hung_up(now, id, call(1), out)).expect("on it");
    let minute = Duration::from_secs(60);
    let mut extended = 0;
    while room.tell(|acd, now, out| acd.wrap_extend(now, id, minute, out)).is_ok() {
        extended += 1;
    }
    assert_eq!(extended, 9, "90 s and then up to 600 s");
    room.pass(599);
    assert_eq!(room.state("8001"), "wrap_up");
    room.pass(1);
    assert_eq!(room.state("8001"), "ready");
}

#[test]
fn nobody_is_ready_by_himself_on_an_unfinished_ticket() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    let id = name("8001");
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    room.tell(|acd, now, out| acd.ticket_unfinished(now, id, true, out)).expect("known");
    room.tell(|acd, now, out| acd.hung_up(now, id, call(1), out)).expect("on it");
    room.said.clear();
    room.pass(3_600);
    assert_eq!(room.said, [Action::WrapOverdue { agent: id, call: call(1) }], "a lead is told, once");
    assert_eq!(room.tell(|acd, now, out| acd.wrap_finish(now, id, out)), Err(Refused::TicketUnfinished));
    room.tell(|acd, now, out| acd.ticket_unfinished(now, id, false, out)).expect("known");
    assert_eq!(room.state("8001"), "ready");
}

#[test]
fn a_break_changes_nobodys_place_in_the_order() {
    for strategy in [Strategy::LongestIdle, Strategy::FewestCalls] {
        let mut room = Room::new(QueueConfig { strategy, ..ring() }, &people(3)).staffed();
        // 8001 has worked, so he comes last; a break does not bring him forward.
        room.calls(1);
        let (offer, agent, _) = room.one_offer();
        room.answer(offer);
        room.now = room.now + Duration::from_secs(30);
        room.tell(|acd, now, out| acd.idle(now, agent, out)).expect("on it");
        for id in [agent, name("8002")] {
            room.tell(|acd, now, out| acd.break_request(now, id, "tea", out)).expect("may go");
        }
        room.pass(600);
        for id in [agent, name("8002")] {
            room.tell(|acd, now, out| acd.ready(now, id, out)).expect("back");
        }
        room.said.clear();
        for n in 2..=4 {
            room.calls(n);
        }
        let order: Vec<AgentId> = room.offers().iter().map(|offer| offer.1).collect();
        assert_eq!(order, [name("8002"), name("8003"), name("8001")], "{strategy:?}");
    }
}

#[test]
fn a_break_wished_for_during_a_call_is_neither_lost_nor_early() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    let id = name("8001");
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    room.tell(|acd, now, out| acd.break_request(now, id, "lunch", out)).expect("may go");
    assert_eq!(room.state("8001"), "on_call");
    room.tell(|acd, now, out| acd.hung_up(now, id, call(1), out)).expect("on it");
    assert_eq!(room.state("8001"), "wrap_up");
    room.pass(90);
    let view = room.acd.agent_view(id).expect("known");
    assert_eq!(view.state, AgentState::NotReady("lunch".into()));
}

#[test]
fn reload_keeps_states_places_and_offers() {
    let mut room = Room::new(ring(), &people(3)).staffed();
    room.calls(1);
    room.calls(2);
    let offers = room.offers();
    room.answer(offers[0].0);
    room.acd.bound(offers[1].0).expect("open");
    room.tell(|acd, now, out| acd.not_ready(now, name("8003"), "case work", out)).expect("known");
    room.calls(3);
    let before: Vec<_> = room.acd.agents().map(|id| room.acd.agent_view(id)).collect();
    room.said.clear();
    let mut specs = people(3);
    for spec in &mut specs {
        spec.skills.insert("en".into(), 1);
    }
    room.tell(|acd, now, out| acd.set_agents(now, specs, out));
    let fewest = QueueConfig { strategy: Strategy::FewestCalls, ..ring() };
    room.tell(|acd, now, out| acd.reconfigure(now, [("main".into(), fewest)], out));
    assert_eq!(before, room.acd.agents().map(|id| room.acd.agent_view(id)).collect::<Vec<_>>());
    assert!(room.said.is_empty(), "{:?}", room.said);
    assert_eq!(room.acd.ahead(call(3)), Some(1));
    room.tell(|acd, now, out| acd.answered(now, offers[1].0, out)).expect("still open");
}

#[test]
fn who_is_taken_out_of_the_directory_finishes_his_call() {
    let mut room = Room::new(ring(), &people(2)).staffed();
    room.calls(1);
    let (offer, agent, _) = room.one_offer();
    room.answer(offer);
    room.tell(|acd, now, out| acd.set_agents(now, [person("8002", &["main"], &[])], out));
    assert_eq!(room.state("8001"), "on_call");
    room.tell(|acd, now, out| acd.hung_up(now, agent, call(1), out)).expect("on it");
    room.pass(90);
    assert_eq!(room.acd.agent_view(agent), None);
}

#[test]
fn a_callback_never_jumps_the_queue_and_a_lost_agents_caller_does() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    room.calls(1);
    let (offer, agent, _) = room.one_offer();
    room.answer(offer);
    room.now = room.now + Duration::from_secs(5);
    room.calls(2);
    let mut later = Enter::new(call(3), "main", 0);
    later.kind = Kind::Callback;
    room.enter(later);
    assert_eq!(room.acd.ahead(call(3)), Some(1));
    room.tell(|acd, now, out| acd.front(now, call(1), out)).expect("was served");
    assert_eq!(room.acd.ahead(call(1)), Some(0));
    room.said.clear();
    room.tell(|acd, now, out| acd.idle(now, agent, out)).expect("on it");
    assert_eq!(room.one_offer().2, call(1));
}

#[test]
fn the_last_on_shift_never_drops_out_alone() {
    let mut lead = person("9001", &[], &[]);
    lead.lead = true;
    let mut staff = people(1);
    staff.push(lead);
    let config = AcdConfig { on_call: Some("13800000000".into()), ..AcdConfig::default() };
    let mut room = Room::with(config, &[("main", ring())], &staff).staffed();
    room.tell(|acd, now, out| acd.not_ready(now, name("9001"), "desk", out)).expect("known");
    room.said.clear();
    room.calls(1);
    let (first, agent, _) = room.one_offer();
    room.ring_out(first);
    assert_eq!(room.state("8001"), "offered", "rung again");
    let (second, again, _) = room.one_offer();
    assert_eq!(agent, again);
    room.ring_out(second);
    assert_eq!(room.state("8001"), "ready", "still no less there than before");
    let (third, lead, _) = room.one_offer();
    assert_eq!(lead, name("9001"));
    room.ring_out(third);
    let to = Escalation::OnCallMobile("13800000000".into());
    assert!(room.said.contains(&Action::Escalate { call: call(1), to }), "{:?}", room.said);
    let (fourth, agent, _) = room.one_offer();
    assert_eq!(agent, name("8001"), "and goes on ringing");
    room.ring_out(fourth);
    assert!(!room.said.iter().any(|action| matches!(action, Action::Escalate { .. })), "once is enough");
}

#[test]
fn the_lead_takes_the_first_of_those_whom_nobody_takes() {
    let mut lead = person("9001", &[], &[]);
    lead.lead = true;
    let mut staff = people(2);
    staff.push(lead);
    let mut room = Room::new(ring(), &staff).staffed();
    room.calls(1);
    let (first, ..) = room.one_offer();
    room.acd.bound(first).expect("open");
    room.pass(3);
    room.calls(2);
    let (second, ..) = room.one_offer();
    room.acd.bound(second).expect("open");
    room.pass(5);
    assert_eq!(room.state("8001"), "not_responding");
    room.said.clear();
    room.tell(|acd, now, out| acd.device_failed(now, second, out)).expect("open");
    let (_, agent, taken) = room.one_offer();
    assert_eq!((agent, taken), (name("9001"), call(1)), "he came before the one whose agent went deaf");
}

#[test]
fn the_mobile_that_rings_is_of_who_is_on_call_by_the_roster() {
    let with = |id: &str, mobile: &str| {
        let mut who = person(id, &["main"], &[]);
        (who.mobile, who.lead) = (Some(mobile.into()), id == "9001");
        who
    };
    let staff = [person("8001", &["main"], &[]), with("8005", "13800000005"), with("9001", "13800000009")];
    for (rostered, fixed, rings) in [
        (&["8005"][..], Some("13800000000"), "13800000005"),
        (&["8004", "8001"][..], Some("13800000000"), "13800000000"),
        (&[][..], None, "13800000009"),
    ] {
        let config = AcdConfig { on_call: fixed.map(Into::into), ..AcdConfig::default() };
        let mut room = Room::with(config, &[("main", ring())], &staff);
        room.acd.set_on_call(rostered.iter().map(|id| name(id)).collect());
        room.work(name("8001"));
        room.said.clear();
        room.calls(1);
        for _ in 0..2 {
            let (offer, ..) = room.one_offer();
            room.ring_out(offer);
        }
        let to = Escalation::OnCallMobile(rings.into());
        assert!(room.said.contains(&Action::Escalate { call: call(1), to }), "{rings}: {:?}", room.said);
    }
}

#[test]
fn declining_is_no_miss_and_three_in_a_row_are_taken_at_their_word() {
    let mut room = Room::new(ring(), &people(2)).staffed();
    room.tell(|acd, now, out| acd.busy(now, name("8002"), call(50), out)).expect("dials");
    room.said.clear();
    room.calls(1);
    for n in 1..=3 {
        let (offer, ..) = room.one_offer();
        room.acd.bound(offer).expect("open");
        room.tell(|acd, now, out| acd.declined(now, offer, out)).expect("open");
        assert_eq!(room.state("8001"), if n < 3 { "wrap_up" } else { "not_ready" });
        room.said.clear();
        room.pass(10);
    }
    assert_eq!(room.acd.agent_view(name("8001")).map(|view| view.missed), Some(0));
}

#[test]
fn an_older_session_cannot_speak_and_a_newer_one_must_prove_its_ears() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    let id = name("8001");
    room.tell(|acd, now, out| acd.login(now, id, 7, out)).expect("newer");
    assert_eq!(room.tell(|acd, now, out| acd.login(now, id, 6, out)), Err(Refused::StaleEpoch));
    room.said.clear();
    room.calls(1);
    assert!(room.offers().is_empty(), "no offer to ears that are not proven");
    room.tell(|acd, now, out| acd.path(now, id, Path::Proven, out)).expect("in");
    assert_eq!(room.offers().len(), 1);
}

#[test]
fn overflow_by_time_by_length_and_without_staff_keeps_the_time_of_entry() {
    let to = |after, longer_than, no_staff| QueueConfig {
        overflow: Some(Overflow { to: "main".into(), after, longer_than, no_staff }),
        ..ring()
    };
    let queues = [
        ("main", ring()),
        ("slow", to(Some(Duration::from_secs(30)), None, false)),
        ("short", to(None, Some(1), false)),
        ("empty", to(None, None, true)),
    ];
    let mut staff = people(1);
    staff.push(person("8100", &["empty"], &[]));
    let mut room = Room::with(AcdConfig::default(), &queues, &staff).staffed();
    room.tell(|acd, now, out| acd.busy(now, name("8001"), call(50), out)).expect("dials");
    room.tell(|acd, now, out| acd.busy(now, name("8100"), call(51), out)).expect("dials");
    let came = room.now;
    room.enter(Enter::new(call(1), "slow", 0));
    room.enter(Enter::new(call(2), "short", 0));
    room.enter(Enter::new(call(3), "short", 0));
    room.enter(Enter::new(call(4), "empty", 0));
    assert_eq!(room.acd.place(call(3)), Some(("main", 0)), "by length");
    assert_eq!(room.acd.place(call(4)), Some(("empty", 0)));
    room.tell(|acd, now, out| acd.idle(now, name("8100"), out)).expect("on it");
    let (offer, ..) = room.one_offer();
    room.pass(1);
    room.acd.bound(offer).expect("open");
    room.tell(|acd, now, out| acd.logout(now, name("8100"), out)).expect("in");
    room.pass(1);
    assert_eq!(room.acd.place(call(4)), Some(("main", 0)), "without staff");
    room.pass(30);
    assert_eq!(room.acd.place(call(1)), Some(("main", 0)), "by time");
    assert_eq!(room.acd.ahead(call(1)), Some(0), "he came first");
    assert_eq!(room.acd.entered(call(4)), Some((came, Kind::Live)));
}

#[test]
fn nobody_starves_behind_higher_priorities() {
    let mut room = Room::new(ring(), &people(1)).staffed();
    room.tell(|acd, now, out| acd.busy(now, name("8001"), call(50), out)).expect("dials");
    room.calls(1);
    let bound = room.acd.config().ageing_bound(0).as_secs();
    room.pass(bound - 1);
    room.enter(Enter::new(call(2), "main", 9));
    assert_eq!(room.acd.ahead(call(1)), Some(1), "urgent calls pass");
    room.pass(2);
    room.enter(Enter::new(call(3), "main", 200));
    assert_eq!(room.acd.ahead(call(1)), Some(1), "but not for ever, whatever their number");
}

#[test]
fn skills_levels_and_known_agents_choose() {
    let staff = [
        person("8001", &["main"], &[("en", 1)]),
        person("8002", &["main"], &[("en", 3)]),
        person("8003", &["main"], &[("en", 2)]),
    ];
    let queue = QueueConfig { strategy: Strategy::SkillFirst, sticky: true, ..ring() };
    let mut room = Room::new(queue, &staff).staffed();
    let asks = |n| {
        let mut enter = Enter::new(call(n), "main", 0);
        enter.needs = needs(&[("en", 2)]);
        enter.caller = Some(7);
        enter
    };
    room.enter(asks(1));
    let (offer, agent, _) = room.one_offer();
    assert_eq!(agent, name("8002"), "the highest level");
    room.enter(asks(2));
    let (second, agent, _) = room.one_offer();
    assert_eq!(agent, name("8003"), "level 1 is too low for 8001");
    room.answer(second);
    room.tell(|acd, now, out| acd.idle(now, name("8003"), out)).expect("on it");
    room.tell(|acd, now, out| acd.declined(now, offer, out)).expect("open");
    let known = room.said.iter().rev().find_map(|action| match action {
        Action::Offer { offer, agent, .. } => Some((*offer, *agent)),
        _ => None,
    });
    let (third, agent) = known.expect("an offer");
    assert_eq!(agent, name("8003"));
    assert_eq!(room.acd.why_chosen(third).map(|choice| choice.rule), Some(Rule::Sticky));
}
