//! The interpreter: one caller's walk through a flow. Inputs and the time go in, actions and a trail come out.
//!
//! ```text
//!   Fresh ─Begin─▶ Playing ⇄ Menu ⇄ Collect ⇄ Survey        waits for the end of a prompt, a key, a deadline
//!                     ⇅        Queued, Dialing, Looking      waits for news, or a deadline
//!                     ⇅        Recording, Saving             waits for the disk
//!                   Resting (an agent has the call) ─Returned─▶ goes on
//!                   Leaving (last words) ─▶ Over
//! ```
//!
//! What always holds: in each state but `Fresh`, `Resting` and `Over` an order is outstanding or a deadline runs. A fault leads to a
//! person, a fault there to a message, a fault there to a goodbye.

mod queue;
mod steps;
#[cfg(test)]
mod tests;

use super::book::{How, Part};
use super::flow::{Flow, Kind, Node, NodeIx, Speech, Value};
use super::say;
use super::seam::{Action, CallFacts, HangUpWhy, Input, Spoken, Trail, World};
use crate::base::{Digit, Personal, Time};
use queue::Queued;
use std::sync::Arc;
use std::time::Duration;

/// Nodes entered at one moment; more is a circle that the linter did not see.
const HOPS_MAX: u32 = 64;
/// Faults of one walk; beyond that it says goodbye.
const FAULTS_MAX: u8 = 8;
/// Longest text a variable keeps, bytes, and how many variables there are.
const VALUE_MAX: usize = 256;
const VARS_MAX: usize = 64;
/// After the last words a lost end of the prompt must not keep the call: longest goodbye.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// One caller's place in a flow.
#[derive(Debug)]
pub struct Walk {
    flow: Arc<Flow>,
    facts: CallFacts,
    vars: Vec<(Arc<str>, Personal)>,
    at: NodeIx,
    state: State,
    playing: bool,
    music: bool,
    sensitive: bool,
    /// What the call came to, for the reason it ends with.
    came_to: Option<HangUpWhy>,
    faults: u8,
    /// Look-ups of this walk that found nothing.
    nones: u8,
    /// Keys pressed before anything asked for them.
    ahead: Vec<Digit>,
    /// A fault has brought the caller here: he is told before he waits.
    sorry: bool,
    /// Nodes entered at this moment, by however many inputs.
    hops: (Time, u32),
    /// The place in line, which is kept while the caller listens or presses keys elsewhere.
    line: Option<Line>,
}

/// A place in a queue.
#[derive(Debug)]
struct Line {
    queue: Arc<str>,
    priority: u8,
    skills: Arc<[(Arc<str>, u8)]>,
    /// The node by which it was last waited in: what follows an agent is that node's.
    node: NodeIx,
}

#[derive(Debug)]
enum State {
    Fresh,
    Playing,
    /// A key has been pressed that counts when the prompt has been heard.
    Chosen(Digit),
    Menu {
        left: u8,
        until: Option<Time>,
    },
    Collect {
        digits: String,
        left: u8,
        until: Option<Time>,
    },
    Survey {
        left: u8,
        until: Option<Time>,
    },
    Queued(Box<Queued>),
    Looking,
    Dialing,
    /// The instructions, and the beep after them.
    Instructions,
    Recording {
        until: Time,
    },
    Saving,
    Resting,
    Leaving {
        why: HangUpWhy,
        until: Time,
    },
    Over,
}

/// What an input leads to: nothing yet, on by an outcome, or off the path.
enum Next {
    Stay,
    Out(Arc<str>),
    Fault(&'static str),
}

impl Next {
    fn out(outcome: &str) -> Self {
        Self::Out(Arc::from(outcome))
    }
}

/// Where actions and trail of one input go.
struct Outbox<'a> {
    now: Time,
    world: &'a World,
    actions: &'a mut Vec<Action>,
    trail: &'a mut Vec<Trail>,
}

impl Walk {
    pub fn new(flow: Arc<Flow>, facts: CallFacts) -> Self {
        let at = flow.start;
        Self {
            flow,
            facts,
            vars: Vec::new(),
            at,
            state: State::Fresh,
            playing: false,
            music: false,
            sensitive: false,
            came_to: None,
            faults: 0,
            nones: 0,
            ahead: Vec::new(),
            sorry: false,
            hops: (Time::ZERO, 0),
            line: None,
        }
    }

    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// The queue it has a place in.
    pub fn queue(&self) -> Option<&Arc<str>> {
        self.line.as_ref().map(|line| &line.queue)
    }

    /// The node it is at.
    pub fn at(&self) -> &str {
        &self.node().name
    }

