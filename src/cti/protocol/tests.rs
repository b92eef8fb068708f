//! Frames both ways, held against the published schema.

use super::*;
use crate::base::CallId;
use crate::call::agents::seam::*;
use crate::cti::media::{MediaCommand, MediaEvent, Microphone};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CALL: CallId = CallId { node: 1, boot: 2, n: 3 };
const NINE: i64 = 1_795_743_000_120;

fn writer() -> Writer {
    Writer::new(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Holds a value against a schema. Knows exactly the words our schema uses and stops at any other.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = schema.as_object().ok_or("a schema is an object")?;
    for (word, rule) in schema {
        let fine = match word.as_str() {
            "description" | "title" | "$schema" | "$id" | "$defs" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|r| r.strip_prefix("#/$defs/")).ok_or("a foreign $ref")?;
                check(root, root["$defs"].get(name).ok_or(format!("no {name}"))?, value)?;
                true
            }
            "type" => match rule.as_str().ok_or("type")? {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                other => return Err(format!("type {other}")),
            },
            "const" => rule == value,
            "enum" => rule.as_array().ok_or("enum")?.contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "maximum" => value.as_u64() <= rule.as_u64(),
            "minLength" => value.as_str().is_none_or(|t| t.chars().count() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => value.as_str().is_none_or(|t| t.chars().count() as u64 <= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|l| l.len() as u64 <= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(root, rule, item)?;
                }
                true
            }
            "properties" => {
                for (name, rule) in rule.as_object().ok_or("properties")? {
                    if let Some(value) = value.get(name) {
                        check(root, rule, value).map_err(|e| format!("{name}: {e}"))?;
                    }
                }
                true
            }
            "required" => {
                rule.as_array().ok_or("required")?.iter().all(|n| value.get(n.as_str().unwrap()).is_some())
            }
            "additionalProperties" => {
                assert_eq!(rule, &json!(false));
                let known = schema["properties"].as_object().ok_or("properties")?;
                match value.as_object().into_iter().flatten().find(|(name, _)| !known.contains_key(*name)) {
                    Some((name, _)) => return Err(format!("{name} is not in the schema")),
                    None => true,
                }
            }
            "oneOf" | "anyOf" => {
                let fits: Vec<_> =
                    rule.as_array().ok_or("list")?.iter().map(|s| check(root, s, value)).collect();
                let count = fits.iter().filter(|fit| fit.is_ok()).count();
                if count == 0 && rule.as_array().is_some_and(|l| l.len() < 4) {
                    return Err(format!("{fits:?}"));
                }
                if word == "oneOf" { count == 1 } else { count >= 1 }
            }
            other => return Err(format!("the schema's word {other} is not known to the test")),
        };
        if !fine {
            return Err(format!("{word} {rule} is not so for {value}"));
        }
    }
    Ok(())
}

/// The four patterns of the schema, by hand.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^c-[0-9]+-[0-9]+-[0-9]+$" => text.strip_prefix("c-").is_some_and(|t| {
            let parts: Vec<&str> = t.split('-').collect();
            parts.len() == 3 && parts.iter().all(|p| digits(p))
        }),
        "^\\+?[0-9*#]+$" => {
            let rest = text.strip_prefix('+').unwrap_or(text);
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#')
        }
        "^[0-9*#A-D]+$" => {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_digit() || ('A'..='D').contains(&c) || c == '*' || c == '#')
        }
        p if p.starts_with("^[0-9]{4}-") => {
            let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            shape == "0000-00-00T00:00:00.000+00:00" || shape == "0000-00-00T00:00:00.000-00:00"
        }
        other => panic!("a pattern the test does not know: {other}"),
    }
}

fn fits(definition: &str, frame: &str) {
    let (root, value): (_, Value) = (schema(), serde_json::from_str(frame).unwrap());
    let rule = root["$defs"].get(definition).unwrap_or_else(|| panic!("{definition} is not in the schema"));
    if let Err(why) = check(&root, rule, &value) {
        panic!("{frame}\nis no {definition}: {why}");
    }
    if !definition.starts_with("command:") {
        check(&root, &root["$defs"]["server"], &value).unwrap();
    }
}

pub fn card() -> Box<CallCard> {
    Box::new(CallCard {
        call: CALL,
        direction: Direction::Inbound,
        queue: Some("main".into()),
        caller: "12000000005".into(),
        called: "12341".into(),
        ticket_no: Some("202611230001".into()),
        ticket_code: None,
        state: "offered",
        arrived_ms: NINE,
        queued_ms: Some(NINE),
        answered_ms: None,
        path: vec!["welcome".into(), "people".into()],
        urgent: false,
        recording_paused: false,
        others: vec!["8004".into()],
        session: None,
        callback: None,
    })
}

