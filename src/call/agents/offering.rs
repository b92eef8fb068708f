//! What the ACD proposes, and how each offer ends: reserved, made safe on disk, told, answered or taken back.

use super::desk::{Open, Safe};
use super::party::{Role, Who};
use super::seam::{AgentEvent, Device, Path};
use crate::acd::{self, Action, AgentId, BreakNews, Ending, Escalation, OfferId, RefusedBy};
use crate::base::{CallId, Time};
use crate::call::counters::Count;
use crate::call::engine::{Effect, Engine, millis};
use crate::call::fact::{Fact, QueueOutcome};
use crate::call::intents::Wish;
use crate::call::live::Stage;
use crate::call::reach::News;
use crate::ivr::seam::{Input, QueueNews};
use std::sync::Arc;
use std::time::Duration;

/// A dead path is known after a second at most, on top of the way here.
const FRESH: Duration = Duration::from_millis(2_000);

impl Engine {
    /// Runs a fact of the ACD; what it wants then is carried out by `settle`.
    pub(in crate::call) fn acd_fact<R>(
        &mut self,
        fact: impl FnOnce(&mut acd::Acd, &mut Vec<Action>) -> R,
    ) -> R {
        let mut scratch = std::mem::take(&mut self.acd_scratch);
        let result = fact(&mut self.acd, &mut scratch);
        self.acd_out.extend(scratch.drain(..));
        self.acd_scratch = scratch;
        result
    }

    pub(in crate::call) fn acd_news(&mut self, now: Time, action: Action, out: &mut Vec<Effect>) {
        match action {
            Action::Offer { offer, agent, call, queue, answer_by, auto_answer_at, dial, .. } => {
                let open = Open { agent, call, answer_by, auto_answer_at, seq: 0, told: false };
                self.offered(now, offer, open, &queue, dial, out);
            }
            Action::Rescind { offer, agent, call, why } => {
                self.rescinded(now, offer, agent, call, why, out);
            }
            Action::Connect { offer, agent, call, dial: true, .. } => {
                self.call_back(now, offer, agent, call, out);
            }
            Action::Connect { offer, agent, call, waited, .. } => {
                self.connect(now, offer, agent, call, waited, out);
            }
            Action::AgentState { agent, state, since } => self.agent_is(now, agent, state, since, out),
            Action::Break { agent, news } => self.break_news(now, agent, news),
            Action::Intends { agent, intent, on_break } => self.intends(now, agent, intent, on_break, out),
            Action::WrapOverdue { agent, call } => {
                self.alarm(now, "wrap_overdue", Some(call), Some(agent), "");
            }
            Action::Overflow { call, to, .. } => self.moved_on(now, call, &to, out),
            Action::TimedOut { call } => {
                self.left_queue(now, call, QueueOutcome::TimedOut, QueueNews::TimedOut, out);
            }
            Action::Unstaffed { queue } => self.alarm(now, "unstaffed", None, None, &queue),
            Action::Escalate { call, to } => {
                let number = match &to {
                    Escalation::OnCallMobile(number) => &**number,
                    Escalation::Nobody => "",
                };
                self.alarm(now, "nobody_answers", Some(call), None, number);
                self.ring_mobile(now, call, number, out);
            }
            Action::CallbackGivenUp { call } => self.callback_given_up(now, call, out),
        }
    }

