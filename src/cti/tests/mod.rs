//! Real websockets against the real hub; the test plays the engine and the browsers' audio.

mod commands;
mod floor;
mod hostile;
mod resuming;
mod siege;
mod watching;

use super::hub::{HubConfig, HubLimits, MediaDoor, Who, start};
use super::session::{Check, Opening, READ_MAX, Standing, run};
use super::{CtiHandle, FromMedia, SUBPROTOCOL, ToMedia};
use crate::base::Time;
use crate::call::agents::seam::*;
use axum::extract::Query;
use axum::extract::ws::WebSocketUpgrade;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const NINE: i64 = 1_795_743_000_120;
/// Nothing here takes this long; what does hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Ask {
    agent: String,
    #[serde(default)]
    sign_in: u8,
    #[serde(default)]
    lead: bool,
    resume: Option<u64>,
    #[serde(default)]
    watch: bool,
}

/// A served desk and the other ends of its channels.
pub struct Bench {
    pub desk: CtiHandle,
    pub address: String,
    pub heard: mpsc::Receiver<ToEngine>,
    pub engine: mpsc::Sender<FromEngine>,
    pub media_heard: mpsc::Receiver<ToMedia>,
    pub media: mpsc::Sender<FromMedia>,
    /// How every sign-in stands: 0 good, 1 over, 2 unknown.
    pub standing: Arc<AtomicU8>,
}

impl Bench {
    pub async fn open(limits: HubLimits) -> Self {
        Self::with_rooms(limits, 1024).await
    }

    /// `room`: of the engine's queue.
    pub async fn with_rooms(limits: HubLimits, room: usize) -> Self {
        let (to_engine, heard) = mpsc::channel(room);
        let (engine, from_engine) = mpsc::channel(1024);
        let (to_media, media_heard) = mpsc::channel(1024);
        let (media, from_media) = mpsc::channel(1024);
        let config = HubConfig {
            limits,
            zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
            clock: Arc::new(|| NINE),
            boot: 7,
        };
        let door = MediaDoor { to: to_media, from: from_media };
        let desk = start(config, to_engine, from_engine, Some(door));
        let standing = Arc::new(AtomicU8::new(0));
        let (served, asked) = (desk.clone(), Arc::clone(&standing));
        let open = move |Query(ask): Query<Ask>, upgrade: WebSocketUpgrade| {
            let (desk, asked) = (served.clone(), Arc::clone(&asked));
            let check: Check = Arc::new(move || {
                let standing =
                    [Standing::Good, Standing::Over, Standing::Unknown][usize::from(asked.load(Relaxed))];
                Box::pin(async move { standing })
            });
            let who = Who::new(&ask.agent, &ask.agent, [ask.sign_in; 32], ask.lead);
            let opening = Opening { resume: ask.resume, watch: ask.watch };
            async move {
                let place = desk.place().expect("a place");
                let upgrade =
                    upgrade.protocols([SUBPROTOCOL]).max_frame_size(READ_MAX).max_message_size(READ_MAX);
                upgrade.on_upgrade(move |socket| run(socket, who, opening, desk, check, place))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = axum::Router::new().route("/cti/v1", axum::routing::get(open));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { desk, address, heard, engine, media_heard, media, standing }
    }

    pub fn url(&self, query: &str) -> String {
        format!("ws://{}/cti/v1?{query}", self.address)
    }

    pub async fn page(&self, query: &str) -> Page {
        Page::open(&self.url(query)).await
    }

    /// A page that has its snapshot.
    pub async fn page_with_snapshot(&mut self, query: &str) -> (Page, Value, Value) {
        let mut page = self.page(query).await;
        let hello = page.frame().await;
        let re = loop {
            if let ToEngine::Snapshot { re, agent } = self.hear().await {
                break (agent, re);
            }
        };
        self.say(snapshot(&re.0, re.1, AgentState::Ready)).await;
        let snapshot = page.frame().await;
        assert_eq!(snapshot["event"], "snapshot");
        (page, hello, snapshot)
    }

    pub async fn hear(&mut self) -> ToEngine {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("the hub says nothing").unwrap()
    }

    /// The next command, whatever else is said between.
    pub async fn hear_command(&mut self) -> (u64, AgentCommand) {
        loop {
            if let ToEngine::Command { re, command, .. } = self.hear().await {
                return (re, command);
            }
        }
    }

    pub async fn say(&self, words: FromEngine) {
        self.engine.send(words).await.unwrap();
    }

    pub async fn event(&self, to: &str, note: &str) {
        self.say(notice(to, note)).await;
    }

    pub async fn answer(&self, agent: &str, re: u64, result: Result<Option<crate::base::CallId>, Refused>) {
        self.say(FromEngine::Answer { agent: agent.into(), re, result }).await;
    }

    /// From here on snapshots, commands and the audio's are answered at once; the engine's commands are counted.
    pub fn obliging(self) -> (Self, Arc<std::sync::atomic::AtomicU64>) {
        let Self { desk, address, mut heard, engine, mut media_heard, media, standing } = self;
        let (count, out) = (Arc::new(std::sync::atomic::AtomicU64::new(0)), engine.clone());
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Some(words) = heard.recv().await {
                let said = match words {
                    ToEngine::Snapshot { agent, re } => snapshot(&agent, re, AgentState::Ready),
                    ToEngine::Command { agent, re, .. } => {
                        counted.fetch_add(1, Relaxed);
                        FromEngine::Answer { agent, re, result: Ok(None) }
                    }
                    ToEngine::Present { .. }
                    | ToEngine::Path { .. }
                    | ToEngine::Roster { .. }
                    | ToEngine::RosterNotice { .. }
                    | ToEngine::RosterGap { .. }
                    | ToEngine::HandoverUnsigned { .. }
                    | ToEngine::DeadLetter { .. }
                    | ToEngine::LeaderSessions(_) => continue,
                };
                if out.send(said).await.is_err() {
                    return;
                }
            }
        });
        let audio = media.clone();
        tokio::spawn(async move {
            while let Some(words) = media_heard.recv().await {
                let ToMedia::Command { agent, re, .. } = words else { continue };
                if audio.send(FromMedia::Answer { agent, re, result: Ok(()) }).await.is_err() {
                    return;
                }
            }
        });
        let ((_, nothing), (_, media_heard)) = (mpsc::channel(1), mpsc::channel(1));
        (Self { desk, address, heard: nothing, engine, media_heard, media, standing }, count)
    }
}

