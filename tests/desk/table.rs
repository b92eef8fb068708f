//! Every command of the contract in every state of an agent: carried out, or refused with exactly this code and nothing changed.

use crate::room::{OUTSIDE, PHONE, Room, who};
use crate::sip::Peer;
use hotline::call::Input;
use hotline::call::agents::seam::*;
use std::collections::BTreeSet;

/// Who gives the commands: an agent, or the lead where the state is a lead's.
struct State {
    name: &'static str,
    me: &'static str,
    way: fn() -> Room,
}

const STATES: &[State] = &[
    State { name: "unknown", me: "8009", way: Room::new },
    State { name: "offline", me: "8001", way: Room::new },
    State { name: "not_ready", me: "8001", way: not_ready },
    State { name: "break", me: "8001", way: on_break },
    State { name: "ready", me: "8001", way: ready },
    State { name: "deaf", me: "8001", way: deaf },
    State { name: "reserved", me: "8001", way: reserved },
    State { name: "offered", me: "8001", way: offered },
    State { name: "at_phone", me: "8001", way: offered_at_phone },
    State { name: "rung", me: "8002", way: asking },
    State { name: "talking", me: "8001", way: talking },
    State { name: "phone", me: "8001", way: talking_at_phone },
    State { name: "held", me: "8001", way: held },
    State { name: "asking", me: "8001", way: asking },
    State { name: "consult", me: "8001", way: consulting },
    State { name: "asked", me: "8002", way: consulting },
    State { name: "confer", me: "8001", way: conference },
    State { name: "lost", me: "8001", way: lost },
    State { name: "crisis", me: "8001", way: crisis },
    State { name: "wishes", me: "8001", way: wishes },
    State { name: "helped", me: "8001", way: helped },
    State { name: "dialling", me: "8001", way: dialling },
    State { name: "outbound", me: "8001", way: outbound },
    State { name: "watched", me: "8001", way: listening },
    State { name: "listens", me: "boss", way: listening },
    State { name: "barged", me: "boss", way: barged },
    State { name: "wrap_up", me: "8001", way: wrap_up },
    State { name: "no_reply", me: "8001", way: not_responding },
];

fn not_ready() -> Room {
    let mut room = base();
    room.log_in("8001");
    room
}

/// The colleague is not at work: he answers nothing unless a state wants him.
fn base() -> Room {
    let mut room = Room::new();
    room.log_in("8002");
    room.log_in("boss");
    room
}

fn on_break() -> Room {
    let mut room = ready();
    room.order_of("8001", AgentCommand::BreakRequest { reason: who("tea") });
    room
}

fn ready() -> Room {
    let mut room = base();
    room.ready("8001");
    room
}

fn deaf() -> Room {
    let mut room = ready();
    room.path("8001", Path::Deaf(Deafness::IceFailed));
    room
}

fn reserved() -> Room {
    let mut room = ready();
    room.disk = false;
    room.citizen();
    room
}

fn offered() -> Room {
    let mut room = ready();
    room.citizen();
    room
}

fn offered_at_phone() -> Room {
    let mut room = base();
    room.ready_at_phone("8001");
    room.citizen();
    room
}

fn talking() -> Room {
    let mut room = offered();
    room.order_of("8001", AgentCommand::Answer { call: None });
    room
}

fn talking_at_phone() -> Room {
    let mut room = offered_at_phone();
    room.peer_says(PHONE, Peer::pick_up);
    room
}

fn held() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::Hold { call: None });
    room
}

fn asking() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::Consult { call: None, to: Target::Agent(who("8002")) });
    room
}

fn consulting() -> Room {
    let mut room = asking();
    room.order_of("8002", AgentCommand::Answer { call: None });
    room
}

fn conference() -> Room {
    let mut room = consulting();
    room.order_of("8001", AgentCommand::Conference { call: None, to: None });
    room
}

fn lost() -> Room {
    let mut room = talking();
    // Sooner, his line was dead already when the call came.
    room.pass(3_000);
    room.path("8001", Path::Deaf(Deafness::NothingHeard));
    room
}

fn crisis() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::CrisisRaise { call: None });
    room
}

/// A break is wished for after the call.
fn wishes() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::BreakRequest { reason: who("tea") });
    room
}

/// The lead was called for help, the recording pauses.
fn helped() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::AssistRequest { call: None, note: who("") });
    room.order_of("8001", AgentCommand::RecordingPause { call: None });
    room
}

