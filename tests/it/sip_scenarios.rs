//! Every scenario of `sipp-scenarios/`, played against the program; after each, what the desk's side knows of it and that nothing is left.
//!
//! SIPp can pass while the server leaks: so each row says how the call ended, how many drafts there are, what was counted, and
//! [`Server::assert_clean`] waits for zero of everything.

use crate::support::api::{Api, Metrics};
use crate::support::audio;
use crate::support::level;
use crate::support::server::{Server, Setup, TOP};
use crate::support::sipp::{self, Run, Sipp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// Which configuration a scenario is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// `sipp-scenarios/hotline.toml` as it is, with a flow that knows keys.
    Common,
    /// The same, ringing for a second before the answer.
    Ringing,
    /// The same, with a flow that ends by itself.
    Ending,
    /// The same, with a second of silence as the end of a call.
    Silence,
    /// `sipp-scenarios/hotline-digest.toml`.
    Digest,
}

struct Case {
    name: &'static str,
    on: On,
    service: &'static str,
    source: &'static str,
    tcp: bool,
    /// How each call ended, oldest first; a refusal makes no call and no draft.
    ends: &'static [&'static str],
    /// What must have been counted, at least once.
    counted: &'static [&'static str],
    /// Needs SIPp's replay of packets.
    replays: bool,
    check: fn(&Seen<'_>),
}

/// What a check may look at.
struct Seen<'a> {
    run: &'a Run,
    api: &'a Api,
    calls: &'a [Value],
}

impl Seen<'_> {
    fn call(&self) -> &Value {
        &self.calls[0]
    }
}

const fn case(name: &'static str, ends: &'static [&'static str]) -> Case {
    Case {
        name,
        on: On::Common,
        service: "12341",
        source: "127.0.0.1",
        tcp: false,
        ends,
        counted: &[],
        replays: false,
        check: |_| {},
    }
}

impl Case {
    const fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }
    const fn to(mut self, service: &'static str) -> Self {
        self.service = service;
        self
    }
    const fn from(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }
    const fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }
    const fn counted(mut self, counted: &'static [&'static str]) -> Self {
        self.counted = counted;
        self
    }
    const fn replays(mut self) -> Self {
        self.replays = true;
        self
    }
    const fn check(mut self, check: fn(&Seen<'_>)) -> Self {
        self.check = check;
        self
    }
}

const HUNG_UP: &[&str] = &["caller_hung_up"];
const NO_CALL: &[&str] = &[];

const RTP_DIGIT: &[&str] = &["hotline_engine_total{what=\"digits_rtp\"}"];
const INFO_DIGIT: &[&str] = &["hotline_engine_total{what=\"digits_info\"}"];

