//! The non-INVITE client transaction: RFC 3261 §17.1.2.
//!
//! ```text
//!   Trying --1xx--> Proceeding --final--> Completed --K--> gone
//!     | E: resend      | E: resend each T2
//!     +--- F: nobody --+--> gone (NoResponse)
//! ```

use super::reach::ClientOtherPlace;
use super::{Gone, Resend, Step, Timers};
use crate::base::{Time, soonest};
use bytes::Bytes;

#[derive(Debug)]
pub struct ClientOther {
    state: State,
    timers: Timers,
    reliable: bool,
}

#[derive(Debug)]
enum State {
    /// `Trying` and `Proceeding` of the figure: they differ in the interval only.
    Waiting {
        request: Bytes,
        timer_e: Option<Resend>,
        timer_f: Time,
        provisional: bool,
    },
    Completed {
        timer_k: Time,
    },
    Gone,
}

impl ClientOther {
    /// The caller sends `request` itself, once; repeats come from here.
    pub fn new(now: Time, request: Bytes, reliable: bool, timers: Timers) -> Self {
        let timer_e = (!reliable).then(|| Resend::first(now, timers.t1));
        let timer_f = now + timers.limit();
        Self { state: State::Waiting { request, timer_e, timer_f, provisional: false }, timers, reliable }
    }

    pub fn handle_response(&mut self, now: Time, status: u16) -> Step {
        let State::Waiting { timer_e, provisional, .. } = &mut self.state else { return Step::default() };
        if status < 200 {
            *provisional = true;
            if let Some(e) = timer_e {
                *e = Resend::first(now, self.timers.t2);
            }
            return Step::tell();
        }
        if self.reliable {
            self.state = State::Gone;
            return Step { tell: true, gone: Some(Gone::Done), ..Step::default() };
        }
        self.state = State::Completed { timer_k: now + self.timers.t4 };
        Step::tell()
    }

    /// Its column of the state table.
    pub fn place(&self) -> ClientOtherPlace {
        match self.state {
            State::Waiting { provisional: false, .. } => ClientOtherPlace::Trying,
            State::Waiting { .. } => ClientOtherPlace::Proceeding,
            State::Completed { .. } => ClientOtherPlace::Completed,
            State::Gone => ClientOtherPlace::Gone,
        }
    }

    /// No final response yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Waiting { timer_e, timer_f, .. } => soonest(timer_e.map(|e| e.at), Some(*timer_f)),
            State::Completed { timer_k } => Some(*timer_k),
            State::Gone => None,
        }
    }

    pub fn handle_timeout(&mut self, now: Time) -> Step {
        match &mut self.state {
            State::Waiting { timer_f, .. } if *timer_f <= now => self.end(Gone::NoResponse),
            State::Waiting { request, timer_e: Some(e), .. } if e.at <= now => {
                e.next(now, self.timers.t2);
                Step::again(request)
            }
            State::Completed { timer_k } if *timer_k <= now => self.end(Gone::Done),
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

    impl Machine for ClientOther {
        fn line(&mut self, now: Time, word: &str, rest: &str) -> Step {
            match word {
                "receive" => self.handle_response(now, rest.parse().unwrap()),
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

    fn client(reliable: bool) -> ClientOther {
        ClientOther::new(Time::ZERO, Bytes::from_static(b"BYE"), reliable, Timers::default())
    }

    #[test]
    fn a_bye_is_repeated_until_64_t1() {
        let trace = run(&mut client(false), &["wait 40000"]);
        assert!(
            trace.starts_with("0.500s send BYE again\n1.500s send BYE again\n3.500s send BYE again\n7.500s"),
            "{trace}"
        );
        assert!(trace.ends_with("31.500s send BYE again\n32.000s gone NoResponse\n"), "{trace}");
        assert_eq!(trace.matches("send").count(), 10);
    }

    #[test]
    fn a_provisional_answer_slows_the_repeats_to_t2() {
        check(
            client(false),
            &["receive 100", "wait 9000", "receive 200", "receive 200", "wait 6000"],
            "0.000s tell\n4.000s send BYE again\n8.000s send BYE again\n9.000s tell\n14.000s gone Done\n",
        );
    }

    #[test]
    fn over_tcp_the_answer_ends_it() {
        check(client(true), &["wait 20000", "receive 200"], "20.000s tell\n20.000s gone Done\n");
        check(client(true), &["wait 40000"], "32.000s gone NoResponse\n");
    }
}
