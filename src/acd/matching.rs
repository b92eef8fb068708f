//! Bringing callers and agents together, and the one place where an agent changes.

use super::agent::{Activity, Agent, Standing};
use super::config::{Answer, Strategy};
use super::lines::LineId;
use super::offers::Offer;
use super::places::{Place, PlaceState};
use super::ranks::Rank;
use super::why::{self, Choice, Rule};
use super::words::*;
use super::{Acd, Action};
use crate::base::{CallId, Time};
use std::sync::Arc;

/// Agents named beside the chosen one when somebody asks why.
const CONSIDERED: usize = 4;

impl Acd {
    /// Ends every fact: whoever it set free meets whoever may meet him.
    ///
    /// Before the fact nobody waited beside a free agent, so only those whom it has touched are looked at.
    pub(super) fn settle(&mut self, now: Time, out: &mut Vec<Action>) {
        // Agents first: one who is free again belongs to the first of all who wait, not to the caller who came back with him.
        while let Some(call) = self.first_for_the_freed() {
            if !self.match_call(now, call, out) {
                break;
            }
        }
        self.freed.clear();
        while let Some(rank) = self.again.pop_first() {
            self.match_call(now, rank.call, out);
        }
        while let Some(id) = self.touched.pop_first() {
            self.write_cause(now, id);
        }
    }

    /// The first of all callers whom one of those set free may take. They are looked at together: several are free at once when a
    /// caller who was offered to many is gone, and none of them must be spent on a later caller while another waits for him.
    /// Who is taken, or has nobody to take, is looked at no more.
    fn first_for_the_freed(&mut self) -> Option<CallId> {
        let Self { freed, agents, lines, .. } = self;
        let mut first: Option<Rank> = None;
        freed.retain(|id| {
            let Some(agent) = agents.get(id).filter(|agent| agent.standing() == Standing::Free) else {
                return false;
            };
            let waiting = |(line, _): &(LineId, u16)| lines.get(line)?.waiting.first().copied();
            let best = agent.lines.iter().filter_map(waiting).min();
            first = first.into_iter().chain(best).min();
            best.is_some()
        });
        first.map(|rank| rank.call)
    }

    /// Offers a caller to the agent, or the agents, first in order of those free for him.
    fn match_call(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) -> bool {
        let Some(place) = self.places.get(&call) else { return false };
        let (Some(line), Some(queue)) = (self.lines.get(&place.line), self.queues.get(&place.queue)) else {
            return false;
        };
        if !matches!(place.state, PlaceState::Waiting) || line.idle.is_empty() {
            return false;
        }
        let known = place.caller.filter(|_| queue.config.sticky).and_then(|key| self.sticky.get(&key));
        let known = known.filter(|agent| {
            let free = |agent: &Agent| {
                agent.standing() == Standing::Free && agent.lines.iter().any(|(l, _)| *l == place.line)
            };
            self.agents.get(agent).is_some_and(free)
        });
        let (rule, agents) = match (known, line.strategy) {
            (Some(agent), _) => (Rule::Sticky, vec![*agent]),
            // A callback is dialled by one agent.
            (None, Strategy::RingAll { at_most }) if place.kind == Kind::Live => {
                let n = usize::from(at_most.max(1));
                let agents = line.idle.iter().take(n).map(|key| key.agent).collect();
                (Rule::Strategy(line.strategy), agents)
            }
            (None, strategy) => {
                (Rule::Strategy(strategy), line.idle.first().map(|key| key.agent).into_iter().collect())
            }
        };
        for agent in agents {
            self.offer(now, agent, call, rule, out);
        }
        true
    }

