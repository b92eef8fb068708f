//! The panel in the system's browser, against the demonstration: what is live is seen, what was recorded is heard.

use crate::agents::{one_at_a_time, voice};
use crate::support::baresip::Baresip;
use crate::support::caller::Phone;
use crate::support::cti::Agent;
use crate::support::level;
use crate::support::server::{Server, Setup, TOP};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

#[test]
fn a_lead_sees_the_live_call_and_hears_a_recording() {
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("") }.start();
    let mut past = Phone::udp("past", server.at.udp);
    past.dial();
    let api = server.api();
    // Long enough that the notice can be heard in it.
    let answered = Instant::now();
    level::until("four seconds of the call", Duration::from_secs(10), || {
        (answered.elapsed() > Duration::from_secs(4)).then_some(())
    });
    past.hang_up();
    let mut live = Phone::udp("live", server.at.udp);
    live.dial();
    level::until("the recording is in the tables", Duration::from_secs(10), || {
        api.list("calls")
            .iter()
            .any(|c| c["end_reason"] == "caller_hung_up" && !c["recording"].is_null())
            .then_some(())
    });
    let picture = std::env::var("HOTLINE_PICTURE").unwrap_or_default();
    let mut script = Command::new("node");
    script
        .current_dir(format!("{TOP}/panel"))
        .arg("e2e/calls.mjs")
        .arg(format!("http://{}/", server.at.http));
    if !picture.is_empty() {
        script.arg(picture);
    }
    let output = script.output().expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(&told).expect("JSON");
    println!("{seen}");
    assert!(seen["most"].as_f64().is_some_and(|most| most > 0.01), "sound was played: {seen}");
    live.hang_up();
}

#[test]
fn an_administrator_adds_a_user_who_signs_in() {
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("") }.start();
    let mut script = Command::new("node");
    script
        .current_dir(format!("{TOP}/panel"))
        .arg("e2e/admin.mjs")
        .arg(format!("http://{}/", server.at.http));
    if let Ok(pictures) = std::env::var("HOTLINE_PICTURES") {
        script.arg(pictures);
    }
    let output = script.output().expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(&told).expect("JSON");
    println!("{seen}");
    assert!(seen["user"].as_str().is_some_and(|row| row.contains("english 2")), "{seen}");
    assert!(seen["numbers"].as_u64().is_some_and(|rows| rows >= 7), "{seen}");
}

/// The password of everybody in the demonstration.
const DEMO: &str = "demo-12341";

/// Citizens and colleagues, as `panel/e2e/pages.mjs` asks for them.
struct Others {
    server: Server,
    microphone: PathBuf,
    citizens: BTreeMap<String, Phone>,
    colleagues: BTreeMap<String, (Agent, Baresip)>,
}

impl Others {
    fn play(&mut self, asked: &Value) {
        let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
        match asked["do"].as_str() {
            Some("dial") => {
                let mut phone = Phone::udp(&text("name"), self.server.at.udp);
                phone.script.caller = text("as");
                phone.dial();
                if let Some(key) = text("key").chars().next() {
                    phone.press(key);
                }
                self.citizens.insert(text("name"), phone);
            }
            Some("hang") => {
                if let Some(mut phone) = self.citizens.remove(&text("name")) {
                    phone.hang_up();
                }
            }
            Some("agent") => {
                let user = text("user");
                let phone = Baresip::phone(&self.microphone, self.server.at.udp, &user, DEMO);
                phone.logged("200 OK");
                let mut agent = Agent::open(self.server.at.http, &user, DEMO);
                level::until("the log-in", Duration::from_secs(20), || {
                    (agent.command("agent.login", json!({"device": user}))["ok"] == true).then_some(())
                });
                agent.done("agent.ready", json!({}));
                self.colleagues.insert(user, (agent, phone));
            }
            Some("agent-is") => {
                let (agent, _) = self.colleagues.get_mut(&text("user")).expect("a colleague");
                let answer = agent.command(&text("cmd"), asked["fields"].clone());
                assert!(answer["ok"] == true || asked["may"] == true, "{asked}: {answer}");
            }
            Some("away") => drop(self.colleagues.remove(&text("user"))),
            Some("kill") => self.server.kill(),
            _ => panic!("asked for {asked}"),
        }
    }

    /// Whatever the server asks of the citizens' telephones is right.
    fn answer(&mut self) {
        for phone in self.citizens.values_mut() {
            if let Some(request) = phone.poll().filter(|m| m.status().is_none() && m.method() != "ACK") {
                phone.send(&request.ok());
            }
        }
    }
}

/// Every page in each state that a call can bring it into: nothing is missing, axe-core finds nothing (WCAG 2.2 AA). With
/// `HOTLINE_PICTURES=docs/img/panel` the pictures of `docs/panel-pictures.md` are drawn as well.
#[test]
fn every_page_and_state_is_there_and_accessible() {
    let _ears = one_at_a_time();
    let config = "[queue.main]\nanswer = \"ring\"\n[queue.business]\nanswer = \"auto\"\n";
    let server = Setup { args: vec!["--demo".into()], ..Setup::of(config) }
        .key("sip.digest", "MD5")
        .key("acd.beep_ms", 3_000)
        .key("media.silence_ms", 300_000)
        .start();
    let seen = walk("pages.mjs", server);
    let judged = seen["judged"].as_array().map_or(0, Vec::len);
    assert!(judged >= 73, "only {judged} pages and states were judged");
}

