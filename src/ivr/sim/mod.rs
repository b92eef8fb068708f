//! A walk without a phone: prompts take as long as they are, keys come when a script says, and a small world answers what the walk asks.
//!
//! ```text
//!   Plan (flow's world, keys, what becomes of waits) ──▶ run ──▶ Story (lines with times, path, how it ended)
//!   case file ──▶ Case = Plan + what is expected ──▶ differences; all stories ──▶ cover: nodes and outcomes taken
//! ```
//!
//! It drives the same [`Walk`] as the engine does, by the same words; only its world is made up. The same plan gives the same story.

pub mod case;
pub mod cover;
mod keys;
mod story;

use super::seam::{
    Action, CallFacts, DialEnd, HangUpWhy, Input, LookupResult, QueueNews, Spoken, Stored, Trail, World,
};
use super::{Flow, Walk};
use crate::base::{DayKind, Digit, Personal, Time};
pub use keys::{BadKeys, Press, Script, When};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
pub use story::{End, Event, Line, Story};

/// Longest simulated call; whoever still waits then is told to be waiting.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// Most inputs of one walk.
const STEPS_MAX: usize = 20_000;
/// What a disk, a database and a ringing phone take.
const STORED_AFTER: Duration = Duration::from_millis(50);
const LOOKED_UP_AFTER: Duration = Duration::from_millis(200);
const DIALED_AFTER: Duration = Duration::from_secs(5);

/// What becomes of a wait in one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// It takes nobody more.
    pub full: bool,
    /// People on its roster; with none the walk is told so.
    pub staffed: u16,
    /// An agent takes the caller so many seconds after he joined.
    pub answer_s: Option<u32>,
    /// The queue itself lets go of the caller after so many seconds.
    pub let_go_s: Option<u32>,
}

/// A call to be walked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Wall clock at the answer: milliseconds since 1970, and the zone's offset.
    pub wall_ms: i64,
    pub utc_offset_s: i32,
    pub day: DayKind,
    pub switches: Vec<String>,
    /// The unit whose head is on the line.
    pub leader: Option<String>,
    pub facts: CallFacts,
    pub keys: Vec<Press>,
    /// By queue; the others take their callers to nobody.
    pub queues: BTreeMap<String, Waits>,
    pub ahead: u32,
    pub wait_min: Option<u32>,
    /// Answers to look-ups and dials in turn; the last is given again.
    pub lookups: Vec<LookupResult>,
    pub dials: Vec<DialEnd>,
    /// Messages and callback requests cannot be kept.
    pub store_fails: bool,
    /// How long the caller speaks his message before he falls silent.
    pub speaks_s: u32,
    /// After so many seconds of talk the agent hangs up and the call comes back. Without: the story ends with the agent.
    pub talk_s: Option<u32>,
    /// The agent hears nobody and says so instead of hanging up.
    pub silent: bool,
    /// The caller hangs up so many seconds after the answer.
    pub patience_s: Option<u32>,
}

impl Plan {
    /// A call that nobody answers and that presses nothing, at a moment of the wall clock.
    pub fn at(moment: Moment) -> Self {
        Self {
            wall_ms: moment.wall_ms,
            utc_offset_s: moment.utc_offset_s,
            day: moment.weekday,
            switches: Vec::new(),
            leader: None,
            facts: CallFacts {
                caller: Some(Personal::new("13800001234")),
                called: "12341".to_owned(),
                redirected_from: None,
                trunk: "sim".to_owned(),
                tags: Vec::new(),
                began: Time::ZERO,
            },
            keys: Vec::new(),
            queues: BTreeMap::new(),
            ahead: 0,
            wait_min: None,
            lookups: Vec::new(),
            dials: Vec::new(),
            store_fails: false,
            speaks_s: 20,
            talk_s: None,
            silent: false,
            patience_s: None,
        }
    }
}

/// A moment as people write it, `2026-11-25T22:30` or with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub wall_ms: i64,
    pub utc_offset_s: i32,
    /// Monday to Friday or not; holidays are for the calendar to tell.
    pub weekday: DayKind,
    pub date: jiff::civil::Date,
}

