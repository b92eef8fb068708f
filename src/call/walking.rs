//! A call's walk through its flow: inputs in, the walk's wishes carried out, numbers drawn and made safe.

use super::agents::calling_back::Callback;
use super::counters::Count;
use super::engine::{Effect, EndedBy, Engine, millis};
use super::fact::{Fact, QueueOutcome};
use super::live::{Saved, Stage};
use super::reach::News;
use super::request::Reply;
use super::{EndReason, steps};
use crate::acd::{Enter, Entered, Needs};
use crate::base::reach::Reachable;
use crate::base::{CallId, LegId, Personal, Time};
use crate::ivr::seam::{Action, HangUpWhy, Input, LookupResult, QueueNews, Spoken, Stored, Trail, World};
use crate::media::seam::{Order, Piece, PlayId, RecordingGap};
use crate::ticket::number::Draw;
use jiff::Timestamp;
use rand_chacha::rand_core::Rng;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Numbers for the desk that wait for a block to be on disk.
const DESK_NUMBERS: usize = 64;

impl Engine {
    /// One input of one walk: decided, journaled with its trail, carried out.
    pub(super) fn step(&mut self, now: Time, id: CallId, input: Input, out: &mut Vec<Effect>) {
        let world = self.world(now, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.touched.push(id);
        let (mut actions, mut trail) = (Vec::new(), Vec::new());
        let sensitive = call.sensitive;
        let walk = &mut call.walk;
        // Whatever is wrong in one walk ends that call alone; the process goes on (`attacks.md` O18).
        let decided = catch_unwind(AssertUnwindSafe(|| {
            walk.handle(now, &world, input.clone(), &mut actions, &mut trail)
        }));
        if decided.is_err() {
            self.counters.add(Count::InvariantBroken);
            return self.end(now, id, EndReason::InternalFault, EndedBy::Us, out);
        }
        for entered in &trail {
            if let Trail::Entered(node) = entered {
                call.remember_node(node);
            }
        }
        let mut fact = steps::step(id, &input, sensitive, &world, &trail);
        if sensitive && let Some(outcome) = sensitive_outcome(&input, &trail) {
            fact.input = super::fact::StepInput::SensitiveOutcome(outcome);
        }
        self.note(now, Fact::Step(Box::new(fact)), out);
        for action in actions {
            self.carry_out(now, id, action, out);
        }
    }

    fn world(&mut self, now: Time, id: CallId) -> World {
        let wait = self.acd.estimate(now, id).map(|(_, latest)| latest);
        let queue = self.acd.queue_of(id);
        let staff = queue.map(|queue| self.acd.staff(queue)).unwrap_or_default();
        World {
            wall_ms: self.wall.at(now),
            utc_offset_s: self.today.utc_offset_s,
            day: self.today.day,
            switches: Arc::clone(&self.config.switches),
            ahead: queue.and_then(|_| self.acd.ahead(id)),
            // What is spoken is the honest end of it; unsure means silent.
            wait_ms: wait.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
            staffed: staff.staffed,
            free: staff.free,
            leader: self.head_on_line(),
        }
    }

    fn carry_out(&mut self, now: Time, id: CallId, action: Action, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        let mut order = |order: Order| out.push(Effect::Media { worker, order });
        match action {
            Action::Play(spoken) => {
                call.play = PlayId(call.play.0.wrapping_add(1));
                let play = call.play;
                let pieces = self.pieces(&spoken);
                order(Order::Play { leg, play, pieces });
            }
            Action::StopPlay => {
                call.play = PlayId(call.play.0.wrapping_add(1));
                order(Order::Stop { leg });
            }
            Action::Music(name) => {
                // In a crisis nobody is left with music.
                let clip = name.filter(|_| !call.crisis).and_then(|name| self.clip(&name));
                order(Order::Background { leg, clip });
            }
            Action::Enqueue { queue, priority, skills } => {
                self.enqueue(now, id, &queue, priority, &skills, out);
            }
            Action::Raise { priority } => {
                if self.acd_fact(|acd, said| acd.raise(now, id, priority, said)) {
                    if let Some(call) = self.calls.get_mut(&id) {
                        (call.priority, call.urgent) = (priority, true);
                    }
                    self.note(now, Fact::QueueRaised { call: id, priority }, out);
                }
            }
            Action::LeaveQueue => {
                let priority = self.acd.place(id).map_or(0, |(_, priority)| priority);
                if let Some((queue, since)) = self.acd_fact(|acd, said| acd.leave(now, id, said)) {
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.stage = Stage::Walking;
                        call.place = Some((since, priority));
                    }
                    let waited_ms = millis(now.since(since));
                    self.drop_asked(now, id, "caller_left", out);
                    let (queue, outcome) = (queue.to_string(), QueueOutcome::LeftByFlow);
                    self.note(now, Fact::QueueLeft { call: id, queue, outcome, waited_ms }, out);
                }
            }
            Action::Dial { to, timeout_ms } => {
                self.connect_to(now, id, &to, Duration::from_millis(timeout_ms.into()), out);
            }
            Action::RecordMessage { max_ms, silence_ms } => {
                let recording = self.random_recording();
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.stage = Stage::Message { recording };
                call.message = Some(recording);
                out.push(Effect::Media {
                    worker,
                    order: Order::Message { leg, recording, max_ms, silence_ms },
                });
            }
            Action::StopMessage => order(Order::StopMessage { leg }),
            Action::RequestCallback { number, queue } => {
                let number = number.unwrap_or_else(|| Personal::new(call.number.clone()));
                if !self.may_be_called_back(number.reveal()) {
                    self.counters.add(Count::CallbacksRefused);
                    self.todo.push_back((id, Input::CallbackStored(Stored::Failed)));
                    return;
                }
                // One promise a number: whoever asks again, or for somebody else's telephone, does not make it ring more often.
                if self.is_promised(number.reveal()) {
                    self.counters.add(Count::CallbacksAgain);
                } else {
                    self.book_callback(now, id, number, &queue, out);
                }
                self.save(now, id, Saved::Callback, out);
            }
            Action::Lookup { kind, args, timeout_ms } => {
                let (lookup, timeout) = (self.next_lookup, Duration::from_millis(timeout_ms.into()));
                self.next_lookup = self.next_lookup.wrapping_add(1);
                call.stage = Stage::Looking { id: lookup, until: now + timeout };
                out.push(Effect::Lookup { call: id, id: lookup, kind, args, timeout });
            }
            Action::Set { name, value } => {
                if &*name == "silent" {
                    self.silent_caller_answers(now, id, &value);
                }
                let value = Personal::new(&*value);
                self.note(now, Fact::ValueSet { call: id, name: name.to_string(), value }, out);
            }
            Action::Sensitive(on) => {
                call.sensitive = on;
                order(Order::RecordGap { leg, why: RecordingGap::Sensitive, on });
            }
            Action::HangUp { why } => {
                // After a talk the goodbye is the agent's.
                let talked = call.taken_ms.is_some() && why == HangUpWhy::FlowEnd;
                let reason = if talked { EndReason::AgentHungUp } else { end_reason(why) };
                self.end(now, id, reason, EndedBy::Us, out);
            }
            Action::Fault { .. } => self.counters.add(Count::WalkFault),
        }
    }