/// Knowledge is found while somebody talks and quoted with one key; a new entry goes from its unit by the office to the agents; each
/// of the pages on the way is accessible.
#[test]
fn an_agent_quotes_what_a_unit_wrote_and_the_office_published() {
    let _ears = one_at_a_time();
    // Before the district's entries are to be looked at again.
    let args = ["--demo", "--now", "2026-11-23T10:00:00+08:00"].map(str::to_owned).to_vec();
    let server = Setup { args, ..Setup::of("[queue.main]\nanswer = \"ring\"\n") }
        .key("sip.digest", "MD5")
        .key("media.silence_ms", 300_000)
        .start();
    let seen = walk("kb.mjs", server);
    assert_eq!(seen["quoted"], json!([["KB-0002", 1]]), "{seen}");
    assert_eq!(seen["stale"], true, "what is to be verified has no key");
    assert_eq!(seen["id"], "KB-0021");
    assert_eq!(seen["obstacles"], 3);
    assert_eq!((&seen["gap"], &seen["drafts"]), (&json!(1), &json!(0)));
    assert!(seen["judged"].as_array().map_or(0, Vec::len) >= 13, "{seen}");
}

/// Runs a walk through the panel and plays what it asks for; what it told at its end.
fn walk(name: &str, server: Server) -> Value {
    let dir = tempfile::tempdir().expect("a folder");
    let (microphone, _) = voice(dir.path(), "phone.wav", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let mut node = Command::new("node");
    node.current_dir(format!("{TOP}/panel")).arg(format!("e2e/{name}"));
    node.arg(format!("http://{}/", server.at.http));
    if let Some(folder) = std::env::var_os("HOTLINE_PICTURES") {
        node.arg(PathBuf::from(TOP).join(folder));
    }
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node runs");
    let mut to = node.stdin.take().expect("piped");
    let told = BufReader::new(node.stdout.take().expect("piped"));
    // The script asks for one thing after the other.
    let (ours, lines) = sync_channel(64);
    std::thread::spawn(move || {
        for line in told.lines().map_while(Result::ok) {
            let _ = ours.send(line);
        }
    });
    let mut others = Others { server, microphone, citizens: BTreeMap::new(), colleagues: BTreeMap::new() };
    let mut last = String::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(20)) {
            Ok(line) => {
                let asked: Value = serde_json::from_str(&line).unwrap_or_default();
                if asked["do"].is_string() {
                    others.play(&asked);
                    writeln!(to, "{}", json!({"did": asked["n"]})).expect("the script listens");
                } else {
                    last = line;
                }
            }
            Err(RecvTimeoutError::Timeout) => others.answer(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = node.wait().expect("the script ends");
    let seen: Value = serde_json::from_str(&last).unwrap_or_default();
    println!("{seen}");
    assert!(status.success(), "{seen:#}");
    seen
}

/// One matter from the call to closed by the hands of all: dispatched, returned and refused, signed for, replied to, signed by the
/// head, reviewed, asked about, done again, closed; its history tells each step, and the unit never saw the caller's own words.
#[test]
fn citizens_write_look_and_judge_on_a_telephone_without_scripts() {
    let _ears = one_at_a_time();
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("") }.key("sip.digest", "MD5").start();
    let origin = format!("http://{}", server.at.http);
    let seen = walk("public.mjs", server);
    assert_eq!((&seen["state"], &seen["files"]), (&json!("closed"), &json!(1)), "{seen}");
    assert_eq!(seen["verdict"]["satisfied"], "satisfied");
    assert_eq!(seen["requests"], json!([origin]), "nothing comes from elsewhere");
    assert_eq!(seen["judged"].as_array().map(Vec::len), Some(7), "{seen}");
}

#[test]
fn a_matter_goes_round_all_desks_until_it_is_closed() {
    let _ears = one_at_a_time();
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("[queue.main]\nanswer = \"auto\"\n") }
        .key("sip.digest", "MD5")
        .start();
    let seen = walk("loop.mjs", server);
    let kinds: Vec<_> = seen["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut left = kinds.iter();
    for step in [
        "dispatch",
        "ask_return",
        "refuse_return",
        "sign",
        "contact",
        "reply",
        "sign_reply",
        "review_pass",
        "visit_try",
        "visit",
        "redo",
        "sign",
        "contact",
        "reply",
        "sign_reply",
        "review_pass",
        "visit",
        "closed",
    ] {
        assert!(left.any(|kind| *kind == step), "{step} is missing or out of order in {kinds:?}");
    }
    assert!(seen["rate"].as_str().is_some_and(|rate| rate.ends_with('%')), "its verdict counts: {seen}");
}
