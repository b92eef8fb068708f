//! What each kind of node does when it is entered, and what it makes of an input.

use super::super::flow::{Kind, On, Speech, When};
use super::super::seam::{Action, DialEnd, HangUpWhy, Input, LookupResult, Stored, Trail, World};
use super::{LAST_WORDS, Next, Outbox, State, Walk, after, key_name, local};
use crate::base::{Digit, Personal};
use std::sync::Arc;

/// The worker ends a message by itself; a walk that hears nothing of it gives up so long after.
const MESSAGE_GRACE_MS: u32 = 20_000;
/// Keys kept for the next node that asks.
const AHEAD_MAX: usize = 24;

impl Walk {
    /// Enters a node and does what it does at once.
    pub(super) fn enter(&mut self, to: super::NodeIx, out: &mut Outbox<'_>) -> Next {
        self.at = to;
        let flow = Arc::clone(&self.flow);
        let node = flow.node(to);
        out.trail.push(Trail::Entered(Arc::clone(&node.name)));
        self.forget(&node.kind);
        if !keeps_place(&node.kind) {
            self.leave_line(out);
        }
        match &node.kind {
            Kind::Play { speech, .. } => {
                self.state = State::Playing;
                self.say_or(speech, "next", out)
            }
            Kind::Set { values } => self.assign(values, out),
            Kind::Menu { speech, timeout_ms, tries, .. } => {
                self.state = State::Menu { left: *tries, until: None };
                match self.typed_ahead() {
                    Some(key) => self.pressed(key, out),
                    None => self.ask(speech, *timeout_ms, out),
                }
            }
            Kind::Survey { speech, timeout_ms, tries, .. } => {
                self.state = State::Survey { left: *tries, until: None };
                self.ask(speech, *timeout_ms, out)
            }
            Kind::Collect(collect) => {
                self.state = State::Collect { digits: String::new(), left: collect.tries, until: None };
                if collect.sensitive {
                    self.sensitive = true;
                    out.actions.push(Action::Sensitive(true));
                    // What was typed before is in the journal: it is not taken for the secret.
                    self.ahead.clear();
                }
                if self.ahead.is_empty() {
                    return self.ask(&collect.speech, collect.first_ms, out);
                }
                while let Some(key) = self.typed_ahead() {
                    match self.digit(key, out) {
                        Next::Stay => {}
                        next => return next,
                    }
                }
                Next::Stay
            }
            Kind::Branch { on, cases } => Next::Out(self.choose(on, cases, out.world)),
            Kind::Lookup { what, args, timeout_ms, .. } => {
                self.state = State::Looking;
                let mut given = Vec::with_capacity(args.len());
                for (name, value) in args {
                    // A sensitive value is not there when the walk is replayed: the answer is journaled.
                    given.push((Arc::clone(name), self.resolve(value, out.world).unwrap_or_default()));
                }
                out.actions.push(Action::Lookup {
                    kind: Arc::clone(what),
                    args: given,
                    timeout_ms: *timeout_ms,
                });
                Next::Stay
            }
            Kind::Queue(queue) => {
                let next = self.wait(queue, out);
                if let Some(music) = &queue.music {
                    self.music = true;
                    out.actions.push(Action::Music(Some(Arc::clone(music))));
                }
                if std::mem::take(&mut self.sorry) {
                    self.apologise(out);
                }
                next
            }
            Kind::Dial { to, timeout_ms } => match self.resolve(to, out.world) {
                Some(number) if !number.is_empty() => {
                    self.state = State::Dialing;
                    out.actions
                        .push(Action::Dial { to: Arc::from(number.reveal()), timeout_ms: *timeout_ms });
                    Next::Stay
                }
                _ => Next::Fault("no number to dial"),
            },
            Kind::Voicemail { speech, beep, .. } => {
                self.state = State::Instructions;
                let mut whole = speech.clone();
                whole.names.extend(beep.names.iter().cloned());
                whole.parts.extend(beep.parts.iter().cloned());
                match self.play(&whole, out) {
                    Some(true) => Next::Stay,
                    Some(false) => self.record(out),
                    None => Next::Fault("cannot be said"),
                }
            }
            Kind::Callback { number, queue } => {
                let number = match number {
                    Some(value) => match self.resolve(value, out.world) {
                        Some(number) if !number.is_empty() => Some(number),
                        _ => return Next::out("failed"),
                    },
                    None => None,
                };
                self.state = State::Saving;
                out.actions.push(Action::RequestCallback { number, queue: Arc::clone(queue) });
                Next::Stay
            }
            Kind::Hangup { speech, why } => {
                let why = why.or(self.came_to).unwrap_or(HangUpWhy::FlowEnd);
                self.state = State::Leaving { why, until: out.now + LAST_WORDS };
                match self.play(speech, out) {
                    Some(true) => {}
                    Some(false) | None => self.over(why, out),
                }
                Next::Stay
            }
        }
    }

