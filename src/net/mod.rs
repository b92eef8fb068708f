//! SIP's sockets: bytes in, bytes out, with limits per source. UDP in batches, TCP in frames. Effects.
//!
//! One value, owned by the engine's thread: no lock, no task, no copy between reading a datagram and the engine's decision.
//! The rule that always holds: nothing a peer sends (or does not read) makes this room keep more than its limits.
//!
//! Sockets arrive as descriptors made by `app`.

mod batch;
mod tcp;

use crate::base::Time;
use crate::sip::seam::{ConnId, Flow, Packet, Transmit};
use batch::Receiver;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tcp::Tcp;
pub use tcp::TcpLimits;

/// What came in.
#[derive(Debug)]
pub enum Received<'a> {
    Packet(Packet<'a>),
    /// A connection is gone, or could not be made.
    Lost(ConnId),
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    pub datagrams_in: u64,
    pub datagrams_out: u64,
    /// The kernel would not take a datagram even after waiting for the next turn.
    pub datagrams_dropped: u64,
    pub send_errors: u64,
    pub tcp_accepted: u64,
    pub tcp_refused: u64,
    pub tcp_timed_out: u64,
    /// Peers that did not read what they asked for.
    pub tcp_overrun: u64,
    pub tcp_bad_frames: u64,
    pub tcp_open: u64,
}

pub struct Net {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    udp: Vec<Udp>,
    tcp: Tcp,
    receiver: Receiver,
    stats: Stats,
}

struct Udp {
    socket: UdpSocket,
    /// Edge-triggered: set until a read finds nothing.
    readable: bool,
    out: Vec<(SocketAddr, bytes::Bytes)>,
}

const WAKE: Token = Token(0);
const FIRST_UDP: usize = 1;
const FIRST_TCP: usize = 64;
/// Batches read from one socket before others get a turn.
const FAIR: usize = 8;
/// Datagrams kept when the kernel's buffer is full; older ones go first, SIP repeats them.
const OUT_MAX: usize = 4096;

impl Net {
    pub fn new(
        udp: Vec<std::net::UdpSocket>,
        listeners: Vec<std::net::TcpListener>,
        limits: TcpLimits,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let mut ports = Vec::with_capacity(udp.len());
        for (i, socket) in udp.into_iter().enumerate() {
            socket.set_nonblocking(true)?;
            let mut socket = UdpSocket::from_std(socket);
            poll.registry().register(&mut socket, Token(FIRST_UDP + i), Interest::READABLE)?;
            ports.push(Udp { socket, readable: true, out: Vec::new() });
        }
        let tcp = Tcp::new(&poll, listeners, limits)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(256),
            waker,
            udp: ports,
            tcp,
            receiver: Receiver::default(),
            stats: Stats::default(),
        })
    }

    /// Wakes [`Net::wait`] from another thread.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Sleeps until something can be read, the waker is used, or `timeout` passes.
    pub fn wait(&mut self, now: Time, timeout: Option<Duration>) -> io::Result<()> {
        let more = self.udp.iter().any(|port| port.readable) || self.tcp.has_more();
        let unsent = self.udp.iter().any(|port| !port.out.is_empty());
        let own = if more {
            Some(Duration::ZERO)
        } else if unsent {
            Some(Duration::from_millis(1))
        } else {
            self.tcp.timeout(now)
        };
        let timeout = match (timeout, own) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            match event.token() {
                WAKE => {}
                Token(i) if i < FIRST_TCP => {
                    if let Some(port) = self.udp.get_mut(i - FIRST_UDP) {
                        port.readable = true;
                    }
                }
                token => self.tcp.ready(token, event.is_readable(), event.is_writable()),
            }
        }
        Ok(())
    }

    /// Hands over what has come, in turns that let every socket speak.
    pub fn receive(&mut self, now: Time, mut each: impl FnMut(Received<'_>)) {
        for (i, port) in self.udp.iter_mut().enumerate() {
            for _ in 0..FAIR {
                if !port.readable {
                    break;
                }
                match self.receiver.receive(port.socket.as_raw_fd()) {
                    Ok(0) => port.readable = false,
                    Ok(got) => {
                        self.stats.datagrams_in += got as u64;
                        for n in 0..got {
                            if let Some((peer, bytes)) = self.receiver.datagram(n) {
                                each(Received::Packet(Packet {
                                    flow: Flow::Udp { socket: i as u8, peer },
                                    bytes,
                                }));
                            }
                        }
                        port.readable = got == batch::BATCH;
                    }
                    // An ICMP answer to something we sent (RFC 3261 18.4): the transaction's timer tells the rest.
                    Err(_) => self.stats.send_errors += 1,
                }
            }
        }
        self.tcp.receive(&self.poll, now, &mut self.stats, &mut each);
    }

    /// Queues bytes; [`Net::flush`] sends them.
    pub fn send(&mut self, now: Time, transmit: Transmit) {
        match transmit.flow {
            Flow::Udp { socket, peer } => match self.udp.get_mut(usize::from(socket)) {
                Some(port) => {
                    if port.out.len() >= OUT_MAX {
                        port.out.remove(0);
                        self.stats.datagrams_dropped += 1;
                    }
                    port.out.push((peer, transmit.bytes));
                }
                None => self.stats.send_errors += 1,
            },
            Flow::Tcp { conn, .. } => self.tcp.send(conn, transmit.bytes, &mut self.stats),
            Flow::TcpTo { peer } => self.tcp.send_to(&self.poll, now, peer, transmit.bytes, &mut self.stats),
        }
    }

    pub fn close(&mut self, conn: ConnId) {
        self.tcp.close_soon(conn);
    }

    pub fn flush(&mut self) {
        for port in &mut self.udp {
            let mut sent = 0;
            while sent < port.out.len() {
                match batch::send(port.socket.as_raw_fd(), &port.out[sent..]) {
                    Ok(0) => break,
                    Ok(n) => {
                        self.stats.datagrams_out += n as u64;
                        sent += n;
                    }
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
                    {
                        break;
                    }
                    // This destination refuses; the next may not.
                    Err(_) => {
                        self.stats.send_errors += 1;
                        sent += 1;
                    }
                }
            }
            port.out.drain(..sent);
        }
        self.tcp.flush(&mut self.stats);
    }

    pub fn stats(&self) -> Stats {
        Stats { tcp_open: self.tcp.open() as u64, ..self.stats }
    }
}