    /// An agent has the call.
    pub fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting)
    }

    /// What is pressed now is kept out of journal and recording.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Would this key do something now?
    pub fn listens(&self, key: char) -> bool {
        let node = self.node();
        match (&node.kind, &self.state) {
            (_, State::Menu { .. } | State::Survey { .. } | State::Collect { .. }) => true,
            (Kind::Play { .. }, State::Playing) => node.key(key).is_some(),
            (Kind::Queue(queue), State::Queued(_)) => {
                node.key(key).is_some() || queue.raise.iter().any(|(raise, _)| *raise == key)
            }
            (Kind::Voicemail { end, .. }, State::Recording { .. }) => *end == key,
            _ => false,
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// When [`Input::Timeout`] is wanted, and why.
    pub fn poll_timeout(&self) -> Option<(Time, &'static str)> {
        match &self.state {
            State::Menu { until, .. } => until.map(|at| (at, "menu key")),
            State::Collect { until, .. } => until.map(|at| (at, "digits")),
            State::Survey { until, .. } => until.map(|at| (at, "survey key")),
            State::Queued(queued) => Some(queued.deadline()),
            State::Recording { until } => Some((*until, "message")),
            State::Leaving { until, .. } => Some((*until, "last words")),
            State::Fresh
            | State::Playing
            | State::Chosen(_)
            | State::Looking
            | State::Dialing
            | State::Instructions
            | State::Saving
            | State::Resting
            | State::Over => None,
        }
    }

    pub fn handle(
        &mut self,
        now: Time,
        world: &World,
        input: Input,
        actions: &mut Vec<Action>,
        trail: &mut Vec<Trail>,
    ) {
        let mut out = Outbox { now, world, actions, trail };
        if matches!(input, Input::PlayFinished) {
            self.playing = false;
        }
        if matches!(self.state, State::Fresh) {
            if input == Input::Begin {
                let start = self.flow.start;
                self.go(start, &mut out);
            }
            return;
        }
        let next = self.take(input, &mut out);
        self.follow(next, &mut out);
    }

    fn node(&self) -> &Node {
        self.flow.node(self.at)
    }

    /// Goes on by an outcome or a fault until something has to be waited for.
    fn follow(&mut self, mut next: Next, out: &mut Outbox<'_>) {
        loop {
            let to = match next {
                Next::Stay => return,
                Next::Out(outcome) => match self.leave(&outcome, out) {
                    Some(to) => to,
                    None => self.fault("no way out", out),
                },
                Next::Fault(what) => self.fault(what, out),
            };
            if self.hops.0 != out.now {
                self.hops = (out.now, 0);
            }
            self.hops.1 += 1;
            if self.hops.1 > HOPS_MAX {
                self.faults = FAULTS_MAX;
                let to = self.fault("a circle", out);
                next = self.enter(to, out);
                if matches!(next, Next::Stay) {
                    return;
                }
                return self.goodbye(out);
            }
            next = self.enter(to, out);
        }
    }

    fn go(&mut self, to: NodeIx, out: &mut Outbox<'_>) {
        let next = self.enter(to, out);
        self.follow(next, out);
    }

    /// Leaves the node: what belongs to it ends. `None`: the outcome leads nowhere.
    fn leave(&mut self, outcome: &str, out: &mut Outbox<'_>) -> Option<NodeIx> {
        let node = self.node();
        let mut chars = outcome.chars();
        let key = chars.next().filter(|_| chars.next().is_none());
        let to = key.and_then(|key| node.key(key)).or_else(|| node.out(outcome));
        out.trail.push(Trail::Left { node: Arc::clone(&node.name), outcome: Arc::from(outcome) });
        self.put_down(out);
        to
    }

    /// Ends what the state has going on.
    fn put_down(&mut self, out: &mut Outbox<'_>) {
        if let State::Recording { .. } = std::mem::replace(&mut self.state, State::Playing) {
            out.actions.push(Action::StopMessage);
        }
        if std::mem::take(&mut self.playing) {
            out.actions.push(Action::StopPlay);
        }
        if std::mem::take(&mut self.music) {
            out.actions.push(Action::Music(None));
        }
        if std::mem::take(&mut self.sensitive) {
            out.actions.push(Action::Sensitive(false));
        }
    }

    /// Where to after a fault: the node's own `error`, else people, else a message, else goodbye.
    fn fault(&mut self, what: &'static str, out: &mut Outbox<'_>) -> NodeIx {
        let node = Arc::clone(&self.node().name);
        out.actions.push(Action::Fault { node: Arc::clone(&node), what: Arc::from(what) });
        out.trail.push(Trail::Left { node, outcome: Arc::from("error") });
        let own = self.node().out("error");
        self.put_down(out);
        self.faults = self.faults.saturating_add(1);
        self.sorry = own.is_none();
        match own {
            Some(to) if self.faults < FAULTS_MAX => to,
            _ if self.at != self.flow.person && self.faults < FAULTS_MAX => self.flow.person,
            _ if self.at != self.flow.message && self.faults < 2 * FAULTS_MAX => self.flow.message,
            _ => END,
        }
    }

    // --- what is said --------------------------------------------------------------------------------------------

    /// Plays; false when there is nothing to say and nothing to wait for. `None`: it cannot be said.
    fn play(&mut self, speech: &Speech, out: &mut Outbox<'_>) -> Option<bool> {
        let spoken = self.spoken(speech, out.world)?;
        out.trail.extend(speech.names.iter().map(|name| Trail::Prompt(Arc::clone(name))));
        if spoken.is_empty() {
            return Some(false);
        }
        self.playing = true;
        out.actions.push(Action::Play(spoken));
        Some(true)
    }

    /// 系统暂时繁忙: why he finds himself in a queue.
    fn apologise(&mut self, out: &mut Outbox<'_>) {
        let name = Arc::from(SORRY);
        let Some(parts) = self.flow.book.parts(SORRY) else { return };
        let _ = self.play(&Speech { names: vec![name], parts }, out);
    }

    /// The pieces; a prompt that needs a synthesiser is heard as its fallback. `None`: a value is missing or cannot be read.
    fn spoken(&self, speech: &Speech, world: &World) -> Option<Vec<Spoken>> {
        let needs_words = speech.parts.iter().any(|part| matches!(part, Part::Say { how: How::Text, .. }));
        if needs_words {
            let fallback: Vec<Part> =
                speech.names.iter().flat_map(|name| self.flow.book.fallback(name).to_vec()).collect();
            return self.pieces(&fallback, world);
        }
        self.pieces(&speech.parts, world)
    }

    fn pieces(&self, parts: &[Part], world: &World) -> Option<Vec<Spoken>> {
        let mut spoken = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Clip(name) => spoken.push(Spoken::Clip(Arc::clone(name))),
                Part::Pause(ms) => spoken.push(Spoken::Pause(*ms)),
                Part::Say { var, how } => {
                    // Nobody knows how long it will take: then nothing is said of it.
                    if let (How::QueueWait, None) = (how, world.wait_ms) {
                        continue;
                    }
                    spoken.extend(say::say(*how, self.value(var, world)?.reveal(), world.utc_offset_s)?);
                }
            }
        }
        Some(spoken)
    }

    // --- variables -----------------------------------------------------------------------------------------------

    fn value(&self, name: &str, world: &World) -> Option<Personal> {
        if let Some((_, value)) = self.vars.iter().find(|(known, _)| **known == *name) {
            return Some(value.clone());
        }
        let plain = |text: String| Some(Personal::new(text));
        match name {
            "caller" => self.facts.caller.clone(),
            "caller_tail" | "d4" => {
                let number = self.facts.caller.as_ref()?.reveal();
                let tail: String =
                    number.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
                plain(tail)
            }
            "called" => plain(self.facts.called.clone()),
            "redirected" => self.facts.redirected_from.clone().and_then(plain),
            "trunk" => plain(self.facts.trunk.clone()),
            "ahead" => world.ahead.map(|n| n.to_string()).and_then(plain),
            "wait_min" => world.wait_ms.map(|ms| (ms / 60_000).to_string()).and_then(plain),
            "leader" => world.leader.as_ref().map(ToString::to_string).and_then(plain),
            "today" => local(world).map(|at| at.date().to_string()).and_then(plain),
            _ => None,
        }
    }

    fn resolve(&self, value: &Value, world: &World) -> Option<Personal> {
        match value {
            Value::Text(text) => Some(Personal::new(&**text)),
            Value::Var(name) => self.value(name, world),
        }
    }

    fn set(&mut self, name: &Arc<str>, value: Personal) {
        let mut text = value.reveal();
        if text.len() > VALUE_MAX {
            let end = (0..=VALUE_MAX).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
            text = &text[..end];
        }
        let value = Personal::new(text);
        if let Some((_, old)) = self.vars.iter_mut().find(|(known, _)| known == name) {
            *old = value;
        } else if self.vars.len() < VARS_MAX {
            self.vars.push((Arc::clone(name), value));
        }
    }

    // --- the end -------------------------------------------------------------------------------------------------

    fn goodbye(&mut self, out: &mut Outbox<'_>) {
        let why = self.came_to.unwrap_or(HangUpWhy::FlowEnd);
        self.over(why, out);
    }

    /// Gives up the place in line.
    fn leave_line(&mut self, out: &mut Outbox<'_>) {
        if self.line.take().is_some() {
            out.actions.push(Action::LeaveQueue);
        }
    }

    fn over(&mut self, why: HangUpWhy, out: &mut Outbox<'_>) {
        self.leave_line(out);
        self.state = State::Over;
        out.actions.push(Action::HangUp { why });
    }
}

/// The prompt for whoever a fault has led to people.
const SORRY: &str = "sys_fail";

/// The implied end of every flow; see `set.rs`.
const END: NodeIx = 2;

/// Local wall time.
fn local(world: &World) -> Option<jiff::civil::DateTime> {
    let at = jiff::Timestamp::from_millisecond(world.wall_ms).ok()?;
    Some(jiff::tz::Offset::from_seconds(world.utc_offset_s).ok()?.to_datetime(at))
}

fn after(now: Time, ms: u32) -> Time {
    now + Duration::from_millis(ms.into())
}

/// A key as the outcome it is.
fn key_name(key: Digit) -> Arc<str> {
    Arc::from(key.as_char().to_string())
}
