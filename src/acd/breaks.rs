//! Breaks: asked for, granted while fewer than the cap are away, in the order in which they were asked for.
//!
//! A granted break is an intent: whoever works finishes first. It changes nobody's place among the free.

use super::agent::Activity;
use super::words::*;
use super::{Acd, Action};
use crate::base::Time;
use std::sync::Arc;

impl Acd {
    /// Granted at once when there is room, else as soon as somebody is back.
    pub fn break_request(
        &mut self,
        now: Time,
        id: AgentId,
        reason: &str,
        out: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let agent = self.logged_in(id)?;
        if agent.on_break || agent.asked.is_some() {
            return Err(Refused::AlreadyAsked);
        }
        let reason: Arc<str> = Arc::from(reason);
        self.change(now, id, out, |agent| agent.asked = Some(reason));
        self.break_line.push_back(id);
        if self.on_break >= self.config.max_on_break {
            let ahead = self.break_line.len() - 1;
            out.push(Action::Break { agent: id, news: BreakNews::Waiting { ahead } });
        }
        self.grant_breaks(now, out);
        self.settle(now, out);
        Ok(())
    }

    /// No break after all. One that has begun is ended by `ready`.
    pub fn break_withdraw(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Result<(), Refused> {
        if self.logged_in(id)?.asked.is_none() {
            return Err(Refused::NoBreak);
        }
        self.change(now, id, out, |agent| agent.asked = None);
        self.break_line.retain(|other| *other != id);
        out.push(Action::Break { agent: id, news: BreakNews::Withdrawn });
        Ok(())
    }

    /// A lead lets somebody go although the cap is reached.
    pub fn approve(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Result<(), Refused> {
        if self.logged_in(id)?.asked.is_none() {
            return Err(Refused::NoBreak);
        }
        self.break_line.retain(|other| *other != id);
        self.grant(now, id, out);
        self.settle(now, out);
        Ok(())
    }

    pub(super) fn end_break(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) {
        let Some(agent) = self.agents.get(&id) else { return };
        let (was, asked) = (agent.on_break, agent.asked.is_some());
        if asked {
            self.break_line.retain(|other| *other != id);
            out.push(Action::Break { agent: id, news: BreakNews::Withdrawn });
        }
        if was {
            self.on_break -= 1;
            out.push(Action::Break { agent: id, news: BreakNews::Over });
        }
        if was || asked {
            self.change(now, id, out, |agent| {
                agent.on_break = false;
                agent.asked = None;
            });
            self.grant_breaks(now, out);
        }
    }

    pub(super) fn grant_breaks(&mut self, now: Time, out: &mut Vec<Action>) {
        while self.on_break < self.config.max_on_break
            && let Some(id) = self.break_line.pop_front()
        {
            self.grant(now, id, out);
        }
    }

    fn grant(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) {
        let granted = self.change(now, id, out, |agent| {
            let reason = agent.asked.take();
            if let Some(reason) = reason.clone() {
                agent.on_break = true;
                agent.intent = Intent::NotReady(reason);
                // Who asks for a break responds.
                if agent.activity == Activity::NotResponding {
                    agent.activity = Activity::Idle;
                }
            }
            reason.is_some()
        });
        if granted == Some(true) {
            self.on_break += 1;
            out.push(Action::Break { agent: id, news: BreakNews::Granted });
        }
    }
}
