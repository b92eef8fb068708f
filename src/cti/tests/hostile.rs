//! Clients that send too much, too fast, the wrong thing or nothing, or do not read. The others notice nothing.

use super::*;
use crate::cti::counts::Cut;
use serde_json::json;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn frames_too_large_are_closed_1009() {
    let (bench, commands) = Bench::open(HubLimits::default()).await.obliging();
    // The largest that is taken: refused for its field, not for its size.
    let frame = |bytes: usize| {
        let head = "{\"id\":\"a\",\"cmd\":\"assist.request\",\"note\":\"";
        format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2))
    };
    let mut page = bench.page("agent=8003").await;
    page.send(frame(64 * 1024)).await;
    assert_eq!(page.answer("a").await["error"]["code"], "bad_field");
    for (n, bytes) in [64 * 1024 + 1, 200 * 1024, READ_MAX + 1, 2 * READ_MAX].into_iter().enumerate() {
        let mut page = bench.page("agent=8003").await;
        // A writer that is cut off while it sends may find the line gone.
        let _ = page.0.send(Message::text(frame(bytes))).await;
        let code = page.end().await;
        assert!(code == 1009 || bytes > READ_MAX && code == 0, "{bytes} bytes: {code}");
        assert_eq!(bench.desk.counts().cuts(Cut::TooBig), n as u64 + 1);
    }
    assert_eq!(commands.load(Relaxed), 0);
}

#[tokio::test]
async fn more_than_a_hundred_a_second_are_closed_1008_and_a_burst_of_two_hundred_is_not() {
    let (bench, commands) = Bench::open(HubLimits { pending: 1000, ..HubLimits::default() }).await.obliging();
    let mut page = bench.page("agent=8003").await;
    for n in 0..200 {
        page.send(json!({"id": n.to_string(), "cmd": "agent.ready"})).await;
    }
    for n in 0..200 {
        assert_eq!(page.answer(&n.to_string()).await["ok"], true);
    }
    assert_eq!(commands.load(Relaxed), 200);
    let mut page = bench.page("agent=8004").await;
    for n in 0..600 {
        let frame = json!({"id": n.to_string(), "cmd": "agent.ready"}).to_string();
        if page.0.send(Message::text(frame)).await.is_err() {
            break;
        }
    }
    assert_eq!(page.end().await, 1008);
    assert_eq!(bench.desk.counts().cuts(Cut::TooFast), 1);
    // Pings count as well, and so does what is no command.
    for message in [Message::Ping(vec![].into()), Message::text("{")] {
        let mut page = bench.page("agent=8005").await;
        for _ in 0..600 {
            if page.0.send(message.clone()).await.is_err() {
                break;
            }
        }
        assert_eq!(page.end().await, 1008);
    }
}

#[tokio::test]
async fn binary_frames_are_closed_1003_and_what_is_no_json_is_answered() {
    let (bench, _) = Bench::open(HubLimits::default()).await.obliging();
    let mut page = bench.page("agent=8003").await;
    page.send("{\"id\":").await;
    loop {
        let frame = page.frame().await;
        if frame.get("ok").is_some() {
            assert_eq!((&frame["re"], &frame["error"]["code"]), (&Value::Null, &json!("bad_frame")));
            break;
        }
    }
    assert_eq!(page.ask(json!({"id": "a", "cmd": "agent.ready"})).await["ok"], true, "the line goes on");
    page.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(page.end().await, 1003);
}

/// Frames put together from pieces of real ones: each is answered once, nothing falls, a neighbour is served meanwhile.
#[tokio::test]
async fn random_frames_are_each_answered() {
    let (bench, _) = Bench::open(HubLimits::default()).await.obliging();
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(12_341_u64);
    println!("seed {seed}");
    let mut dice = seed | 1;
    let mut roll = move |sides: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice % sides as u64).unwrap()
    };
    let names: Vec<&str> = crate::cti::protocol::names().collect();
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "1e999",
        "\\u0000",
        "id",
        "cmd",
        "c-1-1-1",
        "\u{1F600}",
        " ",
        "-",
        "true",
    ];
    let mut neighbour = bench.page("agent=quiet").await;
    for round in 0..20 {
        let mut page = bench.page(&format!("agent=a{round}&lead=true")).await;
        let mut answers = 0;
        for n in 0..150 {
            let frame = match roll(3) {
                0 => (0..roll(30)).map(|_| pieces[roll(pieces.len())]).collect::<String>(),
                1 => {
                    let values = [
                        json!(null),
                        json!(1),
                        json!("x"),
                        json!([1]),
                        json!({"agent": "8001"}),
                        json!(true),
                    ];
                    let mut frame = json!({"id": n.to_string(), "cmd": names[roll(names.len())]});
                    for field in ["call", "to", "reason", "agent", "state", "sdp", "queues", "digits"] {
                        if roll(3) == 0 {
                            frame[field] = values[roll(values.len())].clone();
                        }
                    }
                    frame.to_string()
                }
                _ => {
                    let mut frame = json!({"id": n.to_string(), "cmd": names[roll(names.len())]}).to_string();
                    frame.truncate(roll(frame.len() + 1));
                    frame
                }
            };
            page.send(frame).await;
        }
        while answers < 150 {
            let frame = page.frame().await;
            answers += usize::from(frame.get("ok").is_some());
        }
        assert_eq!(neighbour.ask(json!({"id": round.to_string(), "cmd": "agent.ready"})).await["ok"], true);
    }
}