    /// What an input means to the state; what it means nothing to changes nothing.
    pub(super) fn take(&mut self, input: Input, out: &mut Outbox<'_>) -> Next {
        match input {
            Input::Begin => Next::Stay,
            Input::PlayFinished => self.prompt_ended(out),
            Input::Digit(key) => self.pressed(key, out),
            Input::Timeout => self.time_is_up(out),
            Input::LookupDone(result) => self.looked_up(result),
            Input::Queue(news) => self.queue_news(news, out),
            Input::Dial(end) => match self.state {
                State::Dialing => Next::out(match end {
                    DialEnd::Answered => "answered",
                    DialEnd::Busy => "busy",
                    DialEnd::NoAnswer => "no_answer",
                    DialEnd::Failed => "failed",
                }),
                _ => Next::Stay,
            },
            Input::MessageStored(stored) => match self.state {
                State::Recording { .. } | State::Saving => {
                    // It is kept: nothing is left to stop.
                    self.state = State::Saving;
                    self.stored(stored, HangUpWhy::MessageLeft)
                }
                _ => Next::Stay,
            },
            Input::CallbackStored(stored) => match self.state {
                State::Saving => self.stored(stored, HangUpWhy::CallbackBooked),
                _ => Next::Stay,
            },
            Input::Returned => match self.state {
                State::Resting => self.returned(out),
                _ => Next::Stay,
            },
            Input::Silent => match self.state {
                State::Resting if self.asks_the_silent() => Next::out("silent"),
                State::Resting => self.returned(out),
                _ => Next::Stay,
            },
            Input::SensitiveOutcome(outcome) => match (&*outcome, &self.state) {
                (RETRY, State::Collect { .. }) => self.collect_again(false, out),
                (_, State::Collect { .. }) => Next::Out(outcome),
                _ => Next::Stay,
            },
        }
    }

    fn prompt_ended(&mut self, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        match (&flow.node(self.at).kind, &mut self.state) {
            (Kind::Play { .. }, State::Playing) => Next::out("next"),
            (Kind::Play { .. }, State::Chosen(key)) => {
                let key = *key;
                Next::Out(key_name(key))
            }
            (
                Kind::Menu { timeout_ms, .. } | Kind::Survey { timeout_ms, .. },
                State::Menu { until, .. } | State::Survey { until, .. },
            ) => {
                *until = Some(after(out.now, *timeout_ms));
                Next::Stay
            }
            (Kind::Collect(collect), State::Collect { digits, until, .. }) => {
                let ms = if digits.is_empty() { collect.first_ms } else { collect.digit_ms };
                *until = Some(after(out.now, ms));
                Next::Stay
            }
            (Kind::Voicemail { .. }, State::Instructions) => self.record(out),
            (Kind::Hangup { .. }, State::Leaving { why, .. }) => {
                let why = *why;
                self.over(why, out);
                Next::Stay
            }
            _ => Next::Stay,
        }
    }

