//! The engine's thread: reads sockets and rings, feeds the engine, carries out what it wants. It never waits for anything but `poll`.

use super::clock::Clock;
use super::metrics::{Board, Sample};
use super::voice::Voice;
use crate::acd::AgentSpec;
use crate::base::{CallId, Personal, Time};
use crate::call::agents::seam::{FromEngine, ToEngine};
use crate::call::fact::Stamped;
use crate::call::{Effect, Engine, EngineConfig, Input, LegacyNumber, Reply, Request};
use crate::ivr::Flow;
use crate::ivr::seam::LookupResult;
use crate::journal::News;
use crate::net::{Net, Received};
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What other threads may ask of the engine's.
pub enum Order {
    Request(Request, oneshot::Sender<Reply>),
    Lookup {
        call: CallId,
        id: u32,
        result: LookupResult,
    },
    Flow(Arc<Flow>),
    FlowRefused {
        file: String,
        reason: String,
    },
    Reconfigure(Box<EngineConfig>),
    Agent(ToEngine),
    Agents(Vec<AgentSpec>),
    LegacyNumbers(Vec<LegacyNumber>),
    Drain,
    EndAll,
    /// Leave once everything written is on its way.
    Stop,
}

/// A question for the desk.
#[derive(Debug)]
pub struct Lookup {
    pub call: CallId,
    pub id: u32,
    pub kind: Arc<str>,
    pub args: Vec<(Arc<str>, Personal)>,
    pub timeout: Duration,
}

/// Hands orders in; each wakes the thread.
#[derive(Clone)]
pub struct Orders {
    to: Sender<Order>,
    waker: Arc<mio::Waker>,
}

impl Orders {
    /// False when the engine is gone, or so far behind that its inbox is full.
    pub fn give(&self, order: Order) -> bool {
        let sent = self.to.try_send(order).is_ok();
        let _ = self.waker.wake();
        sent
    }

    pub fn waker(&self) -> Arc<mio::Waker> {
        Arc::clone(&self.waker)
    }
}

/// Orders that may wait.
pub const INBOX: usize = 4096;
/// Facts kept here while the journal's own ring is full.
const BACKLOG: usize = 500_000;

pub struct Driver {
    engine: Engine,
    net: Net,
    voice: Voice,
    clock: Clock,
    inbox: Receiver<Order>,
    facts: Sender<Box<Stamped>>,
    backlog: VecDeque<Box<Stamped>>,
    facts_lost: u64,
    news: Arc<News>,
    told_durable: u64,
    lookups: mpsc::Sender<Lookup>,
    agents: mpsc::Sender<FromEngine>,
    words_lost: u64,
    waiting: HashMap<u64, oneshot::Sender<Reply>>,
    next_request: u64,
    board: Board,
    effects: Vec<Effect>,
    next_publish: Time,
    next_wall: Time,
    stopping: bool,
    /// Nanoseconds the longest turn took since the last publication.
    longest_turn: u64,
    turns: u64,
}

pub struct Parts {
    pub engine: Engine,
    pub net: Net,
    pub voice: Voice,
    pub clock: Clock,
    pub facts: Sender<Box<Stamped>>,
    pub news: Arc<News>,
    pub lookups: mpsc::Sender<Lookup>,
    /// To the agents' sessions and relays.
    pub agents: mpsc::Sender<FromEngine>,
    pub board: Board,
}

/// How often figures are published and the wall clock is told.
const PUBLISH: Duration = Duration::from_millis(250);
const WALL: Duration = Duration::from_secs(1);

impl Driver {
    pub fn new(parts: Parts) -> (Self, Orders) {
        let (to, inbox) = crossbeam_channel::bounded(INBOX);
        let orders = Orders { to, waker: parts.net.waker() };
        let durable = parts.engine.next_seq().saturating_sub(1);
        let driver = Self {
            engine: parts.engine,
            net: parts.net,
            voice: parts.voice,
            clock: parts.clock,
            inbox,
            facts: parts.facts,
            backlog: VecDeque::new(),
            facts_lost: 0,
            news: parts.news,
            told_durable: durable,
            lookups: parts.lookups,
            agents: parts.agents,
            words_lost: 0,
            waiting: HashMap::new(),
            next_request: 1,
            board: parts.board,
            effects: Vec::new(),
            next_publish: Time::ZERO,
            next_wall: Time::ZERO,
            stopping: false,
            longest_turn: 0,
            turns: 0,
        };
        (driver, orders)
    }

    /// An input before the thread runs.
    pub fn give(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.engine.handle(now, input, &mut self.effects);
        loop {
            while !self.effects.is_empty() {
                self.carry_out(now);
            }
            let Some(ports) = self.voice.wait_bound() else { return };
            self.engine.handle(now, Input::Ports(ports), &mut self.effects);
        }
    }

    /// Runs until [`Order::Stop`], or until the sockets fail.
    pub fn run(mut self) -> io::Result<()> {
        while !self.stopping {
            let now = self.clock.now();
            let timeout = self.patience(now);
            self.net.wait(now, Some(timeout))?;
            let began = self.clock.now();
            self.turn(began);
            let took = self.clock.now().since(began).as_nanos();
            self.longest_turn = self.longest_turn.max(u64::try_from(took).unwrap_or(u64::MAX));
            self.turns += 1;
        }
        self.flush_facts();
        self.net.flush();
        self.publish();
        self.voice.stop();
        Ok(())
    }

    fn patience(&self, now: Time) -> Duration {
        let due = self.engine.poll_timeout().map_or(WALL, |(at, _)| at.since(now));
        let own = self.next_publish.min(self.next_wall).since(now);
        let retry = if self.backlog.is_empty() { WALL } else { Duration::from_millis(1) };
        due.min(own).min(retry)
    }

