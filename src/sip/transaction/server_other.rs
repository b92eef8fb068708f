//! The non-INVITE server transaction: RFC 3261 §17.2.2.
//!
//! ```text
//!   Trying --final--> Completed --J--> gone
//!                        (a repeated request repeats the answer)
//! ```
//!
//! RFC 4320 forbids provisional answers but 100, and we answer at once: so `Proceeding` is not built.

use super::reach::ServerOtherPlace;
use super::{Gone, Step, Timers};
use crate::base::Time;
use bytes::Bytes;

#[derive(Debug)]
pub struct ServerOther {
    state: State,
    reliable: bool,
    timers: Timers,
    /// RFC 4320 §4.2: after this nobody waits for an answer any more.
    timer_f: Time,
}

#[derive(Debug)]
enum State {
    Trying,
    Completed { response: Bytes, timer_j: Time },
    Gone,
}

impl ServerOther {
    pub fn new(now: Time, reliable: bool, timers: Timers) -> Self {
        Self { state: State::Trying, reliable, timers, timer_f: now + timers.limit() }
    }

    /// The user answers, finally.
    pub fn respond(&mut self, now: Time, response: Bytes) -> Step {
        match self.state {
            State::Trying if self.reliable => {
                self.state = State::Gone;
                Step { send: Some(response), gone: Some(Gone::Done), ..Step::default() }
            }
            State::Trying => {
                self.state =
                    State::Completed { response: response.clone(), timer_j: now + self.timers.limit() };
                Step::send(response)
            }
            State::Completed { .. } | State::Gone => Step::default(),
        }
    }

    /// The same request came again.
    pub fn handle_request(&mut self) -> Step {
        match &self.state {
            State::Completed { response, .. } => Step::again(response),
            State::Trying | State::Gone => Step::default(),
        }
    }

    /// Its column of the state table.
    pub fn place(&self) -> ServerOtherPlace {
        match self.state {
            State::Trying => ServerOtherPlace::Trying,
            State::Completed { .. } => ServerOtherPlace::Completed,
            State::Gone => ServerOtherPlace::Gone,
        }
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Trying => Some(self.timer_f),
            State::Completed { timer_j, .. } => Some(*timer_j),
            State::Gone => None,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Step {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.state = State::Gone;
            return Step::gone(Gone::Done);
        }
        Step::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{Machine, check};
    use super::*;

    impl Machine for ServerOther {
        fn line(&mut self, now: Time, word: &str, rest: &str) -> Step {
            match word {
                "respond" => self.respond(now, Bytes::copy_from_slice(rest.as_bytes())),
                "request" => self.handle_request(),
                _ => panic!("unknown line {word:?}"),
            }
        }
        fn poll(&self) -> Option<Time> {
            self.poll_timeout()
        }
        fn fire(&mut self, now: Time) -> Step {
            self.handle_timeout(now)
        }
    }

    #[test]
    fn a_repeated_bye_gets_the_same_answer_for_64_t1() {
        check(
            ServerOther::new(Time::ZERO, false, Timers::default()),
            &["request", "respond 200", "wait 500", "request", "respond 481", "wait 40000", "request"],
            "0.000s send 200\n0.500s send 200 again\n32.000s gone Done\n",
        );
    }

    #[test]
    fn over_tcp_the_answer_ends_it() {
        check(
            ServerOther::new(Time::ZERO, true, Timers::default()),
            &["respond 200", "request", "wait 40000"],
            "0.000s send 200\n0.000s gone Done\n",
        );
    }

    #[test]
    fn a_request_nobody_answers_does_not_stay() {
        check(
            ServerOther::new(Time::ZERO, true, Timers::default()),
            &["wait 40000", "respond 200"],
            "32.000s gone Done\n",
        );
    }
}