    fn pressed(&mut self, key: Digit, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let node = flow.node(self.at);
        let led = node.key(key.as_char()).is_some();
        match (&node.kind, &self.state) {
            (Kind::Play { finish: true, .. }, State::Playing) if led => {
                self.state = State::Chosen(key);
                Next::Stay
            }
            (Kind::Play { .. }, State::Playing) if led => Next::Out(key_name(key)),
            (Kind::Play { .. }, State::Playing | State::Chosen(_))
            | (Kind::Lookup { .. }, State::Looking) => {
                if self.ahead.len() < AHEAD_MAX {
                    self.ahead.push(key);
                }
                Next::Stay
            }
            (Kind::Menu { .. }, State::Menu { .. }) if led => Next::Out(key_name(key)),
            (Kind::Menu { speech, wrong, timeout_ms, .. }, State::Menu { .. }) => {
                self.wrong_key(speech, wrong, *timeout_ms, out)
            }
            (Kind::Survey { speech, answers, name, timeout_ms, .. }, State::Survey { .. }) => {
                match answers.iter().find(|(answer, _)| *answer == key.as_char()) {
                    Some((_, value)) => {
                        self.set(name, Personal::new(&**value));
                        out.actions.push(Action::Set { name: Arc::clone(name), value: Arc::clone(value) });
                        self.came_to = Some(HangUpWhy::SurveyDone);
                        Next::out("done")
                    }
                    None => self.wrong_key(speech, &Speech::default(), *timeout_ms, out),
                }
            }
            (Kind::Collect(_), State::Collect { .. }) => self.digit(key, out),
            (Kind::Voicemail { end, .. }, State::Recording { .. }) if *end == key.as_char() => {
                self.state = State::Saving;
                out.actions.push(Action::StopMessage);
                Next::Stay
            }
            // Who knows what to do need not listen to it.
            (Kind::Voicemail { end, .. }, State::Instructions) if *end == key.as_char() => {
                self.playing = false;
                out.actions.push(Action::StopPlay);
                self.record(out)
            }
            (Kind::Queue(queue), State::Queued(_)) => {
                match queue.raise.iter().find(|(raise, _)| *raise == key.as_char()) {
                    Some((_, priority)) => {
                        if let Some(line) = &mut self.line {
                            line.priority = line.priority.max(*priority);
                        }
                        out.actions.push(Action::Raise { priority: *priority });
                        Next::Stay
                    }
                    None if led => Next::Out(key_name(key)),
                    None => Next::Stay,
                }
            }
            _ => Next::Stay,
        }
    }

    fn time_is_up(&mut self, out: &mut Outbox<'_>) -> Next {
        if self.poll_timeout().is_none_or(|(at, _)| at > out.now) {
            return Next::Stay;
        }
        let flow = Arc::clone(&self.flow);
        match (&flow.node(self.at).kind, &mut self.state) {
            (Kind::Menu { speech, timeout_ms, .. }, State::Menu { left, .. }) => {
                *left = left.saturating_sub(1);
                match *left {
                    0 => self.nothing_came("no_input"),
                    _ => self.ask(speech, *timeout_ms, out),
                }
            }
            (Kind::Survey { speech, timeout_ms, .. }, State::Survey { left, .. }) => {
                *left = left.saturating_sub(1);
                match *left {
                    0 => Next::out("done"),
                    _ => self.ask(speech, *timeout_ms, out),
                }
            }
            (Kind::Collect(_), State::Collect { .. }) => self.digits_ended(out),
            (Kind::Queue(_), State::Queued(_)) => self.waited(out),
            (Kind::Voicemail { .. }, State::Recording { .. }) => Next::out("failed"),
            (Kind::Hangup { .. }, State::Leaving { why, .. }) => {
                let why = *why;
                self.over(why, out);
                Next::Stay
            }
            _ => Next::Stay,
        }
    }

    /// What belongs to the way behind does not reach beyond a node of this kind.
    fn forget(&mut self, kind: &Kind) {
        let (typed, given_up) = match kind {
            Kind::Play { .. } | Kind::Set { .. } | Kind::Branch { .. } => (false, false),
            Kind::Hangup { .. } => (true, false),
            Kind::Lookup { .. } | Kind::Menu { .. } | Kind::Collect(_) => (false, true),
            Kind::Queue(_)
            | Kind::Dial { .. }
            | Kind::Voicemail { .. }
            | Kind::Callback { .. }
            | Kind::Survey { .. } => (true, true),
        };
        if typed {
            self.ahead.clear();
        }
        if given_up && matches!(self.came_to, Some(HangUpWhy::NoInput | HangUpWhy::WrongInput)) {
            self.came_to = None;
        }
    }

    /// The first key that was pressed before anything asked for it.
    fn typed_ahead(&mut self) -> Option<Digit> {
        (!self.ahead.is_empty()).then(|| self.ahead.remove(0))
    }

    // --- asking --------------------------------------------------------------------------------------------------

    /// Says it and goes on by `outcome` where there is nothing to wait for.
    fn say_or(&mut self, speech: &Speech, outcome: &str, out: &mut Outbox<'_>) -> Next {
        match self.play(speech, out) {
            Some(true) => Next::Stay,
            Some(false) => Next::out(outcome),
            None => Next::Fault("cannot be said"),
        }
    }

