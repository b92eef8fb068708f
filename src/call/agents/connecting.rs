//! Legs to the outside that no agent asked for: the flow's `dial`, and the mobile that is rung when nobody answers.
//!
//! A flow's `dial` keeps the caller in `Dialing` with the ringing tone until the other answers, refuses or is given up; then they talk as
//! any two do. `answered` is the way on after that talk, as with a queue. Early media of the other is not passed on.

use super::party::{Role, Who};
use super::seam::AgentEvent;
use crate::base::{CallId, Personal, Time};
use crate::call::counters::Count;
use crate::call::engine::{Effect, Engine, millis};
use crate::call::fact::{Fact, QueueOutcome};
use crate::call::live::Stage;
use crate::ivr::seam::{DialEnd, Input, QueueNews};
use crate::media::seam::Order;
use crate::sip::seam::{DialogEnd, DialogId};
use std::sync::Arc;
use std::time::Duration;

/// What a caller hears while the other's telephone rings.
const RINGBACK: &str = "ringback";

impl Engine {
    /// The flow wants the caller connected: a desk phone of ours, or a number that the rules allow.
    pub(in crate::call) fn connect_to(
        &mut self,
        now: Time,
        id: CallId,
        to: &Arc<str>,
        timeout: Duration,
        out: &mut Vec<Effect>,
    ) {
        self.note(now, Fact::DialStarted { call: id, to: Personal::new(&**to) }, out);
        let phone = self.phone(to).map(|peer| (peer, Arc::clone(to)));
        let reached = phone.or_else(|| self.outside(to).ok());
        let rung = !self.draining
            && reached.is_some_and(|(peer, number)| {
                let (from, who) = (self.own_number(), Who::Number(Arc::clone(&number)));
                self.invite_party(now, id, peer, &number, &from, Vec::new(), who, Role::Talk, false)
            });
        if !rung {
            return self.connected_to(now, id, DialEnd::Failed, out);
        }
        self.counters.add(Count::CallsDialled);
        let tone = self.clip(RINGBACK);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Dialing { until: now + timeout };
        self.touched.push(id);
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        out.push(Effect::Media { worker, order: Order::Background { leg, clip: tone } });
    }

    /// What came of it, before a word was spoken: the walk goes on.
    fn connected_to(&mut self, now: Time, id: CallId, end: DialEnd, out: &mut Vec<Effect>) {
        self.note(now, Fact::DialEnded { call: id, outcome: code(end) }, out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if matches!(call.stage, Stage::Dialing { .. }) {
            call.stage = Stage::Walking;
            let (leg, worker) = (call.leg.id, call.leg.port.worker);
            out.push(Effect::Media { worker, order: Order::Background { leg, clip: None } });
        }
        self.touched.push(id);
        self.todo.push_back((id, Input::Dial(end)));
    }

    /// It rang for as long as the flow lets it.
    pub(in crate::call) fn rang_out(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        self.drop_asked(now, id, "no_answer", out);
        self.connected_to(now, id, DialEnd::NoAnswer, out);
    }

    /// Is this a caller whom his flow connects, not somebody whom an agent has dialled?
    pub(super) fn is_connecting(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| !call.outbound && matches!(call.stage, Stage::Dialing { .. }))
    }

    /// The other's dialog ended before he answered.
    pub(super) fn not_connected(
        &mut self,
        now: Time,
        id: CallId,
        at: usize,
        why: DialogEnd,
        out: &mut Vec<Effect>,
    ) {
        let end = match why {
            DialogEnd::Failed { status: 486 | 600 } => DialEnd::Busy,
            DialogEnd::Failed { status: 408 | 480 | 487 } => DialEnd::NoAnswer,
            _ => DialEnd::Failed,
        };
        self.drop_party_at(now, id, at, "not_reached", out);
        self.connected_to(now, id, end, out);
    }