pub fn notice(to: &str, note: &str) -> FromEngine {
    let event = AgentEvent::RosterNotice { code: "n", note: note.into() };
    FromEngine::Event { to: to.into(), at: Time::ZERO, wall_ms: NINE, event }
}

pub fn snapshot(agent: &AgentId, re: u64, state: AgentState) -> FromEngine {
    let snapshot = Box::new(Snapshot {
        agent: Arc::clone(agent),
        state,
        since_ms: NINE,
        device: None,
        break_pending: None,
        calls: Vec::new(),
        offer: None,
        queues: Vec::new(),
        colleagues: Vec::new(),
    });
    FromEngine::Snapshot { agent: Arc::clone(agent), re, wall_ms: NINE, snapshot }
}

/// A browser's end.
pub struct Page(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    pub async fn open(url: &str) -> Self {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
        let (socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        Self(socket)
    }

    pub async fn send(&mut self, frame: impl ToString) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame that is no heartbeat; `Err`: the close code.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing comes");
            match next {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["event"] != "heartbeat" {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(Some(close)))) => return Err(close.code.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Err(0),
            }
        }
    }

    pub async fn frame(&mut self) -> Value {
        self.next().await.expect("a frame, not the end")
    }

    /// Everything up to the close code.
    pub async fn end(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Sends a command and gives its answer; events between are dropped.
    pub async fn ask(&mut self, frame: Value) -> Value {
        self.send(&frame).await;
        self.answer(frame["id"].as_str().unwrap()).await
    }

    pub async fn answer(&mut self, id: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["re"] == id {
                return frame;
            }
        }
    }
}
