//! The engine's end of a worker: orders in, events out, and everything that allocates on the worker's behalf.

use super::bridges::{Rooms, Seat};
use super::counters::Counters;
use super::line::Line;
use super::run::{Command, Worker};
use super::sys::Bell;
use crate::base::{LegId, Time};
use crate::media::leg::Told;
use crate::media::prompts::Prompts;
use crate::media::recorder::Door;
use crate::media::seam::{BridgeId, Event, MEMBERS_MAX, Member, Order};
use crate::media::source::Local;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Orders and ports on their way to the worker.
const COMMANDS: usize = 8192;
/// Orders kept here while that ring is full; then they are refused.
const WAITING: usize = 65_536;
/// Events on their way to the engine.
const EVENTS: usize = 16_384;
/// A closed leg's figures wait so long for its recordings to end.
const LAST_RECORDING: Duration = Duration::from_secs(3);

/// What a worker needs to start.
pub struct Start {
    /// Of the thread: `media-0`.
    pub name: String,
    pub prompts: Arc<Prompts>,
    pub recorder: Door,
    /// The process's one monotone clock.
    pub clock: Box<dyn Fn() -> Time + Send>,
    /// Wakes the engine when events wait for it.
    pub waker: Box<dyn Fn() + Send>,
    /// Ask for SCHED_RR; a refusal is counted.
    pub realtime: bool,
    pub local: Local,
    /// Legs expected at once; more are fine but make the worker's lists grow.
    pub legs: usize,
}

/// Starts a worker's thread.
pub fn start(start: Start) -> io::Result<WorkerHandle> {
    let (to_worker, orders) = rtrb::RingBuffer::new(COMMANDS);
    let (events, from_worker) = rtrb::RingBuffer::new(EVENTS);
    let shared = Arc::new(Shared {
        bell: Bell::new()?,
        asleep: AtomicBool::new(false),
        counters: Counters::default(),
    });
    let name = start.name.clone();
    let (worker, from_recorder) = Worker::new(start, orders, events, Arc::clone(&shared));
    let thread = thread::Builder::new().name(name).spawn(move || worker.run())?;
    Ok(WorkerHandle {
        to_worker,
        waiting: VecDeque::new(),
        from_worker,
        from_recorder,
        lines: 0,
        ports: HashMap::new(),
        legs: HashMap::new(),
        rooms: Rooms::default(),
        takes: HashMap::new(),
        held: Vec::new(),
        unread: false,
        shared,
        thread,
    })
}

/// What both threads touch.
pub(super) struct Shared {
    pub bell: Bell,
    /// The worker sleeps or is about to: only then is the bell rung.
    pub asleep: AtomicBool,
    pub counters: Counters,
}

