//! Callbacks: citizens book one and hang up, agents take them in the order of their places, the engine dials (issue 4, row 9).

use crate::support::baresip::Baresip;
use crate::support::caller::Phone;
use crate::support::cti::Agent;
use crate::support::exchange::{Does, Exchange};
use crate::support::level;
use crate::support::server::{PASSWORD, Server, Setup, TOP};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);
const PHONE: &str = "desk-phone-12341";

/// A desk with two phones, whose trunk leads to the exchange. Numbers that begin with 1200001 may be dialled.
fn desk(exchange: &Exchange) -> Server {
    let trunk = format!("name = \"city\"\ntarget = \"{}\"", exchange.at);
    let config = include_str!("../../sipp-scenarios/hotline.toml").replacen("name = \"city\"", &trunk, 1);
    let config = format!(
        "{config}\n[[agent_phone]]\nname = \"p1\"\npassword = \"{PHONE}\"\n[[agent_phone]]\nname = \"p2\"\npassword = \"{PHONE}\"\n\
         [queue.people]\nanswer = \"auto\"\n[acd]\ncallback_gaps_s = [1, 1]\nhold_unfinished = false\n\
         [dial]\ntrunk = \"city\"\nallow = [\"1200001*\"]\n"
    );
    let server =
        Setup::of(&config).key("sip.digest", "MD5").flow("line", include_str!("flows/line.toml")).start();
    for name in ["8001", "8002"] {
        server.user(name, "agent");
    }
    server
}

fn phone(server: &Server, name: &str) -> Baresip {
    let voice = Path::new(TOP).join("sounds/zh/agent_hold.wav");
    let phone = Baresip::phone(&voice, server.at.udp, name, PHONE);
    phone.logged("200 OK");
    phone
}

fn agent(server: &Server, name: &str, device: &str) -> Agent {
    let mut agent = Agent::open(server.at.http, name, PASSWORD);
    level::until("the log-in", WAIT, || {
        (agent.command("agent.login", json!({"device": device}))["ok"] == true).then_some(())
    });
    agent.done("agent.ready", json!({}));
    agent.state(name, "ready");
    agent
}

/// Citizens in line, in the order in which they came.
fn citizens(server: &Server, n: usize) -> Vec<Phone> {
    let api = server.api();
    (0..n)
        .map(|i| {
            let mut phone = Phone::udp(&format!("citizen{i}"), server.at.udp);
            phone.dial();
            level::until("he is in line", WAIT, || {
                let queues = api.get("queues");
                let waiting = |q: &Value| q["queue"] == "people" && q["waiting"] == i as u64 + 1;
                queues["items"].as_array().is_some_and(|all| all.iter().any(waiting)).then_some(())
            });
            phone
        })
        .collect()
}

/// He books and is let go once his number is safe.
fn books(citizen: &mut Phone) {
    citizen.press('8');
    citizen.expect_bye(WAIT);
}

/// An offered callback is taken; what the agent is told then: the citizen on the line, or the end of the try.
fn takes(agent: &mut Agent) -> (Value, Value) {
    takes_and(agent, false)
}

/// The same; `last`: he wants no other call after this one.
fn takes_and(agent: &mut Agent, last: bool) -> (Value, Value) {
    let offered = agent.event("call.offered");
    if last {
        agent.done("agent.not_ready", json!({"reason": "break"}));
    }
    assert_eq!(offered["data"]["callback"]["first"], "identity", "{offered}");
    assert!(offered["data"]["ticket_no"].is_string(), "{offered}");
    agent.done("call.answer", json!({}));
    let dialling = agent.event("call.answered");
    assert_eq!(dialling["data"]["state"], "dialling", "{dialling}");
    assert_eq!(dialling["data"]["callback"]["of"], offered["data"]["call"], "{dialling}");
    (offered, dialling)
}

/// The end of that try; earlier calls' ends are passed over.
fn fails(agent: &mut Agent, dialling: &Value) -> Value {
    let call = &dialling["data"]["call"];
    let ended = level::until("the try's end", WAIT, || {
        Some(agent.event("call.ended")).filter(|ended| ended["data"]["call"] == *call)
    });
    // A desk phone that was quick was told as well, and that is not the next try's answer.
    agent.forget_call(call);
    ended["data"]["reason"].clone()
}

/// The citizen is on the line, whichever of the two phones was quicker.
fn speaks(agent: &mut Agent) -> Value {
    level::until("they talk", WAIT, || {
        Some(agent.event("call.answered")).filter(|answered| answered["data"]["state"] == "talking")
    })
}

fn item(server: &Server, number: &str) -> Value {
    let items = server.api().get("callbacks?limit=500")["items"].clone();
    let all = items.as_array().cloned().unwrap_or_default();
    all.into_iter().find(|item| item["number"] == number).unwrap_or_default()
}

