//! ACD: who waits for whom, in which order, and how many are ahead. Pure.
//!
//! ```text
//!   enter ──▶ Waiting ──▶ left (by the flow, by hanging up)
//!     │          └──────▶ timed out (the queue's longest wait)
//!     └─▶ full
//! ```
//!
//! A place is data: `(priority, entered, call)`. Nothing here is an index into a vector, so a place can be sent, stored and rebuilt.
//! The rule that always holds: a call is in at most one queue, and `ahead` counts exactly the places before its own.
//!
//! Agents join in the next step of this room; until then every queue is unstaffed and says so through [`Acd::staff`].

mod ranks;

use crate::base::{CallId, Deadlines, Seeded, Time};
use ranks::Ranks;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// One queue's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Callers at most; one more hears the flow's `full`.
    pub max_waiting: usize,
    /// Longest wait; then the flow's `timeout`.
    pub max_wait: Duration,
}

/// People who could take a queue's callers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Staff {
    pub staffed: u16,
    pub free: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// In line behind this many.
    Waiting {
        ahead: u32,
    },
    Full,
    /// No queue of that name is configured: the flow's `error`.
    Unknown,
}

/// What the ACD wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    TimedOut { call: CallId },
}

#[derive(Debug)]
struct Place {
    queue: Arc<str>,
    priority: u8,
    ordinal: u64,
    entered: Time,
    give_up_at: Time,
}

#[derive(Debug)]
struct Queue {
    config: QueueConfig,
    ranks: Ranks,
}

#[derive(Debug, Default)]
pub struct Acd {
    queues: BTreeMap<Arc<str>, Queue>,
    places: HashMap<CallId, Place, Seeded>,
    deadlines: Deadlines<CallId>,
}

impl Acd {
    pub fn new(queues: impl IntoIterator<Item = (Arc<str>, QueueConfig)>) -> Self {
        let queues =
            queues.into_iter().map(|(name, config)| (name, Queue { config, ranks: Ranks::default() }));
        Self { queues: queues.collect(), ..Self::default() }
    }

    /// New limits for queues that stay, new queues beside them. A queue that is gone keeps its callers until they leave.
    pub fn reconfigure(&mut self, queues: impl IntoIterator<Item = (Arc<str>, QueueConfig)>) {
        for (name, config) in queues {
            match self.queues.get_mut(&name) {
                Some(queue) => queue.config = config,
                None => drop(self.queues.insert(name, Queue { config, ranks: Ranks::default() })),
            }
        }
    }

    pub fn enter(&mut self, now: Time, call: CallId, queue: &str, priority: u8) -> Entered {
        self.leave(call);
        let Some((name, q)) = self.queues.get_key_value(queue) else { return Entered::Unknown };
        let name = Arc::clone(name);
        if q.ranks.len() >= q.config.max_waiting {
            return Entered::Full;
        }
        let give_up_at = now + q.config.max_wait;
        let Some(q) = self.queues.get_mut(queue) else { return Entered::Unknown };
        let ordinal = q.ranks.insert(priority);
        let ahead = q.ranks.ahead(priority, ordinal);
        self.deadlines.moved(call, None, Some(give_up_at));
        self.places.insert(call, Place { queue: name, priority, ordinal, entered: now, give_up_at });
        Entered::Waiting { ahead }
    }

    /// A higher place among those who wait; the time of entry stays what orders equals. Never lowers.
    pub fn raise(&mut self, call: CallId, priority: u8) -> bool {
        let Some(place) = self.places.get_mut(&call) else { return false };
        if priority <= place.priority {
            return false;
        }
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            queue.ranks.shift(place.priority, priority, place.ordinal);
        }
        place.priority = priority;
        true
    }

    /// The call waits no longer. Returns the queue and how long it waited.
    pub fn leave(&mut self, call: CallId) -> Option<(Arc<str>, Time)> {
        let place = self.places.remove(&call)?;
        self.deadlines.moved(call, Some(place.give_up_at), None);
        if let Some(queue) = self.queues.get_mut(&place.queue) {
            queue.ranks.remove(place.priority, place.ordinal);
        }
        Some((place.queue, place.entered))
    }

    /// Callers before this one; logarithmic in the number waiting.
    pub fn ahead(&self, call: CallId) -> Option<u32> {
        let place = self.places.get(&call)?;
        Some(self.queues.get(&place.queue)?.ranks.ahead(place.priority, place.ordinal))
    }

    pub fn queue_of(&self, call: CallId) -> Option<&Arc<str>> {
        self.places.get(&call).map(|place| &place.queue)
    }

    /// The queue a call waits in and its priority there.
    pub fn place(&self, call: CallId) -> Option<(&str, u8)> {
        self.places.get(&call).map(|place| (&*place.queue, place.priority))
    }

    pub fn staff(&self, _queue: &str) -> Staff {
        Staff::default()
    }

    /// Callers waiting, by queue.
    pub fn waiting(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.queues.iter().map(|(name, queue)| (name, queue.ranks.len()))
    }

    /// Everybody who waits, who gives up soonest first.
    pub fn calls_waiting(&self) -> impl Iterator<Item = CallId> {
        self.deadlines.keys()
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.soonest()
    }

    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(call) = self.deadlines.due(now) {
            self.leave(call);
            out.push(Action::TimedOut { call });
        }
    }

    pub fn assert_invariants(&self) {
        let ranked: usize = self.queues.values().map(|q| q.ranks.len()).sum();
        assert_eq!(ranked, self.places.len(), "places and ranks differ");
        assert_eq!(self.deadlines.len(), self.places.len(), "a place without a deadline");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u64) -> CallId {
        CallId { node: 1, boot: 1, n }
    }

    fn acd(max_waiting: usize) -> Acd {
        let config = QueueConfig { max_waiting, max_wait: Duration::from_secs(600) };
        Acd::new([(Arc::from("main"), config)])
    }

    #[test]
    fn callers_are_counted_in_order_of_priority_then_arrival() {
        let mut acd = acd(10);
        for n in 1..=3 {
            assert_eq!(
                acd.enter(Time::from_millis(n), call(n), "main", 0),
                Entered::Waiting { ahead: n as u32 - 1 }
            );
        }
        assert_eq!(acd.enter(Time::from_millis(9), call(4), "main", 5), Entered::Waiting { ahead: 0 });
        assert_eq!(acd.ahead(call(1)), Some(1));
        assert!(acd.raise(call(3), 5), "raised");
        assert_eq!((acd.ahead(call(3)), acd.ahead(call(4)), acd.ahead(call(2))), (Some(0), Some(1), Some(3)));
        acd.leave(call(4));
        assert_eq!(acd.ahead(call(2)), Some(2));
        acd.assert_invariants();
    }

    #[test]
    fn a_full_queue_and_an_unknown_one_take_nobody() {
        let mut acd = acd(1);
        acd.enter(Time::ZERO, call(1), "main", 0);
        assert_eq!(acd.enter(Time::ZERO, call(2), "main", 0), Entered::Full);
        assert_eq!(acd.enter(Time::ZERO, call(2), "other", 0), Entered::Unknown);
    }

    #[test]
    fn the_longest_wait_ends() {
        let mut acd = acd(10);
        acd.enter(Time::ZERO, call(1), "main", 0);
        let mut out = Vec::new();
        acd.handle_timeout(Time::from_millis(599_999), &mut out);
        assert!(out.is_empty());
        acd.handle_timeout(Time::from_millis(600_000), &mut out);
        assert_eq!(out, [Action::TimedOut { call: call(1) }]);
        acd.assert_invariants();
    }
}
