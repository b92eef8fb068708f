//! Agents who come back after a restart: what they wanted before it holds until they say something else.

use crate::acd::AgentId;
use crate::base::Time;
use crate::call::engine::Engine;
use crate::call::intents::{IntentFold, LastIntent, Wish};
use std::sync::Arc;
use std::time::Duration;

/// Whoever logs in later than this after a start begins anew.
const COMES_BACK: Duration = Duration::from_secs(600);
/// Longer than any shift: what somebody wanted yesterday says nothing of today.
const STALE_MS: i64 = 12 * 3_600_000;

impl Engine {
    /// What the journal says they wanted, at a start.
    pub(in crate::call) fn restore_intents(&mut self, now: Time, intents: IntentFold) {
        // Whoever was at a call or its ticket has that to finish first, and says himself when he is through.
        let holds = self.config.limits.hold_unfinished;
        let works =
            |name: &str, last: &LastIntent| holds && last.wish == Wish::Ready && intents.busy.contains(name);
        let last = intents.last.iter().filter(|(name, last)| !works(name, last));
        self.desk.wanted =
            last.filter_map(|(name, last)| Some((AgentId::new(name)?, last.clone()))).collect();
        self.desk.wanted_until = now + COMES_BACK;
    }

    /// He has logged in for the first time since the start. What his page says next wins.
    pub(super) fn as_before(&mut self, now: Time, agent: AgentId) {
        let Some(last) = self.desk.wanted.remove(&agent) else { return };
        if now >= self.desk.wanted_until || self.wall.at(now).saturating_sub(last.since_ms) > STALE_MS {
            return;
        }
        let reason: Arc<str> = Arc::from(last.reason.as_str());
        // A roster that has changed meanwhile may refuse; then he is as after any log-in.
        let done = match last.wish {
            Wish::Ready => self.acd_fact(|acd, said| acd.ready(now, agent, said)),
            Wish::NotReady => self.acd_fact(|acd, said| acd.not_ready(now, agent, &reason, said)),
            Wish::Break => {
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.break_asked = Some(Arc::clone(&reason));
                }
                self.acd_fact(|acd, said| {
                    acd.break_request(now, agent, &reason, said)?;
                    // The place on break was his, whoever has come for one since.
                    if acd.agent_view(agent).is_some_and(|view| !view.on_break) {
                        acd.approve(now, agent, said)?;
                    }
                    Ok(())
                })
            }
        };
        if done.is_err()
            && let Some(seat) = self.desk.seats.get_mut(&agent)
        {
            seat.break_asked = None;
        }
    }
}
