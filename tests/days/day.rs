//! One day: an engine, its callers, a network that loses, doubles and reorders, a voice plane and a disk, all on one virtual clock.

use crate::caller::{Act, Caller, Habit, State, Wish};
use crate::crew::Crew;
use crate::setup_engine::{ON_CALL, TOWN};
use crate::town::{PHONES, Town};
#[cfg(feature = "full")]
use crate::watch::Watch;
use hotline::base::{Digit, LegId, Time};
use hotline::call::agents::seam::ToEngine;
use hotline::call::fact::{Fact, Stamped};
use hotline::call::{Effect, EndReason, Engine, Input, MediaPort, Request};
use hotline::ivr::seam::LookupResult;
use hotline::media::seam::{
    ClipId, DigitSource, Event, MessageEnd, Order, Piece, PlayId, RecordingId, Stats,
};
use hotline::sip::seam::{ConnId, Flow, Packet};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;

/// How the network and the disk behave; each seed draws its own.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Of 1,000 datagrams.
    pub lost: u32,
    pub doubled: u32,
    /// Longest extra delay; unequal delays reorder.
    pub jitter_ms: u64,
    /// The disk stops confirming for this long, now and then.
    pub disk_stall_ms: u64,
}

impl Faults {
    pub const NONE: Self = Self { lost: 0, doubled: 0, jitter_ms: 0, disk_stall_ms: 0 };
}

enum Happening {
    ToEngine {
        flow: Flow,
        bytes: Vec<u8>,
    },
    ToCaller {
        n: usize,
        bytes: Vec<u8>,
    },
    ToTown {
        bytes: Vec<u8>,
    },
    Dial {
        n: usize,
    },
    Media(Event),
    /// From a leg that is closing: nothing can make it stale.
    LastMedia(Event),
    /// A caller's own timer.
    Caller {
        n: usize,
    },
    Durable {
        upto: u64,
    },
    Lookup {
        call: hotline::base::CallId,
        id: u32,
        result: LookupResult,
    },
    Ports {
        count: usize,
    },
    Agent(ToEngine),
    Wall,
    FaultsStop,
    Drain,
    EndAll,
}

struct Leg {
    play: Option<PlayId>,
    recording: Option<(RecordingId, Time)>,
    message: Option<(RecordingId, Time)>,
    port: u16,
    silence_ms: u32,
    heard: Time,
    /// Whose leg it is.
    caller: Option<usize>,
    /// An agent's relay: it sends all the time.
    agent: bool,
    digits: u32,
}

pub struct Day {
    pub now: Time,
    pub engine: Engine,
    rng: ChaCha8Rng,
    heap: BinaryHeap<Reverse<(Time, u64, usize)>>,
    events: Vec<Option<Happening>>,
    free_slots: Vec<usize>,
    tick: u64,
    pub callers: Vec<Caller>,
    /// When each caller's timer is set for, so that it is not set twice.
    scheduled: Vec<Time>,
    to_dial: usize,
    legs: BTreeMap<LegId, Leg>,
    call_of_caller: BTreeMap<String, LegId>,
    clip_ms: BTreeMap<ClipId, u32>,
    pub faults: Faults,
    next_port: u16,
    durable_asked: u64,
    disk_busy_until: Time,
    pub tally: Tally,
    trace: u64,
    effects: Vec<Effect>,
    check_every: u64,
    /// Longest time a look-up takes.
    pub lookup_ms: u64,
    /// One fact in so many finds the disk stalled, where it stalls at all.
    pub stalls_one_in: u64,
    #[cfg(feature = "full")]
    pub watch: Option<Watch>,
    pub crew: Option<Crew>,
    town: Town,
}

/// What the day's journal says, counted from outside.
#[derive(Default)]
pub struct Tally {
    pub arrived: BTreeMap<String, u32>,
    pub ended: BTreeMap<hotline::base::CallId, u32>,
    pub sip_of: BTreeMap<hotline::base::CallId, String>,
    pub reasons: BTreeMap<EndReason, u32>,
    pub numbers: BTreeMap<String, u32>,
    /// What became of each callback that was asked for.
    pub callbacks: BTreeMap<hotline::base::CallId, Story>,
    /// Callbacks that were due and were passed by one behind them in their queue.
    pub passed_by: usize,
    dialled: usize,
    /// Most callbacks being dialled at once.
    pub most_dialled: usize,
    pub special: SpecialCalls,
    pub facts: u64,
    last_seq: u64,
}

