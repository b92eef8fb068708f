//! The named requests the desk may make of the engine, and the answers.

use super::EndReason;
use crate::base::{CallId, Personal};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The newest `limit` live calls.
    LiveCalls {
        limit: usize,
    },
    Status,
    HangUp {
        call: CallId,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    LiveCalls(Vec<LiveCall>),
    Status(Box<Status>),
    HungUp(bool),
}

/// A live call as the wall shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveCall {
    pub id: CallId,
    /// `arriving ivr queued`, one of the contract's call states.
    pub state: &'static str,
    pub caller: Personal,
    pub private: bool,
    pub called: String,
    pub trunk: Arc<str>,
    pub node: Arc<str>,
    pub queue: Option<Arc<str>>,
    pub ahead: Option<u32>,
    pub held: bool,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    pub answered_ms: Option<i64>,
    /// Nodes entered so far, oldest first, at most 32.
    pub path: Vec<Arc<str>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub live_calls: usize,
    pub closing_legs: usize,
    pub transactions: usize,
    pub dialogs: usize,
    pub ports_leased: usize,
    pub ports_free: usize,
    pub waiting: Vec<(Arc<str>, usize)>,
    pub draining: bool,
    pub journal_behind: u64,
    pub flow_file: String,
    pub flow_version: String,
    pub flow_hash: u64,
    pub ended: Vec<(EndReason, u64)>,
}

impl super::Engine {
    pub(super) fn request(
        &mut self,
        now: crate::base::Time,
        id: u64,
        request: Request,
        out: &mut Vec<super::Effect>,
    ) {
        let reply = match request {
            Request::LiveCalls { limit } => Reply::LiveCalls(self.newest_live(limit)),
            Request::Status => Reply::Status(Box::new(self.status())),
            Request::HangUp { call } => {
                let lives = self.calls.contains_key(&call);
                self.took(call, super::News::HangUp);
                self.end(now, call, EndReason::ForcedByStaff, super::engine::EndedBy::Us, out);
                Reply::HungUp(lives)
            }
        };
        out.push(super::Effect::Reply { id, reply });
    }

    fn newest_live(&self, limit: usize) -> Vec<LiveCall> {
        let newest = self.order.iter().rev().take(limit).filter_map(|id| self.calls.get(id));
        newest
            .map(|call| LiveCall {
                id: call.id,
                state: call.state(),
                caller: Personal::new(call.number.clone()),
                private: call.private,
                called: call.called.clone(),
                trunk: Arc::clone(&call.trunk),
                node: call.path.back().cloned().unwrap_or_else(|| Arc::from("")),
                queue: self.acd.queue_of(call.id).cloned(),
                ahead: self.acd.ahead(call.id),
                held: call.held,
                started_ms: call.arrived_ms,
                answered_ms: call
                    .answered
                    .map(|at| call.arrived_ms + super::engine::millis(at.since(call.arrived)) as i64),
                path: call.path.iter().cloned().collect(),
            })
            .collect()
    }

    /// Figures for readiness and metrics; costs the number of queues, not of calls.
    pub fn status(&self) -> Status {
        let live = self.ua.live();
        Status {
            live_calls: self.calls.len(),
            closing_legs: self.closing.len(),
            transactions: live.transactions,
            dialogs: live.dialogs,
            ports_leased: self.ports.leased(),
            ports_free: self.ports.free(),
            waiting: self.acd.waiting().map(|(name, n)| (Arc::clone(name), n)).collect(),
            draining: self.draining,
            journal_behind: self.next_seq - 1 - self.durable,
            flow_file: self.config.flow.file().to_owned(),
            flow_version: self.config.flow.version().to_owned(),
            flow_hash: self.config.flow.hash(),
            ended: self.counters.ended_by().collect(),
        }
    }
}
