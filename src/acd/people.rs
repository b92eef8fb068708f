//! What agents, their pages and their supervisors say. Each is taken or refused with a code; saying it twice changes nothing.

use super::agent::{Activity, Agent};
use super::words::*;
use super::{Acd, Action};
use crate::base::{CallId, Time};
use std::sync::Arc;
use std::time::Duration;

type Done = Result<(), Refused>;

impl Acd {
    /// A session begins, or a newer one takes over: work in hand stays, the media path has to be proven anew.
    pub fn login(&mut self, now: Time, id: AgentId, epoch: u64, out: &mut Vec<Action>) -> Done {
        let agent = self.agent(id)?;
        if agent.retired {
            return Err(Refused::UnknownAgent);
        }
        if agent.epoch == Some(epoch) {
            return Ok(());
        }
        if epoch <= agent.last_epoch {
            return Err(Refused::StaleEpoch);
        }
        self.change(now, id, out, |agent| {
            if agent.epoch.is_none() {
                agent.intent = Intent::NotReady(Arc::from("login"));
            }
            agent.epoch = Some(epoch);
            agent.last_epoch = epoch;
            agent.path = Path::Unproven;
        });
        self.settle(now, out);
        Ok(())
    }

    /// Not while on a call. An open offer goes back, a break is over, wrap-up ends.
    pub fn logout(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Done {
        let agent = self.logged_in(id)?;
        if agent.call().is_some() {
            return Err(Refused::OnCall);
        }
        self.log_out(now, id, out);
        self.settle(now, out);
        Ok(())
    }

    /// Wants calls. Ends a break and not responding; a call, an offer or wrap-up goes on, and he is ready after it.
    pub fn ready(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Done {
        let agent = self.logged_in(id)?;
        if self.config.roster_binds && !agent.on_shift {
            return Err(Refused::OffShift);
        }
        self.end_break(now, id, out);
        self.change(now, id, out, |agent| {
            agent.intent = Intent::Ready;
            if agent.activity == Activity::NotResponding {
                agent.activity = Activity::Idle;
            }
        });
        self.settle(now, out);
        Ok(())
    }

    /// Wants no more calls; what he has in hand, an offer too, stays.
    pub fn not_ready(&mut self, now: Time, id: AgentId, reason: &str, out: &mut Vec<Action>) -> Done {
        self.logged_in(id)?;
        self.end_break(now, id, out);
        self.change(now, id, out, |agent| {
            agent.intent = Intent::NotReady(Arc::from(reason));
            if agent.activity == Activity::NotResponding {
                agent.activity = Activity::Idle;
            }
        });
        self.settle(now, out);
        Ok(())
    }

    /// By a supervisor. Goes over roster, wrap-up and unfinished tickets, never over a call.
    pub fn force_state(&mut self, now: Time, id: AgentId, to: Forced, out: &mut Vec<Action>) -> Done {
        let agent = self.logged_in(id)?;
        match to {
            Forced::Offline if agent.call().is_some() => return Err(Refused::OnCall),
            Forced::Offline => self.log_out(now, id, out),
            Forced::Ready => {
                self.end_break(now, id, out);
                self.change(now, id, out, |agent| {
                    agent.intent = Intent::Ready;
                    match agent.activity {
                        Activity::NotResponding => agent.activity = Activity::Idle,
                        Activity::WrapUp { .. } => agent.rest(now),
                        _ => {}
                    }
                });
            }
            Forced::NotReady(reason) => {
                if let Some(offer) = agent.offer() {
                    self.take_back(now, offer, Ending::Rescinded, out);
                }
                self.end_break(now, id, out);
                self.change(now, id, out, |agent| {
                    agent.intent = Intent::NotReady(reason);
                    if agent.activity == Activity::NotResponding {
                        agent.activity = Activity::Idle;
                    }
                });
            }
        }
        self.settle(now, out);
        Ok(())
    }

    /// What a probe of the agent's own media path has shown. An open offer to a path that went deaf goes back at once.
    pub fn path(&mut self, now: Time, id: AgentId, path: Path, out: &mut Vec<Action>) -> Done {
        let agent = self.logged_in(id)?;
        if let (Some(offer), Path::Deaf(reason)) = (agent.offer(), &path) {
            let offer_call = self.offers.get(&offer).map(|offer| offer.call);
            if let Some(call) = offer_call {
                out.push(Action::Rescind { offer, agent: id, call, why: Ending::DeviceFailed });
            }
            self.went_deaf(now, offer, Arc::clone(reason), out);
        }
        self.change(now, id, out, |agent| agent.path = path);
        self.settle(now, out);
        Ok(())
    }

    /// On shift by the roster, or not. Who works goes on; where the roster binds, he is not ready afterwards.
    pub fn roster(&mut self, now: Time, id: AgentId, on_shift: bool, out: &mut Vec<Action>) -> Done {
        self.agent(id)?;
        let binds = self.config.roster_binds;
        self.change(now, id, out, |agent| {
            agent.on_shift = on_shift;
            if binds && !on_shift && agent.intent == Intent::Ready {
                agent.intent = Intent::NotReady(Arc::from("off_shift"));
            }
        });
        self.settle(now, out);
        Ok(())
    }

    /// On a call that came through no queue: dialled, consulted, transferred to him. An open offer goes back.
    pub fn busy(&mut self, now: Time, id: AgentId, call: CallId, out: &mut Vec<Action>) -> Done {
        let agent = self.logged_in(id)?;
        match agent.call() {
            Some(same) if same == call => return Ok(()),
            Some(_) => return Err(Refused::OnCall),
            None => {}
        }
        if let Some(offer) = agent.offer() {
            self.take_back(now, offer, Ending::Rescinded, out);
        }
        self.change(now, id, out, |agent| agent.activity = Activity::OnCall { call });
        self.settle(now, out);
        Ok(())
    }

    /// That call is over and needs no wrap-up. An unfinished ticket still keeps him.
    pub fn idle(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Done {
        let call = self.agent(id)?.call().ok_or(Refused::NotOnCall)?;
        self.served_by(call, id);
        self.wrap_for(now, id, call, Duration::ZERO, out);
        self.settle(now, out);
        Ok(())
    }

    /// The agent is off the call: time for the ticket.
    pub fn hung_up(&mut self, now: Time, id: AgentId, call: CallId, out: &mut Vec<Action>) -> Done {
        if self.agent(id)?.call() != Some(call) {
            return Err(Refused::NotOnCall);
        }
        self.served_by(call, id);
        self.wrap_for(now, id, call, self.config.wrap_up, out);
        self.settle(now, out);
        Ok(())
    }

    pub fn wrap_finish(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) -> Done {
        let agent = self.agent(id)?;
        let Activity::WrapUp { pause, .. } = agent.activity else { return Err(Refused::NotInWrapUp) };
        if agent.ticket_open && !pause {
            return Err(Refused::TicketUnfinished);
        }
        self.change(now, id, out, |agent| agent.rest(now));
        self.settle(now, out);
        Ok(())
    }

    /// Longer by this much, up to the longest wrap-up of all; then refused.
    pub fn wrap_extend(&mut self, now: Time, id: AgentId, by: Duration, out: &mut Vec<Action>) -> Done {
        let agent = self.agent(id)?;
        let Activity::WrapUp { call, until, latest, pause } = agent.activity else {
            return Err(Refused::NotInWrapUp);
        };
        let extended = (until.unwrap_or(now) + by).min(latest);
        if pause || until.is_some_and(|until| extended <= until) || extended <= now {
            return Err(Refused::AtCap);
        }
        self.change(now, id, out, |agent| {
            agent.activity = Activity::WrapUp { call, until: Some(extended), latest, pause };
        });
        self.settle(now, out);
        Ok(())
    }

    /// The ticket of his last call is not finished, or is. Who is past his wrap-up time is free the moment it is.
    pub fn ticket_unfinished(&mut self, now: Time, id: AgentId, open: bool, out: &mut Vec<Action>) -> Done {
        self.agent(id)?;
        self.change(now, id, out, |agent| {
            agent.ticket_open = open;
            if !open && matches!(agent.activity, Activity::WrapUp { until: None, .. }) {
                agent.rest(now);
            }
        });
        self.settle(now, out);
        Ok(())
    }

    /// Counts of calls answered start anew, for all at once: fewest calls is a matter of a day.
    pub fn new_day(&mut self, now: Time, out: &mut Vec<Action>) {
        let ids: Vec<AgentId> = self.agents.keys().copied().collect();
        for id in ids {
            self.change(now, id, out, |agent| agent.handled = 0);
        }
        self.settle(now, out);
    }

    pub(super) fn wrap_up_over(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) {
        self.change(now, id, out, |agent| match agent.activity {
            Activity::WrapUp { call, latest, pause: false, .. } if agent.ticket_open => {
                agent.activity = Activity::WrapUp { call, until: None, latest, pause: false };
                Some(call)
            }
            // A rest after a declined offer was no work: his place among the free is the old one.
            Activity::WrapUp { pause: true, .. } => {
                agent.activity = Activity::Idle;
                None
            }
            _ => {
                agent.rest(now);
                None
            }
        })
        .flatten()
        .into_iter()
        .for_each(|call| out.push(Action::WrapOverdue { agent: id, call }));
    }

    pub(super) fn wrap_for(
        &mut self,
        now: Time,
        id: AgentId,
        call: CallId,
        time: Duration,
        out: &mut Vec<Action>,
    ) {
        let (until, latest) = (now + time, now + self.config.wrap_up_max.max(time));
        self.change(now, id, out, |agent| {
            if time.is_zero() && !agent.ticket_open {
                agent.rest(now);
            } else {
                let until = (!time.is_zero()).then_some(until);
                agent.activity = Activity::WrapUp { call, until, latest, pause: false };
            }
        });
    }

    pub(super) fn log_out(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) {
        if let Some(offer) = self.agents.get(&id).and_then(Agent::offer) {
            self.take_back(now, offer, Ending::Rescinded, out);
        }
        self.end_break(now, id, out);
        self.change(now, id, out, |agent| {
            agent.epoch = None;
            agent.intent = Intent::NotReady(Arc::from("login"));
            agent.path = Path::Unproven;
            agent.ticket_open = false;
            match agent.activity {
                Activity::WrapUp { .. } => agent.rest(now),
                _ => agent.activity = Activity::Idle,
            }
        });
    }

    /// The place of a call this agent served is no longer needed.
    fn served_by(&mut self, call: CallId, agent: AgentId) {
        if self.served.get(&call).is_some_and(|served| served.agent == agent) {
            self.served.remove(&call);
        }
    }

    pub(super) fn agent(&self, id: AgentId) -> Result<&Agent, Refused> {
        self.agents.get(&id).ok_or(Refused::UnknownAgent)
    }

    pub(super) fn logged_in(&self, id: AgentId) -> Result<&Agent, Refused> {
        self.agent(id).and_then(|agent| agent.epoch.map(|_| agent).ok_or(Refused::NotLoggedIn))
    }
}
