//! What may be asked: places, people, figures, estimates and reasons. Nothing here changes who is next.

use super::agent::Standing;
use super::estimate::{Calibration, Stated};
use super::places::{PlaceState, present_piece};
use super::why::{self, Choice, Interval};
use super::words::*;
use super::{Acd, AcdConfig};
use crate::base::{CallId, Time};
use std::sync::Arc;
use std::time::Duration;

/// People who could take a queue's callers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Staff {
    /// Free, in an offer, on a call or wrapping up.
    pub staffed: u16,
    pub free: u16,
}

/// A queue at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Callers on the line.
    pub waiting: usize,
    pub callbacks: usize,
    /// When the one who waits longest came.
    pub longest_since: Option<Time>,
    /// What somebody who got in line now would be told as his longest wait; `None`: nothing, because nothing is sure.
    pub stated: Option<Duration>,
    pub staffed: u16,
    pub free: u16,
    pub offered: u16,
    pub talking: u16,
    pub wrap: u16,
    pub on_break: u16,
    pub not_ready: u16,
    pub not_responding: u16,
    /// Ready, but their media path is not proven.
    pub deaf: u16,
}

/// An agent at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    pub state: AgentState,
    pub since: Time,
    pub intent: Intent,
    pub path: Path,
    pub epoch: Option<u64>,
    pub on_shift: bool,
    pub on_break: bool,
    pub offer: Option<OfferId>,
    pub call: Option<CallId>,
    /// When wrap-up ends by itself; `None` also while an unfinished ticket holds it.
    pub wrap_until: Option<Time>,
    pub ticket_unfinished: bool,
    pub handled: u64,
    pub missed: u64,
}

impl Acd {
    pub fn config(&self) -> &AcdConfig {
        &self.config
    }

    /// Places before this one; logarithmic in the number waiting.
    pub fn ahead(&self, call: CallId) -> Option<u32> {
        let place = self.places.get(&call)?;
        Some(self.queues.get(&place.queue)?.ranks.ahead(place.rank))
    }

    pub fn queue_of(&self, call: CallId) -> Option<&Arc<str>> {
        self.places.get(&call).map(|place| &place.queue)
    }

    /// The queue a call waits in and its priority there.
    pub fn place(&self, call: CallId) -> Option<(&str, u8)> {
        self.places.get(&call).map(|place| (&*place.queue, place.priority))
    }

    /// When the caller first got in line, and as what.
    pub fn entered(&self, call: CallId) -> Option<(Time, Kind)> {
        self.places.get(&call).map(|place| (place.entered, place.kind))
    }

    pub fn staff(&self, queue: &str) -> Staff {
        self.queues.get(queue).map_or_else(Staff::default, |queue| Staff {
            staffed: queue.counts.staffed(),
            free: queue.counts.of(Standing::Free),
        })
    }

    /// Somebody in the directory who serves this queue has these skills. Looks at each of its agents where nobody waits with that
    /// need: for orders of people, not for each event.
    pub fn can_serve(&self, queue: &str, needs: &Needs) -> bool {
        let Some(queue) = self.queues.get(queue) else { return false };
        match queue.lines.get(needs).and_then(|line| self.lines.get(line)) {
            Some(line) => line.counts.all() > 0,
            None => queue
                .agents
                .iter()
                .filter_map(|id| self.agents.get(id))
                .any(|agent| needs.level(&agent.spec.skills).is_some()),
        }
    }

    pub fn stats(&self, queue: &str) -> Option<QueueStats> {
        let queue = self.queues.get(queue)?;
        let n = |standing| queue.counts.of(standing);
        Some(QueueStats {
            waiting: queue.live,
            callbacks: queue.callbacks,
            stated: {
                let ahead = u32::try_from(queue.ranks.len()).unwrap_or(u32::MAX);
                let said = queue.estimator.state(ahead, queue.counts.staffed());
                said.filter(|said| said.sure).map(|said| said.high)
            },
            longest_since: queue.arrivals.first().map(|(entered, _)| *entered),
            staffed: queue.counts.staffed(),
            free: n(Standing::Free),
            offered: n(Standing::Offered),
            talking: n(Standing::Talking),
            wrap: n(Standing::Wrapping),
            on_break: n(Standing::OnBreak),
            not_ready: n(Standing::NotReady),
            not_responding: n(Standing::NotResponding),
            deaf: n(Standing::Deaf),
        })
    }

