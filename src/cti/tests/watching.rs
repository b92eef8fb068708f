//! Every command of every kind of page: the one that acts, one that only watches, the page a reload left behind, another sign-in.
//! What an agent's state makes of a command is the engine's: `tests/desk/table.rs`.

use super::*;
use serde_json::json;

/// `ok`: it goes on, to the engine or the audio, and is answered by that; otherwise the code. The columns: a page that acts, a page
/// opened to watch, a page of the same sign-in after a reload, another sign-in, an acting agent who is no lead.
const TABLE: &str = "
agent.login            | ok watching watching watching ok
agent.logout           | ok watching watching watching ok
agent.ready            | ok watching watching watching ok
agent.not_ready        | ok watching watching watching ok
agent.break_request    | ok watching watching watching ok
agent.break_withdraw   | ok watching watching watching ok
call.answer            | ok watching watching watching ok
call.reject            | ok watching watching watching ok
call.hangup            | ok watching watching watching ok
call.hold              | ok watching watching watching ok
call.retrieve          | ok watching watching watching ok
call.dtmf              | ok watching watching watching ok
call.dial              | ok watching watching watching ok
call.consult           | ok watching watching watching ok
call.transfer          | ok watching watching watching ok
call.conference        | ok watching watching watching ok
call.complete          | ok watching watching watching ok
call.mark              | ok watching watching watching ok
wrapup.finish          | ok watching watching watching ok
wrapup.extend          | ok watching watching watching ok
recording.pause        | ok watching watching watching ok
recording.resume       | ok watching watching watching ok
media.offer            | ok watching watching watching ok
media.candidate        | ok watching watching watching ok
media.restart          | ok watching watching watching ok
media.microphone       | ok watching watching watching ok
media.probe            | ok watching watching watching ok
supervisor.listen      | ok watching watching watching not_allowed
supervisor.whisper     | ok watching watching watching not_allowed
supervisor.barge       | ok watching watching watching not_allowed
supervisor.takeover    | ok watching watching watching not_allowed
supervisor.force_state | ok watching watching watching not_allowed
assist.request         | ok watching watching watching ok
assist.cancel          | ok watching watching watching ok
crisis.raise           | ok watching watching watching ok
queue.watch            | ok watching watching watching ok
";

/// With the fields it needs.
fn frame(cmd: &str, id: &str) -> Value {
    let mut frame = json!({"id": id, "cmd": cmd});
    let fields = match cmd {
        "agent.not_ready" | "agent.break_request" => json!({"reason": "lunch"}),
        "call.dtmf" => json!({"digits": "1"}),
        "call.dial" => json!({"number": "12341"}),
        "call.mark" => json!({"special": "minor"}),
        "call.consult" => json!({"to": {"agent": "8004"}}),
        "media.offer" => json!({"sdp": "v=0\r\n"}),
        "media.candidate" => json!({"candidate": ""}),
        "media.microphone" => json!({"state": "live"}),
        "media.probe" => json!({"received": 1}),
        "supervisor.force_state" => json!({"agent": "8004", "state": "offline"}),
        "queue.watch" => json!({"queues": []}),
        _ if cmd.starts_with("supervisor.") => json!({"agent": "8004"}),
        _ => json!({}),
    };
    for (key, value) in fields.as_object().into_iter().flatten() {
        frame[key] = value.clone();
    }
    frame
}

/// Each command once: `ok` or its code. One answer each; an answer nobody waits for fails.
async fn column(page: &mut Page, name: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for (n, cmd) in crate::cti::protocol::names().enumerate() {
        // Of its own: an id once answered is answered the same again.
        let id = format!("{name}{n}");
        let answer = page.ask(frame(cmd, &id)).await;
        let code = answer["error"]["code"].as_str().unwrap_or("ok").to_owned();
        assert_eq!(answer["ok"] == true, code == "ok", "{answer}");
        codes.push(code);
    }
    codes
}

#[tokio::test]
async fn every_command_of_every_kind_of_page_is_answered_once() {
    let (bench, commands) = Bench::open(HubLimits::default()).await.obliging();
    let mut acting = bench.page("agent=lead&lead=true&sign_in=1").await;
    let mut columns = vec![column(&mut acting, "acting").await];
    let mut watching = bench.page("agent=lead&lead=true&sign_in=1&watch=true").await;
    columns.push(column(&mut watching, "watching").await);
    let mut reloaded = bench.page("agent=lead&lead=true&sign_in=1").await;
    assert_eq!(reloaded.frame().await["data"]["acting"], true);
    let reached = commands.load(Relaxed);
    columns.push(column(&mut acting, "left").await);
    let mut other = bench.page("agent=lead&lead=true&sign_in=2").await;
    columns.push(column(&mut other, "other").await);
    assert_eq!(commands.load(Relaxed), reached, "nothing of those who watch reached the engine");
    let mut agent = bench.page("agent=8003&sign_in=3").await;
    columns.push(column(&mut agent, "agent").await);
    let row = |(n, cmd): (usize, &str)| {
        let cells: Vec<&str> = columns.iter().map(|column| column[n].as_str()).collect();
        format!("{cmd:23}| {}", cells.join(" "))
    };
    let rows = crate::cti::protocol::names().enumerate().map(row).collect::<Vec<_>>().join("\n");
    assert_eq!(rows, TABLE.trim(), "\n{rows}");
    // Nobody is told twice: what comes after the next answer would be a second one.
    for page in [&mut acting, &mut watching, &mut reloaded, &mut other, &mut agent] {
        page.send(json!({"id": "last", "cmd": "queue.watch", "queues": []})).await;
        loop {
            let frame = page.frame().await;
            if !frame["re"].is_null() {
                assert_eq!(frame["re"], "last");
                break;
            }
        }
    }
}