fn dialling() -> Room {
    let mut room = ready();
    room.order_of("8001", AgentCommand::Dial { number: who("13900000001"), ticket: None });
    room
}

fn outbound() -> Room {
    let mut room = dialling();
    room.peer_says(OUTSIDE, Peer::pick_up);
    room
}

fn listening() -> Room {
    let mut room = talking();
    room.order_of("boss", AgentCommand::Listen { agent: who("8001") });
    room
}

fn barged() -> Room {
    let mut room = talking();
    room.order_of("boss", AgentCommand::Barge { agent: who("8001") });
    room
}

fn wrap_up() -> Room {
    let mut room = talking();
    room.order_of("8001", AgentCommand::HangUp { call: None });
    room
}

fn not_responding() -> Room {
    let mut room = base();
    room.order_of("8002", AgentCommand::Ready);
    // Another is on shift, so that this one is not the last.
    room.citizen();
    room.order_of("8002", AgentCommand::Answer { call: None });
    room.ready("8001");
    let second = room.citizen();
    room.pass(8_000);
    room.peer_says(second, Peer::bye);
    room
}

/// A command of the table: its name there, and how it is made.
type Row = (&'static str, fn() -> AgentCommand);

/// As on the wire, with what each needs; `call` left out means the only one.
#[rustfmt::skip]
const COMMANDS: &[Row] = &[
    ("agent.login", || AgentCommand::Login { device: Device::Browser }),
    ("agent.login phone", || AgentCommand::Login { device: Device::Phone(who("desk")) }),
    ("agent.login nothing", || AgentCommand::Login { device: Device::Phone(who("nothing")) }),
    ("agent.logout", || AgentCommand::Logout),
    ("agent.ready", || AgentCommand::Ready),
    ("agent.not_ready", || AgentCommand::NotReady { reason: who("case") }),
    ("agent.break_request", || AgentCommand::BreakRequest { reason: who("lunch") }),
    ("agent.break_withdraw", || AgentCommand::BreakWithdraw),
    ("call.answer", || AgentCommand::Answer { call: None }),
    ("call.answer other", || AgentCommand::Answer { call: Some(other()) }),
    ("call.reject", || AgentCommand::Reject { call: None }),
    ("call.reject other", || AgentCommand::Reject { call: Some(other()) }),
    ("call.hangup", || AgentCommand::HangUp { call: None }),
    ("call.hangup other", || AgentCommand::HangUp { call: Some(other()) }),
    ("call.hold", || AgentCommand::Hold { call: None }),
    ("call.retrieve", || AgentCommand::Retrieve { call: None }),
    ("call.dtmf", || AgentCommand::Dtmf { call: None, digits: who("1#") }),
    ("call.dial", || AgentCommand::Dial { number: who("13900000002"), ticket: None }),
    ("call.dial forbidden", || AgentCommand::Dial { number: who("0019005551234"), ticket: None }),
    ("call.consult agent", || AgentCommand::Consult { call: None, to: Target::Agent(who("8002")) }),
    ("call.consult self", || AgentCommand::Consult { call: None, to: Target::Agent(who("8001")) }),
    ("call.consult nobody", || AgentCommand::Consult { call: None, to: Target::Agent(who("8777")) }),
    ("call.consult number", || AgentCommand::Consult { call: None, to: Target::Number(who("13900000002")) }),
    ("call.consult queue", || AgentCommand::Consult { call: None, to: Target::Queue(who("main")) }),
    ("call.transfer", || AgentCommand::Transfer { call: None, to: None }),
    ("call.transfer agent", || AgentCommand::Transfer { call: None, to: Some(Target::Agent(who("8002"))) }),
    ("call.transfer number", || AgentCommand::Transfer {
        call: None,
        to: Some(Target::Number(who("13900000002"))),
    }),
    ("call.transfer forbidden", || AgentCommand::Transfer {
        call: None,
        to: Some(Target::Number(who("0019005551234"))),
    }),
    ("call.transfer queue", || AgentCommand::Transfer { call: None, to: Some(Target::Queue(who("second"))) }),
    ("call.transfer no queue", || AgentCommand::Transfer {
        call: None,
        to: Some(Target::Queue(who("third"))),
    }),
    ("call.conference", || AgentCommand::Conference { call: None, to: None }),
    ("call.conference agent", || AgentCommand::Conference {
        call: None,
        to: Some(Target::Agent(who("8002"))),
    }),
    ("call.conference number", || AgentCommand::Conference {
        call: None,
        to: Some(Target::Number(who("13900000002"))),
    }),
    ("call.complete", || AgentCommand::Complete { call: None }),
    ("wrapup.finish", || AgentCommand::WrapUpFinish),
    ("wrapup.extend", || AgentCommand::WrapUpExtend),
    ("recording.pause", || AgentCommand::RecordingPause { call: None }),
    ("recording.resume", || AgentCommand::RecordingResume { call: None }),
    ("supervisor.listen", || AgentCommand::Listen { agent: who("8001") }),
    ("supervisor.whisper", || AgentCommand::Whisper { agent: who("8001") }),
    ("supervisor.barge", || AgentCommand::Barge { agent: who("8001") }),
    ("supervisor.takeover", || AgentCommand::TakeOver { agent: who("8001") }),
    ("supervisor.force_state", || AgentCommand::ForceState {
        agent: who("8001"),
        state: Forced::NotReady { reason: who("talk") },
    }),
    ("assist.request", || AgentCommand::AssistRequest { call: None, note: who("help") }),
    ("assist.cancel", || AgentCommand::AssistCancel),
    ("crisis.raise", || AgentCommand::CrisisRaise { call: None }),
    ("call.mark minor", || AgentCommand::Mark { call: None, special: Special::Minor }),
    ("call.mark silent", || AgentCommand::Mark { call: None, special: Special::Silent }),
    ("queue.watch", || AgentCommand::QueueWatch { queues: vec![who("main")] }),
    ("queue.watch nothing", || AgentCommand::QueueWatch { queues: vec![who("third")] }),
];

/// A call of nobody here.
fn other() -> hotline::base::CallId {
    hotline::base::CallId { node: 9, boot: 9, n: 9 }
}

/// How the table writes an answer.
const fn short(answer: &Result<Option<hotline::base::CallId>, Refused>) -> &'static str {
    match answer {
        Ok(_) => "ok ",
        Err(Refused::NotLoggedIn) => "log",
        Err(Refused::Watching) => "wat",
        Err(Refused::NotOffered) => "off",
        Err(Refused::NoSuchCall) => "cal",
        Err(Refused::WrongState) => "sta",
        Err(Refused::NotOnRoster) => "ros",
        Err(Refused::NotAllowed) => "alw",
        Err(Refused::NumberRefused) => "num",
        Err(Refused::TextOnly) => "txt",
        Err(Refused::NotNow) => "now",
        Err(Refused::NoSuchTarget) => "tgt",
        Err(Refused::TargetBusy) => "bsy",
        Err(Refused::NoMedia) => "med",
        Err(Refused::TicketUnfinished) => "tic",
        Err(Refused::Limit) => "lim",
        Err(Refused::Rescinded) => "res",
        Err(Refused::NotSafe) => "saf",
    }
}

