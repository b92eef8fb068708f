//! The worker's thread: orders, slots, sockets.

use super::bridges::{Bridge, Seat, due_near};
use super::counters::Count;
use super::handle::{Shared, Start};
use super::line::{Line, State};
use super::out::Out;
use super::sys::{self, BATCH, Quiet, Receiver};
use crate::base::Time;
use crate::media::bridge::Desk;
use crate::media::leg::{Env, Leg, Sink, Told};
use crate::media::prompts::Prompts;
use crate::media::seam::{Event, Order};
use crate::media::source::Local;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

pub enum Command {
    Port(Box<Line>),
    Order { line: u32, order: Order },
    Bridge { room: u32, seats: Box<[Seat]> },
    Stop,
}

/// Slots of a millisecond in a tick.
pub(super) const SLOTS: u64 = 20;
/// The first gap of a leg may be off by so many milliseconds, that the slots stay balanced.
const NEAR: u64 = 2;
const REST: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_millis(5);
/// Receive calls a leg and tick: 16 packets, four times what any peer should send.
const RECEIVES: usize = 4;
/// More calls for legs under a flood, each, and all of a slot together: the peer's packets are among the stranger's.
const FLOODED: usize = 60;
const FLOODED_ALL: usize = 200;
/// A packet that has waited so long may have another behind it.
const WAITED: Duration = Duration::from_millis(15);
/// Receive calls that empty a port's buffer, many more than it can hold.
const DRAIN: usize = 128;
/// Ticks without a packet after which a leg's socket is watched instead of read every tick: a caller who listens costs no receive.
const QUIET_AFTER: u16 = 25;
/// RTCP is looked at once a second.
const REPORTS_EVERY: u64 = 1000;
/// Commands read before the slots are served again.
const COMMANDS_A_ROUND: usize = 1024;

/// Ports there can be: every second one. Their places are kept ready, so that a new port moves no list.
const PORTS: usize = 32_768;

pub struct Worker {
    pub(super) prompts: Arc<Prompts>,
    pub(super) local: Local,
    clock: Box<dyn Fn() -> Time + Send>,
    waker: Box<dyn Fn() + Send>,
    realtime: bool,
    orders: rtrb::Consumer<Command>,
    pub(super) out: Out,
    pub(super) lines: Vec<Box<Line>>,
    pub(super) slots: [Vec<u32>; SLOTS as usize],
    pub(super) bridges: Vec<Bridge>,
    pub(super) desk: Box<Desk>,
    fresh: Vec<u32>,
    resting: VecDeque<u32>,
    receiver: Receiver,
    /// Without it every socket is read every tick.
    quiet: Option<Quiet>,
    /// The next millisecond to serve, since the thread's start.
    pub(super) tick: u64,
    began: Time,
    pub(super) ntp_zero: u64,
    stopping: bool,
}

impl Worker {
    pub fn new(
        start: Start,
        orders: rtrb::Consumer<Command>,
        events: rtrb::Producer<Told>,
        shared: Arc<Shared>,
    ) -> (Self, rtrb::Consumer<Event>) {
        let legs = start.legs.max(256);
        let (frames, news) = start.recorder.split();
        let out = Out::new(events, frames, shared);
        let worker = Self {
            prompts: start.prompts,
            local: start.local,
            clock: start.clock,
            waker: start.waker,
            realtime: start.realtime,
            orders,
            out,
            lines: Vec::with_capacity(PORTS),
            // Slots are nearly even, but bridges may bring any legs together.
            slots: std::array::from_fn(|_| Vec::with_capacity(legs)),
            // A bridge without a leg does not last.
            bridges: Vec::with_capacity(PORTS),
            desk: Box::default(),
            fresh: Vec::with_capacity(legs),
            resting: VecDeque::with_capacity(legs),
            receiver: Receiver::new(),
            quiet: Quiet::new().ok(),
            tick: 0,
            began: Time::ZERO,
            ntp_zero: 0,
            stopping: false,
        };
        (worker, news)
    }

    pub fn run(mut self) {
        super::HERE.set(true);
        sys::no_timer_slack();
        if self.realtime && !sys::ask_for_realtime() {
            self.out.count(Count::RealtimeRefused, 1);
        }
        self.began = (self.clock)();
        self.ntp_zero = ntp_of(sys::wall_ns().saturating_sub(self.began.as_nanos()));
        while !self.stopping {
            self.round();
            self.sleep();
        }
        self.close_all();
    }

    fn round(&mut self) {
        self.out.flush();
        let now = (self.clock)();
        self.take_orders(now);
        self.serve_fresh(now);
        let tick = self.millisecond(now);
        if tick > self.tick + 2 * SLOTS {
            // Each leg is served once; how many frames it missed it knows itself.
            self.out.count(Count::Stalls, 1);
            self.tick = tick + 1 - SLOTS;
        }
        self.wake_quiet();
        while self.tick <= tick {
            self.serve_slot(self.tick);
            self.tick += 1;
        }
        self.end_rests(now);
        if std::mem::take(&mut self.out.told) {
            (self.waker)();
        }
    }

