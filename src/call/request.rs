//! The named requests the desk may make of the engine, and the answers.

use super::EndReason;
use super::agents::seam::{Colleague, QueueStats, Refused};
use super::agents::testing::DialTest;
use super::agents::urging::VoiceUrge;
use crate::base::reach::Reachable;
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
    /// How queues and agents stand.
    Floor,
    /// Which trunks and phones are registered.
    Peers,
    /// The desk has saved the ticket of this call.
    TicketSaved {
        call: CallId,
        saved: TicketSaved,
    },
    /// Dial a duty number to see who is there.
    DialTest(DialTest),
    /// Tell a unit of an urgent ticket by telephone.
    VoiceUrge(VoiceUrge),
    /// What that call was for has been done meanwhile.
    UrgeOver {
        call: CallId,
    },
    /// Somebody guesses look-up codes on the public page.
    CodesGuessed,
    /// An official number for a ticket that the desk makes. Answered when nothing can give that number a second time.
    DrawNumber,
    /// What kept a caller waiting, and why those who were offered him were chosen.
    Why {
        call: CallId,
    },
}

/// What a saved ticket means to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketSaved {
    /// None of the call's tickets is a draft any more.
    pub done: bool,
    /// The call has got one more ticket, a draft, which has to be finished too.
    pub opened: bool,
    pub state: String,
    /// Holds for callbacks promised in that call.
    pub reachable: Reachable,
}

/// Queues and agents at one moment. Times are wall ms since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Floor {
    pub queues: Vec<QueueStats>,
    pub agents: Vec<Colleague>,
}

/// A trunk or a desk phone at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    pub name: Arc<str>,
    /// Else a phone.
    pub trunk: bool,
    /// Ours at the trunk, or the phone's here.
    pub registered: bool,
    /// Places where the phone rings.
    pub contacts: usize,
}

/// A stretch of a wait: the stretches meet end to end and cover it. Times are wall ms since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub from_ms: i64,
    pub to_ms: i64,
    pub cause: &'static str,
    /// Whom it was about: who is being offered the caller, or who took another first.
    pub agent: Option<String>,
    pub served: Option<CallId>,
}

/// Why an agent was offered a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    pub at_ms: i64,
    pub agent: String,
    /// `longest_idle fewest_calls skill_first ring_all sticky lead`.
    pub rule: &'static str,
    /// Free and fit at that moment; the first of them in the order of the rule.
    pub free: usize,
    pub considered: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Why {
    pub waited: Vec<Kept>,
    pub chosen: Vec<Chosen>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    LiveCalls(Vec<LiveCall>),
    Status(Box<Status>),
    HungUp(bool),
    Floor(Box<Floor>),
    Peers(Vec<PeerState>),
    /// Whoever has the call in hand has been told.
    Told,
    /// The call that dials; its end tells the rest.
    DialTest(Result<CallId, Refused>),
    VoiceUrge(Result<CallId, Refused>),
    /// The number with its look-up code; `None`: too many wait for a disk that says nothing.
    Number(Option<(Arc<str>, Personal)>),
    /// `None`: this call has never waited, or so long ago that nobody remembers.
    Why(Option<Box<Why>>),
}

/// A live call as the wall shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveCall {
    pub id: CallId,
    /// One of the contract's call states.
    pub state: &'static str,
    pub caller: Personal,
    pub private: bool,
    pub called: String,
    pub trunk: Arc<str>,
    pub node: Arc<str>,
    pub queue: Option<Arc<str>>,
    /// Who has it, or had it last.
    pub agent: Option<String>,
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
            Request::DrawNumber => return self.draw_for_desk(now, id, out),
            Request::LiveCalls { limit } => Reply::LiveCalls(self.newest_live(limit)),
            Request::Status => Reply::Status(Box::new(self.status())),
            Request::HangUp { call } => {
                let lives = self.calls.contains_key(&call);
                self.took(call, super::News::HangUp);
                self.end(now, call, EndReason::ForcedByStaff, super::engine::EndedBy::Us, out);
                Reply::HungUp(lives)
            }
            Request::Peers => Reply::Peers(self.peers()),
            Request::Floor => Reply::Floor(Box::new(self.floor())),
            Request::TicketSaved { call, saved } => {
                if saved.opened {
                    self.ticket_opened(now, call);
                }
                self.ticket_saved(now, call, saved.done, &saved.state);
                self.reachable(now, call, saved.reachable, out);
                Reply::Told
            }
            Request::VoiceUrge(urge) => Reply::VoiceUrge(self.voice_urge(now, &urge, out)),
            Request::CodesGuessed => {
                self.codes_guessed(now);
                Reply::Told
            }
            Request::UrgeOver { call } => {
                self.urge_over(now, call, out);
                Reply::Told
            }
            Request::DialTest(test) => Reply::DialTest(self.dial_test(now, &test, out)),
            Request::Why { call } => Reply::Why(self.why(now, call).map(Box::new)),
        };
        out.push(super::Effect::Reply { id, reply });
    }

    fn peers(&self) -> Vec<PeerState> {
        let states = self.config.ua.peers.iter().zip(0..).map(|(peer, n)| {
            let (registered, contacts) = self.ua.registration(crate::sip::seam::PeerId(n));
            let trunk = peer.kind == crate::sip::seam::PeerKind::Trunk;
            PeerState { name: Arc::clone(&peer.name), trunk, registered, contacts }
        });
        states.collect()
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
                agent: call.agent.map(|agent| agent.to_string()),
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

impl super::Engine {
    fn why(&self, now: crate::base::Time, call: CallId) -> Option<Why> {
        use crate::acd::{Cause, Rule, Strategy};
        let waited = self.acd.why_waiting(now, call)?;
        let kept = waited.into_iter().map(|interval| Kept {
            from_ms: self.wall.at(interval.from),
            to_ms: self.wall.at(interval.to),
            cause: interval.cause.code(),
            agent: match interval.cause {
                Cause::BeingOffered(agent) | Cause::HigherPriorityFirst { agent, .. } => {
                    Some(agent.to_string())
                }
                _ => None,
            },
            served: match interval.cause {
                Cause::HigherPriorityFirst { served, .. } => Some(served),
                _ => None,
            },
        });
        let chosen = self.acd.choices_of(call).map(|choice| Chosen {
            at_ms: self.wall.at(choice.at),
            agent: choice.agent.to_string(),
            rule: match choice.rule {
                Rule::Strategy(Strategy::LongestIdle) => "longest_idle",
                Rule::Strategy(Strategy::FewestCalls) => "fewest_calls",
                Rule::Strategy(Strategy::SkillFirst) => "skill_first",
                Rule::Strategy(Strategy::RingAll { .. }) => "ring_all",
                Rule::Sticky => "sticky",
                Rule::Lead => "lead",
            },
            free: choice.free,
            considered: choice.considered.iter().map(|key| key.agent.to_string()).collect(),
        });
        Some(Why { waited: kept.collect(), chosen: chosen.collect() })
    }
}
