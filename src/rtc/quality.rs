//! How a browser hears us, in words, out of its receiver reports.

use crate::base::Time;
use std::time::Duration;

/// One receiver report about our stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Extended highest sequence number received.
    pub highest: u32,
    /// Lost since the last report, of 256.
    pub lost_256: u8,
    pub jitter: Duration,
    /// There and back; `None` before the first of our sender reports was answered.
    pub round_trip: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Word {
    /// No report yet, or none for a long time.
    #[default]
    Unknown,
    Good,
    Fair,
    Poor,
}

impl Word {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }
}

/// The last report, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Quality {
    last: Option<(Time, Report)>,
}

/// Browsers report within 7.5 s: twice that is silence.
const STALE: Duration = Duration::from_secs(15);
/// At most this much is good; at most that is fair.
const LOST: (u8, u8) = (5, 13);
const JITTER: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(60));
const ROUND_TRIP: (Duration, Duration) = (Duration::from_millis(150), Duration::from_millis(400));

impl Quality {
    pub fn reported(&mut self, report: Report, now: Time) {
        self.last = Some((now, report));
    }

    pub fn report(&self) -> Option<Report> {
        self.last.map(|(_, report)| report)
    }

    pub fn word(&self, now: Time) -> Word {
        let Some((at, report)) = self.last.filter(|(at, _)| now.since(*at) <= STALE) else {
            return Word::Unknown;
        };
        debug_assert!(at <= now);
        let trip = report.round_trip.unwrap_or_default();
        if report.lost_256 <= LOST.0 && report.jitter <= JITTER.0 && trip <= ROUND_TRIP.0 {
            Word::Good
        } else if report.lost_256 <= LOST.1 && report.jitter <= JITTER.1 && trip <= ROUND_TRIP.1 {
            Word::Fair
        } else {
            Word::Poor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_by_the_worst_of_the_three() {
        let ms = Duration::from_millis;
        for (lost_256, jitter, trip, word) in [
            (0, 0, Some(1), Word::Good),
            (5, 30, Some(150), Word::Good),
            (0, 0, None, Word::Good),
            (6, 0, None, Word::Fair),
            (0, 31, None, Word::Fair),
            (0, 0, Some(151), Word::Fair),
            (14, 0, None, Word::Poor),
            (0, 61, None, Word::Poor),
            (0, 0, Some(401), Word::Poor),
        ] {
            let mut quality = Quality::default();
            assert_eq!(quality.word(Time::ZERO), Word::Unknown);
            let report = Report { highest: 1, lost_256, jitter: ms(jitter), round_trip: trip.map(ms) };
            quality.reported(report, Time::ZERO);
            assert_eq!(quality.word(Time::from_millis(15_000)), word, "{report:?}");
            assert_eq!(quality.word(Time::from_millis(15_001)), Word::Unknown);
        }
    }
}
