//! The same question as Erlang C, asked of a played day: callers come at random, wait in order, and give up when their patience ends.

use super::erlang::{Load, Target};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Callers played for one figure, after the first [`WARM_UP`] which fill the floor and aren't counted.
pub const CALLERS: u32 = 40_000;
const WARM_UP: u32 = 1_000;

/// What a played day shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// Answered in time ÷ (answered + gave up): formula ③ of the domain reference 2.5, the strictest.
    pub service: f64,
    /// Gave up ÷ all.
    pub gave_up: f64,
    /// Average wait of the answered, seconds.
    pub asa_s: f64,
}

/// Plays [`CALLERS`] callers against `seats`. The same seed gives the same figures.
pub fn play(seats: u32, load: Load, patience_s: f64, within_s: f64, seed: u64) -> Played {
    if seats == 0 || load.calls_per_hour <= 0.0 {
        let nobody = load.calls_per_hour <= 0.0;
        return Played {
            service: f64::from(u8::from(nobody)),
            gave_up: f64::from(u8::from(!nobody)),
            asa_s: 0.0,
        };
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut after = |mean: f64| {
        // 53 random bits, never 0: the logarithm stays finite.
        let uniform = ((chance.next_u64() >> 11) as f64 + 1.0) / 9_007_199_254_740_993.0;
        -uniform.ln() * mean
    };
    let gap = 3_600.0 / load.calls_per_hour;
    // When each seat is free again, in whole microseconds so that they have an order.
    let mut free: BinaryHeap<Reverse<u64>> = (0..seats).map(|_| Reverse(0)).collect();
    let (mut now, mut in_time, mut answered, mut lost, mut waited) = (0.0, 0u32, 0u32, 0u32, 0.0);
    for n in 0..WARM_UP + CALLERS {
        now += after(gap);
        // Every caller draws the same number of times, so that other seats meet the same callers.
        let (patience, talk) = (after(patience_s), after(load.aht_s));
        // First come, first served: his seat is the one that is free first, unless he is gone by then.
        let Some(Reverse(first)) = free.pop() else { break };
        let begins = (first as f64 / 1e6).max(now);
        let wait = begins - now;
        let counts = n >= WARM_UP;
        if wait > patience {
            free.push(Reverse(first));
            lost += u32::from(counts);
            continue;
        }
        free.push(Reverse(((begins + talk) * 1e6) as u64));
        if counts {
            answered += 1;
            in_time += u32::from(wait <= within_s);
            waited += wait;
        }
    }
    let all = f64::from((answered + lost).max(1));
    Played {
        service: f64::from(in_time) / all,
        gave_up: f64::from(lost) / all,
        asa_s: waited / f64::from(answered.max(1)),
    }
}

/// The fewest seats with which a played day keeps the promise, looked for from `near` on; `None` when a thousand around it aren't enough.
pub fn required(load: Load, target: Target, patience_s: f64, seed: u64, near: u32) -> Option<u32> {
    if load.calls_per_hour <= 0.0 {
        return Some(0);
    }
    let keeps = |seats: u32| play(seats, load, patience_s, target.within_s, seed).service >= target.share;
    let mut seats = near.max(1);
    if keeps(seats) {
        while seats > 1 && keeps(seats - 1) {
            seats -= 1;
        }
        return Some(seats);
    }
    (seats + 1..=seats + 1_000).find(|more| keeps(*more))
}

#[cfg(test)]
mod tests {
    use super::super::erlang;
    use super::*;

    const PEAK: Load = Load { calls_per_hour: 160.0, aht_s: 300.0 };

    #[test]
    fn without_impatience_it_is_erlang_c() {
        for seats in [16, 18, 20] {
            let days: Vec<Played> = (0..8).map(|seed| play(seats, PEAK, 1e12, 15.0, seed)).collect();
            let mean = |of: fn(&Played) -> f64| days.iter().map(of).sum::<f64>() / 8.0;
            let told = erlang::service_level(seats, PEAK, 15.0);
            assert!((mean(|day| day.service) - told).abs() < 0.015, "{seats}: {days:?} and {told}");
            let asa = erlang::asa_s(seats, PEAK).unwrap();
            assert!((mean(|day| day.asa_s) / asa - 1.0).abs() < 0.15, "{seats}: {days:?} and {asa}");
            assert!(days.iter().all(|day| day.gave_up == 0.0));
        }
    }

    #[test]
    fn a_seed_is_a_day_and_impatience_shortens_the_line() {
        let (a, b) = (play(16, PEAK, 120.0, 15.0, 1), play(16, PEAK, 120.0, 15.0, 1));
        assert_eq!(a, b);
        assert_ne!(a, play(16, PEAK, 120.0, 15.0, 2));
        let patient = play(16, PEAK, 1e12, 15.0, 1);
        assert!(a.gave_up > 0.0 && a.asa_s < patient.asa_s, "{a:?} {patient:?}");
        // Fewer seats than load: Erlang C has no answer, the played day has one.
        let short = play(10, PEAK, 120.0, 15.0, 1);
        assert!(short.gave_up > 0.2 && short.asa_s < 120.0, "{short:?}");
        assert_eq!(play(0, PEAK, 120.0, 15.0, 1).gave_up, 1.0);
    }

    #[test]
    fn the_seats_found_are_the_fewest() {
        let target = Target { share: 0.95, within_s: 15.0 };
        let seats = required(PEAK, target, 120.0, 3, 20).unwrap();
        assert!(play(seats, PEAK, 120.0, 15.0, 3).service >= 0.95);
        assert!(play(seats - 1, PEAK, 120.0, 15.0, 3).service < 0.95);
        assert_eq!(required(PEAK, target, 120.0, 3, 5), Some(seats), "from below as from above");
    }
}
