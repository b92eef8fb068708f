//! Bridges of a worker: which legs, in which slot, served together.

use super::counters::Count;
use super::line::{Line, State};
use super::out::Out;
use super::run::{Moment, SLOTS, Worker, slot_of};
use crate::base::{LegId, Time};
use crate::media::bridge::{Hearing, Members};
use crate::media::leg::{Env, Leg};
use crate::media::seam::{BridgeId, MEMBERS_MAX, Member};
use std::collections::HashMap;

/// A member as the worker knows it.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    pub line: u32,
    pub leg: LegId,
    pub hears: u16,
}

type Seats = [Option<u32>; MEMBERS_MAX];

/// A place for a bridge; empty while it has no members.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bridge {
    /// Lines, by seat.
    seats: Seats,
    hearing: Hearing,
    /// Of its members that live; none while they are all still to be opened.
    pub slot: Option<u8>,
    /// The last tick it was served in.
    served: Option<u64>,
}

impl Bridge {
    fn seat_of(&self, line: u32) -> Option<usize> {
        self.seats.iter().position(|seat| *seat == Some(line))
    }
    fn hears(&self, seat: usize, line: u32) -> bool {
        self.seat_of(line).is_some_and(|other| self.hearing.of(seat) >> other & 1 == 1)
    }
    /// Does a line hear the same lines here as there?
    fn hears_as_in(&self, before: &Self, line: u32) -> bool {
        let (Some(now), Some(then)) = (self.seat_of(line), before.seat_of(line)) else { return false };
        let same = |other: &u32| self.hears(now, *other) == before.hears(then, *other);
        self.seats.iter().chain(&before.seats).flatten().all(same)
    }
}

impl Worker {
    /// The whole matrix of a bridge, in place of its last one.
    pub(super) fn set_bridge(&mut self, now: Time, room: u32, seats: &[Seat]) {
        let there = |seat: &Seat| {
            let line = self.lines.get(seat.line as usize);
            line.and_then(|line| line.leg.as_ref()).is_some_and(|leg| leg.id() == seat.leg)
        };
        if !seats.iter().all(there) || seats.len() > MEMBERS_MAX {
            return self.out.count(Count::OrdersStale, 1);
        }
        while self.bridges.len() <= room as usize {
            self.bridges.push(Bridge::default());
        }
        let before = self.bridges[room as usize];
        for seat in seats {
            if self.lines[seat.line as usize].bridge.is_some_and(|(other, _)| other != room) {
                self.leave_bridge(seat.line);
            }
        }
        for line in before.seats.into_iter().flatten() {
            self.lines[line as usize].bridge = None;
        }
        let mut bridge = Bridge { served: before.served, ..Bridge::default() };
        let all = (1u16 << seats.len()) - 1;
        for (n, seat) in seats.iter().enumerate() {
            bridge.seats[n] = Some(seat.line);
            bridge.hearing.set(n, seat.hears & all);
        }
        bridge.slot = self.slot_for(&before, seats);
        for (n, seat) in seats.iter().enumerate() {
            if let Some(slot) = bridge.slot {
                self.move_to(now, seat.line, slot);
            }
            let line = &mut self.lines[seat.line as usize];
            line.bridge = Some((room, n as u8));
            if let Some(leg) = line.leg.as_mut().filter(|_| !bridge.hears_as_in(&before, seat.line)) {
                leg.hears_others();
            }
        }
        self.bridges[room as usize] = bridge;
    }

    /// The slot its members are in already, or the emptiest that any of them is in.
    fn slot_for(&self, before: &Bridge, seats: &[Seat]) -> Option<u8> {
        let live = seats.iter().filter(|seat| self.lines[seat.line as usize].state == State::Live);
        if before.slot.is_some() && live.clone().any(|seat| before.seat_of(seat.line).is_some()) {
            return before.slot;
        }
        let slots = live.map(|seat| self.lines[seat.line as usize].slot);
        slots.min_by_key(|slot| self.slots[usize::from(*slot)].len())
    }

    /// Serves a leg in another slot from now on, at most 10 ms from where its own frames begin.
    fn move_to(&mut self, now: Time, index: u32, slot: u8) {
        let line = &self.lines[index as usize];
        if line.state != State::Live || line.slot == slot {
            return;
        }
        let mut due = due_near(due_near(line.due, line.home), slot);
        if due < self.tick {
            // Its frame of this round would come in that of the next.
            self.frames(now, index, 1, false);
            due += SLOTS;
        }
        self.leave_slot(index);
        self.lines[index as usize].due = due;
        self.enter_slot(index, slot_of(due));
    }

