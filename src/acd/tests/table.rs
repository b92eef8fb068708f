//! Every fact about an agent in every state of one: taken, or refused with a code and nothing changed.

use super::*;

type Fact = fn(&mut Acd, Time, &mut Vec<Action>) -> Result<(), Refused>;

const A: &str = "8001";

fn me() -> AgentId {
    name(A)
}

/// The states, each with the way there. Agent 8002 is on another call throughout, so that 8001 is not the last on shift.
fn state(which: &str) -> Room {
    let ring = QueueConfig { answer: Answer::Ring, ..QueueConfig::default() };
    let mut room = Room::new(ring, &[person(A, &["main"], &[]), person("8002", &["main"], &[])]);
    room.work(name("8002"));
    room.tell(|acd, now, out| acd.busy(now, name("8002"), call(900), out)).expect("dials");
    if which == "offline" {
        return room;
    }
    room.tell(|acd, now, out| acd.login(now, me(), 5, out)).expect("logs in");
    if which == "not_ready" {
        return room;
    }
    room.tell(|acd, now, out| acd.path(now, me(), Path::Proven, out)).expect("is heard");
    if which == "on_break" {
        room.tell(|acd, now, out| acd.break_request(now, me(), "tea", out)).expect("may go");
        return room;
    }
    room.tell(|acd, now, out| acd.ready(now, me(), out)).expect("is ready");
    room.said.clear();
    if which == "deaf" {
        room.tell(|acd, now, out| acd.path(now, me(), Path::Deaf("muted".into()), out)).expect("told");
    }
    if ["ready", "deaf"].contains(&which) {
        return room;
    }
    room.calls(1);
    let (offer, ..) = room.one_offer();
    if which == "offered" {
        return room;
    }
    room.acd.bound(offer).expect("open");
    if which == "bound" {
        return room;
    }
    if which == "not_responding" {
        room.pass(8);
        room.tell(|acd, now, out| acd.leave(now, call(1), out));
        return room;
    }
    room.tell(|acd, now, out| acd.answered(now, offer, out)).expect("bound");
    if which == "on_call" {
        return room;
    }
    room.tell(|acd, now, out| acd.ticket_unfinished(now, me(), which != "wrap_up", out)).expect("told");
    room.tell(|acd, now, out| acd.hung_up(now, me(), call(1), out)).expect("on it");
    if which == "overdue" {
        room.pass(90);
    }
    room
}

const FACTS: [(&str, Fact); 24] = [
    ("login older", |acd, now, out| acd.login(now, me(), 4, out)),
    ("login same", |acd, now, out| acd.login(now, me(), 5, out)),
    ("login newer", |acd, now, out| acd.login(now, me(), 6, out)),
    ("logout", |acd, now, out| acd.logout(now, me(), out)),
    ("ready", |acd, now, out| acd.ready(now, me(), out)),
    ("not_ready", |acd, now, out| acd.not_ready(now, me(), "case", out)),
    ("break_request", |acd, now, out| acd.break_request(now, me(), "tea", out)),
    ("break_withdraw", |acd, now, out| acd.break_withdraw(now, me(), out)),
    ("approve", |acd, now, out| acd.approve(now, me(), out)),
    ("force ready", |acd, now, out| acd.force_state(now, me(), Forced::Ready, out)),
    ("force not_ready", |acd, now, out| acd.force_state(now, me(), Forced::NotReady("talk".into()), out)),
    ("force offline", |acd, now, out| acd.force_state(now, me(), Forced::Offline, out)),
    ("path proven", |acd, now, out| acd.path(now, me(), Path::Proven, out)),
    ("path deaf", |acd, now, out| acd.path(now, me(), Path::Deaf("ice".into()), out)),
    ("roster off", |acd, now, out| acd.roster(now, me(), false, out)),
    ("busy", |acd, now, out| acd.busy(now, me(), call(77), out)),
    ("idle", |acd, now, out| acd.idle(now, me(), out)),
    ("hung_up", |acd, now, out| acd.hung_up(now, me(), call(1), out)),
    ("wrap_finish", |acd, now, out| acd.wrap_finish(now, me(), out)),
    ("wrap_extend", |acd, now, out| acd.wrap_extend(now, me(), Duration::from_secs(30), out)),
    ("ticket done", |acd, now, out| acd.ticket_unfinished(now, me(), false, out)),
    ("answered", |acd, now, out| acd.answered(now, OfferId(1), out)),
    ("declined", |acd, now, out| acd.declined(now, OfferId(1), out)),
    ("device_failed", |acd, now, out| acd.device_failed(now, OfferId(1), out)),
];

