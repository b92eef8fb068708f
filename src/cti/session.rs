//! One websocket: frames in and out, within limits, until either side ends it.
//!
//! ```text
//!  reading: size, rate, kind ─▶ request ─▶ hub        writing: the hub's queue, a ping and a heartbeat at their time
//!        └── whichever ends first, or the hub's cut, ends the session: a close frame with the reason, then the socket
//! ```

use super::counts::Cut;
use super::hub::{CtiHandle, Join, ToHub, Who};
use super::out::Out;
use super::protocol;
use super::stream::Session;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::future::BoxFuture;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite;

/// Largest frame that is taken, bytes. The contract's number.
const FRAME_MAX: usize = 64 * 1024;
/// Larger ones up to this are read to their end, so that the close frame is not lost in a reset.
pub const READ_MAX: usize = 4 * FRAME_MAX;
/// Frames a second, and at once. The contract's numbers.
const RATE: f64 = 100.0;
const BURST: f64 = 200.0;
/// Without a word for so many heartbeats a client is dead, in halves.
const SILENT_HALVES: u32 = 5;
/// How long a close frame may take, there and back.
const FAREWELL: Duration = Duration::from_secs(1);

/// How the session's sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    Over,
    /// The database is away: the session goes on.
    Unknown,
}

/// Asks how the sign-in stands, and notes that it is in use.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Standing> + Send + Sync>;

/// What the client asked for as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The last number it has seen.
    pub resume: Option<u64>,
    /// It does not want to act: a page that was taken over and comes back.
    pub watch: bool,
}

/// Why a session is over.
enum End {
    /// The client went, in order or not.
    Client,
    Cut(Cut),
}

/// Runs one session to its end.
pub async fn run(
    socket: WebSocket,
    who: Who,
    opening: Opening,
    desk: CtiHandle,
    check: Check,
    _place: OwnedSemaphorePermit,
) {
    let session = desk.next_session();
    let (out, frames) = mpsc::channel(desk.limits().outgoing);
    let (cut, cuts) = oneshot::channel();
    let _open = Open::begin(&desk);
    let join = Join { session, who, resume: opening.resume, watch: opening.watch, out: out.clone(), cut };
    let (mut sink, mut stream) = socket.split();
    let end = if desk.send(ToHub::Join(Box::new(join))).await {
        tokio::select! {
            end = write(&desk, &mut sink, frames) => end,
            end = read(&desk, session, &mut stream, &out) => end,
            why = cuts => End::Cut(why.unwrap_or(Cut::Stopping)),
            end = signed_in(&desk, check) => end,
        }
    } else {
        End::Cut(Cut::Stopping)
    };
    desk.send(ToHub::Gone { session }).await;
    let close = match end {
        End::Client => None,
        End::Cut(why) => {
            desk.counts().cut(why);
            Some(CloseFrame { code: why.code(), reason: why.reason().into() })
        }
    };
    let farewell = async {
        match close {
            Some(close) => sink.send(Message::Close(Some(close))).await?,
            // Sends our half of the client's own goodbye.
            None => sink.close().await?,
        }
        // What the client still sends is read, so that the close frame arrives and is not followed by a reset.
        while let Some(Ok(_)) = stream.next().await {}
        Ok::<_, axum::Error>(())
    };
    // A client that does not take its leave is left.
    let _ = timeout(FAREWELL, farewell).await;
}

async fn signed_in(desk: &CtiHandle, check: Check) -> End {
    let every = desk.limits().recheck;
    let mut tick = interval_at(Instant::now() + every, every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Also at once: a sign-out between the upgrade and the hub's knowing of it told nobody.
        if check().await == Standing::Over {
            return End::Cut(Cut::SignedOut);
        }
        tick.tick().await;
    }
}

