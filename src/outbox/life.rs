//! What becomes of a push: tries, back-off, the dead, and what people may do about it. Times are milliseconds since 1970.

use std::fmt;

/// Where a push is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Waits for its next try, or is being tried.
    Queued,
    /// Test mode: it would have been sent.
    Held,
    /// The receiver has it.
    Sent,
    /// It will not be tried again by itself.
    Dead,
    /// Somebody decided that it is not sent.
    Discarded,
}

impl State {
    pub const ALL: &[Self] = &[Self::Queued, Self::Held, Self::Sent, Self::Dead, Self::Discarded];
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.label() == text)
    }
}

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody answered there, or the way to it is cut.
    Unreachable,
    /// It took too long; the receiver may have it.
    Timeout,
    /// The receiver's own status.
    Status(u16),
    /// What came back is not the protocol, or is too long.
    Broken,
    /// The configuration names no address for it.
    NoAddress,
    /// The number or address is none that can be sent to.
    BadAddress,
    /// Nobody here sends this kind.
    NoSender,
    /// Its person was erased: there is nobody to send it to.
    Erased,
    /// Its time was over before it could be sent.
    TooLate,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status(status) => return write!(f, "status_{status}"),
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::NoAddress => "no_address",
            Self::BadAddress => "bad_address",
            Self::NoSender => "no_sender",
            Self::Erased => "erased",
            Self::TooLate => "too_late",
        })
    }
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it; its own number for it, where it gave one.
    Sent { receipt: Option<String> },
    /// Not now. The receiver may say how long it wants to be left alone, milliseconds.
    Later { why: Why, wait_ms: Option<u64> },
    /// Not in this shape, however often.
    Never { why: Why },
}

/// How often and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub tries: u32,
    /// The wait after the first try, doubled after each further one up to the longest, milliseconds.
    pub first_ms: u64,
    pub longest_ms: u64,
}

/// A push that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trying {
    /// This one counted.
    pub tries: u32,
    pub until: Option<i64>,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub state: State,
    pub due_at: i64,
    pub why: Option<Why>,
}

/// What follows a try. `dice` is drawn by the caller, up to 999: servers that failed together do not come back together.
pub fn after(push: Trying, outcome: &Outcome, now: i64, limits: &Limits, dice: u16) -> Next {
    let over = |state, why| Next { state, due_at: now, why };
    match outcome {
        Outcome::Sent { .. } => over(State::Sent, None),
        Outcome::Never { why } => over(State::Dead, Some(*why)),
        Outcome::Later { why, .. } if push.tries >= limits.tries => over(State::Dead, Some(*why)),
        Outcome::Later { why, wait_ms } => {
            let doubled = 1_u64.checked_shl(push.tries.saturating_sub(1)).unwrap_or(u64::MAX);
            let wait = limits.first_ms.saturating_mul(doubled).min(limits.longest_ms);
            // Between three quarters and all of it.
            let wait = wait - (wait / 4).saturating_mul(dice.min(999).into()) / 1000;
            // A receiver is left alone as long as it asks, within reason.
            let wait = wait.max(wait_ms.unwrap_or(0).min(limits.longest_ms.saturating_mul(2)));
            let due_at = now.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
            if push.until.is_some_and(|until| due_at > until) {
                return over(State::Dead, Some(Why::TooLate));
            }
            Next { state: State::Queued, due_at, why: Some(*why) }
        }
    }
}

/// What people may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Retry,
    Discard,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    #[error("it is {}", .0.label())]
    State(State),
    #[error("it is being sent at this moment")]
    Sending,
    #[error("its time is over: sent now it would only confuse")]
    TooLate,
}

/// Where a push goes when somebody asks for it. `leased`: a server is sending it.
pub fn asked(
    state: State,
    leased: bool,
    until: Option<i64>,
    now: i64,
    asked: Asked,
) -> Result<State, NotNow> {
    match (asked, state) {
        (_, State::Sent | State::Discarded) => Err(NotNow::State(state)),
        (_, State::Queued) if leased => Err(NotNow::Sending),
        (Asked::Discard, _) => Ok(State::Discarded),
        (Asked::Retry, _) if until.is_some_and(|until| now > until) => Err(NotNow::TooLate),
        (Asked::Retry, _) => Ok(State::Queued),
    }
}

/// Whether anything leaves the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only what is for the allow list.
    Test,
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Send,
    Hold,
}

