//! What happens on a call that somebody has taken: hold, leaving, being lost, and what follows when nobody is left.

use super::party::{Party, Role};
use super::seam::{AgentEvent, Deafness, Path};
use crate::acd::{self, AgentId, Enter, Needs};
use crate::base::{CallId, Time};
use crate::call::EndReason;
use crate::call::counters::Count;
use crate::call::engine::{Effect, EndedBy, Engine};
use crate::call::fact::Fact;
use crate::call::live::{Call, Stage};
use crate::call::reach::News;
use crate::ivr::seam::{DialEnd, Input, QueueNews};
use crate::media::seam::{Order, Piece, PlayId};
use crate::sip::seam::DialogId;
use std::sync::Arc;

/// The citizen as `PartyHeld` names him; legs count from one.
pub(super) const CITIZEN: u64 = 0;

impl Engine {
    /// The citizen is set aside, with music, or taken back.
    pub(super) fn set_aside(&mut self, now: Time, id: CallId, aside: bool, out: &mut Vec<Effect>) {
        let music = self.config.hold_music.clone().and_then(|name| self.clip(&name));
        let Some(call) = self.calls.get_mut(&id) else { return };
        if std::mem::replace(&mut call.aside, aside) == aside {
            return;
        }
        call.by_hand &= aside;
        if !aside {
            call.phone_hold = None;
        }
        self.touched.push(id);
        // For who asks the citizen is not back, whoever speaks with him meanwhile.
        let (quiet, but) = (call.crisis, call.asking.filter(|_| !aside));
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        // In a crisis nobody is left with music.
        let clip = music.filter(|_| aside && !quiet);
        out.push(Effect::Media { worker, order: Order::Background { leg, clip } });
        self.note(now, Fact::PartyHeld { call: id, party: CITIZEN, on: aside }, out);
        self.rebridge(id, out);
        let event = if aside { AgentEvent::Held { call: id } } else { AgentEvent::Retrieved { call: id } };
        self.tell_call(now, id, event, but);
    }

    /// The agent's own telephone holds us, or is back (`sendonly`, `inactive`: RFC 3264, 8.4): to the citizen that is a hold like the
    /// panel's, with music. In company he goes on with the others.
    pub(super) fn phone_holds(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        held: bool,
        out: &mut Vec<Effect>,
    ) {
        let may = self.his_talk(agent, Some(id)).is_ok() && self.not_asked(agent, id).is_ok();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !held {
            if call.phone_hold == Some(agent) {
                self.set_aside(now, id, false, out);
            }
            return;
        }
        let other = |party: &Party| {
            party.speaks() && party.agent() != Some(agent) && party.away_until.is_none() && !party.held
        };
        let set_aside = call.aside || call.asking.is_some();
        if may && !set_aside && !call.parties.iter().any(other) {
            call.phone_hold = Some(agent);
            self.set_aside(now, id, true, out);
        }
    }

    /// Every agent on the call but one.
    pub(super) fn tell_call(&mut self, now: Time, id: CallId, event: AgentEvent, but: Option<AgentId>) {
        let Some(call) = self.calls.get(&id) else { return };
        let agents: Vec<AgentId> =
            call.parties.iter().filter_map(|p| p.agent()).filter(|agent| Some(*agent) != but).collect();
        for agent in agents {
            self.tell(now, agent, event.clone());
        }
    }

    /// Somebody who was called joins: a colleague, a phone, an outside number.
    pub(super) fn joins(
        &mut self,
        now: Time,
        id: CallId,
        dialog: DialogId,
        agent: Option<AgentId>,
        who: &Arc<str>,
        out: &mut Vec<Effect>,
    ) {
        self.took(id, News::PartyUp);
        if let Some(agent) = agent {
            self.stop_ringing(agent);
        }
        self.party_up(now, id, |party| party.dialog == Some(dialog), out);
        if agent.is_some() {
            self.reached(now, id, out);
        }
        self.joined(now, id, agent, who, out);
    }

