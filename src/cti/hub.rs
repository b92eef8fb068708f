//! The one task that owns every agent's stream: it only moves frames and words; what to do is decided in `stream` and `answers`.
//!
//! It waits for nobody. A session whose queue is full is cut; an engine whose queue is full makes the command a refusal.

mod desk;
mod handle;

pub use handle::{CtiHandle, Who};
pub(super) use handle::{Join, ToHub};

use super::counts::CtiCounts;
use super::media::{FromMedia, ToMedia};
use super::stream::StreamLimits;
use crate::call::agents::seam::{FromEngine, ToEngine};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// Requests of all sessions that wait for the hub.
const INBOX: usize = 1024;
/// How often what waits for its time is looked at.
const TICK: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    pub heartbeat: Duration,
    /// Messages waiting for one session, what was gathered about the floor being one; one more and it is cut.
    pub outgoing: usize,
    /// What everybody is told is gathered for so long at most, and then sent to each in one go.
    pub gather: Duration,
    /// A session that takes nothing for this long is cut.
    pub stall: Duration,
    /// Sessions at once, all agents together.
    pub sessions: usize,
    pub stream: StreamLimits,
    /// Commands of one agent in progress, and answers kept.
    pub pending: usize,
    pub answers: usize,
    /// An answer of the engine or the audio must be there after this.
    pub patience: Duration,
    /// How often a session's sign-in is looked at again.
    pub recheck: Duration,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            outgoing: 256,
            gather: Duration::from_millis(20),
            stall: Duration::from_secs(10),
            sessions: 2000,
            stream: StreamLimits {
                events: 1000,
                bytes: 512 * 1024,
                sessions: 8,
                owner_grace: Duration::from_secs(30),
            },
            pending: 64,
            answers: 256,
            patience: Duration::from_secs(10),
            recheck: Duration::from_secs(30),
        }
    }
}

/// What `app` gives.
#[derive(Clone)]
pub struct HubConfig {
    pub limits: HubLimits,
    pub zone: jiff::tz::TimeZone,
    /// Wall clock, milliseconds since 1970 (`--now` moves it).
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// This process's number among all of this node.
    pub boot: u32,
}

/// The way to the browsers' audio and back.
pub struct MediaDoor {
    pub to: mpsc::Sender<ToMedia>,
    pub from: mpsc::Receiver<FromMedia>,
}

/// Where an agent's numbers begin in this process: no number of another boot comes again, and all are exact in JavaScript
/// (below 2⁵³).
pub const fn first_seq(boot: u32) -> u64 {
    ((boot as u64) & ((1 << 25) - 1)) << 28
}

/// Starts the hub's task, which ends when the engine's side is gone. Without `media`, media commands are refused `no_media`.
pub fn start(
    config: HubConfig,
    to_engine: mpsc::Sender<ToEngine>,
    from_engine: mpsc::Receiver<FromEngine>,
    media: Option<MediaDoor>,
) -> CtiHandle {
    let (inbox, requests) = mpsc::channel(INBOX);
    let counts: Arc<CtiCounts> = Arc::default();
    let handle = CtiHandle::new(inbox, Arc::clone(&counts), &config);
    let (to_media, from_media) = match media {
        Some(door) => (Some(door.to), Some(door.from)),
        None => (None, None),
    };
    let desk = desk::Desk::new(config, counts, to_engine, to_media);
    tokio::spawn(run(desk, requests, from_engine, from_media));
    handle
}

async fn run(
    mut desk: desk::Desk,
    mut requests: mpsc::Receiver<ToHub>,
    mut from_engine: mpsc::Receiver<FromEngine>,
    mut from_media: Option<mpsc::Receiver<FromMedia>>,
) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let media = |from: &mut Option<mpsc::Receiver<FromMedia>>| match from.take() {
        Some(from) => from,
        None => mpsc::channel(1).1,
    };
    let mut from_media_open = from_media.is_some();
    let mut from_media = media(&mut from_media);
    loop {
        tokio::select! {
            said = from_engine.recv() => match said {
                Some(said) => desk.engine(said),
                None => break,
            },
            request = requests.recv() => match request {
                Some(request) => desk.request(request),
                None => break,
            },
            said = from_media.recv(), if from_media_open => match said {
                Some(said) => desk.media(said),
                None => from_media_open = false,
            },
            () = sleep_until(desk.floor_at()), if desk.has_floor() => desk.tell_floor(),
            _ = tick.tick() => desk.tick(),
        }
    }
    desk.stop();
}
