//! Callers in line: getting in, moving up, moving on, leaving.

use super::estimate::Stated;
use super::lines::{Line, LineId};
use super::ranks::Rank;
use super::why::{self, Cause, Interval};
use super::words::*;
use super::{Acd, Action};
use crate::base::{CallId, Time};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Place {
    pub queue: Arc<str>,
    pub line: LineId,
    pub needs: Needs,
    pub kind: Kind,
    pub priority: u8,
    pub rank: Rank,
    pub entered: Time,
    pub caller: Option<u64>,
    pub state: PlaceState,
    pub give_up_at: Time,
    pub overflow_at: Option<Time>,
    /// Queues he was handed on by.
    pub moves: u8,
    /// Failed tries of a callback.
    pub tries: u8,
    /// Offers that the last agent on shift left unanswered.
    pub rung: u8,
    pub escalated: bool,
    /// What kept him waiting up to `cut_at`; what is after that follows from state and line.
    pub past: Vec<Interval>,
    pub cut_at: Time,
    pub stated: Option<Stated>,
    /// The latest end of the wait told so far, and the line's drops then: an estimate does not grow.
    pub latest: Option<(Time, u32)>,
}

#[derive(Debug)]
pub(super) enum PlaceState {
    Waiting,
    Offered(Vec<OfferId>),
    /// A callback between two tries; counts in nobody's way.
    Resting {
        until: Time,
    },
}

/// The place of somebody who is being served.
#[derive(Debug)]
pub(super) struct Served {
    pub agent: AgentId,
    pub place: Place,
}

impl Place {
    fn due(&self) -> Option<Time> {
        match &self.state {
            PlaceState::Waiting => {
                Some(self.overflow_at.map_or(self.give_up_at, |at| at.min(self.give_up_at)))
            }
            // An open offer is waited for.
            PlaceState::Offered(_) => None,
            PlaceState::Resting { until } => Some((*until).min(self.give_up_at)),
        }
    }

    pub fn rank_with(&mut self, priority: u8, top: u8, step: Duration) {
        self.priority = priority.min(top);
        self.rank = Rank::new(self.rank.call, self.entered, top - self.priority, step);
    }
}

/// Callers a queue hands on at once when it has lost its people.
const DRAINED_AT_ONCE: usize = 32;
const MOVES: u8 = 3;

impl Acd {
    /// Gets a call in line. One that waits already leaves its old place.
    pub fn enter(&mut self, now: Time, enter: Enter, out: &mut Vec<Action>) -> Entered {
        let call = enter.call;
        self.served.remove(&call);
        self.leave(now, call, out);
        let Some(first) = self.queues.get(&enter.queue) else { return Entered::Unknown };
        let sent_on = first.config.overflow.as_ref().and_then(|overflow| {
            let why = match () {
                () if overflow.no_staff && first.counts.staffed() == 0 && !enter.restored => {
                    OverflowWhy::NoStaff
                }
                () if overflow.longer_than.is_some_and(|n| first.ranks.len() >= n) => OverflowWhy::Length,
                () => return None,
            };
            self.has_room(&overflow.to, enter.kind).then(|| (Arc::clone(&overflow.to), why))
        });
        let queue = sent_on.as_ref().map_or(&enter.queue, |(to, _)| to);
        if !self.has_room(queue, enter.kind) {
            return Entered::Full;
        }
        let queue = Arc::clone(queue);
        let Some(line) = self.line(now, &queue, &enter.needs) else { return Entered::Full };
        let entered = enter.entered.map_or(now, |at| at.min(now));
        // A callback is promised from when the citizen came; whoever is on the line again waits anew.
        let begun = if enter.kind == Kind::Callback { entered } else { now };
        // Rest that was asked for is no waiting.
        let begun =
            enter.rest_until.filter(|_| enter.kind == Kind::Callback).map_or(begun, |at| at.max(begun));
        let rest = |until| PlaceState::Resting { until };
        let mut place = Place {
            line,
            needs: enter.needs,
            kind: enter.kind,
            priority: 0,
            rank: Rank { due: 0, call },
            entered,
            caller: enter.caller,
            state: enter.rest_until.filter(|until| *until > now).map_or(PlaceState::Waiting, rest),
            give_up_at: begun + self.longest_wait(&queue, enter.kind),
            overflow_at: self.overflow_at(now, &queue),
            queue,
            moves: u8::from(sent_on.is_some()),
            tries: enter.tries,
            rung: 0,
            escalated: false,
            past: Vec::new(),
            cut_at: now,
            stated: None,
            latest: None,
        };
        place.rank_with(enter.priority, self.config.max_priority, self.config.ageing_step);
        let rank = place.rank;
        if let Some((to, why)) = sent_on {
            out.push(Action::Overflow { call, from: enter.queue, to, why });
        }
        if matches!(place.state, PlaceState::Waiting) {
            self.again.insert(rank);
        }
        self.put(now, call, place);
        let ahead = self.ahead(call).unwrap_or(0);
        self.settle(now, out);
        self.state_wait(now, call);
        Entered::Waiting { ahead }
    }

