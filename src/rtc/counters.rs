//! What the relay counts. Every packet that is not passed on is in one of these.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Totals since the start, of all agents.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: AtomicU64,)* }

        impl Counters {
            /// Name and value of each, for metrics.
            pub fn read(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

counters! {
    /// Browser → worker.
    to_worker,
    /// Worker → browser.
    to_browser,
    /// Silence sent so that the browser can confirm it.
    probes,
    /// From a browser while no worker was connected.
    unconnected,
    /// From a browser, but not PCMA of a sensible length.
    browser_bad,
    /// On a relay socket from an address that is not the connected worker's.
    relay_strangers,
    /// From the worker, but not RTP with PCMA of a sensible length.
    worker_bad,
    /// Came too late to be put in its place after a change of source.
    late,
    /// The connection's queue was full or the connection was going.
    browser_full,
    /// The relay socket did not take it.
    worker_full,
    /// Not STUN, and not from an address that has passed a connectivity check.
    strangers,
    /// STUN that was not for us.
    stun_refused,
    /// Receiver reports that found the queue full.
    reports_lost,
    /// Candidates told after the offer; none is needed, the browser's own checks show the way.
    candidates,
    offers,
    offers_refused,
    connected,
    failed,
    /// Path news that found the engine's queue full; they are sent again.
    news_delayed,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
