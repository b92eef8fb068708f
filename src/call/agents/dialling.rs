//! Calls that begin with an agent: the citizen is dialled, and shown the hotline's own number.

use super::orders::{Done, refused};
use super::party::{Party, Role};
use super::seam::{AgentEvent, Refused};
use crate::acd::AgentId;
use crate::base::{CallId, LegId, Personal, Time};
use crate::call::EndReason;
use crate::call::counters::Count;
use crate::call::engine::{Effect, EndedBy, Engine};
use crate::call::fact::{CallArrived, Fact};
use crate::call::live::{Call, Leg, Stage};
use crate::ivr::Walk;
use crate::ivr::seam::CallFacts;
use crate::sip::seam::{DialogId, LocalMedia};
use rand_chacha::rand_core::Rng;
use std::net::SocketAddr;
use std::sync::Arc;

/// Why a number is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// By the agent's own choice, of which there are so many in an hour.
    Chosen,
    /// It is a try of the callback that was asked for in this call.
    Callback(CallId),
    /// A crisis or an emergency has broken.
    Broken,
}

impl Engine {
    /// The agent must have nothing in hand, and sound must pass to him. A browser is on the call at once; a desk phone is rung together
    /// with the citizen's, to answer by itself.
    pub(super) fn dial(
        &mut self,
        now: Time,
        agent: AgentId,
        number: &str,
        ticket: Option<Arc<str>>,
        out: &mut Vec<Effect>,
    ) -> Done {
        self.dial_for(now, agent, number, ticket, Cause::Chosen, out)
    }