    fn offered(
        &mut self,
        now: Time,
        offer: OfferId,
        open: Open,
        queue: &Arc<str>,
        dial: bool,
        out: &mut Vec<Effect>,
    ) {
        let waits = match dial {
            true => self.callback_is_free(open.call),
            false => matches!(self.calls.get(&open.call).map(|c| &c.stage), Some(Stage::Queued { .. })),
        };
        if !waits {
            self.counters.add(Count::OfferRefused);
            let _ = self.acd_fact(|acd, actions| acd.refused(now, offer, RefusedBy::Call, actions));
            return;
        }
        let free = self.desk.seats.get(&open.agent).is_some_and(|s| s.device.is_some() && s.call.is_none());
        if !free {
            self.counters.add(Count::OfferRefused);
            let by = RefusedBy::Agent(Arc::from("taken"));
            let _ = self.acd_fact(|acd, actions| acd.refused(now, offer, by, actions));
            return;
        }
        self.counters.add(Count::Offers);
        self.took(open.call, News::Offered);
        let (call, agent) = (open.call, open.agent.to_string());
        let seq =
            self.note(now, Fact::CallOffered { call, offer: offer.0, agent, queue: queue.to_string() }, out);
        if let Some(seat) = self.desk.seats.get_mut(&open.agent) {
            seat.call = Some(call);
        }
        self.desk.safe.insert((seq, Safe::Offer(offer)));
        self.desk.offered.insert(open.agent, offer);
        self.desk.offers.insert(offer, Open { seq, ..open });
        self.mirror_auto(offer, None, open.auto_answer_at);
        self.stir(now, queue);
    }

    /// The offer is on disk: both sides are bound, and the agent hears of it.
    pub(in crate::call) fn offer_is_safe(&mut self, now: Time, offer: OfferId, out: &mut Vec<Effect>) {
        let Some(open) = self.desk.offers.get_mut(&offer) else { return };
        open.told = true;
        let open = *open;
        let _ = self.acd_fact(|acd, _| acd.bound(offer));
        let answer_by_ms = self.wall.at(open.answer_by);
        let auto_answer_at_ms = open.auto_answer_at.map(|at| self.wall.at(at));
        if let Some(card) = self.offer_card(&open) {
            self.tell(now, open.agent, AgentEvent::Offered { card, answer_by_ms, auto_answer_at_ms });
        }
        let phone = self.desk.seats.get(&open.agent).and_then(|seat| match &seat.device {
            // A callback is taken on the panel: there is no call yet for which a phone could ring.
            Some(Device::Phone(name)) if !self.callbacks.contains_key(&open.call) => Some(Arc::clone(name)),
            _ => None,
        });
        if let Some(phone) = phone
            && !self.ring_phone(now, open.call, open.agent, &phone, open.auto_answer_at.is_some())
        {
            self.counters.add(Count::PhoneUnreachable);
            let _ = self.acd_fact(|acd, actions| acd.device_failed(now, offer, actions));
            self.offer_over(now, offer, Ending::DeviceFailed, out);
        }
    }

    /// The ACD took it back. Only `NoAnswer` is the agent's miss.
    fn rescinded(
        &mut self,
        now: Time,
        offer: OfferId,
        agent: AgentId,
        call: CallId,
        why: Ending,
        out: &mut Vec<Effect>,
    ) {
        self.took(call, News::OfferOver);
        self.offer_over(now, offer, why, out);
        // We were too slow, not he: as soon as he is heard again he gets offers again.
        if why == Ending::NotBound
            && self.desk.seats.get(&agent).is_some_and(|seat| seat.path == Some(Path::Proven))
        {
            let _ = self.acd_fact(|acd, actions| acd.path(now, agent, acd::Path::Proven, actions));
        }
    }

    /// The offer is gone, whoever ended it; the agent's panel and phone stop ringing.
    pub(super) fn offer_over(&mut self, now: Time, offer: OfferId, how: Ending, out: &mut Vec<Effect>) {
        let Some(open) = self.desk.offers.remove(&offer) else { return };
        self.desk.offered.remove(&open.agent);
        self.desk.safe.remove(&(open.seq, Safe::Offer(offer)));
        self.mirror_auto(offer, open.auto_answer_at, None);
        self.counters.add(match how {
            Ending::Answered => Count::OffersAnswered,
            Ending::NoAnswer => Count::OffersMissed,
            Ending::Declined => Count::OffersDeclined,
            _ => Count::OffersRescinded,
        });
        let (call, agent) = (open.call, open.agent);
        let fact =
            Fact::OfferEnded { call, offer: offer.0, agent: agent.to_string(), how: how.code().to_owned() };
        self.note(now, fact, out);
        if how == Ending::Answered {
            return;
        }
        if let Some(seat) = self.desk.seats.get_mut(&agent).filter(|seat| seat.call == Some(call)) {
            seat.call = None;
        }
        self.drop_party(now, call, agent, how.code(), out);
        // Also when he declined it himself: his other pages stop ringing by this.
        if open.told {
            self.tell(now, agent, AgentEvent::Rescinded { call, why: how.code() });
        }
    }

