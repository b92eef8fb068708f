//! The seats: who is logged in, with what device, whether sound passes, and what waits for the disk before it is shown.

use super::seam::{self, Device, FromEngine};
use crate::acd::{self, AgentId, OfferId};
use crate::base::{CallId, Deadlines, Time, soonest};
use crate::sip::seam::PeerId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Debug)]
pub(in crate::call) struct Seat {
    pub name: seam::AgentId,
    pub lead: bool,
    pub device: Option<Device>,
    /// Counts his log-ins: the newest wins.
    pub epoch: u64,
    /// A page of his is connected.
    pub present: bool,
    pub path: Option<seam::Path>,
    pub relay: Option<SocketAddr>,
    /// The call he is on, rung for, or listens to.
    pub call: Option<CallId>,
    /// What he was last told he is.
    pub state: acd::AgentState,
    pub since_ms: i64,
    /// Ends of wrap-up and of waiting for a page that went away.
    pub wrap_until: Option<Time>,
    pub wrap_call: Option<(CallId, Time)>,
    pub away_until: Option<Time>,
    pub watches: BTreeSet<Arc<str>>,
    pub break_asked: Option<Arc<str>>,
}

impl Seat {
    pub fn new(name: seam::AgentId, lead: bool) -> Self {
        Self {
            name,
            lead,
            device: None,
            epoch: 0,
            present: false,
            path: None,
            relay: None,
            call: None,
            state: acd::AgentState::Offline,
            since_ms: 0,
            wrap_until: None,
            wrap_call: None,
            away_until: None,
            watches: BTreeSet::new(),
            break_asked: None,
        }
    }
}

/// An open offer as the panels know it.
#[derive(Clone, Copy, Debug)]
pub(in crate::call) struct Open {
    pub agent: AgentId,
    pub call: CallId,
    pub answer_by: Time,
    pub auto_answer_at: Option<Time>,
    /// The fact that must be on disk before anybody is told.
    pub seq: u64,
    pub told: bool,
}

/// What becomes of something once it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::call) enum Safe {
    Offer(OfferId),
    /// The ticket's number may be shown to who is on the call.
    Number(CallId),
}

#[derive(Debug, Default)]
pub(in crate::call) struct Desk {
    pub seats: BTreeMap<AgentId, Seat>,
    pub offers: BTreeMap<OfferId, Open>,
    /// Contacts of each desk phone.
    pub phones: BTreeMap<PeerId, usize>,
    pub safe: BTreeSet<(u64, Safe)>,
    pub away: Deadlines<AgentId>,
    /// When offers answer themselves.
    pub auto: Deadlines<OfferId>,
    /// Queues whose numbers changed since they were last sent, and when they are sent again.
    pub stirred: BTreeSet<Arc<str>>,
    pub send_stats_at: Option<Time>,
    pub words: Vec<FromEngine>,
}

impl Desk {
    /// The agent's offer, if one is open.
    pub fn offer_of(&self, agent: AgentId) -> Option<(OfferId, Open)> {
        self.offers.iter().find(|(_, open)| open.agent == agent).map(|(id, open)| (*id, *open))
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let own = soonest(self.away.soonest(), self.auto.soonest());
        soonest(own, self.send_stats_at)
    }
}