const CASES: &[Case] = &[
    case("basic-call", HUNG_UP).check(was_played_to),
    case("basic-call", HUNG_UP).tcp().check(was_played_to),
    case("pcmu-only", HUNG_UP).check(|s| assert_eq!(s.call()["codec"], "PCMU")),
    case("static-types-without-rtpmap", HUNG_UP),
    case("server-hangs-up", &["flow_ended"]).on(On::Ending),
    case("bye-before-ack", HUNG_UP),
    case("legacy-number", HUNG_UP).to("96011").check(|s| assert_eq!(s.call()["called"], "96011")),
    case("tel-uri", HUNG_UP),
    case("compact-headers", HUNG_UP),
    case("utf8-display-name", HUNG_UP).check(|s| assert_eq!(s.call()["display"], "王\"小\\明")),
    case("sendonly-offer", HUNG_UP),
    case("two-audio-lines", HUNG_UP),
    case("audio-beside-video", HUNG_UP),
    case("multipart-body", HUNG_UP),
    case("route-set", HUNG_UP),
    case("cancel-before-180", &["caller_cancelled"]).on(On::Ringing),
    case("cancel-after-180", &["caller_cancelled"]).on(On::Ringing),
    case("cancel-crosses-200", HUNG_UP),
    case("cancel-of-nothing", NO_CALL),
    // T1 of 50 ms doubles to T2: the 200 goes out at 0, 50, 150, 350, 750, 1150 … 3150 ms.
    case("lost-ack", &["ack_missing"])
        .check(|s| assert!(s.run.received("SIP/2.0 200") >= 6, "200 was not repeated")),
    case("duplicate-invite", HUNG_UP),
    case("duplicate-ack", HUNG_UP),
    case("cseq-out-of-order", HUNG_UP),
    case("hold-inactive", HUNG_UP).check(|s| assert_eq!(media_changes(s), [true, false])),
    case("digits-4733", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "1")),
    case("digits-4733-two-of-three-ends-lost", HUNG_UP)
        .replays()
        .counted(RTP_DIGIT)
        .check(|s| pressed(s, "1")),
    case("digits-4733-all-ends-lost", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "1")),
    case("digits-4733-same-key-twice", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "11")),
    case("digits-info-relay", HUNG_UP).counted(INFO_DIGIT).check(|s| pressed(s, "1")),
    case("digits-info-plain", HUNG_UP).counted(INFO_DIGIT).check(|s| pressed(s, "1")),
    case("digits-inband", HUNG_UP)
        .replays()
        .counted(&["hotline_engine_total{what=\"digits_inband\"}"])
        .check(|s| pressed(s, "1")),
    case("unknown-method", NO_CALL),
    case("method-not-allowed-subscribe", NO_CALL),
    case("method-not-allowed-publish", NO_CALL),
    case("method-not-allowed-message", NO_CALL),
    case("unsupported-require", NO_CALL),
    case("sdp-unreadable", NO_CALL),
    case("no-common-codec", NO_CALL),
    case("video-only", NO_CALL),
    case("audio-port-zero", NO_CALL),
    case("unknown-body-type", NO_CALL),
    case("max-forwards-0", NO_CALL),
    case("max-forwards-missing", HUNG_UP),
    case("merged-request", HUNG_UP),
    case("looped-request", HUNG_UP),
    case("wrong-number", NO_CALL).to("99999"),
    case("unknown-dialog-bye", NO_CALL),
    case("unknown-dialog-reinvite", NO_CALL),
    case("unknown-dialog-update", NO_CALL),
    case("bye-after-end", HUNG_UP),
    case("missing-contact", NO_CALL),
    case("malformed-from", NO_CALL),
    case("cseq-too-large", NO_CALL),
    case("content-length-too-large", NO_CALL),
    case("header-bomb", NO_CALL),
    case("body-too-large", NO_CALL).tcp(),
    case("unknown-uri-scheme", NO_CALL),
    case("refer-refused", HUNG_UP).counted(&["hotline_sip_dropped_total{what=\"referral\"}"]),
    case("replaces-of-nothing", NO_CALL),
    case("unknown-source", NO_CALL)
        .from("127.0.0.66")
        .counted(STRANGER)
        .check(|s| assert_eq!(s.run.received("SIP/2.0"), 0, "a stranger got an answer")),
    case("options", NO_CALL),
    case("options", NO_CALL).tcp(),
    case("options-inside-call", HUNG_UP),
    case("digest-challenge", HUNG_UP).on(On::Digest).from("127.0.0.3"),
    case("digest-wrong-password", NO_CALL).on(On::Digest).from("127.0.0.3"),
    case("register-by-phone", NO_CALL).on(On::Digest),
    case("rport", NO_CALL),
    case("carrier-01-reliable-180", HUNG_UP).on(On::Ringing),
    case("carrier-02-prack-late", HUNG_UP).on(On::Ringing),
    case("carrier-03-require-precondition", NO_CALL),
    case("carrier-04-refresh-by-reinvite", HUNG_UP),
    case("carrier-04-refresh-by-update", HUNG_UP),
    case("carrier-05-session-interval-too-small", HUNG_UP),
    case("carrier-06-offerless-invite", HUNG_UP).check(was_played_to),
    case("carrier-06-offerless-invite-never-answered", &["no_answer_sdp"]),
    case("carrier-07-offerless-reinvite", HUNG_UP),
    case("carrier-08-hold-sendonly", HUNG_UP)
        .check(|s| assert_eq!(media_changes(s), [true, true, false, false])),
    case("carrier-09-hold-zero-address", HUNG_UP).check(|s| assert_eq!(media_changes(s), [true, false])),
    case("carrier-12-refresh-while-waiting", HUNG_UP),
    case("carrier-13-update-in-early-dialog", HUNG_UP).on(On::Ringing),
    case("carrier-16-second-path", &["caller_hung_up", "caller_hung_up"]),
    case("carrier-17-late-ack", HUNG_UP)
        .check(|s| assert!(s.run.received("SIP/2.0 200") >= 4, "200 was not repeated")),
    case("carrier-18-large-invite", HUNG_UP),
    case("carrier-19-private-headers", HUNG_UP),
    case("carrier-20-asserted-identity", HUNG_UP).check(|s| {
        assert_eq!(
            (&s.call()["caller_source"], &s.call()["private"]),
            (&"pai".into(), &true.into()),
            "{}",
            s.call()
        );
        assert!(s.call()["caller"].as_str().is_some_and(|n| n.ends_with("12000000077")), "{}", s.call());
    }),
    case("carrier-20-asserted-by-untrusted", HUNG_UP).from("127.0.0.2").check(|s| {
        assert_eq!(
            (&s.call()["caller_source"], &s.call()["caller"]),
            (&"from".into(), &"12000000001".into()),
            "{}",
            s.call()
        );
    }),
    case("carrier-21-diversion", HUNG_UP).check(|s| {
        assert_eq!(s.call()["redirected_from"], "96011", "{}", s.call());
        assert_eq!(s.call()["redirect_reason"], "unconditional", "{}", s.call());
    }),
    case("carrier-22-digit-without-marker", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "1")),
    case("carrier-22-payload-type-96", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "1")),
    case("carrier-22-several-event-rates", HUNG_UP).replays().counted(RTP_DIGIT).check(|s| pressed(s, "1")),
    case("carrier-22-info-echo", HUNG_UP)
        .replays()
        .counted(&["hotline_engine_total{what=\"digits_doubled\"}"])
        .check(|s| pressed(s, "1")),
    case("carrier-23-packet-length-changes", HUNG_UP).replays().check(whole_sound_recorded),
    case("carrier-24-sound-from-another-port", HUNG_UP).replays().check(|s| {
        let received = s.call()["media"]["received"].as_u64().unwrap_or(0);
        assert!(received >= 95, "{received} of 100 packets were taken: {}", s.call());
    }),
    case("carrier-25-comfort-noise", HUNG_UP).on(On::Silence).replays(),
    case("carrier-25-no-sound-at-all", &["media_lost"]).on(On::Silence),
];

