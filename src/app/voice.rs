//! The engine's end of the media workers: orders out, events in, ports bound ahead of need.

use super::metrics::Sample;
use super::sockets;
use crate::call::MediaPort;
use crate::media::seam::{Event, Order};
use crate::media::worker::WorkerHandle;
use std::net::{IpAddr, SocketAddr};

pub struct Voice {
    workers: Vec<WorkerHandle>,
    address: IpAddr,
    /// Even ports not tried yet.
    range: std::iter::StepBy<std::ops::RangeInclusive<u16>>,
    next_worker: usize,
    bound: u64,
    /// Ports of the range that something else holds.
    taken: u64,
    orders_lost: u64,
}

impl Voice {
    pub fn new(workers: Vec<WorkerHandle>, address: IpAddr, ports: (u16, u16)) -> Self {
        // The odd port above each is RTCP's, so the last even one needs a neighbour.
        let range = (ports.0..=ports.1.saturating_sub(1)).step_by(2);
        Self { workers, address, range, next_worker: 0, bound: 0, taken: 0, orders_lost: 0 }
    }

    /// Binds up to `count` more ports of the range and gives each to a worker for good.
    pub fn bind(&mut self, count: usize) -> Vec<MediaPort> {
        let mut ports = Vec::with_capacity(count);
        while ports.len() < count
            && let Some(port) = self.range.next()
        {
            match sockets::voice(SocketAddr::new(self.address, port)) {
                Ok((rtp, rtcp)) => {
                    let worker = self.next_worker;
                    self.next_worker = (self.next_worker + 1) % self.workers.len();
                    self.workers[worker].add_port(port, rtp, rtcp);
                    ports.push(MediaPort { port, worker: worker as u8 });
                    self.bound += 1;
                }
                Err(_) => self.taken += 1,
            }
        }
        ports
    }

    pub fn order(&mut self, worker: u8, order: Order) {
        match self.workers.get_mut(usize::from(worker)) {
            Some(handle) => self.orders_lost += u64::from(!handle.order(order)),
            None => self.orders_lost += 1,
        }
    }

    pub fn events(&mut self, mut each: impl FnMut(Event)) {
        for worker in &mut self.workers {
            worker.events(&mut each);
        }
    }

    /// Wakes workers that were given orders.
    pub fn flush(&mut self) {
        for worker in &mut self.workers {
            worker.wake();
        }
    }

    pub fn stop(self) {
        for worker in self.workers {
            worker.stop();
        }
    }
}

impl Voice {
    pub fn samples(&self) -> Vec<Sample> {
        let mut out = vec![
            Sample::gauge("hotline_media_workers", "Media worker threads", self.workers.len() as u64),
            Sample::counter("hotline_media_ports_bound", "Media ports bound", self.bound),
            Sample::counter(
                "hotline_media_ports_taken",
                "Media ports of the range that something else holds",
                self.taken,
            ),
            Sample::counter(
                "hotline_media_orders_lost",
                "Orders a worker's ring had no room for",
                self.orders_lost,
            ),
        ];
        for (i, worker) in self.workers.iter().enumerate() {
            out.extend(worker.counters().into_iter().map(|(what, n)| {
                Sample::counter("hotline_media", "What a media worker counted", n)
                    .by("what", format!("{i}_{what}"))
            }));
        }
        out
    }
}