    /// Asks: the deadline runs from the end of the prompt.
    fn ask(&mut self, speech: &Speech, timeout_ms: u32, out: &mut Outbox<'_>) -> Next {
        match self.play(speech, out) {
            Some(true) => self.deadline(None),
            Some(false) => self.deadline(Some(after(out.now, timeout_ms))),
            None => return Next::Fault("cannot be said"),
        }
        Next::Stay
    }

    fn deadline(&mut self, at: Option<crate::base::Time>) {
        if let State::Menu { until, .. } | State::Survey { until, .. } | State::Collect { until, .. } =
            &mut self.state
        {
            *until = at;
        }
    }

    fn nothing_came(&mut self, outcome: &str) -> Next {
        self.came_to = self.came_to.or(Some(HangUpWhy::NoInput));
        Next::out(outcome)
    }

    fn wrong_key(&mut self, speech: &Speech, wrong: &Speech, timeout_ms: u32, out: &mut Outbox<'_>) -> Next {
        let (State::Menu { left, .. } | State::Survey { left, .. }) = &mut self.state else {
            return Next::Stay;
        };
        *left = left.saturating_sub(1);
        if *left == 0 {
            let survey = matches!(self.state, State::Survey { .. });
            if !survey {
                self.came_to = self.came_to.or(Some(HangUpWhy::WrongInput));
            }
            return Next::out(if survey { "done" } else { "wrong" });
        }
        let mut again = wrong.clone();
        again.names.extend(speech.names.iter().cloned());
        again.parts.extend(speech.parts.iter().cloned());
        self.ask(&again, timeout_ms, out)
    }

    // --- digits --------------------------------------------------------------------------------------------------

    fn digit(&mut self, key: Digit, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let Kind::Collect(collect) = &flow.node(self.at).kind else { return Next::Stay };
        if std::mem::take(&mut self.playing) {
            out.actions.push(Action::StopPlay);
        }
        let State::Collect { digits, until, .. } = &mut self.state else { return Next::Stay };
        if collect.end == Some(key.as_char()) {
            return self.digits_ended(out);
        }
        // The star begins anew.
        if key.as_char() == '*' {
            digits.clear();
        } else {
            digits.push(key.as_char());
        }
        *until = Some(after(out.now, collect.digit_ms));
        let full = digits.len() >= usize::from(collect.max);
        // With an end key the caller says himself when it is whole, unless nothing more can come.
        if full { self.digits_ended(out) } else { Next::Stay }
    }

    fn digits_ended(&mut self, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let Kind::Collect(collect) = &flow.node(self.at).kind else { return Next::Stay };
        let State::Collect { digits, left, .. } = &mut self.state else { return Next::Stay };
        let fits = digits.len() >= usize::from(collect.min) && digits.chars().all(|c| c.is_ascii_digit());
        if fits {
            let value = Personal::new(std::mem::take(digits));
            self.set(&collect.var, value);
            return Next::out("done");
        }
        let nothing = digits.is_empty();
        *left = left.saturating_sub(1);
        if *left == 0 {
            return if nothing {
                self.nothing_came("no_input")
            } else {
                self.came_to = self.came_to.or(Some(HangUpWhy::WrongInput));
                Next::out("wrong")
            };
        }
        self.collect_again(!nothing, out)
    }

    /// Another try. In a sensitive node it leaves a mark by which a replay, which has no digits, knows of it.
    fn collect_again(&mut self, wrong: bool, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let node = flow.node(self.at);
        let Kind::Collect(collect) = &node.kind else { return Next::Stay };
        if let State::Collect { digits, .. } = &mut self.state {
            digits.clear();
        }
        let mut again = Speech::default();
        if collect.sensitive {
            out.trail.push(Trail::Left { node: Arc::clone(&node.name), outcome: Arc::from(RETRY) });
        } else if wrong {
            again = collect.wrong.clone();
        }
        again.names.extend(collect.speech.names.iter().cloned());
        again.parts.extend(collect.speech.parts.iter().cloned());
        self.ask(&again, collect.first_ms, out)
    }

    // --- the others ------------------------------------------------------------------------------------------------

    fn assign(&mut self, values: &[(Arc<str>, super::super::flow::Value)], out: &mut Outbox<'_>) -> Next {
        for (name, value) in values {
            let Some(value) = self.resolve(value, out.world) else {
                return Next::Fault("a variable is not set");
            };
            out.actions.push(Action::Set { name: Arc::clone(name), value: Arc::from(value.reveal()) });
            self.set(name, value);
        }
        self.state = State::Playing;
        Next::out("next")
    }