    /// A higher place among those who wait; the time of entry stays what orders equals. Never lowers.
    pub fn raise(&mut self, now: Time, call: CallId, priority: u8, out: &mut Vec<Action>) -> bool {
        let priority = priority.min(self.config.max_priority);
        if self.places.get(&call).is_none_or(|place| priority <= place.priority) {
            return false;
        }
        // What kept him waiting so far is judged by the priority he had.
        self.cut(now, call);
        let (top, step) = (self.config.max_priority, self.config.ageing_step);
        self.alter(call, |place| place.rank_with(priority, top, step));
        self.settle(now, out);
        true
    }

    /// The call waits no longer; an open offer of it is taken back. Returns the queue and the moment it entered.
    pub fn leave(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) -> Option<(Arc<str>, Time)> {
        self.cut(now, call);
        let place = self.places.get(&call)?;
        if let PlaceState::Offered(offers) = &place.state {
            for offer in offers.clone() {
                self.take_back(now, offer, Ending::CallerLeft, out);
            }
        }
        let place = self.take(now, call)?;
        self.settle(now, out);
        Some((place.queue, place.entered))
    }

    /// The call lost its agent: back in line, before all but those of the highest priority who came earlier, with the time he first came.
    pub fn front(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) -> Result<(), Refused> {
        let served = self.served.remove(&call).ok_or(Refused::UnknownCall)?;
        let top = self.config.max_priority;
        self.back_in_line(now, call, served.place, top);
        self.settle(now, out);
        Ok(())
    }

    /// A place that was given up for an agent is taken again. `cut_at` moves: the time with the agent is no waiting.
    pub(super) fn back_in_line(&mut self, now: Time, call: CallId, mut place: Place, priority: u8) {
        // The line may have been dropped meanwhile; when there is no room for it again, the queue's plain line will do.
        let line = self.line(now, &place.queue, &place.needs);
        let Some(line) = line.or_else(|| self.line(now, &place.queue, &Needs::default())) else { return };
        let wait = self.longest_wait(&place.queue, place.kind);
        place.line = line;
        place.rank_with(priority, self.config.max_priority, self.config.ageing_step);
        place.stated = None;
        place.cut_at = now;
        if place.kind == Kind::Live {
            place.give_up_at = now + wait;
        }
        place.overflow_at = None;
        if matches!(place.state, PlaceState::Waiting) {
            self.again.insert(place.rank);
        }
        self.put(now, call, place);
    }

    pub(super) fn place_due(&mut self, now: Time, call: CallId, out: &mut Vec<Action>) {
        let Some(place) = self.places.get(&call) else { return };
        if place.give_up_at <= now {
            let kind = place.kind;
            self.take(now, call);
            out.push(match kind {
                Kind::Live => Action::TimedOut { call },
                Kind::Callback => Action::CallbackGivenUp { call },
            });
        } else if matches!(place.state, PlaceState::Resting { .. }) {
            self.cut(now, call);
            let rank = place_rank(self, call);
            self.alter(call, |place| place.state = PlaceState::Waiting);
            self.again.extend(rank);
        } else {
            self.alter(call, |place| place.overflow_at = None);
            self.move_on(now, call, OverflowWhy::Waited, out);
        }
    }