    /// A leg leaves its bridge; the others' seats stay.
    pub(super) fn leave_bridge(&mut self, index: u32) {
        let Some((room, seat)) = self.lines[index as usize].bridge.take() else { return };
        let bridge = &mut self.bridges[room as usize];
        bridge.seats[usize::from(seat)] = None;
        for (other, line) in bridge.seats.iter().enumerate() {
            let heard = bridge.hearing.of(other) >> seat & 1 == 1;
            if let Some(line) = line.filter(|_| heard)
                && let Some(leg) = &mut self.lines[line as usize].leg
            {
                leg.hears_others();
            }
        }
        bridge.hearing.leave(usize::from(seat));
    }

    /// All of a bridge once a tick, whichever of its members comes first in the slot.
    pub(super) fn serve_bridge(&mut self, room: u32, at: &Moment, spare: &mut usize) {
        let bridge = &mut self.bridges[room as usize];
        if bridge.served == Some(at.tick) {
            return;
        }
        bridge.served = Some(at.tick);
        let Bridge { seats, hearing, .. } = *bridge;
        let (mut all, mut frames) = (0, [0; MEMBERS_MAX]);
        for (seat, index) in seats.iter().enumerate() {
            let Some(index) = index.filter(|index| self.lines[*index as usize].state == State::Live) else {
                continue;
            };
            all |= 1 << seat;
            self.look(at, index, spare);
            frames[seat] = self.take_periods(at.tick, index);
        }
        let Self { prompts, local, ntp_zero, desk, lines, out, .. } = self;
        let env = Env { now: at.now, prompts, local, ntp_zero: *ntp_zero };
        let mut members = Lines { seats: &seats, lines, out };
        for (seat, frames) in frames.iter_mut().enumerate().filter(|(_, frames)| **frames > 0) {
            if let Some((leg, out)) = members.at(seat) {
                *frames = leg.begin_tick(&env, *frames, at.late, out);
            }
        }
        let most = frames.iter().copied().max().unwrap_or(0);
        for n in 0..most {
            let due = (0..MEMBERS_MAX).filter(|seat| frames[*seat] > n).fold(0, |due, seat| due | 1 << seat);
            desk.frame(&env, &hearing, all, due, &mut members);
        }
        for seat in (0..MEMBERS_MAX).filter(|seat| frames[*seat] > 0) {
            if let Some((leg, out)) = members.at(seat) {
                leg.end_tick(&env, out);
            }
        }
        self.out.count(Count::BridgeFrames, most.into());
    }
}

/// The tick of a slot nearest to another tick.
pub fn due_near(tick: u64, slot: u8) -> u64 {
    let ahead = (SLOTS + u64::from(slot) - tick % SLOTS) % SLOTS;
    if ahead <= SLOTS / 2 { tick + ahead } else { (tick + ahead).saturating_sub(SLOTS) }
}

struct Lines<'a> {
    seats: &'a Seats,
    lines: &'a mut [Box<Line>],
    out: &'a mut Out,
}

impl Members for Lines<'_> {
    type Sink = Out;
    fn at(&mut self, seat: usize) -> Option<(&mut Leg, &mut Out)> {
        let index = (*self.seats.get(seat)?)?;
        let line = self.lines.get_mut(index as usize)?;
        self.out.on(line.rtp(), line.rtcp());
        line.leg.as_mut().map(|leg| (leg, &mut *self.out))
    }
}

/// The engine's side: which place of the worker each bridge has. It knows the same orders, so it knows when one is free.
#[derive(Debug, Default)]
pub struct Rooms {
    open: HashMap<BridgeId, Room>,
    of: HashMap<LegId, BridgeId>,
    free: Vec<u32>,
    made: u32,
}

#[derive(Debug)]
struct Room {
    place: u32,
    seats: Vec<LegId>,
}

impl Rooms {
    /// Seats a bridge's members; `None` when an unknown bridge is dissolved.
    pub fn seat(&mut self, bridge: BridgeId, members: &[Member]) -> Option<u32> {
        let place = match self.open.remove(&bridge) {
            Some(room) => {
                room.seats.iter().for_each(|leg| {
                    self.of.remove(leg);
                });
                room.place
            }
            None if members.is_empty() => return None,
            None => self.free.pop().unwrap_or_else(|| {
                self.made += 1;
                self.made - 1
            }),
        };
        if members.is_empty() {
            self.free.push(place);
            return Some(place);
        }
        for member in members {
            self.leave(member.leg);
            self.of.insert(member.leg, bridge);
        }
        let seats = members.iter().map(|member| member.leg).collect();
        self.open.insert(bridge, Room { place, seats });
        Some(place)
    }

    pub fn leave(&mut self, leg: LegId) {
        let Some(bridge) = self.of.remove(&leg) else { return };
        let Some(room) = self.open.get_mut(&bridge) else { return };
        room.seats.retain(|other| *other != leg);
        if room.seats.is_empty()
            && let Some(room) = self.open.remove(&bridge)
        {
            self.free.push(room.place);
        }
    }
}
