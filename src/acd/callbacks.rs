//! Callbacks: the caller hangs up and his place waits on in the same order. An agent is chosen first and the citizen dialled then,
//! so there are never more dials than agents who are free for them. A failed try keeps the place.

use super::agent::Activity;
use super::places::{PlaceState, Served};
use super::words::*;
use super::{Acd, Action};
use crate::base::{CallId, Time};
use std::time::Duration;

impl Acd {
    /// The waiting caller hangs up and is to be called back: his place becomes a callback's. An open offer goes back.
    pub fn to_callback(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) -> Result<(), Refused> {
        let place = self.places.get(&call).ok_or(Refused::UnknownCall)?;
        if place.kind == Kind::Callback {
            return Ok(());
        }
        if !self.has_room(&place.queue, Kind::Callback) {
            return Err(Refused::Full);
        }
        if let PlaceState::Offered(offers) = &place.state {
            for offer in offers.clone() {
                self.take_back(now, offer, Ending::Rescinded, out);
            }
        }
        let give_up_at = now + self.config.callback_max_wait;
        self.alter(call, |place| {
            place.kind = Kind::Callback;
            place.give_up_at = give_up_at;
            // He is told nothing any more, so there is nothing to compare.
            place.stated = None;
        });
        self.settle(now, out);
        Ok(())
    }

    /// The citizen was not reached: the agent is free, the place rests until the next try, with its rank. After the last try it is gone.
    pub fn callback_failed(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) -> Result<(), Refused> {
        match self.served.get(&call) {
            None => return Err(Refused::UnknownCall),
            Some(served) if served.place.kind != Kind::Callback => return Err(Refused::NotACallback),
            Some(_) => {}
        }
        let Some(Served { agent, mut place }) = self.served.remove(&call) else {
            return Err(Refused::UnknownCall);
        };
        let tried = usize::from(place.tries);
        place.tries = place.tries.saturating_add(1);
        match self.config.callback_gaps.get(tried) {
            Some(gap) => {
                place.state = PlaceState::Resting { until: now + *gap };
                let priority = place.priority;
                self.back_in_line(now, call, place, priority);
            }
            None => out.push(Action::CallbackGivenUp { call }),
        }
        if self.agents.get(&agent).is_some_and(|agent| agent.call() == Some(call)) {
            self.wrap_for(now, agent, call, Duration::ZERO, out);
        }
        self.settle(now, out);
        Ok(())
    }

    /// The citizen has answered: the agent is on that call from now on, and the place is used up.
    pub fn callback_reached(
        &mut self,
        now: Time,
        call: CallId,
        on: CallId,
        out: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let served = self.served.get(&call).ok_or(Refused::UnknownCall)?;
        if served.place.kind != Kind::Callback {
            return Err(Refused::NotACallback);
        }
        let agent = served.agent;
        self.served.remove(&call);
        self.change(now, agent, out, |agent| agent.activity = Activity::OnCall { call: on });
        self.settle(now, out);
        Ok(())
    }

    /// It must not be dialled any more, whatever tries are left: the place is gone and an agent who was to be on it is free.
    pub fn callback_dropped(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) {
        if let Some(Served { agent, .. }) = self.served.remove(&call) {
            if self.agents.get(&agent).is_some_and(|agent| agent.call() == Some(call)) {
                self.wrap_for(now, agent, call, Duration::ZERO, out);
            }
            self.settle(now, out);
        } else {
            self.leave(now, call, out);
        }
    }

    /// When the next try of a resting callback may be.
    pub fn callback_rests_until(&self, call: CallId) -> Option<Time> {
        match self.places.get(&call)?.state {
            PlaceState::Resting { until } => Some(until),
            _ => None,
        }
    }

    /// Tries of a callback that have failed.
    pub fn callback_tries(&self, call: CallId) -> Option<u8> {
        let served = || self.served.get(&call).map(|served| &served.place);
        self.places.get(&call).or_else(served).map(|place| place.tries)
    }
}
