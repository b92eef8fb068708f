//! Walks through the shipped flows with callers who do anything, on a virtual clock, carried out as strictly as the engine does.
//!
//! After every input: an order is outstanding or a deadline runs; orders come in a sensible order (a place in line is left before a
//! message is recorded, nothing follows a hang-up, the recording's gap is opened and closed in turn); every clip exists. After every
//! call: what was journaled, walked again, leaves the same trail. `SEED=n` runs one seed.

use crate::base::{DayKind, Digit, Personal, Time};
use crate::ivr::seam::{
    Action, CallFacts, DialEnd, Input, LookupResult, QueueNews, Spoken, Stored, Trail, World,
};
use crate::ivr::{Book, Flow, FlowSet, Walk};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CALLS: u64 = 4_000;
/// A caller in line this long may go on waiting: the walk is at rest.
const LONG_ENOUGH: Duration = Duration::from_secs(3 * 3600);

/// A step as the journal has it: `None` stands for a key that was masked.
struct Kept {
    at: Time,
    world: World,
    input: Option<Input>,
    trail: Vec<Trail>,
}

/// One call, and what its engine would know of it.
struct Call {
    walk: Walk,
    facts: CallFacts,
    rng: ChaCha8Rng,
    now: Time,
    began_ms: i64,
    playing_until: Option<Time>,
    in_line: bool,
    recording: bool,
    sensitive: bool,
    /// The one answer that is on its way.
    answer: Option<(Time, Input)>,
    todo: VecDeque<Input>,
    over: bool,
    resting: bool,
    keys_left: u64,
    kept: Vec<Kept>,
    seed: u64,
    staffed: bool,
    faults: Vec<String>,
}