fn stats() -> QueueStats {
    QueueStats {
        queue: "main".into(),
        waiting: 3,
        longest_since_ms: Some(NINE),
        stated_ms: Some(120_000),
        staffed: 4,
        free: 0,
        talking: 3,
        wrap_up: 1,
        callbacks: 2,
    }
}

fn states() -> Vec<AgentState> {
    vec![
        AgentState::Offline,
        AgentState::NotReady { reason: "lunch".into() },
        AgentState::Ready,
        AgentState::Offered,
        AgentState::OnCall,
        AgentState::WrapUp { until_ms: NINE },
        AgentState::NotResponding,
    ]
}

/// At least one of each event.
fn events() -> Vec<(&'static str, AgentEvent)> {
    let withheld = CallCard { caller: "".into(), queue: None, direction: Direction::Outbound, ..*card() };
    let of_session = |part: &'static str, recorder: Option<&str>| {
        let recorder = recorder.map(Into::into);
        let session = SessionCard { id: "ls-7".into(), unit: "rl".into(), part, listens: false, recorder };
        Box::new(CallCard { session: Some(session), ..*card() })
    };
    let mut all: Vec<_> = states()
        .into_iter()
        .map(|state| {
            (
                "agent.state",
                AgentEvent::State { agent: "8003".into(), state, since_ms: NINE, reason: Some("x".into()) },
            )
        })
        .collect();
    let call = CALL;
    all.extend([
        (
            "agent.state",
            AgentEvent::State { agent: "8003".into(), state: AgentState::Ready, since_ms: 0, reason: None },
        ),
        ("agent.break", AgentEvent::Break { granted: false, reason: "lunch".into(), ahead: 2 }),
        ("call.offered", AgentEvent::Offered { card: card(), answer_by_ms: NINE, auto_answer_at_ms: None }),
        (
            "call.offered",
            AgentEvent::Offered { card: card(), answer_by_ms: NINE, auto_answer_at_ms: Some(NINE) },
        ),
        ("call.rescinded", AgentEvent::Rescinded { call, why: "caller_left" }),
        ("call.answered", AgentEvent::Answered { card: Box::new(withheld) }),
        ("call.answered", AgentEvent::Answered { card: of_session("recorder", Some("8003")) }),
        (
            "call.offered",
            AgentEvent::Offered {
                card: of_session("leader", None),
                answer_by_ms: NINE,
                auto_answer_at_ms: None,
            },
        ),
        ("call.held", AgentEvent::Held { call }),
        ("call.retrieved", AgentEvent::Retrieved { call }),
        ("call.joined", AgentEvent::Joined { call, who: "8004".into() }),
        ("call.left", AgentEvent::Left { call, who: "8004".into() }),
        ("call.monitored", AgentEvent::Monitored { call, by: "lead".into(), how: "whisper" }),
        ("call.ended", AgentEvent::Ended { call, reason: "caller_hung_up", wrap_up_until_ms: Some(NINE) }),
        ("queue.stats", AgentEvent::QueueStats(stats())),
        (
            "ticket.linked",
            AgentEvent::TicketLinked {
                call,
                ticket_no: Some("1".into()),
                ticket_code: Some("123456".into()),
            },
        ),
        (
            "ticket.updated",
            AgentEvent::TicketUpdated { call, ticket_no: Some("1".into()), state: "accepted".into() },
        ),
        ("alarm", AgentEvent::Alarm { kind: "crisis", call: Some(call), agent: None, note: "".into() }),
        ("roster.notice", AgentEvent::RosterNotice { code: "late", note: "n".into() }),
    ]);
    all
}

fn snapshot() -> Snapshot {
    Snapshot {
        agent: "8003".into(),
        state: AgentState::WrapUp { until_ms: NINE },
        since_ms: NINE,
        device: Some(Device::Phone("8003".into())),
        break_pending: None,
        calls: vec![*card()],
        offer: Some((CALL, NINE, None)),
        queues: vec![stats()],
        colleagues: states()
            .into_iter()
            .map(|state| Colleague {
                agent: "8004".into(),
                state,
                since_ms: NINE,
                device: Some(Device::Browser),
                call: Some(CALL),
            })
            .collect(),
    }
}