/// A callback, by its facts.
#[derive(Debug, Default)]
pub struct Story {
    pub tries: u8,
    pub ended: u8,
    pub over: u8,
    pub reached: bool,
    queue: String,
    /// Who needs the same waits for the same agents.
    skills: Vec<(String, u8)>,
    /// The call in which it was asked for is over: from then on it stands in line.
    in_line: bool,
    /// Agents it is proposed to.
    offers: u32,
    /// Where it stands in its queue: this, then the call.
    rank_ms: i64,
    /// It is not dialled before this.
    next_ms: i64,
}

/// How many of a day's callbacks were asked for, tried, reached, and are over.
#[derive(Debug, Default)]
pub struct Callbacks {
    pub asked: usize,
    pub tries: usize,
    pub reached: usize,
    pub over: usize,
    /// Due, and another behind them in their queue was proposed to an agent first.
    pub passed: usize,
}

/// What agents said of their callers by kind, and how often the mobile of who is on call was rung.
#[derive(Debug, Default)]
pub struct SpecialCalls {
    pub notes: BTreeMap<String, u32>,
    pub on_call: u32,
}

impl SpecialCalls {
    pub fn add(&mut self, other: Self) {
        self.on_call += other.on_call;
        for (kind, n) in other.notes {
            *self.notes.entry(kind).or_default() += n;
        }
    }
}

impl Callbacks {
    pub fn add(&mut self, other: &Self) {
        self.asked += other.asked;
        self.tries += other.tries;
        self.reached += other.reached;
        self.over += other.over;
        self.passed += other.passed;
    }
}

impl Tally {
    pub fn callback_sums(&self) -> Callbacks {
        let mut sums = Callbacks { passed: self.passed_by, ..Callbacks::default() };
        for story in self.callbacks.values() {
            sums.add(&Callbacks {
                asked: 1,
                tries: story.tries.into(),
                reached: story.reached.into(),
                over: story.over.into(),
                passed: 0,
            });
        }
        sums
    }

    fn callback(&mut self, wall_ms: i64, fact: &Fact) {
        match fact {
            Fact::CallbackRequested { call, queue, priority, entered_ms, skills, .. } => {
                let story = self.callbacks.entry(*call).or_default();
                story.skills.clone_from(skills);
                story.queue.clone_from(queue);
                story.rank_ms = entered_ms + i64::from(9 - priority.min(&9)) * 300_000;
            }
            Fact::CallEnded(ended) => {
                if let Some(story) = self.callbacks.get_mut(&ended.call) {
                    story.in_line = true;
                }
            }
            // Dialled is whoever's agent takes him first; proposed they are in their order.
            Fact::CallOffered { call, .. } if self.callbacks.get(call).is_some_and(|story| story.in_line) => {
                self.passed_by += self.passes(wall_ms, *call);
                self.callbacks.entry(*call).or_default().offers += 1;
            }
            Fact::OfferEnded { call, .. } => {
                if let Some(story) = self.callbacks.get_mut(call) {
                    story.offers = story.offers.saturating_sub(1);
                }
            }
            Fact::CallbackTried { call, nth, .. } => {
                let story = self.callbacks.entry(*call).or_default();
                story.tries += 1;
                story.offers = 0;
                assert_eq!(story.tries, *nth, "tries of {call} are counted one by one");
                self.dialled += 1;
                self.most_dialled = self.most_dialled.max(self.dialled);
            }
            Fact::CallbackTryEnded { call, outcome, next_ms, .. } => {
                let story = self.callbacks.entry(*call).or_default();
                story.ended += 1;
                story.next_ms = *next_ms;
                story.reached |= outcome == "answered";
                self.dialled -= 1;
            }
            Fact::CallbackOver { call, .. } => self.callbacks.entry(*call).or_default().over += 1,
            _ => {}
        }
    }

    /// How many of its queue that are due and stand before `call` are passed if it is proposed now. A retry stands where it stood.
    fn passes(&self, wall_ms: i64, call: hotline::base::CallId) -> usize {
        let Some(taken) = self.callbacks.get(&call) else { return 0 };
        self.callbacks
            .iter()
            .filter(|(other, story)| {
                story.queue == taken.queue
                    && story.skills == taken.skills
                    && story.in_line
                    && story.over == 0
                    && story.tries == story.ended
                    && !story.reached
                    && story.offers == 0
                    && story.next_ms + 1_000 < wall_ms
                    && (story.rank_ms, **other) < (taken.rank_ms, call)
            })
            .count()
    }
}