    /// The other has answered: they talk, and the walk rests at its `dial`.
    pub(super) fn connected(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        self.note(now, Fact::DialEnded { call: id, outcome: code(DialEnd::Answered) }, out);
        let wall_ms = self.wall.at(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Talking { until: None };
        call.connected = true;
        call.taken_ms.get_or_insert(wall_ms);
        self.touched.push(id);
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        out.push(Effect::Media { worker, order: Order::Background { leg, clip: None } });
    }

    /// Neither agents nor leads answer: the mobile of who is on call is rung beside the line the caller stays in. Answering is taking.
    pub(super) fn ring_mobile(&mut self, now: Time, id: CallId, number: &str, out: &mut Vec<Effect>) {
        let queued = self.calls.get(&id).is_some_and(|call| {
            matches!(call.stage, Stage::Queued { .. }) && !call.parties.iter().any(|p| p.agent().is_none())
        });
        let Ok((peer, number)) = self.outside(number) else { return };
        let (from, who) = (self.own_number(), Who::Number(Arc::clone(&number)));
        if !queued || !self.invite_party(now, id, peer, &number, &from, Vec::new(), who, Role::Talk, false) {
            return;
        }
        self.counters.add(Count::CallsDialled);
        self.note(now, Fact::DialStarted { call: id, to: Personal::new(&*number) }, out);
    }

    /// The mobile was answered: the caller is out of the line and with him.
    pub(super) fn mobile_answers(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        self.note(now, Fact::DialEnded { call: id, outcome: code(DialEnd::Answered) }, out);
        let Some((queue, since)) = self.acd_fact(|acd, said| acd.leave(now, id, said)) else { return };
        let wall_ms = self.wall.at(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Talking { until: None };
        call.taken_ms.get_or_insert(wall_ms);
        self.touched.push(id);
        let (arrived_ms, outbound) = (call.arrived_ms, call.outbound);
        let numbered = call.ticket.is_some() || outbound;
        self.callback_withdrawn(now, id, out);
        let waited_ms = millis(now.since(since));
        let left = Fact::QueueLeft {
            call: id,
            queue: queue.to_string(),
            outcome: QueueOutcome::Answered,
            waited_ms,
        };
        self.note(now, left, out);
        self.stir(now, &queue);
        if !outbound {
            self.step(now, id, Input::Queue(QueueNews::Answered), out);
        }
        if !numbered {
            let ticket = self.draw(now, id, arrived_ms, out);
            if let Some(call) = self.calls.get_mut(&id) {
                call.ticket = ticket;
            }
        }
    }

    /// Outside numbers that still ring for this call are rung no more: somebody else has it, or it waits no longer.
    pub(in crate::call) fn drop_asked(
        &mut self,
        now: Time,
        id: CallId,
        why: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let asked = |call: &crate::call::live::Call| {
            call.parties.iter().position(|party| party.agent().is_none() && !party.up)
        };
        while let Some(at) = self.calls.get(&id).and_then(asked) {
            let Some(party) = self.drop_party_at(now, id, at, why, out) else { return };
            let who = party.who.name();
            self.tell_call(now, id, AgentEvent::Left { call: id, who }, None);
        }
    }

    /// An outside number answers. False: nobody waits for it any more.
    pub(super) fn outsider_answers(
        &mut self,
        now: Time,
        id: CallId,
        dialog: DialogId,
        out: &mut Vec<Effect>,
    ) -> bool {
        match self.calls.get(&id).map(|call| &call.stage) {
            Some(Stage::Dialing { .. }) if self.is_connecting(id) => self.connected(now, id, out),
            Some(Stage::Queued { .. }) => self.mobile_answers(now, id, out),
            Some(Stage::Talking { .. } | Stage::Dialing { .. }) => {}
            _ => {
                let at = self
                    .calls
                    .get(&id)
                    .and_then(|call| call.parties.iter().position(|party| party.dialog == Some(dialog)));
                if let Some(at) = at {
                    self.drop_party_at(now, id, at, "too_late", out);
                }
                return false;
            }
        }
        true
    }
}

const fn code(end: DialEnd) -> u8 {
    match end {
        DialEnd::Answered => 0,
        DialEnd::Busy => 1,
        DialEnd::NoAnswer => 2,
        DialEnd::Failed => 3,
    }
}
