//! The city's 12345 by the whole server and the shipped simulator as a process of its own: orders, results, a return, `kill -9` between.

use crate::support::api::Api;
use crate::support::level;
use crate::support::postgres::Postgres;
use crate::support::server::{BINARY, PASSWORD, Server, Setup};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);
const SECRET: &str = "what city and district share";
const FIRST: &str = "12345TEST2612030001";
const SECOND: &str = "12345TEST2612030002";
const THIRD: &str = "12345TEST2612030003";

/// `hotline city-sim`.
struct City {
    child: Child,
    at: SocketAddr,
}

impl City {
    fn open(at: SocketAddr, hotline: SocketAddr, args: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["city-sim", "--listen", &at.to_string(), "--hotline", &format!("http://{hotline}")])
            .args(args)
            .env("HOTLINE__CITY__SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("hotline city-sim");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().expect("a line").expect("text");
        let told: Value = serde_json::from_str(&first).expect("JSON");
        // It goes on writing: somebody has to read.
        std::thread::spawn(move || while let Some(Ok(_)) = lines.next() {});
        let at = told["listening"].as_str().and_then(|at| at.parse().ok()).expect("an address");
        Self { child, at }
    }

    fn seen(&self) -> Value {
        let answer =
            reqwest::blocking::get(format!("http://{}/seen", self.at)).and_then(|answer| answer.text());
        answer.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Pushes of a kind about an order, as it took them.
    fn pushes(&self, word: &str, city_no: &str) -> Vec<Value> {
        let seen = self.seen();
        let all = seen["pushes"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|push| push["word"] == word && push["city_no"] == city_no).collect()
    }

    /// The hotline's number for one of its own.
    fn number(&self, city_no: &str) -> String {
        level::until("the order is answered", WAIT, || {
            let seen = self.seen();
            seen["orders"][city_no][0]["answer"]["no"].as_str().map(str::to_owned)
        })
    }
}

impl Drop for City {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port")
}

struct Desk<'a> {
    server: &'a Server,
}

impl Desk<'_> {
    fn api(&self, who: &str) -> Api {
        Api::sign_in(self.server.at.http, who, PASSWORD)
    }

    #[track_caller]
    fn does(&self, who: &str, no: &str, action: &str, mut wish: Value) -> Value {
        let api = self.api(who);
        // Between reading and doing the outbox may have written a line.
        wish["action"] = json!(action);
        wish["version"] = api.get(&format!("tickets/{no}"))["version"].clone();
        let (status, ticket) = api.post(&format!("tickets/{no}/actions"), &wish);
        assert_eq!(status, 200, "{action} by {who}: {ticket}");
        ticket
    }

    fn state(&self, no: &str) -> Value {
        self.api("office").get(&format!("tickets/{no}"))["state"].clone()
    }
}