const STRANGER: &[&str] = &["hotline_sip_dropped_total{what=\"stranger\"}"];

/// The recording holds the prompt's beginning: the caller was not answered with silence.
fn was_played_to(s: &Seen<'_>) {
    let sent = s.call()["media"]["sent"].as_u64().unwrap_or(0);
    assert!(sent >= 10, "{sent} packets were sent in a call of half a second: {}", s.call());
    assert!(s.call()["prompts"].as_array().is_some_and(|p| !p.is_empty()), "{}", s.call());
}

/// The keys as the call's record has them, and that the walk went by them.
fn pressed(s: &Seen<'_>, keys: &str) {
    assert_eq!(s.call()["keys"], keys, "{}", s.call());
    let path: Vec<&str> =
        s.call()["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let want = ["listen", "one", "two"].into_iter().take(keys.len() + 1).collect::<Vec<_>>();
    assert_eq!(path, want, "{}", s.call());
}

/// Held or not, after each new offer/answer.
fn media_changes(s: &Seen<'_>) -> Vec<bool> {
    let events = s.api.events(s.call());
    events
        .iter()
        .filter(|e| e["kind"] == "media_changed")
        .filter_map(|e| e["data"]["held"].as_bool())
        .collect()
}

/// What was sent in packets of changing length stands in the recording as one unbroken sound.
fn whole_sound_recorded(s: &Seen<'_>) {
    let id = s.call()["recording"]["id"].as_str().unwrap_or_else(|| panic!("no recording: {}", s.call()));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), s.api.bytes(&format!("recordings/{id}"))).expect("write");
    let (channels, rate) = audio::read_wav(file.path());
    assert_eq!((channels.len(), rate), (2, 8_000));
    let sent: Vec<f32> = crate::support::pcap::sweep(1_960).map(f32::from).collect();
    let (like, _) = audio::find(&sent, &channels[0]);
    assert!(like > 0.9, "the recording's caller channel is {like:.2} like what was sent");
}

