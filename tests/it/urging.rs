//! 语音催签 by the whole server, with SIPp as three telephones: the duty number lets it ring, the deputy is busy, the office presses 1.

use crate::support::api::Api;
use crate::support::cti::Agent;
use crate::support::hall::{Hall, Phone};
use crate::support::level;
use crate::support::postgres::Postgres;
use crate::support::server::{PASSWORD, Server, Setup, TOP};
use crate::support::sipp;
use crate::support::tone;
use serde_json::{Value, json};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);
const PHONE: &str = "desk-phone-12341";
/// The number of 热线办 in the district's table.
const OFFICE: &str = "12000090001";

/// SIPp, which is all telephones that the trunk reaches.
struct Phones {
    sipp: Child,
    trace: tempfile::TempDir,
    at: SocketAddr,
}

impl Phones {
    fn open(calls: u32) -> Self {
        let at = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
        let trace = tempfile::tempdir().expect("a folder");
        let (port, media) = (at.port().to_string(), (10_000 + at.port() % 5_000 * 2).to_string());
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(Path::new(TOP).join("tests/it/phones/duty.xml"));
        command.args([
            "-i",
            "127.0.0.1",
            "-mi",
            "127.0.0.1",
            "-p",
            &port,
            "-mp",
            &media,
            "-m",
            &calls.to_string(),
        ]);
        command.args(["-t", "u1", "-nostdin", "-timeout", "120", "-trace_msg", "-message_file"]);
        command.arg(trace.path().join("trace")).current_dir(Path::new(TOP).join("sipp-scenarios"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { sipp: command.spawn().expect("sipp"), trace, at }
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.trace.path().join("trace")).unwrap_or_default()
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let _ = self.sipp.kill();
        let _ = self.sipp.wait();
    }
}

struct Night {
    server: Server,
    hall: Hall,
    agent: Agent,
    _ear: Phone,
    dispatcher: Api,
    office: Api,
    unit: Api,
}

impl Night {
    fn open(phones: &Phones, database: Option<String>, keys: &[(&str, &str)]) -> Self {
        let hall = Hall::open();
        let trunk = format!("name = \"city\"\ntarget = \"{}\"", phones.at);
        let config = include_str!("../../sipp-scenarios/hotline.toml").replacen("name = \"city\"", &trunk, 1);
        let config = format!(
            "{config}\n[[agent_phone]]\nname = \"p1\"\npassword = \"{PHONE}\"\n[dial]\ntrunk = \"city\"\nallow = [\"120000*\"]\n"
        );
        let mut setup = Setup::of(&config).key("sip.digest", "MD5").key("acd.beep_ms", "100");
        for (key, value) in [("ticket.urge_after_s", "1"), ("dial.ring_s", "5")].iter().chain(keys) {
            setup = setup.key(key, value);
        }
        if let Some(url) = database {
            setup = setup.key("database.url", url);
        }
        let server = setup.start();
        server.user("8001", "agent");
        server.user("dispatcher", "dispatcher");
        server.user("office", "office");
        server.user_with("cgw", "unit", Some("cgw"));
        let ear = hall.desk_phone(server.at.udp, "p1", PHONE, tone::frequency(0));
        let mut agent = Agent::open(server.at.http, "8001", PASSWORD);
        level::until("the log-in", WAIT, || {
            (agent.command("agent.login", json!({"device": "p1"}))["ok"] == true).then_some(())
        });
        let api = |name| Api::sign_in(server.at.http, name, PASSWORD);
        let (dispatcher, office, unit) = (api("dispatcher"), api("office"), api("cgw"));
        Self { server, hall, agent, _ear: ear, dispatcher, office, unit }
    }

