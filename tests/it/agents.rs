//! A citizen dials, an agent answers, both hear each other, the ticket has its number (issue 4, rows 1, 2, 11, 14).
//!
//! The citizen is a baresip. The agent has another one for a desk phone and works by the websocket, or has a browser and its keyboard.

use crate::support::api::Api;
use crate::support::audio;
use crate::support::baresip::Baresip;
use crate::support::cti::Agent;
use crate::support::desk;
use crate::support::level;
use crate::support::server::{PASSWORD, Server, Setup, TOP};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);
const LIKE: f64 = 0.9;
const PHONE: &str = "desk-phone-12341";

fn prompt(name: &str) -> Vec<f32> {
    let path = Path::new(TOP).join("sounds/zh").join(format!("{name}.wav"));
    audio::read_wav(&path).0.remove(0)
}

/// One prompt after the other.
pub fn prompts(clips: &[&str]) -> Vec<f32> {
    clips.iter().flat_map(|name| prompt(name)).collect()
}

/// A microphone that says two prompts again and again.
pub fn voice(dir: &Path, name: &str, clips: &[&str]) -> (PathBuf, Vec<f32>) {
    let said = prompts(clips);
    (write_voice(dir, name, &said, 90), said)
}

/// The same for so many seconds: a telephone whose microphone is at its end hangs up.
pub fn write_voice(dir: &Path, name: &str, said: &[f32], seconds: usize) -> PathBuf {
    let path = dir.join(name);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).expect("a WAV file");
    for sample in said.iter().cycle().take(seconds * 8_000) {
        file.write_sample(*sample as i16).expect("write");
    }
    file.finalize().expect("a whole file");
    path
}

fn part(sound: &[f32]) -> &[f32] {
    &sound[8_000..32_000]
}

/// A desk with one queue and two desk phones.
fn desk(keys: &[(&str, &str)]) -> Server {
    let config = format!(
        "{}\n[[agent_phone]]\nname = \"p1\"\npassword = \"{PHONE}\"\n[[agent_phone]]\nname = \"p2\"\npassword = \"{PHONE}\"\n\
         [queue.people]\nanswer = \"auto\"\n",
        include_str!("../../sipp-scenarios/hotline.toml")
    );
    // This phone knows no digest but MD5, and looks at the first challenge only.
    let setup = Setup::of(&config).key("sip.digest", "MD5").flow("desk", include_str!("flows/desk.toml"));
    let server = keys.iter().fold(setup, |setup, (key, value)| setup.key(key, value)).start();
    for (name, role) in [("8001", "agent"), ("8002", "agent"), ("boss", "lead")] {
        server.user(name, role);
    }
    server
}

struct Table {
    server: Server,
    dir: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(keys: &[(&str, &str)]) -> Self {
        Self { server: desk(keys), dir: tempfile::tempdir().expect("a folder") }
    }

    fn phone(&self, name: &str, clips: &[&str]) -> (Baresip, Vec<f32>) {
        let (path, said) = voice(self.dir.path(), &format!("{name}.wav"), clips);
        let phone = Baresip::phone(&path, self.server.at.udp, name, PHONE);
        phone.logged("200 OK");
        (phone, said)
    }

    /// At work with this device; the directory takes a moment to know a new user.
    fn agent(&self, name: &str, device: &str) -> Agent {
        let mut agent = Agent::open(self.server.at.http, name, PASSWORD);
        level::until("the log-in", WAIT, || {
            (agent.command("agent.login", json!({"device": device}))["ok"] == true).then_some(())
        });
        agent.done("agent.ready", json!({}));
        agent.state(name, "ready");
        agent
    }

    fn citizen(&self, clips: &[&str]) -> (Baresip, Vec<f32>) {
        let (path, said) = voice(self.dir.path(), "citizen.wav", clips);
        let mut citizen = Baresip::start(&path);
        citizen.order("dial", &format!("sip:12341@{};transport=udp", self.server.at.udp));
        citizen.logged("Call established");
        (citizen, said)
    }

