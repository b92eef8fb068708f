//! A port, its two sockets, and the memory of the leg that lives on it.

use super::sys;
use crate::base::Time;
use crate::media::leg::Leg;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};

pub struct Line {
    pub port: u16,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    pub state: State,
    /// The leg, in place: opening one moves it here and allocates nothing.
    pub leg: Option<Leg>,
    /// Slot, and place in its list.
    pub slot: u8,
    pub place: u32,
    /// The slot its first frame fell into, which its time line keeps; and its bridge and seat there.
    pub home: u8,
    pub bridge: Option<(u32, u8)>,
    /// The millisecond of its next frame, and of its next look at RTCP.
    pub due: u64,
    pub reports_due: u64,
    /// Ticks in a row that brought nothing.
    pub empty: u16,
    /// Its RTP socket is watched, and not read until it has something.
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Free,
    /// Opened; its first frame goes out with the others of this round.
    Fresh,
    Live,
    Resting {
        until: Time,
    },
}

impl Line {
    pub fn new(port: u16, rtp: UdpSocket, rtcp: UdpSocket) -> Self {
        sys::stamp_arrivals(&rtp);
        // A socket that blocks would stop all calls of the worker; ours never wait, whatever the descriptor says.
        Self {
            port,
            rtp,
            rtcp,
            state: State::Free,
            leg: None,
            slot: 0,
            place: 0,
            home: 0,
            bridge: None,
            due: 0,
            reports_due: 0,
            empty: 0,
            quiet: false,
        }
    }
    /// Its turn comes after a few others'.
    pub fn soon(&self) {
        sys::soon((&raw const self.due).cast());
        sys::soon((&raw const self.rtp).cast());
        sys::soon((&raw const self.leg).cast());
    }
    /// It comes next but one: what [`Line::soon`] asked for is here by now and leads to the rest.
    pub fn sooner(&self) {
        let Some(leg) = &self.leg else { return };
        for part in leg.hot() {
            sys::soon(part);
        }
    }
    pub fn rtp(&self) -> RawFd {
        self.rtp.as_raw_fd()
    }
    pub fn rtcp(&self) -> RawFd {
        self.rtcp.as_raw_fd()
    }
}