    /// Hands a caller on to where his queue overflows to; he stays when there is no room.
    fn move_on(&mut self, now: Time, call: CallId, why: OverflowWhy, out: &mut Vec<Action>) -> bool {
        let Some(place) = self.places.get(&call) else { return false };
        let (from, kind, needs) = (Arc::clone(&place.queue), place.kind, place.needs.clone());
        let overflow = self.queues.get(&from).and_then(|queue| queue.config.overflow.as_ref());
        let Some(to) = overflow.map(|overflow| Arc::clone(&overflow.to)) else { return false };
        if place.moves >= MOVES || to == from || !self.has_room(&to, kind) {
            return false;
        }
        let Some(line) = self.line(now, &to, &needs) else { return false };
        self.cut(now, call);
        let Some(mut place) = self.remove(call) else { return false };
        place.queue = Arc::clone(&to);
        place.line = line;
        place.moves += 1;
        place.overflow_at = self.overflow_at(now, &to);
        // Another queue, another estimate.
        place.stated = None;
        place.latest = None;
        self.again.insert(place.rank);
        self.put(now, call, place);
        out.push(Action::Overflow { call, from, to, why });
        true
    }

    /// Hands on callers of queues that nobody serves any more, a bounded number each time.
    pub(super) fn drain(&mut self, now: Time, out: &mut Vec<Action>) {
        let mut room = DRAINED_AT_ONCE;
        while let Some(name) = self.draining.pop_first() {
            let Some(queue) = self.queues.get(&name) else { continue };
            if queue.counts.staffed() > 0 {
                continue;
            }
            let next: Vec<CallId> = queue.ranks.iter().map(|rank| rank.call).take(room).collect();
            room -= next.len();
            let moved = next.into_iter().filter(|call| {
                let waits = |place: &Place| matches!(place.state, PlaceState::Waiting);
                self.places.get(call).is_some_and(waits)
                    && self.move_on(now, *call, OverflowWhy::NoStaff, out)
            });
            // Those who cannot move stay, and are not tried for ever.
            if moved.count() > 0 && self.queues.get(&name).is_some_and(|queue| !queue.ranks.is_empty()) {
                self.draining.insert(name);
            }
            if room == 0 {
                break;
            }
        }
    }

    pub(super) fn has_room(&self, queue: &str, kind: Kind) -> bool {
        self.queues.get(queue).is_some_and(|queue| match kind {
            Kind::Live => queue.live < queue.config.max_waiting,
            Kind::Callback => queue.callbacks < queue.config.max_callbacks,
        })
    }

    fn longest_wait(&self, queue: &str, kind: Kind) -> Duration {
        match (kind, self.queues.get(queue)) {
            (Kind::Live, Some(queue)) => queue.config.max_wait,
            _ => self.config.callback_max_wait,
        }
    }

    fn overflow_at(&self, now: Time, queue: &str) -> Option<Time> {
        Some(now + self.queues.get(queue)?.config.overflow.as_ref()?.after?)
    }

    /// The line of a queue for a need, made when it is the first of its kind. `None`: no such queue, or too many kinds.
    fn line(&mut self, now: Time, queue: &Arc<str>, needs: &Needs) -> Option<LineId> {
        if let Some(line) = self.queues.get(queue)?.lines.get(needs) {
            return Some(*line);
        }
        if self.lines.len() >= self.config.max_lines {
            let spare = *self.empty_lines.first()?;
            self.drop_line(spare);
        }
        let id = self.next_line;
        self.next_line += 1;
        let q = self.queues.get_mut(queue)?;
        let mut line = Line::new(Arc::clone(queue), needs.clone(), q.config.strategy);
        q.lines.insert(needs.clone(), id);
        for agent in &q.agents {
            let Some(agent) = self.agents.get_mut(agent) else { continue };
            if let Some(level) = needs.level(&agent.spec.skills) {
                let face = agent.face();
                agent.lines.push((id, level));
                line.counts.add(face.standing);
                if face.standing == super::agent::Standing::Free {
                    line.idle.insert(line.key(agent.id(), level, &face));
                }
            }
        }
        line.log.restart(now, why::cause(&q.counts, &line.counts));
        self.lines.insert(id, line);
        self.empty_lines.insert(id);
        Some(id)
    }

    pub(super) fn drop_line(&mut self, id: LineId) {
        self.empty_lines.remove(&id);
        self.touched.remove(&id);
        self.beside.remove(&id);
        let Some(line) = self.lines.remove(&id) else { return };
        let Some(queue) = self.queues.get_mut(&line.queue) else { return };
        queue.lines.remove(&line.needs);
        for agent in &queue.agents {
            if let Some(agent) = self.agents.get_mut(agent) {
                agent.lines.retain(|(line, _)| *line != id);
            }
        }
    }

