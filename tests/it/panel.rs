//! The panel in the system's browser, against the demonstration: what is live is seen, what was recorded is heard.

use crate::support::caller::Phone;
use crate::support::level;
use crate::support::server::{Setup, TOP};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_lead_sees_the_live_call_and_hears_a_recording() {
    let server = { Setup { args: vec!["--demo".into()], ..Setup::of("") }.start() };
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
    let server = { Setup { args: vec!["--demo".into()], ..Setup::of("") }.start() };
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
