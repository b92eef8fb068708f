//! ACD: who waits for whom, who is offered whom, and why. Pure.
//!
//! ```text
//!   caller   enter ──▶ Waiting ◀──▶ Offered ──▶ answered
//!              │          │  ╰▶ Resting (a callback between tries)
//!              └─▶ full   └──▶ left · timed out · given up
//!
//!   agent    intent    ready | not ready (reason)           what he wants
//!            activity  idle ─▶ offered ─▶ on call ─▶ wrap-up ─▶ idle
//!                                └─▶ not responding           what he does
//!            path      unproven | proven | deaf (reason)      whether he can hear
//! ```
//!
//! Facts go in by name (`enter`, `ready`, `answered`, `hung_up`, …), each with the time and a list for [`Action`]s. A fact that does not
//! fit the state is refused with a code and changes nothing. Three rules always hold between two facts:
//!
//! - no caller waits beside a free agent who may take him;
//! - an agent is in at most one open offer, and a state such as "offered" is derived from it, never set;
//! - a place is data, `(priority, entered, call)`, kept through offers, overflow and callbacks.
//!
//! An offer is two steps: we propose ([`Action::Offer`]), the owners of agent and call say `bound` or `refused`. Nothing here reads
//! the owners' memory, so the proposals could as well come from another machine.
//!
//! No fact costs more with more callers or agents. What it touches is an agent, a call and the lines they belong to (`lines.rs`);
//! [`Acd::change`] and [`Acd::alter`] are the only places where an agent or a place changes, and keep every list true.

mod agent;
mod breaks;
mod callbacks;
mod config;
mod estimate;
mod invariants;
mod lines;
mod matching;
mod offers;
mod people;
mod places;
mod ranks;
mod reload;
mod watch;
mod why;
mod words;

#[cfg(test)]
mod tests;

pub use config::{AcdConfig, Answer, Overflow, QueueConfig, Strategy};
pub use estimate::Calibration;
pub use lines::IdleKey;
pub use watch::{AgentView, QueueStats, Staff};
pub use why::{Cause, Choice, Interval, Rule};
pub use words::{
    Action, AgentId, AgentSpec, AgentState, BreakNews, Ending, Enter, Entered, Escalation, Forced, Intent,
    Kind, Needs, OfferId, OverflowWhy, Path, Refused, RefusedBy,
};

use crate::base::{CallId, Deadlines, Seeded, Time, soonest};
use agent::Agent;
use lines::{Line, LineId, Queue};
use offers::Offer;
use places::{Place, Served};
use ranks::Rank;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Acd {
    config: AcdConfig,
    queues: BTreeMap<Arc<str>, Queue>,
    lines: BTreeMap<LineId, Line>,
    next_line: LineId,
    /// Lines without places that may be dropped when room is short.
    empty_lines: BTreeSet<LineId>,
    places: HashMap<CallId, Place, Seeded>,
    /// Places of those who are served now: an agent lost or a failed callback gives them back.
    served: BTreeMap<CallId, Served>,
    agents: BTreeMap<AgentId, Agent>,
    leads: BTreeSet<AgentId>,
    /// By the roster, now.
    on_call: Vec<AgentId>,
    offers: BTreeMap<OfferId, Offer>,
    last_offer: u64,
    on_break: usize,
    break_line: VecDeque<AgentId>,

    call_due: Deadlines<CallId>,
    agent_due: Deadlines<AgentId>,
    offer_due: Deadlines<OfferId>,
    /// Queues that lost their last agent and hand their callers on, some at a time.
    draining: BTreeSet<Arc<str>>,

    /// What the present fact has set free; empty between facts.
    freed: BTreeSet<AgentId>,
    again: BTreeSet<Rank>,
    touched: BTreeSet<LineId>,

    /// Lines where a caller stood beside a free agent after a fact, and since when. Empty unless we are wrong.
    beside: BTreeMap<LineId, Time>,
    sticky: BTreeMap<u64, AgentId>,
    sticky_order: VecDeque<u64>,
    /// Whole waits that have ended, for who asks later.
    told: BTreeMap<CallId, Vec<Interval>>,
    told_order: VecDeque<CallId>,
    choices: BTreeMap<OfferId, Choice>,
}

impl Acd {
    pub fn new(queues: impl IntoIterator<Item = (Arc<str>, QueueConfig)>) -> Self {
        Self::with_config(AcdConfig::default(), queues)
    }

    pub fn with_config(config: AcdConfig, queues: impl IntoIterator<Item = (Arc<str>, QueueConfig)>) -> Self {
        let queues = queues.into_iter().map(|(name, config)| (name, Queue::new(config))).collect();
        Self { config, queues, ..Self::default() }
    }

    /// The next moment at which [`Acd::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Time> {
        let draining = (!self.draining.is_empty()).then_some(Time::ZERO);
        let people = soonest(self.agent_due.soonest(), self.offer_due.soonest());
        soonest(draining, soonest(people, self.call_due.soonest()))
    }

    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(agent) = self.agent_due.due(now) {
            self.wrap_up_over(now, agent, out);
            self.settle(now, out);
        }
        while let Some(offer) = self.offer_due.due(now) {
            self.unanswered(now, offer, out);
            self.settle(now, out);
        }
        while let Some(call) = self.call_due.due(now) {
            self.place_due(now, call, out);
            self.settle(now, out);
        }
        self.drain(now, out);
        self.settle(now, out);
    }
}
