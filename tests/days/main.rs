//! Whole days through the real engine on a virtual clock: callers who do anything, a network that loses, doubles and reorders.
//!
//! `SEED=n` runs one seed and prints it, `SEED=n..m` those from n on below m; `HOTLINE_PROVE=1` runs a thousand seeds instead of a hundred.

mod caller;
mod crew;
mod day;
mod line_day;
mod peer;
mod setup;
mod setup_engine;
mod town;
#[cfg(feature = "full")]
mod watch;

use caller::{Act, Habit};
use day::{Day, Faults};
use hotline::base::Time;
use hotline::call::EndReason;
use hotline::sip::Ua;
use line_day::LineDay;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const CALLS: usize = 1_000;
/// When all calls of a wild day end at once, milliseconds.
const END_ALL_MS: u64 = 3_000_000;
/// Sessions of a day of the user agent alone, without those that replace one.
const LINES: usize = 300;

fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = std::env::var("SEED") {
        let (from, to) = seed.split_once("..").unwrap_or((&seed, ""));
        let from = from.parse().expect("SEED is a number, or two like 100..400");
        return from..to.parse().unwrap_or(from + 1);
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
    hostile_of(seed, CALLS)
}

fn hostile_of(seed: u64, calls: usize) -> Day {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xbad);
    let mut draw = |below: u64| rng.next_u64() % below;
    let faults = Faults {
        lost: draw(40) as u32,
        doubled: draw(40) as u32,
        jitter_ms: draw(200),
        disk_stall_ms: if draw(2) == 0 { 0 } else { draw(6_000) },
    };
    let mut day = setup::day_with_ringing(seed, faults, draw(3) * 300);
    for n in 0..calls {
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

/// Everything at once to calls that pass quickly through every kind of work: the rows that a life rarely takes.
fn wild(seed: u64) -> Day {
    wild_of(seed, CALLS)
}

fn wild_of(seed: u64, calls: usize) -> Day {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x1dea);
    let mut draw = |below: u64| rng.next_u64() % below;
    let faults = Faults { lost: 10, doubled: 20, jitter_ms: 50, disk_stall_ms: 3_000 };
    let ring_ms = [0, 400, 5_000][draw(3) as usize];
    let max_call = Duration::from_secs([3, 20, 60, 200][draw(4) as usize]);
    let mut day = setup::wild_day(seed, faults, ring_ms, max_call);
    // Some answers come long after the flow has gone on.
    day.lookup_ms = if seed.is_multiple_of(8) { 8_000 } else { 3_500 };
    day.stalls_one_in = if seed.is_multiple_of(8) { 20 } else { 200 };
    for n in 0..calls {
        // A few come shortly before everything ends.
        let at = if n % 20 == 1 { END_ALL_MS - draw(12_000) } else { 10 + draw(3_600_000) };
        let at = Time::from_millis(at);
        let mut acts = Vec::new();
        let mut after = 100 + draw(2_000);
        if n % 25 == 2 {
            day.add_caller(at, forgets_while_dialling(), format!("1200000{:04}", n % 300));
            continue;
        }
        // What he likes best: the status, a message, the line, a callback, somebody else.
        let favourite = ['1', '2', '3', '4', '6', '6'][draw(6) as usize];
        let odd = draw(6);
        for _ in 0..4 + draw(60) {
            let key = [favourite, '1', '2', '#'][draw(4) as usize];
            let act = match draw(10 + 2 * odd) {
                0 => Act::Info(key),
                10 | 11 => [Act::Reoffer, Act::Update, Act::AskOffer, Act::Refer][draw(4) as usize],
                12 => Act::Refer,
                13 | 14 => [Act::Heard, Act::Moved][draw(2) as usize],
                15 => Act::Cut,
                _ => Act::Key(key),
            };
            acts.push((after, act));
            after += draw(4_000);
        }
        let last = match draw(8) {
            0 => Some(Act::Silent),
            1 => Some(Act::HangUp),
            2 => Some(Act::Replace),
            3 => Some(Act::Cancel),
            4 | 5 => Some(Act::Bye),
            6 => Some(Act::Cut),
            _ => None,
        };
        let by = if draw(2) == 0 { 1_000 } else { after };
        let until = 1 + draw(by);
        acts.extend(last.map(|act| (until, act)));
        let habit = Habit::Wild {
            acts,
            ack_after_ms: if draw(3) == 0 { 1 + draw(40_000) } else { 0 },
            offers: draw(4) > 0,
            forgets: draw(3) == 0,
            timer: draw(3) == 0,
        };
        day.add_caller(at, habit, format!("1200000{:04}", n % 300));
    }
    if seed.is_multiple_of(2) {
        day.end_all_at(Time::from_millis(END_ALL_MS));
    }
    // Every day has agents but each third: what a caller meets without any must be met too.
    if !seed.is_multiple_of(3) {
        let queues = ["main", "business", "english"].map(std::sync::Arc::from);
        day.employ(crew::Crew::new(6, seed), &queues);
    }
    day.stop_faults_at(Time::from_millis(3_700_000));
    day
}

