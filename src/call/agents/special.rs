//! Callers for whom the usual way is wrong (the service's rules for special callers): a word of the agent changes what follows.

use super::dialling::Cause;
use super::orders::Done;
use super::seam::{Refused, Special};
use crate::acd::AgentId;
use crate::base::{CallId, Time};
use crate::call::engine::{Effect, Engine};
use crate::media::seam::Order;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A second silent call of the same number within this is somebody who may not be able to speak.
const SILENT_AGAIN: Duration = Duration::from_secs(600);
/// Silent calls remembered.
const SILENT_MAX: usize = 256;

/// Numbers that were silent, oldest first, and whether somebody was told of the second time.
#[derive(Debug, Default)]
pub(in crate::call) struct SilentCalls(VecDeque<(String, Time, bool)>);

impl SilentCalls {
    /// True exactly once for a number that is silent again in time.
    fn again(&mut self, now: Time, number: &str) -> bool {
        self.0.retain(|(_, at, _)| now.since(*at) <= SILENT_AGAIN);
        if let Some((_, at, told)) = self.0.iter_mut().find(|(known, ..)| known == number) {
            *at = now;
            return !std::mem::replace(told, true);
        }
        if self.0.len() == SILENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back((number.to_owned(), now, false));
        false
    }
}

/// A crisis or an emergency that broke: who had it, and whom to call at once.
#[derive(Debug)]
pub(in crate::call) struct Redial {
    /// `None`: nobody had it when it broke.
    pub agent: Option<AgentId>,
    pub call: CallId,
    pub number: String,
    pub queue: Option<Arc<str>>,
    pub crisis: bool,
}

impl Engine {
    /// The agent says what kind of caller this is.
    pub(super) fn mark(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        special: Special,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        if special == Special::Silent {
            return self.hands_to_silence(now, id, agent, out);
        }
        if special == Special::Suicide {
            return self.raise_crisis(now, id, agent, out);
        }
        self.note_on_call(now, id, agent, special.label(), "", out);
        if let Some(call) = self.calls.get_mut(&id) {
            call.no_survey |= matches!(special, Special::Minor | Special::Violence);
            call.redial |= special == Special::Emergency;
            call.urgent |= matches!(special, Special::Minor | Special::Violence | Special::Emergency);
        }
        if special.needs_lead() {
            self.alarm(now, "special", Some(id), Some(agent), special.label());
        }
        Ok(Some(id))
    }

    /// Silent alarm; from now on no music, no survey, no blind transfer, and who has the call is called back if it breaks.
    pub(super) fn raise_crisis(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        out: &mut Vec<Effect>,
    ) -> Done {
        if let Some(call) = self.calls.get_mut(&id) {
            (call.crisis, call.urgent, call.redial) = (true, true, true);
            if call.aside {
                let (leg, worker) = (call.leg.id, call.leg.port.worker);
                out.push(Effect::Media { worker, order: Order::Background { leg, clip: None } });
            }
        }
        self.note_on_call(now, id, agent, "crisis", "", out);
        self.alarm(now, "crisis", Some(id), Some(agent), "");
        Ok(Some(id))
    }

    /// Nobody speaks: the flow asks for a key instead of a voice, and the agent is free for others.
    fn hands_to_silence(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) -> Done {
        let Some(call) = self.calls.get(&id) else { return Err(Refused::NoSuchCall) };
        let alone = call.parties.iter().all(|party| party.agent() == Some(agent) || !party.role.is_heard());
        if !alone || call.outbound || call.crisis || !call.walk.asks_the_silent() {
            return Err(Refused::WrongState);
        }
        let number = call.number.clone();
        self.note_on_call(now, id, agent, Special::Silent.label(), "", out);
        if !number.is_empty() && self.silent.again(now, &number) {
            self.alarm(now, "silent_again", Some(id), Some(agent), "");
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.silent = true;
            // Nobody has to finish what nobody has said.
            call.agent = None;
        }
        self.leaves(now, id, agent, "silent", out);
        Ok(Some(id))
    }

    /// What flows set about silent callers: a key instead of a voice is for a lead to judge.
    pub(in crate::call) fn silent_caller_answers(&mut self, now: Time, id: CallId, value: &str) {
        if value == "pressed" {
            self.alarm(now, "silent_key", Some(id), None, "");
        }
    }

    /// A crisis or an emergency ended on the citizen's side. He is called back at once by whoever had him, on the same ticket; the leads hear of it
    /// whether that can be done or not.
    pub(in crate::call) fn redial(&mut self, now: Time, lost: Redial, out: &mut Vec<Effect>) {
        let Redial { agent, call, number, queue, crisis } = lost;
        let ticket = Some(Arc::from(call.to_string()));
        let dialled = agent.map(|agent| self.dial_for(now, agent, &number, ticket, Cause::Broken, out));
        let note = match &dialled {
            Some(Ok(_)) => "called_back",
            Some(Err(why)) => why.code(),
            None => "no_agent",
        };
        self.alarm(now, if crisis { "crisis_dropped" } else { "emergency_dropped" }, Some(call), agent, note);
        if let Some(Ok(Some(id))) = dialled
            && let Some(call) = self.calls.get_mut(&id)
        {
            (call.crisis, call.urgent, call.queue) = (crisis, true, queue);
        }
    }

    /// After a crisis he rests: not ready by a reason of its own, outside the cap on breaks, until he says otherwise.
    pub(super) fn rests_after_crisis(&mut self, now: Time, agent: AgentId) {
        let _ = self.acd_fact(|acd, actions| {
            acd.not_ready(now, agent, &std::sync::Arc::from("crisis_rest"), actions)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_silent_twice_in_ten_minutes_is_told_once() {
        let at = |s| Time::ZERO + Duration::from_secs(s);
        let mut calls = SilentCalls::default();
        assert!(!calls.again(at(0), "1"));
        assert!(!calls.again(at(1), "2"));
        assert!(calls.again(at(500), "1"));
        assert!(!calls.again(at(600), "1"), "once");
        assert!(!calls.again(at(700), "2"), "too long ago");
        for n in 0..2 * SILENT_MAX {
            calls.again(at(710), &n.to_string());
        }
        assert!(calls.0.len() <= SILENT_MAX);
    }
}
