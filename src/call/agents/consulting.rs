//! Calls to others: asking a colleague, handing the citizen on, three at a table, and dialling out.

use super::desk::Ring;
use super::lines::is_dialable;
use super::orders::Done;
use super::party::{Party, Role, Who};
use super::seam::{AgentEvent, Device, Refused, Target};
use crate::acd::AgentId;
use crate::base::reach::is_emergency;
use crate::base::{CallId, Time};
use crate::call::counters::Count;
use crate::call::engine::{Effect, Engine};
use crate::call::live::Stage;
use crate::sip::seam::PeerId;
use std::sync::Arc;
use std::time::Duration;

/// 三方通话 and more: so many can speak with each other on one call.
const TALKERS_MAX: usize = 8;
const HOUR: Duration = Duration::from_secs(3600);
/// Between two alarms about guessed codes.
const GUESSED: Duration = Duration::from_secs(600);

/// Without what only helps the eye.
pub(super) fn plain(number: &str) -> String {
    number.chars().filter(|c| !matches!(c, ' ' | '-')).collect()
}

impl Engine {
    /// The other is called and the citizen set aside; in a conference those who are left with him go on without the one who asks.
    pub(super) fn consult(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        to: &Target,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        self.not_asked(agent, id)?;
        if self.asks(id) {
            return Err(Refused::WrongState);
        }
        self.call_in(now, id, agent, to, true, out)?;
        self.turns_away(now, id, agent, out);
        Ok(Some(id))
    }

    fn turns_away(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.asking = Some(agent);
        let told = !call.aside;
        self.part(now, id, out);
        let held = self.calls.get(&id).is_some_and(|call| !call.aside);
        if told && held {
            self.tell(now, agent, AgentEvent::Held { call: id });
        }
    }

    /// While somebody asks, the citizen hears music unless there is company for him.
    pub(super) fn part(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.asking.is_none() {
            return;
        }
        let aside = !call.has_company();
        self.set_aside(now, id, aside, out);
        self.rebridge(id, out);
    }

    /// Whoever asked is among the others again.
    pub(super) fn turns_back(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let asker = call.asking.take();
        let aside = call.aside;
        self.set_aside(now, id, false, out);
        self.rebridge(id, out);
        if let Some(asker) = asker.filter(|_| !aside) {
            self.tell(now, asker, AgentEvent::Retrieved { call: id });
        }
    }