impl Day {
    pub fn new(engine: Engine, clip_ms: BTreeMap<ClipId, u32>, seed: u64, faults: Faults) -> Self {
        let mut day = Self {
            now: Time::from_millis(1),
            engine,
            rng: ChaCha8Rng::seed_from_u64(seed),
            heap: BinaryHeap::new(),
            events: Vec::new(),
            free_slots: Vec::new(),
            tick: 0,
            callers: Vec::new(),
            scheduled: Vec::new(),
            to_dial: 0,
            legs: BTreeMap::new(),
            call_of_caller: BTreeMap::new(),
            clip_ms,
            faults,
            next_port: 20_000,
            durable_asked: 0,
            disk_busy_until: Time::ZERO,
            tally: Tally::default(),
            trace: 0xcbf2_9ce4_8422_2325,
            effects: Vec::new(),
            check_every: 64,
            lookup_ms: 500,
            stalls_one_in: 200,
            #[cfg(feature = "full")]
            watch: None,
            crew: None,
            town: Town::new(seed),
        };
        day.give(Input::Wall { ms: 1_795_000_000_000 });
        day.later(Duration::from_secs(60), Happening::Wall);
        day
    }

    pub fn random(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below.max(1)
    }

    pub fn add_caller(&mut self, at: Time, habit: Habit, number: String) {
        let n = self.callers.len();
        self.callers.push(Caller::new(n, habit, number));
        self.scheduled.push(Time::MAX);
        self.to_dial += 1;
        self.at(at, Happening::Dial { n });
    }

    /// These come to work; every queue of the configuration is theirs.
    pub fn employ(&mut self, mut crew: Crew, queues: &[std::sync::Arc<str>]) {
        self.give(Input::Agents(crew.specs(queues)));
        for (delay, word) in crew.begin() {
            self.later(delay, Happening::Agent(word));
        }
        self.crew = Some(crew);
    }

    pub fn stop_faults_at(&mut self, at: Time) {
        self.at(at, Happening::FaultsStop);
    }

    pub fn drain_at(&mut self, at: Time) {
        self.at(at, Happening::Drain);
    }

    /// The second SIGTERM: everything ends now.
    pub fn end_all_at(&mut self, at: Time) {
        self.at(at, Happening::EndAll);
    }

    /// Runs until nothing lives, or `limit` passes.
    pub fn run(&mut self, limit: Time) {
        loop {
            let heap = self.heap.peek().map(|Reverse((at, ..))| *at);
            let engine = self.engine.poll_timeout().map(|(at, _)| at);
            let Some(next) = [heap, engine].into_iter().flatten().min() else { break };
            if next > limit || (self.is_over() && next > self.now + Duration::from_secs(70)) {
                break;
            }
            self.now = self.now.max(next);
            if heap == Some(next) {
                self.happen();
            } else {
                let mut out = std::mem::take(&mut self.effects);
                self.engine.handle_timeout(self.now, &mut out);
                self.carry_out(out);
            }
            self.tick += 1;
            #[cfg(feature = "full")]
            if let Some(mut watch) = self.watch.take() {
                watch.step(&self.engine);
                if watch.rereads < 100 && self.random(80) == 0 {
                    watch.reread(&self.engine);
                }
                self.watch = Some(watch);
            }
            if self.tick.is_multiple_of(self.check_every) {
                self.engine.assert_invariants();
            }
        }
        self.engine.assert_invariants();
    }

    fn is_over(&self) -> bool {
        self.to_dial == 0
            && self.engine.live_calls() == 0
            && self.legs.is_empty()
            && self.engine.ua().live().transactions == 0
    }