    pub(super) fn clip(&mut self, name: &str) -> Option<crate::media::seam::ClipId> {
        let clip = self.config.clips.get(name).copied();
        if clip.is_none() {
            self.counters.add(Count::ClipMissing);
        }
        clip
    }

    /// Never empty: a playlist whose every clip is missing still ends, a breath later, so that the walk goes on.
    fn pieces(&mut self, spoken: &[Spoken]) -> Box<[Piece]> {
        let mut pieces = Vec::with_capacity(spoken.len().max(1));
        for part in spoken {
            match part {
                Spoken::Clip(name) => pieces.extend(self.clip(name).map(Piece::Clip)),
                Spoken::Pause(ms) => pieces.push(Piece::Pause(*ms)),
            }
        }
        if pieces.is_empty() {
            pieces.push(Piece::Pause(20));
        }
        pieces.into_boxed_slice()
    }

    fn enqueue(
        &mut self,
        now: Time,
        id: CallId,
        queue: &str,
        priority: u8,
        skills: &[(Arc<str>, u8)],
        out: &mut Vec<Effect>,
    ) {
        let head = self.asks_for_head(now, id, queue, out).map(|skill| (skill, 1));
        let needs = Needs::new(skills.iter().cloned().chain(head.clone()));
        let (queue, needs) = match head {
            Some(_) => (Arc::from(queue), needs),
            None => self.by_legacy(id, queue, needs),
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.needs = needs.clone();
        // Whatever his flow does with him: in a crisis he is the next one. Whoever has waited for a head in vain is no later for it.
        let (priority, entered) = match (call.crisis, &call.session) {
            (true, _) => (self.acd.config().max_priority, Some(call.arrived)),
            (false, session) => (priority, session.as_ref().map(|_| call.arrived)),
        };
        let enter = Enter {
            needs,
            caller: caller_tag(&call.number),
            entered,
            ..Enter::new(id, Arc::clone(&queue), priority)
        };
        let news = match self.acd_fact(|acd, said| acd.enter(now, enter, said)) {
            Entered::Waiting { ahead } => {
                let wall_ms = self.wall.at(now);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.stage = Stage::Queued { since: now };
                    call.queued_ms.get_or_insert(wall_ms);
                    call.queue = Some(Arc::clone(&queue));
                    call.priority = priority;
                }
                self.note(
                    now,
                    Fact::QueueEntered { call: id, queue: queue.to_string(), priority, ahead },
                    out,
                );
                self.stir(now, &queue);
                match self.acd.staff(&queue).staffed {
                    0 => QueueNews::NoStaff,
                    _ => QueueNews::Waiting,
                }
            }
            Entered::Full => QueueNews::Full,
            // The reader refuses unknown queues, so this is a queue a reload took away.
            Entered::Unknown => {
                self.counters.add(Count::WalkFault);
                QueueNews::Full
            }
        };
        self.todo.push_back((id, Input::Queue(news)));
    }

