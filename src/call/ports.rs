//! Media ports: bound ahead by the driver, leased to a leg, resting in the worker after it, then free again (`attacks.md` M9, M10).

use std::collections::{BTreeMap, VecDeque};

/// A bound RTP port and the worker that owns its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaPort {
    pub port: u16,
    pub worker: u8,
}

/// Ports looked at for one of a given worker; ports of all workers are mixed.
const LOOKED_AT: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Oldest rest first, so that a port is reused as late as possible.
    free: VecDeque<MediaPort>,
    leased: BTreeMap<u16, MediaPort>,
    /// More have been asked for and have not come.
    asked: bool,
    /// The last request brought nothing: the range is used up, or no more files may be open. Asked again once a port comes back.
    exhausted: bool,
}

impl Ports {
    pub fn lease(&mut self) -> Option<MediaPort> {
        let port = self.free.pop_front()?;
        self.leased.insert(port.port, port);
        Some(port)
    }

    /// One of this worker's, for a leg that shall be bridged there. Looks at the oldest only, then a little further.
    pub fn lease_on(&mut self, worker: u8) -> Option<MediaPort> {
        let at = self.free.iter().take(LOOKED_AT).position(|port| port.worker == worker)?;
        let port = self.free.remove(at)?;
        self.leased.insert(port.port, port);
        Some(port)
    }

    pub fn give_back(&mut self, port: u16) -> bool {
        match self.leased.remove(&port) {
            Some(port) => {
                self.free.push_back(port);
                self.exhausted = false;
                true
            }
            None => false,
        }
    }

    pub fn bound(&mut self, ports: Vec<MediaPort>) {
        self.asked = false;
        self.exhausted = ports.is_empty();
        self.free.extend(ports);
    }

    /// True once when fewer than `low` are free and asking may help.
    pub fn should_ask(&mut self, low: usize) -> bool {
        let ask = self.free.len() < low && !self.asked && !self.exhausted;
        self.asked |= ask;
        ask
    }

    pub fn leased(&self) -> usize {
        self.leased.len()
    }
    pub fn free(&self) -> usize {
        self.free.len()
    }
}