#[tokio::test]
async fn half_open_lines_are_cut_and_the_engine_is_told() {
    let limits = HubLimits { heartbeat: Duration::from_millis(500), ..HubLimits::default() };
    let mut bench = Bench::open(limits).await;
    // A client that answers pings stays, though it says nothing.
    let (mut alive, ..) = bench.page_with_snapshot("agent=alive").await;
    // One that took the upgrade and went away without a word.
    let mut dead = TcpStream::connect(&bench.address).await.unwrap();
    dead.write_all(
        b"GET /cti/v1?agent=dead HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )
    .await
    .unwrap();
    let mut seen = [0; 12];
    dead.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"HTTP/1.1 101");
    let begun = Instant::now();
    let talking = tokio::spawn(async move {
        // Reading is what answers pings.
        let frame = alive.next().await;
        (alive, frame)
    });
    while bench.hear().await != (ToEngine::Present { agent: "dead".into(), present: false }) {}
    assert!(begun.elapsed() >= Duration::from_millis(1200), "two heartbeats and a half");
    assert_eq!(bench.desk.counts().cuts(Cut::Silent), 1);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    bench.event("alive", "still here").await;
    let (_alive, frame) = talking.await.unwrap();
    assert_eq!(frame.unwrap()["data"]["note"], "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_does_not_read_is_cut_and_fifty_others_get_everything() {
    // A quick page's hundred events fit its queue whatever else this machine does.
    let limits = HubLimits { outgoing: 256, ..HubLimits::default() };
    let (bench, _) = Bench::open(limits).await.obliging();
    let slow = bench.page("agent=slow").await;
    let mut quick = Vec::new();
    for n in 0..50 {
        let mut page = bench.page(&format!("agent=q{n}")).await;
        quick.push(tokio::spawn(async move {
            let (mut count, mut last) = (0, 0);
            let mut late = Duration::ZERO;
            while count < 100 {
                let frame = page.frame().await;
                if frame["event"] == "roster.notice" {
                    let seq = frame["seq"].as_u64().unwrap();
                    assert!(last == 0 || seq == last + 1);
                    last = seq;
                    count += 1;
                    let sent: u64 = frame["data"]["note"].as_str().unwrap().parse().unwrap();
                    late = late.max(Duration::from_micros(micros().saturating_sub(sent)));
                }
            }
            late
        }));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let large = "x".repeat(60_000);
    let mut told = 0;
    for _ in 0..100 {
        for n in 0..50 {
            bench.event(&format!("q{n}"), &micros().to_string()).await;
        }
        for _ in 0..10 {
            bench.event("slow", &large).await;
            told += 1;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut late: Vec<Duration> = Vec::new();
    for page in quick {
        late.push(page.await.unwrap());
    }
    late.sort();
    println!("{told} large events to a slow reader; worst event of 50 quick ones {:?}", late.last());
    assert_eq!(bench.desk.counts().cuts(Cut::Slow), 1);
    drop(slow);
}

fn micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

#[tokio::test]
async fn who_signs_out_is_closed_4401_at_once_or_at_the_next_look() {
    let limits = HubLimits { recheck: Duration::from_millis(100), ..HubLimits::default() };
    let (bench, _) = Bench::open(limits).await.obliging();
    let mut first = bench.page("agent=8003&sign_in=1").await;
    let mut second = bench.page("agent=8003&sign_in=2").await;
    for page in [&mut first, &mut second] {
        assert_eq!(page.frame().await["event"], "hello");
    }
    bench.desk.signed_out("8003", Some([1; 32])).await;
    assert_eq!(first.end().await, 4401);
    bench.standing.store(2, Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        second.ask(json!({"id": "a", "cmd": "agent.login"})).await["re"],
        "a",
        "a database away ends nothing"
    );
    bench.standing.store(1, Relaxed);
    assert_eq!(second.end().await, 4401);
    bench.standing.store(0, Relaxed);
    let mut third = bench.page("agent=8003&sign_in=3").await;
    third.frame().await;
    bench.desk.signed_out("8003", None).await;
    assert_eq!(third.end().await, 4401);
    assert_eq!(bench.desk.counts().cuts(Cut::SignedOut), 3);
}

#[tokio::test]
async fn one_page_too_many_and_an_engine_that_gives_no_snapshot_are_closed_1013() {
    let limits = HubLimits { patience: Duration::from_millis(1500), ..HubLimits::default() };
    let bench = Bench::open(limits).await;
    let mut pages = Vec::new();
    for n in 0..8 {
        let mut page = bench.page(&format!("agent=8003&sign_in={n}")).await;
        assert_eq!(page.frame().await["event"], "hello");
        pages.push(page);
    }
    assert_eq!(bench.page("agent=8003&sign_in=9").await.end().await, 1013);
    for page in &mut pages {
        assert_eq!(page.end().await, 1013);
    }
    assert_eq!(bench.desk.counts().cuts(Cut::NoSnapshot), 8);
}

#[tokio::test]
async fn a_stop_is_told_as_a_restart() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    let Bench { engine, desk, .. } = bench;
    drop(engine);
    assert_eq!(page.end().await, 1012);
    let counts = desk.counts();
    for _ in 0..100 {
        if counts.open.load(Relaxed) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(counts.open.load(Relaxed), 0);
}

#[tokio::test]
async fn a_page_that_says_goodbye_is_answered_with_one() {
    let mut bench = Bench::open(HubLimits::default()).await;
    let (mut page, ..) = bench.page_with_snapshot("agent=8003").await;
    page.0.close(None).await.unwrap();
    let mut orderly = false;
    while let Some(message) = page.0.next().await {
        orderly |= matches!(message.expect("no reset"), Message::Close(_));
    }
    assert!(orderly);
    while bench.hear().await != (ToEngine::Present { agent: "8003".into(), present: false }) {}
}