    /// He is up: everybody hears of it, and a call whose only agent has gone meanwhile is his.
    pub(super) fn joined(
        &mut self,
        now: Time,
        id: CallId,
        agent: Option<AgentId>,
        who: &Arc<str>,
        out: &mut Vec<Effect>,
    ) {
        let heard = |call: &Call| call.parties.iter().any(|p| p.who.name() == *who && p.role.is_heard());
        if self.calls.get(&id).is_some_and(|call| call.unmet.is_some() && heard(call)) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.unmet = None;
            }
            self.stop_play(id, out);
            self.set_aside(now, id, false, out);
        }
        if let Some(agent) = agent
            && let Some(card) = self.card(id, Some(agent))
        {
            self.tell(now, agent, AgentEvent::Answered { card });
        }
        self.tell_call(now, id, AgentEvent::Joined { call: id, who: Arc::clone(who) }, agent);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let asked = call.parties.iter().any(|party| party.consult && party.who.name() == *who);
        // Whoever was called in does not wait for one who is lost; whoever was asked does.
        let other = |party: &Party| {
            party.speaks() && party.who.name() != *who && (asked || party.away_until.is_none())
        };
        // Who only listens is no company, and has no call.
        if heard(call) && !call.parties.iter().any(other) {
            call.by_hand = false;
            for party in &mut call.parties {
                party.consult = false;
            }
            call.agent = agent.or(call.agent);
            self.touched.push(id);
            self.set_aside(now, id, false, out);
        } else {
            self.part(now, id, out);
        }
        self.attend(now, id, out);
    }

    /// The agent goes: he hung up, his phone did, or he handed the call on.
    pub(super) fn leaves(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        why: &'static str,
        out: &mut Vec<Effect>,
    ) {
        self.took(id, News::AgentLeft);
        let role = self.calls.get(&id).and_then(|call| call.party_of(agent)).map(|party| party.role);
        if let Some(call) = self.calls.get_mut(&id)
            && call.agent == Some(agent)
        {
            // Whoever stays has the call, and its ticket.
            call.agent = call.next_agent(Some(agent)).or(call.agent);
        }
        self.drop_party(now, id, agent, why, out);
        self.freed(now, id, agent, role.unwrap_or(Role::Talk), why);
        let who = Arc::from(agent.as_str());
        self.tell_call(now, id, AgentEvent::Left { call: id, who }, Some(agent));
        self.alone(now, id, why == "hung_up" || why == "completed", out);
    }

    /// The agent's part of this call is over: wrap-up after talking, nothing after listening.
    pub(super) fn freed(&mut self, now: Time, id: CallId, agent: AgentId, role: Role, why: &'static str) {
        if let Some(seat) = self.desk.seats.get_mut(&agent) {
            seat.call = None;
            seat.assist = None;
            seat.wrap_call = Some((id, now));
        }
        self.stop_ringing(agent);
        let his = |call: &Call| call.ticket_is_of(agent) && call.ticket.is_some() && !call.ticket_done;
        let writes = self.calls.get(&id).is_some_and(|call| call.is_written_by(agent));
        if (role == Role::Talk || writes)
            && self.config.limits.hold_unfinished
            && self.calls.get(&id).is_some_and(his)
        {
            let _ = self.acd_fact(|acd, actions| acd.ticket_unfinished(now, agent, true, actions));
            if let Some(seat) = self.desk.seats.get_mut(&agent) {
                seat.unfinished = Some(id);
            }
        }
        if role == Role::Talk && self.calls.get(&id).is_some_and(|call| call.crisis) {
            self.rests_after_crisis(now, agent);
        }
        let _ = self.acd_fact(|acd, actions| match role {
            Role::Talk | Role::Barge => acd.hung_up(now, agent, id, actions),
            // Whoever has listened to write has the ticket to finish.
            Role::Listen if writes => acd.hung_up(now, agent, id, actions),
            Role::Listen | Role::Whisper => acd.idle(now, agent, actions),
        });
        let wrap_up_until_ms =
            self.acd.agent_view(agent).and_then(|view| view.wrap_until).map(|at| self.wall.at(at));
        self.tell(now, agent, AgentEvent::Ended { call: id, reason: why, wrap_up_until_ms });
        self.gone_meanwhile(now, agent);
    }

    /// What follows when nobody is left with the citizen: listeners go too, and he returns to his flow. In a crisis that is so only by the
    /// agent's own hand; else he waits for the next one before all others.
    pub(super) fn alone(&mut self, now: Time, id: CallId, by_hand: bool, out: &mut Vec<Effect>) {
        // Whoever was asked by somebody who has gone is asked no more; whoever is called in may still come.
        for agent in self.ringing_for(id, true) {
            let asked = |call: &Call| call.asking.is_some() && call.is_attended_but(agent);
            if !self.calls.get(&id).is_some_and(asked) {
                self.cancel_ring(now, id, agent, out);
            }
        }
        // The same of a number that rings: police or ambulance are not met by a citizen to whom nobody has said a word.
        let unasked = |call: &Call| {
            let orphan = |p: &Party| p.consult && !p.up && p.agent().is_none();
            call.parties.iter().position(orphan).filter(|_| call.asking.is_none())
        };
        while let Some(at) = self.calls.get(&id).and_then(unasked) {
            let Some(party) = self.drop_party_at(now, id, at, "no_answer", out) else { break };
            let who = party.who.name();
            self.tell_call(now, id, AgentEvent::Left { call: id, who }, None);
        }
        // Who asked has gone: whoever was asked has the citizen now, or is among those who went on with him.
        let Some(call) = self.calls.get_mut(&id) else { return };
        let heard = || call.parties.iter().filter(|party| party.role.is_heard() && party.up);
        let handed = heard().next().is_some() && heard().all(|party| party.consult);
        if handed {
            call.agent = heard().find_map(|party| party.agent()).or(call.agent);
        }
        if handed || (call.asking.is_none() && heard().next().is_some()) {
            let asked = call.parties.iter().any(|party| party.consult);
            call.parties.iter_mut().for_each(|party| party.consult = false);
            if asked {
                call.asking = None;
                self.set_aside(now, id, false, out);
                self.rebridge(id, out);
            }
        }
        self.part(now, id, out);
        let Some(call) = self.calls.get(&id) else { return };
        if !matches!(call.stage, Stage::Talking { .. } | Stage::Dialing { .. }) {
            return;
        }
        if call.parties.iter().any(Party::speaks) {
            return self.attend(now, id, out);
        }
        // Who is called in rings still: until he is there the citizen hears music.
        if call.is_attended() || !self.ringing_for(id, false).is_empty() {
            return self.set_aside(now, id, true, out);
        }
        let listeners: Vec<AgentId> = call.parties.iter().filter_map(|party| party.agent()).collect();
        let (outbound, dialing) = (call.outbound, matches!(call.stage, Stage::Dialing { .. }));
        let kept = call.crisis && !by_hand && !dialing;
        let no_survey = (call.crisis || call.no_survey) && !call.silent && (outbound || !kept);
        self.listeners_go(now, id, listeners, out);
        if kept && self.unattended(now, id, out) {
            return;
        }
        if outbound || no_survey || dialing {
            return self.end(now, id, EndReason::AgentHungUp, EndedBy::Us, out);
        }
        self.set_aside(now, id, false, out);
        self.touched.push(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Walking;
        let input = match (std::mem::take(&mut call.connected), std::mem::take(&mut call.silent)) {
            (true, _) => Input::Dial(DialEnd::Answered),
            (_, true) => Input::Silent,
            _ => Input::Returned,
        };
        self.todo.push_back((id, input));
    }

    /// Nobody is left to be listened to.
    pub(super) fn listeners_go(&mut self, now: Time, id: CallId, who: Vec<AgentId>, out: &mut Vec<Effect>) {
        for listener in who {
            let role =
                self.calls.get(&id).and_then(|c| c.party_of(listener)).map_or(Role::Listen, |p| p.role);
            self.drop_party(now, id, listener, "over", out);
            self.freed(now, id, listener, role, "over");
        }
    }

    /// Nothing comes from the agent any more. His place is kept for some time, and whoever is with the citizen goes on without him.
    pub(super) fn lost(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        let patience = now + self.config.limits.agent_away;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.party_of_mut(agent).filter(|p| p.up && p.away_until.is_none()) else { return };
        party.away_until = Some(patience);
        if party.role.is_heard() {
            self.counters.add(Count::AgentsLost);
        }
        self.touched.push(id);
        self.attend(now, id, out);
    }

    /// Is anybody there for the citizen? While all who speak with him are lost he hears that he is not forgotten, and is back in the
    /// middle of the sentence as soon as one of them is.
    pub(super) fn attend(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let speak = || call.parties.iter().filter(|party| party.speaks());
        let there = speak().any(|party| party.away_until.is_none());
        let last = speak().filter_map(|party| party.away_until).max().filter(|_| !there);
        let stays_aside = call.asking.is_some() || call.by_hand;
        let Stage::Talking { until } = &mut call.stage else { return };
        match (std::mem::replace(until, last), last) {
            (None, Some(_)) => {
                self.set_aside(now, id, true, out);
                self.reassure(id, out);
            }
            (Some(_), None) => {
                self.stop_play(id, out);
                if there && !stays_aside {
                    self.set_aside(now, id, false, out);
                }
            }
            _ => {}
        }
        if there {
            self.part(now, id, out);
        }
    }

    /// He is told that he is not forgotten.
    pub(super) fn reassure(&mut self, id: CallId, out: &mut Vec<Effect>) {
        let Some(clip) = self.config.hold_prompt.clone().and_then(|name| self.clip(&name)) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.play = PlayId(call.play.0.wrapping_add(1));
        let (leg, worker, play) = (call.leg.id, call.leg.port.worker, call.play);
        let pieces = Box::from([Piece::Clip(clip)]);
        out.push(Effect::Media { worker, order: Order::Play { leg, play, pieces } });
    }

    /// His path died as the call came to him: he has said nothing yet, so the citizen waits for the next free one, not for him.
    fn never_heard(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        let alone = self
            .calls
            .get(&id)
            .is_some_and(|call| !call.outbound && call.agent == Some(agent) && !call.is_attended_but(agent));
        if !alone {
            return self.lost(now, id, agent, out);
        }
        self.counters.add(Count::AgentsLost);
        self.agent_stayed_away(now, id, None, out);
    }

    /// Sound passes again: he is where he was.
    fn found(&mut self, now: Time, id: CallId, which: impl Fn(&Party) -> bool, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let lost = |party: &&mut Party| party.away_until.is_some() && which(party);
        let Some(party) = call.parties.iter_mut().find(lost) else { return };
        party.away_until = None;
        self.touched.push(id);
        self.took(id, News::AgentBack);
        self.attend(now, id, out);
    }

    /// Nothing plays any more, and the end of what played is nobody's, should the worker have told it already.
    fn stop_play(&mut self, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.play = PlayId(call.play.0.wrapping_add(1));
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        out.push(Effect::Media { worker, order: Order::Stop { leg } });
    }

    /// Sound came back by itself, before anybody was told that it is proven.
    pub(in crate::call) fn party_heard(
        &mut self,
        now: Time,
        id: CallId,
        leg: crate::base::LegId,
        out: &mut Vec<Effect>,
    ) {
        self.found(now, id, |party| party.leg.id == leg, out);
    }

    /// Some did not come back in time. As long as another is with the citizen, or may still come back, only they go.
    pub(in crate::call) fn agents_stayed_away(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let gone = |party: &&Party| party.away_until.is_some_and(|at| at <= now);
        let stays = call.parties.iter().any(|party| party.speaks() && !gone(&party));
        let talking = matches!(call.stage, Stage::Talking { .. });
        if talking && !stays && call.parties.iter().any(|party| party.speaks()) {
            return self.agent_stayed_away(now, id, None, out);
        }
        let gone: Vec<AgentId> = call.parties.iter().filter(gone).filter_map(Party::agent).collect();
        for agent in gone {
            let Some(call) = self.calls.get(&id).filter(|call| call.party_of(agent).is_some()) else {
                return;
            };
            let last = call.crisis && call.agent == Some(agent) && call.next_agent(Some(agent)).is_none();
            self.leaves(now, id, agent, "lost", out);
            if last && talking {
                // Whoever is left with him is no agent.
                self.alarm(now, "crisis_unattended", Some(id), Some(agent), "");
            }
        }
    }

    /// He did not come back, or never came: the citizen waits again, before all others.
    pub(super) fn agent_stayed_away(
        &mut self,
        now: Time,
        id: CallId,
        never_came: Option<AgentId>,
        out: &mut Vec<Effect>,
    ) {
        self.touched.push(id);
        let Some(call) = self.calls.get(&id) else { return };
        let mut agents: Vec<(AgentId, bool)> = call
            .parties
            .iter()
            .filter_map(|party| Some((party.agent()?, party.away_until.is_some())))
            .collect();
        agents.extend(never_came.filter(|agent| call.party_of(*agent).is_none()).map(|agent| (agent, false)));
        let (outbound, crisis) = (call.outbound, call.crisis);
        // Somebody from outside is with him: he need not wait for anybody.
        let company = call.parties.iter().any(|party| party.up && party.agent().is_none());
        let queued = (!outbound || crisis) && !company && self.front(now, id);
        for (agent, deaf) in agents {
            self.drop_party(now, id, agent, "lost", out);
            if let Some(seat) = self.desk.seats.get_mut(&agent) {
                (seat.call, seat.assist) = (None, None);
            }
            self.stop_ringing(agent);
            // A browser proves its sound again by itself; whoever has a desk phone says so by `agent.ready`.
            let _ = self.acd_fact(|acd, actions| {
                if deaf {
                    let _ = acd.path(now, agent, acd::Path::Deaf(Arc::from("lost")), actions);
                }
                acd.idle(now, agent, actions)
            });
            self.tell(now, agent, AgentEvent::Ended { call: id, reason: "lost", wrap_up_until_ms: None });
        }
        if queued {
            if crisis {
                self.alarm(now, "crisis_unattended", Some(id), None, "");
            }
            self.waits_again(now, id, out);
        } else {
            if company {
                self.set_aside(now, id, false, out);
            }
            self.alone(now, id, false, out);
        }
    }

    /// In a crisis nobody is left with the citizen: the leads hear of it, and he is the next one. False: there is no room in line.
    pub(super) fn unattended(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) -> bool {
        self.alarm(now, "crisis_unattended", Some(id), None, "");
        let queued = self.front(now, id);
        if queued {
            self.waits_again(now, id, out);
        }
        queued
    }

    /// Back in line before the others: in the place he had, or in a new one where that went with an agent who has left.
    fn front(&mut self, now: Time, id: CallId) -> bool {
        if self.acd_fact(|acd, actions| acd.front(now, id, actions)).is_ok() {
            return true;
        }
        let Some(call) = self.calls.get(&id) else { return false };
        let any = || self.config.queues.first().filter(|_| call.crisis).map(|(queue, _)| Arc::clone(queue));
        let Some(queue) = call.queue.clone().or_else(any) else { return false };
        let top = self.acd.config().max_priority;
        let enter = Enter { entered: Some(call.arrived), ..Enter::new(id, queue, top) };
        matches!(self.acd_fact(|acd, actions| acd.enter(now, enter, actions)), acd::Entered::Waiting { .. })
    }

    /// In line once more, by the ACD's own word: the walk plays what one hears while waiting.
    pub(super) fn waits_again(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        for agent in [self.ringing_for(id, true), self.ringing_for(id, false)].concat() {
            self.cancel_ring(now, id, agent, out);
        }
        // Whoever is in line is with nobody.
        let outside =
            |call: &crate::call::live::Call| call.parties.iter().position(|party| party.agent().is_none());
        while let Some(at) = self.calls.get(&id).and_then(outside) {
            if self.drop_party_at(now, id, at, "queued", out).is_none() {
                break;
            }
        }
        let place = self.acd.place(id).map(|(queue, priority)| (queue.to_owned(), priority));
        let ahead = self.acd.ahead(id).unwrap_or(0);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let outbound = call.outbound;
        call.stage = Stage::Queued { since: now };
        call.queue = place.as_ref().map(|(queue, _)| Arc::from(queue.as_str()));
        self.touched.push(id);
        self.stop_play(id, out);
        self.set_aside(now, id, false, out);
        if let Some((queue, priority)) = place {
            self.note(now, Fact::QueueEntered { call: id, queue, priority, ahead }, out);
        }
        // Whom we dialled walks no flow: he waits in silence.
        if !outbound {
            self.todo.push_back((id, Input::Queue(QueueNews::Waiting)));
        }
    }

    /// To a queue, in the place the citizen has by his first arrival and the priority he had: nobody jumps the line by being handed on.
    pub(super) fn send_to_queue(
        &mut self,
        now: Time,
        id: CallId,
        queue: &Arc<str>,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        // What his flow asked for he still needs, unless nobody there could ever give it.
        let needs =
            if self.acd.can_serve(queue, &call.needs) { call.needs.clone() } else { Needs::default() };
        let enter =
            Enter { entered: Some(call.arrived), needs, ..Enter::new(id, Arc::clone(queue), call.priority) };
        let entered = self.acd_fact(|acd, actions| acd.enter(now, enter, actions));
        if !matches!(entered, acd::Entered::Waiting { .. }) {
            return false;
        }
        self.waits_again(now, id, out);
        true
    }

    /// An outside number is gone from the call.
    pub(super) fn outsider_gone(
        &mut self,
        now: Time,
        id: CallId,
        at: usize,
        why: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let Some(party) = self.drop_party_at(now, id, at, why, out) else { return };
        let who = party.who.name();
        self.tell_call(now, id, AgentEvent::Left { call: id, who }, None);
        match party.up {
            true => self.alone(now, id, false, out),
            // The citizen who was sent there has spoken with nobody: he waits again.
            false => self.nobody_took_it(now, id, out),
        }
    }

    pub(super) fn path_news(
        &mut self,
        now: Time,
        agent: AgentId,
        path: Path,
        relay: Option<std::net::SocketAddr>,
        out: &mut Vec<Effect>,
    ) {
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        seat.path = Some(path);
        let moved = seat.relay != relay;
        seat.relay = relay;
        let browser = seat.device == Some(super::seam::Device::Browser);
        let call = seat.call;
        let fresh = seat.fresh_until.is_some_and(|until| now < until);
        if !browser {
            return;
        }
        let told = match path {
            Path::Proven => acd::Path::Proven,
            Path::Deaf(why) => acd::Path::Deaf(Arc::from(deafness(why))),
        };
        let deaf = matches!(told, acd::Path::Deaf(_));
        let _ = self.acd_fact(|acd, actions| acd.path(now, agent, told, actions));
        let Some(id) = call.filter(|id| self.calls.get(id).is_some_and(|c| c.party_of(agent).is_some()))
        else {
            return;
        };
        if deaf {
            return match fresh {
                true => self.never_heard(now, id, agent, out),
                false => self.lost(now, id, agent, out),
            };
        }
        if moved && relay.is_some() {
            self.reopen(now, id, agent, out);
        }
        self.found(now, id, |party| party.agent() == Some(agent), out);
    }

    /// The agent's browser has come back by another relay: his leg speaks with that one.
    fn reopen(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&id) else { return };
        let (asking, Some(party)) = (call.asking, call.party_of(agent)) else { return };
        let (role, consult) = (party.role, party.consult);
        self.drop_party(now, id, agent, "moved", out);
        if !self.seat_joins(now, id, agent, role, out) {
            return self.leaves(now, id, agent, "lost", out);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.asking = asking;
        if let Some(party) = call.party_of_mut(agent) {
            party.consult = consult;
        }
        self.rebridge(id, out);
        self.attend(now, id, out);
    }
}

const fn deafness(why: Deafness) -> &'static str {
    match why {
        Deafness::NotSetUp => "not_set_up",
        Deafness::IceFailed => "ice_failed",
        Deafness::NothingHeard => "nothing_heard",
        Deafness::NotConfirmed => "not_confirmed",
        Deafness::NoMicrophone => "no_microphone",
    }
}
