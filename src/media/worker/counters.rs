//! What a worker counts. One thread adds, any reads.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Count { $($(#[$doc])* $name),* }
        const NAMES: &[&str] = &[$($text),*];
    };
}

counts! {
    PacketsSent = "packets_sent",
    /// The kernel did not take it.
    SendFailed = "send_failed",
    PacketsReceived = "packets_received",
    /// Found on a port when its leg opened or its rest ended.
    PacketsStray = "packets_stray",
    LegsOpened = "legs_opened",
    LegsClosed = "legs_closed",
    /// Orders for a leg that is not there.
    OrdersStale = "orders_stale",
    /// Keys to be sent that found too many waiting.
    DigitsDropped = "digits_dropped",
    /// Frames made for bridges, whatever the number of their members.
    BridgeFrames = "bridge_frames",
    /// Slots served more than 5 ms late.
    SlotsLate = "slots_late",
    /// Times the thread stood still for more than 40 ms.
    Stalls = "stalls",
    FramesLost = "recording_frames_lost",
    EndsLost = "recording_ends_lost",
    LostFinished = "lost_finished",
    LostDigits = "lost_digits",
    LostRecordings = "lost_recordings",
    LostClosed = "lost_closed",
    LostPortFree = "lost_port_free",
    LostOther = "lost_other",
    /// 1: the kernel refused real-time scheduling.
    RealtimeRefused = "realtime_refused",
}

#[derive(Debug)]
pub struct Counters([AtomicU64; NAMES.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; NAMES.len()])
    }
}

impl Counters {
    /// Only the worker's own thread adds, so no bus lock is needed.
    pub fn add(&self, what: Count, n: u64) {
        let count = &self.0[what as usize];
        count.store(count.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().zip(&self.0).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
    }
}
