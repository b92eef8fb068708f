//! The engine's end of the media workers: orders out, events in, ports bound ahead of need.

use super::binder::{Batch, Binder};
use super::metrics::Sample;
use crate::call::MediaPort;
use crate::media::seam::{Event, Order};
use crate::media::worker::WorkerHandle;

pub struct Voice {
    workers: Vec<WorkerHandle>,
    binder: Binder,
    next_worker: usize,
    bound: u64,
    /// Ports of the range that something else holds.
    taken: u64,
    /// Times the system gave no more sockets.
    refused: u64,
    orders_lost: u64,
}

impl Voice {
    pub fn new(workers: Vec<WorkerHandle>, binder: Binder) -> Self {
        Self { workers, binder, next_worker: 0, bound: 0, taken: 0, refused: 0, orders_lost: 0 }
    }

    /// Has up to `count` more ports of the range bound; they come by [`Voice::bound`].
    pub fn bind(&mut self, count: usize) {
        self.binder.ask(count);
    }

    /// Ports that were bound since, each given to a worker for good.
    pub fn bound(&mut self) -> Option<Vec<MediaPort>> {
        self.binder.poll().map(|batch| self.give(batch))
    }

    /// The same, and waits for what was asked for: before the thread runs only.
    pub fn wait_bound(&mut self) -> Option<Vec<MediaPort>> {
        self.binder.wait().map(|batch| self.give(batch))
    }

    fn give(&mut self, batch: Batch) -> Vec<MediaPort> {
        self.taken += batch.taken;
        self.refused += u64::from(batch.refused);
        self.bound += batch.ports.len() as u64;
        let mut ports = Vec::with_capacity(batch.ports.len());
        for (port, rtp, rtcp) in batch.ports {
            let worker = self.next_worker;
            self.next_worker = (self.next_worker + 1) % self.workers.len();
            self.workers[worker].add_port(port, rtp, rtcp);
            ports.push(MediaPort { port, worker: worker as u8 });
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
                "hotline_media_ports_refused",
                "Times the system gave no more sockets for media ports",
                self.refused,
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
