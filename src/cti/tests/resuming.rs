//! Lines lost and found again, over real sockets.

use super::*;
use crate::cti::stream::StreamLimits;
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_page_that_comes_back_gets_exactly_what_it_missed() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, _, snapshot) = bench.page_with_snapshot("agent=8003").await;
    let first = snapshot["seq"].as_u64().unwrap();
    bench.event("8003", "1").await;
    assert_eq!(page.frame().await["seq"], first + 1);
    drop(page);
    for note in ["2", "3"] {
        bench.event("8003", note).await;
    }
    let mut page = bench.page(&format!("agent=8003&resume={}", first + 1)).await;
    let hello = page.frame().await;
    assert_eq!((&hello["data"]["resumed"], &hello["data"]["resume"]), (&json!(true), &json!(first + 1)));
    bench.event("8003", "4").await;
    for n in 2..=4 {
        let frame = page.frame().await;
        assert_eq!((&frame["seq"], &frame["data"]["note"]), (&json!(first + n), &json!(n.to_string())));
    }
}

#[tokio::test]
async fn numbers_of_another_process_or_too_old_ones_give_a_snapshot() {
    let stream = StreamLimits { events: 3, ..HubLimits::default().stream };
    let mut bench = Bench::open(HubLimits { stream, ..HubLimits::default() }).await;
    let (page, _, snapshot) = bench.page_with_snapshot("agent=8003").await;
    drop(page);
    let first = snapshot["seq"].as_u64().unwrap();
    assert_ne!(crate::cti::first_seq(6) >> 28, first >> 28);
    for note in ["1", "2", "3", "4"] {
        bench.event("8003", note).await;
    }
    // The fourth event is in when this one is answered.
    for resume in [first, crate::cti::first_seq(6) + 4, first + 5, 0] {
        let (page, hello, snapshot) = bench.page_with_snapshot(&format!("agent=8003&resume={resume}")).await;
        assert_eq!(hello["data"]["resumed"], false, "{resume}");
        assert_eq!(snapshot["seq"], first + 4);
        drop(page);
    }
}

#[tokio::test]
async fn events_before_the_snapshot_are_in_it_and_later_ones_follow() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let mut page = bench.page("agent=8003").await;
    let hello = page.frame().await;
    let re = loop {
        if let ToEngine::Snapshot { re, .. } = bench.hear().await {
            break re;
        }
    };
    bench.event("8003", "before").await;
    bench.say(snapshot(&"8003".into(), re, AgentState::Ready)).await;
    bench.event("8003", "after").await;
    let first = hello["data"]["resume"].as_u64().unwrap();
    let told = page.frame().await;
    assert_eq!((&told["event"], &told["seq"]), (&json!("snapshot"), &json!(first + 1)));
    let told = page.frame().await;
    assert_eq!((&told["seq"], &told["data"]["note"]), (&json!(first + 2), &json!("after")));
}

/// Fifty agents, a thousand lost lines: a page's history is the agent's history from its last snapshot on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lost_lines_among_fifty_agents() {
    let stream = StreamLimits { events: 15, ..HubLimits::default().stream };
    let (bench, _) = Bench::open(HubLimits { stream, ..HubLimits::default() }).await.obliging();
    let bench = Arc::new(bench);
    let seed = 20_261_123_u64;
    println!("seed {seed}");
    let told = Arc::clone(&bench);
    let telling = tokio::spawn(async move {
        for n in 0_u64.. {
            let agent = format!("a{}", (n.wrapping_mul(7919) ^ seed) % 50);
            if told.engine.send(notice(&agent, &n.to_string())).await.is_err() {
                return;
            }
            if n % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let mut pages = Vec::new();
    for agent in 0..50_u64 {
        let bench = Arc::clone(&bench);
        pages.push(tokio::spawn(async move {
            let mut dice = seed ^ (agent + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut roll = move |sides: u64| {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                dice % sides
            };
            let mut seen: Option<u64> = None;
            let (mut resumed, mut snapshots) = (0, 0);
            let mut history = BTreeMap::new();
            for _ in 0..21 {
                let query = match seen {
                    Some(n) => format!("agent=a{agent}&resume={n}"),
                    None => format!("agent=a{agent}"),
                };
                let mut page = bench.page(&query).await;
                let hello = page.frame().await;
                if hello["data"]["resumed"] == true {
                    resumed += 1;
                } else {
                    let snapshot = page.frame().await;
                    assert_eq!(snapshot["event"], "snapshot");
                    seen = snapshot["seq"].as_u64();
                    snapshots += 1;
                }
                for _ in 0..roll(30) {
                    let frame = page.frame().await;
                    let seq = frame["seq"].as_u64().unwrap();
                    assert_eq!(Some(seq), seen.map(|n| n + 1), "a{agent}: a gap or a double");
                    seen = Some(seq);
                    if frame["event"] == "session.taken_over" {
                        // The hub had not yet seen the last page go.
                        continue;
                    }
                    let note: u64 = frame["data"]["note"].as_str().unwrap().parse().unwrap();
                    assert_eq!((note.wrapping_mul(7919) ^ seed) % 50, agent, "another's event");
                    assert_eq!(history.insert(seq, note), None);
                }
                // Cut off in the middle, without a word; now and then long enough for the ring to move on.
                drop(page);
                tokio::time::sleep(Duration::from_millis(if roll(10) == 0 { 150 } else { roll(5) })).await;
            }
            assert!(history.values().is_sorted(), "the engine's order");
            (resumed, snapshots)
        }));
    }
    let (mut resumed, mut snapshots) = (0, 0);
    for page in pages {
        let (r, s) = page.await.unwrap();
        resumed += r;
        snapshots += s;
    }
    telling.abort();
    println!("{resumed} resumed, {snapshots} snapshots");
    assert_eq!(resumed + snapshots, 1050);
    assert!(resumed > 200 && snapshots > 50);
}
