//! Twenty staged situations: does the explanation name the true cause?

use super::*;

fn ring() -> QueueConfig {
    QueueConfig { answer: Answer::Ring, ..QueueConfig::default() }
}

/// One agent in the directory, `main` and nothing else, not logged in.
fn alone() -> Room {
    Room::new(ring(), &[person("8001", &["main"], &[("zh", 2)])])
}

fn ready() -> Room {
    alone().staffed()
}

/// Ready, and on call 100.
fn talking() -> Room {
    let mut room = ready();
    room.calls(100);
    let (offer, ..) = room.one_offer();
    room.answer(offer);
    room
}

fn pair() -> Room {
    Room::new(ring(), &[person("8001", &["main"], &[]), person("8002", &["main"], &[])]).staffed()
}

fn hang_up(room: &mut Room, id: &str, n: u64) {
    let id = name(id);
    room.tell(|acd, now, out| acd.hung_up(now, id, call(n), out)).expect("on it");
}

/// The wait of call 1 so far, as codes; it must be covered without a gap from its entry to now.
fn causes(room: &Room, entered: Time) -> Vec<&'static str> {
    let why = room.acd.why_waiting(room.now, call(1)).expect("known");
    let ended = room.acd.queue_of(call(1)).is_none();
    let mut at = entered;
    for interval in &why {
        assert_eq!(interval.from, at, "a gap in {why:?}");
        at = interval.to;
    }
    assert!(ended || at == room.now, "{why:?} does not reach {:?}", room.now);
    why.iter().map(|interval| interval.cause.code()).collect()
}

/// Call 1 comes, ten seconds pass.
fn waits(room: &mut Room) -> Vec<&'static str> {
    let entered = room.now;
    room.calls(1);
    room.pass(5);
    causes(room, entered)
}

#[test]
fn w01_nobody_serves_the_queue() {
    let mut room = Room::new(ring(), &[]);
    assert_eq!(waits(&mut room), ["no_agent_on_roster"]);
}

#[test]
fn w02_all_off_shift() {
    let mut room = alone();
    room.tell(|acd, now, out| acd.roster(now, name("8001"), false, out)).expect("known");
    assert_eq!(waits(&mut room), ["no_agent_on_roster"]);
}

#[test]
fn w03_on_the_roster_and_not_logged_in() {
    assert_eq!(waits(&mut alone()), ["nobody_logged_in"]);
}

#[test]
fn w04_nobody_has_the_skill() {
    let mut room = ready();
    let mut enter = Enter::new(call(1), "main", 0);
    enter.needs = needs(&[("粤语", 1)]);
    let entered = room.now;
    room.enter(enter);
    room.pass(5);
    assert_eq!(causes(&room, entered), ["skill_missing"]);
}

#[test]
fn w05_the_level_is_too_low() {
    let mut room = ready();
    let mut enter = Enter::new(call(1), "main", 0);
    enter.needs = needs(&[("zh", 3)]);
    let entered = room.now;
    room.enter(enter);
    room.pass(5);
    assert_eq!(causes(&room, entered), ["skill_missing"]);
}

#[test]
fn w06_all_talking() {
    assert_eq!(waits(&mut talking()), ["all_talking"]);
}

#[test]
fn w07_all_wrapping_up() {
    let mut room = talking();
    hang_up(&mut room, "8001", 100);
    assert_eq!(waits(&mut room), ["all_wrapping_up"]);
}

#[test]
fn w08_an_unfinished_ticket_holds_the_agent() {
    let mut room = talking();
    room.tell(|acd, now, out| acd.ticket_unfinished(now, name("8001"), true, out)).expect("known");
    hang_up(&mut room, "8001", 100);
    room.pass(120);
    assert_eq!(waits(&mut room), ["all_wrapping_up"]);
}

#[test]
fn w09_all_on_a_break() {
    let mut room = ready();
    room.tell(|acd, now, out| acd.break_request(now, name("8001"), "tea", out)).expect("may go");
    assert_eq!(waits(&mut room), ["all_on_break"]);
}