    fn happen(&mut self) {
        let Some(Reverse((_, _, slot))) = self.heap.pop() else { return };
        let Some(happening) = self.events[slot].take() else { return };
        self.free_slots.push(slot);
        match happening {
            Happening::ToEngine { flow, bytes } => {
                self.give(Input::Packet(Packet { flow, bytes: &bytes }));
            }
            Happening::ToCaller { n, bytes } => {
                let mut wishes = Vec::new();
                self.callers[n].receive(self.now, &bytes, &mut wishes);
                self.wishes(n, wishes);
            }
            Happening::ToTown { bytes } => {
                for (after, bytes) in self.town.hear(&String::from_utf8_lossy(&bytes)) {
                    let flow = Flow::Udp { socket: 0, peer: TOWN };
                    self.later(after, Happening::ToEngine { flow, bytes });
                }
            }
            Happening::Dial { n } => {
                let mut wishes = Vec::new();
                self.to_dial -= 1;
                self.callers[n].dial(self.now, &mut wishes);
                self.wishes(n, wishes);
            }
            Happening::Media(event) => self.media(event),
            Happening::LastMedia(event) => {
                let facts = self.engine.next_seq();
                let late = matches!(event, Event::Finished { .. });
                self.give(Input::Media(event));
                assert!(!late || self.engine.next_seq() == facts, "what was stopped does not end");
            }
            Happening::Caller { n } => {
                let mut wishes = Vec::new();
                self.scheduled[n] = Time::MAX;
                self.callers[n].handle_timeout(self.now, &mut wishes);
                self.wishes(n, wishes);
            }
            Happening::Durable { upto } => self.give(Input::Durable { upto }),
            Happening::Lookup { call, id, result } => self.give(Input::LookupDone { call, id, result }),
            Happening::Ports { count } => {
                let ports = (0..count)
                    .map(|i| MediaPort { port: self.next_port + 2 * i as u16, worker: 0 })
                    .collect();
                self.next_port += 2 * count as u16;
                self.give(Input::Ports(ports));
            }
            Happening::Agent(word) => {
                // When everybody has gone home, so have they.
                if !self.is_over() || self.to_dial > 0 {
                    if let (Some(crew), ToEngine::Command { re, .. }) = (&mut self.crew, &word) {
                        crew.says(*re);
                    }
                    self.give(Input::Agent(word));
                }
            }
            Happening::Wall => {
                let ms = 1_795_000_000_000 + self.now.as_millis() as i64;
                self.give(Input::Wall { ms });
                if !self.is_over() {
                    self.later(Duration::from_secs(60), Happening::Wall);
                }
            }
            Happening::FaultsStop => self.faults = Faults::NONE,
            Happening::Drain => self.give(Input::Drain),
            Happening::EndAll => self.give(Input::EndAll),
        }
    }

    fn media(&mut self, event: Event) {
        let stale = match &event {
            Event::Finished { leg, play } => self.legs.get(leg).is_none_or(|l| l.play != Some(*play)),
            Event::MessageEnded { leg, recording, .. } => match self.legs.get_mut(leg) {
                Some(l) => l.message.take_if(|(r, _)| r == recording).is_none(),
                None => true,
            },
            Event::Silent { leg, for_ms } => match self.legs.get(leg) {
                Some(l) if l.silence_ms == *for_ms && *for_ms > 0 => {
                    let caller = l.caller.and_then(|n| self.callers.get(n));
                    // Who is there sends RTP all the time.
                    // An agent's line falls silent now and then.
                    let there = l.agent && !self.rng.next_u64().is_multiple_of(40)
                        || caller.is_some_and(|c| {
                            c.state == State::Talking && !matches!(c.habit, Habit::Vanishes)
                        });
                    if there && let Some(l) = self.legs.get_mut(leg) {
                        l.heard = self.now;
                    }
                    let Some(l) = self.legs.get(leg) else { return };
                    let quiet = self.now.since(l.heard).as_millis() as u32;
                    if quiet < *for_ms {
                        let (leg, for_ms) = (*leg, *for_ms);
                        self.later(
                            Duration::from_millis(u64::from(for_ms - quiet)),
                            Happening::Media(Event::Silent { leg, for_ms }),
                        );
                        true
                    } else {
                        false
                    }
                }
                _ => true,
            },
            _ => false,
        };
        if !stale {
            self.give(Input::Media(event));
        }
    }

