//! The INVITE server transaction: RFC 3261 §17.2.1 as amended by RFC 6026 (`Accepted`).
//!
//! ```text
//!   Proceeding --2xx--> Accepted  ----L----> gone
//!       |
//!       +---3xx-6xx--> Completed --ACK--> Confirmed --I--> gone
//!                         |  G: resend
//!                         +--H: no ACK--------------------> gone (AckMissing)
//! ```
//!
//! A 2xx is repeated by the session, not here: only it knows the ACK, which belongs to the dialog (RFC 3261 §13.3.1.4).

use super::reach::ServerInvitePlace;
use super::{Gone, Resend, Step, Timers};
use crate::base::{Time, soonest};
use bytes::Bytes;

#[derive(Debug)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
    timers: Timers,
}

#[derive(Debug)]
enum State {
    Proceeding { provisional: Option<Bytes> },
    Accepted { timer_l: Time },
    Completed { response: Bytes, timer_g: Option<Resend>, timer_h: Time },
    Confirmed { timer_i: Time },
    Gone,
}

impl ServerInvite {
    pub fn new(reliable: bool, timers: Timers) -> Self {
        Self { state: State::Proceeding { provisional: None }, reliable, timers }
    }

    /// The user answers. A second final response is ignored: the first is on its way already.
    pub fn respond(&mut self, now: Time, status: u16, response: Bytes) -> Step {
        let State::Proceeding { provisional } = &mut self.state else { return Step::default() };
        let limit = now + self.timers.limit();
        match status {
            100..200 => *provisional = Some(response.clone()),
            200..300 => self.state = State::Accepted { timer_l: limit },
            _ => {
                let timer_g = (!self.reliable).then(|| Resend::first(now, self.timers.t1));
                self.state = State::Completed { response: response.clone(), timer_g, timer_h: limit };
            }
        }
        Step::send(response)
    }

    /// The peer sent its INVITE again.
    pub fn handle_invite(&mut self) -> Step {
        match &self.state {
            State::Proceeding { provisional: Some(last) } => Step::again(last),
            State::Completed { response, .. } => Step::again(response),
            State::Proceeding { provisional: None }
            | State::Accepted { .. }
            | State::Confirmed { .. }
            | State::Gone => Step::default(),
        }
    }

    /// The ACK to a non-2xx final response.
    pub fn handle_ack(&mut self, now: Time) -> Step {
        match self.state {
            State::Completed { .. } if self.reliable => self.end(Gone::Done),
            State::Completed { .. } => {
                self.state = State::Confirmed { timer_i: now + self.timers.t4 };
                Step::default()
            }
            _ => Step::default(),
        }
    }

    /// Its column of the state table.
    pub fn place(&self) -> ServerInvitePlace {
        match self.state {
            State::Proceeding { .. } => ServerInvitePlace::Proceeding,
            State::Accepted { .. } => ServerInvitePlace::Accepted,
            State::Completed { .. } => ServerInvitePlace::Completed,
            State::Confirmed { .. } => ServerInvitePlace::Confirmed,
            State::Gone => ServerInvitePlace::Gone,
        }
    }

    /// No final response has been given yet.
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// A 2xx was given.
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, State::Accepted { .. })
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Proceeding { .. } | State::Gone => None,
            State::Accepted { timer_l } => Some(*timer_l),
            State::Completed { timer_g, timer_h, .. } => soonest(timer_g.map(|g| g.at), Some(*timer_h)),
            State::Confirmed { timer_i } => Some(*timer_i),
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Step {
        match &mut self.state {
            State::Accepted { timer_l: at } | State::Confirmed { timer_i: at } if *at <= now => {
                self.end(Gone::Done)
            }
            State::Completed { timer_h, .. } if *timer_h <= now => self.end(Gone::AckMissing),
            State::Completed { response, timer_g: Some(g), .. } if g.at <= now => {
                g.next(now, self.timers.t2);
                Step::again(response)
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

    impl Machine for ServerInvite {
        fn line(&mut self, now: Time, word: &str, rest: &str) -> Step {
            match word {
                "respond" => {
                    self.respond(now, rest.parse().unwrap(), Bytes::copy_from_slice(rest.as_bytes()))
                }
                "invite" => self.handle_invite(),
                "ack" => self.handle_ack(now),
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

    fn udp() -> ServerInvite {
        ServerInvite::new(false, Timers::default())
    }
    fn tcp() -> ServerInvite {
        ServerInvite::new(true, Timers::default())
    }

    #[test]
    fn busy_is_resent_until_acknowledged() {
        check(
            udp(),
            &["respond 180", "respond 486", "wait 1600", "ack", "ack", "wait 6000"],
            "\
0.000s send 180
0.000s send 486
0.500s send 486 again
1.500s send 486 again
6.600s gone Done
",
        );
    }

    #[test]
    fn busy_gives_up_after_timer_h() {
        let trace = run(&mut udp(), &["respond 486", "wait 40000"]);
        assert!(trace.ends_with("32.000s gone AckMissing\n"), "{trace}");
        assert_eq!(trace.matches("send 486").count(), 11);
    }

    #[test]
    fn repeated_invite_repeats_the_last_answer() {
        check(
            udp(),
            &["invite", "respond 100", "invite", "respond 200", "invite", "wait 40000"],
            "0.000s send 100\n0.000s send 100 again\n0.000s send 200\n32.000s gone Done\n",
        );
    }

    #[test]
    fn over_tcp_nothing_is_resent_and_the_ack_ends_it() {
        check(
            tcp(),
            &["respond 486", "wait 10000", "invite", "ack"],
            "0.000s send 486\n10.000s send 486 again\n10.000s gone Done\n",
        );
        check(tcp(), &["respond 486", "wait 40000"], "0.000s send 486\n32.000s gone AckMissing\n");
    }

    #[test]
    fn a_second_final_answer_is_ignored() {
        check(udp(), &["respond 200", "respond 486", "respond 180"], "0.000s send 200\n");
    }

    #[test]
    fn an_ack_out_of_place_changes_nothing() {
        check(udp(), &["ack", "respond 200", "ack", "wait 40000"], "0.000s send 200\n32.000s gone Done\n");
    }
}