/// Keeps the flow busy until he is asked to refresh the session, at which time he is being connected to somebody, and knows of no call.
fn forgets_while_dialling() -> Habit {
    let keys = (1..25).map(|n| (n * 1_200, Act::Key('1')));
    let dials = (20..33).map(|n| (n * 1_400, Act::Key('6')));
    Habit::Wild {
        acts: keys.chain(dials).collect(),
        ack_after_ms: 0,
        offers: true,
        forgets: true,
        timer: true,
    }
}

/// A hostile day with people at work: too few, so that callers wait, and they do anything too.
fn served(seed: u64) -> Day {
    let mut day = hostile_of(seed, CALLS / 2);
    let queues = ["main", "business", "english"].map(std::sync::Arc::from);
    day.employ(crew::Crew::new(3 + (seed % 9) as usize, seed), &queues);
    if seed.is_multiple_of(7) {
        day.end_all_at(Time::from_millis(5_000_000));
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
    for (sip, count) in tally.arrived.iter().filter(|(sip, _)| !sip.is_empty()) {
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
    judge_callbacks(day, seed, what);
    if let Some(crew) = &day.crew {
        assert!(crew.is_answered(), "{what} seed {seed}: a command without an answer");
        assert!(crew.talking.is_empty(), "{what} seed {seed}: {:?} still talk", crew.talking);
    }
    for (no, count) in &tally.numbers {
        assert_eq!(*count, 1, "{what} seed {seed}: number {no} was given {count} times");
    }
}

/// Callbacks of a day: those asked for are dialled in tries of their own, no more than allowed, and each is over once or still waits.
fn judge_callbacks(day: &Day, seed: u64, what: &str) {
    let agents = day.crew.as_ref().map_or(0, crew::Crew::size);
    assert!(day.tally.most_dialled <= agents, "{what} seed {seed}: more dials than agents");
    assert_eq!(day.tally.passed_by, 0, "{what} seed {seed}: one stood before a callback that was proposed");
    for (call, story) in &day.tally.callbacks {
        assert!(story.tries <= 3, "{what} seed {seed}: {call} is dialled {} times", story.tries);
        assert!(story.over <= 1, "{what} seed {seed}: {call} is over {} times", story.over);
        assert_eq!(story.tries, story.ended, "{what} seed {seed}: a try of {call} has no end");
        assert!(!story.reached || story.over == 1, "{what} seed {seed}: {call} was reached and goes on");
    }
}

type Make = fn(u64) -> Day;

/// What some of the days came to.
#[derive(Default)]
struct Share {
    days: u32,
    calls: usize,
    facts: u64,
    reasons: BTreeMap<EndReason, u32>,
    callbacks: day::Callbacks,
    special: day::SpecialCalls,
    rows: Vec<Row>,
    lines: usize,
}

impl Share {
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        let mut share = Self::default();
        for seed in seeds {
            // Half the days ordinary, every day's twin hostile, every fourth wild, and one with people at work.
            let days: [(&str, bool, Make); 4] = [
                ("served", true, served),
                ("ordinary", seed.is_multiple_of(2), ordinary),
                ("hostile", true, hostile),
                ("wild", seed.is_multiple_of(4), wild),
            ];
            for (what, _, make) in days.into_iter().filter(|(_, wanted, _)| *wanted) {
                let mut day = make(seed);
                day.run(Time::ZERO + Duration::from_secs(40 * 3600));
                judge(&day, seed, what);
                share = share.with(Self {
                    days: 1,
                    calls: day.tally.sip_of.len(),
                    facts: day.tally.facts,
                    reasons: std::mem::take(&mut day.tally.reasons),
                    rows: rows(&day),
                    callbacks: day.tally.callback_sums(),
                    special: std::mem::take(&mut day.tally.special),
                    lines: 0,
                });
            }
            if seed.is_multiple_of(5) {
                let mut day = LineDay::new(seed, LINES);
                day.run();
                judge_lines(&day, seed);
                let rows = rows_of_lines(&day.ua);
                share = share.with(Self { lines: day.told.len(), rows, ..Self::default() });
            }
        }
        share
    }

    fn with(mut self, other: Self) -> Self {
        self.days += other.days;
        self.calls += other.calls;
        self.facts += other.facts;
        self.lines += other.lines;
        self.callbacks.add(&other.callbacks);
        self.special.add(other.special);
        for (reason, n) in other.reasons {
            *self.reasons.entry(reason).or_default() += n;
        }
        for row in other.rows {
            match self.rows.iter_mut().find(|have| have.machine == row.machine && have.name == row.name) {
                Some(have) => have.count += row.count,
                None => self.rows.push(row),
            }
        }
        self
    }
}

#[test]
fn every_call_of_every_day_ends_exactly_once() {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|of| scope.spawn(move || Share::of(seeds().skip(of).step_by(threads))))
            .collect();
        // A thread that failed has said why; its panic becomes the test's.
        started
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    });
    let all = shares.into_iter().reduce(Share::with).expect("a thread");
    let Share { days, calls, facts, reasons, callbacks, special, rows, lines } = all;
    println!("{callbacks:?}\n{special:?}");
    let took = began.elapsed().as_secs_f32();
    println!(
        "{days} days, {calls} calls, {facts} facts, {lines} sessions of the user agent alone in {took:.1} s"
    );
    for reason in EndReason::ALL {
        let count = reasons.get(reason).copied().unwrap_or(0);
        let elsewhere = ELSEWHERE.iter().find(|(other, _)| other == reason).map(|(_, why)| *why);
        println!("{:>20} {count} {}", reason.label(), elsewhere.unwrap_or_default());
        // One seed alone need not meet everything.
        assert!(
            count > 0 || elsewhere.is_some() || seeds().count() < 100,
            "no call ended by {}",
            reason.label()
        );
    }
    for kind in ["crisis", "emergency", "silent", "minor", "violence"] {
        let said = special.notes.contains_key(kind);
        assert!(said || seeds().count() < 100, "no agent said {kind} of a caller");
    }
    assert!(special.on_call > 0 || seeds().count() < 100, "the mobile of who is on call never rang");
    judge_reach(&rows);
}

