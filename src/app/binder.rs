//! Media ports bound ahead of need by a thread of their own: two sockets each, so that a row of them never holds up the engine's turn.

use super::sockets;
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use std::io;
use std::iter::StepBy;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::thread;

/// What one request brought.
#[derive(Default)]
pub struct Batch {
    /// Port, RTP's socket, RTCP's on the next odd port.
    pub ports: Vec<(u16, UdpSocket, UdpSocket)>,
    /// Ports of the range that something else holds.
    pub taken: u64,
    /// The system gave no more sockets.
    pub refused: bool,
}

/// The engine's end of the thread. It has one request at a time under way, and the thread ends with it.
pub struct Binder {
    ask: Sender<usize>,
    bound: Receiver<Batch>,
    asked: bool,
}

impl Binder {
    /// `wake` is called after each batch.
    pub fn start(address: IpAddr, ports: (u16, u16), wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (ask, wishes) = crossbeam_channel::bounded(1);
        let (to, bound) = crossbeam_channel::bounded(1);
        // The odd port above each is RTCP's, so the last even one needs a neighbour.
        let mut range = Range { address, left: (ports.0..=ports.1.saturating_sub(1)).step_by(2), next: None };
        thread::Builder::new().name("ports".to_owned()).spawn(move || {
            while let Ok(count) = wishes.recv() {
                if to.send(range.bind(count)).is_err() {
                    return;
                }
                wake();
            }
        })?;
        Ok(Self { ask, bound, asked: false })
    }

    pub fn ask(&mut self, count: usize) {
        self.asked |= self.ask.try_send(count).is_ok();
    }

    /// A batch that has come.
    pub fn poll(&mut self) -> Option<Batch> {
        if !self.asked {
            return None;
        }
        match self.bound.try_recv() {
            Ok(batch) => self.came(batch),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => self.came(Batch::default()),
        }
    }

    /// Waits for the batch that was asked for: before the engine's thread runs only.
    pub fn wait(&mut self) -> Option<Batch> {
        let asked = self.asked;
        asked.then(|| self.bound.recv().unwrap_or_default()).and_then(|batch| self.came(batch))
    }

    fn came(&mut self, batch: Batch) -> Option<Batch> {
        self.asked = false;
        Some(batch)
    }
}

struct Range {
    address: IpAddr,
    /// Even ports not tried yet, and the one that was and waits for room.
    left: StepBy<RangeInclusive<u16>>,
    next: Option<u16>,
}

impl Range {
    fn bind(&mut self, count: usize) -> Batch {
        let mut batch = Batch { ports: Vec::with_capacity(count), ..Batch::default() };
        while batch.ports.len() < count
            && let Some(port) = self.next.take().or_else(|| self.left.next())
        {
            match sockets::voice(SocketAddr::new(self.address, port)) {
                Ok((rtp, rtcp)) => batch.ports.push((port, rtp, rtcp)),
                Err(error) if sockets::out_of_files(&error) => {
                    self.next = Some(port);
                    batch.refused = true;
                    break;
                }
                Err(_) => batch.taken += 1,
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_range_is_bound_in_pairs_past_whatever_something_else_holds() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // Somebody else's socket, wherever the system put it; the range begins at the even port at or below it.
        let other = UdpSocket::bind((here, 0)).unwrap();
        let held = other.local_addr().unwrap().port() & !1;
        let Some(last) = held.checked_add(399) else { return };
        let mut binder = Binder::start(here, (held, last), || {}).unwrap();
        assert!(binder.poll().is_none(), "nothing was asked for");
        let (mut ports, mut taken) = (Vec::new(), 0);
        loop {
            binder.ask(64);
            let batch = binder.wait().unwrap();
            assert!(!binder.asked && batch.ports.len() <= 64 && !batch.refused);
            taken += batch.taken;
            if batch.ports.is_empty() {
                break;
            }
            ports.extend(batch.ports);
        }
        assert!(taken >= 1, "the port of the other socket");
        assert_eq!(ports.len() as u64 + taken, 200, "each pair was tried once");
        for (port, rtp, rtcp) in &ports {
            assert!(port % 2 == 0 && *port != held);
            assert_eq!(rtp.local_addr().unwrap().port(), *port);
            assert_eq!(rtcp.local_addr().unwrap().port(), port + 1);
        }
    }
}
