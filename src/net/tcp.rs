//! SIP over TCP: connections in and out, framed, bounded in number, time and bytes (`attacks.md` S11, S12).

use super::{FIRST_TCP, Received, Stats};
use crate::base::{Deadlines, Time};
use crate::sip::seam::{ConnId, Flow, Packet};
use crate::sip::stream::{Framed, Framer};
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Poll, Token};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct TcpLimits {
    pub connections: usize,
    pub per_source: usize,
    /// From accept to the first byte.
    pub first_byte: Duration,
    /// From the first byte of a message to its last.
    pub whole_message: Duration,
    /// Bytes waiting for a peer that reads slowly.
    pub out_bytes: usize,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_source: 64,
            first_byte: Duration::from_secs(5),
            whole_message: Duration::from_secs(10),
            out_bytes: 512 * 1024,
        }
    }
}

struct Conn {
    stream: TcpStream,
    peer: SocketAddr,
    framer: Framer,
    out: VecDeque<bytes::Bytes>,
    out_bytes: usize,
    /// Connected, and the last write was not refused.
    writable: bool,
    spoke: bool,
    /// Until then the first byte, or the rest of a message, must come.
    patience: Option<Time>,
    last_heard: Time,
    close_after_flush: bool,
    gone: bool,
}

pub(super) struct Tcp {
    listeners: Vec<TcpListener>,
    pending_accept: bool,
    conns: BTreeMap<ConnId, Conn>,
    by_peer: BTreeMap<SocketAddr, ConnId>,
    per_source: BTreeMap<IpAddr, usize>,
    deadlines: Deadlines<ConnId>,
    /// Connections with something to read, or to be taken down: no event scans the others.
    busy: BTreeSet<ConnId>,
    /// Connections with something to write.
    unsent: BTreeSet<ConnId>,
    next: u64,
    limits: TcpLimits,
    scratch: Vec<u8>,
}

impl Tcp {
    pub fn new(poll: &Poll, listeners: Vec<std::net::TcpListener>, limits: TcpLimits) -> io::Result<Self> {
        let mut ready = Vec::with_capacity(listeners.len());
        for (i, listener) in listeners.into_iter().enumerate() {
            listener.set_nonblocking(true)?;
            let mut listener = TcpListener::from_std(listener);
            poll.registry().register(&mut listener, Token(FIRST_TCP + i), Interest::READABLE)?;
            ready.push(listener);
        }
        Ok(Self {
            pending_accept: !ready.is_empty(),
            next: (FIRST_TCP + ready.len()) as u64,
            listeners: ready,
            conns: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            per_source: BTreeMap::new(),
            deadlines: Deadlines::default(),
            busy: BTreeSet::new(),
            unsent: BTreeSet::new(),
            limits,
            scratch: vec![0; 64 * 1024],
        })
    }

    pub fn open(&self) -> usize {
        self.conns.len()
    }

    pub fn has_more(&self) -> bool {
        self.pending_accept || !self.busy.is_empty()
    }

    pub fn timeout(&self, now: Time) -> Option<Duration> {
        self.deadlines.soonest().map(|at| at.since(now))
    }