const STATES: [&str; 11] = [
    "offline",
    "not_ready",
    "on_break",
    "ready",
    "deaf",
    "offered",
    "bound",
    "on_call",
    "wrap_up",
    "overdue",
    "not_responding",
];

/// What comes of it, a column for each of [`STATES`]: the new state, or `!` and the code.
#[rustfmt::skip]
const TABLE: &str = "
login older     | not_ready !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch !stale_epoch
login same      | not_ready not_ready not_ready ready not_ready offered offered on_call wrap_up wrap_up not_responding
login newer     | not_ready not_ready not_ready not_ready not_ready offered offered on_call wrap_up wrap_up not_responding
logout          | !not_logged_in offline offline offline offline offline offline !on_call offline offline offline
ready           | !not_logged_in not_ready ready ready not_ready offered offered on_call wrap_up wrap_up ready
not_ready       | !not_logged_in not_ready not_ready not_ready not_ready offered offered on_call wrap_up wrap_up not_ready
break_request   | !not_logged_in not_ready !already_asked not_ready not_ready offered offered on_call wrap_up wrap_up not_ready
break_withdraw  | !not_logged_in !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break
approve         | !not_logged_in !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break !no_break
force ready     | !not_logged_in not_ready ready ready not_ready offered offered on_call ready ready ready
force not_ready | !not_logged_in not_ready not_ready not_ready not_ready not_ready not_ready on_call wrap_up wrap_up not_ready
force offline   | !not_logged_in offline offline offline offline offline offline !on_call offline offline offline
path proven     | !not_logged_in not_ready not_ready ready ready offered offered on_call wrap_up wrap_up not_responding
path deaf       | !not_logged_in not_ready not_ready not_ready not_ready not_ready not_ready on_call wrap_up wrap_up not_responding
roster off      | offline not_ready not_ready ready not_ready offered offered on_call wrap_up wrap_up not_responding
busy            | !not_logged_in on_call on_call on_call on_call on_call on_call !on_call on_call on_call on_call
idle            | !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call ready !not_on_call !not_on_call !not_on_call
hung_up         | !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call !not_on_call wrap_up !not_on_call !not_on_call !not_on_call
wrap_finish     | !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up ready !ticket_unfinished !not_in_wrap_up
wrap_extend     | !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up !not_in_wrap_up wrap_up wrap_up !not_in_wrap_up
ticket done     | offline not_ready not_ready ready not_ready offered offered on_call wrap_up ready not_responding
answered        | !not_offered !not_offered !not_offered !not_offered !not_offered !not_bound on_call !not_offered !not_offered !not_offered !not_offered
declined        | !not_offered !not_offered !not_offered !not_offered !not_offered wrap_up wrap_up !not_offered !not_offered !not_offered !not_offered
device_failed   | !not_offered !not_offered !not_offered !not_offered !not_offered not_ready not_ready !not_offered !not_offered !not_offered !not_offered
";

fn row(fact: Fact) -> Vec<String> {
    let cell = |which: &&str| {
        let mut room = state(which);
        let before = (room.acd.agent_view(me()), format!("{:?}", room.acd.stats("main")));
        room.said.clear();
        match room.tell(fact) {
            Ok(()) => room.state(A).to_owned(),
            Err(refused) => {
                let after = (room.acd.agent_view(me()), format!("{:?}", room.acd.stats("main")));
                assert_eq!(before, after, "refused in {which}, and yet something changed");
                assert!(room.said.is_empty(), "refused in {which}, and yet something was said");
                format!("!{}", refused.code())
            }
        }
    };
    STATES.iter().map(cell).collect()
}

#[test]
fn every_fact_in_every_state_is_taken_or_refused_with_a_code() {
    let rows = FACTS.map(|(fact, apply)| format!("{fact:15} | {}", row(apply).join(" ")));
    assert_eq!(rows.join("\n"), TABLE.trim(), "\n{}", rows.join("\n"));
}