/// The answers: `ok`, or `log` not_logged_in, `off` not_offered, `cal` no_such_call, `sta` wrong_state, `alw` not_allowed, `num`
/// number_refused, `tgt` no_such_target, `bsy` target_busy, `med` no_media, `lim` limit. A column for each of [`STATES`].
#[rustfmt::skip]
const TABLE: &str = "
agent.login             | log ok  ok  ok  ok  ok  ok  ok  sta ok  ok  sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
agent.login phone       | log ok  ok  ok  ok  ok  sta sta ok  sta sta ok  sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  ok
agent.login nothing     | log tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt
agent.logout            | log log ok  ok  ok  ok  ok  ok  ok  sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  ok
agent.ready             | log log ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
agent.not_ready         | log log ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
agent.break_request     | log log ok  sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta ok  ok  ok  ok  ok  ok  ok  ok
agent.break_withdraw    | log log sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta
call.answer             | log log off off off off off ok  sta ok  off off off off off off off off off off off off off off off off off off
call.answer other       | log log off off off off off off off off off off off off off off off off off off off off off off off off off off
call.reject             | log log off off off off off ok  ok  ok  off off off off off off off off off off off off off off off off off off
call.reject other       | log log off off off off off off off off off off off off off off off off off off off off off off off off off off
call.hangup             | log log cal cal cal cal cal ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  cal cal
call.hangup other       | log log cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal cal
call.hold               | log log cal cal cal cal cal sta sta sta ok  ok  sta sta sta sta ok  sta ok  ok  ok  sta ok  ok  sta ok  cal cal
call.retrieve           | log log cal cal cal cal cal sta sta sta sta sta ok  ok  ok  sta sta ok  sta sta sta sta sta sta sta sta cal cal
call.dtmf               | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.dial               | log log ok  ok  ok  med sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  ok
call.dial forbidden     | log log num num num num sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta num num
call.consult agent      | log log cal cal cal cal cal sta sta sta ok  ok  ok  sta sta sta bsy ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.consult self       | log log cal cal cal cal cal sta sta sta tgt tgt tgt sta sta sta tgt tgt tgt tgt tgt sta tgt tgt sta bsy cal cal
call.consult nobody     | log log cal cal cal cal cal sta sta sta tgt tgt tgt sta sta sta tgt tgt tgt tgt tgt sta tgt tgt sta tgt cal cal
call.consult number     | log log cal cal cal cal cal sta sta sta ok  ok  ok  sta sta sta ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.consult queue      | log log cal cal cal cal cal sta sta sta tgt tgt tgt sta sta sta tgt tgt tgt tgt tgt sta tgt tgt sta tgt cal cal
call.transfer           | log log cal cal cal cal cal sta sta sta sta sta sta sta ok  sta sta sta sta sta sta sta sta sta sta sta cal cal
call.transfer agent     | log log cal cal cal cal cal sta sta sta ok  ok  ok  sta sta sta bsy ok  alw ok  ok  sta sta ok  sta ok  cal cal
call.transfer number    | log log cal cal cal cal cal sta sta sta ok  ok  ok  sta sta sta ok  ok  alw ok  ok  sta sta ok  sta ok  cal cal
call.transfer forbidden | log log cal cal cal cal cal sta sta sta num num num sta sta sta num num alw num num sta sta num sta num cal cal
call.transfer queue     | log log cal cal cal cal cal sta sta sta ok  ok  ok  sta sta sta ok  ok  alw ok  ok  sta sta ok  sta ok  cal cal
call.transfer no queue  | log log cal cal cal cal cal sta sta sta tgt tgt tgt sta sta sta tgt tgt alw tgt tgt sta sta tgt sta tgt cal cal
call.conference         | log log cal cal cal cal cal sta sta sta sta sta sta sta ok  sta sta sta sta sta sta sta sta sta sta sta cal cal
call.conference agent   | log log cal cal cal cal cal sta sta sta ok  ok  ok  bsy bsy sta bsy ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.conference number  | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  sta ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.complete           | log log cal cal cal cal cal sta sta sta sta sta sta sta ok  ok  ok  sta sta sta sta sta sta sta sta ok  cal cal
wrapup.finish           | log log sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  sta
wrapup.extend           | log log sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  sta
recording.pause         | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta sta ok  ok  sta ok  cal cal
recording.resume        | log log cal cal cal cal cal sta sta sta sta sta sta sta sta sta sta sta sta sta ok  sta sta sta sta sta cal cal
supervisor.listen       | log log alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw ok  ok  alw alw
supervisor.whisper      | log log alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw ok  ok  alw alw
supervisor.barge        | log log alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw ok  ok  alw alw
supervisor.takeover     | log log alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw ok  ok  alw alw
supervisor.force_state  | log alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw alw ok  ok  alw alw
assist.request          | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
assist.cancel           | log log sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta ok  sta sta sta sta sta sta sta
crisis.raise            | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.mark minor         | log log cal cal cal cal cal sta sta sta ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  sta ok  ok  sta ok  cal cal
call.mark silent        | log log cal cal cal cal cal sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta sta cal cal
queue.watch             | log ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
queue.watch nothing     | log tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt
";

