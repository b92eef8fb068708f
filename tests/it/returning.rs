//! What a running server is told again: agents who come back after it was killed, and the table of old numbers.

use crate::support::caller::Phone;
use crate::support::cti::Agent;
use crate::support::level;
use crate::support::server::{PASSWORD, Server, Setup};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

fn at_work(server: &Server, name: &str) -> Agent {
    let mut agent = Agent::open(server.at.http, name, PASSWORD);
    level::until("the log-in", WAIT, || {
        (agent.command("agent.login", json!({"device": "browser"}))["ok"] == true).then_some(())
    });
    agent
}

#[test]
fn an_agent_on_a_break_is_on_it_after_the_server_was_killed() {
    let mut server = Setup::scenarios().start();
    server.user("8001", "agent");
    let mut agent = at_work(&server, "8001");
    agent.done("agent.ready", json!({}));
    agent.done("agent.break_request", json!({"reason": "meal"}));
    level::until("the break", WAIT, || {
        let state = agent.state("8001", "not_ready");
        (state["data"]["reason"] == "meal").then_some(())
    });
    // What was answered a moment ago is on the disk within one commit of the journal.
    std::thread::sleep(Duration::from_millis(500));
    server.kill();
    server.restart();
    let mut agent = at_work(&server, "8001");
    level::until("the same break", WAIT, || {
        let state = agent.state("8001", "not_ready");
        (state["data"]["reason"] == "meal").then_some(())
    });
    agent.done("agent.not_ready", json!({"reason": "desk"}));
    level::until("his own word", WAIT, || {
        let state = agent.state("8001", "not_ready");
        (state["data"]["reason"] == "desk").then_some(())
    });
    assert!(server.stop().success());
}

const TWO_LINES: &str = r#"
[flow]
start = "people"
version = "two"

[node.people]
kind = "queue"
queue = "people"
keys = { "2" = "second" }
timeout_s = 7200
no_staff_after_s = 7200
timeout = "bye"
full = "bye"
no_staff = "bye"

[node.second]
kind = "queue"
queue = "second"
timeout_s = 7200
no_staff_after_s = 7200
timeout = "bye"
full = "bye"
no_staff = "bye"

[node.bye]
kind = "hangup"
prompt = "goodbye"
"#;

#[test]
fn an_old_number_leads_to_its_queue_as_soon_as_the_table_says_so() {
    let server = Setup::scenarios().flow("two", TWO_LINES).start();
    let api = server.api();
    let waits = |queue: &str| {
        level::until(&format!("somebody waits in {queue}"), WAIT, || {
            let queues = api.get("queues");
            let one = |q: &Value| q["queue"] == queue && q["waiting"] == 1;
            queues["items"].as_array().is_some_and(|all| all.iter().any(one)).then_some(())
        });
    };
    let dial = |name: &str| {
        let mut phone = Phone::udp(name, server.at.udp);
        phone.script.number = "96011".into();
        phone.dial();
        phone
    };
    let mut before = dial("before");
    waits("people");
    before.hang_up();

    let row = json!({"number": "96011", "unit": null, "queue": "second", "greeting": "goodbye"});
    let url = format!("http://{}/api/v1/numbers/legacy", server.at.http);
    let answer = Client::new().post(url).bearer_auth(api.token()).json(&row).send().expect("an answer");
    assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().unwrap_or_default());
    let counted = || server.metrics().get("hotline_engine_total{what=\"legacy_calls\"}").unwrap_or(0.0);
    // The engine is told within seconds; who calls before that is nobody's old number.
    let mut phones = Vec::new();
    level::until("the engine knows the number", WAIT, || {
        let mut phone = dial(&format!("after{}", phones.len()));
        std::thread::sleep(Duration::from_secs(1));
        let known = counted() > 0.0;
        if !known {
            phone.hang_up();
        }
        phones.push(phone);
        known.then_some(())
    });
    waits("second");
    phones.pop().expect("who was led there").hang_up();
    let call = level::until("the call's record is complete", WAIT, || {
        let calls = api.try_get("calls?limit=1")?;
        let call = calls["items"][0].clone();
        (!call["end_reason"].is_null()).then_some(call)
    });
    assert_eq!((&call["called"], &call["queue"]), (&json!("96011"), &json!("second")), "{call}");
    server.assert_replays(1);
}