impl Call {
    fn new(flow: &Arc<Flow>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |below: u64| rng.next_u64() % below;
        let caller = match draw(4) {
            0 => None,
            1 => Some("sipp"),
            2 => Some("+8613800138000"),
            _ => Some("12000000001"),
        };
        let facts = CallFacts {
            caller: caller.map(Personal::new),
            called: "12341".to_owned(),
            redirected_from: (draw(5) == 0).then(|| "96011".to_owned()),
            trunk: "city".to_owned(),
            tags: if draw(5) == 0 { vec!["elder".to_owned()] } else { Vec::new() },
            began: Time::ZERO,
        };
        let (began_ms, keys_left, staffed) =
            (1_764_000_000_000 + draw(31_536_000_000) as i64, draw(40), draw(2) == 0);
        Self {
            walk: Walk::new(Arc::clone(flow), facts.clone()),
            facts,
            rng,
            now: Time::ZERO,
            began_ms,
            playing_until: None,
            in_line: false,
            recording: false,
            sensitive: false,
            answer: None,
            todo: VecDeque::from([Input::Begin]),
            over: false,
            resting: false,
            keys_left,
            kept: Vec::new(),
            seed,
            staffed,
            faults: Vec::new(),
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below
    }

    fn world(&mut self) -> World {
        let switches: Arc<[Arc<str>]> = match self.seed % 3 {
            0 => Arc::from([]),
            1 => Arc::from([Arc::from("storm")]),
            _ => Arc::from([Arc::from("closed"), Arc::from("leader")]),
        };
        let ahead = self.in_line.then_some((self.seed % 30) as u32);
        World {
            wall_ms: self.began_ms + self.now.as_millis() as i64,
            utc_offset_s: 8 * 3600,
            day: [DayKind::Workday, DayKind::Weekend, DayKind::Holiday][(self.seed % 3) as usize],
            switches,
            ahead,
            wait_ms: if self.staffed { ahead.map(|n| n * 90_000) } else { None },
            staffed: if self.staffed { 3 } else { 0 },
            free: 0,
            leader: self.seed.is_multiple_of(5).then(|| Arc::from("rl")),
        }
    }

    fn run(&mut self, clips: &Book) {
        let mut at_this_moment = 0;
        let mut steps = 0;
        loop {
            while let Some(input) = self.todo.pop_front() {
                self.step(input, clips);
                if self.over {
                    return;
                }
                steps += 1;
                assert!(
                    steps < 200_000,
                    "seed {}: the call never comes to rest at {}",
                    self.seed,
                    self.walk.at()
                );
            }
            let walk = self.walk.poll_timeout().map(|(at, _)| at.max(self.now));
            let answer = self.answer.as_ref().map(|(at, _)| *at);
            let next = [walk, answer, self.playing_until].into_iter().flatten().min();
            assert!(
                next.is_some() || self.resting,
                "seed {}: {} waits for nothing",
                self.seed,
                self.walk.at()
            );
            let key =
                (self.keys_left > 0).then(|| self.now + Duration::from_millis(self.rng.next_u64() % 9_000));
            if next.is_none_or(|next| next.since(Time::ZERO) > LONG_ENOUGH) && key.is_none() {
                if self.resting {
                    self.todo.push_back(Input::Returned);
                    continue;
                }
                assert!(self.in_line, "seed {}: rests outside a queue at {}", self.seed, self.walk.at());
                return;
            }
            let before = self.now;
            match (next, key) {
                (Some(next), Some(key)) if key < next => self.press(key),
                (None, Some(key)) => self.press(key),
                (Some(next), _) => {
                    self.now = next;
                    self.happen(walk == Some(next));
                }
                (None, None) => return,
            }
            at_this_moment = if self.now == before { at_this_moment + 1 } else { 0 };
            assert!(at_this_moment < 500, "seed {}: time stands still at {}", self.seed, self.walk.at());
        }
    }

    fn press(&mut self, at: Time) {
        self.now = at;
        self.keys_left -= 1;
        let wanted: Vec<char> = "0123456789#*".chars().filter(|key| self.walk.listens(*key)).collect();
        let key = match (self.draw(3), wanted.len() as u64) {
            (0 | 1, n) if n > 0 => wanted[self.draw(n) as usize],
            _ => b"0123456789#*"[self.draw(12) as usize] as char,
        };
        self.todo.extend(Digit::from_char(key).map(Input::Digit));
    }

    fn happen(&mut self, due: bool) {
        if let Some((_, input)) = self.answer.take_if(|(at, _)| *at <= self.now) {
            self.recording = false;
            if matches!(input, Input::Queue(_)) {
                self.in_line = false;
            }
            self.todo.push_back(input);
        } else if self.playing_until.take_if(|at| *at <= self.now).is_some() {
            self.todo.push_back(Input::PlayFinished);
        } else if due {
            self.todo.push_back(Input::Timeout);
        }
    }

    fn step(&mut self, input: Input, clips: &Book) {
        let world = self.world();
        let (mut actions, mut trail) = (Vec::new(), Vec::new());
        let sensitive = self.sensitive;
        self.walk.handle(self.now, &world, input.clone(), &mut actions, &mut trail);
        let outcome = trail.iter().find_map(|entry| match entry {
            Trail::Left { outcome, .. } => Some(Arc::clone(outcome)),
            _ => None,
        });
        let input = match (input, outcome) {
            (Input::Digit(_) | Input::Timeout, Some(outcome)) if sensitive => {
                Some(Input::SensitiveOutcome(outcome))
            }
            (Input::Digit(_), None) if sensitive => None,
            (other, _) => Some(other),
        };
        self.kept.push(Kept { at: self.now, world, input, trail });
        assert!(actions.len() < 300, "seed {}: {} orders at once", self.seed, actions.len());
        for action in actions {
            self.carry_out(action, clips);
        }
        if self.walk.is_resting() {
            self.resting = true;
        }
    }

    fn carry_out(&mut self, action: Action, clips: &Book) {
        let place = format!("seed {}: at {}", self.seed, self.walk.at());
        assert!(!self.over, "{place}: {action:?} after the end");
        let soon = self.now + Duration::from_millis(1 + self.draw(4_000));
        match action {
            Action::Play(spoken) => {
                for part in &spoken {
                    if let Spoken::Clip(name) = part {
                        let known = clips.clip_text(name).is_some()
                            || Path::new(env!("CARGO_MANIFEST_DIR"))
                                .join(format!("sounds/{name}.wav"))
                                .is_file();
                        assert!(known, "{place}: no clip {name}");
                    }
                }
                assert!(!spoken.is_empty(), "{place}: plays nothing");
                self.playing_until = Some(self.now + Duration::from_millis(200 + self.draw(9_000)));
            }
            Action::StopPlay => self.playing_until = None,
            Action::Music(_) | Action::Set { .. } => {}
            Action::Fault { node, what } => self.faults.push(format!("{node}: {what}")),
            Action::Enqueue { .. } => {
                assert!(!self.in_line, "{place}: joins a second queue");
                let news = match self.draw(8) {
                    0 => QueueNews::Full,
                    _ if self.staffed => QueueNews::Waiting,
                    _ => QueueNews::NoStaff,
                };
                self.in_line = news != QueueNews::Full;
                self.todo.push_back(Input::Queue(news));
                if self.staffed && self.in_line && self.draw(3) == 0 {
                    self.answer = Some((
                        self.now + Duration::from_millis(self.rng.next_u64() % 300_000),
                        Input::Queue(QueueNews::Answered),
                    ));
                } else if self.draw(12) == 0 && self.in_line {
                    self.answer = Some((
                        self.now + Duration::from_millis(self.rng.next_u64() % 300_000),
                        Input::Queue(QueueNews::TimedOut),
                    ));
                }
            }
            Action::Raise { .. } => {}
            Action::LeaveQueue => {
                assert!(self.in_line, "{place}: leaves a queue it is not in");
                self.in_line = false;
                self.answer = None;
            }
            Action::Dial { .. } => {
                assert!(!self.in_line, "{place}: dials while in line");
                let ends = [DialEnd::Answered, DialEnd::Busy, DialEnd::NoAnswer, DialEnd::Failed];
                let end = ends[self.draw(4) as usize];
                self.todo.push_back(Input::Dial(end));
            }
            Action::RecordMessage { max_ms, .. } => {
                assert!(!self.in_line && !self.recording, "{place}: records while it waits or records");
                self.recording = true;
                let stored = self.stored();
                let end = self.now + Duration::from_millis(self.rng.next_u64() % u64::from(max_ms));
                self.answer = Some((end, Input::MessageStored(stored)));
            }
            Action::StopMessage => {
                if let Some((at, _)) = &mut self.answer {
                    *at = (*at).min(soon);
                }
            }
            Action::RequestCallback { .. } => {
                assert!(!self.in_line, "{place}: books a callback while in line");
                let stored = self.stored();
                self.answer = Some((soon, Input::CallbackStored(stored)));
            }
            Action::Lookup { .. } => {
                assert!(!self.in_line, "{place}: looks something up while in line");
                let result = match self.draw(4) {
                    0 => LookupResult::None,
                    1 => LookupResult::Failed,
                    2 => LookupResult::Found(vec![
                        ("state".into(), "handling".into()),
                        ("dept".into(), "rl".into()),
                        ("due".into(), "2026-11-25T17:30:00+08:00".into()),
                    ]),
                    _ => LookupResult::Found(vec![
                        (
                            "state".into(),
                            ["closed", "replied", "accepted", "void"][self.draw(4) as usize].into(),
                        ),
                        ("date".into(), "2026-11-20T01:05:00Z".into()),
                    ]),
                };
                self.answer = Some((soon, Input::LookupDone(result)));
            }
            Action::Sensitive(on) => {
                assert_ne!(self.sensitive, on, "{place}: the recording's gap is opened or closed twice");
                self.sensitive = on;
            }
            Action::HangUp { .. } => {
                self.over = true;
            }
        }
    }

    fn stored(&mut self) -> Stored {
        if self.draw(5) == 0 {
            Stored::Failed
        } else {
            Stored::Number { no: "261126000012".into(), code: "123456".into() }
        }
    }

    /// Walks the journaled steps again.
    fn replay(&self, flow: &Arc<Flow>) {
        let mut again = Walk::new(Arc::clone(flow), self.facts.clone());
        for (n, kept) in self.kept.iter().enumerate() {
            let (mut actions, mut trail) = (Vec::new(), Vec::new());
            if let Some(input) = kept.input.clone() {
                again.handle(kept.at, &kept.world, input, &mut actions, &mut trail);
            }
            assert_eq!(
                trail,
                kept.trail,
                "seed {}, step {n} of {}: {:?}",
                self.seed,
                flow.file(),
                kept.input
            );
        }
    }
}

fn files(folder: &str) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .map(|e| e.expect("readable").path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|p| (name(p), std::fs::read_to_string(p).expect("readable"))).collect()
}