    fn call(&self) -> Value {
        let api = self.server.api();
        level::until("the call's record is complete", WAIT, || {
            let calls = api.try_get("calls?limit=1")?;
            let call = calls["items"][0].clone();
            (!call["end_reason"].is_null() && !call["recording"]["length_ms"].is_null()).then_some(call)
        })
    }
}

/// Half seconds of what was said that are found in what was heard, of all there are: before the answer and while he is set aside nobody
/// hears anything, and a machine with other work may swallow one.
fn hears(who: &str, heard: &[f32], said: &[f32]) {
    let like: Vec<f64> = said[8_000..].chunks_exact(4_000).map(|part| audio::find(part, heard).0).collect();
    let found = like.iter().filter(|like| **like > LIKE).count();
    println!("{who} heard {found} of {} half seconds: {like:.3?}", like.len());
    assert!(found >= 6, "{who} heard only {found} half seconds of the other: {like:.3?}");
}

/// Real ears need a machine that keeps time: these tests go one after the other, in whatever processes they run.
pub fn one_at_a_time() -> std::fs::File {
    let folder = std::env::temp_dir().join("hotline-tests");
    std::fs::create_dir_all(&folder).expect("a folder for locks");
    let lock = std::fs::File::create(folder.join("ears")).expect("a lock");
    level::until("the other ears", Duration::from_secs(600), || lock.try_lock().ok());
    lock
}

