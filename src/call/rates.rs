//! How fast calls come: over all trunks in a second, and of one caller's number in a minute (`attacks.md` L3). Never by prefix.

use crate::base::Seeded;
use crate::base::Time;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Calls remembered; older ones are forgotten first, so that a flood of numbers costs a bounded memory.
const REMEMBERED: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Rates {
    second: Option<Time>,
    this_second: u32,
    recent: VecDeque<(Time, Arc<str>)>,
    by_caller: HashMap<Arc<str>, u32, Seeded>,
}

impl Rates {
    /// May one more call begin now? `most` calls a second; zero is no limit.
    pub fn second_has_room(&mut self, now: Time, most: u32) -> bool {
        if self.second.is_none_or(|began| now.since(began) >= SECOND) {
            (self.second, self.this_second) = (Some(now), 0);
        }
        most == 0 || self.this_second < most
    }

    /// Calls of this number in the last minute.
    pub fn of_caller(&mut self, now: Time, number: &str) -> u32 {
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) >= MINUTE) {
            self.forget_oldest();
        }
        self.by_caller.get(number).copied().unwrap_or(0)
    }

    /// A call has begun. Callers are only remembered where a limit asks for it.
    pub fn began(&mut self, now: Time, number: Option<&str>) {
        self.this_second = self.this_second.saturating_add(1);
        let Some(number) = number else { return };
        if self.recent.len() >= REMEMBERED {
            self.forget_oldest();
        }
        let number: Arc<str> = match self.by_caller.get_key_value(number) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(number),
        };
        *self.by_caller.entry(Arc::clone(&number)).or_default() += 1;
        self.recent.push_back((now, number));
    }

    fn forget_oldest(&mut self) {
        let Some((_, number)) = self.recent.pop_front() else { return };
        if let Some(count) = self.by_caller.get_mut(&number) {
            *count -= 1;
            if *count == 0 {
                self.by_caller.remove(&number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_counted_for_a_minute() {
        let mut rates = Rates::default();
        for ms in [0, 10_000, 50_000] {
            rates.began(Time::from_millis(ms), Some("1"));
        }
        assert_eq!(rates.of_caller(Time::from_millis(59_999), "1"), 3);
        assert_eq!(rates.of_caller(Time::from_millis(60_000), "1"), 2);
        assert_eq!(rates.of_caller(Time::from_millis(200_000), "1"), 0);
        assert!(rates.by_caller.is_empty() && rates.recent.is_empty());
    }

    #[test]
    fn a_second_takes_so_many_calls() {
        let mut rates = Rates::default();
        let at = Time::from_millis;
        for _ in 0..3 {
            assert!(rates.second_has_room(at(5), 3));
            rates.began(at(5), None);
        }
        assert!(!rates.second_has_room(at(1_004), 3));
        assert!(rates.second_has_room(at(1_005), 3), "the next second has room");
        assert!(rates.second_has_room(at(1_005), 0));
    }
}
