//! The process's one monotone clock, shared by the engine's thread and the media workers.

use crate::base::Time;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What began before the process has a time too, back to this: places in line that were kept over a restart.
const BEFORE: Duration = Duration::from_secs(8 * 24 * 3600);

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// `--now` moves the wall clock only.
    wall_shift_ms: i64,
}

impl Clock {
    pub fn start(wall_shift_ms: i64) -> Self {
        Self { started: Instant::now(), wall_shift_ms }
    }
    pub fn now(&self) -> Time {
        Time::ZERO + BEFORE + self.started.elapsed()
    }
    /// Milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.wall_shift_ms
    }
}
