//! Order statistics of a queue: how many stand before a place, in logarithmic time.
//!
//! Every entry draws the next ordinal. Each priority keeps a Fenwick tree of presence over ordinals, so a raised caller keeps his ordinal
//! and lands among his new equals by time of entry. When the ordinals run far past the living they are moved down once, for all.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Ranks {
    levels: BTreeMap<u8, Level>,
    next: u64,
    len: usize,
}

#[derive(Debug, Default)]
struct Level {
    present: BTreeSet<u64>,
    tree: Fenwick,
}

impl Ranks {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, priority: u8) -> u64 {
        let ordinal = self.next;
        self.next += 1;
        self.len += 1;
        self.put(priority, ordinal);
        ordinal
    }

    pub fn remove(&mut self, priority: u8, ordinal: u64) {
        if self.take(priority, ordinal) {
            self.len -= 1;
        }
        if self.len == 0 {
            // Nobody refers to an ordinal any more: start small again.
            *self = Self { next: self.next, ..Self::default() };
        }
    }

    pub fn shift(&mut self, from: u8, to: u8, ordinal: u64) {
        if self.take(from, ordinal) {
            self.put(to, ordinal);
        }
    }

    pub fn ahead(&self, priority: u8, ordinal: u64) -> u32 {
        let higher: usize = self
            .levels
            .range(priority.saturating_add(1)..)
            .map(|(p, l)| if *p > priority { l.present.len() } else { 0 })
            .sum();
        let equal = self.levels.get(&priority).map_or(0, |level| level.tree.before(ordinal));
        u32::try_from(higher + equal).unwrap_or(u32::MAX)
    }

    fn put(&mut self, priority: u8, ordinal: u64) {
        let level = self.levels.entry(priority).or_default();
        level.present.insert(ordinal);
        level.tree.add(ordinal, &level.present);
    }

    fn take(&mut self, priority: u8, ordinal: u64) -> bool {
        let Some(level) = self.levels.get_mut(&priority) else { return false };
        let was = level.present.remove(&ordinal);
        if was {
            level.tree.sub(ordinal);
        }
        was
    }
}

/// Presence counts over a window of ordinals that starts at `base`. Rebuilt, doubled or moved, when an ordinal falls outside;
/// the window is at least twice the living, so a rebuild is paid for by the entries since the last one.
#[derive(Debug, Default)]
struct Fenwick {
    base: u64,
    sums: Vec<u32>,
}

impl Fenwick {
    fn add(&mut self, ordinal: u64, present: &BTreeSet<u64>) {
        match self.index(ordinal) {
            Some(i) => self.change(i, 1),
            None => self.rebuild(present),
        }
    }

    fn sub(&mut self, ordinal: u64) {
        if let Some(i) = self.index(ordinal) {
            self.change(i, u32::MAX);
        }
    }

    /// How many ordinals below `ordinal` are present.
    fn before(&self, ordinal: u64) -> usize {
        let mut i =
            usize::try_from(ordinal.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.sums.len());
        let mut sum = 0usize;
        while i > 0 {
            sum += self.sums[i - 1] as usize;
            i &= i - 1;
        }
        sum
    }

    fn index(&self, ordinal: u64) -> Option<usize> {
        let i = usize::try_from(ordinal.checked_sub(self.base)?).ok()?;
        (i < self.sums.len()).then_some(i)
    }

    /// `by` is added modulo 2³², so that `u32::MAX` takes one away.
    fn change(&mut self, index: usize, by: u32) {
        let mut i = index + 1;
        while i <= self.sums.len() {
            self.sums[i - 1] = self.sums[i - 1].wrapping_add(by);
            i += i & i.wrapping_neg();
        }
    }

    fn rebuild(&mut self, present: &BTreeSet<u64>) {
        let (first, last) = (present.first().copied().unwrap_or(0), present.last().copied().unwrap_or(0));
        let span = usize::try_from(last - first + 1).unwrap_or(usize::MAX / 4);
        self.base = first;
        self.sums.clear();
        self.sums.resize((2 * span).max(64), 0);
        for ordinal in present {
            if let Some(i) = self.index(*ordinal) {
                self.change(i, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Against counting by hand, over thousands of random entries, departures and raises.
    #[test]
    fn ranks_agree_with_counting() {
        for seed in 0..20 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut ranks = Ranks::default();
            let mut people: Vec<(u8, u64)> = Vec::new();
            for _ in 0..2_000 {
                match rng.next_u32() % 5 {
                    0..=2 => {
                        let p = (rng.next_u32() % 3) as u8;
                        people.push((p, ranks.insert(p)));
                    }
                    3 if !people.is_empty() => {
                        let (p, o) = people.swap_remove(rng.next_u32() as usize % people.len());
                        ranks.remove(p, o);
                    }
                    4 if !people.is_empty() => {
                        let i = rng.next_u32() as usize % people.len();
                        let (p, o) = people[i];
                        ranks.shift(p, 3, o);
                        people[i] = (3, o);
                    }
                    _ => {}
                }
                if let Some(&(p, o)) = people.last() {
                    let by_hand = people.iter().filter(|(q, r)| *q > p || (*q == p && *r < o)).count();
                    assert_eq!(ranks.ahead(p, o) as usize, by_hand, "seed {seed}");
                }
            }
            assert_eq!(ranks.len(), people.len(), "seed {seed}");
        }
    }
}