#[test]
fn every_frame_we_write_is_one_of_the_schema() {
    let writer = writer();
    let mut written = BTreeSet::new();
    for (name, event) in events() {
        fits(&format!("event:{name}"), &numbered(17, &writer.event(NINE, &event)));
        written.insert(format!("event:{name}"));
    }
    let quality = MediaEvent::Quality {
        path: "proven",
        round_trip_ms: Some(2),
        jitter_ms: None,
        lost_permille: Some(0),
    };
    for (name, event) in [
        ("media.answer", MediaEvent::Answer { sdp: "v=0\r\n".into() }),
        ("media.candidate", MediaEvent::Candidate { candidate: "".into(), mid: None }),
        ("media.quality", quality),
    ] {
        fits(&format!("event:{name}"), &numbered(17, &writer.media(NINE, 1, &event)));
        written.insert(format!("event:{name}"));
    }
    fits("event:session.taken_over", &numbered(17, &writer.taken_over(NINE, 2)));
    written.insert("event:session.taken_over".into());
    let hello = Hello {
        protocol: Hello::PROTOCOL,
        heartbeat_ms: 5000,
        agent: "8003",
        display: "王",
        lead: false,
        session: 1,
        acting: true,
        resume: (1 << 53) - 1,
        resumed: false,
    };
    fits("frame:hello", &writer.hello(NINE, &hello));
    fits("frame:heartbeat", &writer.heartbeat(NINE));
    fits("frame:snapshot", &writer.snapshot(16, NINE, &snapshot()));
    fits("frame:done", &done("a", None));
    fits("frame:done", &done("a", Some(CALL)));
    fits("frame:refusal", &refusal(None, "x", "y"));
    fits("frame:refusal", &refusal(Some("a"), "x", "y"));
    let root = schema();
    let named: BTreeSet<String> =
        root["$defs"].as_object().unwrap().keys().filter(|k| k.starts_with("event:")).cloned().collect();
    assert_eq!(written, named, "an event nobody writes, or without an example here");
}

#[test]
fn frames_look_as_the_contract_shows_them() {
    let event = AgentEvent::Offered { card: card(), answer_by_ms: NINE + 8000, auto_answer_at_ms: None };
    let frame = numbered(17, &writer().event(NINE, &event));
    assert!(
        frame.starts_with(
            "{\"seq\":17,\"event\":\"call.offered\",\"at\":\"2026-11-27T09:30:00.120+08:00\",\"data\":{\"call\":\"c-01-00002-0000000003\""
        ),
        "{frame}"
    );
    let value: Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(value["data"]["answer_by"], "2026-11-27T09:30:08.120+08:00");
    assert_eq!(value["data"]["ticket"], value["data"]["call"]);
    assert_eq!(
        &*refusal(Some("a1"), "not_offered", "…"),
        "{\"re\":\"a1\",\"ok\":false,\"error\":{\"code\":\"not_offered\",\"message\":\"…\"}}"
    );
    assert_eq!(&*done("a1", None), "{\"re\":\"a1\",\"ok\":true}");
}

