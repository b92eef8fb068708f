//! The roster on the floor: who may be ready, and who came or went at another time than his shift's.

use super::seam::{AgentEvent, ToEngine, Turn};
use crate::acd::AgentId;
use crate::base::Time;
use crate::call::engine::{Effect, Engine};
use crate::call::fact::Fact;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Coming or going within this of the shift's own time is on time.
const PUNCTUAL_MS: i64 = 60_000;

impl Engine {
    pub(super) fn roster_input(&mut self, now: Time, input: ToEngine) {
        match input {
            ToEngine::Roster { may, on_call } => {
                self.acd.set_on_call(on_call.iter().filter_map(|name| AgentId::new(name)).collect());
                let known = |may: BTreeMap<Arc<str>, Turn>| {
                    may.into_iter().filter_map(|(name, turn)| Some((AgentId::new(&name)?, turn))).collect()
                };
                self.desk.may = may.map(known);
                self.follow_roster(now);
            }
            ToEngine::RosterNotice { agent, code, note } => {
                if let Some(agent) = AgentId::new(&agent) {
                    self.tell(now, agent, AgentEvent::RosterNotice { code, note });
                }
            }
            ToEngine::RosterGap { note } => self.alarm(now, "roster_gap", None, None, &note),
            ToEngine::HandoverUnsigned { note } => self.alarm(now, "handover_unsigned", None, None, &note),
            ToEngine::DeadLetter { note } => self.alarm(now, "dead_letter", None, None, &note),
            ToEngine::Command { .. }
            | ToEngine::Snapshot { .. }
            | ToEngine::Present { .. }
            | ToEngine::Path { .. }
            | ToEngine::LeaderSessions(_) => {}
        }
    }

    /// The ACD is told of each whose standing has changed, and of nobody else: a lead's word for somebody off shift lasts as long as the
    /// roster says nothing new of him.
    pub(super) fn follow_roster(&mut self, now: Time) {
        let agents: Vec<AgentId> = self.config.agents.iter().map(|spec| spec.id).collect();
        for agent in agents {
            let on = self.on_roster(agent);
            if self.acd.agent_view(agent).is_some_and(|view| view.on_shift != on) {
                // Known by the line above.
                let _ = self.acd_fact(|acd, actions| acd.roster(now, agent, on, actions));
            }
        }
    }

    fn on_roster(&self, agent: AgentId) -> bool {
        self.in_session(agent) || self.desk.may.as_ref().is_none_or(|may| may.contains_key(&agent))
    }

    fn span(&self, agent: AgentId) -> Option<(i64, i64)> {
        self.desk.may.as_ref()?.get(&agent)?.span
    }

    /// He has logged in. Once a shift: what came between log-ins is not his arrival.
    pub(super) fn came(&mut self, now: Time, agent: AgentId, out: &mut Vec<Effect>) {
        let Some((from, to)) = self.span(agent) else { return };
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        if seat.came_for.replace(from) == Some(from) {
            return;
        }
        let at = self.wall.at(now);
        let (kind, by) = match at {
            at if at < from => ("early", from - at),
            at if at < to => ("late", at - from),
            at => ("after_shift", at - to),
        };
        self.off_time(now, agent, kind, by, out);
    }

    /// He has logged out.
    pub(super) fn went(&mut self, now: Time, agent: AgentId, out: &mut Vec<Effect>) {
        let Some((from, to)) = self.span(agent) else { return };
        let at = self.wall.at(now);
        if at >= to {
            self.off_time(now, agent, "left_late", at - to, out);
        } else if at >= from {
            self.off_time(now, agent, "left_early", to - at, out);
        }
    }

    /// A lead lets somebody work whom the roster does not know now.
    pub(super) fn let_work(&mut self, now: Time, agent: AgentId, lead: AgentId, out: &mut Vec<Effect>) {
        if !self.on_roster(agent) {
            let kind = format!("let_by {lead}");
            self.note(now, Fact::RosterNoted { agent: agent.to_string(), kind, minutes: 0 }, out);
        }
    }

    fn off_time(&mut self, now: Time, agent: AgentId, kind: &'static str, by_ms: i64, out: &mut Vec<Effect>) {
        if by_ms < PUNCTUAL_MS {
            return;
        }
        let minutes = u64::try_from(by_ms / 60_000).unwrap_or(0);
        self.note(now, Fact::RosterNoted { agent: agent.to_string(), kind: kind.to_owned(), minutes }, out);
        let note = Arc::from(minutes.to_string());
        self.tell(now, agent, AgentEvent::RosterNotice { code: kind, note });
    }
}