    /// SC21: a hole in the road at night, somebody fell in. Dispatched, and nobody signs.
    fn hole_in_the_road(&mut self) -> String {
        let citizen = self.hall.citizen(self.server.at.udp, "12000000021", tone::frequency(1));
        self.agent.done("agent.ready", json!({}));
        citizen.dial("12341");
        let call = self.agent.event("call.answered")["data"]["call"].as_str().expect("an id").to_owned();
        let api = Api::sign_in(self.server.at.http, "8001", PASSWORD);
        let draft = level::until("the ticket has its number", WAIT, || {
            api.try_get(&format!("tickets/{call}")).filter(|ticket| ticket["no"].is_string())
        });
        citizen.hang_up();
        self.agent.event("call.ended");
        let ticket = api.patch(
            &format!("tickets/{call}"),
            &json!({"version": draft["version"], "state": "accepted", "type": "help", "category": "010201", "urgency": "U",
                "street": "110102019", "title": "井盖缺失", "content": "有人掉进去了，井盖没有了", "secrecy": "normal"}),
        );
        let no = ticket["no"].as_str().expect("a number").to_owned();
        let body = json!({"action": "dispatch", "version": ticket["version"], "lead": "cgw", "assist": ["st019"],
            "brief": "白纸坊街道井盖缺失，有人受伤"});
        let (status, told) = self.dispatcher.post(&format!("tickets/{no}/actions"), &body);
        assert_eq!(status, 200, "{told}");
        no
    }

    /// `unit rung result` of each attempt in the history.
    fn attempts(&self, no: &str) -> Vec<String> {
        let lines = self.office.get(&format!("tickets/{no}/events"));
        let lines = lines["items"].as_array().expect("lines").iter();
        let of = |line: &Value, key: &str| line["data"][key].as_str().unwrap_or_default().to_owned();
        lines
            .filter(|line| line["kind"] == "voice_urged")
            .map(|line| format!("{} {} {}", of(line, "unit"), of(line, "level"), of(line, "result")))
            .collect()
    }

    fn close(mut self) {
        assert!(self.server.stop().success(), "{}", self.server.log());
        let verified = self.server.command(&["db", "verify"]).output().expect("db verify");
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

/// Up the ladder, each attempt once in the history, until somebody says that he has heard it.
fn ladder(database: Option<String>) {
    // Keys are played as recorded packets, which takes rights that not everybody has.
    if !sipp::may_replay() {
        return eprintln!("no right to replay packets: not run");
    }
    let phones = Phones::open(3);
    let mut night = Night::open(&phones, database, &[]);
    let no = night.hole_in_the_road();
    let told = level::until("the office has heard it", WAIT, || {
        let told = night.attempts(&no);
        (told.len() >= 3).then_some(told)
    });
    assert_eq!(
        told,
        ["cgw duty no_answer", "cgw deputy busy", "rexianban office heard"],
        "{}",
        phones.told()
    );
    // Whoever heard it has not signed: that is another thing here, and nobody is rung again.
    assert_eq!(night.office.get(&format!("tickets/{no}"))["state"], "dispatched");
    let calls = night.office.get("calls?limit=20");
    let record = calls["items"].as_array().expect("calls").iter().find(|call| call["caller"] == OFFICE);
    let call = record.expect("the office's call");
    assert_eq!((&call["direction"], &call["end_reason"]), (&json!("outbound"), &json!("flow_ended")));
    assert_eq!(phones.told().matches("INVITE sip:").count(), 3, "one call each");
    night.close();
}

#[test]
fn a_unit_that_does_not_sign_is_told_by_telephone_rung_by_rung() {
    ladder(None);
    if let Some(postgres) = Postgres::start() {
        ladder(Some(postgres.url()));
    }
}

#[test]
fn whoever_signs_while_it_rings_is_left_in_peace() {
    let phones = Phones::open(1);
    let mut night = Night::open(&phones, None, &[("dial.ring_s", "40")]);
    let no = night.hole_in_the_road();
    level::until("the duty number rings", WAIT, || phones.told().contains("180 Ringing").then_some(()));
    let version = night.unit.get(&format!("tickets/{no}"))["version"].clone();
    let (status, told) =
        night.unit.post(&format!("tickets/{no}/actions"), &json!({"action": "sign", "version": version}));
    assert_eq!(status, 200, "{told}");
    let told = level::until("the attempt is over", WAIT, || {
        Some(night.attempts(&no)).filter(|told| !told.is_empty())
    });
    assert_eq!(told, ["cgw duty signed"]);
    assert!(phones.told().contains("CANCEL sip:"), "it rings no more");
    night.close();
}