fn becomes(server: &Server, number: &str, state: &str) -> Value {
    level::until(&format!("{number} is {state}"), WAIT, || {
        Some(item(server, number)).filter(|item| item["state"] == state)
    })
}

fn outcomes(item: &Value) -> Vec<String> {
    let tries = item["tries"].as_array().cloned().unwrap_or_default();
    tries.iter().map(|tried| tried["outcome"].as_str().unwrap_or("-").to_owned()).collect()
}

/// The rest between two tries is over by the clock that wrote it.
fn rested(server: &Server, number: &str) {
    let item = level::until("the next try has a time", WAIT, || {
        Some(item(server, number)).filter(|item| item["next_at"].is_string())
    });
    let next: jiff::Timestamp =
        item["next_at"].as_str().and_then(|at| at.parse().ok()).expect("the time of the next try");
    level::until("the gap is over", WAIT, || (jiff::Timestamp::now() > next).then_some(()));
}

#[test]
fn ten_citizens_are_called_back_in_the_order_of_their_places() {
    let exchange = Exchange::start();
    let server = desk(&exchange);
    let mut citizens = citizens(&server, 10);
    let numbers: Vec<String> = citizens.iter().map(|phone| phone.script.caller.clone()).collect();
    // One has something urgent: he is first. Another one's phone rings in an empty room at the first try.
    citizens[6].press('0');
    exchange.plan(&numbers[2], &[Does::Fails(480)]);
    // The order of booking is not the order of places.
    for citizen in citizens.iter_mut().rev() {
        books(citizen);
    }
    let order: Vec<String> = [6, 0, 1, 2, 3, 4, 5, 7, 8, 9].map(|n: usize| numbers[n].clone()).to_vec();
    for number in &order {
        assert_eq!(becomes(&server, number, "waiting")["tries"], json!([]));
    }
    assert_eq!(server.api().get("callbacks?state=open")["items"].as_array().map(Vec::len), Some(10));

    let (one, two) = (phone(&server, "p1"), phone(&server, "p2"));
    let mut agents = [(agent(&server, "8001", "p1"), "8001"), (agent(&server, "8002", "p2"), "8002")];
    let mut talking: Option<usize> = None;
    let mut expected = order.clone();
    expected.insert(4, numbers[2].clone());
    for (n, number) in expected.iter().enumerate() {
        // While one talks the other is offered the next.
        let at = talking.map_or(0, |busy| 1 - busy);
        let (agent, _) = &mut agents[at];
        // Whose try will fail must not have the next before the rest is over.
        let (offered, dialling) = takes_and(agent, n == 3);
        assert_eq!(offered["data"]["caller"], number.as_str(), "the {}. dial", n + 1);
        if n == 3 {
            assert_eq!(fails(agent, &dialling), "callee_no_answer");
            rested(&server, number);
            agent.done("agent.ready", json!({}));
            continue;
        }
        let answered = speaks(agent);
        assert!(answered["data"]["ticket_no"].is_string(), "{answered}");
        if let Some(busy) = talking.replace(at) {
            let (agent, name) = &mut agents[busy];
            agent.done("call.hangup", json!({}));
            agent.state(name, "wrap_up");
            agent.done("wrapup.finish", json!({}));
        }
    }
    if let Some(busy) = talking {
        agents[busy].0.done("call.hangup", json!({}));
    }
    assert_eq!(exchange.dialled(), expected);
    assert!(exchange.most() <= 2, "{} calls at once for two agents", exchange.most());
    assert!(exchange.shown().iter().all(|from| from == "12341"), "{:?}", exchange.shown());

    for number in &order {
        let item = becomes(&server, number, "reached");
        let want: &[&str] = if *number == numbers[2] { &["no_answer", "answered"] } else { &["answered"] };
        assert_eq!(outcomes(&item), want, "{item}");
        println!("{number}: place {} {}, {:?}", item["priority"], item["entered_at"], outcomes(&item));
    }
    // The same in the ticket's history and in the journal's own words.
    let tried = item(&server, &numbers[2]);
    let api = server.api();
    let kinds = |path: &str| -> Vec<String> {
        let items = api.get(path)["items"].as_array().cloned().unwrap_or_default();
        let of = |line: &Value| line["kind"].as_str().unwrap_or_default().to_owned();
        items
            .iter()
            .map(of)
            .filter(|kind| kind.starts_with("callback_t") || kind == "callback_over")
            .collect()
    };
    let story =
        ["callback_tried", "callback_try_ended", "callback_tried", "callback_try_ended", "callback_over"];
    let no = tried["ticket_nos"][0].as_str().expect("the ticket's number");
    assert_eq!(kinds(&format!("tickets/{no}/events")), story);
    let call = tried["call"].as_str().expect("the call's id");
    assert_eq!(kinds(&format!("calls/{call}/events")), story);
    server.assert_clean();
    server.assert_replays(10);
    drop((one, two));
}