    fn give(&mut self, input: Input<'_>) {
        let mut out = std::mem::take(&mut self.effects);
        self.engine.handle(self.now, input, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, mut effects: Vec<Effect>) {
        for effect in effects.drain(..) {
            self.remember(&effect);
            match effect {
                Effect::Send(transmit) if transmit.flow.peer() == TOWN => {
                    self.send(|bytes| Happening::ToTown { bytes }, transmit.bytes.to_vec());
                }
                Effect::Send(transmit) => {
                    let n = usize::from(transmit.flow.peer().port()).wrapping_sub(10_000);
                    if n < self.callers.len() {
                        self.send(|bytes| Happening::ToCaller { n, bytes }, transmit.bytes.to_vec());
                    }
                }
                Effect::Close(_) => {}
                Effect::Media { order, .. } => self.order(order),
                Effect::Fact(stamped) => self.fact(*stamped),
                Effect::BindPorts { count } => {
                    self.later(Duration::from_millis(1), Happening::Ports { count })
                }
                Effect::Lookup { call, id, .. } => {
                    let result = match self.random(4) {
                        0 => LookupResult::Found(vec![
                            ("state".into(), "handling".into()),
                            ("dept".into(), "rl".into()),
                            ("due".into(), "2026-11-25T17:30:00+08:00".into()),
                        ]),
                        1 => LookupResult::None,
                        2 => LookupResult::Failed,
                        // The answer never comes: the deadline must.
                        _ => continue,
                    };
                    let delay = Duration::from_millis(5 + self.random(self.lookup_ms));
                    self.later(delay, Happening::Lookup { call, id, result });
                }
                Effect::Reply { .. } => {}
                Effect::Agent(word) => {
                    let words = self.crew.as_mut().map(|crew| crew.hear(self.now, &word)).unwrap_or_default();
                    for (delay, word) in words {
                        self.later(delay, Happening::Agent(word));
                    }
                }
            }
        }
        self.effects = effects;
    }

    fn fact(&mut self, stamped: Stamped) {
        assert_eq!(stamped.seq, self.tally.last_seq + 1, "facts are numbered without gaps");
        self.tally.last_seq = stamped.seq;
        self.tally.facts += 1;
        #[cfg(feature = "full")]
        if let Some(watch) = &mut self.watch {
            watch.fact(&stamped);
        }
        let wall_ms = 1_795_000_000_000 + self.now.as_millis() as i64;
        self.tally.callback(wall_ms, &stamped.fact);
        match &stamped.fact {
            Fact::CallArrived(arrived) => {
                *self.tally.arrived.entry(arrived.sip_call_id.clone()).or_default() += 1;
                self.tally.sip_of.insert(arrived.call, arrived.sip_call_id.clone());
            }
            Fact::CallEnded(ended) => {
                *self.tally.ended.entry(ended.call).or_default() += 1;
                *self.tally.reasons.entry(ended.reason).or_default() += 1;
            }
            Fact::CallNoted { kind, .. } => {
                *self.tally.special.notes.entry(kind.clone()).or_default() += 1;
            }
            Fact::DialStarted { to, .. } if to.reveal() == ON_CALL => self.tally.special.on_call += 1,
            Fact::NumberDrawn { no, .. } => *self.tally.numbers.entry(no.clone()).or_default() += 1,
            _ => {}
        }
        // Group commit: everything asked for within a few milliseconds becomes durable together.
        if stamped.seq > self.durable_asked {
            let stall = if self.faults.disk_stall_ms > 0 && self.random(self.stalls_one_in) == 0 {
                self.faults.disk_stall_ms
            } else {
                0
            };
            let ready = self.disk_busy_until.max(self.now) + Duration::from_millis(1 + stall);
            self.disk_busy_until = ready;
            self.durable_asked = stamped.seq;
            self.at(ready, Happening::Durable { upto: stamped.seq });
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Open { leg, port, session, .. } => {
                let agent = session.remote.is_some_and(|remote| remote.port() >= PHONES);
                if let Some(remote) = session.remote.filter(|_| !agent) {
                    self.call_of_caller.insert(remote.port().to_string(), leg);
                }
                let caller = session.remote.map(|remote| usize::from(remote.port().wrapping_sub(20_000)) / 2);
                let fresh = Leg {
                    play: None,
                    recording: None,
                    message: None,
                    port,
                    silence_ms: 0,
                    heard: self.now,
                    caller: caller.filter(|_| !agent),
                    agent,
                    digits: 0,
                };
                assert!(self.legs.insert(leg, fresh).is_none(), "a leg is opened once");
            }
            Order::Play { leg, play, pieces } => {
                let length: u64 = pieces
                    .iter()
                    .map(|p| match p {
                        Piece::Clip(clip) => u64::from(self.clip_ms.get(clip).copied().unwrap_or(500)),
                        Piece::Pause(ms) => u64::from(*ms),
                    })
                    .sum();
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.play = Some(play);
                    self.later(
                        Duration::from_millis(length.max(1)),
                        Happening::Media(Event::Finished { leg, play }),
                    );
                }
            }
            Order::Stop { leg } => {
                let played = self.legs.get_mut(&leg).and_then(|l| l.play.take());
                if let Some(play) = played
                    && self.random(4) == 0
                {
                    // The worker had told the end before it read that it is to stop.
                    let after = Duration::from_millis(1 + self.random(20));
                    self.later(after, Happening::LastMedia(Event::Finished { leg, play }));
                }
            }
            Order::Record { leg, recording } => {
                let now = self.now;
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.recording = Some((recording, now));
                }
            }
            Order::Message { leg, recording, max_ms, silence_ms } => {
                let now = self.now;
                let Some(l) = self.legs.get_mut(&leg) else { return };
                l.message = Some((recording, now));
                let why = if self.rng.next_u64().is_multiple_of(2) {
                    MessageEnd::TooLong
                } else {
                    MessageEnd::Silence
                };
                let length_ms = if why == MessageEnd::TooLong { max_ms } else { silence_ms + 2_000 };
                let voiced_ms = (self.rng.next_u64() % 3 * 1_000) as u32;
                self.later(
                    Duration::from_millis(u64::from(length_ms)),
                    Happening::Media(Event::MessageEnded { leg, recording, length_ms, voiced_ms, why }),
                );
            }
            Order::StopMessage { leg } => {
                let Some((recording, since)) = self.legs.get(&leg).and_then(|l| l.message) else { return };
                let length_ms = self.now.since(since).as_millis() as u32;
                let event = Event::MessageEnded {
                    leg,
                    recording,
                    length_ms,
                    voiced_ms: length_ms,
                    why: MessageEnd::Stopped,
                };
                self.later(Duration::from_millis(20), Happening::Media(event));
            }
            Order::WatchSilence { leg, after_ms } => {
                let now = self.now;
                let Some(l) = self.legs.get_mut(&leg) else { return };
                (l.silence_ms, l.heard) = (after_ms, now);
                if after_ms > 0 {
                    self.later(
                        Duration::from_millis(u64::from(after_ms)),
                        Happening::Media(Event::Silent { leg, for_ms: after_ms }),
                    );
                }
            }
            Order::Close { leg } => {
                let l = self.legs.remove(&leg).expect("a closed leg was open");
                let soon = Duration::from_millis(20);
                self.last_words(leg);
                if let Some((recording, since)) = l.recording {
                    let length_ms = self.now.since(since).as_millis() as u32;
                    self.later(
                        soon,
                        Happening::Media(Event::RecordingEnded {
                            leg,
                            recording,
                            length_ms,
                            gaps_ms: 0,
                            failed: false,
                        }),
                    );
                }
                if let Some((recording, since)) = l.message {
                    let length_ms = self.now.since(since).as_millis() as u32;
                    let event = Event::MessageEnded {
                        leg,
                        recording,
                        length_ms,
                        voiced_ms: length_ms,
                        why: MessageEnd::Stopped,
                    };
                    self.later(soon, Happening::LastMedia(event));
                }
                self.later(
                    2 * soon,
                    Happening::Media(Event::Closed {
                        leg,
                        stats: Box::new(Stats { digits: l.digits, ..Stats::default() }),
                    }),
                );
                self.later(Duration::from_secs(1), Happening::Media(Event::PortFree { port: l.port }));
            }
            Order::Bridge { members, .. } => {
                for member in &members {
                    assert!(self.legs.contains_key(&member.leg), "a bridge to a leg that is not there");
                }
            }
            Order::Update { .. }
            | Order::Digits { .. }
            | Order::Background { .. }
            | Order::RecordGap { .. }
            | Order::StopRecording { .. } => {}
        }
    }

    fn wishes(&mut self, n: usize, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Send(bytes) => {
                    let peer = SocketAddr::from(([127, 0, 0, 2], self.callers[n].port()));
                    if self.callers[n].by_tcp() {
                        // A connection loses nothing and keeps its order.
                        let flow = Flow::Tcp { conn: ConnId(n as u64), peer };
                        self.later(Duration::from_millis(1), Happening::ToEngine { flow, bytes });
                    } else {
                        let flow = Flow::Udp { socket: 0, peer };
                        self.send(|bytes| Happening::ToEngine { flow, bytes }, bytes);
                    }
                }
                Wish::World(act) => self.world(n, act),
                Wish::Key(c) => {
                    let port = (20_000 + (n % 10_000) * 2).to_string();
                    if let (Some(leg), Some(digit)) =
                        (self.call_of_caller.get(&port).copied(), Digit::from_char(c))
                        && let Some(l) = self.legs.get_mut(&leg)
                    {
                        l.digits += 1;
                        l.heard = self.now;
                        let event = Event::Digit { leg, digit, source: DigitSource::Rtp, at: self.now };
                        self.later(Duration::from_millis(60), Happening::Media(event));
                    }
                }
            }
        }
        if let Some(at) = self.callers[n].poll_timeout()
            && at < self.scheduled[n]
        {
            self.scheduled[n] = at;
            self.at(at.max(self.now), Happening::Caller { n });
        }
    }

    fn world(&mut self, n: usize, act: Act) {
        let leg = self.call_of_caller.get(&(20_000 + (n % 10_000) * 2).to_string()).copied();
        let event = match (act, leg) {
            (Act::Cut, _) => return self.give(Input::ConnectionLost(ConnId(n as u64))),
            (Act::HangUp, _) => {
                let sip = format!("day-{n}@caller");
                let call = self.tally.sip_of.iter().rev().find(|(_, of)| **of == sip).map(|(call, _)| *call);
                if let Some(call) = call {
                    self.give(Input::Request { id: 1, request: Request::HangUp { call } });
                }
                return;
            }
            (Act::Heard, Some(leg)) => Event::Heard { leg, at: self.now },
            (Act::Moved, Some(leg)) => Event::SourceMoved { leg, to: SocketAddr::from(([127, 0, 0, 2], 9)) },
            (Act::Silent, Some(leg)) => Event::Silent { leg, for_ms: 60_000 },
            _ => return,
        };
        // A worker tells of legs it has.
        if leg.is_some_and(|leg| self.legs.contains_key(&leg)) {
            self.give(Input::Media(event));
        }
    }

    /// What a worker had told before it read that the leg is to close.
    fn last_words(&mut self, leg: LegId) {
        let event = match self.random(8) {
            0 => Event::Finished { leg, play: PlayId(1) },
            1 => Event::Heard { leg, at: self.now },
            2 => Event::SourceMoved { leg, to: SocketAddr::from(([127, 0, 0, 2], 9)) },
            3 => Event::Silent { leg, for_ms: 60_000 },
            4 => {
                let digit = Digit::from_char('1').expect("a key");
                Event::Digit { leg, digit, source: DigitSource::Rtp, at: self.now }
            }
            _ => return,
        };
        self.later(Duration::from_millis(1), Happening::LastMedia(event));
    }

    /// The network: loses, doubles, delays unequally.
    fn send(&mut self, make: impl Fn(Vec<u8>) -> Happening, bytes: Vec<u8>) {
        let copies = match self.random(1000) as u32 {
            roll if roll < self.faults.lost => 0,
            roll if roll < self.faults.lost + self.faults.doubled => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let delay = Duration::from_micros(500 + self.random(1 + self.faults.jitter_ms * 1000));
            self.later(delay, make(bytes.clone()));
        }
    }

    fn later(&mut self, delay: Duration, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    fn at(&mut self, at: Time, happening: Happening) {
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                self.events[slot] = Some(happening);
                slot
            }
            None => {
                self.events.push(Some(happening));
                self.events.len() - 1
            }
        };
        self.tick += 1;
        self.heap.push(Reverse((at, self.tick, slot)));
    }

    /// FNV-1a over every effect: the same seed must give the same bytes.
    fn remember(&mut self, effect: &Effect) {
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        feed(&self.now.as_nanos().to_le_bytes());
        match effect {
            Effect::Send(transmit) => feed(&transmit.bytes),
            Effect::Fact(stamped) => feed(&stamped.seq.to_le_bytes()),
            Effect::Media { order, .. } => feed(format!("{order:?}").as_bytes()),
            _ => feed(b"."),
        }
    }

    pub fn trace(&self) -> u64 {
        self.trace
    }
}
