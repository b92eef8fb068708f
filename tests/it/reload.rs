//! Reload under load: good and broken flows by turns. No call is dropped, none changes its version midway.

use crate::support::level;
use crate::support::load::{Load, Plan, Seen};
use crate::support::server::Setup;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Two versions of one flow: their nodes have different names, so a path tells which it walked.
fn version(name: char) -> String {
    format!(
        "[flow]\nstart = \"{name}_listen\"\nversion = \"{name}\"\n\n\
         [node.{name}_listen]\nkind = \"play\"\nprompt = \"menu\"\nkeys = {{ \"1\" = \"{name}_one\" }}\nnext = \"{name}_people\"\n\n\
         [node.{name}_one]\nkind = \"play\"\nprompt = \"queue_offer\"\nnext = \"{name}_people\"\n\n\
         [node.{name}_people]\nkind = \"queue\"\nqueue = \"main\"\ntimeout = \"{name}_message\"\nfull = \"{name}_message\"\nno_staff = \"{name}_message\"\n\n\
         [node.{name}_message]\nkind = \"voicemail\"\ndone = \"{name}_bye\"\nfailed = \"{name}_bye\"\n\n\
         [node.{name}_bye]\nkind = \"hangup\"\nprompt = \"goodbye\"\n"
    )
}

const BROKEN: &str = "[flow]\nstart = \"listne\"\nversion = \"broken\"\n\n[node.listen]\nkind = \"hangup\"\n";

#[test]
fn reloads_under_load_drop_no_call_and_change_none() {
    let (hups, span) = match std::env::var_os("HOTLINE_PROVE") {
        Some(_) => (100_u32, Duration::from_secs(60)),
        None => (5, Duration::from_secs(5)),
    };
    let mut server = Setup::scenarios().flow("turns", &version('a')).start();
    let load = Load::start(
        Plan {
            name: "reload",
            server: server.at.udp,
            per_second: 20,
            hold: Some(Duration::from_millis(1_500)),
            key: Some((Duration::from_millis(700), '1')),
            patience: Duration::from_secs(20),
        },
        |_, _| {},
    );
    let begun = Instant::now();
    let (mut good, mut broken) = (0_u32, 0_u32);
    for n in 0..hups {
        let due = span * n / hups;
        level::until("the next reload is due", span * 2, || (begun.elapsed() >= due).then_some(()));
        let flow = match n % 4 {
            0 => version('b'),
            2 => version('a'),
            _ => BROKEN.to_owned(),
        };
        server.write_flow("turns", &flow);
        let count = |name: &str| server.metrics().count(name);
        let (loaded, refused) = ("hotline_engine_total{what=\"flow_loaded\"}", "hotline_flow_refused_total");
        let (before, metric) = if n % 2 == 0 { (count(loaded), loaded) } else { (count(refused), refused) };
        server.signal(libc::SIGHUP);
        level::until("the reload is counted", Duration::from_secs(10), || {
            (count(metric) > before).then_some(())
        });
        if n % 2 == 0 { good += 1 } else { broken += 1 }
    }
    let story = load.finish();
    let dropped: Vec<_> = story.iter().filter(|(_, seen)| **seen != [Seen::Answered, Seen::HungUp]).collect();
    assert!(dropped.is_empty(), "of {} calls: {dropped:?}", story.len());

    let api = server.api();
    let ended = |calls: &[Value]| calls.iter().filter(|c| !c["ended_at"].is_null()).count();
    let calls = level::until("all calls are in the tables", Duration::from_secs(20), || {
        let calls = api.list("calls");
        (ended(&calls) == story.len()).then_some(calls)
    });
    let mut walked = [0, 0];
    for call in &calls {
        let path: Vec<&str> =
            call["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let version = path.first().map(|node| &node[..1]).unwrap_or_default();
        assert!(path.iter().all(|node| node.starts_with(version)), "a call changed its version: {call}");
        // Those that the end of the load cut short had not come to their key.
        let whole = call["duration_ms"].as_u64().is_some_and(|ms| ms > 1_200);
        assert!(path.len() >= 2 || !whole, "the key was not taken: {call}");
        walked[usize::from(version == "b")] += 1;
    }
    assert!(walked.iter().all(|n| *n > 0), "both versions were walked: {walked:?}");
    let flows = api.list("flows");
    let refused: Vec<&Value> = flows.iter().filter(|f| !f["refused"].is_null()).collect();
    assert_eq!(refused.len(), broken as usize, "{flows:?}");
    assert!(
        refused.iter().all(|f| f["refused"]
            .as_str()
            .is_some_and(|why| why.contains("turns.toml:2") && why.contains("listne"))),
        "{refused:?}"
    );
    assert!(server.log().contains("listne"), "{}", server.log());
    println!("{} calls over {good} good and {broken} broken reloads; versions {walked:?}", calls.len());
    server.assert_clean();
    assert!(server.stop().success());
    server.assert_replays(calls.len());
}
