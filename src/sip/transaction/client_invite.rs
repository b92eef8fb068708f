//! The INVITE client transaction: RFC 3261 §17.1.1 as amended by RFC 6026 (`Accepted`).
//!
//! ```text
//!   Calling --1xx--> Proceeding --2xx--> Accepted --M--> gone
//!      | A: resend        |
//!      | B: nobody        +--3xx-6xx--> Completed --D--> gone
//!      |                  |                (ACK; again for each repeat)
//!      +--> gone <--------+ C: never an end
//!       (NoResponse)
//! ```
//!
//! Timer C is a proxy's in the standard (§16.6); here it is the last bound of a call that rings and never ends: whoever
//! asked has long sent CANCEL by then.
//!
//! Every 2xx is told, repeated or not: each needs its ACK again, and a second one may come from another fork (§13.2.2.4).

use super::reach::ClientInvitePlace;
use super::{Gone, Resend, Step, Timers};
use crate::base::{Time, soonest};
use bytes::Bytes;
use std::time::Duration;

/// Longer than any session lets it ring, and the wait for the end of its CANCEL.
const TIMER_C: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
    timers: Timers,
}

#[derive(Debug)]
enum State {
    Calling { request: Bytes, timer_a: Option<Resend>, timer_b: Time },
    Proceeding { timer_c: Time },
    Accepted { timer_m: Time },
    Completed { ack: Bytes, timer_d: Time },
    Gone,
}

impl ClientInvite {
    /// The caller sends `request` itself, once; repeats come from here.
    pub fn new(now: Time, request: Bytes, reliable: bool, timers: Timers) -> Self {
        let timer_a = (!reliable).then(|| Resend::first(now, timers.t1));
        Self { state: State::Calling { request, timer_a, timer_b: now + timers.limit() }, reliable, timers }
    }

    /// `ack` writes the ACK to a final response that is not a 2xx; it is called at most once.
    pub fn handle_response(&mut self, now: Time, status: u16, ack: impl FnOnce() -> Bytes) -> Step {
        match (&self.state, status) {
            (State::Calling { .. }, 100..200) => {
                self.state = State::Proceeding { timer_c: now + TIMER_C };
                Step::tell()
            }
            (State::Proceeding { .. }, 100..200) => Step::tell(),
            (State::Calling { .. } | State::Proceeding { .. }, 200..300) => {
                self.state = State::Accepted { timer_m: now + self.timers.limit() };
                Step::tell()
            }
            (State::Calling { .. } | State::Proceeding { .. }, _) => {
                let ack = ack();
                let gone = if self.reliable {
                    self.state = State::Gone;
                    Some(Gone::Done)
                } else {
                    self.state = State::Completed { ack: ack.clone(), timer_d: now + self.timers.limit() };
                    None
                };
                Step { send: Some(ack), tell: true, gone, repeat: false }
            }
            (State::Accepted { .. }, 200..300) => Step::tell(),
            (State::Completed { ack, .. }, 300..700) => Step::again(ack),
            _ => Step::default(),
        }
    }

    /// Its column of the state table.
    pub fn place(&self) -> ClientInvitePlace {
        match self.state {
            State::Calling { .. } => ClientInvitePlace::Calling,
            State::Proceeding { .. } => ClientInvitePlace::Proceeding,
            State::Accepted { .. } => ClientInvitePlace::Accepted,
            State::Completed { .. } => ClientInvitePlace::Completed,
            State::Gone => ClientInvitePlace::Gone,
        }
    }

    /// A provisional response has come: a CANCEL may be sent (RFC 3261 §9.1).
    pub fn may_cancel(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// No final response yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Proceeding { .. })
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Calling { timer_a, timer_b, .. } => soonest(timer_a.map(|a| a.at), Some(*timer_b)),
            State::Accepted { timer_m } => Some(*timer_m),
            State::Completed { timer_d, .. } => Some(*timer_d),
            State::Proceeding { timer_c } => Some(*timer_c),
            State::Gone => None,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Step {
        match &mut self.state {
            State::Calling { timer_b: at, .. } | State::Proceeding { timer_c: at } if *at <= now => {
                self.end(Gone::NoResponse)
            }
            State::Calling { request, timer_a: Some(a), .. } if a.at <= now => {
                a.next(now, Duration::MAX);
                Step::again(request)
            }
            State::Accepted { timer_m: at } | State::Completed { timer_d: at, .. } if *at <= now => {
                self.end(Gone::Done)
            }
            _ => Step::default(),
        }
    }

    fn end(&mut self, why: Gone) -> Step {
        self.state = State::Gone;
        Step::gone(why)
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{Machine, check, run};
    use super::*;

    impl Machine for ClientInvite {
        fn line(&mut self, now: Time, word: &str, rest: &str) -> Step {
            match word {
                "receive" => self.handle_response(now, rest.parse().unwrap(), || Bytes::from_static(b"ACK")),
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

    fn client(reliable: bool) -> ClientInvite {
        ClientInvite::new(Time::ZERO, Bytes::from_static(b"INVITE"), reliable, Timers::default())
    }

    #[test]
    fn the_invite_is_repeated_seven_times_in_all() {
        let trace = run(&mut client(false), &["wait 40000"]);
        assert_eq!(
            trace,
            "\
0.500s send INVITE again
1.500s send INVITE again
3.500s send INVITE again
7.500s send INVITE again
15.500s send INVITE again
31.500s send INVITE again
32.000s gone NoResponse
"
        );
        check(client(true), &["wait 40000"], "32.000s gone NoResponse\n");
    }

    #[test]
    fn ringing_stops_the_repeats_and_ends_at_the_latest_by_timer_c() {
        check(
            client(false),
            &["wait 600", "receive 180", "wait 100000", "receive 180", "wait 300000"],
            "0.500s send INVITE again\n0.600s tell\n100.600s tell\n300.600s gone NoResponse\n",
        );
    }

    #[test]
    fn a_refusal_is_told_once_and_acknowledged_each_time() {
        check(
            client(false),
            &["receive 486", "wait 500", "receive 486", "receive 200", "wait 40000"],
            "0.000s tell\n0.000s send ACK\n0.500s send ACK again\n32.000s gone Done\n",
        );
        check(
            client(true),
            &["receive 486", "receive 486"],
            "0.000s tell\n0.000s send ACK\n0.000s gone Done\n",
        );
    }

    #[test]
    fn every_2xx_is_told_for_64_t1() {
        check(
            client(false),
            &["receive 200", "wait 500", "receive 200", "receive 486", "wait 40000", "receive 200"],
            "0.000s tell\n0.500s tell\n32.000s gone Done\n",
        );
    }
}
