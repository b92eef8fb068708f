//! `kill -9` at random moments under load, and a database that is away: nothing that was promised is lost, nothing is there twice.
//!
//! Every caller books a callback; the flow hangs up only when the number is safe, so a BYE from the server is an acknowledgement. An
//! oracle outside the server writes each down, in a file that is only appended to, at the moment it is seen.

use crate::support::api::Api;
use crate::support::level;
use crate::support::load::{Load, Plan, Seen};
use crate::support::postgres::Postgres;
use crate::support::server::{Server, Setup, text};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SOON: Duration = Duration::from_secs(60);

fn prove() -> bool {
    std::env::var_os("HOTLINE_PROVE").is_some()
}

fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.subsec_nanos().into());
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(now);
    println!("SEED={seed}");
    seed
}

/// Everybody is promised a callback; the numbers may be dialled, or nothing would be promised.
fn booking() -> Setup {
    let dial = "\n[dial]\nallow = [\"12000*\"]\n";
    Setup::of(&[include_str!("../../sipp-scenarios/hotline.toml"), dial].concat())
        .flow("book", include_str!("flows/callback.toml"))
}

fn callers(name: &'static str, server: &Server, oracle: &Path) -> Load {
    let plan = Plan {
        name,
        server: server.at.udp,
        per_second: 50,
        hold: None,
        key: None,
        patience: Duration::from_secs(20),
    };
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(oracle).expect("the oracle's file");
    Load::start(plan, move |call_id, seen| {
        if seen == Seen::EndedByServer {
            writeln!(file, "{call_id}").expect("write down what was acknowledged");
        }
    })
}

fn acknowledged(oracle: &Path) -> BTreeSet<String> {
    std::fs::read_to_string(oracle).expect("the oracle's file").lines().map(str::to_owned).collect()
}

/// Everything durable is in the tables.
fn caught_up(server: &Server) {
    level::until("the tables have caught up with the journal", SOON, || {
        let metrics = server.metrics();
        let at = |name: &str| metrics.get(name);
        (at("hotline_journal_durable")? <= at("hotline_projector_cursor")?
            && at("hotline_journal_backlog")? == 0.0)
            .then_some(())
    });
}

/// What the desk knows, compared with what callers were told.
fn compare(api: &Api, told: &BTreeSet<String>) {
    let calls = api.list("calls");
    let mut by_sip: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for call in &calls {
        by_sip.entry(call["sip_call_id"].as_str().unwrap_or_default()).or_default().push(call);
    }
    let tickets = api.tickets();
    let mut by_call: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for ticket in &tickets {
        for call in ticket["calls"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            by_call.entry(call).or_default().push(ticket);
        }
        if let Some(no) = ticket["no"].as_str() {
            assert!(numbers.insert(no.to_owned()), "number {no} was given twice");
        }
    }
    for call in &calls {
        let id = call["id"].as_str().unwrap_or_default();
        assert_eq!(by_call.get(id).map_or(0, Vec::len), 1, "one draft for {call}");
        assert!(!call["end_reason"].is_null(), "a call without an end: {call}");
    }
    for sip_id in told {
        let records = by_sip
            .get(sip_id.as_str())
            .unwrap_or_else(|| panic!("{sip_id} was acknowledged and is not there"));
        assert_eq!(records.len(), 1, "{sip_id} is there twice");
        let id = records[0]["id"].as_str().unwrap_or_default();
        assert!(
            by_call[id][0]["no"].is_string(),
            "{sip_id} was acknowledged and has no number: {}",
            by_call[id][0]
        );
    }
    println!("{} calls, {} acknowledged, {} numbers", calls.len(), told.len(), numbers.len());
}

fn verified(server: &Server) {
    let output = server.run(&["db", "verify"]);
    assert!(output.status.success(), "db verify: {}", text(&output));
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let mut rng = ChaCha8Rng::seed_from_u64(seed());
    let kills = if prove() { 40 } else { 5 };
    let dir = tempfile::tempdir().expect("a folder");
    let oracle: PathBuf = dir.path().join("acknowledged");
    let mut server = booking().start();
    let load = callers("kill", &server, &oracle);
    for n in 0..kills {
        let more = load.calls() + 10 + (rng.next_u64() % 90) as usize;
        level::until("callers come", SOON, || (load.calls() >= more).then_some(()));
        server.kill();
        server.restart();
        println!(
            "kill {}: {} calls made, {} acknowledged",
            n + 1,
            load.calls(),
            load.count(Seen::EndedByServer)
        );
    }
    let before = load.count(Seen::EndedByServer);
    level::until("service goes on", SOON, || (load.count(Seen::EndedByServer) > before).then_some(()));
    load.finish();
    caught_up(&server);
    let told = acknowledged(&oracle);
    assert!(told.len() > kills, "{} calls were acknowledged", told.len());
    compare(&server.api(), &told);
    assert!(server.stop().success(), "{}", server.log());
    verified(&server);
    server.assert_replays(told.len());
}

#[test]
fn calls_go_on_while_postgresql_is_away() {
    let Some(mut postgres) = Postgres::start() else { return };
    let away = Duration::from_secs(if prove() { 30 } else { 5 });
    let dir = tempfile::tempdir().expect("a folder");
    let oracle: PathBuf = dir.path().join("acknowledged");
    let mut server = booking().key("database.url", postgres.url()).start();
    let load = callers("away", &server, &oracle);
    level::until("callers come", SOON, || (load.calls() > 50).then_some(()));
    postgres.stop();
    let (stopped, made) = (std::time::Instant::now(), load.calls());
    level::until("callers come while the database is away", away + SOON, || {
        (stopped.elapsed() >= away && load.calls() > made + 50).then_some(())
    });
    assert_eq!(server.readyz(), Some(200), "calls are answered, so the server is ready");
    postgres.resume();
    let story = load.finish();
    let unanswered: Vec<_> = story.iter().filter(|(_, seen)| !seen.contains(&Seen::Answered)).collect();
    assert!(unanswered.is_empty(), "not answered: {unanswered:?}");
    caught_up(&server);
    let api = server.api();
    compare(&api, &acknowledged(&oracle));
    // In order: the list is newest first, and a call's id tells its age.
    let ids: Vec<String> =
        api.list("calls").iter().map(|c| c["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "calls are out of order");
    assert!(server.stop().success(), "{}", server.log());
    verified(&server);
}
