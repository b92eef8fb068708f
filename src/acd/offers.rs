//! Offers: bound or refused, answered or not, and what each ending means for both sides.
//!
//! | ending | agent | caller |
//! |---|---|---|
//! | answered | on the call | served |
//! | declined | a short rest; not ready after several in a row | back in his place |
//! | no answer | not responding, unless he is the last on shift | back in his place |
//! | device failed, refused by the agent's owner | his path is deaf until proven | back in his place |
//! | refused by the call's owner, caller left | free | gone |
//! | taken by other, rescinded | free | served by the other, or back in his place |

use super::agent::{Activity, Standing};
use super::places::{PlaceState, Served};
use super::why::Rule;
use super::words::*;
use super::{Acd, Action};
use crate::base::{CallId, Time};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Offer {
    pub agent: AgentId,
    pub call: CallId,
    /// Both owners have said yes.
    pub bound: bool,
    pub answer_by: Time,
    /// Made to the lead because the last agent did not answer.
    pub lead: bool,
}

impl Acd {
    /// Agent reserved and call bound: the second step.
    pub fn bound(&mut self, offer: OfferId) -> Result<(), Refused> {
        match self.offers.get_mut(&offer) {
            None => Err(Refused::NotOffered),
            Some(offer) if offer.bound => Err(Refused::AlreadyBound),
            Some(offer) => {
                offer.bound = true;
                Ok(())
            }
        }
    }

    /// One of the two owners said no instead.
    pub fn refused(
        &mut self,
        now: Time,
        id: OfferId,
        by: RefusedBy,
        out: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let offer = self.offers.get(&id).ok_or(Refused::NotOffered)?;
        if offer.bound {
            return Err(Refused::AlreadyBound);
        }
        match by {
            RefusedBy::Agent(reason) => self.went_deaf(now, id, reason, out),
            RefusedBy::Call => {
                let call = offer.call;
                self.leave(now, call, out);
            }
        }
        self.settle(now, out);
        Ok(())
    }

    pub fn answered(&mut self, now: Time, id: OfferId, out: &mut Vec<Action>) -> Result<(), Refused> {
        let offer = self.offers.get(&id).ok_or(Refused::NotOffered)?;
        if !offer.bound {
            return Err(Refused::NotBound);
        }
        let (agent, call) = (offer.agent, offer.call);
        let others = match self.places.get(&call).map(|place| &place.state) {
            Some(PlaceState::Offered(offers)) => offers.iter().copied().filter(|o| *o != id).collect(),
            _ => Vec::new(),
        };
        self.cut(now, call);
        for other in others {
            self.take_back(now, other, Ending::TakenByOther, out);
        }
        self.forget(id);
        self.change(now, agent, out, |agent| {
            agent.activity = Activity::OnCall { call };
            agent.handled += 1;
            agent.declines = 0;
            agent.ticket_open = false;
        });
        if let Some(mut place) = self.take(now, call) {
            let waited = now.since(place.entered);
            let dial = place.kind == Kind::Callback;
            if let Some(queue) = self.queues.get_mut(&place.queue) {
                if let Some(stated) = place.stated.take() {
                    queue.estimator.learn(&stated, waited);
                }
                if queue.config.sticky
                    && let Some(key) = place.caller
                {
                    self.remember(key, agent);
                }
            }
            place.state = PlaceState::Waiting;
            self.served.insert(call, Served { agent, place });
            out.push(Action::Connect { offer: id, agent, call, dial, waited });
        }
        self.settle(now, out);
        Ok(())
    }

    pub fn declined(&mut self, now: Time, id: OfferId, out: &mut Vec<Action>) -> Result<(), Refused> {
        let offer = self.offers.get(&id).ok_or(Refused::NotOffered)?;
        let (agent, call, lead) = (offer.agent, offer.call, offer.lead);
        let last = self.is_last(agent, call);
        let (pause, most) = (now + self.config.decline_pause, self.config.max_declines);
        self.change(now, agent, out, |agent| {
            agent.serving = None;
            agent.declines = agent.declines.saturating_add(1);
            if agent.declines >= most && !last {
                agent.declines = 0;
                agent.intent = Intent::NotReady(Arc::from("declined"));
                agent.activity = Activity::Idle;
            } else {
                agent.activity = Activity::WrapUp { call, until: Some(pause), latest: pause, pause: true };
            }
        });
        self.close(now, id);
        self.climb(now, call, agent, last, lead, out);
        self.settle(now, out);
        Ok(())
    }

    /// The agent's device did not take it. Not his miss; he gets no offer until his path is proven again.
    pub fn device_failed(&mut self, now: Time, id: OfferId, out: &mut Vec<Action>) -> Result<(), Refused> {
        if !self.offers.contains_key(&id) {
            return Err(Refused::NotOffered);
        }
        self.went_deaf(now, id, Arc::from("device_failed"), out);
        self.settle(now, out);
        Ok(())
    }

