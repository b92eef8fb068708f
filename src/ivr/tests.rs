//! The language as a whole: shipped flows, their walks, and whatever a caller may do.

use super::seam::*;
use super::*;
use crate::base::{DayKind, Digit, Personal, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::Arc;

pub(super) fn book() -> Arc<Book> {
    Arc::new(Book::read(include_str!("../../sounds/manifest.json")).unwrap())
}

fn folder(name: &str) -> Vec<(String, String)> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(p).unwrap()))
        .collect()
}

pub(super) fn shipped() -> FlowSet {
    FlowSet::load(folder("ivr-flows"), &book()).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_shipped_flows_are_sound() {
    let set = shipped();
    for name in ["main", "menu", "status", "callback"] {
        assert!(set.get(name).is_some(), "{name}");
    }
    let flow = set.get("main").unwrap();
    assert_eq!(
        flow.queues().map(|q| q.to_string()).collect::<Vec<_>>(),
        ["business", "english", "leader", "main"]
    );
}

#[test]
fn a_kept_flow_reads_back_with_the_same_hash() {
    for flow in shipped().flows() {
        if let Ok(again) = FlowSet::from_bundle(flow.bundle()) {
            assert_eq!(
                (again.hash(), again.file(), again.version()),
                (flow.hash(), flow.file(), flow.version())
            );
            assert!(again.nodes().eq(flow.nodes()));
        } else {
            panic!("{flow:?}: {}", FlowSet::from_bundle(flow.bundle()).unwrap_err());
        }
    }
}

fn examples() -> FlowSet {
    FlowSet::load(folder("ivr-flows/examples"), &book()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn all() -> Vec<Arc<Flow>> {
    shipped().flows().chain(examples().flows()).cloned().collect()
}

/// A seed that can be set: `SEED=n` runs one, as printed by a failure.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

const STATES: [&str; 6] = ["accepted", "handling", "replied", "closed", "transferred", ""];
const KEYS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];

fn answer(dice: &mut Dice) -> LookupResult {
    match dice.below(3) {
        0 => LookupResult::None,
        1 => LookupResult::Failed,
        _ => {
            let mut values = vec![(Arc::from("state"), Arc::from(dice.pick(&STATES)))];
            for (name, value) in [("dept", "rl"), ("due", "2026-11-27T01:30:00Z"), ("date", "nonsense")] {
                if dice.one_in(2) {
                    values.push((Arc::from(name), Arc::from(value)));
                }
            }
            LookupResult::Found(values)
        }
    }
}

fn any_plan(dice: &mut Dice) -> sim::Plan {
    let moment = sim::Moment::parse(
        &format!("2026-11-{:02}T{:02}:{:02}", 1 + dice.below(28), dice.below(24), dice.below(60)),
        28_800,
    );
    let mut plan = sim::Plan::at(moment.unwrap());
    plan.day = dice.pick(&[DayKind::Workday, DayKind::Weekend, DayKind::Holiday]);
    plan.switches = ["leader", "storm"].into_iter().filter(|_| dice.one_in(2)).map(str::to_owned).collect();
    plan.leader = dice.one_in(3).then(|| "rl".to_owned());
    plan.facts.caller = (!dice.one_in(4)).then(|| Personal::new(dice.pick(&["13800001234", "0106651", "1"])));
    plan.facts.redirected_from = dice.one_in(3).then(|| "66512345".to_owned());
    plan.facts.tags = if dice.one_in(3) { vec!["elder".to_owned()] } else { Vec::new() };
    let mut script = String::new();
    for _ in 0..dice.below(12) {
        let digits: String = (0..1 + dice.below(3) * 6).map(|_| dice.pick(&KEYS)).collect();
        script.push_str(&digits);
        if dice.one_in(2) {
            script.push_str(&format!("@{}", dice.below(300)));
        }
        script.push(' ');
    }
    plan.keys = sim::Press::read(&script).unwrap();
    for queue in ["main", "business", "english", "departments", "leader"] {
        let waits = sim::Waits {
            full: dice.one_in(4),
            staffed: dice.below(3) as u16,
            answer_s: dice.one_in(3).then(|| dice.below(400) as u32),
            let_go_s: dice.one_in(3).then(|| dice.below(400) as u32),
        };
        plan.queues.insert(queue.to_owned(), waits);
    }
    plan.ahead = dice.below(40) as u32;
    plan.wait_min = dice.one_in(2).then(|| dice.below(20) as u32);
    plan.lookups = (0..3).map(|_| answer(dice)).collect();
    plan.dials = vec![dice.pick(&[DialEnd::Answered, DialEnd::Busy, DialEnd::NoAnswer, DialEnd::Failed])];
    plan.store_fails = dice.one_in(4);
    plan.speaks_s = dice.below(300) as u32;
    plan.talk_s = dice.one_in(2).then(|| dice.below(300) as u32);
    plan
}

#[test]
fn whatever_a_caller_does_he_is_served_ended_or_waits_for_people() {
    let flows = all();
    let mut ends = std::collections::BTreeMap::<&str, u32>::new();
    for seed in seeds(3_000) {
        let mut dice = Dice::new(seed);
        let (flow, plan) = (dice.pick(&flows), any_plan(&mut dice));
        let story = sim::run(&flow, &plan);
        let end = story.end.clone().unwrap();
        *ends.entry(end.name()).or_default() += 1;
        assert!(
            !matches!(end, sim::End::Stuck | sim::End::Endless),
            "SEED={seed} {flow:?} ends {end}\n{}",
            story.lines.iter().map(|l| format!("{l}\n")).collect::<String>()
        );
        // Nobody is hung up on in silence: the last thing before it is something said.
        if let sim::End::HungUp(_) = end {
            let before = story.lines.iter().rev().find(|line| {
                matches!(line.event, sim::Event::Heard { .. } | sim::Event::Queue(QueueNews::Answered))
            });
            assert!(before.is_some(), "SEED={seed} {flow:?}");
        }
    }
    println!("ends: {ends:?}");
}

fn any_input(dice: &mut Dice) -> Input {
    let stored = match dice.below(3) {
        0 => Stored::Failed,
        _ => Stored::Number { no: Arc::from("261125000018"), code: Arc::from("123456") },
    };
    match dice.below(20) {
        0..=6 => Input::Digit(Digit::from_char(dice.pick(&KEYS)).unwrap()),
        7..=11 => Input::PlayFinished,
        12..=14 => Input::Timeout,
        15 => Input::Queue(dice.pick(&[
            QueueNews::Waiting,
            QueueNews::Full,
            QueueNews::NoStaff,
            QueueNews::TimedOut,
            QueueNews::Answered,
        ])),
        16 => Input::LookupDone(answer(dice)),
        17 => Input::MessageStored(stored),
        18 => Input::CallbackStored(stored),
        _ => dice.pick(&[
            Input::Returned,
            Input::Silent,
            Input::Begin,
            Input::Dial(DialEnd::Busy),
            Input::Dial(DialEnd::Answered),
            Input::SensitiveOutcome(Arc::from("x")),
        ]),
    }
}

/// What the engine journals of a step: a sensitive node's digits are not there, its outcome stands at the last one.
fn journaled(input: &Input, sensitive: bool, trail: &[Trail]) -> Option<Input> {
    let left = trail.iter().find_map(|step| match step {
        Trail::Left { outcome, .. } => Some(Arc::clone(outcome)),
        _ => None,
    });
    match (input, left) {
        (Input::Digit(_) | Input::Timeout, Some(outcome)) if sensitive => {
            Some(Input::SensitiveOutcome(outcome))
        }
        (Input::Digit(_), None) if sensitive => None,
        (input, _) => Some(input.clone()),
    }
}

#[test]
fn any_inputs_at_any_time_do_no_harm_and_walk_again_the_same_from_what_is_kept() {
    let flows = all();
    for seed in seeds(3_000) {
        let mut dice = Dice::new(seed);
        let flow = dice.pick(&flows);
        let again = FlowSet::from_bundle(flow.bundle()).unwrap();
        assert_eq!(again.hash(), flow.hash(), "{flow:?}");
        let facts = any_plan(&mut dice).facts;
        let (mut walk, mut replay) = (Walk::new(Arc::clone(&flow), facts.clone()), Walk::new(again, facts));
        let (mut now, mut sensitive) = (Time::ZERO, false);
        for step in 0..120 {
            let input = if step == 0 { Input::Begin } else { any_input(&mut dice) };
            now = match (&input, walk.poll_timeout()) {
                (Input::Timeout, Some((at, _))) => now.max(at),
                _ => now + std::time::Duration::from_millis(dice.below(4_000)),
            };
            let world = World {
                wall_ms: 1_764_000_000_000 + now.as_millis() as i64,
                utc_offset_s: 28_800,
                ahead: dice.one_in(2).then(|| dice.below(30) as u32),
                wait_ms: dice.one_in(2).then(|| dice.below(900_000) as u32),
                leader: dice.one_in(3).then(|| Arc::from("rl")),
                ..World::default()
            };
            let (mut actions, mut trail) = (Vec::new(), Vec::new());
            walk.handle(now, &world, input.clone(), &mut actions, &mut trail);
            let mut trail_again = Vec::new();
            if let Some(input) = journaled(&input, sensitive, &trail) {
                replay.handle(now, &world, input, &mut Vec::new(), &mut trail_again);
            }
            assert_eq!(trail, trail_again, "SEED={seed} {flow:?} step {step}: {input:?}");
            for action in &actions {
                if let Action::Sensitive(on) = action {
                    sensitive = *on;
                }
            }
            let hung_up = actions.iter().any(|action| matches!(action, Action::HangUp { .. }));
            assert_eq!(hung_up, walk.is_over(), "SEED={seed} {flow:?} step {step}: {input:?}");
            if hung_up {
                break;
            }
        }
    }
}

#[test]
fn a_walk_is_small() {
    let size = size_of::<Walk>();
    assert!(size <= 512, "{size} bytes");
}

#[test]
fn no_text_makes_the_reader_panic() {
    let texts: Vec<String> =
        folder("ivr-flows").into_iter().chain(folder("tests/flows")).map(|(_, text)| text).collect();
    for seed in seeds(2_000) {
        let mut dice = Dice::new(seed);
        let mut chars: Vec<char> = dice.pick(&texts).chars().collect();
        for _ in 0..1 + dice.below(8) {
            if chars.len() < 2 {
                break;
            }
            let at = dice.below(chars.len() as u64) as usize;
            match dice.below(4) {
                0 => drop(chars.remove(at)),
                1 => chars.insert(
                    at,
                    dice.pick(&['"', '[', ']', '{', '}', '=', '\n', '#', '@', '$', '号', '\u{0}']),
                ),
                2 => chars.truncate(at.max(1)),
                _ => {
                    let other = dice.below(chars.len() as u64) as usize;
                    chars.swap(at, other);
                }
            }
        }
        let text: String = chars.into_iter().collect();
        if let Err(problems) = FlowSet::load(vec![("x.toml".to_owned(), text)], &book()) {
            assert!(!problems.0.is_empty() && problems.0.len() < 1_000, "SEED={seed}");
        }
    }
}

/// The largest files that are read: printed, not judged, for a clock is no test.
#[test]
fn the_largest_flows_are_read() {
    let node = |n: usize, to: usize| {
        format!(
            "[node.n{n}]\nkind=\"collect\"\nprompt=\"menu\"\nvar=\"v{n}\"\ndone=\"n{to}\"\nno_input=\"n{}\"\nwrong=\"n{to}\"\n",
            (n * 7 + 3) % 1_000
        )
    };
    let whole: String = (0..1_000).map(|n| node(n, (n + 1) % 1_000)).collect();
    let texts = [
        format!("[flow]\nstart=\"n0\"\nversion=\"x\"\n{whole}"),
        "[".repeat(200_000),
        "a.".repeat(100_000),
        format!("x = {}", "[".repeat(100_000)),
        format!("[flow]\nstart=\"s\"\n[node.s]\nkind=\"play\"\nprompt=[{}]\n", "\"nope\",".repeat(30_000)),
    ];
    for text in texts {
        let begun = std::time::Instant::now();
        let told = FlowSet::read(&text).map(|_| 0).unwrap_or_else(|problems| problems.0.len());
        println!("{} bytes: {told} problems, {} ms", text.len(), begun.elapsed().as_millis());
    }
}