fn cell(state: &State, command: fn() -> AgentCommand, name: &str) -> &'static str {
    answered((state.way)(), state.me, command, &format!("{name} in {}", state.name))
}

fn answered(mut room: Room, me: &str, command: fn() -> AgentCommand, what: &str) -> &'static str {
    let look = |room: &mut Room| (room.calls(), room.engine.ports_leased(), room.engine.next_seq());
    let before = look(&mut room);
    room.forget();
    let answer = room.ask(me, command());
    if answer.is_err() {
        assert_eq!(room.done, [""; 0], "{what} is refused, and yet something was done");
        assert_eq!(before, look(&mut room), "{what} is refused, and yet something changed");
    }
    // Whatever it has begun comes to an end like any other call.
    room.disk = true;
    room.sync();
    room.pass(60_000);
    room.give(Input::EndAll);
    room.assert_rest();
    short(&answer)
}

#[test]
fn every_command_in_every_state_is_carried_out_or_refused_with_this_code() {
    let head = STATES.iter().map(|state| state.name).collect::<Vec<_>>().join(" ");
    let mut faults = Vec::new();
    let mut row = |(name, command): &(&str, fn() -> AgentCommand)| {
        let mut one = |state: &State| {
            std::panic::catch_unwind(|| cell(state, *command, name)).unwrap_or_else(|why| {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                faults.push(format!("{name} in {}: {why}", state.name));
                "???"
            })
        };
        let cells: Vec<_> = STATES.iter().map(&mut one).collect();
        format!("{name:24}| {}", cells.join(" ").trim_end())
    };
    let rows = COMMANDS.iter().map(&mut row).collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} cells went wrong:\n{}\n{head}\n{rows}", faults.len(), faults.join("\n"));
    assert_eq!(rows, TABLE.trim(), "\n{head}\n{rows}");
}

