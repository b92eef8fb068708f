//! The browsers' UDP ports: one for each connection, the longest unused first.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A pool that leases. A port comes back when its [`Lease`] is dropped.
#[derive(Clone, Debug)]
pub(super) struct Ports(Arc<Mutex<VecDeque<u16>>>);

#[derive(Debug)]
pub(super) struct Lease {
    pub port: u16,
    home: Ports,
}

impl Ports {
    pub fn new(range: RangeInclusive<u16>) -> Self {
        Self(Arc::new(Mutex::new(range.collect())))
    }

    pub fn lease(&self) -> Option<Lease> {
        let port = self.free().pop_front()?;
        Some(Lease { port, home: self.clone() })
    }

    pub fn left(&self) -> usize {
        self.free().len()
    }

    /// Each change is one call, so the queue is whole even if the lock should be poisoned.
    fn free(&self) -> MutexGuard<'_, VecDeque<u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.home.free().push_back(self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_comes_back_last_in_line() {
        let ports = Ports::new(10..=12);
        let first = ports.lease().expect("three are free");
        assert_eq!(first.port, 10);
        drop(first);
        let order: Vec<_> = std::iter::from_fn(|| ports.lease()).collect();
        assert_eq!(order.iter().map(|lease| lease.port).collect::<Vec<_>>(), [11, 12, 10]);
        assert_eq!(ports.left(), 0);
        drop(order);
        assert_eq!(ports.left(), 3);
    }
}