const KEYS_FLOW: &str = include_str!("flows/keys.toml");
const ENDING_FLOW: &str = include_str!("flows/ending.toml");

fn server(on: On) -> Server {
    let digest = include_str!("../../sipp-scenarios/hotline-digest.toml");
    let setup = match on {
        On::Common => Setup::scenarios().flow("keys", KEYS_FLOW),
        On::Ringing => Setup::scenarios().flow("keys", KEYS_FLOW).key("limits.answer_after_ms", 1_000),
        On::Ending => Setup::scenarios().flow("ending", ENDING_FLOW),
        On::Silence => Setup::scenarios().flow("keys", KEYS_FLOW).key("media.silence_ms", 1_000),
        On::Digest => Setup::of(digest).flow("keys", KEYS_FLOW),
    };
    setup.start()
}

/// Plays one scenario and looks at everything it left.
fn play(server: &Server, api: &Api, case: &Case) {
    let before = server.metrics();
    let sipp = Sipp { service: case.service, source: case.source, tcp: case.tcp, ..Sipp::new(case.name) };
    let run = sipp.call(server);
    assert_eq!(run.code, Some(0), "{}", run.explain());
    let calls = level::until("the calls' records are complete", Duration::from_secs(15), || {
        let mut calls: Vec<Value> =
            api.list("calls").into_iter().filter(|c| c["sip_call_id"] == *run.call_id).collect();
        calls.reverse();
        // The media report comes after the end; a call whose sound was never agreed has none.
        let silent = |c: &Value| c["answered_at"].is_null() || c["end_reason"] == "no_answer_sdp";
        let complete = |c: &Value| !c["ended_at"].is_null() && (silent(c) || !c["media"].is_null());
        (calls.len() >= case.ends.len() && calls.iter().all(complete)).then_some(calls)
    });
    // A list hides what only the call's own page shows to who may see it.
    let calls: Vec<Value> =
        calls.iter().map(|c| api.get(&format!("calls/{}", c["id"].as_str().unwrap_or_default()))).collect();
    let ends: Vec<&str> = calls.iter().map(|c| c["end_reason"].as_str().unwrap_or("?")).collect();
    assert_eq!(ends, case.ends, "{}", run.explain());
    let ids: BTreeSet<&str> = calls.iter().filter_map(|c| c["id"].as_str()).collect();
    let tickets = api.tickets();
    let drafts = tickets.iter().filter(|t| {
        t["calls"].as_array().into_iter().flatten().any(|c| c.as_str().is_some_and(|c| ids.contains(c)))
    });
    assert_eq!(drafts.count(), case.ends.len(), "one draft a call");
    server.assert_clean();
    counted(&before, server, case.counted);
    (case.check)(&Seen { run: &run, api, calls: &calls });
}

/// The engine shows its figures a few times a second: a scrape right after a call may still be of before it.
fn counted(before: &Metrics, server: &Server, counters: &[&str]) {
    for counter in counters {
        level::until(&format!("{counter} moves"), Duration::from_secs(5), || {
            (server.metrics().count(counter) > before.count(counter)).then_some(())
        });
    }
}

