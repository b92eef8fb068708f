//! How often somebody may be wrong: failures by name and by source, each in a window. Plain data; the caller has the clock.

use std::collections::BTreeMap;

/// Failures that are forgiven within [`WINDOW_MS`].
pub const PER_USER: u32 = 5;
/// Wider, since an office sits behind one address.
pub const PER_SOURCE: u32 = 30;
pub const WINDOW_MS: i64 = 15 * 60_000;
/// Names and sources remembered. When full, the oldest goes: an attacker who can fill it pays for each entry with a
/// request of a limited source.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Window {
    since: i64,
    failures: u32,
}

/// Failures remembered. Times in milliseconds since 1970.
#[derive(Debug)]
pub struct Attempts {
    per_user: u32,
    by_key: BTreeMap<String, Window>,
    /// Entries thrown out because the memory was full.
    pub forgotten: u64,
}

impl Attempts {
    /// `per_user`: failures a name is forgiven.
    pub const fn new(per_user: u32) -> Self {
        Self { per_user, by_key: BTreeMap::new(), forgotten: 0 }
    }

    /// Milliseconds to wait before this user from this source may try again; `None`: now.
    pub fn wait(&self, user: &str, source: &str, now: i64) -> Option<i64> {
        let left = |key: &str, most: u32| {
            let window = self.by_key.get(key)?;
            let until = window.since + WINDOW_MS;
            (window.failures >= most && now < until).then_some(until - now)
        };
        left(&user_key(user), self.per_user).max(left(&source_key(source), PER_SOURCE))
    }

    /// Tries this user from this source still has, for a name that nobody has as for any other: it says nothing about who there is.
    pub fn left(&self, user: &str, source: &str, now: i64) -> u32 {
        let left = |key: &str, most: u32| {
            let window = self.by_key.get(key).filter(|window| now < window.since + WINDOW_MS);
            most.saturating_sub(window.map_or(0, |window| window.failures))
        };
        left(&user_key(user), self.per_user).min(left(&source_key(source), PER_SOURCE))
    }

    pub fn failed(&mut self, user: &str, source: &str, now: i64) {
        for key in [user_key(user), source_key(source)] {
            if !self.by_key.contains_key(&key) && self.by_key.len() >= REMEMBERED {
                self.make_room(now);
            }
            let window = self.by_key.entry(key).or_insert(Window { since: now, failures: 0 });
            if now >= window.since + WINDOW_MS {
                *window = Window { since: now, failures: 0 };
            }
            window.failures = window.failures.saturating_add(1);
        }
    }

    /// The right password clears the name. Its source gets back this one try and no other: five hundred agents may sit behind one
    /// address, and others may be guessing from there.
    pub fn succeeded(&mut self, user: &str, source: &str) {
        self.by_key.remove(&user_key(user));
        if let Some(window) = self.by_key.get_mut(&source_key(source)) {
            window.failures = window.failures.saturating_sub(1);
        }
    }

    fn make_room(&mut self, now: i64) {
        self.by_key.retain(|_, window| now < window.since + WINDOW_MS);
        if self.by_key.len() >= REMEMBERED
            && let Some(oldest) = self.by_key.iter().min_by_key(|(_, w)| w.since).map(|(k, _)| k.clone())
        {
            self.by_key.remove(&oldest);
            self.forgotten += 1;
        }
    }
}

/// Long names are cut: they cannot be users, and would fill the memory.
fn user_key(user: &str) -> String {
    ["u:", &user.chars().take(64).collect::<String>()].concat()
}

fn source_key(source: &str) -> String {
    ["s:", source].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_passwords_close_a_name_for_a_quarter_of_an_hour() {
        let mut attempts = Attempts::new(PER_USER);
        for n in 0..PER_USER {
            assert_eq!(attempts.wait("a", "1.1.1.1", 0), None);
            assert_eq!(attempts.left("a", "1.1.1.1", 0), PER_USER - n);
            attempts.failed("a", "1.1.1.1", 0);
        }
        assert_eq!((attempts.left("a", "2.2.2.2", 10), attempts.left("b", "2.2.2.2", 10)), (0, PER_USER));
        assert_eq!(attempts.left("a", "2.2.2.2", WINDOW_MS), PER_USER, "a new window");
        assert_eq!(attempts.wait("a", "2.2.2.2", 10), Some(WINDOW_MS - 10), "from anywhere");
        assert_eq!(attempts.wait("b", "1.1.1.1", 10), None, "others sign in");
        assert_eq!(attempts.wait("a", "1.1.1.1", WINDOW_MS), None);
    }

    #[test]
    fn many_names_from_one_source_close_the_source() {
        let mut attempts = Attempts::new(PER_USER);
        for i in 0..PER_SOURCE {
            attempts.failed(&format!("user{i}"), "1.1.1.1", 0);
        }
        assert!(attempts.wait("someone", "1.1.1.1", 0).is_some());
        assert_eq!(attempts.left("someone", "1.1.1.1", 0), 0, "the narrower of the two");
        assert_eq!(attempts.wait("someone", "2.2.2.2", 0), None);
    }

    #[test]
    fn an_office_of_hundreds_signs_in_from_one_address_and_a_guesser_among_them_is_stopped() {
        let mut attempts = Attempts::new(PER_USER);
        for i in 0..500 {
            let user = format!("user{i}");
            assert_eq!(attempts.wait(&user, "1.1.1.1", 0), None, "{i}");
            attempts.failed(&user, "1.1.1.1", 0);
            attempts.succeeded(&user, "1.1.1.1");
        }
        // His own right password between his guesses gives him nothing back.
        for i in 0..PER_SOURCE {
            assert_eq!(attempts.wait("guesser", "1.1.1.1", 0), None, "{i}");
            attempts.failed(&format!("victim{i}"), "1.1.1.1", 0);
            attempts.failed("guesser", "1.1.1.1", 0);
            attempts.succeeded("guesser", "1.1.1.1");
        }
        assert!(attempts.wait("guesser", "1.1.1.1", 0).is_some());
    }

    #[test]
    fn the_memory_has_an_end() {
        let mut attempts = Attempts::new(PER_USER);
        for i in 0..30_000 {
            attempts.failed(&format!("user{i}"), &format!("10.0.{}.{}", i / 256, i % 256), i64::from(i));
        }
        assert!(attempts.by_key.len() <= REMEMBERED);
        assert!(attempts.forgotten > 0);
    }
}