    /// Proposes a caller to an agent who can take one.
    pub(super) fn offer(
        &mut self,
        now: Time,
        agent: AgentId,
        call: CallId,
        rule: Rule,
        out: &mut Vec<Action>,
    ) {
        self.cut(now, call);
        let Some(place) = self.places.get(&call) else { return };
        let (line, priority, dial) = (place.line, place.priority, place.kind == Kind::Callback);
        let queue = Arc::clone(&place.queue);
        self.last_offer += 1;
        let offer = OfferId(self.last_offer);
        let answer_by = now + self.config.ring;
        let answer = self.queues.get(&queue).map(|queue| queue.config.answer).unwrap_or_default();
        // A citizen is not dialled for an agent who is not there: a callback always asks for a hand.
        let ring = answer == Answer::Ring || dial || rule == Rule::Lead;
        let auto_answer_at = (!ring).then(|| now + self.config.auto_answer_after);

        let considered = self.lines.get(&line).map(|line| &line.idle);
        let choice = Choice {
            agent,
            call,
            at: now,
            queue: Arc::clone(&queue),
            rule,
            free: considered.map_or(0, |idle| idle.len()),
            considered: considered.into_iter().flatten().take(CONSIDERED).copied().collect(),
        };
        self.choices.insert(offer, choice);
        while self.choices.len() > self.config.reasons_kept {
            self.choices.pop_first();
        }
        self.offers.insert(offer, Offer { agent, call, bound: false, answer_by, lead: rule == Rule::Lead });
        self.offer_due.moved(offer, None, Some(answer_by));
        self.alter(call, |place| match &mut place.state {
            PlaceState::Offered(offers) => offers.push(offer),
            _ => place.state = PlaceState::Offered(vec![offer]),
        });
        let keep = self.config.reasons_per_line;
        if let Some(agent) = self.agents.get(&agent) {
            for (line, _) in &agent.lines {
                if let Some(line) = self.lines.get_mut(line).filter(|line| line.places > 0) {
                    line.log.took(now, priority, agent.id(), call, keep);
                }
            }
        }
        let queue_name = Arc::clone(&queue);
        self.change(now, agent, out, |agent| {
            agent.activity = Activity::Offered { offer };
            agent.serving = Some((queue_name, now));
        });
        out.push(Action::Offer { offer, agent, call, queue, answer_by, auto_answer_at, ring, dial });
    }

    /// The one place where an agent changes. Every list that mirrors him follows; who becomes free is matched by [`Acd::settle`].
    pub(super) fn change<R>(
        &mut self,
        now: Time,
        id: AgentId,
        out: &mut Vec<Action>,
        change: impl FnOnce(&mut Agent) -> R,
    ) -> Option<R> {
        let agent = self.agents.get_mut(&id)?;
        let (before, wanted) = (agent.face(), agent.wants());
        let result = change(agent);
        let (after, wants) = (agent.face(), agent.wants());
        if wanted != wants {
            let (intent, on_break) = wants;
            out.push(Action::Intends { agent: id, intent, on_break });
        }
        if before == after {
            return Some(result);
        }
        self.agent_due.moved(id, before.deadline, after.deadline);
        if before.state != after.state {
            agent.since = now;
            out.push(Action::AgentState { agent: id, state: after.state.clone(), since: now });
        }
        if before.standing.works()
            && !after.standing.works()
            && let Some((queue, since)) = agent.serving.take()
            && let Some(queue) = self.queues.get_mut(&queue)
        {
            queue.estimator.handled(now.since(since));
        }
        for (line_id, level) in &agent.lines {
            let Some(line) = self.lines.get_mut(line_id) else { continue };
            if before.standing == Standing::Free {
                let key = line.key(id, *level, &before);
                line.idle.remove(&key);
            }
            if after.standing == Standing::Free {
                let key = line.key(id, *level, &after);
                line.idle.insert(key);
            }
            line.counts.sub(before.standing);
            line.counts.add(after.standing);
            if before.standing.staffs() && !after.standing.staffs() {
                line.drops = line.drops.wrapping_add(1);
            }
        }
        if before.standing != after.standing {
            for name in &agent.spec.queues {
                let Some(queue) = self.queues.get_mut(name) else { continue };
                let staffed = queue.counts.staffed();
                queue.counts.sub(before.standing);
                queue.counts.add(after.standing);
                if staffed > 0 && queue.counts.staffed() == 0 && !queue.ranks.is_empty() {
                    out.push(Action::Unstaffed { queue: Arc::clone(name) });
                    if queue.config.overflow.as_ref().is_some_and(|overflow| overflow.no_staff) {
                        self.draining.insert(Arc::clone(name));
                    }
                }
                self.touched.extend(&queue.busy);
            }
        }
        if after.standing == Standing::Free {
            self.freed.insert(id);
        }
        if agent.retired && !after.standing.works() {
            out.push(Action::AgentState { agent: id, state: AgentState::Offline, since: now });
            out.push(Action::Intends { agent: id, intent: None, on_break: false });
            self.remove_agent(id);
        }
        Some(result)
    }

    fn write_cause(&mut self, now: Time, id: LineId) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        if line.waiting.is_empty() || line.idle.is_empty() {
            self.beside.remove(&id);
        } else {
            self.beside.entry(id).or_insert(now);
        }
        if let Some(queue) = self.queues.get(&line.queue)
            && line.places > 0
        {
            line.log.cause(now, why::cause(&queue.counts, &line.counts), self.config.reasons_per_line);
        }
    }

    /// The caller is back where he was.
    pub(super) fn wait_again(&mut self, now: Time, call: CallId) {
        self.cut(now, call);
        self.alter(call, |place| place.state = PlaceState::Waiting);
        let rank = |place: &Place| place.rank;
        self.again.extend(self.places.get(&call).map(rank));
    }
}
