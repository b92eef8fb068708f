//! The worker: a thread that carries datagrams between its legs and their sockets, 50 times a second.
//!
//! ```text
//!  tick of 20 ms │ slot 0 │ slot 1 │ … │ slot 19 │  each leg is served in one of the slots: one recvmmsg, one sendto
//!
//!  port:  Free ──Open──▶ Live ──Close──▶ Resting ──1 s──▶ Free   (what came meanwhile is thrown away, M10)
//! ```
//!
//! The legs of a bridge share a slot: all their packets are received, then all their frames are mixed and sent.
//!
//! A new leg's first frame goes out as soon as its order is read, and its slot is the emptiest near that moment. A thread
//! that stood still skips: at most two frames a leg make up for it (M14). Nothing is allocated, locked or logged here once
//! the thread runs: a port brings its leg's memory with it, made on the engine's side.

mod bridges;
mod counters;
mod handle;
mod line;
mod out;
mod run;
mod sys;

pub use counters::Count;
pub use handle::{Start, WorkerHandle, start};

thread_local! {
    static HERE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Is this a worker's thread? For tests that count what happens on one.
pub fn is_worker_thread() -> bool {
    HERE.try_with(std::cell::Cell::get).unwrap_or(false)
}

#[cfg(test)]
mod tests;