#[test]
fn w10_the_cap_keeps_one_at_work_who_talks() {
    let config = AcdConfig { max_on_break: 1, ..AcdConfig::default() };
    let people = [person("8001", &["main"], &[]), person("8002", &["main"], &[])];
    let mut room = Room::with(config, &[("main", ring())], &people).staffed();
    for id in ["8001", "8002"] {
        room.tell(|acd, now, out| acd.break_request(now, name(id), "tea", out)).expect("may ask");
    }
    room.said.clear();
    room.calls(100);
    let (offer, agent, _) = room.one_offer();
    assert_eq!(agent, name("8002"), "the cap let only the first go");
    room.answer(offer);
    assert_eq!(waits(&mut room), ["all_talking"]);
    hang_up(&mut room, "8002", 100);
    // The first comes back, takes the caller, and lets the second go.
    room.tell(|acd, now, out| acd.ready(now, name("8001"), out)).expect("back");
    room.pass(90);
    assert_eq!(room.state("8002"), "not_ready");
}

#[test]
fn w11_not_ready() {
    let mut room = ready();
    room.tell(|acd, now, out| acd.not_ready(now, name("8001"), "case work", out)).expect("known");
    assert_eq!(waits(&mut room), ["all_not_ready"]);
}

#[test]
fn w12_deaf_path() {
    let mut room = ready();
    room.tell(|acd, now, out| acd.path(now, name("8001"), Path::Deaf("muted".into()), out)).expect("known");
    assert_eq!(waits(&mut room), ["deaf_path"]);
}

#[test]
fn w13_being_offered() {
    assert_eq!(waits(&mut ready()), ["being_offered"]);
}

#[test]
fn w14_offered_to_one_who_did_not_answer_then_all_talking() {
    let mut room = pair();
    let entered = room.now;
    // 8002 talks from the start.
    room.tell(|acd, now, out| acd.busy(now, name("8002"), call(50), out)).expect("dials");
    room.said.clear();
    room.calls(1);
    let (offer, ..) = room.one_offer();
    room.ring_out(offer);
    room.pass(4);
    assert_eq!(causes(&room, entered), ["being_offered", "all_talking"]);
}

#[test]
fn w15_not_responding() {
    let mut room = pair();
    room.tell(|acd, now, out| acd.busy(now, name("8002"), call(50), out)).expect("dials");
    room.said.clear();
    room.calls(100);
    let (offer, ..) = room.one_offer();
    room.ring_out(offer);
    room.tell(|acd, now, out| acd.leave(now, call(100), out));
    room.tell(|acd, now, out| acd.not_ready(now, name("8002"), "off", out)).expect("known");
    room.tell(|acd, now, out| acd.idle(now, name("8002"), out)).expect("known");
    // One does not respond, one is not ready: of equals the one who should be there is named.
    assert_eq!(waits(&mut room), ["not_responding"]);
}

#[test]
fn w16_higher_priority_first() {
    let mut room = talking();
    let entered = room.now;
    room.calls(1);
    room.pass(10);
    room.enter(Enter::new(call(2), "main", 9));
    room.pass(10);
    room.said.clear();
    room.tell(|acd, now, out| acd.idle(now, name("8001"), out)).expect("on it");
    let (offer, _, served) = room.one_offer();
    assert_eq!(served, call(2));
    room.answer(offer);
    room.pass(10);
    assert_eq!(causes(&room, entered), ["all_talking", "higher_priority_first"]);
    let why = room.acd.why_waiting(room.now, call(1)).expect("known");
    assert_eq!(why[1].cause, Cause::HigherPriorityFirst { agent: name("8001"), served: call(2) });
    assert_eq!(
        (why[0].to.since(why[0].from), why[1].to.since(why[1].from)),
        (Duration::from_secs(20), Duration::from_secs(10))
    );
}