    fn millisecond(&self, now: Time) -> u64 {
        now.since(self.began).as_nanos() as u64 / 1_000_000
    }

    fn sleep(&mut self) {
        let busy = (self.tick..self.tick + SLOTS).find(|tick| !self.slots[slot_of(*tick)].is_empty());
        let now = (self.clock)();
        let until = |tick: u64| (self.began + Duration::from_millis(tick)).since(now);
        let rest = match self.resting.front().map(|line| self.lines[*line as usize].state) {
            Some(State::Resting { until }) => until.since(now),
            _ => Duration::from_secs(1),
        };
        let mut limit = busy.map_or(rest, |tick| until(tick).min(rest));
        if !self.out.kept.is_empty() || !self.out.ends.is_empty() || self.out.lost > 0 {
            limit = limit.min(Duration::from_millis(1));
        }
        if limit.is_zero() {
            return;
        }
        let shared = &self.out.shared;
        shared.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if self.orders.is_empty() {
            shared.bell.wait(limit);
        }
        shared.asleep.store(false, Ordering::SeqCst);
    }

    fn take_orders(&mut self, now: Time) {
        for _ in 0..COMMANDS_A_ROUND {
            match self.orders.pop() {
                Ok(Command::Order { line, order }) => self.carry_out(now, line, order),
                Ok(Command::Bridge { room, seats }) => self.set_bridge(now, room, &seats),
                Ok(Command::Port(line)) => self.add(line),
                Ok(Command::Stop) => self.stopping = true,
                Err(_) => {
                    // The engine is gone without a word: so are its calls.
                    self.stopping |= self.orders.is_abandoned() && self.orders.is_empty();
                    return;
                }
            }
        }
    }

    fn add(&mut self, line: Box<Line>) {
        if let Some(quiet) = &self.quiet
            && !quiet.add(line.rtp(), self.lines.len() as u32)
        {
            self.quiet = None;
            self.lines.iter_mut().for_each(|line| line.quiet = false);
        }
        self.lines.push(line);
    }

    /// Reads those again that were quiet and have something now.
    fn wake_quiet(&mut self) {
        let Some(quiet) = &mut self.quiet else { return };
        for i in 0..quiet.look() {
            if let Some(line) = self.lines.get_mut(quiet.index(i) as usize) {
                (line.quiet, line.empty) = (false, 0);
            }
        }
    }

    fn carry_out(&mut self, now: Time, index: u32, order: Order) {
        let Self { prompts, local, out, lines, ntp_zero, .. } = self;
        let Some(line) = lines.get_mut(index as usize) else { return out.count(Count::OrdersStale, 1) };
        let env = Env { now, prompts, local, ntp_zero: *ntp_zero };
        if let Order::Open { leg, ssrc, session, .. } = order {
            let leg = Leg::open(&env, leg, ssrc, session);
            return self.open(now, index, leg);
        }
        let Some(leg) = &mut line.leg else { return out.count(Count::OrdersStale, 1) };
        match order {
            Order::Open { .. } | Order::Bridge { .. } => {}
            Order::Update { session, .. } => leg.update(&env, session, out),
            Order::Play { play, pieces, .. } => leg.playlist().play(play, pieces),
            Order::Stop { .. } => leg.playlist().stop(),
            Order::Background { clip, .. } => leg.playlist().background(clip),
            Order::Record { recording, .. } => leg.record(recording, out),
            Order::RecordGap { why, on, .. } => leg.ours().set_gap(why, on),
            Order::StopRecording { .. } => leg.stop_recording(out),
            Order::Message { recording, max_ms, silence_ms, .. } => {
                leg.start_message(recording, max_ms, silence_ms, out);
            }
            Order::StopMessage { .. } => leg.stop_message(out),
            Order::WatchSilence { after_ms, .. } => leg.watch_silence(now, after_ms),
            Order::Digits { digits, .. } => {
                let dropped = leg.digits().push(&digits);
                out.count(Count::DigitsDropped, dropped as u64);
            }
            Order::Close { .. } => self.close(now, index),
        }
    }

    fn open(&mut self, now: Time, index: u32, leg: Leg) {
        // A port that still lives or rests is not the engine's to lease: the older leg ends first.
        if self.lines[index as usize].leg.is_some() {
            self.close(now, index);
        }
        if matches!(self.lines[index as usize].state, State::Resting { .. }) {
            self.resting.retain(|resting| *resting != index);
        }
        self.drain(index);
        let line = &mut self.lines[index as usize];
        line.leg = Some(leg);
        line.state = State::Fresh;
        (line.quiet, line.empty) = (false, 0);
        self.fresh.push(index);
        self.out.count(Count::LegsOpened, 1);
    }