/// Plays the cases on as many servers as `workers`, each server one case at a time. All failures are told at the end.
fn play_all(on: On, workers: usize) {
    let cases: Vec<&Case> = CASES.iter().filter(|c| c.on == on).collect();
    let only = std::env::var("HOTLINE_SCENARIO").ok();
    let replay = sipp::may_replay();
    let todo = Mutex::new(
        cases.into_iter().filter(|c| only.as_deref().is_none_or(|name| c.name == name)).collect::<Vec<_>>(),
    );
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let next = || todo.lock().expect("the list").pop();
                let Some(mut case) = next() else { return };
                let mut server = server(on);
                let mut api = server.api();
                loop {
                    let name = format!("{}{}", case.name, if case.tcp { " over TCP" } else { "" });
                    if case.replays && !replay {
                        eprintln!("SKIPPED: {name}: SIPp's replay of packets needs root or CAP_NET_RAW");
                    } else if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(&server, &api, case))) {
                        let why = panic
                            .downcast_ref::<String>()
                            .cloned()
                            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                        failed
                            .lock()
                            .expect("the list")
                            .push(format!("== {name}\n{}", why.unwrap_or_default()));
                        // What one scenario left must not fail the next.
                        server = self::server(on);
                        api = server.api();
                    }
                    match next() {
                        Some(following) => case = following,
                        None => break,
                    }
                }
                server.assert_replays(usize::from(only.is_none()));
            });
        }
    });
    let failed = failed.into_inner().expect("the list");
    assert!(failed.is_empty(), "{} scenarios failed\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn scenarios_of_the_common_server() {
    play_all(On::Common, 6);
}

#[test]
fn scenarios_of_a_server_that_rings_first() {
    play_all(On::Ringing, 2);
}

#[test]
fn scenarios_of_a_flow_that_ends() {
    play_all(On::Ending, 1);
}

#[test]
fn scenarios_of_a_server_that_hangs_up_on_silence() {
    play_all(On::Silence, 1);
}

#[test]
fn scenarios_of_peers_with_passwords() {
    play_all(On::Digest, 1);
}

fn files() -> BTreeSet<String> {
    let folder = std::fs::read_dir(Path::new(TOP).join("sipp-scenarios")).expect("sipp-scenarios is there");
    let names = folder.filter_map(|e| e.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".xml").map(str::to_owned)).collect()
}

#[test]
fn every_scenario_is_played_and_stands_in_the_table_of_contents() {
    let files = files();
    assert!(files.len() >= 40, "{} scenarios", files.len());
    let played: BTreeSet<String> = CASES.iter().map(|c| c.name.to_owned()).collect();
    assert_eq!(played.symmetric_difference(&files).collect::<Vec<_>>(), Vec::<&String>::new());
    let readme = std::fs::read_to_string(Path::new(TOP).join("sipp-scenarios/README.md")).expect("README.md");
    let missing: Vec<_> = files.iter().filter(|name| !readme.contains(&format!("`{name}.xml`"))).collect();
    assert!(missing.is_empty(), "not in sipp-scenarios/README.md: {missing:?}");
}

/// Each of the carriers' 25 faults has a scenario or a test, by its number.
#[test]
fn every_carrier_fault_is_shown_somewhere() {
    let files = files();
    let mut sources = String::new();
    read_sources(&Path::new(TOP).join("src"), &mut sources);
    read_sources(&Path::new(TOP).join("tests"), &mut sources);
    let mut missing = String::new();
    for n in 1..=25 {
        let scenario = files.iter().any(|name| name.starts_with(&format!("carrier-{n:02}-")));
        let test = sources.contains(&format!("fn carrier_fault_{n:02}"));
        if !scenario && !test {
            let _ = write!(missing, "{n} ");
        }
    }
    assert!(missing.is_empty(), "no scenario and no test for carrier faults {missing}");
}

fn read_sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