#[test]
fn callers_who_do_anything_are_led_to_an_end_or_a_person() {
    let book = Arc::new(Book::read(include_str!("../../../sounds/manifest.json")).expect("the manifest"));
    let mut all = files("ivr-flows");
    all.extend(files("ivr-flows/examples"));
    let set = FlowSet::load(all, &book).unwrap_or_else(|problems| panic!("{problems}"));
    let seeds = match std::env::var("SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..CALLS,
    };
    let (mut steps, mut ended) = (0, 0);
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds {
        for flow in set.flows() {
            let mut call = Call::new(flow, seed);
            call.run(&book);
            call.replay(flow);
            steps += call.kept.len();
            ended += u64::from(call.over);
            for fault in call.faults {
                *faults.entry(format!("{} {fault}", flow.file())).or_default() += 1;
            }
        }
    }
    println!(
        "{steps} steps, {ended} calls hung up by the flow; a walk is {} bytes; faults: {faults:#?}",
        std::mem::size_of::<Walk>()
    );
    let unforeseen: Vec<_> =
        faults.keys().filter(|fault| !fault.contains("confirm: cannot be said")).collect();
    assert!(unforeseen.is_empty(), "the shipped flows fault: {unforeseen:?}");
    assert!(std::mem::size_of::<Walk>() < 1024);
}