/// Every command with all its fields, and what it reads as.
fn commands() -> Vec<(Value, Command)> {
    use AgentCommand as A;
    let call = Some(CALL);
    let c = "c-01-00002-0000000003";
    let a = Command::Agent;
    let m = Command::Media;
    vec![
        (json!({"cmd": "agent.login"}), Command::Login { device: Device::Browser, take_over: false }),
        (
            json!({"cmd": "agent.login", "device": "8003", "take_over": true}),
            Command::Login { device: Device::Phone("8003".into()), take_over: true },
        ),
        (json!({"cmd": "agent.logout"}), a(A::Logout)),
        (json!({"cmd": "agent.ready"}), a(A::Ready)),
        (json!({"cmd": "agent.not_ready", "reason": "会议"}), a(A::NotReady { reason: "会议".into() })),
        (
            json!({"cmd": "agent.break_request", "reason": "lunch"}),
            a(A::BreakRequest { reason: "lunch".into() }),
        ),
        (json!({"cmd": "agent.break_withdraw"}), a(A::BreakWithdraw)),
        (json!({"cmd": "call.answer", "call": c}), a(A::Answer { call })),
        (json!({"cmd": "call.answer"}), a(A::Answer { call: None })),
        (json!({"cmd": "call.reject", "call": c}), a(A::Reject { call })),
        (json!({"cmd": "call.hangup", "call": c}), a(A::HangUp { call })),
        (json!({"cmd": "call.hold", "call": c}), a(A::Hold { call })),
        (json!({"cmd": "call.retrieve", "call": c}), a(A::Retrieve { call })),
        (
            json!({"cmd": "call.dtmf", "call": c, "digits": "1*#D"}),
            a(A::Dtmf { call, digits: "1*#D".into() }),
        ),
        (
            json!({"cmd": "call.mark", "call": c, "special": "silent"}),
            a(A::Mark { call, special: Special::Silent }),
        ),
        (
            json!({"cmd": "call.dial", "number": "01012341", "ticket": "202611230001"}),
            a(A::Dial { number: "01012341".into(), ticket: Some("202611230001".into()) }),
        ),
        (
            json!({"cmd": "call.consult", "call": c, "to": {"agent": "8004"}}),
            a(A::Consult { call, to: Target::Agent("8004".into()) }),
        ),
        (
            json!({"cmd": "call.transfer", "call": c, "to": {"queue": "main"}}),
            a(A::Transfer { call, to: Some(Target::Queue("main".into())) }),
        ),
        (json!({"cmd": "call.transfer"}), a(A::Transfer { call: None, to: None })),
        (
            json!({"cmd": "call.conference", "call": c, "to": {"number": "+86119"}}),
            a(A::Conference { call, to: Some(Target::Number("+86119".into())) }),
        ),
        (json!({"cmd": "call.complete", "call": c}), a(A::Complete { call })),
        (json!({"cmd": "wrapup.finish"}), a(A::WrapUpFinish)),
        (json!({"cmd": "wrapup.extend"}), a(A::WrapUpExtend)),
        (json!({"cmd": "recording.pause", "call": c}), a(A::RecordingPause { call })),
        (json!({"cmd": "recording.resume", "call": c}), a(A::RecordingResume { call })),
        (json!({"cmd": "media.offer", "sdp": "v=0\r\n"}), m(MediaCommand::Offer { sdp: "v=0\r\n".into() })),
        (
            json!({"cmd": "media.candidate", "candidate": "", "mid": "0", "line": 0}),
            m(MediaCommand::Candidate { candidate: "".into(), mid: Some("0".into()), line: Some(0) }),
        ),
        (json!({"cmd": "media.restart"}), m(MediaCommand::Restart)),
        (
            json!({"cmd": "media.microphone", "state": "denied"}),
            m(MediaCommand::Microphone { state: Microphone::Denied }),
        ),
        (json!({"cmd": "media.probe", "received": 50}), m(MediaCommand::Probe { received: 50 })),
        (json!({"cmd": "supervisor.listen", "agent": "8003"}), a(A::Listen { agent: "8003".into() })),
        (json!({"cmd": "supervisor.whisper", "agent": "8003"}), a(A::Whisper { agent: "8003".into() })),
        (json!({"cmd": "supervisor.barge", "agent": "8003"}), a(A::Barge { agent: "8003".into() })),
        (json!({"cmd": "supervisor.takeover", "agent": "8003"}), a(A::TakeOver { agent: "8003".into() })),
        (
            json!({"cmd": "supervisor.force_state", "agent": "8003", "state": "not_ready", "reason": "r"}),
            a(A::ForceState { agent: "8003".into(), state: Forced::NotReady { reason: "r".into() } }),
        ),
        (
            json!({"cmd": "assist.request", "call": c, "note": "two\nlines"}),
            a(A::AssistRequest { call, note: "two\nlines".into() }),
        ),
        (json!({"cmd": "assist.cancel"}), a(A::AssistCancel)),
        (json!({"cmd": "crisis.raise", "call": c}), a(A::CrisisRaise { call })),
        (json!({"cmd": "queue.watch", "queues": ["main"]}), a(A::QueueWatch { queues: vec!["main".into()] })),
    ]
}

#[test]
fn every_command_is_read_and_is_in_the_schema() {
    let mut seen = BTreeSet::new();
    for (mut frame, command) in commands() {
        frame["id"] = json!("a1");
        let name = frame["cmd"].as_str().unwrap().to_owned();
        let read = read(&frame.to_string()).unwrap_or_else(|e| panic!("{frame}: {e}"));
        assert_eq!((&*read.id, read.command), ("a1", command));
        fits(&format!("command:{name}"), &frame.to_string());
        seen.insert(name);
    }
    let known: BTreeSet<String> = names().map(str::to_owned).collect();
    assert_eq!(seen, known, "a command without an example");
    let root = schema();
    let published: BTreeSet<String> = root["$defs"]
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|k| Some(k.strip_prefix("command:")?.to_owned()))
        .collect();
    assert_eq!(published, known);
}