    /// The same for another cause. Of a callback the ACD has the agent on the call in which it was asked for already.
    pub(super) fn dial_for(
        &mut self,
        now: Time,
        agent: AgentId,
        number: &str,
        ticket: Option<Arc<str>>,
        cause: Cause,
        out: &mut Vec<Effect>,
    ) -> Done {
        if self.desk.seats.get(&agent).is_none_or(|seat| seat.call.is_some()) {
            return Err(Refused::WrongState);
        }
        if self.draining || self.calls.len() >= self.config.limits.max_calls {
            return Err(Refused::Limit);
        }
        let (peer, number) = self.outside(number)?;
        if !self.has_ears(agent) {
            return Err(Refused::NoMedia);
        }
        if cause == Cause::Chosen {
            self.dials_once_more(now, agent)?;
        }
        let Some(port) = self.ports.lease() else { return Err(Refused::Limit) };
        let leg = Leg { id: LegId(self.next_leg), port, ssrc: self.rng.next_u32(), open: false };
        self.next_leg += 1;
        let sdp_session = self.rng.next_u64() >> 2;
        let addr = SocketAddr::new(self.config.media_addr, port.port);
        let media = LocalMedia { addr, codecs: self.config.ua.codecs.clone(), sdp_session };
        let from = self.own_number();
        let invited = self.sip(|ua, sip| ua.invite(now, peer, &number, &from, media, &[], sip));
        let Ok(dialog) = invited else {
            self.ports.give_back(port.port);
            return Err(Refused::TargetBusy);
        };
        let id = self.begin_outbound(
            now,
            dialog,
            leg,
            agent.as_str(),
            Some(agent),
            &number,
            &from,
            peer,
            ticket,
            out,
        );
        let of = match cause {
            Cause::Callback(of) => Some(of),
            Cause::Chosen | Cause::Broken => None,
        };
        if let Some(of) = of {
            self.callback_dialled(now, of, agent, id, out);
            if let Some(call) = self.calls.get_mut(&id) {
                (call.calls_back, call.back_to) = (Some(of), self.callbacks.get(&of).cloned());
            }
        } else if let Err(why) = self.acd_fact(|acd, actions| acd.busy(now, agent, id, actions)) {
            self.end(now, id, EndReason::DialFailed, EndedBy::Us, out);
            return Err(refused(why));
        }
        if !self.seat_joins(now, id, agent, Role::Talk, out) {
            self.drop_party(now, id, agent, "unreachable", out);
            if let Some(seat) = self.desk.seats.get_mut(&agent) {
                seat.call = None;
            }
            // A callback's end frees him, and keeps its place.
            if of.is_none() {
                let _ = self.acd_fact(|acd, actions| acd.idle(now, agent, actions));
            }
            self.end(now, id, EndReason::DialFailed, EndedBy::Us, out);
            return Err(Refused::NoMedia);
        }
        Ok(Some(id))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record, each with its own name")]
    pub(super) fn begin_outbound(
        &mut self,
        now: Time,
        dialog: DialogId,
        leg: Leg,
        by: &str,
        agent: Option<AgentId>,
        number: &Arc<str>,
        from: &str,
        peer: crate::sip::seam::PeerId,
        ticket: Option<Arc<str>>,
        out: &mut Vec<Effect>,
    ) -> CallId {
        let id = CallId { node: self.config.node, boot: self.config.boot, n: self.next_call };
        self.next_call += 1;
        self.counters.add(Count::CallsDialled);
        let trunk: Arc<str> = self
            .config
            .ua
            .peers
            .get(usize::from(peer.0))
            .map_or_else(|| Arc::from("unknown"), |peer| Arc::clone(&peer.name));
        let flow = Arc::clone(&self.config.flow);
        let arrived = CallArrived {
            call: id,
            sip_call_id: String::new(),
            caller: Personal::new(&**number),
            caller_source: "dialled".to_owned(),
            display: Personal::default(),
            private: false,
            called: from.to_owned(),
            redirected_from: None,
            redirect_reason: None,
            trunk: trunk.to_string(),
            source: String::new(),
            user_agent: String::new(),
            emergency: false,
            flow_hash: flow.hash(),
            flow_file: flow.file().to_owned(),
            flow_version: flow.version().to_owned(),
            dialled_by: Some(by.to_owned()),
        };
        self.note(now, Fact::CallArrived(Box::new(arrived)), out);
        if let Some(ticket) = ticket {
            let (name, value) = ("ticket".to_owned(), Personal::new(&*ticket));
            self.note(now, Fact::ValueSet { call: id, name, value }, out);
        }
        let facts = CallFacts { called: from.to_owned(), began: now, ..CallFacts::default() };
        let wall_ms = self.wall.at(now);
        let mut call =
            Call::outbound(id, dialog, leg, now, wall_ms, number, from, trunk, Walk::new(flow, facts));
        call.max_call_at = now + self.config.limits.max_call;
        call.stage = Stage::Dialing { until: now + self.config.limits.ring_out };
        call.agent = agent;
        self.by_leg.insert(call.leg.id, id);
        self.by_dialog.insert(dialog, id);
        self.order.insert(id);
        *self.per_caller.entry(call.number.clone()).or_default() += 1;
        self.calls.insert(id, call);
        self.touched.push(id);
        id
    }

    /// Nobody is there yet for the one who has answered: once he can hear, he is asked to wait.
    pub(in crate::call) fn callee_waits(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        if self.calls.get(&id).is_some_and(|call| call.unmet.is_some() && call.leg.open && !call.aside) {
            self.set_aside(now, id, true, out);
            self.reassure(id, out);
        }
    }

    /// The one an agent dialled has answered.
    pub(in crate::call) fn callee_answered(&mut self, now: Time, dialog: DialogId, out: &mut Vec<Effect>) {
        let Some(id) = self.by_dialog.get(&dialog).copied() else { return };
        let wall_ms = self.wall.at(now);
        let patience = self.config.limits.agent_away;
        let alone = self.speaks_alone(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !matches!(call.stage, Stage::Dialing { .. }) {
            return;
        }
        self.reach.took(crate::call::Place::Dialing, crate::call::News::Confirmed);
        let speaks = |party: &Party| party.speaks() && party.away_until.is_none();
        let there = call.parties.iter().any(|party| party.agent().is_some() && speaks(party));
        // A number that is tried out hears its announcement and nobody.
        let met = there || alone;
        // His own phone may still ring.
        if !met && call.parties.iter().all(|party| party.up) {
            // Whoever answers is not met by silence, and what he was promised is not used up by it.
            return self.end(now, id, EndReason::DialFailed, EndedBy::Us, out);
        }
        call.stage = Stage::Talking { until: None };
        call.taken_ms = Some(wall_ms);
        call.answered = Some(now);
        call.unmet = (!met).then_some(now + patience);
        self.touched.push(id);
        self.callee_answer_fact(now, id, out);
        if there {
            self.reached(now, id, out);
        }
        self.record_callee(now, id, out);
        self.callee_waits(now, id, out);
        self.announce_test(id, out);
        self.announce_urge(id, out);
        self.rebridge(id, out);
        // Whose own telephone still rings is told when he is there.
        let agents: Vec<AgentId> = self
            .calls
            .get(&id)
            .filter(|call| call.unmet.is_none())
            .map(|call| call.parties.iter().filter_map(|party| party.agent()).collect())
            .unwrap_or_default();
        for agent in agents {
            if let Some(card) = self.card(id, Some(agent)) {
                self.tell(now, agent, AgentEvent::Answered { card });
            }
        }
    }
}