#[test]
fn w17_an_earlier_caller_of_the_same_priority_is_no_injustice() {
    let mut room = talking();
    room.calls(2);
    room.pass(1);
    let entered = room.now;
    room.calls(1);
    room.pass(10);
    room.said.clear();
    room.tell(|acd, now, out| acd.idle(now, name("8001"), out)).expect("on it");
    let (offer, _, served) = room.one_offer();
    assert_eq!(served, call(2));
    room.answer(offer);
    room.pass(10);
    assert_eq!(causes(&room, entered), ["all_talking"]);
}

#[test]
fn w18_everybody_leaves_in_mid_wait() {
    let mut room = talking();
    let entered = room.now;
    room.calls(1);
    room.pass(10);
    room.tell(|acd, now, out| acd.not_ready(now, name("8001"), "home", out)).expect("known");
    room.tell(|acd, now, out| acd.idle(now, name("8001"), out)).expect("on it");
    room.pass(10);
    room.tell(|acd, now, out| acd.logout(now, name("8001"), out)).expect("known");
    room.pass(10);
    assert_eq!(causes(&room, entered), ["all_talking", "all_not_ready", "nobody_logged_in"]);
}

#[test]
fn w19_a_callback_between_two_tries() {
    let mut room = ready();
    let entered = room.now;
    let mut enter = Enter::new(call(1), "main", 0);
    enter.kind = Kind::Callback;
    room.enter(enter);
    let (offer, ..) = room.one_offer();
    room.pass(2);
    room.answer(offer);
    room.pass(20);
    room.tell(|acd, now, out| acd.callback_failed(now, call(1), out)).expect("dialled");
    room.pass(30);
    let why = room.acd.why_waiting(room.now, call(1)).expect("known");
    let codes: Vec<_> = why.iter().map(|interval| interval.cause.code()).collect();
    assert_eq!(codes, ["being_offered", "between_tries"], "from {entered:?}");
}

#[test]
fn w20_after_the_call_the_whole_wait_can_still_be_told() {
    let mut room = talking();
    let entered = room.now;
    room.calls(1);
    room.pass(41);
    hang_up(&mut room, "8001", 100);
    room.said.clear();
    room.pass(90);
    let (offer, ..) = room.one_offer();
    room.pass(2);
    room.answer(offer);
    assert_eq!(causes(&room, entered), ["all_talking", "all_wrapping_up", "being_offered"]);
    let why = room.acd.why_waiting(room.now, call(1)).expect("kept");
    let sum: Duration = why.iter().map(|interval| interval.to.since(interval.from)).sum();
    assert_eq!(sum, Duration::from_secs(41 + 90 + 2));
}

#[test]
fn the_choice_of_an_agent_can_be_told() {
    let mut room = pair();
    room.calls(1);
    let (offer, ..) = room.one_offer();
    let choice = room.acd.why_chosen(offer).expect("kept");
    assert_eq!(
        (choice.agent, choice.free, choice.rule),
        (name("8001"), 2, Rule::Strategy(Strategy::LongestIdle))
    );
    let order: Vec<AgentId> = choice.considered.iter().map(|key| key.agent).collect();
    assert_eq!(order, [name("8001"), name("8002")]);
    assert!(choice.considered[0].idle_since <= choice.considered[1].idle_since);
}

/// However long the wait and however much happens, what is kept of it is bounded and still covers it.
#[test]
fn reasons_are_bounded_and_still_cover_the_wait() {
    let mut room = ready();
    let mut enter = Enter::new(call(1), "main", 0);
    enter.needs = needs(&[("粤语", 1)]);
    let entered = room.now;
    room.enter(enter);
    for n in 0..2_000 {
        room.pass(1);
        let id = name("8001");
        match n % 2 {
            0 => room.tell(|acd, now, out| acd.logout(now, id, out)).expect("in"),
            _ => room.tell(|acd, now, out| acd.login(now, id, n + 2, out)).expect("out"),
        }
    }
    let codes = causes(&room, entered);
    assert!(codes.len() <= room.acd.config().reasons_per_call, "{}", codes.len());
}
