//! Whole days through the real engine on a virtual clock: callers who do anything, a network that loses, doubles and reorders.
//!
//! `SEED=n` runs one seed and prints it; `HOTLINE_PROVE=1` runs a thousand seeds instead of a hundred.

mod caller;
mod day;
mod setup;
mod setup_engine;

use caller::Habit;
use day::{Day, Faults};
use hotline::base::Time;
use hotline::call::EndReason;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const CALLS: usize = 1_000;

fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = std::env::var("SEED") {
        let seed = seed.parse().expect("SEED is a number");
        return seed..seed + 1;
    }
    0..if std::env::var_os("HOTLINE_PROVE").is_some() { 1_000 } else { 100 }
}

/// Shaped like a working day (domain 2.5): a morning peak, most callers patient, a few keys, some messages and callbacks.
fn ordinary(seed: u64) -> Day {
    let mut day = setup::day(seed, Faults::NONE);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    // Calls per hour of the day in thousandths, peak 9 to 11.
    const HOURS: [u64; 24] =
        [8, 6, 5, 5, 6, 10, 20, 40, 80, 100, 100, 85, 50, 50, 70, 70, 65, 55, 45, 40, 35, 25, 18, 12];
    let total: u64 = HOURS.iter().sum();
    for n in 0..CALLS {
        let mut roll = rng.next_u64() % total;
        let hour = HOURS
            .iter()
            .position(|w| {
                if roll < *w {
                    true
                } else {
                    roll -= w;
                    false
                }
            })
            .unwrap_or(9) as u64;
        let at = Time::from_millis((hour * 3_600_000 + rng.next_u64() % 3_600_000).max(10));
        let stay_ms = 5_000 + rng.next_u64() % 400_000;
        let keys = match rng.next_u64() % 10 {
            0 => vec![(2_000, '1')],
            1 => vec![(45_000, '8'), (55_000, '1')],
            2 => vec![(45_000, '7'), (75_000, '#')],
            3 => vec![(3_000, '3')],
            4 => vec![(2_500, '9')],
            _ => Vec::new(),
        };
        let habit = if rng.next_u64() % 50 == 0 {
            Habit::Cancels { after_ms: 200 }
        } else {
            Habit::Polite { keys, stay_ms, by_info: false }
        };
        day.add_caller(at, habit, format!("1200000{:04}", n % 700));
    }
    day
}

/// Anything at any time: every habit, many keys, two hours, faults of this seed's own mix; then the faults stop.
fn hostile(seed: u64) -> Day {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xbad);
    let mut draw = |below: u64| rng.next_u64() % below;
    let faults = Faults {
        lost: draw(40) as u32,
        doubled: draw(40) as u32,
        jitter_ms: draw(200),
        disk_stall_ms: if draw(2) == 0 { 0 } else { draw(6_000) },
    };
    let mut day = setup::day_with_ringing(seed, faults, draw(3) * 300);
    for n in 0..CALLS {
        let at = Time::from_millis(10 + draw(7_200_000));
        let mut keys = Vec::new();
        let mut after = draw(20_000);
        for _ in 0..draw(12) {
            keys.push((
                after,
                ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'][draw(12) as usize],
            ));
            after += draw(15_000);
        }
        let stay_ms = draw(300_000);
        let habit = match draw(20) {
            0 => Habit::Cancels { after_ms: draw(1_500) },
            1 => Habit::NeverAcks,
            2 => Habit::Vanishes,
            3 => Habit::Stays,
            4 => Habit::Holds { at_ms: draw(20_000), for_ms: draw(60_000), stay_ms: draw(60_000) },
            5 => Habit::Offerless { answers: draw(3) > 0, stay_ms },
            6 => Habit::Timer { refreshes: draw(2) == 0, stay_ms: 200_000 },
            7 | 8 => Habit::Odd { what: draw(255) as u8, stay_ms },
            9 => Habit::Polite { keys, stay_ms, by_info: true },
            _ => Habit::Polite { keys, stay_ms, by_info: false },
        };
        day.add_caller(at, habit, format!("1200000{:04}", n % 300));
    }
    day.stop_faults_at(Time::from_millis(7_300_000));
    // One day in four is a server that goes down in order before its last calls have come.
    if seed % 4 == 3 {
        day.drain_at(Time::from_millis(7_000_000));
    }
    day
}