#[test]
fn a_citizen_and_an_agent_at_a_desk_phone_hear_each_other() {
    let _ears = one_at_a_time();
    let table = Table::new();
    let (phone, agent_said) = table.phone("p1", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let mut agent = table.agent("8001", "p1");

    let (mut citizen, citizen_said) = table.citizen(&["after_hours", "agent_hold", "conf_add_generic"]);
    let offered = agent.event("call.offered");
    assert_eq!(offered["data"]["queue"], "people", "{offered}");
    assert_eq!(offered["data"]["caller"], "12000000055", "{offered}");
    let answered = agent.event("call.answered");
    assert_eq!(answered["data"]["call"], offered["data"]["call"]);
    let linked = agent.event("ticket.linked");
    let number = linked["data"]["ticket_no"].as_str().expect("a number").to_owned();
    assert_eq!(number.len(), 12, "{linked}");
    agent.state("8001", "on_call");
    phone.logged("Call established");
    // The wall and the reasons.
    let api = table.server.api();
    let seen = api.get("agents");
    let on_call = |a: &Value| a["agent"] == "8001" && a["state"] == "on_call" && a["device"] == "p1";
    assert!(seen["items"].as_array().is_some_and(|all| all.iter().any(on_call)), "{seen}");
    let queue = api.get("queues");
    let people = |q: &Value| q["queue"] == "people" && q["talking"] == 1 && q["waiting"] == 0;
    assert!(queue["items"].as_array().is_some_and(|all| all.iter().any(people)), "{queue}");
    let why = api.get(&format!("calls/{}/why", offered["data"]["call"].as_str().expect("an id")));
    assert_eq!(
        (&why["chosen"][0]["agent"], &why["chosen"][0]["rule"]),
        (&json!("8001"), &json!("longest_idle"))
    );

    citizen.listen(8);
    // The citizen is set aside: what he hears now is music.
    agent.done("call.hold", json!({}));
    agent.event("call.held");
    agent.done("call.retrieve", json!({}));
    agent.event("call.retrieved");
    citizen.listen(3);
    agent.done("call.hangup", json!({}));
    let ended = agent.event("call.ended");
    assert!(ended["data"]["wrap_up_until"].is_string(), "{ended}");
    agent.state("8001", "wrap_up");
    // The flow goes on after the queue: a survey, and its key.
    citizen.listen(1);
    citizen.order("sndcode", "1");
    citizen.logged("terminated");
    agent.done("wrapup.finish", json!({}));
    agent.state("8001", "ready");
    let (citizen, phone) = (citizen.quit(), phone.quit());
    hears("the citizen", &citizen.heard, &agent_said);
    hears("the agent", &phone.heard, &citizen_said);

    let call = table.call();
    assert_eq!(call["agent"], "8001", "{call}");
    assert_eq!(call["end_reason"], "survey_done", "{call}");
    let tickets = table.server.api().list("tickets");
    assert!(tickets.iter().any(|t| t["no"] == number.as_str()), "{number} in {tickets:?}");
    // Both are in the recording, each in his channel.
    let file = table.dir.path().join("recording.wav");
    let id = call["recording"]["id"].as_str().expect("an id");
    std::fs::write(&file, table.server.api().bytes(&format!("recordings/{id}"))).expect("write");
    let (channels, _) = audio::read_wav(&file);
    for (who, said, channel) in [("channel 0", &citizen_said, 0), ("channel 1", &agent_said, 1)] {
        hears(who, &channels[channel], said);
        let (strange, _) = audio::find(part(said), &channels[1 - channel]);
        assert!(strange < 0.5, "{who} is in the other too: {strange:.3}");
    }
    table.server.assert_replays(1);
    table.server.assert_clean();
}

#[test]
fn the_citizen_hangs_up_and_the_phone_is_free_again() {
    let _ears = one_at_a_time();
    let table = Table::new();
    let (phone, agent_said) = table.phone("p1", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let mut agent = table.agent("8001", "p1");
    let mut citizen_said = Vec::new();
    for _ in 0..2 {
        let (mut citizen, said) = table.citizen(&["after_hours", "agent_hold", "conf_add_generic"]);
        agent.event("call.answered");
        phone.logged("Call established");
        citizen.listen(6);
        citizen.order("hangup", "");
        let ended = agent.event("call.ended");
        assert_eq!(ended["data"]["reason"], "caller_hung_up", "{ended}");
        agent.done("wrapup.finish", json!({}));
        agent.state("8001", "ready");
        hears("the citizen", &citizen.quit().heard, &agent_said);
        citizen_said = said;
    }
    hears("the agent", &phone.quit().heard, &citizen_said);
    assert_eq!(table.call()["end_reason"], "caller_hung_up");
    table.server.assert_replays(1);
    table.server.assert_clean();
}

#[test]
fn an_agent_is_not_free_before_the_ticket_is_finished() {
    let _ears = one_at_a_time();
    let table = Table::with(&[("acd.hold_unfinished", "true"), ("acd.wrap_up_s", "1")]);
    let (phone, _) = table.phone("p1", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let mut agent = table.agent("8001", "p1");
    let (mut citizen, _) = table.citizen(&["after_hours", "agent_hold", "conf_add_generic"]);
    let call = agent.event("call.answered")["data"]["call"].as_str().expect("an id").to_owned();
    phone.logged("Call established");
    citizen.order("hangup", "");
    agent.event("call.ended");
    agent.state("8001", "wrap_up");
    // His time is over, the ticket is a draft: whatever he asks for, he stays.
    let mut lead = Agent::open(table.server.at.http, "boss", PASSWORD);
    lead.wait_for("the alarm", |frame| frame["event"] == "alarm" && frame["data"]["kind"] == "wrap_overdue");
    let refused = agent.command("wrapup.finish", json!({}));
    assert_eq!(refused["error"]["code"], "ticket_unfinished", "{refused}");
    let api = Api::sign_in(table.server.at.http, "8001", PASSWORD);
    let path = format!("tickets/{call}");
    let numbered = level::until("the draft has its number", WAIT, || {
        api.try_get(&path).filter(|ticket| ticket["no"].is_string())
    });
    let wish = json!({"version": numbered["version"], "state": "void", "reason": "拨错号码"});
    assert_eq!(api.patch(&path, &wish)["state"], "void");
    let updated = agent.event("ticket.updated");
    assert_eq!((&updated["data"]["call"], &updated["data"]["state"]), (&json!(call), &json!("void")));
    agent.state("8001", "ready");
    table.server.assert_clean();
}

/// The panel in the system's browser, driven by `panel/e2e/agent.mjs`; each line it prints is told here.
struct Browser {
    script: Child,
    lines: Receiver<Value>,
}

impl Browser {
    fn start(server: &Server, microphone: &Path, user: &str, reloads: u32, restart: bool) -> Self {
        let mut script = Command::new("node")
            .current_dir(format!("{TOP}/panel"))
            .arg("e2e/agent.mjs")
            .arg(format!("http://{}/", server.at.http))
            .arg(microphone)
            .args([user, &reloads.to_string()])
            .args(restart.then_some("restart"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        // The script prints a handful of lines.
        let (to, lines) = sync_channel(64);
        let told = BufReader::new(script.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                let _ = to.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { script, lines }
    }

    /// The next line that has this key.
    #[track_caller]
    fn told(&self, key: &str, wait: Duration) -> Value {
        loop {
            let line =
                self.lines.recv_timeout(wait).unwrap_or_else(|e| panic!("no {key} from the browser: {e}"));
            if !line[key].is_null() {
                return line;
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// One call to an agent in the browser; `away` is done to the server before it, while the agent is ready and touches nothing.
fn a_call_to_the_browser(reloads: u32, away: Option<fn(&mut Server)>) {
    let _ears = one_at_a_time();
    let setup = Setup { args: vec!["--demo".into()], ..Setup::of("") };
    let mut server = setup.key("acd.hold_unfinished", "true").start();
    let dir = tempfile::tempdir().expect("a folder");
    let (microphone, agent_said) =
        voice(dir.path(), "agent.wav", &["dept_rexianban", "callback_intro", "abuse_warn"]);
    let browser = Browser::start(&server, &microphone, "8001", reloads, away.is_some());
    browser.told("ready", Duration::from_secs(60));
    if let Some(away) = away {
        away(&mut server);
        browser.told("lost", Duration::from_secs(60));
        server.restart();
        browser.told("again", Duration::from_secs(60));
    }
    let citizen_said = prompts(&["after_hours", "agent_hold", "conf_add_generic"]);
    let path = write_voice(dir.path(), "citizen.wav", &citizen_said, 90 + 6 * reloads as usize);
    let mut citizen = Baresip::start(&path);
    citizen.order("dial", &format!("sip:12341@{};transport=udp", server.at.udp));
    citizen.logged("Call established");
    browser.told("talking", Duration::from_secs(60));
    let last = browser.told("heard", Duration::from_secs(60 + 20 * u64::from(reloads)));
    // Back with the flow, which asks how it was.
    citizen.listen(1);
    citizen.order("hangup", "");
    let citizen = citizen.quit();
    hears("the citizen", &citizen.heard, &agent_said);
    let heard = desk::samples(last["heard"].as_str().expect("samples"));
    // A browser stretches time a little to follow the network: half seconds stay like themselves.
    hears("the browser", &heard, &citizen_said);
    let mut back: Vec<u64> =
        last["back"].as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
    assert_eq!(back.len(), reloads as usize, "{last}");
    back.sort_unstable();
    if let (Some(median), Some(most)) = (back.get(back.len() / 2), back.last()) {
        println!("audio after a reload: median {median} ms, at most {most} ms");
    }
    let api = server.api();
    let call = level::until("the call's record is complete", WAIT, || {
        let calls = api.try_get("calls?limit=1")?;
        let call = calls["items"][0].clone();
        (!call["end_reason"].is_null()).then_some(call)
    });
    assert_eq!(
        (call["agent"].as_str(), call["end_reason"].as_str()),
        (Some("8001"), Some("caller_hung_up")),
        "{call}"
    );
    // What the agent wrote after the call is the ticket.
    let name = call["ticket_nos"][0].as_str().expect("a number");
    let ticket = api.try_get(&format!("tickets/{name}")).expect("the ticket");
    assert_eq!(
        (&ticket["state"], &ticket["category"], &ticket["street"], &ticket["lead"]),
        (&json!("accepted"), &json!("030101"), &json!("110102019"), &json!("rl")),
        "{ticket}"
    );
    server.assert_replays(1);
}

#[test]
fn a_citizen_and_an_agent_in_the_browser_hear_each_other() {
    a_call_to_the_browser(if std::env::var_os("HOTLINE_PROVE").is_some() { 100 } else { 5 }, None);
}

#[test]
fn the_panel_is_back_at_work_by_itself_after_the_server_was_killed() {
    a_call_to_the_browser(0, Some(Server::kill));
}

#[test]
fn the_panel_is_back_at_work_by_itself_after_the_server_was_stopped_in_order() {
    a_call_to_the_browser(0, Some(|server| assert!(server.stop().success())));
}