async fn write(
    desk: &CtiHandle,
    sink: &mut SplitSink<WebSocket, Message>,
    mut frames: mpsc::Receiver<Out>,
) -> End {
    let (beat, stall) = (desk.limits().heartbeat, desk.limits().stall);
    let mut tick = interval_at(Instant::now() + beat, beat);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let writing = tokio::select! {
            frame = frames.recv() => {
                let Some(frame) = frame else { return End::Cut(Cut::Stopping) };
                timeout(stall, several(desk, sink, frame, &mut frames)).await
            }
            _ = tick.tick() => timeout(stall, beat_once(desk, sink)).await,
        };
        match writing {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Client,
            Err(_) => return End::Cut(Cut::Slow),
        }
    }
}

/// This and all that wait behind it, in as few packets as may be.
async fn several(
    desk: &CtiHandle,
    sink: &mut SplitSink<WebSocket, Message>,
    first: Out,
    waiting: &mut mpsc::Receiver<Out>,
) -> Result<(), axum::Error> {
    let mut next = Some(first);
    while let Some(out) = next {
        for frame in out.frames(desk.writer()) {
            sink.feed(Message::text(frame)).await?;
        }
        next = waiting.try_recv().ok();
    }
    sink.flush().await
}

async fn beat_once(desk: &CtiHandle, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), axum::Error> {
    sink.feed(Message::Ping(Vec::new().into())).await?;
    sink.feed(Message::text(&*desk.heartbeat())).await?;
    sink.flush().await
}

async fn read(
    desk: &CtiHandle,
    session: Session,
    stream: &mut SplitStream<WebSocket>,
    out: &mpsc::Sender<Out>,
) -> End {
    let silence = desk.limits().heartbeat * SILENT_HALVES / 2;
    let mut rate = Rate::new(Instant::now());
    loop {
        let message = match timeout(silence, stream.next()).await {
            Err(_) => return End::Cut(Cut::Silent),
            Ok(None) => return End::Client,
            Ok(Some(Err(error))) => return broken(error),
            Ok(Some(Ok(message))) => message,
        };
        // Whatever its kind: pings and pongs cost as much as commands.
        if !matches!(message, Message::Close(_)) && !rate.take(Instant::now()) {
            return End::Cut(Cut::TooFast);
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return End::Cut(Cut::Binary),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return End::Client,
        };
        if text.len() > FRAME_MAX {
            return End::Cut(Cut::TooBig);
        }
        match protocol::read(&text) {
            Ok(request) => {
                let print = print(&text);
                if !desk.send(ToHub::Request { session, request, print }).await {
                    return End::Cut(Cut::Stopping);
                }
            }
            Err(unread) => {
                desk.counts().unread.fetch_add(1, Relaxed);
                match out.try_send(Out::Frame(unread.frame())) {
                    Ok(()) => {}
                    Err(mpsc::error::TrySendError::Full(_)) => return End::Cut(Cut::Slow),
                    Err(mpsc::error::TrySendError::Closed(_)) => return End::Cut(Cut::Stopping),
                }
            }
        }
    }
}

/// What an error of the websocket means.
fn broken(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => End::Cut(Cut::TooBig),
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => End::Client,
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => End::Cut(Cut::Broken),
        _ => End::Client,
    }
}

/// The same text gives the same number within a process.
fn print(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A bucket of [`BURST`] frames that fills at [`RATE`] a second.
struct Rate {
    left: f64,
    at: Instant,
}

impl Rate {
    const fn new(now: Instant) -> Self {
        Self { left: BURST, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * RATE).min(BURST);
        self.at = now;
        let fine = self.left >= 1.0;
        if fine {
            self.left -= 1.0;
        }
        fine
    }
}

/// Counted as open as long as this lives.
struct Open(CtiHandle);

impl Open {
    fn begin(desk: &CtiHandle) -> Self {
        desk.counts().opened.fetch_add(1, Relaxed);
        desk.counts().open.fetch_add(1, Relaxed);
        Self(desk.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counts().open.fetch_sub(1, Relaxed);
    }
}