/// Whether a push to this number, mail address or URL is truly sent. An entry of the list is whole, or a beginning and a star.
pub fn gate(mode: Mode, allow: &[String], address: &str) -> Gate {
    let listed = allow.iter().any(|entry| match entry.strip_suffix('*') {
        // A star alone, or a beginning of a letter or two, would be no test any more.
        Some(beginning) => beginning.len() >= 3 && address.starts_with(beginning),
        None => entry == address,
    });
    match mode {
        Mode::Live => Gate::Send,
        Mode::Test if listed => Gate::Send,
        Mode::Test => Gate::Hold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { tries: 4, first_ms: 10_000, longest_ms: 60_000 };

    fn later(why: Why) -> Outcome {
        Outcome::Later { why, wait_ms: None }
    }

    #[test]
    fn a_try_leads_where_its_row_says() {
        let wait = |s: u64| Outcome::Later { why: Why::Status(429), wait_ms: Some(s * 1000) };
        let sent = Outcome::Sent { receipt: None };
        let never = Outcome::Never { why: Why::Status(400) };
        // tries, seconds it is worth sending, outcome, dice: state, seconds until the next try, why
        type Row<'a> = (u32, Option<i64>, &'a Outcome, u16, State, i64, Option<Why>);
        let rows: &[Row<'_>] = &[
            (1, None, &sent, 0, State::Sent, 0, None),
            (4, Some(0), &sent, 0, State::Sent, 0, None),
            (1, None, &never, 0, State::Dead, 0, Some(Why::Status(400))),
            (1, None, &later(Why::Timeout), 0, State::Queued, 10, Some(Why::Timeout)),
            (2, None, &later(Why::Timeout), 0, State::Queued, 20, Some(Why::Timeout)),
            (3, None, &later(Why::Timeout), 0, State::Queued, 40, Some(Why::Timeout)),
            (4, None, &later(Why::Timeout), 0, State::Dead, 0, Some(Why::Timeout)),
            (9, None, &later(Why::Unreachable), 0, State::Dead, 0, Some(Why::Unreachable)),
            // Asked to wait: never shorter than our own wait, never longer than twice our longest.
            (1, None, &wait(30), 0, State::Queued, 30, Some(Why::Status(429))),
            (1, None, &wait(3), 0, State::Queued, 10, Some(Why::Status(429))),
            (1, None, &wait(86_400), 0, State::Queued, 120, Some(Why::Status(429))),
            // Not past the time it is worth sending.
            (1, Some(10), &later(Why::Timeout), 0, State::Queued, 10, Some(Why::Timeout)),
            (1, Some(9), &later(Why::Timeout), 0, State::Dead, 0, Some(Why::TooLate)),
        ];
        for (n, (tries, until, outcome, dice, state, wait_s, why)) in rows.iter().enumerate() {
            let now = 1_000_000;
            let push = Trying { tries: *tries, until: until.map(|s| now + s * 1000) };
            let want = Next { state: *state, due_at: now + wait_s * 1000, why: *why };
            assert_eq!(after(push, outcome, now, &LIMITS, *dice), want, "row {n}");
        }
    }

    #[test]
    fn a_push_that_always_fails_is_dead_after_its_tries_and_waits_longer_each_time() {
        let limits = Limits { tries: 12, ..LIMITS };
        let (mut now, mut waits) = (0, Vec::new());
        for tries in 1.. {
            let next = after(Trying { tries, until: None }, &later(Why::Unreachable), now, &limits, 500);
            if next.state == State::Dead {
                assert_eq!(tries, 12);
                break;
            }
            waits.push(next.due_at - now);
            now = next.due_at;
        }
        assert!(waits.is_sorted() && waits.iter().all(|wait| (7_500..=60_000).contains(wait)), "{waits:?}");
        assert_eq!(waits.len(), 11);
    }

    #[test]
    fn limits_at_their_ends_overflow_nothing() {
        let limits = Limits { tries: u32::MAX, first_ms: u64::MAX, longest_ms: u64::MAX };
        for (tries, dice) in [(1, 0), (64, 999), (u32::MAX - 1, u16::MAX)] {
            let next = after(Trying { tries, until: None }, &later(Why::Broken), i64::MAX - 1, &limits, dice);
            assert_eq!((next.state, next.due_at), (State::Queued, i64::MAX));
        }
    }

    #[test]
    fn people_may_try_again_and_give_up_where_it_makes_sense() {
        use Asked::{Discard, Retry};
        type Row = (State, bool, Option<i64>, Asked, Result<State, NotNow>);
        let rows: &[Row] = &[
            (State::Dead, false, None, Retry, Ok(State::Queued)),
            (State::Dead, false, Some(5), Retry, Err(NotNow::TooLate)),
            (State::Dead, false, Some(5), Discard, Ok(State::Discarded)),
            (State::Held, false, None, Retry, Ok(State::Queued)),
            (State::Held, false, None, Discard, Ok(State::Discarded)),
            (State::Queued, false, None, Retry, Ok(State::Queued)),
            (State::Queued, false, None, Discard, Ok(State::Discarded)),
            (State::Queued, true, None, Retry, Err(NotNow::Sending)),
            (State::Queued, true, None, Discard, Err(NotNow::Sending)),
            (State::Sent, false, None, Retry, Err(NotNow::State(State::Sent))),
            (State::Sent, false, None, Discard, Err(NotNow::State(State::Sent))),
            (State::Discarded, false, None, Retry, Err(NotNow::State(State::Discarded))),
        ];
        for (state, leased, until, wish, want) in rows {
            assert_eq!(asked(*state, *leased, *until, 10, *wish), *want, "{state:?} {leased} {wish:?}");
        }
    }

    #[test]
    fn in_test_mode_only_the_allow_list_is_sent_to() {
        let allow = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let listed = allow(&["13800000001", "https://127.0.0.1:*", "*", "1*"]);
        let rows = [
            ("13800000001", Gate::Send),
            ("13800000002", Gate::Hold),
            ("138000000011", Gate::Hold),
            ("https://127.0.0.1:8099/hook", Gate::Send),
            ("https://127.0.0.2:8099/hook", Gate::Hold),
            ("", Gate::Hold),
        ];
        for (address, want) in rows {
            assert_eq!(gate(Mode::Test, &listed, address), want, "{address}");
            assert_eq!(gate(Mode::Live, &[], address), Gate::Send);
            assert_eq!(gate(Mode::Test, &[], address), Gate::Hold);
        }
    }
}