    /// The one place where a place changes while it stays in its queue.
    pub(super) fn alter(&mut self, call: CallId, change: impl FnOnce(&mut Place)) {
        if let Some(mut place) = self.remove(call) {
            change(&mut place);
            self.list(call, &place);
            self.places.insert(call, place);
        }
    }

    pub(super) fn put(&mut self, now: Time, call: CallId, place: Place) {
        if let (Some(line), Some(queue)) = (self.lines.get_mut(&place.line), self.queues.get(&place.queue))
            && line.places == 0
        {
            line.log.restart(now, why::cause(&queue.counts, &line.counts));
        }
        self.list(call, &place);
        self.places.insert(call, place);
    }

    /// Takes a place away for good, its wait written down.
    pub(super) fn take(&mut self, now: Time, call: CallId) -> Option<Place> {
        self.cut(now, call);
        let place = self.remove(call)?;
        let keep = self.config.reasons_kept;
        if self.told.insert(call, place.past.clone()).is_none() {
            self.told_order.push_back(call);
        }
        while self.told_order.len() > keep {
            self.told_order.pop_front().map(|old| self.told.remove(&old));
        }
        Some(place)
    }

    fn remove(&mut self, call: CallId) -> Option<Place> {
        let place = self.places.remove(&call)?;
        self.call_due.moved(call, place.due(), None);
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            queue.ranks.remove(place.rank);
            queue.arrivals.remove(&(place.entered, call));
            match place.kind {
                Kind::Live => queue.live -= 1,
                Kind::Callback => queue.callbacks -= 1,
            }
        }
        if let Some(line) = self.lines.get_mut(&place.line) {
            line.waiting.remove(&place.rank);
            line.places -= 1;
            if line.places == 0 {
                self.empty_lines.insert(place.line);
                if let Some(queue) = self.queues.get_mut(&place.queue) {
                    queue.busy.remove(&place.line);
                }
            }
            self.touched.insert(place.line);
        }
        Some(place)
    }

    fn list(&mut self, call: CallId, place: &Place) {
        self.call_due.moved(call, None, place.due());
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            if !matches!(place.state, PlaceState::Resting { .. }) {
                queue.ranks.insert(place.rank);
                queue.arrivals.insert((place.entered, call));
            }
            queue.busy.insert(place.line);
            match place.kind {
                Kind::Live => queue.live += 1,
                Kind::Callback => queue.callbacks += 1,
            }
        }
        if let Some(line) = self.lines.get_mut(&place.line) {
            if matches!(place.state, PlaceState::Waiting) {
                line.waiting.insert(place.rank);
            }
            line.places += 1;
            self.empty_lines.remove(&place.line);
            self.touched.insert(place.line);
        }
    }

    /// Writes down what kept a caller waiting up to now.
    pub(super) fn cut(&mut self, now: Time, call: CallId) {
        let Self { places, lines, offers, config, .. } = self;
        let Some(place) = places.get_mut(&call) else { return };
        let (from, to) = (place.cut_at, now);
        let mut past = std::mem::take(&mut place.past);
        present_piece(place, lines.get(&place.line), offers, from, to, &mut past);
        why::shorten(&mut past, config.reasons_per_call);
        place.past = past;
        place.cut_at = now;
    }
}

pub(super) fn place_rank(acd: &Acd, call: CallId) -> Option<Rank> {
    acd.places.get(&call).map(|place| place.rank)
}

/// What keeps a caller waiting since the last cut.
pub(super) fn present_piece(
    place: &Place,
    line: Option<&Line>,
    offers: &std::collections::BTreeMap<OfferId, super::offers::Offer>,
    from: Time,
    to: Time,
    into: &mut Vec<Interval>,
) {
    let own = |cause| Interval { from, to, cause };
    match (&place.state, line) {
        (PlaceState::Waiting, Some(line)) => line.log.between(from, to, place.priority, into),
        (PlaceState::Offered(ids), _) => {
            let agent = ids.first().and_then(|id| offers.get(id)).map(|offer| offer.agent);
            why::push(into, own(agent.map_or(Cause::NotKept, Cause::BeingOffered)));
        }
        (PlaceState::Resting { .. }, _) => why::push(into, own(Cause::BetweenTries)),
        (PlaceState::Waiting, None) => why::push(into, own(Cause::NotKept)),
    }
}
