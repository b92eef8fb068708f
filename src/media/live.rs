//! A voice on its way to other legs: where in the received sound ([`super::playout`]) the next frame begins.
//!
//! ```text
//!  received   ──────┬───── packet ─────┬───── packet ─────┬ ─ ─   time line of the speaker's leg
//!                   at                 end                now
//!                   └──── behind ─────────────────────────┘  at least as much as packets wavered lately
//! ```
//!
//! A frame begins where a packet does, so what came whole goes out whole at the next tick: 3 to 23 ms after it came on a
//! calm network. A packet that is not there in time is waited for, up to 60 ms; what was waited too long is caught up by
//! leaving out frames in which nothing is said. A voice that stopped begins afresh with its next packet.

use super::g711::FRAME;
use super::playout::Playout;

/// Samples that packets may always waver by: 3 ms.
const MARGIN: i64 = 24;
/// Furthest behind the time of arrival, samples: 60 ms. The received sound is kept for longer.
const FURTHEST: i64 = 480;
/// A packet placed so many samples earlier than due is the drift of a clock, not a missing packet.
const DRIFT: i64 = 16;
/// Samples no louder than this are nothing said: −48 dB below full scale.
const QUIET: u16 = 128;

/// Samples of one frame on the time line.
const STEP: i64 = FRAME as i64;

#[derive(Clone, Copy, Debug, Default)]
pub struct Live {
    /// Where the next frame begins; none while nothing comes.
    at: Option<i64>,
    /// Everything before has been taken or given up.
    done: i64,
}

impl Live {
    /// Takes the frame of this tick, at `now` in samples of the leg's time line; false when nothing is there to be heard.
    pub fn take(&mut self, now: i64, playout: &Playout, table: &[i16; 256], into: &mut [u8; FRAME]) -> bool {
        let Some((end, waver)) = playout.newest() else { return false };
        let need = waver.clamp(MARGIN, FURTHEST - STEP);
        let mut at = match self.at.filter(|at| (at - STEP..=at + FURTHEST).contains(&now)) {
            Some(at) => at,
            None => match self.begin(now, end, need) {
                Some(at) => at,
                None => return false,
            },
        };
        let missing = at + STEP - end;
        if (1..=DRIFT).contains(&missing) {
            at -= missing;
        } else if missing > DRIFT {
            // Not there yet. Waited for while there is time; then it is given up, and the next begins afresh.
            self.at = (now + STEP - at <= FURTHEST).then_some(at);
            self.done = end;
            return false;
        }
        while now - at - STEP >= need && end - at >= 2 * STEP && {
            playout.read(at, into);
            into.iter().all(|byte| table[usize::from(*byte)].unsigned_abs() <= QUIET)
        } {
            at += STEP;
        }
        self.at = Some(at + STEP);
        self.done = at + STEP;
        playout.read(at, into)
    }

    /// The newest start of a packet that leaves enough time for the next ones, if anything new has come.
    fn begin(&self, now: i64, end: i64, need: i64) -> Option<i64> {
        if end <= self.done || now - end > FURTHEST {
            return None;
        }
        let frames = ((end + need - now).max(1) + STEP - 1) / STEP;
        // Not what was heard already.
        Some((end - frames * STEP).max(self.done))
    }

    /// Frames that nobody took: the worker stood still.
    pub fn skip(&mut self, frames: u32) {
        self.at = self.at.map(|at| at + i64::from(frames) * STEP);
    }

    /// Nobody listened for a while.
    pub fn rest(&mut self) {
        self.at = None;
    }
}
