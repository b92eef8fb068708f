//! Calls run again from their journal: no difference as they were, and the first one named after the flow was changed.

use crate::support::level;
use crate::support::server::{Setup, text};
use crate::support::sipp::Sipp;
use serde_json::Value;
use std::time::Duration;

const FLOW: &str = include_str!("flows/keys.toml");

#[test]
fn a_changed_flow_is_told_by_the_first_step_that_differs() {
    let mut server = Setup::scenarios().flow("keys", FLOW).start();
    for scenario in ["basic-call", "digits-info-plain", "digits-info-relay"] {
        let run = Sipp::new(scenario).call(&server);
        assert_eq!(run.code, Some(0), "{}", run.explain());
    }
    let api = server.api();
    let (call, path) = level::until("a call that took a key", Duration::from_secs(15), || {
        api.list("calls").into_iter().find_map(|call| {
            let path: Vec<String> =
                call["path"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            (path.iter().any(|node| node == "one") && !call["ended_at"].is_null())
                .then(|| (call["id"].as_str().unwrap_or_default().to_owned(), path))
        })
    });
    assert_eq!(path[..2], ["listen", "one"]);
    server.assert_clean();
    assert!(server.stop().success(), "{}", server.log());
    server.assert_replays(3);

    let one_first = FLOW.replacen("keys = { \"1\" = \"one\" }", "keys = { \"1\" = \"two\" }", 1);
    let comfort = "prompt = \"queue_comfort\"\nnext = \"people\"";
    let changed = one_first.replacen(comfort, "prompt = \"queue_comfort\"\nnext = \"one\"", 1);
    assert!(one_first != FLOW && changed != one_first, "both changes change something");
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), changed).expect("write the flow");
    let name = file.path().to_str().expect("a path in UTF-8");
    let output = server.run(&["call", "replay", &call, "--flow", name, "--json"]);
    assert!(!output.status.success(), "a difference fails the command: {}", text(&output));
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {}", text(&output)));
    let differences = told["differences"].as_array().expect("a list");
    assert_eq!((differences.len(), &told["calls"]), (1, &Value::from(1)), "{told}");
    let (then, now) = (&differences[0]["recorded"].to_string(), &differences[0]["replayed"].to_string());
    assert!(then.contains("one") && now.contains("two") && !now.contains("\"one"), "{told}");
    println!("{}", text(&server.run(&["call", "replay", &call, "--flow", name])));
}