    /// His place is the one he had before he asked; who was not in line gets in line now.
    fn book_callback(
        &mut self,
        now: Time,
        id: CallId,
        number: Personal,
        queue: &Arc<str>,
        out: &mut Vec<Effect>,
    ) {
        let asked_ms = self.wall.at(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (since, priority) = call.place.unwrap_or((now, 0));
        // What nobody in that queue has would keep him waiting in vain.
        let needs =
            if self.acd.can_serve(queue, &call.needs) { call.needs.clone() } else { Needs::default() };
        let entered_ms = asked_ms - i64::try_from(millis(now.since(since))).unwrap_or(0);
        call.callback = Some(Callback {
            number: number.reveal().to_owned(),
            queue: Arc::clone(queue),
            priority,
            needs: needs.clone(),
            entered_ms,
            asked_ms,
            ticket: None,
            tries: 0,
            dialled: None,
            reachable: Reachable::Always,
        });
        let skills = needs.iter().map(|(skill, level)| (skill.to_owned(), level)).collect();
        let queue = queue.to_string();
        self.note(
            now,
            Fact::CallbackRequested { call: id, number, queue, priority, entered_ms, skills },
            out,
        );
    }

    /// The ACD let go of a call that waited.
    pub(super) fn left_queue(
        &mut self,
        now: Time,
        id: CallId,
        outcome: QueueOutcome,
        news: QueueNews,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Queued { since } = call.stage else { return };
        call.stage = Stage::Walking;
        call.place.get_or_insert((since, call.priority));
        let outbound = call.outbound;
        self.reach.took(super::reach::Place::Queued, News::WaitOver);
        self.touched.push(id);
        let queue = call.queue.as_ref().map(|queue| queue.to_string()).unwrap_or_default();
        self.drop_asked(now, id, "caller_left", out);
        self.note(
            now,
            Fact::QueueLeft { call: id, queue, outcome, waited_ms: millis(now.since(since)) },
            out,
        );
        if outbound {
            // Whom we dialled has no flow to go on with.
            return self.end(now, id, EndReason::AgentHungUp, EndedBy::Us, out);
        }
        self.todo.push_back((id, Input::Queue(news)));
    }

    /// Draws the ticket's number and waits for it to be safe on disk before anyone hears it.
    pub(super) fn save(&mut self, now: Time, id: CallId, what: Saved, out: &mut Vec<Effect>) {
        let Some(arrived_ms) = self.calls.get(&id).map(|call| call.arrived_ms) else { return };
        let drawn = self.calls.get(&id).and_then(|call| call.ticket.clone());
        let ticket = drawn.or_else(|| self.draw(now, id, arrived_ms, out));
        let seq = self.next_seq - 1;
        let until = now + self.config.limits.durable_wait;
        self.touched.push(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.ticket = ticket;
        call.stage = Stage::Saving { seq, what, until };
        self.saving.insert((seq, id), ());
    }

    /// A message whose caller hung up gets its number too; nobody hears it.
    pub(super) fn number_after_end(&mut self, now: Time, leg: LegId, id: CallId, out: &mut Vec<Effect>) {
        let Some(closing) = self.closing.get(&leg) else { return };
        if closing.ticket.is_none() {
            let arrived_ms = closing.arrived_ms;
            let ticket = self.draw(now, id, arrived_ms, out);
            if let Some(closing) = self.closing.get_mut(&leg) {
                closing.ticket = ticket;
            }
        }
    }

    /// The number's date is the arrival's, in the configured zone.
    pub(super) fn draw(
        &mut self,
        now: Time,
        id: CallId,
        arrived_ms: i64,
        out: &mut Vec<Effect>,
    ) -> Option<(Arc<str>, Arc<str>)> {
        let (no, code) = self.next_number(now, arrived_ms, out)?;
        self.note(now, Fact::NumberDrawn { call: id, no: no.to_string(), code: Personal::new(&*code) }, out);
        Some((no, code))
    }

    /// The next number of that day, from a block that is noted, with a code.
    fn next_number(
        &mut self,
        now: Time,
        wall_ms: i64,
        out: &mut Vec<Effect>,
    ) -> Option<(Arc<str>, Arc<str>)> {
        let date =
            Timestamp::from_millisecond(wall_ms).ok()?.to_zoned_datetime(self.config.timezone.clone()).date();
        let no = loop {
            match self.numbers.draw(date) {
                Draw::Number(no) => break no,
                Draw::NeedBlock { date, from, to } => {
                    self.block_seq = self.note(now, Fact::NumberBlock { date, from, to }, out);
                }
            }
        };
        self.counters.add(Count::NumbersDrawn);
        let code: Arc<str> = format!("{:06}", self.rng.next_u64() % 1_000_000).into();
        Some((no.to_string().into(), code))
    }

    /// A number for the desk. Its ticket says that it was given, so the journal need only know the block: on disk, before the desk
    /// hears of it.
    pub(super) fn draw_for_desk(&mut self, now: Time, request: u64, out: &mut Vec<Effect>) {
        let room = self.desk_numbers.len() < DESK_NUMBERS;
        let drawn = if room { self.next_number(now, self.wall.at(now), out) } else { None };
        match drawn {
            Some(number) if self.block_seq > self.durable => {
                self.desk_numbers.insert((self.block_seq, request), number);
            }
            drawn => out.push(number_reply(request, drawn)),
        }
    }

    pub(super) fn now_durable(&mut self, now: Time, upto: u64, out: &mut Vec<Effect>) {
        self.durable = self.durable.max(upto);
        self.desk_safe(now, out);
        while let Some(first) = self.desk_numbers.first_entry()
            && first.key().0 <= self.durable
        {
            let ((_, request), number) = first.remove_entry();
            out.push(number_reply(request, Some(number)));
        }
        while let Some((&(seq, id), ())) = self.saving.first_key_value()
            && seq <= self.durable
        {
            self.saving.pop_first();
            let Some(call) = self.calls.get(&id) else { continue };
            let Stage::Saving { what, .. } = call.stage else { continue };
            self.reach.took(super::reach::Place::Saving, News::OnDisk);
            let stored = match &call.ticket {
                Some((no, code)) => Stored::Number { no: Arc::clone(no), code: Arc::clone(code) },
                None => Stored::Failed,
            };
            self.back_to_walk(id, saved_input(what, stored));
        }
    }

    /// The disk did not confirm in time: with a failing journal no number is spoken.
    pub(super) fn not_saved(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Stage::Saving { seq, what, .. } = call.stage else { return };
        self.saving.remove(&(seq, id));
        self.counters.add(Count::StoreFailed);
        self.back_to_walk(id, saved_input(what, Stored::Failed));
    }

    pub(super) fn lookup_done(&mut self, id: CallId, lookup: u32, result: LookupResult) {
        self.took(id, News::LookedUp);
        let expected = self
            .calls
            .get(&id)
            .is_some_and(|call| matches!(call.stage, Stage::Looking { id, .. } if id == lookup));
        if expected {
            self.looked_up(id, result);
        } else {
            self.counters.add(Count::Stale);
        }
    }

    pub(super) fn looked_up(&mut self, id: CallId, result: LookupResult) {
        self.back_to_walk(id, Input::LookupDone(result));
    }
}

fn number_reply(id: u64, number: Option<(Arc<str>, Arc<str>)>) -> Effect {
    let number = number.map(|(no, code)| (no, Personal::new(&*code)));
    Effect::Reply { id, reply: Reply::Number(number) }
}

fn saved_input(what: Saved, stored: Stored) -> Input {
    match what {
        Saved::Message => Input::MessageStored(stored),
        Saved::Callback => Input::CallbackStored(stored),
    }
}

/// The outcome by which a sensitive node was left at this key, if it was: replay takes it in place of the digits.
fn sensitive_outcome(input: &Input, trail: &[Trail]) -> Option<String> {
    if !matches!(input, Input::Digit(_) | Input::Timeout) {
        return None;
    }
    trail.iter().find_map(|entry| match entry {
        Trail::Left { outcome, .. } => Some(outcome.to_string()),
        _ => None,
    })
}

const fn end_reason(why: HangUpWhy) -> EndReason {
    match why {
        HangUpWhy::FlowEnd => EndReason::FlowEnded,
        HangUpWhy::MessageLeft => EndReason::MessageLeft,
        HangUpWhy::CallbackBooked => EndReason::CallbackBooked,
        HangUpWhy::SurveyDone => EndReason::SurveyDone,
        HangUpWhy::NoInput => EndReason::NoInput,
        HangUpWhy::WrongInput => EndReason::WrongInput,
    }
}

/// The same for each call of one number, so that a queue that is sticky knows him again; `None`: no number.
fn caller_tag(number: &str) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    number.hash(&mut hasher);
    (!number.is_empty()).then(|| hasher.finish())
}