const ASIDE: &str = r#"
[flow]
start = "people"
version = "1"

[node.people]
kind = "queue"
queue = "main"
no_staff_after_s = 60
keys = { "8" = "offer" }
raise = { "0" = 5 }
timeout = "offer"
full = "message"
no_staff = "offer"

[node.offer]
kind = "menu"
prompt = "queue_offer"
keys = { "7" = "message", "8" = "people" }
no_input = "people"
wrong = "people"

[node.message]
kind = "voicemail"
done = "bye"
failed = "bye"

[node.bye]
kind = "hangup"
prompt = "goodbye"
"#;

/// What a walk asks for about its place, whether it has one, and whether it rests, after each of these inputs.
fn places(inputs: &[(u64, Input)]) -> Vec<(Vec<Action>, bool, bool)> {
    let flow = FlowSet::single("aside.toml", ASIDE).unwrap_or_else(|problems| panic!("{problems}"));
    let mut walk = Walk::new(flow, CallFacts::default());
    let world = World { staffed: 1, ..World::default() };
    let mut seen = Vec::new();
    for (ms, input) in inputs {
        let (mut actions, mut trail) = (Vec::new(), Vec::new());
        walk.handle(Time::from_millis(*ms), &world, input.clone(), &mut actions, &mut trail);
        actions.retain(|action| {
            matches!(action, Action::Enqueue { .. } | Action::LeaveQueue | Action::Raise { .. })
        });
        seen.push((actions, walk.queue().is_some(), walk.is_resting()));
    }
    seen
}

fn key(c: char) -> Input {
    Input::Digit(Digit::from_char(c).unwrap())
}

#[test]
fn a_place_in_line_is_kept_while_the_caller_listens_to_something_else() {
    let in_line = (vec![], true, false);
    let seen = places(&[
        (0, Input::Begin),
        (0, Input::Queue(QueueNews::Waiting)),
        (10_000, key('8')),
        (12_000, key('8')),
        (20_000, key('8')),
        (21_000, key('7')),
    ]);
    let joined = vec![Action::Enqueue { queue: "main".into(), priority: 0, skills: [].into() }];
    assert_eq!(seen[0], (joined, true, false));
    assert_eq!(seen[2], in_line, "listens to the offer");
    assert_eq!(seen[3], in_line, "waits on, in the same place");
    assert_eq!(seen[5], (vec![Action::LeaveQueue], false, false), "a message instead of the place");
}

#[test]
fn an_agent_may_answer_while_the_caller_listens_to_something_else() {
    let seen = places(&[
        (0, Input::Begin),
        (0, Input::Queue(QueueNews::Waiting)),
        (10_000, key('8')),
        (11_000, Input::Queue(QueueNews::Answered)),
    ]);
    assert_eq!(seen[3], (vec![], false, true));
}