    fn choose(&self, on: &On, cases: &[(Arc<str>, When)], world: &World) -> Arc<str> {
        let found = cases.iter().find(|(_, when)| self.applies(on, when, world));
        found.map_or_else(|| Arc::from("else"), |(name, _)| Arc::clone(name))
    }

    fn applies(&self, on: &On, when: &When, world: &World) -> bool {
        let text = |value: Option<&str>| match when {
            When::Is(text) => value == Some(text),
            When::Begins(begin) => value.is_some_and(|value| value.starts_with(&**begin)),
            When::Nothing => value.is_none_or(str::is_empty),
            When::Between(..) | When::Day(_) | When::AtLeast(_) => false,
        };
        match (on, when) {
            (On::Time, _) => {
                local(world).is_some_and(|at| when.has_minute(at.hour() as u16 * 60 + at.minute() as u16))
            }
            (On::Day, When::Day(day)) => world.day == *day,
            (On::Staffed, When::AtLeast(n)) => world.staffed >= *n,
            (On::Staffed, When::Nothing) => world.staffed == 0,
            (On::Caller, _) => text(self.facts.caller.as_ref().map(Personal::reveal)),
            (On::Called, _) => text(Some(&self.facts.called)),
            (On::Redirected, _) => text(self.facts.redirected_from.as_deref()),
            (On::Trunk, _) => text(Some(&self.facts.trunk)),
            (On::Tag, When::Nothing) => self.facts.tags.is_empty(),
            (On::Tag, _) => self.facts.tags.iter().any(|tag| text(Some(tag))),
            (On::Switch, When::Nothing) => world.switches.is_empty(),
            (On::Switch, _) => world.switches.iter().any(|name| text(Some(name))),
            (On::Leader, _) => text(world.leader.as_deref()),
            (On::Var(name), _) => text(self.value(name, world).as_ref().map(Personal::reveal)),
            _ => false,
        }
    }

    fn looked_up(&mut self, result: LookupResult) -> Next {
        if !matches!(self.state, State::Looking) {
            return Next::Stay;
        }
        match result {
            LookupResult::Found(values) => {
                for (name, value) in values {
                    self.set(&name, Personal::new(&*value));
                }
                Next::out("found")
            }
            LookupResult::None => {
                self.nones = self.nones.saturating_add(1);
                let tries = match &self.node().kind {
                    Kind::Lookup { tries, .. } => *tries,
                    _ => 1,
                };
                // Whoever has tried so often needs a person.
                Next::out(if self.nones >= tries { "failed" } else { "none" })
            }
            LookupResult::Failed => Next::out("failed"),
        }
    }

    fn record(&mut self, out: &mut Outbox<'_>) -> Next {
        let flow = Arc::clone(&self.flow);
        let Kind::Voicemail { max_ms, silence_ms, .. } = &flow.node(self.at).kind else { return Next::Stay };
        self.state = State::Recording { until: after(out.now, max_ms.saturating_add(MESSAGE_GRACE_MS)) };
        out.actions.push(Action::RecordMessage { max_ms: *max_ms, silence_ms: *silence_ms });
        Next::Stay
    }

    fn stored(&mut self, stored: Stored, why: HangUpWhy) -> Next {
        match stored {
            Stored::Number { no, code } => {
                self.set(&Arc::from("no"), Personal::new(&*no));
                self.set(&Arc::from("code"), Personal::new(&*code));
                self.came_to = Some(why);
                Next::out("done")
            }
            Stored::Failed => Next::out("failed"),
        }
    }

    /// Does the flow know what to ask a caller whom the agent cannot hear?
    pub fn asks_the_silent(&self) -> bool {
        matches!(self.state, State::Resting) && self.node().out("silent").is_some()
    }

    /// The agent has hung up: the queue's `answered` way, where there is one (a survey); else the call has been served and ends.
    fn returned(&mut self, out: &mut Outbox<'_>) -> Next {
        match self.node().out("answered") {
            Some(_) => Next::out("answered"),
            None => {
                self.over(HangUpWhy::FlowEnd, out);
                Next::Stay
            }
        }
    }
}

/// Does a caller keep his place in line here? Where something is recorded, stored, looked up or dialled he gives it up.
const fn keeps_place(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Play { .. }
            | Kind::Set { .. }
            | Kind::Menu { .. }
            | Kind::Collect(_)
            | Kind::Branch { .. }
            | Kind::Queue(_)
    )
}

/// The outcome that stands for another try of a sensitive node.
const RETRY: &str = "again";