#[test]
fn a_field_too_much_missing_or_of_another_kind_is_named() {
    for (mut frame, _) in commands() {
        frame["id"] = json!("a1");
        let object = frame.as_object().unwrap().clone();
        let mut more = frame.clone();
        more["surplus"] = json!(1);
        let error = read(&more.to_string()).unwrap_err();
        assert_eq!((error.code, error.re.as_deref()), ("bad_field", Some("a1")), "{more}");
        assert!(error.message.contains("surplus"), "{error}");
        for field in object.keys().filter(|field| !["id", "cmd"].contains(&field.as_str())) {
            for value in
                [json!(1.5), json!([[]]), json!({"a": {}}), json!("\u{7}"), json!("x".repeat(50_000))]
            {
                let mut other = frame.clone();
                other[field] = value;
                let error = read(&other.to_string()).unwrap_err();
                assert_eq!(error.code, "bad_field", "{field} of {frame}");
                assert!(error.message.starts_with(&format!("\"{field}\"")), "{error}");
            }
            // Left out, it is either not needed or missed by name.
            let mut fewer = frame.clone();
            fewer.as_object_mut().unwrap().remove(field);
            if let Err(error) = read(&fewer.to_string()) {
                assert!(
                    error.message.contains(field.as_str()) && error.message.contains("missing")
                        || error.message.contains("list"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_command_is_refused_with_a_code() {
    let code = |text: &str| read(text).map(|_| ()).map_err(|e| (e.code, e.re.as_deref().map(str::to_owned)));
    let told = |code, re: Option<&str>| Err((code, re.map(str::to_owned)));
    for text in [
        "",
        "{",
        "nul",
        "[]",
        "7",
        "\"x\"",
        "null",
        "{}",
        "{\"id\":7,\"cmd\":\"agent.ready\"}",
        "{\"id\":\"\"}",
    ] {
        assert_eq!(code(text), told("bad_frame", None), "{text}");
    }
    assert_eq!(code(&format!("{{\"id\":\"{}\"}}", "x".repeat(65))), told("bad_frame", None));
    assert_eq!(code(&"[".repeat(60_000)), told("bad_frame", None), "deep nesting");
    assert_eq!(code("{\"id\":\"a\"}"), told("bad_frame", Some("a")));
    assert_eq!(code("{\"id\":\"a\",\"cmd\":7}"), told("bad_frame", Some("a")));
    assert_eq!(code("{\"id\":\"a\",\"cmd\":\"agent.fly\"}"), told("unknown_command", Some("a")));
    assert_eq!(code("{\"id\":\"a\",\"cmd\":\"call.answer\",\"call\":\"7\"}"), told("bad_field", Some("a")));
    assert_eq!(
        code("{\"id\":\"a\",\"cmd\":\"call.dial\",\"number\":\"sip:x@y\"}"),
        told("bad_field", Some("a"))
    );
    let two = "{\"id\":\"a\",\"cmd\":\"call.consult\",\"to\":{\"agent\":\"1\",\"queue\":\"2\"}}";
    assert_eq!(code(two), told("bad_field", Some("a")));
    let null = "{\"id\":\"a\",\"cmd\":\"call.answer\",\"call\":null}";
    assert_eq!(code(null), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused_in_a_frame_of_the_schema(text in "\\PC{0,200}") {
        if let Err(unread) = read(&text) {
            fits("frame:refusal", &unread.frame());
        }
    }

    /// What is read back agrees with the schema on which frames are commands.
    #[test]
    fn what_we_take_the_schema_takes(at in 0..36_usize, field in "[a-z]{1,8}", value in prop_oneof![
        Just(json!(true)), Just(json!(0)), Just(json!("")), Just(json!("main")), Just(json!(["a"])), Just(json!({"agent": "8001"})),
    ], known in any::<bool>()) {
        let all = commands();
        let (mut frame, _) = all[at % all.len()].clone();
        frame["id"] = json!("a");
        let name = match frame.as_object().unwrap().keys().find(|k| !["id", "cmd"].contains(&k.as_str())) {
            Some(own) if known => own.clone(),
            _ => field,
        };
        frame[&name] = value;
        if read(&frame.to_string()).is_ok() {
            let root = schema();
            let told = check(&root, &root["$defs"]["client"], &frame);
            prop_assert!(told.is_ok(), "{frame}: {told:?}");
        }
    }
}

#[test]
fn times_out_of_all_bounds_are_written_too() {
    let event =
        AgentEvent::State { agent: "a".into(), state: AgentState::Ready, since_ms: i64::MAX, reason: None };
    fits("event:agent.state", &numbered(1, &writer().event(i64::MIN, &event)));
}