    /// First frames leave at once, whatever the slot: a caller's first impression is how soon he hears something.
    fn serve_fresh(&mut self, now: Time) {
        while let Some(index) = self.fresh.pop() {
            if self.lines[index as usize].state != State::Fresh {
                continue;
            }
            let tick = self.millisecond(now);
            let bridge = self.lines[index as usize].bridge.map(|(room, _)| room as usize);
            let due = match bridge.and_then(|room| self.bridges[room].slot) {
                Some(slot) => due_near(tick + SLOTS, slot),
                // Every other slot: half the wake-ups, here and at whoever listens.
                None => (tick + SLOTS - NEAR..=tick + SLOTS + NEAR)
                    .filter(|due| due % 2 == 0)
                    .min_by_key(|due| (self.slots[slot_of(*due)].len(), due.abs_diff(tick + SLOTS)))
                    .unwrap_or(tick + SLOTS),
            };
            if let Some(room) = bridge {
                self.bridges[room].slot = Some(slot_of(due) as u8);
            }
            let line = &mut self.lines[index as usize];
            line.state = State::Live;
            line.home = slot_of(tick) as u8;
            line.reports_due = due + REPORTS_EVERY;
            line.due = due;
            self.enter_slot(index, slot_of(due));
            self.frames(now, index, 1, false);
        }
    }

    fn serve_slot(&mut self, tick: u64) {
        let slot = slot_of(tick);
        if self.slots[slot].is_empty() {
            return;
        }
        let now = (self.clock)();
        let wall = sys::wall_ns();
        let late = now.since(self.began + Duration::from_millis(tick)) > LATE;
        self.out.count(Count::SlotsLate, u64::from(late));
        let mut spare = FLOODED_ALL;
        for at in 0..self.slots[slot].len() {
            let index = self.slots[slot][at];
            if let Some(later) = self.slots[slot].get(at + 4) {
                self.lines[*later as usize].soon();
            }
            if let Some(next) = self.slots[slot].get(at + 2) {
                self.lines[*next as usize].sooner();
            }
            let due = self.lines[index as usize].due;
            if tick < due {
                continue;
            }
            if let Some((room, _)) = self.lines[index as usize].bridge {
                self.serve_bridge(room, &Moment { tick, now, wall, late }, &mut spare);
                continue;
            }
            self.look(&Moment { tick, now, wall, late }, index, &mut spare);
            let periods = self.take_periods(tick, index);
            self.frames(now, index, periods, late);
        }
    }

    /// What has come for a leg, sound and now and then reports.
    pub(super) fn look(&mut self, at: &Moment, index: u32, spare: &mut usize) {
        self.receive(at.now, at.wall, index, spare);
        if at.tick >= self.lines[index as usize].reports_due {
            self.lines[index as usize].reports_due = at.tick + REPORTS_EVERY;
            self.receive_reports(at.now, index);
        }
    }

    /// How many frames a leg has to make by now.
    pub(super) fn take_periods(&mut self, tick: u64, index: u32) -> u32 {
        let line = &mut self.lines[index as usize];
        let Some(over) = tick.checked_sub(line.due) else { return 0 };
        let periods = over / SLOTS + 1;
        line.due += periods * SLOTS;
        periods as u32
    }

    pub(super) fn enter_slot(&mut self, index: u32, slot: usize) {
        let line = &mut self.lines[index as usize];
        (line.slot, line.place) = (slot as u8, self.slots[slot].len() as u32);
        self.slots[slot].push(index);
    }

    pub(super) fn leave_slot(&mut self, index: u32) {
        let line = &self.lines[index as usize];
        let (slot, place) = (usize::from(line.slot), line.place);
        self.slots[slot].swap_remove(place as usize);
        if let Some(moved) = self.slots[slot].get(place as usize) {
            self.lines[*moved as usize].place = place;
        }
    }

    pub(super) fn frames(&mut self, now: Time, index: u32, periods: u32, late: bool) {
        let line = &mut self.lines[index as usize];
        let (rtp, rtcp) = (line.rtp(), line.rtcp());
        let Some(leg) = &mut line.leg else { return };
        self.out.on(rtp, rtcp);
        let env = Env { now, prompts: &self.prompts, local: &self.local, ntp_zero: self.ntp_zero };
        leg.tick(&env, periods, late, &mut self.out);
    }

