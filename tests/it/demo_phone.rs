//! The demonstration's telephone: a browser calls as a citizen.

use crate::support::level;
use crate::support::server::{Setup, TOP};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_browser_calls_the_hotline_as_a_citizen() {
    let server = Setup { args: vec!["--demo".into()], ..Setup::of("") }.start();
    let mut script = Command::new("node");
    script
        .current_dir(format!("{TOP}/panel"))
        .arg("e2e/phone.mjs")
        .arg(format!("http://{}/", server.at.http));
    if let Ok(picture) = std::env::var("HOTLINE_PICTURE") {
        script.arg(picture);
    }
    let output = script.output().expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(&told).expect("JSON");
    println!("{seen}");
    assert_eq!(seen["idle"], "未通话");
    assert_eq!(seen["english"], "In a call");
    assert_eq!(seen["errors"].as_array().map(Vec::len), Some(0), "{seen}");
    assert!(seen["ear"].as_f64().is_some_and(|most| most >= 0.05), "the greeting was heard: {seen}");
    assert!(seen["microphone"].as_f64().is_some_and(|most| most >= 0.01), "{seen}");
    assert_eq!(seen["pressed"], 204, "{seen}");
    assert_eq!(seen["early"], "talking", "six seconds are not ten: {seen}");
    assert_eq!(seen["gone"], serde_json::json!({"state": "ended", "reason": "hung_up"}), "{seen}");

    let number = seen["number"].as_str().expect("a number");
    let api = server.api();
    let call =
        level::until("the call with its draft ticket is in the tables", Duration::from_secs(15), || {
            api.list("calls").into_iter().find(|call| {
                // Masked for some: the tail is always there.
                call["caller"].as_str().is_some_and(|caller| caller.ends_with(&number[7..]))
                    && call["end_reason"] == "caller_hung_up"
                    && call["tickets"].as_array().is_some_and(|tickets| !tickets.is_empty())
            })
        });
    let events = Value::from(api.events(&call)).to_string();
    println!("{call}\n{events}");
    assert!(events.contains("digit"), "the key was heard: {events}");
    let metrics = server.metrics();
    assert!(metrics.count("hotline_demo_phone_total{what=\"calls\"}") >= 5.0);
    assert!(metrics.count("hotline_demo_phone_total{what=\"refused\"}") >= 1.0);
}

#[test]
fn there_is_no_telephone_without_the_demonstration() {
    let server = Setup::of("").start();
    let ask = reqwest::blocking::Client::new();
    for path in ["demo/phone", "demo/phone/phone.js", "demo/phone/calls/x"] {
        let answer = ask.get(format!("http://{}/{path}", server.at.http)).send().expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
}