impl Moment {
    /// Without an offset in it, the text is local time of `offset_s`.
    pub fn parse(text: &str, offset_s: i32) -> Option<Self> {
        let (civil, offset_s) = match text.char_indices().rev().find(|(_, c)| matches!(c, '+' | '-' | 'Z')) {
            Some((at, 'Z')) => (&text[..at], 0),
            Some((at, sign)) if text[at..].contains(':') && text[..at].contains('T') => {
                let (h, m) = text[at + 1..].split_once(':')?;
                let seconds = h.parse::<i32>().ok()? * 3_600 + m.parse::<i32>().ok()? * 60;
                (&text[..at], if sign == '-' { -seconds } else { seconds })
            }
            _ => (text, offset_s),
        };
        let civil: jiff::civil::DateTime = civil.trim().parse().ok()?;
        let offset = jiff::tz::Offset::from_seconds(offset_s).ok()?;
        let wall_ms = offset.to_timestamp(civil).ok()?.as_millisecond();
        let weekday = match civil.weekday() {
            jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday => DayKind::Weekend,
            _ => DayKind::Workday,
        };
        Some(Self { wall_ms, utc_offset_s: offset_s, weekday, date: civil.date() })
    }
}

/// Something that will happen to the walk.
#[derive(Clone, Debug)]
enum Happening {
    PlayEnds(u32),
    Key(char),
    Input(Input),
    /// Of the wait with this number.
    Queue(u32, QueueNews),
    /// Of the message with this number: the recorder has heard enough.
    MessageEnds(u32),
    CallerLeaves,
}

/// The call while it is walked.
struct Sim<'a> {
    plan: &'a Plan,
    flow: &'a Arc<Flow>,
    walk: Walk,
    script: Script,
    now: Time,
    /// By time and order of planning.
    ahead: BTreeMap<(Time, u32), Happening>,
    planned: u32,
    play: u32,
    wait: u32,
    message: Option<u32>,
    messages: u32,
    queue: Option<Arc<str>>,
    lookups: usize,
    dials: usize,
    numbers: u32,
    story: Story,
}

/// Walks a flow by a plan.
pub fn run(flow: &Arc<Flow>, plan: &Plan) -> Story {
    let mut sim = Sim {
        plan,
        flow,
        walk: Walk::new(Arc::clone(flow), plan.facts.clone()),
        script: Script::new(&plan.keys),
        now: Time::ZERO,
        ahead: BTreeMap::new(),
        planned: 0,
        play: 0,
        wait: 0,
        message: None,
        messages: 0,
        queue: None,
        lookups: 0,
        dials: 0,
        numbers: 0,
        story: Story::default(),
    };
    if let Some(s) = plan.patience_s {
        sim.after(Duration::from_secs(s.into()), Happening::CallerLeaves);
    }
    sim.input(Input::Begin);
    sim.go();
    sim.story.keys_left = sim.script.left();
    sim.story
}

