//! The process's one monotone clock, shared by the engine's thread and the media workers.

use crate::base::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// `--now` moves the wall clock only.
    wall_shift_ms: i64,
}

impl Clock {
    pub fn start(wall_shift_ms: i64) -> Self {
        // A second in the past, so that no reading is ever [`Time::ZERO`].
        let started = Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now);
        Self { started, wall_shift_ms }
    }
    pub fn now(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }
    /// Milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.wall_shift_ms
    }
}
