//! Where legs' words go: rings, counters, sockets.

use super::counters::Count;
use super::handle::Shared;
use super::sys;
use crate::media::leg::{Sink, Socket, Told};
use crate::media::seam::Event;
use crate::media::take::{Frame, What};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;

/// Events and ends of recordings kept while their rings are full.
const KEPT: usize = 8192;

/// What the rings have no room for is kept here.
pub(super) struct Out {
    events: rtrb::Producer<Told>,
    pub kept: VecDeque<Told>,
    pub lost: u32,
    pub told: bool,
    frames: rtrb::Producer<Frame>,
    pub ends: VecDeque<Frame>,
    pub shared: Arc<Shared>,
    rtp: RawFd,
    rtcp: RawFd,
}

impl Out {
    pub fn new(events: rtrb::Producer<Told>, frames: rtrb::Producer<Frame>, shared: Arc<Shared>) -> Self {
        Self {
            events,
            kept: VecDeque::with_capacity(KEPT),
            lost: 0,
            told: false,
            frames,
            ends: VecDeque::with_capacity(KEPT),
            shared,
            rtp: -1,
            rtcp: -1,
        }
    }

    /// The sockets of the leg that speaks next.
    pub fn on(&mut self, rtp: RawFd, rtcp: RawFd) {
        (self.rtp, self.rtcp) = (rtp, rtcp);
    }

    pub fn count(&self, what: Count, n: u64) {
        self.shared.counters.add(what, n);
    }

    /// Hands over what was kept, as far as there is room.
    pub fn flush(&mut self) {
        while let Some(frame) = self.ends.pop_front() {
            if let Err(rtrb::PushError::Full(frame)) = self.frames.push(frame) {
                self.ends.push_front(frame);
                break;
            }
        }
        while let Some(told) = self.kept.pop_front() {
            self.told = true;
            if let Err(rtrb::PushError::Full(told)) = self.events.push(told) {
                self.kept.push_front(told);
                return;
            }
        }
        if self.lost > 0 && self.events.push(Told::Event(Event::Overrun { lost: self.lost })).is_ok() {
            self.lost = 0;
            self.told = true;
        }
    }

    fn lose(&mut self, told: &Told) {
        self.lost = self.lost.saturating_add(1);
        let what = match told {
            Told::Closed { .. } | Told::Event(Event::Closed { .. }) => Count::LostClosed,
            Told::Event(Event::Finished { .. }) => Count::LostFinished,
            Told::Event(Event::Digit { .. }) => Count::LostDigits,
            Told::Event(Event::RecordingEnded { .. } | Event::MessageEnded { .. }) => Count::LostRecordings,
            Told::Event(Event::PortFree { .. }) => Count::LostPortFree,
            Told::Event(_) => Count::LostOther,
        };
        self.count(what, 1);
    }
}

impl Sink for Out {
    fn tell(&mut self, told: Told) {
        self.told = true;
        let told = if self.kept.is_empty() {
            match self.events.push(told) {
                Ok(()) => return,
                Err(rtrb::PushError::Full(told)) => told,
            }
        } else {
            told
        };
        if self.kept.len() < KEPT {
            self.kept.push_back(told);
        } else {
            self.lose(&told);
        }
    }

    fn record(&mut self, frame: Frame) -> bool {
        let is_end = matches!(frame.what, What::CallEnds | What::MessageEnds { .. });
        // An end never overtakes: what it would pass is in the ring already.
        let Err(rtrb::PushError::Full(frame)) = self.frames.push(frame) else { return true };
        if !is_end {
            self.count(Count::FramesLost, 1);
        } else if self.ends.len() < KEPT {
            self.ends.push_back(frame);
        } else {
            self.count(Count::EndsLost, 1);
        }
        false
    }

    fn send(&mut self, to: SocketAddr, socket: Socket, bytes: &[u8]) {
        let fd = match socket {
            Socket::Rtp => self.rtp,
            Socket::Rtcp => self.rtcp,
        };
        let sent = sys::send(fd, to, bytes);
        self.count(if sent { Count::PacketsSent } else { Count::SendFailed }, 1);
    }
}
