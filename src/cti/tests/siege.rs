//! Every bad client at once, over real sockets: each is cut with its code and counted, and meanwhile twenty good pages get every event,
//! in order and soon.

use super::*;
use crate::cti::counts::Cut;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const GOOD: usize = 20;
const EVENTS: u64 = 300;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// A socket past the upgrade, for bytes that no websocket library would send.
async fn raw(address: &str, agent: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let hello = format!(
        "GET /cti/v1?agent={agent} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(hello.as_bytes()).await.unwrap();
    let mut seen = [0; 12];
    socket.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"HTTP/1.1 101");
    socket
}

/// A client's frame: mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..=125 => bytes.push(0x80 | n as u8),
        n => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(n).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Frames that break RFC 6455, each its own way.
fn broken() -> Vec<Vec<u8>> {
    vec![
        // No mask; a reserved opcode; a reserved bit; a close of one byte; a ping in two parts; a text that is no UTF-8; a
        // continuation of nothing; a text within a text.
        vec![0x81, 0x02, b'{', b'}'],
        frame(0x83, b"{}"),
        frame(0xc1, b"{}"),
        frame(0x88, b"x"),
        frame(0x09, b"x"),
        frame(0x81, &[0xff, 0xfe, 0xfd]),
        frame(0x80, b"{}"),
        [frame(0x01, b"{"), frame(0x01, b"}")].concat(),
    ]
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_their_line_and_are_counted() {
    let (bench, _) = Bench::open(HubLimits::default()).await.obliging();
    let all = broken();
    for (n, bytes) in all.iter().enumerate() {
        let mut line = raw(&bench.address, "8003").await;
        line.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, line.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "line {n} is still open");
        let code = rest.windows(4).rev().find(|w| w[0] == 0x88).map(|w| u16::from_be_bytes([w[2], w[3]]));
        assert!(matches!(code, Some(1002 | 1007)), "line {n}: {code:?}");
        assert_eq!(bench.desk.counts().cuts(Cut::Broken), n as u64 + 1, "line {n}");
    }
}

fn micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_bad_clients_at_once_and_twenty_good_ones_get_every_event() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(12_341_u64);
    println!("seed {seed}");
    let limits = HubLimits {
        // Long enough that who does not read is cut for that, before his silence is.
        heartbeat: Duration::from_secs(3),
        outgoing: 64,
        pending: 1000,
        ..HubLimits::default()
    };
    let (bench, _) = Bench::open(limits).await.obliging();
    let over = Arc::new(AtomicBool::new(false));

    let mut good = Vec::new();
    for n in 0..GOOD {
        let mut page = bench.page(&format!("agent=good{n}")).await;
        good.push(tokio::spawn(async move {
            let (mut last, mut seen, mut late) = (0, 0, Vec::new());
            while seen < EVENTS {
                let frame = page.frame().await;
                if frame["event"] != "roster.notice" {
                    continue;
                }
                let seq = frame["seq"].as_u64().unwrap();
                assert!(last == 0 || seq == last + 1, "a gap or a double");
                (last, seen) = (seq, seen + 1);
                let sent: u64 = frame["data"]["note"].as_str().unwrap().parse().unwrap();
                late.push(micros().saturating_sub(sent));
            }
            late
        }));
    }
    // Taken upgrade, then nothing: no FIN, no pong, until the end of the test.
    let gone = raw(&bench.address, "gone").await;
    let slow = bench.page("agent=slow").await;

    let mut bad = Vec::new();
    let fuzzed = Arc::new(AtomicU64::new(0));
    for fuzzer in 0..2_u64 {
        let (url, over, fuzzed) =
            (bench.url(&format!("agent=fuzz{fuzzer}")), Arc::clone(&over), Arc::clone(&fuzzed));
        bad.push(tokio::spawn(async move {
            let mut dice = Dice(seed ^ ((fuzzer + 1) * 0x9e37_79b9));
            let mut page = Page::open(&url).await;
            let names: Vec<&str> = crate::cti::protocol::names().collect();
            while !over.load(Relaxed) {
                let mut text = json!({"id": format!("{}", dice.0), "cmd": names[dice.roll(names.len())],
                    "call": "c-1-1-1", "agent": [1, 2], "to": {"queue": 7}})
                .to_string()
                .into_bytes();
                for _ in 0..dice.roll(6) {
                    let at = dice.roll(text.len());
                    text[at] = b" {}[]:,\"09ax\\"[dice.roll(13)];
                }
                let text = String::from_utf8(text).unwrap();
                page.send(text).await;
                while page.frame().await.get("ok").is_none() {}
                fuzzed.fetch_add(1, Relaxed);
                // Within the rate.
                tokio::time::sleep(Duration::from_millis(11)).await;
            }
        }));
    }
    let (url, address, done) = (bench.url("agent="), bench.address.clone(), Arc::clone(&over));
    bad.push(tokio::spawn(async move {
        let mut round = 0;
        while !done.load(Relaxed) {
            round += 1;
            let mut fast = Page::open(&format!("{url}fast{round}")).await;
            for n in 0..600 {
                let frame = json!({"id": n.to_string(), "cmd": "agent.ready"}).to_string();
                if fast.0.send(Message::text(frame)).await.is_err() {
                    break;
                }
            }
            assert_eq!(fast.end().await, 1008);
            let mut binary = Page::open(&format!("{url}binary{round}")).await;
            binary.0.send(Message::binary(vec![7; 100])).await.unwrap();
            assert_eq!(binary.end().await, 1003);
            let mut big = Page::open(&format!("{url}big{round}")).await;
            let _ = big.0.send(Message::text("x".repeat(64 * 1024 + 1))).await;
            assert_eq!(big.end().await, 1009);
            for bytes in broken() {
                let mut line = raw(&address, "breaker").await;
                let _ = line.write_all(&bytes).await;
                let _ = line.read_to_end(&mut Vec::new()).await;
            }
        }
        assert!(round > 0);
    }));

    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    let large = "x".repeat(60_000);
    for _ in 0..EVENTS {
        for page in 0..GOOD {
            bench.event(&format!("good{page}"), &micros().to_string()).await;
        }
        bench.event("slow", &large).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut late: Vec<u64> = Vec::new();
    for page in good {
        late.extend(page.await.expect("every event, in order"));
    }
    while bench.desk.counts().cuts(Cut::Silent) == 0 || bench.desk.counts().cuts(Cut::Slow) == 0 {
        assert!(
            begun.elapsed() < 3 * PATIENCE,
            "the one who has gone and the one who does not read are still there"
        );
        bench.event("slow", &large).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    over.store(true, Relaxed);
    for client in bad {
        client.await.expect("a bad client saw what it should");
    }
    late.sort_unstable();
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    println!(
        "{} events to {GOOD} good pages beside {} fuzzed commands: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        late.len(),
        fuzzed.load(Relaxed),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    assert_eq!(late.len(), GOOD * EVENTS as usize);
    for cut in [Cut::TooFast, Cut::Binary, Cut::TooBig, Cut::Broken, Cut::Silent, Cut::Slow] {
        assert!(bench.desk.counts().cuts(cut) > 0, "{} is not counted", cut.label());
    }
    drop((gone, slow));
}