    fn turn(&mut self, now: Time) {
        if now >= self.next_wall {
            self.engine.handle(now, Input::Wall { ms: self.clock.wall_ms() }, &mut self.effects);
            self.next_wall = now + WALL;
        }
        let durable = self.news.durable.load(Ordering::Acquire);
        if durable > self.told_durable {
            self.told_durable = durable;
            self.engine.handle(now, Input::Durable { upto: durable }, &mut self.effects);
        }
        if let Some(ports) = self.voice.bound() {
            self.engine.handle(now, Input::Ports(ports), &mut self.effects);
        }
        let (engine, effects, clock) = (&mut self.engine, &mut self.effects, self.clock);
        self.voice.events(|event| engine.handle(clock.now(), Input::Media(event), effects));
        self.net.receive(now, |received| {
            let input = match received {
                Received::Packet(packet) => Input::Packet(packet),
                Received::Lost(conn) => Input::ConnectionLost(conn),
            };
            engine.handle(clock.now(), input, effects);
        });
        self.orders();
        let now = self.clock.now();
        if self.engine.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.engine.handle_timeout(now, &mut self.effects);
        }
        // Carrying out can give new inputs (a lookup refused at once), so until nothing is left.
        while !self.effects.is_empty() {
            self.carry_out(now);
        }
        self.voice.flush();
        self.net.flush();
        self.flush_facts();
        if now >= self.next_publish {
            self.next_publish = now + PUBLISH;
            self.publish();
        }
    }

    fn orders(&mut self) {
        // A bounded share of a turn, so that a busy desk cannot starve the sockets.
        for _ in 0..256 {
            let order = match self.inbox.try_recv() {
                Ok(order) => order,
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.stopping = true;
                    return;
                }
            };
            let now = self.clock.now();
            let input = match order {
                Order::Request(request, reply) => {
                    let id = self.next_request;
                    self.next_request += 1;
                    self.waiting.insert(id, reply);
                    Input::Request { id, request }
                }
                Order::Lookup { call, id, result } => Input::LookupDone { call, id, result },
                Order::Flow(flow) => Input::Flow(flow),
                Order::FlowRefused { file, reason } => Input::FlowRefused { file, reason },
                Order::Reconfigure(config) => Input::Reconfigure(config),
                Order::Agent(word) => Input::Agent(word),
                Order::Agents(agents) => Input::Agents(agents),
                Order::LegacyNumbers(table) => Input::LegacyNumbers(table),
                Order::Drain => Input::Drain,
                Order::EndAll => Input::EndAll,
                Order::Stop => {
                    self.stopping = true;
                    continue;
                }
            };
            self.engine.handle(now, input, &mut self.effects);
        }
        let _ = self.net.waker().wake();
    }

    fn carry_out(&mut self, now: Time) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send(transmit) => self.net.send(now, transmit),
                Effect::Close(conn) => self.net.close(conn),
                Effect::Media { worker, order } => self.voice.order(worker, order),
                Effect::Fact(fact) => {
                    if self.backlog.len() < BACKLOG {
                        self.backlog.push_back(fact);
                    } else {
                        self.facts_lost += 1;
                    }
                }
                Effect::BindPorts { count } => self.voice.bind(count),
                Effect::Lookup { call, id, kind, args, timeout } => {
                    let asked = self.lookups.try_send(Lookup { call, id, kind, args, timeout }).is_ok();
                    if !asked {
                        let result = LookupResult::Failed;
                        self.engine.handle(now, Input::LookupDone { call, id, result }, &mut self.effects);
                    }
                }
                Effect::Agent(word) => {
                    if self.agents.try_send(*word).is_err() {
                        self.words_lost += 1;
                    }
                }
                Effect::Reply { id, reply } => {
                    if let Some(to) = self.waiting.remove(&id) {
                        let _ = to.send(reply);
                    }
                }
            }
        }
        // Keep the larger buffer.
        if self.effects.capacity() < effects.capacity() {
            std::mem::swap(&mut self.effects, &mut effects);
            self.effects.append(&mut effects);
        }
    }

    fn flush_facts(&mut self) {
        while let Some(fact) = self.backlog.pop_front() {
            match self.facts.try_send(fact) {
                Ok(()) => {}
                Err(TrySendError::Full(fact) | TrySendError::Disconnected(fact)) => {
                    self.backlog.push_front(fact);
                    return;
                }
            }
        }
    }

    fn publish(&mut self) {
        let mut samples = super::samples::engine(&self.engine);
        samples.extend(super::samples::net(self.net.stats()));
        let turn_us = std::mem::take(&mut self.longest_turn) / 1000;
        samples.push(Sample::gauge(
            "hotline_engine_longest_turn_us",
            "Longest turn of the engine's thread since the last publication",
            turn_us,
        ));
        samples.push(Sample::counter("hotline_engine_turns", "Turns of the engine's thread", self.turns));
        samples.push(Sample::gauge(
            "hotline_journal_backlog",
            "Facts waiting for the journal's ring",
            self.backlog.len() as u64,
        ));
        samples.push(Sample::counter(
            "hotline_journal_facts_lost",
            "Facts dropped because the journal stood still too long",
            self.facts_lost,
        ));
        samples.push(Sample::counter(
            "hotline_agent_words_lost",
            "Words for agents' pages that found their channel full",
            self.words_lost,
        ));
        samples.push(Sample::gauge(
            "hotline_journal_failing",
            "The journal cannot write",
            u64::from(self.news.failing.load(Ordering::Relaxed)),
        ));
        self.board.publish("engine", samples);
        self.board.publish("media", self.voice.samples());
    }
}