    /// Places in line, by queue.
    pub fn waiting(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.queues.iter().map(|(name, queue)| (name, queue.ranks.len()))
    }

    /// Everybody in line, queue by queue, in the order in which they are served.
    pub fn calls_waiting(&self) -> impl Iterator<Item = CallId> {
        self.queues.values().flat_map(|queue| queue.ranks.iter()).map(|rank| rank.call)
    }

    pub fn agents(&self) -> impl Iterator<Item = AgentId> {
        self.agents.keys().copied()
    }

    pub fn agent_view(&self, id: AgentId) -> Option<AgentView> {
        let agent = self.agents.get(&id)?;
        Some(AgentView {
            state: agent.state(),
            since: agent.since,
            intent: agent.intent.clone(),
            path: agent.path.clone(),
            epoch: agent.epoch,
            on_shift: agent.on_shift,
            on_break: agent.on_break,
            offer: agent.offer(),
            call: agent.call(),
            wrap_until: agent.face().deadline,
            ticket_unfinished: agent.ticket_open,
            handled: agent.handled,
            missed: agent.missed,
        })
    }

    /// The agent and call of an open offer.
    pub fn offer_of(&self, offer: OfferId) -> Option<(AgentId, CallId)> {
        self.offers.get(&offer).map(|offer| (offer.agent, offer.call))
    }

    /// Earliest and latest end of the wait from now, right four times in five; `None` when nothing can be said honestly. What was
    /// told before as the latest is never exceeded unless somebody stopped serving; a caller who outlasts it is told nothing.
    pub fn estimate(&mut self, now: Time, call: CallId) -> Option<(Duration, Duration)> {
        let ahead = self.ahead(call)?;
        let place = self.places.get_mut(&call)?;
        if !matches!(place.state, PlaceState::Waiting) {
            return None;
        }
        let line = self.lines.get(&place.line)?;
        let stated = self.queues.get(&place.queue)?.estimator.state(ahead, line.counts.staffed())?;
        if !stated.sure {
            return None;
        }
        let mut end = now + stated.high;
        if let Some((latest, drops)) = place.latest
            && drops == line.drops
        {
            end = end.min(latest);
        }
        place.latest = Some((end, line.drops));
        let high = end.since(now);
        (!high.is_zero()).then_some((stated.low.min(high), high))
    }

    pub fn calibration(&self, queue: &str) -> Option<Calibration> {
        self.queues.get(queue).map(|queue| queue.estimator.calibration)
    }

    /// What kept a caller waiting, from his entry to now or to the end of his wait, without a gap. `None`: never heard of, or too long ago.
    pub fn why_waiting(&self, now: Time, call: CallId) -> Option<Vec<Interval>> {
        let Some(place) = self.places.get(&call) else { return self.told.get(&call).cloned() };
        let mut intervals = place.past.clone();
        let line = self.lines.get(&place.line);
        present_piece(place, line, &self.offers, place.cut_at, now, &mut intervals);
        why::shorten(&mut intervals, self.config.reasons_per_call);
        Some(intervals)
    }

    /// What is still known of why agents were offered this call, oldest first. Looks through what is kept, for who asks by hand.
    pub fn choices_of(&self, call: CallId) -> impl Iterator<Item = &Choice> {
        self.choices.values().filter(move |choice| choice.call == call)
    }

    pub fn why_chosen(&self, offer: OfferId) -> Option<&Choice> {
        self.choices.get(&offer)
    }

    /// How long a free agent has stood beside a caller he may take. Zero, or there is a fault in this room.
    pub fn watchdog(&self, now: Time) -> Duration {
        self.beside.values().map(|since| now.since(*since)).max().unwrap_or_default()
    }

    /// What would be said at this moment is compared with the truth when he is answered.
    pub(super) fn state_wait(&mut self, now: Time, call: CallId) {
        let Some(stated) = self.statement(call) else { return };
        let Some(place) = self.places.get_mut(&call) else { return };
        place.stated = Some(stated);
        if stated.sure {
            let drops = self.lines.get(&place.line).map_or(0, |line| line.drops);
            place.latest = Some((now + stated.high, drops));
        }
    }

    pub(super) fn statement(&self, call: CallId) -> Option<Stated> {
        let place = self.places.get(&call)?;
        let told = matches!(place.state, PlaceState::Waiting) && place.kind == Kind::Live;
        let line = self.lines.get(&place.line).filter(|_| told)?;
        self.queues.get(&place.queue)?.estimator.state(self.ahead(call)?, line.counts.staffed())
    }
}
