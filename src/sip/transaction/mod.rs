//! The four transactions of RFC 3261 §17, as RFC 6026 amended them. They see bytes, status codes and the time; nothing else.
//!
//! | file | who we are | method | drawn in |
//! |---|---|---|---|
//! | [`server_invite`] | we answer | INVITE | RFC 3261 fig. 7, RFC 6026 fig. 5 |
//! | [`server_other`] | we answer | the rest, but ACK | RFC 3261 fig. 8 |
//! | [`client_invite`] | we ask | INVITE | RFC 3261 fig. 5, RFC 6026 fig. 6 |
//! | [`client_other`] | we ask | the rest, but ACK | RFC 3261 fig. 6 |
//!
//! Rules that always hold:
//! - Each input gives one [`Step`]: at most one message to send, at most one thing to tell the user, at most one end.
//! - Each state carries its own deadlines: leaving a state cancels its timers. Only the INVITE transactions that wait
//!   for a person (`Proceeding`) have none; the user agent's session holds that deadline.
//! - After a step with [`Step::gone`] the machine is finished and may be dropped.
//!
//! To add a timer: put its moment into the state it belongs to, name it in that state's arm of `poll_timeout` and of
//! `handle_timeout`, and write a script at the bottom of the file.

pub mod client_invite;
pub mod client_other;
pub mod reach;
pub mod server_invite;
pub mod server_other;

pub use client_invite::ClientInvite;
pub use client_other::ClientOther;
pub use server_invite::ServerInvite;
pub use server_other::ServerOther;

use crate::base::Time;
use bytes::Bytes;
use std::time::Duration;

/// The three base timers of RFC 3261 table 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of a round trip, default 500 ms.
    pub t1: Duration,
    /// Longest interval between repeats, default 4 s.
    pub t2: Duration,
    /// Longest time a message stays in the network, default 5 s.
    pub t4: Duration,
}

impl Timers {
    /// 64·T1: timers B, F, H, J, L and M, and how long a 200 is repeated.
    pub fn limit(&self) -> Duration {
        self.t1 * 64
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// What one input made a transaction do.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Step {
    pub send: Option<Bytes>,
    /// `send` repeats something that went out before.
    pub repeat: bool,
    /// What came is news for the transaction's user (not a repetition).
    pub tell: bool,
    pub gone: Option<Gone>,
}

/// Why a transaction is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    Done,
    /// Timer B or F: nobody answered in 64·T1.
    NoResponse,
    /// Timer H: our refusal was never acknowledged.
    AckMissing,
}

impl Step {
    fn send(bytes: Bytes) -> Self {
        Self { send: Some(bytes), ..Self::default() }
    }
    fn again(bytes: &Bytes) -> Self {
        Self { send: Some(bytes.clone()), repeat: true, ..Self::default() }
    }
    fn gone(why: Gone) -> Self {
        Self { gone: Some(why), ..Self::default() }
    }
    fn tell() -> Self {
        Self { tell: true, ..Self::default() }
    }
}

/// When to repeat a message, and how the interval grows.
#[derive(Debug, Clone, Copy)]
struct Resend {
    at: Time,
    interval: Duration,
}

impl Resend {
    fn first(now: Time, interval: Duration) -> Self {
        Self { at: now + interval, interval }
    }
    fn next(&mut self, now: Time, longest: Duration) {
        self.interval = (self.interval * 2).min(longest);
        self.at = now + self.interval;
    }
}

/// Plays scripts on a virtual clock; every machine's tests use it.
#[cfg(test)]
mod script {
    use super::*;

    pub trait Machine {
        /// One line of the script, split at its first space.
        fn line(&mut self, now: Time, word: &str, rest: &str) -> Step;
        fn poll(&self) -> Option<Time>;
        fn fire(&mut self, now: Time) -> Step;
    }

    pub fn run(machine: &mut impl Machine, script: &[&str]) -> String {
        let mut now = Time::ZERO;
        let mut trace = String::new();
        for line in script {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word == "wait" {
                let until = now + Duration::from_millis(rest.parse().unwrap());
                while let Some(at) = machine.poll().filter(|at| *at <= until) {
                    now = at;
                    let step = machine.fire(now);
                    assert!(
                        step.gone.is_some() || step.send.is_some(),
                        "a timer fired for nothing at {now:?}"
                    );
                    note(now, step, &mut trace);
                }
                now = until;
            } else {
                let step = machine.line(now, word, rest);
                note(now, step, &mut trace);
            }
        }
        trace
    }

    fn note(now: Time, step: Step, trace: &mut String) {
        use std::fmt::Write;
        if step.tell {
            writeln!(trace, "{now:?} tell").unwrap();
        }
        if let Some(bytes) = step.send {
            let again = if step.repeat { " again" } else { "" };
            writeln!(trace, "{now:?} send {}{again}", String::from_utf8_lossy(&bytes)).unwrap();
        }
        if let Some(why) = step.gone {
            writeln!(trace, "{now:?} gone {why:?}").unwrap();
        }
    }

    #[track_caller]
    pub fn check(mut machine: impl Machine, script: &[&str], expected: &str) {
        let trace = run(&mut machine, script);
        assert!(trace == expected, "got:\n{trace}\nexpected:\n{expected}");
    }
}