/// What must be true when everything has come to rest.
fn judge(day: &Day, seed: u64, what: &str) {
    let tally = &day.tally;
    assert_eq!(day.engine.live_calls(), 0, "{what} seed {seed}: calls still live");
    assert_eq!(day.engine.closing_legs(), 0, "{what} seed {seed}: legs still closing");
    assert_eq!(day.engine.ports_leased(), 0, "{what} seed {seed}: ports still leased");
    let live = day.engine.ua().live();
    assert_eq!((live.transactions, live.dialogs), (0, 0), "{what} seed {seed}: SIP still has state");
    for (sip, count) in &tally.arrived {
        assert_eq!(*count, 1, "{what} seed {seed}: {sip} has {count} drafts");
    }
    for (call, sip) in &tally.sip_of {
        assert_eq!(
            tally.ended.get(call),
            Some(&1),
            "{what} seed {seed}: {call} ({sip}) must end exactly once"
        );
    }
    assert_eq!(tally.ended.len(), tally.sip_of.len(), "{what} seed {seed}: an end without a beginning");
    for (no, count) in &tally.numbers {
        assert_eq!(*count, 1, "{what} seed {seed}: number {no} was given {count} times");
    }
}

#[test]
fn every_call_of_every_day_ends_exactly_once() {
    let began = Instant::now();
    let (mut calls, mut facts) = (0, 0);
    let mut reasons: BTreeMap<EndReason, u32> = BTreeMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for seed in seeds() {
        for (what, mut day) in [("ordinary", ordinary(seed)), ("hostile", hostile(seed))] {
            if seed % 2 == 1 && what == "ordinary" {
                continue; // Half the days ordinary, every day's twin hostile.
            }
            day.run(Time::ZERO + Duration::from_secs(40 * 3600));
            judge(&day, seed, what);
            calls += day.tally.sip_of.len();
            facts += day.tally.facts;
            add_rows(&mut rows, &day);
            for (reason, n) in &day.tally.reasons {
                *reasons.entry(*reason).or_default() += n;
            }
        }
    }
    println!("{calls} calls, {facts} facts in {:.1} s", began.elapsed().as_secs_f32());
    for reason in EndReason::ALL {
        println!("{:>20} {}", reason.label(), reasons.get(reason).copied().unwrap_or(0));
    }
    judge_reach(&rows);
}

/// A row of a state table: where, what happened, how often, and why it cannot be, if it cannot.
type Row = (String, u64, Option<&'static str>);

fn add_rows(rows: &mut Vec<Row>, day: &Day) {
    let all = day
        .engine
        .reach()
        .map(|(place, news, count, why)| (format!("{place:?} × {news:?}"), count.into(), why));
    if rows.is_empty() {
        rows.extend(all);
    } else {
        rows.iter_mut().zip(all).for_each(|(row, (_, count, _))| row.1 += count);
    }
}

/// Prints what the days reached. A row that cannot be and was is a fault; so is too little reach to mean anything.
fn judge_reach(rows: &[Row]) {
    let (possible, impossible): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, _, why)| why.is_none());
    for (row, count, why) in impossible.iter().filter(|(_, count, _)| *count > 0) {
        println!("IMPOSSIBLE {row} taken {count} times: {}", why.unwrap_or_default());
    }
    let missed: Vec<_> =
        possible.iter().filter(|(_, count, _)| *count == 0).map(|(row, ..)| row.as_str()).collect();
    let taken = possible.len() - missed.len();
    println!(
        "reach: {taken} of {} rows of (state, input), {:.1} %; {} more are impossible",
        possible.len(),
        100.0 * taken as f64 / possible.len() as f64,
        impossible.len()
    );
    println!("never taken: {}", missed.join(", "));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [1, 7, 42] {
        let run = || {
            let mut day = hostile(seed);
            day.run(Time::ZERO + Duration::from_secs(40 * 3600));
            day.trace()
        };
        assert_eq!(run(), run(), "seed {seed}");
    }
}