#[test]
fn callbacks_are_in_line_again_after_kill_9() {
    let exchange = Exchange::start();
    let mut server = desk(&exchange);
    let mut citizens = citizens(&server, 3);
    let numbers: Vec<String> = citizens.iter().map(|phone| phone.script.caller.clone()).collect();
    for citizen in citizens.iter_mut().rev() {
        books(citizen);
    }
    exchange.plan(&numbers[0], &[Does::Fails(486), Does::Fails(603), Does::Fails(404)]);
    {
        let _phone = phone(&server, "p1");
        let mut agent = agent(&server, "8001", "p1");
        let (offered, dialling) = takes_and(&mut agent, true);
        assert_eq!(offered["data"]["caller"], numbers[0].as_str());
        assert_eq!(fails(&mut agent, &dialling), "callee_busy");
        level::until("the try is on record", WAIT, || {
            (outcomes(&item(&server, &numbers[0])) == ["busy"]).then_some(())
        });
    }
    server.kill();
    server.restart();
    assert_eq!(server.api().get("callbacks?state=open")["items"].as_array().map(Vec::len), Some(3));
    rested(&server, &numbers[0]);
    let _phone = phone(&server, "p2");
    let mut agent = agent(&server, "8002", "p2");
    // The tries used count on, and his place is the first one still.
    for (tries, reason) in [(1, "callee_refused"), (2, "callee_unknown")] {
        let (offered, dialling) = takes_and(&mut agent, true);
        assert_eq!(offered["data"]["caller"], numbers[0].as_str());
        assert_eq!(offered["data"]["callback"]["tries"], tries);
        assert_eq!(fails(&mut agent, &dialling), reason);
        if tries == 1 {
            rested(&server, &numbers[0]);
        }
        agent.done("agent.ready", json!({}));
    }
    let given_up = becomes(&server, &numbers[0], "given_up");
    assert_eq!(outcomes(&given_up), ["busy", "refused", "wrong"]);
    for number in &numbers[1..] {
        let (offered, _) = takes(&mut agent);
        assert_eq!(offered["data"]["caller"], number.as_str());
        speaks(&mut agent);
        agent.done("call.hangup", json!({}));
        agent.state("8002", "wrap_up");
        agent.done("wrapup.finish", json!({}));
        becomes(&server, number, "reached");
    }
    assert!(server.stop().success(), "{}", server.log());
    server.assert_replays(3);
}

/// The agent thinks better of it while it rings: the citizen's telephone is quiet again, and his place is kept.
#[test]
fn a_try_that_the_agent_ends_stops_the_ringing() {
    let exchange = Exchange::start();
    let server = desk(&exchange);
    let mut citizens = citizens(&server, 1);
    let number = citizens[0].script.caller.clone();
    books(&mut citizens[0]);
    exchange.plan(&number, &[Does::Rings]);
    let _phone = phone(&server, "p1");
    let mut agent = agent(&server, "8001", "p1");
    takes(&mut agent);
    level::until("it rings", WAIT, || (exchange.dialled().len() == 1).then_some(()));
    agent.done("call.hangup", json!({}));
    level::until("it rings no more", WAIT, || (exchange.cancelled() == 1).then_some(()));
    level::until("the try is on record", WAIT, || {
        (outcomes(&item(&server, &number)) == ["cancelled"]).then_some(())
    });
    takes(&mut agent);
    speaks(&mut agent);
    agent.done("call.hangup", json!({}));
    assert_eq!(outcomes(&becomes(&server, &number, "reached")), ["cancelled", "answered"]);
    server.assert_clean();
}

/// A number that the rules do not allow is never dialled, whoever asked for it (`attacks.md` S20).
#[test]
fn a_number_outside_the_rules_is_promised_to_nobody() {
    let exchange = Exchange::start();
    let server = desk(&exchange);
    let mut citizen = Phone::udp("toll", server.at.udp);
    citizen.script.caller = "0088213000000".to_owned();
    citizen.dial();
    citizen.press('8');
    level::until("the refusal is counted", WAIT, || {
        let refused = server.metrics().count("hotline_engine_total{what=\"callbacks_refused\"}");
        (refused == 1.0).then_some(())
    });
    citizen.hang_up();
    assert_eq!(item(&server, "0088213000000"), Value::Null, "nothing is promised");
    assert_eq!(exchange.dialled(), Vec::<String>::new());
}