    fn receive(&mut self, now: Time, wall: u64, index: u32, spare: &mut usize) {
        let line = &mut self.lines[index as usize];
        let fd = line.rtp();
        let Some(leg) = &mut line.leg else { return };
        if line.quiet {
            return;
        }
        let env = Env { now, prompts: &self.prompts, local: &self.local, ntp_zero: self.ntp_zero };
        // Most peers send one packet a tick: a second one is looked for only when the first has waited for most of it.
        let mut most = 1;
        for round in 0..RECEIVES + FLOODED.min(*spare) {
            *spare -= usize::from(round >= RECEIVES).min(*spare);
            let got = self.receiver.receive(fd, most);
            self.out.count(Count::PacketsReceived, got as u64);
            if got > 0 {
                line.empty = 0;
            } else if round == 0 {
                line.empty += 1;
                line.quiet = line.empty >= QUIET_AFTER
                    && self.quiet.as_ref().is_some_and(|quiet| quiet.watch(fd, index));
                line.empty %= QUIET_AFTER;
            }
            let mut oldest = Duration::ZERO;
            for datagram in (0..got).filter_map(|i| self.receiver.datagram(i)) {
                let arrived = arrival(now, wall, datagram.stamp);
                oldest = oldest.max(now.since(arrived));
                leg.packet(&env, arrived, datagram.from, datagram.bytes, &mut self.out);
            }
            if got < most || (most == 1 && oldest < WAITED) {
                return;
            }
            most = BATCH;
        }
    }

    fn receive_reports(&mut self, now: Time, index: u32) {
        let line = &mut self.lines[index as usize];
        let fd = line.rtcp();
        let Some(leg) = &mut line.leg else { return };
        let env = Env { now, prompts: &self.prompts, local: &self.local, ntp_zero: self.ntp_zero };
        let got = self.receiver.receive(fd, BATCH);
        for datagram in (0..got).filter_map(|i| self.receiver.datagram(i)) {
            leg.report(&env, datagram.from, datagram.bytes, &mut self.out);
        }
    }

    fn close(&mut self, now: Time, index: u32) {
        let line = &mut self.lines[index as usize];
        let Some(leg) = line.leg.take() else { return };
        self.out.on(line.rtp(), line.rtcp());
        let env = Env { now, prompts: &self.prompts, local: &self.local, ntp_zero: self.ntp_zero };
        leg.close(&env, &mut self.out);
        let state = std::mem::replace(&mut line.state, State::Resting { until: now + REST });
        if state == State::Live {
            self.leave_slot(index);
        }
        self.leave_bridge(index);
        self.resting.push_back(index);
        self.out.count(Count::LegsClosed, 1);
    }

    fn end_rests(&mut self, now: Time) {
        while let Some(index) = self.resting.front().copied() {
            match self.lines[index as usize].state {
                State::Resting { until } if until > now => return,
                _ => {}
            }
            self.resting.pop_front();
            self.drain(index);
            let line = &mut self.lines[index as usize];
            line.state = State::Free;
            let port = line.port;
            self.out.tell(Told::Event(Event::PortFree { port }));
        }
    }

    /// Throws away what came while nobody was there: the last call's packets are not the next one's.
    fn drain(&mut self, index: u32) {
        let line = &self.lines[index as usize];
        for fd in [line.rtp(), line.rtcp()] {
            for _ in 0..DRAIN {
                let got = self.receiver.receive(fd, BATCH);
                self.out.count(Count::PacketsStray, got as u64);
                if got < BATCH {
                    break;
                }
            }
        }
    }

    fn close_all(&mut self) {
        let now = (self.clock)();
        for index in 0..self.lines.len() as u32 {
            self.close(now, index);
        }
        // The recorder reads every 20 ms; a second is far more than it needs.
        for _ in 0..1000 {
            self.out.flush();
            if self.out.ends.is_empty() && self.out.kept.is_empty() {
                break;
            }
            self.out.shared.bell.wait(Duration::from_millis(1));
        }
        (self.waker)();
    }
}

/// The moment a slot is served.
pub(super) struct Moment {
    pub tick: u64,
    pub now: Time,
    /// By the clock the kernel stamps with.
    pub wall: u64,
    pub late: bool,
}

pub(super) fn slot_of(tick: u64) -> usize {
    (tick % SLOTS) as usize
}

/// The kernel's stamp on our own clock. A stamp of the future or of long ago is a wall clock that was moved.
fn arrival(now: Time, wall: u64, stamp: Option<u64>) -> Time {
    let age = stamp.map_or(0, |stamp| wall.saturating_sub(stamp));
    if age > 1_000_000_000 { now } else { Time::from_nanos(now.as_nanos().saturating_sub(age)) }
}

/// Seconds since 1900 and 1/2³² s (RFC 3550 section 4).
fn ntp_of(unix_ns: u64) -> u64 {
    const TO_1900: u64 = 2_208_988_800;
    let (seconds, rest) = (unix_ns / 1_000_000_000 + TO_1900, unix_ns % 1_000_000_000);
    (seconds << 32).wrapping_add((rest << 32) / 1_000_000_000)
}
