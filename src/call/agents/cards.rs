//! What panels are shown: cards, states, queues, snapshots; and how words reach the agents.

use super::desk::Seat;
use super::seam::{
    AgentEvent, AgentState, CallCard, CallbackCard, Colleague, Device, Direction, FromEngine, QueueStats,
    Snapshot,
};
use crate::acd::{self, AgentId};
use crate::base::{CallId, Time};
use crate::call::engine::{Effect, Engine};
use crate::call::live::{Call, Stage};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Queues' numbers go out so often at most.
const STATS_EVERY: Duration = Duration::from_millis(250);

pub(super) fn device_label(device: Option<&Device>) -> String {
    match device {
        None => String::new(),
        Some(Device::Browser) => "browser".to_owned(),
        Some(Device::Phone(name)) => name.to_string(),
    }
}

impl Engine {
    /// The desk has saved the ticket of this call: whoever has it in hand hears of it, and whoever had to finish it is free.
    pub(in crate::call) fn ticket_saved(&mut self, now: Time, id: CallId, done: bool, state: &str) {
        let ticket_no = match self.calls.get_mut(&id) {
            Some(call) => {
                call.ticket_done |= done;
                call.ticket.as_ref().map(|(no, _)| Arc::clone(no))
            }
            None => None,
        };
        let held = |seat: &Seat| seat.unfinished == Some(id);
        let his = |seat: &Seat| {
            held(seat) || seat.call == Some(id) || seat.wrap_call.is_some_and(|(call, _)| call == id)
        };
        let agents: Vec<(AgentId, bool)> = self
            .desk
            .seats
            .iter()
            .filter(|(_, seat)| his(seat))
            .map(|(agent, seat)| (*agent, held(seat)))
            .collect();
        for (agent, held) in agents {
            if done && held {
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.unfinished = None;
                }
                let _ = self.acd_fact(|acd, actions| acd.ticket_unfinished(now, agent, false, actions));
            }
            let (ticket_no, state) = (ticket_no.clone(), Arc::from(state));
            self.tell(now, agent, AgentEvent::TicketUpdated { call: id, ticket_no, state });
        }
    }

    /// The call has one more ticket to be finished: whoever wraps it up is not through.
    pub(in crate::call) fn ticket_opened(&mut self, now: Time, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.ticket_done = false;
        }
        if !self.config.limits.hold_unfinished {
            return;
        }
        let wraps = |seat: &Seat| {
            seat.state == crate::acd::AgentState::WrapUp && seat.wrap_call.is_some_and(|(call, _)| call == id)
        };
        let agents: Vec<AgentId> =
            self.desk.seats.iter().filter(|(_, seat)| wraps(seat)).map(|(agent, _)| *agent).collect();
        for agent in agents {
            if let Some(seat) = self.desk.seats.get_mut(&agent) {
                seat.unfinished = Some(id);
            }
            let _ = self.acd_fact(|acd, actions| acd.ticket_unfinished(now, agent, true, actions));
        }
    }

    pub(super) fn tell(&mut self, now: Time, to: AgentId, event: AgentEvent) {
        let Some(seat) = self.desk.seats.get(&to) else { return };
        let word =
            FromEngine::Event { to: Arc::clone(&seat.name), at: now, wall_ms: self.wall.at(now), event };
        self.desk.words.push(word);
    }

    /// The agent himself, and those who watch the floor. Also while their pages are away: they come back and resume.
    pub(super) fn tell_floor(&mut self, now: Time, about: AgentId, event: AgentEvent) {
        let Some(seat) = self.desk.seats.get(&about) else { return };
        let but = Some(Arc::clone(&seat.name));
        self.tell(now, about, event.clone());
        let to = self.desk.watching.floor();
        self.tell_all(now, to, but, event);
    }

    fn tell_all(&mut self, now: Time, to: Arc<[Arc<str>]>, but: Option<Arc<str>>, event: AgentEvent) {
        if !to.is_empty() {
            let wall_ms = self.wall.at(now);
            self.desk.words.push(FromEngine::Floor { to, but, at: now, wall_ms, event });
        }
    }

    /// To every lead whose page is open; counted also when there is none.
    pub(super) fn alarm(
        &mut self,
        now: Time,
        kind: &'static str,
        call: Option<CallId>,
        agent: Option<AgentId>,
        note: &str,
    ) {
        self.counters.add(crate::call::counters::Count::Alarms);
        let leads: Vec<AgentId> =
            self.desk.seats.iter().filter(|(_, seat)| seat.lead && seat.present).map(|(id, _)| *id).collect();
        for lead in leads {
            let (agent, note) = (agent.map(|agent| Arc::from(agent.as_str())), Arc::from(note));
            self.tell(now, lead, AgentEvent::Alarm { kind, call, agent, note });
        }
    }

    pub(super) fn state_for_panel(&self, agent: AgentId) -> AgentState {
        let Some(seat) = self.desk.seats.get(&agent) else { return AgentState::Offline };
        match &seat.state {
            acd::AgentState::Offline => AgentState::Offline,
            acd::AgentState::NotReady(reason) => AgentState::NotReady { reason: Arc::clone(reason) },
            acd::AgentState::Ready => AgentState::Ready,
            acd::AgentState::Offered => AgentState::Offered,
            acd::AgentState::OnCall => AgentState::OnCall,
            acd::AgentState::WrapUp => {
                AgentState::WrapUp { until_ms: seat.wrap_until.map_or(0, |at| self.wall.at(at)) }
            }
            acd::AgentState::NotResponding => AgentState::NotResponding,
        }
    }

    /// `to`: whose eyes it is for; he is not among the others.
    pub(super) fn card(&self, id: CallId, to: Option<AgentId>) -> Option<Box<CallCard>> {
        let call = self.calls.get(&id)?;
        let back = call.back_to.as_ref().and_then(|back| back.ticket.as_ref());
        let safe = call.ticket.as_ref().filter(|_| self.number_shown(call)).or(back);
        let others = call.parties.iter().filter(|p| p.role.is_heard() && p.agent() != to);
        Some(Box::new(CallCard {
            call: id,
            direction: if call.outbound { Direction::Outbound } else { Direction::Inbound },
            queue: call.queue.clone(),
            caller: Arc::from(if call.private { "" } else { call.number.as_str() }),
            called: Arc::from(call.called.as_str()),
            ticket_no: safe.map(|(no, _)| Arc::clone(no)),
            ticket_code: safe.map(|(_, code)| Arc::clone(code)),
            state: self.state_of_card(call, to),
            arrived_ms: call.arrived_ms,
            queued_ms: call.queued_ms,
            answered_ms: call.taken_ms,
            path: call.path.iter().cloned().collect(),
            urgent: call.urgent,
            recording_paused: call.recording_paused,
            others: others.map(|party| party.who.name()).collect(),
            session: call.session_card(to),
            callback: call.calls_back.map(|of| CallbackCard {
                of,
                asked_ms: call.back_to.as_ref().map_or(0, |back| back.asked_ms),
                tries: call.back_to.as_ref().map_or(0, |back| back.tries),
            }),
        }))
    }

    fn number_shown(&self, call: &Call) -> bool {
        call.ticket_seq <= self.durable
    }

    fn state_of_card(&self, call: &Call, to: Option<AgentId>) -> &'static str {
        let mine = to.and_then(|agent| call.party_of(agent));
        let consulting = call.parties.iter().any(|party| party.consult);
        // Who only listens makes no conference.
        let talkers = call.parties.iter().filter(|party| party.up && party.role.is_heard()).count();
        match (&call.stage, mine) {
            (Stage::Talking { .. }, Some(party)) if party.up && consulting => "consulting",
            (Stage::Talking { .. }, Some(party)) if party.up && (call.aside || call.asking == to) => "held",
            (Stage::Talking { .. }, Some(party)) if party.up && talkers > 1 => "conference",
            (Stage::Talking { .. }, Some(party)) if party.up => "talking",
            // The citizen was quicker than the agent's own phone.
            (Stage::Talking { .. }, Some(_)) if call.outbound => "dialling",
            (Stage::Dialing { .. }, _) => "dialling",
            _ => "offered",
        }
    }

    pub(super) fn snapshot(&self, agent: AgentId) -> Option<Box<Snapshot>> {
        let seat = self.desk.seats.get(&agent)?;
        let offer = self.desk.offer_of(agent).filter(|(_, open)| open.told);
        let on_call = seat.call.filter(|_| self.desk.offer_of(agent).is_none());
        let card = match &offer {
            Some((_, open)) => self.offer_card(open),
            None => on_call.and_then(|call| self.card(call, Some(agent))),
        };
        Some(Box::new(Snapshot {
            agent: Arc::clone(&seat.name),
            state: self.state_for_panel(agent),
            since_ms: seat.since_ms,
            device: seat.device.clone(),
            break_pending: seat.break_asked.clone(),
            calls: card.map(|card| *card).into_iter().collect(),
            offer: offer.map(|(_, open)| {
                (open.call, self.wall.at(open.answer_by), open.auto_answer_at.map(|at| self.wall.at(at)))
            }),
            queues: self.config.queues.iter().filter_map(|(name, _)| self.queue_stats(name)).collect(),
            colleagues: {
                let others = self.desk.seats.iter().filter(|(id, _)| **id != agent);
                others.map(|(id, seat)| self.colleague_card(*id, seat)).collect()
            },
        }))
    }

    /// Everybody and every queue, for the wall.
    pub(in crate::call) fn floor(&self) -> crate::call::request::Floor {
        crate::call::request::Floor {
            queues: self.config.queues.iter().filter_map(|(name, _)| self.queue_stats(name)).collect(),
            agents: self.desk.seats.iter().map(|(id, seat)| self.colleague_card(*id, seat)).collect(),
        }
    }

    fn colleague_card(&self, id: AgentId, seat: &super::desk::Seat) -> Colleague {
        Colleague {
            agent: Arc::clone(&seat.name),
            state: self.state_for_panel(id),
            since_ms: seat.since_ms,
            device: seat.device.clone(),
            call: seat.call,
        }
    }

    pub(super) fn stranger(&self, agent: &Arc<str>) -> Box<Snapshot> {
        Box::new(Snapshot {
            agent: Arc::clone(agent),
            state: AgentState::Offline,
            since_ms: 0,
            device: None,
            break_pending: None,
            calls: Vec::new(),
            offer: None,
            queues: self.config.queues.iter().filter_map(|(name, _)| self.queue_stats(name)).collect(),
            colleagues: Vec::new(),
        })
    }

    fn queue_stats(&self, queue: &Arc<str>) -> Option<QueueStats> {
        let stats = self.acd.stats(queue)?;
        let n = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Some(QueueStats {
            queue: Arc::clone(queue),
            waiting: n(stats.waiting),
            longest_since_ms: stats.longest_since.map(|at| self.wall.at(at)),
            stated_ms: stats.stated.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
            staffed: stats.staffed.into(),
            free: stats.free.into(),
            talking: stats.talking.into(),
            wrap_up: stats.wrap.into(),
            callbacks: n(stats.callbacks),
        })
    }

    /// A queue's numbers have changed: they go out soon, with those of others.
    pub(in crate::call) fn stir(&mut self, now: Time, queue: &Arc<str>) {
        if self.desk.stirred.insert(Arc::clone(queue)) {
            self.desk.send_stats_at.get_or_insert(now + STATS_EVERY);
        }
    }

    pub(super) fn send_stats(&mut self, now: Time) {
        if self.desk.send_stats_at.is_none_or(|at| at > now) {
            return;
        }
        self.desk.send_stats_at = None;
        let stirred: BTreeSet<Arc<str>> = std::mem::take(&mut self.desk.stirred);
        for queue in stirred {
            let Some(stats) = self.queue_stats(&queue) else { continue };
            let to = self.desk.watching.of(&queue);
            self.tell_all(now, to, None, AgentEvent::QueueStats(stats));
        }
    }

    /// What was said within this input goes out in its order.
    pub(in crate::call) fn flush_words(&mut self, out: &mut Vec<Effect>) {
        out.extend(self.desk.words.drain(..).map(|word| Effect::Agent(Box::new(word))));
    }
}
