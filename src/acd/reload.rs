//! New queues, new rules, new people while everything goes on. States, places and offers stay.

use super::agent::{Activity, Agent, Standing};
use super::config::{AcdConfig, QueueConfig};
use super::lines::{LineId, Queue};
use super::words::*;
use super::{Acd, Action};
use crate::base::Time;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Acd {
    /// New limits for queues that stay, new queues beside them. A queue that is gone keeps its callers until they leave.
    pub fn reconfigure(
        &mut self,
        now: Time,
        queues: impl IntoIterator<Item = (Arc<str>, QueueConfig)>,
        out: &mut Vec<Action>,
    ) {
        for (name, config) in queues {
            let Some(queue) = self.queues.get_mut(&name) else {
                let mut queue = Queue::new(config);
                for agent in self.agents.values().filter(|a| a.spec.queues.contains(&name)) {
                    queue.agents.insert(agent.id());
                    queue.counts.add(agent.standing());
                }
                self.queues.insert(name, queue);
                continue;
            };
            queue.config = config;
            let strategy = queue.config.strategy;
            let lines: Vec<LineId> = queue.lines.values().copied().collect();
            for id in lines {
                self.reorder(id, strategy);
            }
        }
        self.settle(now, out);
    }

    /// New rules for all. Priorities and places given stay as they are.
    pub fn configure(&mut self, now: Time, config: AcdConfig, out: &mut Vec<Action>) {
        self.config = config;
        self.grant_breaks(now, out);
        self.settle(now, out);
    }

    /// Who is on call by the roster from now on: rung on their mobiles when neither agent nor lead answers.
    pub fn set_on_call(&mut self, people: Vec<AgentId>) {
        self.on_call = people;
    }

    /// The whole directory. Who is new is logged out; who stays keeps session, intent, work and place among the free; who is gone
    /// gets no more offers, and goes when his work is done. Returns how many were left out because there are too many.
    pub fn set_agents(
        &mut self,
        now: Time,
        specs: impl IntoIterator<Item = AgentSpec>,
        out: &mut Vec<Action>,
    ) -> usize {
        let mut gone: BTreeSet<AgentId> = self.agents.keys().copied().collect();
        let mut left_out = 0;
        for spec in specs {
            gone.remove(&spec.id);
            if !self.agents.contains_key(&spec.id) && self.agents.len() >= self.config.max_agents {
                left_out += 1;
                continue;
            }
            self.set_agent(now, spec);
        }
        for id in gone {
            self.retire(now, id, out);
        }
        self.settle(now, out);
        left_out
    }

    fn set_agent(&mut self, now: Time, mut spec: AgentSpec) {
        spec.queues.sort();
        spec.queues.dedup();
        let id = spec.id;
        if self.agents.get(&id).is_some_and(|agent| agent.spec == spec && !agent.retired) {
            return;
        }
        self.detach(id);
        let agent = self.agents.entry(id).or_insert_with(|| Agent::new(spec.clone(), now));
        agent.spec = spec;
        agent.retired = false;
        self.attach(id);
    }

    fn retire(&mut self, now: Time, id: AgentId, out: &mut Vec<Action>) {
        if let Some(offer) = self.agents.get(&id).and_then(Agent::offer) {
            self.take_back(now, offer, Ending::Rescinded, out);
        }
        self.end_break(now, id, out);
        self.detach(id);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        agent.spec.queues.clear();
        agent.spec.lead = false;
        agent.retired = true;
        if !agent.standing().works() {
            if agent.epoch.is_some() {
                out.push(Action::AgentState { agent: id, state: AgentState::Offline, since: now });
                out.push(Action::Intends { agent: id, intent: None, on_break: false });
            }
            self.remove_agent(id);
        }
    }

    pub(super) fn remove_agent(&mut self, id: AgentId) {
        self.freed.remove(&id);
        let Some(agent) = self.agents.remove(&id) else { return };
        self.agent_due.moved(id, agent.face().deadline, None);
        self.leads.remove(&id);
    }

    /// Out of all lists of queues and lines.
    fn detach(&mut self, id: AgentId) {
        self.leads.remove(&id);
        self.freed.remove(&id);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let face = agent.face();
        for (line_id, level) in std::mem::take(&mut agent.lines) {
            let Some(line) = self.lines.get_mut(&line_id) else { continue };
            if face.standing == Standing::Free {
                let key = line.key(id, level, &face);
                line.idle.remove(&key);
            }
            line.counts.sub(face.standing);
            if face.standing.staffs() {
                line.drops = line.drops.wrapping_add(1);
            }
        }
        for name in &agent.spec.queues {
            let Some(queue) = self.queues.get_mut(name) else { continue };
            if queue.agents.remove(&id) {
                queue.counts.sub(face.standing);
            }
            self.touched.extend(&queue.busy);
        }
    }

    /// Into all lists of the queues he serves and of the lines he fits.
    fn attach(&mut self, id: AgentId) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let face = agent.face();
        if agent.spec.lead {
            self.leads.insert(id);
        }
        for name in &agent.spec.queues {
            let Some(queue) = self.queues.get_mut(name) else { continue };
            queue.agents.insert(id);
            queue.counts.add(face.standing);
            for (needs, line_id) in &queue.lines {
                let Some(level) = needs.level(&agent.spec.skills) else { continue };
                let Some(line) = self.lines.get_mut(line_id) else { continue };
                agent.lines.push((*line_id, level));
                line.counts.add(face.standing);
                if face.standing == Standing::Free {
                    let key = line.key(id, level, &face);
                    line.idle.insert(key);
                }
            }
            self.touched.extend(&queue.busy);
        }
        if face.standing == Standing::Free {
            self.freed.insert(id);
        }
        debug_assert!(agent.activity != Activity::NotResponding || face.standing != Standing::Free);
    }

    /// A line's free agents in another strategy's order.
    fn reorder(&mut self, id: LineId, strategy: super::config::Strategy) {
        let Some(line) = self.lines.get_mut(&id).filter(|line| line.strategy != strategy) else { return };
        line.strategy = strategy;
        for old in std::mem::take(&mut line.idle) {
            let Some(agent) = self.agents.get(&old.agent) else { continue };
            let level = agent.lines.iter().find(|(line, _)| *line == id).map_or(0, |(_, level)| *level);
            let key = line.key(old.agent, level, &agent.face());
            line.idle.insert(key);
        }
    }
}