impl Sim<'_> {
    fn go(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.story.end.is_some() {
                return;
            }
            let walk = self.walk.poll_timeout().map(|(at, _)| at);
            let key = self.script.next(self.now, &self.walk);
            let first = self.ahead.first_key_value().map(|((at, _), _)| *at);
            let due = [walk, key.map(|(at, _)| at), first].into_iter().flatten().min();
            let Some(due) = due.filter(|at| *at <= Time::ZERO + LONGEST) else {
                return self.rest(due.is_some());
            };
            self.now = self.now.max(due);
            if first.is_some_and(|at| at <= self.now) {
                if let Some((_, what)) = self.ahead.pop_first() {
                    self.happen(what);
                }
            } else if let Some((_, key)) = key.filter(|(at, _)| *at <= self.now) {
                self.script.pressed(self.now);
                self.happen(Happening::Key(key));
            } else {
                self.input(Input::Timeout);
            }
        }
        self.story.end = Some(End::Endless);
    }

    /// Nothing more will happen by itself, or only after the longest call.
    fn rest(&mut self, later: bool) {
        self.story.end = Some(match &self.queue {
            Some(queue) => End::Waiting(queue.to_string()),
            None if later => End::Waiting(self.walk.at().to_owned()),
            None if self.walk.is_resting() => End::Talking,
            None => End::Stuck,
        });
    }

    fn after(&mut self, by: Duration, what: Happening) {
        self.planned += 1;
        self.ahead.insert((self.now + by, self.planned), what);
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::PlayEnds(play) if play == self.play => self.input(Input::PlayFinished),
            Happening::PlayEnds(_) => {}
            Happening::Key(key) => {
                self.tell(Event::Key(if self.walk.is_sensitive() { '*' } else { key }));
                if let Some(digit) = Digit::from_char(key) {
                    self.input(Input::Digit(digit));
                }
            }
            Happening::Input(input) => self.input(input),
            Happening::Queue(wait, news) if wait == self.wait => self.queue_news(news),
            Happening::Queue(..) => {}
            Happening::MessageEnds(n) if self.message == Some(n) => self.message_ends(),
            Happening::MessageEnds(_) => {}
            Happening::CallerLeaves => {
                self.tell(Event::CallerHungUp);
                self.story.end = Some(End::CallerHungUp);
            }
        }
    }

    fn queue_news(&mut self, news: QueueNews) {
        if matches!(news, QueueNews::Full | QueueNews::TimedOut | QueueNews::Answered) {
            self.queue = None;
        }
        self.tell(Event::Queue(news));
        self.input(Input::Queue(news));
        if news != QueueNews::Answered {
            return;
        }
        let back = if self.plan.silent { Input::Silent } else { Input::Returned };
        match self.plan.talk_s {
            Some(s) => self.after(Duration::from_secs(s.into()), Happening::Input(back)),
            None => self.story.end = Some(End::Talking),
        }
    }

    fn message_ends(&mut self) {
        self.message = None;
        let stored = self.stored();
        self.after(STORED_AFTER, Happening::Input(Input::MessageStored(stored)));
    }

    fn stored(&mut self) -> Stored {
        self.numbers += 1;
        match self.plan.store_fails {
            true => Stored::Failed,
            false => Stored::Number {
                no: format!("26112500{:04}", 10 + self.numbers).into(),
                code: format!("{:06}", 200_400 + self.numbers).into(),
            },
        }
    }

    fn world(&self) -> World {
        let staffed = self.queue.as_ref().map_or(0, |queue| self.waits(queue).staffed);
        World {
            wall_ms: self.plan.wall_ms + self.now.as_millis() as i64,
            utc_offset_s: self.plan.utc_offset_s,
            day: self.plan.day,
            switches: self.plan.switches.iter().map(|name| Arc::from(name.as_str())).collect(),
            ahead: self.queue.as_ref().map(|_| self.plan.ahead),
            wait_ms: self.queue.as_ref().and(self.plan.wait_min).map(|min| min * 60_000),
            staffed,
            free: 0,
            leader: self.plan.leader.as_deref().map(Arc::from),
        }
    }

    fn waits(&self, queue: &str) -> Waits {
        let nobody = Waits { full: false, staffed: 0, answer_s: None, let_go_s: None };
        self.plan.queues.get(queue).cloned().unwrap_or(nobody)
    }

    fn input(&mut self, input: Input) {
        let world = self.world();
        let (mut actions, mut trail) = (Vec::new(), Vec::new());
        self.walk.handle(self.now, &world, input, &mut actions, &mut trail);
        let mut prompts = Vec::new();
        for step in trail {
            self.script.saw(self.now, &step);
            match step {
                Trail::Entered(node) => self.tell(Event::Entered(node)),
                Trail::Left { node, outcome } => self.tell(Event::Left { node, outcome }),
                Trail::Prompt(name) => prompts.push(name),
            }
        }
        for action in actions {
            self.carry_out(action, &mut prompts);
        }
    }

    fn carry_out(&mut self, action: Action, prompts: &mut Vec<Arc<str>>) {
        match action {
            Action::Play(spoken) => {
                let (ms, text) = self.heard(&spoken);
                self.play += 1;
                let play = self.play;
                self.after(Duration::from_millis(ms.max(20).into()), Happening::PlayEnds(play));
                self.tell(Event::Heard { prompts: std::mem::take(prompts), text, ms });
            }
            Action::StopPlay => self.play += 1,
            Action::Music(Some(name)) => self.tell(Event::Music(name)),
            Action::Music(None) => {}
            Action::Enqueue { queue, priority, .. } => self.join(queue, priority),
            Action::Raise { priority } => self.tell(Event::Raised(priority)),
            Action::LeaveQueue => {
                self.wait += 1;
                self.queue = None;
                self.tell(Event::LeftQueue);
            }
            Action::Dial { to, .. } => {
                self.tell(Event::Dialed(to));
                let end = turn(&self.plan.dials, &mut self.dials).unwrap_or(DialEnd::Failed);
                self.after(DIALED_AFTER, Happening::Input(Input::Dial(end)));
            }
            Action::RecordMessage { max_ms, silence_ms } => {
                self.messages += 1;
                self.message = Some(self.messages);
                let ms = (self.plan.speaks_s * 1_000 + silence_ms).min(max_ms);
                let n = self.messages;
                self.tell(Event::Records);
                self.after(Duration::from_millis(ms.into()), Happening::MessageEnds(n));
            }
            Action::StopMessage => {
                if self.message.is_some() {
                    self.message_ends();
                }
            }
            Action::RequestCallback { number, queue } => {
                let number = number.or_else(|| self.plan.facts.caller.clone()).unwrap_or_default();
                self.tell(Event::Callback { number: number.reveal().into(), queue });
                let known = !number.is_empty();
                let stored = if known { self.stored() } else { Stored::Failed };
                self.after(STORED_AFTER, Happening::Input(Input::CallbackStored(stored)));
            }
            Action::Lookup { kind, .. } => {
                let result = turn(&self.plan.lookups, &mut self.lookups).unwrap_or(LookupResult::Failed);
                self.tell(Event::LookedUp { kind, result: result.clone() });
                self.after(LOOKED_UP_AFTER, Happening::Input(Input::LookupDone(result)));
            }
            Action::Set { name, value } => self.tell(Event::Set { name, value }),
            Action::Sensitive(on) => self.tell(Event::Sensitive(on)),
            Action::HangUp { why } => {
                self.tell(Event::HungUp(why));
                self.story.end = Some(End::HungUp(why));
            }
            Action::Fault { node, what } => self.tell(Event::Fault { node, what }),
        }
    }

    fn join(&mut self, queue: Arc<str>, priority: u8) {
        self.wait += 1;
        self.queue = Some(Arc::clone(&queue));
        self.tell(Event::Joined { queue: Arc::clone(&queue), priority });
        let (wait, waits) = (self.wait, self.waits(&queue));
        let news = match (waits.full, waits.staffed) {
            (true, _) => QueueNews::Full,
            (false, 0) => QueueNews::NoStaff,
            _ => QueueNews::Waiting,
        };
        self.after(Duration::ZERO, Happening::Queue(wait, news));
        if waits.full {
            return;
        }
        for (s, news) in [(waits.answer_s, QueueNews::Answered), (waits.let_go_s, QueueNews::TimedOut)] {
            if let Some(s) = s {
                self.after(Duration::from_secs(s.into()), Happening::Queue(wait, news));
            }
        }
    }

    /// How long it takes and what it says.
    fn heard(&self, spoken: &[Spoken]) -> (u32, String) {
        let book = &self.flow.book;
        let (mut ms, mut text) = (0_u32, String::new());
        for part in spoken {
            match part {
                Spoken::Clip(name) => {
                    ms = ms.saturating_add(book.clip_ms(name));
                    match book.clip_text(name) {
                        Some(said) => text.push_str(said),
                        None => text.push_str(&format!("[{name}]")),
                    }
                }
                Spoken::Pause(pause) => {
                    ms = ms.saturating_add((*pause).into());
                    text.push(' ');
                }
            }
        }
        (ms, text)
    }

    fn tell(&mut self, event: Event) {
        self.story.lines.push(Line { at_ms: self.now.as_millis(), event });
    }
}

/// The next of several answers; the last is given for ever.
fn turn<T: Clone>(answers: &[T], turn: &mut usize) -> Option<T> {
    let answer = answers.get((*turn).min(answers.len().saturating_sub(1))).cloned();
    *turn += 1;
    answer
}

/// A reason as case files and stories write it.
pub const fn why_name(why: HangUpWhy) -> &'static str {
    match why {
        HangUpWhy::FlowEnd => "flow_end",
        HangUpWhy::MessageLeft => "message_left",
        HangUpWhy::CallbackBooked => "callback_booked",
        HangUpWhy::SurveyDone => "survey_done",
        HangUpWhy::NoInput => "no_input",
        HangUpWhy::WrongInput => "wrong_input",
    }
}
