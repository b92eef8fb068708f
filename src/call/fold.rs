//! The journal's facts folded back into what was live: what a rebuilt engine would start from, and what is compared with the one
//! that wrote them after each step of a simulated day (architecture, section 7.7).
//!
//! Only what facts carry is here. A walk is rebuilt by replay, the user agent's dialog from its facts, the media leg from the answer.

use super::Engine;
use super::callbacks::CallbackFold;
use super::fact::{CallAnswered, DialogFact, Fact, StepTrail};
use super::live::{Call, Stage};
use crate::base::CallId;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One live call, as the facts tell it.
#[derive(Clone, Debug, Default)]
pub struct LiveFacts {
    pub sip_call_id: String,
    pub caller: String,
    pub called: String,
    pub trunk: String,
    pub flow_hash: u64,
    pub answered: Option<Box<CallAnswered>>,
    pub confirmed: bool,
    pub held: bool,
    pub dialog: Option<Box<DialogFact>>,
    pub queue: Option<(String, u8)>,
    pub node: String,
    pub recording: Option<u128>,
    pub number: Option<String>,
    /// Other legs on the call, and whether each is set aside.
    pub parties: BTreeMap<u64, bool>,
}

/// The live calls of one boot, and how many ended.
#[derive(Clone, Debug, Default)]
pub struct LiveFold {
    pub live: BTreeMap<CallId, LiveFacts>,
    pub ended: u64,
    pub callbacks: CallbackFold,
}

impl LiveFold {
    pub fn fold(&mut self, fact: &Fact) {
        self.callbacks.fold(0, fact);
        match fact {
            Fact::CallArrived(arrived) => {
                let live = LiveFacts {
                    sip_call_id: arrived.sip_call_id.clone(),
                    caller: arrived.caller.reveal().to_owned(),
                    called: arrived.called.clone(),
                    trunk: arrived.trunk.clone(),
                    flow_hash: arrived.flow_hash,
                    ..LiveFacts::default()
                };
                self.live.insert(arrived.call, live);
            }
            Fact::CallEnded(ended) => {
                self.live.remove(&ended.call);
                self.ended += 1;
            }
            Fact::CallAnswered(answered) => {
                self.change(answered.call, |call| call.answered = Some(answered.clone()))
            }
            Fact::CallConfirmed { call } => self.change(*call, |call| call.confirmed = true),
            Fact::MediaChanged { call, held, .. } => self.change(*call, |call| call.held = *held),
            Fact::Dialog(dialog) => self.change(dialog.call, |call| call.dialog = Some(dialog.clone())),
            Fact::Step(step) => self.change(step.call, |call| {
                let entered = step.trail.iter().rev().find_map(|trail| match trail {
                    StepTrail::Entered(node) => Some(node),
                    _ => None,
                });
                if let Some(node) = entered {
                    call.node.clone_from(node);
                }
            }),
            Fact::QueueEntered { call, queue, priority, .. } => {
                self.change(*call, |call| call.queue = Some((queue.clone(), *priority)));
            }
            Fact::QueueRaised { call, priority } => self.change(*call, |call| {
                if let Some((_, place)) = &mut call.queue {
                    *place = *priority;
                }
            }),
            Fact::QueueLeft { call, .. } => self.change(*call, |call| call.queue = None),
            Fact::RecordingStarted { call, recording } => {
                self.change(*call, |call| call.recording = Some(*recording))
            }
            Fact::NumberDrawn { call, no, .. } => self.change(*call, |call| call.number = Some(no.clone())),
            Fact::PartyJoined(joined) => self.change(joined.call, |call| {
                call.parties.insert(joined.party, false);
            }),
            Fact::PartyHeld { call, party, on } => {
                self.change(*call, |call| match (*party, *on) {
                    // The citizen is listed while he is set aside.
                    (0, false) => drop(call.parties.remove(&0).is_some()),
                    (party, on) => drop(call.parties.insert(party, on).is_some()),
                });
            }
            Fact::PartyLeft { call, party, .. } => {
                self.change(*call, |call| {
                    call.parties.remove(party);
                });
            }
            Fact::Booted { .. }
            | Fact::AgentState { .. }
            | Fact::AgentIntent { .. }
            | Fact::RosterNoted { .. }
            | Fact::CallOffered { .. }
            | Fact::OfferEnded { .. }
            | Fact::WrappedUp { .. }
            | Fact::CallNoted { .. }
            | Fact::RecordingPaused { .. }
            | Fact::NumberBlock { .. }
            | Fact::MessageStored { .. }
            | Fact::CallbackRequested { .. }
            | Fact::CallbackTried { .. }
            | Fact::CallbackTryEnded { .. }
            | Fact::CallbackMoved { .. }
            | Fact::CallbackOver { .. }
            | Fact::RecordingEnded { .. }
            | Fact::ValueSet { .. }
            | Fact::DialStarted { .. }
            | Fact::DialEnded { .. }
            | Fact::MediaReport(_)
            | Fact::FlowLoaded { .. }
            | Fact::FlowRefused { .. }
            | Fact::Draining
            | Fact::Stopped => {}
        }
    }