/// Ends that no day of one engine can bring, and why.
const ELSEWHERE: &[(EndReason, &str)] = &[
    (EndReason::NoPort, "without a port a call is refused before it is one"),
    (EndReason::InternalFault, "a broken rule, and none broke"),
    (EndReason::Restarted, "another process's calls: see the kills"),
];

/// A row of a state table: where, what happened, how often, and why it cannot be, if it cannot.
struct Row {
    machine: &'static str,
    name: String,
    count: u64,
    why: Option<&'static str>,
}

/// The call's table, and those of the SIP machines below it.
fn rows(day: &Day) -> Vec<Row> {
    let call = day.engine.reach().map(|(place, news, count, why)| Row {
        machine: "call",
        name: format!("{place:?} × {news:?}"),
        count: count.into(),
        why,
    });
    call.chain(rows_of_lines(day.engine.ua())).collect()
}

fn rows_of_lines(ua: &Ua) -> Vec<Row> {
    let rows = ua.reach().into_iter();
    rows.map(|row| Row {
        machine: row.machine,
        name: format!("{} × {}", row.state, row.input),
        count: row.count.into(),
        why: row.impossible,
    })
    .collect()
}

/// Prints what the days reached, by machine. A row that cannot be and was is a fault; so is too little reach to mean anything.
fn judge_reach(rows: &[Row]) {
    let (possible, impossible): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.why.is_none());
    for row in impossible.iter().filter(|row| row.count > 0) {
        let Row { machine, name, count, why } = row;
        println!("IMPOSSIBLE {machine}: {name} taken {count} times: {}", why.unwrap_or_default());
    }
    let mut machines: Vec<&str> = rows.iter().map(|row| row.machine).collect();
    machines.dedup();
    let mut poor = Vec::new();
    for machine in machines {
        let all: Vec<_> = possible.iter().filter(|row| row.machine == machine).collect();
        let missed: Vec<_> = all.iter().filter(|row| row.count == 0).map(|row| row.name.as_str()).collect();
        let taken = all.len() - missed.len();
        println!(
            "reach of {machine}: {taken} of {} rows of (state, input), {:.1} %; {} more are impossible; never taken: {}",
            all.len(),
            100.0 * taken as f64 / all.len() as f64,
            impossible.iter().filter(|row| row.machine == machine).count(),
            if missed.is_empty() { "none".into() } else { missed.join(", ") },
        );
        if taken * 100 < all.len() * 95 {
            poor.push(machine);
        }
    }
    assert!(impossible.iter().all(|row| row.count == 0), "a row that cannot be was taken");
    // One seed alone need not meet everything.
    assert!(seeds().count() < 100 || poor.is_empty(), "too little was reached of {poor:?}");
}

