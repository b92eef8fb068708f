//! Who may be ready follows the roster: the files at the start, and what was approved since (issue 4, item 2).

use crate::support::cti::Agent;
use crate::support::level;
use crate::support::server::{PASSWORD, Server, Setup};
use jiff::civil::Date;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

/// The date and the hour by the district's clock.
fn now() -> (Date, i64) {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("the zone");
    let at = jiff::Timestamp::now().to_zoned_datetime(zone).datetime();
    (at.date(), i64::from(at.hour()))
}

fn day(date: Date, days: i64) -> Date {
    date.checked_add(jiff::Span::new().days(days)).expect("a date")
}

/// A shift of eight hours that began two hours ago; 8001 has it, 8002 has the same one two days later.
fn roster(dir: &std::path::Path) -> (Date, Date) {
    let (mut today, mut hour) = now();
    if hour < 2 {
        // It is yesterday's, over midnight.
        (today, hour) = (day(today, -1), hour + 24);
    }
    let later = day(today, 2);
    let text = format!(
        "[[shift]]\ncode = \"now\"\nname = \"此刻\"\nstart = \"{:02}:00\"\nend = \"{:02}:00\"\n\
         [[person]]\nid = \"8001\"\n[[person]]\nid = \"8002\"\n\
         [[plan]]\nname = \"p\"\nfrom = {}\nstatus = \"published\"\n\
         [[plan.assign]]\nperson = \"8001\"\nshift = \"now\"\ndates = [{today}]\n\
         [[plan.assign]]\nperson = \"8002\"\nshift = \"now\"\ndates = [{later}]\n",
        hour - 2,
        hour + 6,
        day(today, -1),
    );
    std::fs::write(dir.join("roster.toml"), text).expect("write");
    (today, later)
}

fn at_work(server: &Server, name: &str) -> Agent {
    let mut agent = Agent::open(server.at.http, name, PASSWORD);
    level::until("the log-in", WAIT, || {
        (agent.command("agent.login", json!({"device": "browser"}))["ok"] == true).then_some(())
    });
    agent
}

#[track_caller]
fn send(server: &Server, token: &str, method: reqwest::Method, path: &str, body: &Value) -> Value {
    let url = format!("http://{}/api/v1/roster/requests{path}", server.at.http);
    let client = Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
    let answer = client.request(method, url).bearer_auth(token).json(body).send().expect("an answer");
    let status = answer.status();
    let text = answer.text().unwrap_or_default();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).expect("JSON")
}

fn sign_in(server: &Server, name: &str) -> String {
    crate::support::api::Api::sign_in(server.at.http, name, PASSWORD).token().to_owned()
}

#[test]
fn who_is_not_on_shift_is_refused_until_a_swap_is_approved() {
    let dir = tempfile::tempdir().expect("a folder");
    let (today, later) = roster(dir.path());
    let setup = Setup::scenarios().key("roster.binds", true).key("roster.dir", dir.path().display());
    let mut server = setup.start();
    for (name, role) in [("8001", "agent"), ("8002", "agent"), ("boss", "lead")] {
        server.user(name, role);
    }
    let mut one = at_work(&server, "8001");
    let notice = one.event("roster.notice");
    assert_eq!(notice["data"]["code"], "late", "he came hours after the beginning: {notice}");
    // Without proven ears nobody is offered a call; that he may be ready is the command's answer.
    one.done("agent.ready", json!({}));
    let mut two = at_work(&server, "8002");
    let refused = two.command("agent.ready", json!({}));
    assert_eq!(refused["error"]["code"], "not_on_roster", "{refused}");

    let tokens = ["8001", "8002", "boss"].map(|name| sign_in(&server, name));
    let turn = |person: &str, date: Date| json!({"person": person, "date": date.to_string(), "shift": "now"});
    let wish = json!({"kind": "swap", "mine": turn("8001", today), "theirs": turn("8002", later)});
    let asked = send(&server, &tokens[0], reqwest::Method::POST, "", &wish);
    let path = format!("/{}", asked["id"].as_str().expect("an id"));
    let patch = |server: &Server, token: &str, version: i64, what: &str| {
        let body = json!({"version": version, "decision": what});
        send(server, token, reqwest::Method::PATCH, &path, &body)
    };
    patch(&server, &tokens[1], 1, "agree");
    let refused = two.command("agent.ready", json!({}));
    assert_eq!(refused["error"]["code"], "not_on_roster", "nobody has approved it: {refused}");
    let done = patch(&server, &tokens[2], 2, "approve");
    assert_eq!(done["stage"], "approved", "{done}");

    let notice = two.event("roster.notice");
    assert_eq!(notice["data"]["code"], "changed", "{notice}");
    two.done("agent.ready", json!({}));
    let refused = one.command("agent.ready", json!({}));
    assert_eq!(refused["error"]["code"], "not_on_roster", "{refused}");

    // What was approved is in the database: the next process knows it.
    drop((one, two));
    server.stop();
    server.restart();
    let mut two = at_work(&server, "8002");
    two.done("agent.ready", json!({}));
    let mut one = at_work(&server, "8001");
    assert_eq!(one.command("agent.ready", json!({}))["error"]["code"], "not_on_roster");
    // A lead's word goes over the roster.
    let mut boss = at_work(&server, "boss");
    boss.done("supervisor.force_state", json!({"agent": "8001", "state": "ready"}));
    server.assert_clean();
}