    /// Somebody on this call asks somebody, who talks already or still rings.
    pub(super) fn asks(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.parties.iter().any(|p| p.consult))
            || !self.ringing_for(id, true).is_empty()
    }

    /// Rings a colleague or dials a number into this call.
    fn call_in(
        &mut self,
        now: Time,
        id: CallId,
        by: AgentId,
        to: &Target,
        consult: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let talkers = self
            .calls
            .get(&id)
            .map_or(0, |call| 1 + call.parties.iter().filter(|p| p.role.is_heard()).count());
        if talkers >= TALKERS_MAX {
            return Err(Refused::Limit);
        }
        match to {
            Target::Queue(_) => Err(Refused::NoSuchTarget),
            Target::Number(number) => {
                let (peer, number) = self.outside(number)?;
                self.dials_once_more(now, by)?;
                let from = self.own_number();
                let who = Who::Number(Arc::clone(&number));
                if self.invite_party(now, id, peer, &number, &from, Vec::new(), who, Role::Talk, consult) {
                    Ok(())
                } else {
                    Err(Refused::TargetBusy)
                }
            }
            Target::Agent(_) => {
                let other = self.colleague(to).filter(|other| *other != by).ok_or(Refused::NoSuchTarget)?;
                let seat = self.desk.seats.get(&other).ok_or(Refused::NoSuchTarget)?;
                let device = seat.device.clone().ok_or(Refused::TargetBusy)?;
                if seat.call.is_some() || !self.has_ears(other) {
                    return Err(Refused::TargetBusy);
                }
                self.acd_fact(|acd, actions| acd.busy(now, other, id, actions))
                    .map_err(|_| Refused::TargetBusy)?;
                let until = now + self.acd.config().ring * 2;
                let ring = Ring { call: id, consult, until };
                if let Some(seat) = self.desk.seats.get_mut(&other) {
                    seat.call = Some(id);
                    seat.rung = Some(ring);
                }
                self.desk.rings.entry(id).or_default().insert(other);
                self.desk.ringing.moved(other, None, Some(until));
                if let Device::Phone(name) = device
                    && !self.ring_colleague(now, id, other, &name, consult)
                {
                    self.not_reached(now, id, other, out);
                    return Err(Refused::TargetBusy);
                }
                if let Some(card) = self.card(id, Some(other)) {
                    let answer_by_ms = self.wall.at(until);
                    let event = AgentEvent::Offered { card, answer_by_ms, auto_answer_at_ms: None };
                    self.tell(now, other, event);
                }
                Ok(())
            }
        }
    }

    fn ring_colleague(
        &mut self,
        now: Time,
        id: CallId,
        other: AgentId,
        name: &Arc<str>,
        consult: bool,
    ) -> bool {
        let rung = self.ring_phone(now, id, other, name, false);
        if let Some(party) = self.calls.get_mut(&id).and_then(|call| call.party_of_mut(other)) {
            party.consult = consult;
        }
        rung
    }

    /// The colleague answers on his panel.
    pub(super) fn answer_ring(
        &mut self,
        now: Time,
        agent: AgentId,
        ring: Ring,
        out: &mut Vec<Effect>,
    ) -> Done {
        let phone = self.desk.seats.get(&agent).is_some_and(|s| matches!(s.device, Some(Device::Phone(_))));
        if phone {
            return Err(Refused::WrongState);
        }
        self.stop_ringing(agent);
        if !self.seat_joins(now, ring.call, agent, Role::Talk, out) {
            self.not_reached(now, ring.call, agent, out);
            return Err(Refused::NoMedia);
        }
        if let Some(party) = self.calls.get_mut(&ring.call).and_then(|call| call.party_of_mut(agent)) {
            party.consult = ring.consult;
        }
        self.rebridge(ring.call, out);
        let who = Arc::from(agent.as_str());
        self.joined(now, ring.call, Some(agent), &who, out);
        Ok(Some(ring.call))
    }

    /// A colleague who was rung did not take it, or cannot.
    pub(super) fn not_reached(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        self.cancel_ring(now, id, agent, out);
        self.nobody_took_it(now, id, out);
    }

    pub(super) fn cancel_ring(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        self.stop_ringing(agent);
        self.drop_party(now, id, agent, "no_answer", out);
        if let Some(seat) = self.desk.seats.get_mut(&agent) {
            seat.call = None;
        }
        let _ = self.acd_fact(|acd, actions| acd.idle(now, agent, actions));
        self.tell(now, agent, AgentEvent::Rescinded { call: id, why: "no_answer" });
        let who = Arc::from(agent.as_str());
        self.tell_call(now, id, AgentEvent::Left { call: id, who }, Some(agent));
    }

    /// Colleagues whose panels or phones ring for this call, asked or called in.
    pub(super) fn ringing_for(&self, id: CallId, consult: bool) -> Vec<AgentId> {
        let ring = |agent: &AgentId| self.desk.seats.get(agent).and_then(|seat| seat.rung);
        self.desk.rung_for(id).filter(|agent| ring(agent).is_some_and(|r| r.consult == consult)).collect()
    }

    /// A blind transfer that reached nobody: the citizen waits again, before the others.
    pub(super) fn nobody_took_it(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let attended = call.parties.iter().any(|party| party.role.is_heard());
        if attended || !self.ringing_for(id, false).is_empty() || !matches!(call.stage, Stage::Talking { .. })
        {
            return;
        }
        let queue = call.queue.clone();
        let listeners = call.parties.iter().filter_map(|party| party.agent()).collect();
        self.listeners_go(now, id, listeners, out);
        // In a crisis he is the next one, whatever was tried.
        let crisis = self.calls.get(&id).is_some_and(|call| call.crisis);
        if crisis || !queue.is_some_and(|queue| self.send_to_queue(now, id, &queue, out)) {
            self.alone(now, id, false, out);
        }
    }

    pub(super) fn stop_ringing(&mut self, agent: AgentId) {
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        if let Some(ring) = seat.rung.take() {
            self.desk.ringing.moved(agent, Some(ring.until), None);
            if let Some(rung) = self.desk.rings.get_mut(&ring.call) {
                rung.remove(&agent);
                if rung.is_empty() {
                    self.desk.rings.remove(&ring.call);
                }
            }
        }
    }

    /// Colleagues who let it ring for too long.
    pub(super) fn rings_over(&mut self, now: Time, out: &mut Vec<Effect>) {
        while let Some(agent) = self.desk.ringing.due(now) {
            let Some(ring) = self.desk.seats.get(&agent).and_then(|seat| seat.rung) else { return };
            self.not_reached(now, ring.call, agent, out);
        }
    }

    /// Whoever was asked goes; the citizen stays aside until he is retrieved.
    pub(super) fn end_consult(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let asked: Vec<(Option<AgentId>, u64)> =
            call.parties.iter().filter(|p| p.consult).map(|p| (p.agent(), p.leg.id.0)).collect();
        for agent in self.ringing_for(id, true) {
            self.cancel_ring(now, id, agent, out);
        }
        for (agent, leg) in asked {
            match agent {
                Some(agent) => {
                    if self.drop_party(now, id, agent, "consult_over", out) {
                        self.freed(now, id, agent, Role::Listen, "consult_over");
                    }
                }
                None => {
                    let at =
                        self.calls.get(&id).and_then(|c| c.parties.iter().position(|p| p.leg.id.0 == leg));
                    if let Some(at) = at {
                        self.drop_party_at(now, id, at, "consult_over", out);
                    }
                }
            }
        }
    }

    /// The one who was asked takes the citizen; the one who asked is off the call.
    pub(super) fn attended(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        self.not_asked(agent, id)?;
        let Some(call) = self.calls.get_mut(&id) else { return Err(Refused::NoSuchCall) };
        let Some(party) = call.parties.iter_mut().find(|p| p.consult && p.up && p.agent() != Some(agent))
        else {
            return Err(Refused::WrongState);
        };
        party.consult = false;
        let to = party.agent();
        call.agent = to.or(call.agent);
        self.leaves(now, id, agent, "transferred", out);
        self.set_aside(now, id, false, out);
        if let Some(to) = to
            && let Some(card) = self.card(id, Some(to))
        {
            self.tell(now, to, AgentEvent::Answered { card });
        }
        Ok(Some(id))
    }

    /// Handed on without a word: to a queue, a colleague, an outside number.
    pub(super) fn blind(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        to: &Target,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        let Some(call) = self.calls.get(&id) else { return Err(Refused::NoSuchCall) };
        // In a crisis the citizen is not let go of, and nobody is left with police or ambulance before a word was said to them.
        let spoken = matches!(to, Target::Number(number) if is_emergency(&plain(number)));
        if call.crisis || spoken {
            return Err(Refused::NotAllowed);
        }
        if call.outbound || self.asks(id) || call.asking.is_some_and(|asker| asker != agent) {
            return Err(Refused::WrongState);
        }
        if let Target::Queue(queue) = to {
            if !self.config.queues.iter().any(|(name, _)| name == queue) {
                return Err(Refused::NoSuchTarget);
            }
            let others: Vec<AgentId> = call.parties.iter().filter_map(|p| p.agent()).collect();
            if !self.send_to_queue(now, id, queue, out) {
                return Err(Refused::TargetBusy);
            }
            if let Some(call) = self.calls.get_mut(&id) {
                call.agent = None;
            }
            for other in others {
                let role = self.calls.get(&id).and_then(|c| c.party_of(other)).map_or(Role::Talk, |p| p.role);
                self.drop_party(now, id, other, "transferred", out);
                self.freed(now, id, other, role, "transferred");
            }
            return Ok(Some(id));
        }
        if let Some(other) = self.colleague(to)
            && let Some(done) = self.hand_to_recorder(now, id, agent, other, out)
        {
            return done;
        }
        self.call_in(now, id, agent, to, false, out)?;
        if let Some(call) = self.calls.get_mut(&id) {
            // An outside number writes no ticket: that stays with who sent the citizen there.
            let outside = call.agent.filter(|_| matches!(to, Target::Number(_)));
            call.agent = call.next_agent(Some(agent)).or(outside);
        }
        self.drop_party(now, id, agent, "transferred", out);
        self.freed(now, id, agent, Role::Talk, "transferred");
        // Whoever stays goes on with him until the other is there.
        let company = self.calls.get(&id).is_some_and(|call| call.parties.iter().any(Party::speaks));
        if !company {
            self.set_aside(now, id, true, out);
        }
        self.attend(now, id, out);
        Ok(Some(id))
    }

    /// With a target: called into the talk. Without: whoever was asked joins it.
    pub(super) fn conference(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        to: Option<&Target>,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        // Whom one who is asked calls in would land beside the citizen, not beside him.
        self.not_asked(agent, id)?;
        if let Some(to) = to {
            self.call_in(now, id, agent, to, false, out)?;
            return Ok(Some(id));
        }
        let Some(call) = self.calls.get_mut(&id) else { return Err(Refused::NoSuchCall) };
        let Some(party) = call.parties.iter_mut().find(|p| p.consult && p.up && p.agent() != Some(agent))
        else {
            return Err(Refused::WrongState);
        };
        party.consult = false;
        self.turns_back(now, id, out);
        Ok(Some(id))
    }

    /// Counts a number that an agent dials of his own choice: a page in the wrong hands does not dial all night (`attacks.md` S20).
    pub(super) fn dials_once_more(&mut self, now: Time, agent: AgentId) -> Result<(), Refused> {
        let most = self.config.dial.per_agent_hour;
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return Err(Refused::NotLoggedIn) };
        if now >= seat.dials.0 {
            seat.dials = (now + HOUR, 0);
        }
        seat.dials.1 = seat.dials.1.saturating_add(1);
        let dialled = seat.dials.1;
        if most == 0 || dialled <= most {
            return Ok(());
        }
        self.counters.add(Count::DialsLimited);
        if dialled == most + 1 {
            self.alarm(now, "dials_limited", None, Some(agent), "");
        }
        Err(Refused::Limit)
    }

    /// Look-up codes are guessed on the public page: told once in ten minutes, however often.
    pub(in crate::call) fn codes_guessed(&mut self, now: Time) {
        if self.desk.guessed_until.is_none_or(|until| now >= until) {
            self.desk.guessed_until = Some(now + GUESSED);
            self.alarm(now, "codes_guessed", None, None, "");
        }
    }

    /// The trunk and the number as it may be dialled: by class and list only (`attacks.md` S20, S21).
    pub(super) fn outside(&self, number: &str) -> Result<(PeerId, Arc<str>), Refused> {
        let number = plain(number);
        if !is_dialable(&number) || !self.config.dial.allows(&number) {
            return Err(Refused::NumberRefused);
        }
        let trunk = self.config.dial.trunk.as_deref();
        let at = self.config.ua.peers.iter().position(|peer| {
            peer.kind == crate::sip::seam::PeerKind::Trunk
                && peer.target.is_some()
                && trunk.is_none_or(|trunk| *peer.name == *trunk)
        });
        let peer = at.and_then(|at| u16::try_from(at).ok()).ok_or(Refused::TargetBusy)?;
        Ok((PeerId(peer), Arc::from(number)))
    }
}
