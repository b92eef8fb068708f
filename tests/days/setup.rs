//! A day around an engine.

use crate::day::{Day, Faults};
use crate::setup_engine;
use hotline::call::Engine;
use hotline::ticket::number::Blocks;

pub fn day(seed: u64, faults: Faults) -> Day {
    day_with_ringing(seed, faults, 0)
}

pub fn day_with_ringing(seed: u64, faults: Faults, ring_ms: u64) -> Day {
    let (config, clip_ms) = setup_engine::config(seed, ring_ms);
    Day::new(Engine::new(config, Blocks::default()), clip_ms, seed, faults)
}
