//! The hub as others hold it.

use super::{HubConfig, HubLimits};
use crate::call::agents::seam::AgentId;
use crate::cti::counts::{CtiCounts, Cut};
use crate::cti::out::Out;
use crate::cti::protocol::{Request, Writer};
use crate::cti::stream::{Session, SignIn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Who opens a session, and what he may.
#[derive(Clone, Debug)]
pub struct Who {
    pub agent: AgentId,
    pub display: Arc<str>,
    /// The hash of the sign-in's token.
    pub sign_in: SignIn,
    /// May use `supervisor.*`.
    pub lead: bool,
}

impl Who {
    pub fn new(agent: &str, display: &str, token_hash: [u8; 32], lead: bool) -> Self {
        Self { agent: agent.into(), display: display.into(), sign_in: SignIn(token_hash), lead }
    }
}

/// A new session and its ends.
pub struct Join {
    pub session: Session,
    pub who: Who,
    pub resume: Option<u64>,
    pub watch: bool,
    pub out: mpsc::Sender<Out>,
    pub cut: oneshot::Sender<Cut>,
}

pub enum ToHub {
    Join(Box<Join>),
    /// `print`: a hash of the frame's text.
    Request {
        session: Session,
        request: Request,
        print: u64,
    },
    Gone {
        session: Session,
    },
    /// The sign-in has ended; `None`: all of the user's.
    SignedOut {
        agent: AgentId,
        sign_in: Option<SignIn>,
    },
}

/// Cheap to clone; one hub per process.
#[derive(Clone)]
pub struct CtiHandle {
    inbox: mpsc::Sender<ToHub>,
    counts: Arc<CtiCounts>,
    limits: HubLimits,
    writer: Writer,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    room: Arc<Semaphore>,
    sessions: Arc<AtomicU64>,
}

impl CtiHandle {
    pub(super) fn new(inbox: mpsc::Sender<ToHub>, counts: Arc<CtiCounts>, config: &HubConfig) -> Self {
        Self {
            inbox,
            counts,
            limits: config.limits,
            writer: Writer::new(config.zone.clone()),
            clock: Arc::clone(&config.clock),
            room: Arc::new(Semaphore::new(config.limits.sessions)),
            sessions: Arc::new(AtomicU64::new(1)),
        }
    }

    /// A place for one more session, given back when dropped. `None`: there is none.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// Closes the sockets of one sign-in, or all of a user.
    pub async fn signed_out(&self, user: &str, token_hash: Option<[u8; 32]>) {
        let ended = ToHub::SignedOut { agent: user.into(), sign_in: token_hash.map(SignIn) };
        // A hub that is gone has closed all of them.
        let _ = self.inbox.send(ended).await;
    }

    pub fn counts(&self) -> &CtiCounts {
        &self.counts
    }
    pub const fn limits(&self) -> &HubLimits {
        &self.limits
    }
    pub(in crate::cti) const fn writer(&self) -> &Writer {
        &self.writer
    }
    pub(in crate::cti) fn heartbeat(&self) -> Arc<str> {
        self.writer.heartbeat((self.clock)())
    }
    pub(in crate::cti) fn next_session(&self) -> Session {
        self.sessions.fetch_add(1, Relaxed)
    }
    /// `false`: the hub is gone.
    pub(in crate::cti) async fn send(&self, request: ToHub) -> bool {
        self.inbox.send(request).await.is_ok()
    }
}
