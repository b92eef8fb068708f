//! Lists are asked for again every few seconds by pages that stand open. Who looks at the same thing goes into the access log once in a
//! while, not with every look; what somebody opens is always written down.

use std::collections::HashMap;

/// The same list, or the same line of one, by the same person: written down again after this, milliseconds.
pub const AGAIN_MS: i64 = 10 * 60_000;
/// Looks that are remembered. More are written down more often, never less.
const MOST: usize = 20_000;

/// What was written down of late.
#[derive(Debug, Default)]
pub struct Looks(HashMap<(String, String), i64>);

impl Looks {
    /// Whether this look has to be written down; then it counts as written.
    pub fn is_new(&mut self, user: &str, what: &str, now: i64) -> bool {
        if self.0.len() >= MOST {
            self.0.retain(|_, at| now - *at < AGAIN_MS);
            if self.0.len() >= MOST {
                self.0.clear();
            }
        }
        let at = self.0.entry((user.to_owned(), what.to_owned())).or_insert(i64::MIN / 2);
        let new = now - *at >= AGAIN_MS || now < *at;
        if new {
            *at = now;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_written_down_once_in_a_while() {
        let mut looks = Looks::default();
        assert!(looks.is_new("lead", "list", 1_000));
        assert!(!looks.is_new("lead", "list", 2_000));
        assert!(looks.is_new("lead", "visits", 2_000), "another list");
        assert!(looks.is_new("office", "list", 2_000), "another person");
        assert!(looks.is_new("lead", "list", 1_000 + AGAIN_MS));
        assert!(looks.is_new("lead", "list", 500), "a clock that was set back hides nothing");
        for n in 0..(MOST * 2) {
            assert!(looks.is_new("lead", &n.to_string(), 1_000), "a full memory forgets, and writes");
        }
        assert!(looks.0.len() <= MOST);
    }
}
