//! A lead on an agent's call: listening, whispering, among them, or in his place.

use super::orders::Done;
use super::party::Role;
use super::seam::{AgentEvent, Refused};
use crate::acd::AgentId;
use crate::base::{CallId, Time};
use crate::call::engine::{Effect, Engine};
use crate::call::fact::Fact;
use crate::call::live::Call;
use std::sync::Arc;

impl Engine {
    /// The lead joins the agent's call in this role, or changes the one he has there.
    pub(super) fn supervise(
        &mut self,
        now: Time,
        lead: AgentId,
        of: &str,
        role: Role,
        out: &mut Vec<Effect>,
    ) -> Done {
        let of = self.led(lead, of)?;
        let id = self.his_talk(of, None)?;
        let asked = |call: &Call| call.party_of(of).is_some_and(|party| party.consult);
        if role == Role::Barge && self.calls.get(&id).is_some_and(asked) {
            // He would land beside the citizen, not beside the one he means.
            return Err(Refused::WrongState);
        }
        let there = self.desk.seats.get(&lead).and_then(|seat| seat.call);
        if there.is_some_and(|call| call != id) {
            return Err(Refused::WrongState);
        }
        if there.is_some() {
            self.change_role(now, id, lead, role, out)?;
        } else if !self.has_ears(lead) {
            return Err(Refused::NoMedia);
        } else {
            self.acd_fact(|acd, actions| acd.busy(now, lead, id, actions)).map_err(super::orders::refused)?;
            if !self.seat_joins(now, id, lead, role, out) {
                if let Some(seat) = self.desk.seats.get_mut(&lead) {
                    seat.call = None;
                }
                let _ = self.acd_fact(|acd, actions| acd.idle(now, lead, actions));
                return Err(Refused::NoMedia);
            }
        }
        self.part(now, id, out);
        self.attend(now, id, out);
        let by: Arc<str> = Arc::from(lead.as_str());
        self.tell(now, of, AgentEvent::Monitored { call: id, by, how: role.label() });
        if let Some(card) = self.card(id, Some(lead)) {
            self.tell(now, lead, AgentEvent::Answered { card });
        }
        Ok(Some(id))
    }

    fn change_role(
        &mut self,
        now: Time,
        id: CallId,
        lead: AgentId,
        role: Role,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let call = self.calls.get_mut(&id).ok_or(Refused::NoSuchCall)?;
        let asking = call.asking == Some(lead);
        let party = call.party_of_mut(lead).ok_or(Refused::NoSuchCall)?;
        // Who asks somebody must be heard by him.
        if party.role == Role::Talk || asking {
            return Err(Refused::WrongState);
        }
        party.role = role;
        let fact = Fact::CallNoted {
            call: id,
            agent: lead.to_string(),
            kind: role.label().to_owned(),
            note: Default::default(),
        };
        self.note(now, fact, out);
        self.rebridge(id, out);
        Ok(())
    }

    /// The lead has the call, the agent is off it.
    pub(super) fn take_over(&mut self, now: Time, lead: AgentId, of: &str, out: &mut Vec<Effect>) -> Done {
        let id = self.supervise(now, lead, of, Role::Barge, out)?.ok_or(Refused::NoSuchCall)?;
        let of = self.led(lead, of)?;
        if let Some(party) = self.calls.get_mut(&id).and_then(|call| call.party_of_mut(lead)) {
            party.role = Role::Talk;
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.agent = Some(lead);
        }
        self.set_aside(now, id, false, out);
        self.leaves(now, id, of, "taken_over", out);
        Ok(Some(id))
    }
}