/// The published schema has the whole contract; what it names and the table has not is a hole. The browsers' audio (`media.*`) is not
/// the engine's: its rows are in `src/cti/tests`.
#[test]
fn the_table_has_every_command_of_the_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../src/cti/protocol/schema.json")).expect("JSON");
    let published: BTreeSet<&str> = schema["$defs"]
        .as_object()
        .expect("definitions")
        .keys()
        .filter_map(|name| name.strip_prefix("command:"))
        .filter(|name| !name.starts_with("media."))
        .collect();
    let ours: BTreeSet<&str> = COMMANDS.iter().filter_map(|(name, _)| name.split(' ').next()).collect();
    assert_eq!(published, ours);
}

/// What a lead may do to an agent in each of his states; once more with a lead whose own path is deaf. A column for each of [`LED`].
#[rustfmt::skip]
const LEADS: &str = "
supervisor.listen        | log cal cal cal sta ok  ok  ok  ok  sta ok  cal cal
supervisor.listen nobody | log tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt
supervisor.listen self   | log tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt tgt
supervisor.whisper       | log cal cal cal sta ok  ok  ok  ok  sta ok  cal cal
supervisor.barge         | log cal cal cal sta ok  ok  ok  ok  sta ok  cal cal
supervisor.takeover      | log cal cal cal sta ok  ok  ok  ok  sta ok  cal cal
force ready              | log ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
force not_ready          | log ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
force offline            | log ok  ok  ok  ok  sta sta sta sta sta sta ok  ok
supervisor.barge deaf    | log cal cal cal sta med med med med sta med cal cal
";

const LED: [&str; 13] = [
    "offline",
    "not_ready",
    "ready",
    "reserved",
    "offered",
    "talking",
    "held",
    "confer",
    "lost",
    "dialling",
    "outbound",
    "wrap_up",
    "no_reply",
];

#[rustfmt::skip]
const LEADING: &[Row] = &[
    ("supervisor.listen", || AgentCommand::Listen { agent: who("8001") }),
    ("supervisor.listen nobody", || AgentCommand::Listen { agent: who("8777") }),
    ("supervisor.listen self", || AgentCommand::Listen { agent: who("boss") }),
    ("supervisor.whisper", || AgentCommand::Whisper { agent: who("8001") }),
    ("supervisor.barge", || AgentCommand::Barge { agent: who("8001") }),
    ("supervisor.takeover", || AgentCommand::TakeOver { agent: who("8001") }),
    ("force ready", || AgentCommand::ForceState { agent: who("8001"), state: Forced::Ready }),
    ("force not_ready", || AgentCommand::ForceState { agent: who("8001"), state: Forced::NotReady { reason: who("talk") } }),
    ("force offline", || AgentCommand::ForceState { agent: who("8001"), state: Forced::Offline }),
];

#[test]
fn a_lead_does_this_to_an_agent_in_each_state() {
    let mut rows = Vec::new();
    for deaf in [false, true] {
        for (name, command) in LEADING.iter().filter(|(name, _)| !deaf || *name == "supervisor.barge") {
            let mut cells = Vec::new();
            for state in LED {
                let way = STATES.iter().find(|known| known.name == state).expect("a state").way;
                let mut room = way();
                if deaf {
                    room.path("boss", Path::Deaf(Deafness::NoMicrophone));
                }
                cells.push(answered(room, "boss", *command, &format!("{name} in {state}")));
            }
            let name = if deaf { format!("{name} deaf") } else { (*name).to_owned() };
            rows.push(format!("{name:25}| {}", cells.join(" ").trim_end()));
        }
    }
    let rows = rows.join("\n");
    assert_eq!(rows, LEADS.trim(), "\n{}\n{rows}", LED.join(" "));
}