    fn change(&mut self, call: CallId, change: impl FnOnce(&mut LiveFacts)) {
        if let Some(live) = self.live.get_mut(&call) {
            change(live);
        }
    }

    /// One figure over every live call; equal to [`Engine::live_digest`] of the engine that wrote the facts.
    pub fn digest(&self) -> u64 {
        self.live.iter().fold(0, |sum, (id, live)| sum ^ self::digest(*id, &Seen::of_facts(live)))
    }
}

/// What both sides know of a call, borrowed from either.
#[derive(Debug, Hash, PartialEq, Eq)]
struct Seen<'a> {
    caller: &'a str,
    called: &'a str,
    trunk: &'a str,
    flow_hash: u64,
    answered: bool,
    held: bool,
    port: Option<(u16, u8, u32)>,
    queue: Option<(&'a str, u8)>,
    node: &'a str,
    recording: Option<u128>,
    number: Option<&'a str>,
    parties: Vec<(u64, bool)>,
}

impl<'a> Seen<'a> {
    fn of_facts(live: &'a LiveFacts) -> Self {
        Self {
            caller: &live.caller,
            called: &live.called,
            trunk: &live.trunk,
            flow_hash: live.flow_hash,
            answered: live.answered.is_some(),
            held: live.held,
            port: live.answered.as_ref().map(|answered| (answered.port, answered.worker, answered.ssrc)),
            queue: live.queue.as_ref().map(|(queue, priority)| (queue.as_str(), *priority)),
            node: &live.node,
            recording: live.recording,
            number: live.number.as_deref(),
            parties: live.parties.iter().map(|(party, aside)| (*party, *aside)).collect(),
        }
    }

    fn of_call(engine: &'a Engine, call: &'a Call) -> Self {
        let queued = matches!(call.stage, Stage::Queued { .. });
        Self {
            caller: &call.number,
            called: &call.called,
            trunk: &call.trunk,
            flow_hash: call.walk.flow().hash(),
            answered: call.answered.is_some(),
            held: call.held,
            port: call.answered.map(|_| (call.leg.port.port, call.leg.port.worker, call.leg.ssrc)),
            queue: queued.then(|| engine.acd.place(call.id)).flatten(),
            node: call.path.back().map_or("", |node| node),
            recording: call.recording.map(|recording| recording.0),
            number: call.ticket.as_ref().map(|(no, _)| &**no),
            parties: {
                let up = call.parties.iter().filter(|party| party.up).map(|party| (party.leg.id.0, false));
                let mut all: Vec<_> = call.aside.then_some((0, true)).into_iter().chain(up).collect();
                all.sort_unstable();
                all
            },
        }
    }
}

fn digest(id: CallId, seen: &Seen<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, seen).hash(&mut hasher);
    hasher.finish()
}

impl Engine {
    /// See [`LiveFold::digest`]. Costs the number of live calls: for tests.
    pub fn live_digest(&self) -> u64 {
        let live = self.order.iter().filter_map(|id| self.calls.get(id));
        live.fold(0, |sum, call| sum ^ digest(call.id, &Seen::of_call(self, call)))
    }

    /// The first live call that the facts tell otherwise, in words; `None` when both agree.
    pub fn differs_from(&self, fold: &LiveFold) -> Option<String> {
        for id in &self.order {
            let (Some(call), Some(live)) = (self.calls.get(id), fold.live.get(id)) else {
                return Some(format!("{id} is live in one of the two"));
            };
            let (engine, facts) = (Seen::of_call(self, call), Seen::of_facts(live));
            if engine != facts {
                return Some(format!("{id}\n engine {engine:?}\n facts  {facts:?}"));
            }
            let dialog = self.ua.dialog_facts(call.dialog);
            if let (Some(known), Some(told)) = (dialog, &live.dialog)
                && (known.local_tag != told.local_tag
                    || known.remote_tag != told.remote_tag
                    || known.local_cseq_reserved != told.local_cseq_reserved)
            {
                return Some(format!("{id}: dialog {known:?} is not {told:?}"));
            }
        }
        let promised: Vec<_> =
            fold.callbacks.0.iter().map(|(of, open)| (*of, open.tries, open.dialled)).collect();
        if self.open_callbacks() != promised {
            return Some(format!("callbacks {:?} are not {promised:?}", self.open_callbacks()));
        }
        (self.calls.len() != fold.live.len())
            .then(|| format!("{} calls live, {} in the facts", self.calls.len(), fold.live.len()))
    }
}