    /// The agent has the call.
    fn connect(
        &mut self,
        now: Time,
        offer: OfferId,
        agent: AgentId,
        id: CallId,
        waited: Duration,
        out: &mut Vec<Effect>,
    ) {
        self.took(id, News::AgentAnswered);
        self.offer_over(now, offer, Ending::Answered, out);
        self.drop_asked(now, id, "answered_elsewhere", out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.touched.push(id);
        call.stage = Stage::Talking { until: None };
        call.agent = Some(agent);
        call.taken_ms.get_or_insert(self.wall.at(now));
        let (arrived_ms, numbered) = (call.arrived_ms, call.ticket.is_some());
        let outbound = call.outbound;
        self.callback_withdrawn(now, id, out);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let queue = call.queue.as_ref().map(|queue| queue.to_string()).unwrap_or_default();
        let waited_ms = millis(waited);
        self.note(
            now,
            Fact::QueueLeft { call: id, queue: queue.clone(), outcome: QueueOutcome::Answered, waited_ms },
            out,
        );
        self.stir(now, &Arc::from(queue));
        // The walk rests at once: its music stops before the first word.
        if !outbound {
            self.step(now, id, Input::Queue(QueueNews::Answered), out);
        }
        if !numbered && !outbound {
            let ticket = self.draw(now, id, arrived_ms, out);
            if let Some(call) = self.calls.get_mut(&id) {
                call.ticket = ticket;
            }
        }
        let seq = self.next_seq - 1;
        if let Some(call) = self.calls.get_mut(&id) {
            call.ticket_seq = seq;
        }
        self.desk.safe.insert((seq, Safe::Number(id)));
        if let Some(seat) = self.desk.seats.get_mut(&agent) {
            seat.fresh_until = Some(now + FRESH);
        }
        if !self.seat_joins(now, id, agent, Role::Talk, out) {
            // There is no way for his voice: the citizen waits for the next one, who may have a port.
            self.counters.add(Count::AgentsLost);
            return self.agent_stayed_away(now, id, Some(agent), out);
        }
        self.head_answers(now, id, agent, out);
        if let Some(card) = self.card(id, Some(agent)) {
            self.tell(now, agent, AgentEvent::Answered { card });
        }
    }

    /// The number may be shown: to everybody who is on the call.
    pub(in crate::call) fn number_is_safe(&mut self, now: Time, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some((no, code)) = call.ticket.clone() else { return };
        let agents: Vec<AgentId> = call.parties.iter().filter_map(|party| party.agent()).collect();
        for agent in agents {
            let (no, code) = (Some(Arc::clone(&no)), Some(Arc::clone(&code)));
            self.tell(now, agent, AgentEvent::TicketLinked { call: id, ticket_no: no, ticket_code: code });
        }
    }

    /// Moved to another queue, in his place.
    fn moved_on(&mut self, now: Time, id: CallId, to: &Arc<str>, out: &mut Vec<Effect>) {
        let priority = self.acd.place(id).map_or(0, |(_, priority)| priority);
        let ahead = self.acd.ahead(id).unwrap_or(0);
        if let Some(callback) = self.callbacks.get_mut(&id) {
            callback.queue = Arc::clone(to);
            self.note(now, Fact::CallbackMoved { call: id, queue: to.to_string() }, out);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.queue = Some(Arc::clone(to));
        }
        if self.calls.get(&id).is_some_and(|call| matches!(call.stage, Stage::Queued { .. })) {
            self.note(now, Fact::QueueEntered { call: id, queue: to.to_string(), priority, ahead }, out);
        }
        self.stir(now, to);
    }

    fn agent_is(
        &mut self,
        now: Time,
        agent: AgentId,
        state: acd::AgentState,
        since: Time,
        out: &mut Vec<Effect>,
    ) {
        let since_ms = self.wall.at(since);
        let wrap_until = self.acd.agent_view(agent).and_then(|view| view.wrap_until);
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        let was = std::mem::replace(&mut seat.state, state.clone());
        seat.since_ms = since_ms;
        seat.wrap_until = matches!(state, acd::AgentState::WrapUp).then_some(wrap_until).flatten();
        let device = super::cards::device_label(seat.device.as_ref());
        let wrapped = (was == acd::AgentState::WrapUp && state != acd::AgentState::WrapUp)
            .then(|| seat.wrap_call.take())
            .flatten();
        let reason = state.reason().map(|reason| reason.to_string()).unwrap_or_default();
        let fact =
            Fact::AgentState { agent: agent.to_string(), state: state.code().to_owned(), reason, device };
        self.note(now, fact, out);
        if let Some((call, from)) = wrapped {
            let wrap_ms = millis(now.since(from));
            self.note(now, Fact::WrappedUp { call, agent: agent.to_string(), wrap_ms }, out);
        }
        let event = AgentEvent::State {
            agent: Arc::from(agent.as_str()),
            state: self.state_for_panel(agent),
            since_ms,
            reason: state.reason().cloned(),
        };
        self.tell_floor(now, agent, event);
        let queues = self.desk.seats.get(&agent).map_or_else(Vec::new, |seat| seat.queues.clone());
        for queue in queues {
            self.stir(now, &queue);
        }
        if self.desk.session.as_deref().is_some_and(|session| *session.seat == *agent.as_str()) {
            self.head_is_gone(now, out);
        }
    }

    /// Durable, so that he is what he was after a restart.
    fn intends(
        &mut self,
        now: Time,
        agent: AgentId,
        intent: Option<acd::Intent>,
        on_break: bool,
        out: &mut Vec<Effect>,
    ) {
        let (intent, reason) = match intent {
            None => ("offline", String::new()),
            Some(acd::Intent::Ready) => (Wish::Ready.label(), String::new()),
            Some(acd::Intent::NotReady(reason)) => {
                let wish = if on_break { Wish::Break } else { Wish::NotReady };
                (wish.label(), reason.to_string())
            }
        };
        let fact = Fact::AgentIntent { agent: agent.to_string(), intent: intent.to_owned(), reason };
        self.note(now, fact, out);
    }

    fn break_news(&mut self, now: Time, agent: AgentId, news: BreakNews) {
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        let reason = seat.break_asked.clone().unwrap_or_else(|| Arc::from(""));
        let (granted, ahead) = match news {
            BreakNews::Waiting { ahead } => (false, u32::try_from(ahead).unwrap_or(u32::MAX)),
            BreakNews::Granted => (true, 0),
            BreakNews::Over | BreakNews::Withdrawn => {
                seat.break_asked = None;
                (false, 0)
            }
        };
        self.tell(now, agent, AgentEvent::Break { granted, reason, ahead });
    }

    /// Offers that answer themselves do so when their beep is over.
    pub(super) fn auto_answers(&mut self, now: Time) {
        while let Some(offer) = self.desk.auto.due(now) {
            let at = self.desk.offers.get_mut(&offer).and_then(|open| open.auto_answer_at.take());
            self.desk.auto.moved(offer, at, None);
            let phone = self.desk.offers.get(&offer).is_some_and(|open| {
                self.desk
                    .seats
                    .get(&open.agent)
                    .is_some_and(|seat| matches!(seat.device, Some(Device::Phone(_))))
            });
            // A desk phone answers by itself: its 200 is the answer.
            if !phone {
                let _ = self.acd_fact(|acd, actions| acd.answered(now, offer, actions));
            }
        }
    }

    fn mirror_auto(&mut self, offer: OfferId, before: Option<Time>, after: Option<Time>) {
        self.desk.auto.moved(offer, before, after);
    }

    /// A desk phone's answer, or an agent's `call.answer`.
    pub(super) fn answer_offer(&mut self, now: Time, offer: OfferId) -> Result<(), acd::Refused> {
        self.acd_fact(|acd, actions| acd.answered(now, offer, actions))
    }

    pub(super) fn who(&self, agent: AgentId) -> Who {
        Who::Agent(agent)
    }
}
