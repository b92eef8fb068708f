//! Clients as they should not be: fuzzed frames, too fast, too large, binary, bytes that are no websocket, half-open, not reading.

use super::pages::Dice;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

type Socket = WebSocketStream<TcpStream>;

/// How many there are of each kind.
pub const FUZZERS: usize = 10;
pub const RACERS: usize = 4;
pub const MUTE: usize = 10;
pub const DEAF: usize = 10;
pub const ALL: usize = FUZZERS + RACERS + MUTE + DEAF;

/// Commands that fuzzers damage.
const NAMES: [&str; 8] = [
    "agent.login",
    "agent.ready",
    "call.answer",
    "call.dial",
    "call.transfer",
    "queue.watch",
    "supervisor.listen",
    "media.offer",
];

/// Close codes that the clients were given, and frames they sent.
#[derive(Default)]
pub struct Seen {
    pub closed: AtomicUsize,
    pub sent: AtomicUsize,
}

/// Starts all of them, each with one of the tokens; they go on until `over`.
pub fn unleash(at: SocketAddr, tokens: &[String], over: &Arc<AtomicBool>, seen: &Arc<Seen>) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for (n, token) in tokens.iter().enumerate().take(ALL) {
        let (token, over, seen) = (token.clone(), Arc::clone(over), Arc::clone(seen));
        let dice = Dice(n as u64 * 7919 + 12_341);
        all.spawn(async move {
            while !over.load(Relaxed) {
                match n {
                    n if n < FUZZERS => fuzz(at, &token, &over, &seen, Dice(dice.0)).await,
                    n if n < FUZZERS + RACERS => race(at, &token, &seen).await,
                    n if n < FUZZERS + RACERS + MUTE => mute(at, &token, &over, &seen, false).await,
                    _ => mute(at, &token, &over, &seen, true).await,
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    all
}

/// `narrow`: with as little room for what is not read as the kernel gives.
async fn open(at: SocketAddr, token: &str, narrow: bool) -> Result<Socket, Box<dyn Error + Send + Sync>> {
    let mut request = format!("ws://{at}/cti/v1").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse()?);
    headers.insert("sec-websocket-protocol", "hotline.cti.v1".parse()?);
    let socket = TcpSocket::new_v4()?;
    if narrow {
        socket.set_recv_buffer_size(4096)?;
    }
    let stream = socket.connect(at).await?;
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}

/// Damaged commands, as many as are allowed.
async fn fuzz(at: SocketAddr, token: &str, over: &AtomicBool, seen: &Seen, mut dice: Dice) {
    let Ok(mut page) = open(at, token, false).await else { return };
    while !over.load(Relaxed) {
        let name = NAMES[dice.roll(NAMES.len() as u64) as usize];
        let mut text = json!({"id": format!("{}", dice.0), "cmd": name, "call": "c-1-1-1", "agent": [1, 2],
            "to": {"queue": 7}, "queues": ["people"]})
        .to_string()
        .into_bytes();
        for _ in 0..dice.roll(6) {
            let place = dice.roll(text.len() as u64) as usize;
            text[place] = b" {}[]:,\"09ax\\"[dice.roll(13) as usize];
        }
        // Only ASCII was put in.
        let Ok(text) = String::from_utf8(text) else { continue };
        if page.send(Message::text(text)).await.is_err() {
            break;
        }
        seen.sent.fetch_add(1, Relaxed);
        let pause = tokio::time::sleep(Duration::from_millis(11));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                frame = page.next() => if !matches!(frame, Some(Ok(_))) { return },
            }
        }
    }
}

/// One after the other: 600 commands at once, a binary frame, a frame that is too large, bytes that break RFC 6455.
async fn race(at: SocketAddr, token: &str, seen: &Seen) {
    for round in 0..4 {
        let Ok(mut page) = open(at, token, false).await else { return };
        let sent = match round {
            0 => {
                for n in 0..600 {
                    let frame = json!({"id": n.to_string(), "cmd": "agent.ready"}).to_string();
                    if page.feed(Message::text(frame)).await.is_err() {
                        break;
                    }
                    seen.sent.fetch_add(1, Relaxed);
                }
                page.flush().await
            }
            1 => page.send(Message::binary(vec![7; 100])).await,
            2 => page.send(Message::text("x".repeat(64 * 1024 + 1))).await,
            // No mask: a client must have one.
            _ => page.get_mut().write_all(&[0x81, 0x02, b'{', b'}']).await.map_err(Into::into),
        };
        let _ = sent;
        until_closed(&mut page, seen).await;
    }
}

async fn until_closed(page: &mut Socket, seen: &Seen) {
    let closing = async {
        while let Some(Ok(frame)) = page.next().await {
            if matches!(frame, Message::Close(_)) {
                seen.closed.fetch_add(1, Relaxed);
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), closing).await;
}

/// Watches the floor and takes nothing any more. `writes`: it goes on talking, so that only its not reading tells.
async fn mute(at: SocketAddr, token: &str, over: &AtomicBool, seen: &Seen, writes: bool) {
    let Ok(mut page) = open(at, token, writes).await else { return };
    let watch = json!({"id": format!("{:p}", &raw const page), "cmd": "queue.watch", "queues": ["people"]});
    if page.send(Message::text(watch.to_string())).await.is_err() {
        return;
    }
    for n in 0..250 {
        if over.load(Relaxed) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        if writes && n % 10 == 0 {
            let frame = json!({"id": format!("w{n}"), "cmd": "agent.ready"}).to_string();
            if tokio::time::timeout(Duration::from_millis(100), page.send(Message::text(frame)))
                .await
                .is_err()
            {
                return;
            }
            seen.sent.fetch_add(1, Relaxed);
        }
    }
}