    pub fn ready(&mut self, token: Token, readable: bool, writable: bool) {
        if token.0 < FIRST_TCP + self.listeners.len() {
            self.pending_accept = true;
            return;
        }
        let id = ConnId(token.0 as u64);
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.writable |= writable;
            if readable {
                self.busy.insert(id);
            }
            if writable && !conn.out.is_empty() {
                self.unsent.insert(id);
            }
        }
    }

    pub fn receive(
        &mut self,
        poll: &Poll,
        now: Time,
        stats: &mut Stats,
        each: &mut impl FnMut(Received<'_>),
    ) {
        if std::mem::take(&mut self.pending_accept) {
            self.accept(poll, now, stats);
        }
        while let Some(id) = self.deadlines.due(now) {
            stats.tcp_timed_out += 1;
            self.drop_conn(id);
            each(Received::Lost(id));
        }
        let busy: Vec<ConnId> = self.busy.iter().copied().collect();
        for id in busy {
            if !self.read(id, now, stats, each) {
                self.drop_conn(id);
                each(Received::Lost(id));
            }
        }
    }

    /// False when the connection is over.
    fn read(
        &mut self,
        id: ConnId,
        now: Time,
        stats: &mut Stats,
        each: &mut impl FnMut(Received<'_>),
    ) -> bool {
        let limits = self.limits;
        let Some(conn) = self.conns.get_mut(&id) else { return true };
        if conn.gone {
            return false;
        }
        match conn.stream.read(&mut self.scratch) {
            Ok(0) => return false,
            Ok(n) => {
                conn.spoke = true;
                conn.last_heard = now;
                conn.framer.push(&self.scratch[..n]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.busy.remove(&id);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(_) => return false,
        }
        let flow = Flow::Tcp { conn: id, peer: conn.peer };
        let mut pongs = 0;
        loop {
            match conn.framer.next_frame() {
                Ok(Some(Framed::Message(bytes))) => each(Received::Packet(Packet { flow, bytes: &bytes })),
                // RFC 5626 4.4.1: CRLF CRLF is a ping, CRLF its answer.
                Ok(Some(Framed::Ping)) => pongs += 1,
                Ok(None) => break,
                Err(bad) => {
                    stats.tcp_bad_frames += 1;
                    // What could be read of it may still earn a 400 before the stream is closed.
                    each(Received::Packet(Packet { flow, bytes: &bad.head }));
                    conn.close_after_flush = true;
                    self.unsent.insert(id);
                    self.busy.remove(&id);
                    break;
                }
            }
        }
        let before = conn.patience;
        conn.patience = match (conn.framer.is_between_messages(), before) {
            (true, _) => None,
            (false, Some(at)) if conn.spoke && at > now => Some(at),
            (false, _) => Some(now + limits.whole_message),
        };
        self.deadlines.moved(id, before, conn.patience);
        for _ in 0..pongs {
            self.send(id, bytes::Bytes::from_static(b"\r\n"), stats);
        }
        true
    }

    fn accept(&mut self, poll: &Poll, now: Time, stats: &mut Stats) {
        for i in 0..self.listeners.len() {
            loop {
                match self.listeners[i].accept() {
                    Ok((stream, peer)) => {
                        let from_source = self.per_source.get(&peer.ip()).copied().unwrap_or(0);
                        if from_source >= self.limits.per_source {
                            stats.tcp_refused += 1;
                            continue;
                        }
                        if self.conns.len() >= self.limits.connections {
                            stats.tcp_refused += 1;
                            self.drop_idlest();
                        }
                        stats.tcp_accepted += 1;
                        self.add(poll, now, stream, peer, true);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // Out of descriptors, or the peer is gone already: the next readiness tries again.
                    Err(_) => {
                        stats.tcp_refused += 1;
                        break;
                    }
                }
            }
        }
    }

    fn add(
        &mut self,
        poll: &Poll,
        now: Time,
        mut stream: TcpStream,
        peer: SocketAddr,
        connected: bool,
    ) -> Option<ConnId> {
        let id = ConnId(self.next);
        self.next += 1;
        let _ = stream.set_nodelay(true);
        let token = Token(usize::try_from(id.0).ok()?);
        poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE).ok()?;
        let patience = Some(now + self.limits.first_byte);
        self.deadlines.moved(id, None, patience);
        *self.per_source.entry(peer.ip()).or_default() += 1;
        self.by_peer.insert(peer, id);
        let conn = Conn {
            stream,
            peer,
            framer: Framer::default(),
            out: VecDeque::new(),
            out_bytes: 0,
            writable: connected,
            spoke: false,
            patience,
            last_heard: now,
            close_after_flush: false,
            gone: false,
        };
        self.conns.insert(id, conn);
        self.busy.insert(id);
        Some(id)
    }

    /// The connection longest silent makes room. (Linear in connections, only at the limit.)
    fn drop_idlest(&mut self) {
        if let Some(id) = self.conns.iter().min_by_key(|(_, conn)| conn.last_heard).map(|(id, _)| *id)
            && let Some(conn) = self.conns.get_mut(&id)
        {
            conn.gone = true;
            self.busy.insert(id);
        }
    }

    pub fn send(&mut self, id: ConnId, bytes: bytes::Bytes, stats: &mut Stats) {
        let Some(conn) = self.conns.get_mut(&id) else {
            stats.send_errors += 1;
            return;
        };
        if conn.out_bytes + bytes.len() > self.limits.out_bytes {
            stats.tcp_overrun += 1;
            conn.gone = true;
            self.busy.insert(id);
            return;
        }
        conn.out_bytes += bytes.len();
        conn.out.push_back(bytes);
        self.unsent.insert(id);
    }

    /// By the connection there is, or by a new one.
    pub fn send_to(
        &mut self,
        poll: &Poll,
        now: Time,
        peer: SocketAddr,
        bytes: bytes::Bytes,
        stats: &mut Stats,
    ) {
        let id = match self.by_peer.get(&peer) {
            Some(id) => Some(*id),
            None if self.conns.len() >= self.limits.connections => None,
            None => TcpStream::connect(peer).ok().and_then(|stream| self.add(poll, now, stream, peer, false)),
        };
        match id {
            Some(id) => self.send(id, bytes, stats),
            None => stats.send_errors += 1,
        }
    }

    pub fn close_soon(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.close_after_flush = true;
            self.unsent.insert(id);
        }
    }

    pub fn flush(&mut self, stats: &mut Stats) {
        let unsent: Vec<ConnId> = self.unsent.iter().copied().collect();
        for id in unsent {
            let Some(conn) = self.conns.get_mut(&id) else {
                self.unsent.remove(&id);
                continue;
            };
            while conn.writable
                && let Some(front) = conn.out.front_mut()
            {
                match conn.stream.write(front) {
                    Ok(n) => {
                        conn.out_bytes -= n;
                        let _ = front.split_to(n);
                        if front.is_empty() {
                            conn.out.pop_front();
                        }
                    }
                    // Until the next writable event.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => conn.writable = false,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => {
                        stats.send_errors += 1;
                        conn.gone = true;
                        break;
                    }
                }
            }
            conn.gone |= conn.close_after_flush && conn.out.is_empty();
            if conn.gone {
                self.busy.insert(id);
            }
            self.unsent.remove(&id);
        }
    }

    fn drop_conn(&mut self, id: ConnId) {
        let Some(conn) = self.conns.remove(&id) else { return };
        self.deadlines.moved(id, conn.patience, None);
        self.busy.remove(&id);
        self.unsent.remove(&id);
        if self.by_peer.get(&conn.peer) == Some(&id) {
            self.by_peer.remove(&conn.peer);
        }
        if let Some(count) = self.per_source.get_mut(&conn.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.per_source.remove(&conn.peer.ip());
            }
        }
    }
}