    /// `answer_by` has passed.
    pub(super) fn unanswered(&mut self, now: Time, id: OfferId, out: &mut Vec<Action>) {
        let Some(offer) = self.offers.get(&id) else { return };
        let (agent, call, lead) = (offer.agent, offer.call, offer.lead);
        if !offer.bound {
            out.push(Action::Rescind { offer: id, agent, call, why: Ending::NotBound });
            return self.went_deaf(now, id, Arc::from("not_bound"), out);
        }
        let last = self.is_last(agent, call);
        out.push(Action::Rescind { offer: id, agent, call, why: Ending::NoAnswer });
        self.change(now, agent, out, |agent| {
            agent.serving = None;
            agent.missed += 1;
            agent.activity = if last { Activity::Idle } else { Activity::NotResponding };
        });
        self.close(now, id);
        self.climb(now, call, agent, last, lead, out);
    }

    /// An offer ends by our own doing; the agent is as he was before it.
    pub(super) fn take_back(&mut self, now: Time, id: OfferId, why: Ending, out: &mut Vec<Action>) {
        let Some(offer) = self.offers.get(&id) else { return };
        let (agent, call) = (offer.agent, offer.call);
        out.push(Action::Rescind { offer: id, agent, call, why });
        self.change(now, agent, out, |agent| {
            agent.serving = None;
            agent.activity = Activity::Idle;
        });
        match why {
            // The caller is on his way out or to the other agent: nobody must catch him in between.
            Ending::CallerLeft | Ending::TakenByOther => drop(self.forget(id)),
            _ => self.close(now, id),
        }
    }

    pub(super) fn went_deaf(&mut self, now: Time, id: OfferId, reason: Arc<str>, out: &mut Vec<Action>) {
        let Some(offer) = self.offers.get(&id) else { return };
        let (agent, call, lead) = (offer.agent, offer.call, offer.lead);
        let last = self.is_last(agent, call);
        self.change(now, agent, out, |agent| {
            agent.serving = None;
            agent.activity = Activity::Idle;
            agent.path = Path::Deaf(reason);
        });
        self.close(now, id);
        if last {
            // There is nobody to ring again.
            self.alter(call, |place| place.rung = place.rung.max(1));
        }
        self.climb(now, call, agent, last, lead, out);
    }

    /// The offer is over and its caller, unless others are still offered him, waits again.
    fn close(&mut self, now: Time, id: OfferId) {
        if let Some(offer) = self.offers.get(&id) {
            self.cut(now, offer.call);
        }
        let Some(offer) = self.forget(id) else { return };
        let Some(place) = self.places.get_mut(&offer.call) else { return };
        if let PlaceState::Offered(offers) = &mut place.state {
            if offers.len() > 1 {
                offers.retain(|other| *other != id);
            } else {
                self.wait_again(now, offer.call);
            }
        }
    }

    fn forget(&mut self, id: OfferId) -> Option<Offer> {
        let offer = self.offers.remove(&id)?;
        self.offer_due.moved(id, Some(offer.answer_by), None);
        Some(offer)
    }

    /// Nobody else serves the caller's line.
    fn is_last(&self, agent: AgentId, call: CallId) -> bool {
        let line = self.places.get(&call).and_then(|place| self.lines.get(&place.line));
        let fits = |line| self.agents.get(&agent).is_some_and(|a| a.lines.iter().any(|(l, _)| *l == line));
        match (line, self.places.get(&call)) {
            (Some(line), Some(place)) => line.counts.staffed() <= u16::from(fits(place.line)),
            _ => false,
        }
    }

    /// The last agent on shift did not take a caller: ring again, then the lead, then the on-call mobile, once.
    fn climb(
        &mut self,
        now: Time,
        call: CallId,
        agent: AgentId,
        last: bool,
        lead: bool,
        out: &mut Vec<Action>,
    ) {
        if !(last || lead) {
            return;
        }
        self.alter(call, |place| place.rung = place.rung.saturating_add(1));
        let Some(place) = self.places.get(&call) else { return };
        if place.escalated || (place.rung < 2 && !lead) || !matches!(place.state, PlaceState::Waiting) {
            return;
        }
        let can = |id: &&AgentId| {
            let reachable = |a: &super::agent::Agent| {
                a.activity == Activity::Idle
                    && a.epoch.is_some()
                    && a.path == Path::Proven
                    && !matches!(a.standing(), Standing::OnBreak)
            };
            **id != agent && self.agents.get(id).is_some_and(reachable)
        };
        // Whom nobody took before him waits longer, and comes first here too.
        let first = self.lines.get(&place.line).and_then(|line| line.waiting.first());
        let first = first.map_or(call, |rank| rank.call);
        match self.leads.iter().find(can).copied().filter(|_| !lead) {
            Some(lead) => self.offer(now, lead, first, Rule::Lead, out),
            None => {
                let mobile = |id: &AgentId| self.agents.get(id)?.spec.mobile.clone();
                let rostered = self.on_call.iter().find_map(mobile);
                let number = rostered
                    .or_else(|| self.config.on_call.clone())
                    .or_else(|| self.leads.iter().find_map(mobile));
                let to = number.map_or(Escalation::Nobody, Escalation::OnCallMobile);
                self.alter(call, |place| place.escalated = true);
                out.push(Action::Escalate { call, to });
            }
        }
    }

    fn remember(&mut self, key: u64, agent: AgentId) {
        if self.sticky.insert(key, agent).is_none() {
            self.sticky_order.push_back(key);
        }
        while self.sticky_order.len() > self.config.max_sticky {
            self.sticky_order.pop_front().map(|old| self.sticky.remove(&old));
        }
    }
}