fn story(database: Option<String>) {
    let at = free();
    let mut setup = Setup::scenarios()
        .key("city.secret", SECRET)
        .key("city.url", format!("http://{at}/12341"))
        .key("outbox.allow", format!("http://{at}/*"))
        .key("outbox.timeout_ms", "1500")
        .key("outbox.retry_first_s", "1")
        .key("outbox.retry_longest_s", "1");
    if let Some(url) = database {
        setup = setup.key("database.url", url);
    }
    let mut server = setup.start();
    for (name, role) in [("dispatcher", "dispatcher"), ("office", "office"), ("visitor", "visitor")] {
        server.user(name, role);
    }
    server.user_with("cgw", "unit", Some("cgw"));
    server.user_with("cgw-head", "unit_head", Some("cgw"));
    // Each order three times at once; results: an error, a lost answer, one that comes too late.
    let orders = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/city_orders.json");
    let orders = orders.to_str().expect("a path");
    let args = [
        "--orders", orders, "--again", "3", "--fail", "result=1", "--lose", "result=1", "--slow", "result=1",
        "--visit", "--points", "-1.5",
    ];
    let city = City::open(at, server.at.http, &args);
    let (first, second) = (city.number(FIRST), city.number(SECOND));
    city.number(THIRD);
    let desk = Desk { server: &server };
    let all = desk.api("office").list("tickets");
    assert_eq!(
        all.iter().filter(|ticket| ticket["channel"] == "city12345").count(),
        3,
        "three orders, nine requests"
    );

    // Dispatched, signed, replied, closed; nobody of ours calls the citizen.
    let no = second.as_str();
    desk.does("dispatcher", no, "dispatch", json!({"lead": "cgw", "brief": "室温低"}));
    desk.does("cgw", no, "sign", json!({}));
    level::until("the city knows who has it", WAIT, || {
        (city.pushes("sign", SECOND).len() == 1).then_some(())
    });
    desk.does("cgw", no, "reply", json!({"report": "换阀门", "text": "已更换阀门", "claim": "solved"}));
    desk.does("cgw-head", no, "sign_reply", json!({}));
    let ticket = desk.does("dispatcher", no, "review_pass", json!({}));
    assert_eq!((&ticket["state"], &ticket["city_no"]), (&json!("closed"), &json!(SECOND)), "{ticket}");
    let due = |clocks: &Value| {
        let clocks = clocks.as_array().cloned().unwrap_or_default();
        clocks.into_iter().find(|one| one["name"] == "close").map(|one| one["due_at"].clone())
    };
    assert_eq!(due(&ticket["clocks"]), due(&ticket["city"]["clocks"]), "the city's own day");

    // Killed as soon as the first try has failed, and started again.
    level::until("a first try", WAIT, || city.pushes("result", SECOND).first().cloned());
    server.kill();
    server.restart();
    let desk = Desk { server: &server };
    let told = level::until("the city's own callback and its points are here", WAIT, || {
        let list = desk.api("office").try_get("city/messages?kind=visit,points")?;
        Some(list["items"].as_array().cloned()?).filter(|items| items.len() == 2)
    });
    assert!(told.iter().all(|one| one["no"] == json!(no)), "{told:?}");
    let sent = level::until("the result is delivered", WAIT, || {
        let lines = desk.api("office").try_get(&format!("tickets/{no}/city"))?;
        let lines = lines["items"].as_array()?.clone();
        lines.into_iter().find(|line| line["kind"] == "result" && line["state"] == "sent")
    });
    assert!(sent["receipt"].as_str().is_some_and(|receipt| receipt.starts_with("R-o-")), "{sent}");
    let results = city.pushes("result", SECOND);
    assert_eq!(results.len(), 1, "one result, however often it was tried: {results:?}");
    assert!(
        results[0]["tries"].as_u64() >= Some(4),
        "an error, a lost one, a slow one, a good one: {results:?}"
    );
    assert_eq!(results[0]["body"]["text"], "已更换阀门");
    assert!(desk.api("visitor").get("tickets/visits")["items"].as_array().is_some_and(Vec::is_empty));

    // 退单: the unit asks, the office asks the city, killed, the city grants.
    let no = first.as_str();
    desk.does("dispatcher", no, "dispatch", json!({"lead": "cgw", "brief": "路灯不亮"}));
    desk.does("cgw", no, "ask_return", json!({"basis": "定位在海淀区", "to": "st019"}));
    let asked = desk.does("office", no, "ask_city_return", json!({"basis": "经核实位置在海淀区"}));
    assert_eq!(asked["state"], "return_review");
    server.kill();
    server.restart();
    let desk = Desk { server: &server };
    level::until_equal("the city has it back", WAIT, json!("transferred"), || desk.state(no));
    assert_eq!(city.pushes("return", FIRST).len(), 1);
    let ticket = desk.api("office").get(&format!("tickets/{no}"));
    assert!(ticket["closed_at"].is_string() && ticket["owner"].is_null(), "{ticket}");
    assert_eq!(ticket["city"]["asks"][0]["granted"], true);
    assert_eq!(ticket["actions"], json!([]), "nobody has anything to do with it");
    let lines = desk.api("office").get(&format!("tickets/{no}/events"));
    let answers =
        lines["items"].as_array().map(|lines| lines.iter().filter(|l| l["kind"] == "city_answered").count());
    assert_eq!(answers, Some(1), "however often it was told: {lines}");
    assert!(server.stop().success(), "{}", server.log());
    let verified = server.command(&["db", "verify"]).output().expect("db verify");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn the_city_sends_is_answered_once_and_takes_back() {
    story(None);
    if let Some(postgres) = Postgres::start() {
        story(Some(postgres.url()));
    }
}