/// What must be true of the user agent when its day has come to rest.
fn judge_lines(day: &LineDay, seed: u64) {
    let live = day.ua.live();
    assert_eq!((live.transactions, live.dialogs), (0, 0), "line seed {seed}: SIP still has state");
    for (dialog, over) in &day.told {
        assert!(over, "line seed {seed}: {dialog:?} has not ended");
    }
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
        let run = || {
            let mut day = LineDay::new(seed, LINES);
            day.run();
            day.trace
        };
        assert_eq!(run(), run(), "line seed {seed}");
    }
}

#[cfg(feature = "full")] // It writes and reads a real journal.
#[test]
fn the_journal_folds_to_the_live_state_after_each_step() {
    let seed = if std::env::var_os("SEED").is_some() { seeds().start } else { 11 };
    let mut busy = hostile_of(seed, 150);
    busy.employ(crew::Crew::new(4, seed), &["main", "business", "english"].map(std::sync::Arc::from));
    let days = [("hostile", hostile_of(seed, 150)), ("wild", wild_of(seed, 200)), ("busy", busy)];
    for (what, mut day) in days {
        day.watch = Some(watch::Watch::new());
        day.run(Time::ZERO + Duration::from_secs(40 * 3600));
        judge(&day, seed, what);
        let watch = day.watch.as_ref().expect("still watched");
        println!(
            "{what} seed {seed}: {} steps compared, {} of them read back whole",
            watch.steps, watch.rereads
        );
        assert_eq!(watch.rereads, 100, "{what} seed {seed}: too few looks at the whole journal");
    }
}
