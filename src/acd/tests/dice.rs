//! Chance from a seed.

use super::Duration;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub fn between(&mut self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(from_ms + self.below(to_ms - from_ms))
    }
    /// Exponential, by its mean.
    pub fn after(&mut self, mean_s: f64) -> Duration {
        let share = (self.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30);
        Duration::from_secs_f64(-mean_s * share.ln())
    }
}
