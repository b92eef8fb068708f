//! How often one address may write and look: windows of an hour, for so many addresses.

use std::collections::HashMap;

const HOUR_MS: i64 = 3_600_000;
/// Addresses remembered; beyond them the oldest windows are forgotten, and all that is forgotten was quiet for longest.
const ADDRESSES: usize = 10_000;

/// What the configuration says of the public page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicLimits {
    pub enabled: bool,
    /// Messages of one address in an hour.
    pub messages: u32,
    /// Wrong numbers or codes of one address in an hour.
    pub wrong: u32,
    /// Acts (urging, adding, judging) of one address in an hour.
    pub acts: u32,
    /// Photos of a message, and bytes of one.
    pub photos: usize,
    pub photo_bytes: usize,
}

impl Default for PublicLimits {
    fn default() -> Self {
        Self { enabled: true, messages: 6, wrong: 20, acts: 30, photos: 3, photo_bytes: 6 << 20 }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    since: i64,
    count: u32,
}

/// Tries by what is counted and who asks.
#[derive(Debug, Default)]
pub struct Limits {
    windows: HashMap<(&'static str, String), Window>,
}

impl Limits {
    /// Whether one more is allowed. It is counted when it is. `now`: milliseconds since 1970.
    pub fn take(&mut self, what: &'static str, source: &str, most: u32, now: i64) -> bool {
        if self.spent(what, source, now) >= most {
            return false;
        }
        self.make_room(now);
        let window = self.windows.entry((what, source.to_owned())).or_insert(Window { since: now, count: 0 });
        if now - window.since >= HOUR_MS {
            *window = Window { since: now, count: 0 };
        }
        window.count += 1;
        true
    }

    /// So many in the hour that runs.
    pub fn spent(&self, what: &'static str, source: &str, now: i64) -> u32 {
        let window = self.windows.get(&(what, source.to_owned()));
        window.filter(|window| now - window.since < HOUR_MS).map_or(0, |window| window.count)
    }

    fn make_room(&mut self, now: i64) {
        if self.windows.len() < ADDRESSES {
            return;
        }
        self.windows.retain(|_, window| now - window.since < HOUR_MS);
        if self.windows.len() >= ADDRESSES {
            let mut starts: Vec<i64> = self.windows.values().map(|window| window.since).collect();
            let middle = starts.len() / 2;
            let (_, median, _) = starts.select_nth_unstable(middle);
            let median = *median;
            self.windows.retain(|_, window| window.since > median);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_holds_so_many_of_each_kind_and_address() {
        let mut limits = Limits::default();
        for n in 0..3 {
            assert!(limits.take("message", "a", 3, n), "{n}");
        }
        assert!(!limits.take("message", "a", 3, 10));
        assert!(limits.take("message", "b", 3, 10) && limits.take("wrong", "a", 3, 10));
        assert_eq!(limits.spent("message", "a", 10), 3, "what was refused is not counted");
        assert!(limits.take("message", "a", 3, HOUR_MS));
    }

    #[test]
    fn however_many_addresses_come_it_stays_small() {
        let mut limits = Limits::default();
        for n in 0..50_000 {
            limits.take("message", &n.to_string(), 3, n);
            assert!(limits.windows.len() <= ADDRESSES);
        }
    }
}
