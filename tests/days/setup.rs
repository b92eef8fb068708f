//! A day around an engine.

use crate::day::{Day, Faults};
use crate::setup_engine;
use hotline::call::Engine;
use hotline::ticket::number::Blocks;
use std::time::Duration;

pub fn day(seed: u64, faults: Faults) -> Day {
    day_with_ringing(seed, faults, 0)
}

pub fn day_with_ringing(seed: u64, faults: Faults, ring_ms: u64) -> Day {
    let (mut config, clip_ms) = setup_engine::config(seed, ring_ms);
    // Who never hangs up is let go sooner than in life, or he alone makes most of the day's facts.
    config.limits.max_call = Duration::from_secs(1200);
    Day::new(Engine::new(config, Blocks::default()), clip_ms, seed, faults)
}

/// A day of callers who do anything in a flow that does everything; calls are over after `max_call`.
pub fn wild_day(seed: u64, faults: Faults, ring_ms: u64, max_call: Duration) -> Day {
    let (mut config, clip_ms) = setup_engine::config(seed, ring_ms);
    setup_engine::wild(&mut config, max_call);
    Day::new(Engine::new(config, Blocks::default()), clip_ms, seed, faults)
}
