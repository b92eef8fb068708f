//! One agent: what he wants, what he does, what is known of his ears; and how he stands to the queues he serves.

use super::lines::LineId;
use super::words::{AgentId, AgentSpec, AgentState, Intent, OfferId, Path};
use crate::base::{CallId, Time};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Idle,
    Offered {
        offer: OfferId,
    },
    OnCall {
        call: CallId,
    },
    /// `until` is `None` while an unfinished ticket holds him; `pause`: rest after a declined offer, no ticket.
    WrapUp {
        call: CallId,
        until: Option<Time>,
        latest: Time,
        pause: bool,
    },
    NotResponding,
}

#[derive(Debug)]
pub(super) struct Agent {
    pub spec: AgentSpec,
    /// The session's epoch; `None`: logged out.
    pub epoch: Option<u64>,
    /// The highest epoch ever seen: an older session never comes back.
    pub last_epoch: u64,
    pub intent: Intent,
    pub activity: Activity,
    pub path: Path,
    pub on_shift: bool,
    /// Holds one of the places on break, from the moment it is granted.
    pub on_break: bool,
    /// The reason of a break asked for and not granted yet.
    pub asked: Option<Arc<str>>,
    /// When his last work ended: the order of longest idle. Breaks and log-outs do not touch it.
    pub idle_since: Time,
    /// Calls answered: the order of fewest calls.
    pub handled: u64,
    /// Since when the contract's state is what it is.
    pub since: Time,
    pub ticket_open: bool,
    /// Offers declined in a row.
    pub declines: u8,
    /// Offers not answered.
    pub missed: u64,
    /// Work that came through a queue, and when it began.
    pub serving: Option<(Arc<str>, Time)>,
    /// The lines he may serve, with the sum of his levels in what each needs.
    pub lines: Vec<(LineId, u16)>,
    /// No longer in the directory: goes when the work in hand is done.
    pub retired: bool,
}

/// How an agent stands to his queues. Exactly one holds; queues and lines count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Neither on the roster now nor logged in.
    Absent,
    /// On the roster and not logged in.
    Offline,
    NotReady,
    OnBreak,
    /// Would be free but for his media path.
    Deaf,
    NotResponding,
    Free,
    Offered,
    Talking,
    Wrapping,
}

impl Standing {
    pub const COUNT: usize = 10;

    /// He takes callers, now or when the work in hand is done.
    pub fn staffs(self) -> bool {
        matches!(self, Self::Free | Self::Offered | Self::Talking | Self::Wrapping)
    }

    pub fn works(self) -> bool {
        matches!(self, Self::Talking | Self::Wrapping)
    }
}

/// Everything of an agent that some list or watcher mirrors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Face {
    pub standing: Standing,
    pub idle_since: Time,
    pub handled: u64,
    pub state: AgentState,
    pub deadline: Option<Time>,
}

impl Agent {
    pub fn new(spec: AgentSpec, now: Time) -> Self {
        Self {
            spec,
            epoch: None,
            last_epoch: 0,
            intent: Intent::NotReady(Arc::from("login")),
            activity: Activity::Idle,
            path: Path::Unproven,
            on_shift: true,
            on_break: false,
            asked: None,
            idle_since: now,
            handled: 0,
            since: now,
            ticket_open: false,
            declines: 0,
            missed: 0,
            serving: None,
            lines: Vec::new(),
            retired: false,
        }
    }

    pub fn id(&self) -> AgentId {
        self.spec.id
    }

    pub fn standing(&self) -> Standing {
        match (&self.activity, self.epoch) {
            // A call goes on without its agent's page.
            (Activity::OnCall { .. }, _) => Standing::Talking,
            (_, None) if self.on_shift => Standing::Offline,
            (_, None) => Standing::Absent,
            (Activity::Offered { .. }, _) => Standing::Offered,
            (Activity::WrapUp { .. }, _) => Standing::Wrapping,
            (Activity::NotResponding, _) => Standing::NotResponding,
            (Activity::Idle, _) if self.on_break => Standing::OnBreak,
            (Activity::Idle, _) if self.intent != Intent::Ready => Standing::NotReady,
            (Activity::Idle, _) if self.path != Path::Proven => Standing::Deaf,
            (Activity::Idle, _) => Standing::Free,
        }
    }

    /// The contract's state. A deaf path reads as not ready, with what is wrong with it as the reason; the intent stays what it was.
    pub fn state(&self) -> AgentState {
        match (&self.activity, &self.intent, &self.path) {
            (Activity::OnCall { .. }, ..) => AgentState::OnCall,
            _ if self.epoch.is_none() => AgentState::Offline,
            (Activity::Offered { .. }, ..) => AgentState::Offered,
            (Activity::WrapUp { .. }, ..) => AgentState::WrapUp,
            (Activity::NotResponding, ..) => AgentState::NotResponding,
            (Activity::Idle, Intent::NotReady(reason), _) => AgentState::NotReady(Arc::clone(reason)),
            (Activity::Idle, _, Path::Unproven) => AgentState::NotReady(Arc::from("path_unproven")),
            (Activity::Idle, _, Path::Deaf(reason)) => AgentState::NotReady(Arc::clone(reason)),
            (Activity::Idle, Intent::Ready, Path::Proven) => AgentState::Ready,
        }
    }

    pub fn face(&self) -> Face {
        let deadline = match self.activity {
            Activity::WrapUp { until, .. } => until,
            _ => None,
        };
        let (idle_since, handled) = (self.idle_since, self.handled);
        Face { standing: self.standing(), idle_since, handled, state: self.state(), deadline }
    }

    /// The intent of who is logged in, and whether it is a break.
    pub fn wants(&self) -> (Option<Intent>, bool) {
        (self.epoch.map(|_| self.intent.clone()), self.on_break)
    }

    pub fn offer(&self) -> Option<OfferId> {
        match self.activity {
            Activity::Offered { offer } => Some(offer),
            _ => None,
        }
    }

    pub fn call(&self) -> Option<CallId> {
        match self.activity {
            Activity::OnCall { call } => Some(call),
            _ => None,
        }
    }

    /// The work in hand is done; what he does next is as he wants it.
    pub fn rest(&mut self, now: Time) {
        self.activity = Activity::Idle;
        self.idle_since = now;
    }
}