pub struct WorkerHandle {
    to_worker: rtrb::Producer<Command>,
    waiting: VecDeque<Command>,
    from_worker: rtrb::Consumer<Told>,
    from_recorder: rtrb::Consumer<Event>,
    lines: u32,
    /// The worker's line of each port, and of each open leg.
    ports: HashMap<u16, u32>,
    legs: HashMap<LegId, u32>,
    /// The worker's place of each bridge.
    rooms: Rooms,
    /// Recordings and messages of a leg whose end has not been told.
    takes: HashMap<LegId, u32>,
    /// Legs whose end is told once their recordings' is.
    held: Vec<(LegId, Event, Instant)>,
    /// Commands were given since the last [`WorkerHandle::wake`].
    unread: bool,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl WorkerHandle {
    /// Gives the worker a port for good: its RTP socket and the one for RTCP above it.
    pub fn add_port(&mut self, port: u16, rtp: UdpSocket, rtcp: UdpSocket) {
        self.ports.insert(port, self.lines);
        self.lines += 1;
        self.push(Command::Port(Box::new(Line::new(port, rtp, rtcp))));
    }

    /// False when the leg or port is not this worker's, or too many orders wait already.
    pub fn order(&mut self, order: Order) -> bool {
        if self.waiting.len() >= WAITING {
            return false;
        }
        let line = match &order {
            Order::Open { leg, port, .. } => {
                let Some(line) = self.ports.get(port).copied() else { return false };
                self.legs.insert(*leg, line);
                Some(line)
            }
            Order::Close { leg } => {
                self.rooms.leave(*leg);
                self.legs.remove(leg)
            }
            Order::Bridge { bridge, members } => return self.bridge(*bridge, members),
            other => leg_of(other).and_then(|leg| self.legs.get(&leg).copied()),
        };
        let Some(line) = line else { return false };
        if let Order::Record { leg, .. } | Order::Message { leg, .. } = &order {
            *self.takes.entry(*leg).or_default() += 1;
        }
        self.push(Command::Order { line, order });
        true
    }

    fn bridge(&mut self, bridge: BridgeId, members: &[Member]) -> bool {
        let twice = |n: usize| members[..n].iter().any(|earlier| earlier.leg == members[n].leg);
        if members.len() > MEMBERS_MAX || (0..members.len()).any(twice) {
            return false;
        }
        let seat = |m: &Member| Some(Seat { line: *self.legs.get(&m.leg)?, leg: m.leg, hears: m.hears });
        let Some(seats) = members.iter().map(seat).collect::<Option<Box<[Seat]>>>() else { return false };
        if let Some(room) = self.rooms.seat(bridge, members) {
            self.push(Command::Bridge { room, seats });
        }
        true
    }

    fn push(&mut self, command: Command) {
        self.unread = true;
        self.waiting.push_back(command);
        self.hand_over();
    }

    fn hand_over(&mut self) {
        while let Some(command) = self.waiting.pop_front() {
            if let Err(rtrb::PushError::Full(command)) = self.to_worker.push(command) {
                self.waiting.push_front(command);
                return;
            }
        }
    }

    /// Wakes the worker if it was given anything and sleeps.
    pub fn wake(&mut self) {
        if !self.unread {
            return;
        }
        self.hand_over();
        self.unread = !self.waiting.is_empty();
        // Pairs with the worker's own: either it sees the order, or this sees that it sleeps.
        fence(Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.shared.bell.ring();
        }
    }

    /// Everything that has happened since the last call. A leg's end comes after the ends of its recordings.
    pub fn events(&mut self, each: &mut impl FnMut(Event)) {
        while let Ok(event) = self.from_recorder.pop() {
            self.recorded(event, each);
        }
        while let Ok(told) = self.from_worker.pop() {
            match told {
                Told::Event(event) => each(event),
                Told::Closed { leg, stats } => {
                    let event = Event::Closed { leg, stats: Box::new(stats) };
                    if self.takes.contains_key(&leg) {
                        self.held.push((leg, event, Instant::now() + LAST_RECORDING));
                    } else {
                        each(event);
                    }
                }
            }
        }
        if !self.held.is_empty() {
            let now = Instant::now();
            let takes = &self.takes;
            let due = self.held.extract_if(.., |(leg, _, until)| !takes.contains_key(leg) || *until <= now);
            let due: Vec<_> = due.collect();
            for (leg, event, _) in due {
                self.takes.remove(&leg);
                each(event);
            }
        }
    }

    fn recorded(&mut self, event: Event, each: &mut impl FnMut(Event)) {
        if let Event::RecordingEnded { leg, .. } | Event::MessageEnded { leg, .. } = &event
            && let Some(open) = self.takes.get_mut(leg)
        {
            *open -= 1;
            if *open == 0 {
                self.takes.remove(leg);
            }
        }
        each(event);
    }

    /// What the worker counted since its start, by name.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        self.shared.counters.all()
    }

    /// False once the thread has ended, which only [`WorkerHandle::stop`] makes it do.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Closes every leg, ends its recordings, and waits for the thread.
    pub fn stop(mut self) {
        self.push(Command::Stop);
        while !self.waiting.is_empty() && !self.thread.is_finished() {
            self.wake();
            thread::yield_now();
        }
        self.unread = true;
        self.wake();
        // A worker that panicked has stopped as well.
        let _ = self.thread.join();
    }
}

fn leg_of(order: &Order) -> Option<LegId> {
    match order {
        Order::Bridge { .. } => None,
        Order::Open { leg, .. }
        | Order::Update { leg, .. }
        | Order::Play { leg, .. }
        | Order::Stop { leg }
        | Order::Background { leg, .. }
        | Order::Record { leg, .. }
        | Order::RecordGap { leg, .. }
        | Order::StopRecording { leg }
        | Order::Message { leg, .. }
        | Order::StopMessage { leg }
        | Order::WatchSilence { leg, .. }
        | Order::Digits { leg, .. }
        | Order::Close { leg } => Some(*leg),
    }
}
