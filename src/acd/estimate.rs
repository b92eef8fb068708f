//! How long somebody will wait, as an interval that holds the truth four times in five; or silence.
//!
//! The mean of a wait is `(ahead + 1) * handling / agents`. How far truth strays from it is not assumed but measured: the ratios of
//! the last waits at about the same position give the interval, and each answered call moves the two quantiles so that one
//! truth in ten falls below and one above (adaptive conformal inference). So the interval stays right when the days are unsteady.

use std::collections::VecDeque;
use std::time::Duration;

/// What was said to callers who then were answered, beside the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Calibration {
    pub inside: u64,
    /// Answered earlier than said.
    pub outside_low: u64,
    /// Answered later than said.
    pub outside_high: u64,
}

impl Calibration {
    pub fn stated(&self) -> u64 {
        self.inside + self.outside_low + self.outside_high
    }
    pub fn share_inside(&self) -> f64 {
        self.inside as f64 / self.stated().max(1) as f64
    }
}

/// What holds for one position at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stated {
    pub mean_s: f64,
    pub low: Duration,
    pub high: Duration,
    pub middle: Duration,
    bucket: usize,
    /// Sure enough to be told.
    pub sure: bool,
}

#[derive(Debug, Default)]
pub(super) struct Estimator {
    handling_s: f64,
    handled: u64,
    buckets: [Ratios; BUCKETS],
    all: Ratios,
    pub calibration: Calibration,
}

const BUCKETS: usize = 8;
/// Below this much evidence nothing is said.
const ENOUGH: usize = 20;
const HANDLED_ENOUGH: u64 = 10;
/// How much one call moves the mean handling time, once many are known.
const HANDLING_WEIGHT: f64 = 0.02;
/// How fast the quantiles move after a miss.
const STEP: f64 = 0.02;

impl Estimator {
    /// An agent was busy this long with one call, ticket and all.
    pub fn handled(&mut self, took: Duration) {
        self.handled += 1;
        let weight = HANDLING_WEIGHT.max(1.0 / self.handled as f64);
        self.handling_s += weight * (took.as_secs_f64() - self.handling_s);
    }

    pub fn state(&self, ahead: u32, agents: u16) -> Option<Stated> {
        if agents == 0 || self.handled == 0 {
            return None;
        }
        let mean_s = f64::from(ahead + 1) * self.handling_s / f64::from(agents);
        let bucket = (32 - ahead.saturating_add(1).leading_zeros() as usize - 1).min(BUCKETS - 1);
        let own = &self.buckets[bucket];
        let ratios = if own.recent.len() >= ENOUGH { own } else { &self.all };
        let time = |ratio: f64| Duration::from_millis((mean_s * ratio * 1e3) as u64);
        let (low, high) = (time(ratios.quantile(own.low)), time(ratios.quantile(own.high)));
        let known = ratios.recent.len() >= ENOUGH && self.handled >= HANDLED_ENOUGH;
        let sure = known && high < low * 8 + Duration::from_secs(600);
        Some(Stated { mean_s, low, high, middle: time(ratios.quantile(0.5)), bucket, sure })
    }

    /// The truth about what was stated when he came.
    pub fn learn(&mut self, stated: &Stated, truth: Duration) {
        if stated.sure {
            match truth {
                t if t < stated.low => self.calibration.outside_low += 1,
                t if t > stated.high => self.calibration.outside_high += 1,
                _ => self.calibration.inside += 1,
            }
            self.buckets[stated.bucket].adapt(truth < stated.low, truth > stated.high);
        }
        let ratio = truth.as_secs_f64() / stated.mean_s.max(1e-3);
        self.buckets[stated.bucket].add(ratio);
        self.all.add(ratio);
    }
}

/// The last waits at about one position, as shares of the mean expected.
#[derive(Debug)]
struct Ratios {
    recent: VecDeque<f64>,
    sorted: Vec<f64>,
    low: f64,
    high: f64,
}

impl Default for Ratios {
    fn default() -> Self {
        Self { recent: VecDeque::new(), sorted: Vec::new(), low: 0.1, high: 0.9 }
    }
}

impl Ratios {
    const KEEP: usize = 200;

    fn add(&mut self, ratio: f64) {
        if self.recent.len() >= Self::KEEP
            && let Some(old) = self.recent.pop_front()
        {
            let at = self.sorted.partition_point(|x| *x < old);
            self.sorted.remove(at);
        }
        self.recent.push_back(ratio);
        let at = self.sorted.partition_point(|x| *x < ratio);
        self.sorted.insert(at, ratio);
    }

    fn adapt(&mut self, below: bool, above: bool) {
        let miss = |missed: bool| f64::from(u8::from(missed)) - 0.1;
        self.low = (self.low - STEP * miss(below)).clamp(0.0, 0.45);
        self.high = (self.high + STEP * miss(above)).clamp(0.55, 1.0);
    }

    /// Between two samples the line between them.
    fn quantile(&self, share: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 1.0 };
        let at = share * last as f64;
        let below = at as usize;
        let (a, b) = (self.sorted[below], self.sorted[(below + 1).min(last)]);
        a + (b - a) * (at - below as f64)
    }
}
