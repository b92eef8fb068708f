//! Does sound pass between an agent's browser and us? A state machine over what was seen, and when.
//!
//! Our ears are proven by the browser's own packets: it sends 50/s as long as its microphone's track lives. The browser's ears
//! are proven by its word about *our* packets: either the page's echo (how many packets it has received), several times a
//! second, or RTCP receiver reports, which browsers send for sound only every few seconds. A page that has echoed once is held to it.

use crate::base::{Time, soonest};
use std::time::Duration;

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    Proven,
    Deaf(Deafness),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deafness {
    /// No connection, or not finished.
    NotSetUp,
    /// ICE or DTLS has failed or was cut.
    IceFailed,
    /// Nothing comes from the browser.
    NothingHeard,
    /// The browser does not confirm what we send.
    NotConfirmed,
    /// The page says that its microphone has ended or was refused.
    NoMicrophone,
}

/// What the page says of its microphone. A track that the *system* has muted gives no sound: the page tells it as `Ended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Microphone {
    #[default]
    Live,
    /// By the agent's own key.
    Muted,
    Ended,
    Denied,
}

/// ICE and DTLS together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Transport {
    #[default]
    Connecting,
    Connected,
    /// Disconnected, failed or closed.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Transport(Transport),
    Microphone(Microphone),
    /// An agent's browser is connected to a worker, or no longer.
    InCall(bool),
    /// A sound packet came from the browser.
    Heard,
    /// A packet went to the browser; the highest number so far, counted from our first packet (which is 1).
    Sent(u32),
    /// A receiver report's extended highest sequence number, counted likewise.
    Reported(u32),
    /// The page's echo: packets of ours it has received in all.
    Echoed(u64),
}

/// How old a proof may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub heard: Duration,
    pub echoed: Duration,
    /// In a call a late echo is no reason to take the caller away.
    pub echoed_in_call: Duration,
    /// Chromium reports every 2.5 to 7.5 s.
    pub reported: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heard: Duration::from_millis(800),
            echoed: Duration::from_millis(1_000),
            echoed_in_call: Duration::from_millis(3_000),
            reported: Duration::from_secs(10),
        }
    }
}

/// One connection's path. A new connection starts a new one, and takes along what the page said of its microphone.
#[derive(Clone, Debug)]
pub struct PathState {
    limits: Limits,
    transport: Transport,
    microphone: Microphone,
    in_call: bool,
    heard: Option<Time>,
    confirmed: Option<Time>,
    echoes: bool,
    sent: u64,
    /// Numbers may be skipped: what a worker's packets lost on the way stays lost.
    highest: u32,
    /// The highest the browser has told, by report and by echo: only more is news.
    reported: u32,
    echoed: u64,
}

impl PathState {
    pub fn new(limits: Limits, microphone: Microphone, in_call: bool) -> Self {
        Self {
            limits,
            transport: Transport::Connecting,
            microphone,
            in_call,
            heard: None,
            confirmed: None,
            echoes: false,
            sent: 0,
            highest: 0,
            reported: 0,
            echoed: 0,
        }
    }

    pub fn handle(&mut self, input: Input, now: Time) {
        match input {
            Input::Transport(transport) => self.transport = transport,
            Input::Microphone(microphone) => self.microphone = microphone,
            Input::InCall(in_call) => self.in_call = in_call,
            Input::Heard => self.heard = Some(now),
            Input::Sent(highest) => {
                self.sent += 1;
                self.highest = self.highest.max(highest);
            }
            Input::Reported(highest) => {
                if highest > self.reported && highest <= self.highest {
                    self.reported = highest;
                    self.confirmed = Some(now);
                }
            }
            Input::Echoed(received) => {
                // More than was sent is an older connection's count, or invented.
                if received > self.echoed && received <= self.sent {
                    self.echoed = received;
                    self.echoes = true;
                    self.confirmed = Some(now);
                }
            }
        }
    }

    pub fn verdict(&self, now: Time) -> Path {
        let fresh = |at: Option<Time>, limit: Duration| at.is_some_and(|at| now.since(at) <= limit);
        match (self.transport, self.microphone) {
            (_, Microphone::Ended | Microphone::Denied) => Path::Deaf(Deafness::NoMicrophone),
            (Transport::Connecting, _) => Path::Deaf(Deafness::NotSetUp),
            (Transport::Broken, _) => Path::Deaf(Deafness::IceFailed),
            _ if !fresh(self.heard, self.limits.heard) => Path::Deaf(Deafness::NothingHeard),
            _ if !fresh(self.confirmed, self.confirm_limit()) => Path::Deaf(Deafness::NotConfirmed),
            _ => Path::Proven,
        }
    }

    /// When the verdict may change with nothing happening.
    pub fn deadline(&self) -> Option<Time> {
        let heard = self.heard.map(|at| at + self.limits.heard);
        let confirmed = self.confirmed.map(|at| at + self.confirm_limit());
        // Just after: at the limit itself the proof still holds.
        soonest(heard, confirmed).map(|at| at + Duration::from_millis(1))
    }

    pub fn is_connected(&self) -> bool {
        self.transport == Transport::Connected
    }

    fn confirm_limit(&self) -> Duration {
        match (self.echoes, self.in_call) {
            (false, _) => self.limits.reported,
            (true, false) => self.limits.echoed,
            (true, true) => self.limits.echoed_in_call,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A story: at ms, this happens (or nothing), and the verdict then is that.
    fn tell(story: &[(u64, Option<Input>, Path)]) {
        let mut path = PathState::new(Limits::default(), Microphone::Live, false);
        for (step, (at, input, verdict)) in story.iter().enumerate() {
            let now = Time::from_millis(*at);
            if let Some(input) = input {
                path.handle(*input, now);
            }
            assert_eq!(path.verdict(now), *verdict, "step {step} at {at} ms: {input:?}");
        }
    }
    const fn deaf(why: Deafness) -> Path {
        Path::Deaf(why)
    }
    use Deafness::{IceFailed, NoMicrophone, NotConfirmed, NotSetUp, NothingHeard};
    use Input::{Echoed, Heard, InCall, Reported, Sent};
    use Path::Proven;
    const SENT: Option<Input> = Some(Sent(1));
    const UP: Option<Input> = Some(Input::Transport(Transport::Connected));

    #[test]
    fn both_directions_are_needed_before_anything_is_proven() {
        tell(&[
            (0, None, deaf(NotSetUp)),
            (0, Some(Heard), deaf(NotSetUp)),
            (200, UP, deaf(NotConfirmed)),
            (210, SENT, deaf(NotConfirmed)),
            (230, Some(Echoed(1)), Proven),
        ]);
        tell(&[
            (0, UP, deaf(NothingHeard)),
            (1, SENT, deaf(NothingHeard)),
            (2, Some(Echoed(1)), deaf(NothingHeard)),
        ]);
    }

    #[test]
    fn silence_from_the_browser_is_told_within_a_second() {
        tell(&[
            (0, UP, deaf(NothingHeard)),
            (0, SENT, deaf(NothingHeard)),
            (0, Some(Heard), deaf(NotConfirmed)),
            (0, Some(Echoed(1)), Proven),
            (800, None, Proven),
            (801, None, deaf(NothingHeard)),
            (900, Some(Heard), Proven),
        ]);
    }

    #[test]
    fn an_echo_proves_only_by_more_packets_and_never_more_than_were_sent() {
        tell(&[
            (0, UP, deaf(NothingHeard)),
            (0, Some(Heard), deaf(NotConfirmed)),
            (0, Some(Echoed(0)), deaf(NotConfirmed)),
            (0, Some(Echoed(7)), deaf(NotConfirmed)),
            (10, SENT, deaf(NotConfirmed)),
            (20, SENT, deaf(NotConfirmed)),
            (30, Some(Echoed(3)), deaf(NotConfirmed)),
            (30, Some(Echoed(2)), Proven),
            (600, Some(Heard), Proven),
            (1_000, Some(Echoed(2)), Proven),
            (1_031, None, deaf(NotConfirmed)),
            (1_040, SENT, deaf(NotConfirmed)),
            (1_050, Some(Echoed(3)), Proven),
        ]);
    }

    #[test]
    fn reports_alone_carry_until_the_page_echoes() {
        tell(&[
            (0, UP, deaf(NothingHeard)),
            (0, SENT, deaf(NothingHeard)),
            (0, Some(Sent(4)), deaf(NothingHeard)),
            (0, Some(Heard), deaf(NotConfirmed)),
            (0, Some(Reported(5)), deaf(NotConfirmed)),
            (0, Some(Reported(4)), Proven),
            (9_900, Some(Heard), Proven),
            (9_900, Some(Echoed(2)), Proven),
            (10_600, Some(Heard), Proven),
            (10_901, None, deaf(NotConfirmed)),
        ]);
    }

    #[test]
    fn in_a_call_a_late_echo_is_forgiven_for_three_seconds() {
        tell(&[
            (0, UP, deaf(NothingHeard)),
            (0, SENT, deaf(NothingHeard)),
            (0, Some(Heard), deaf(NotConfirmed)),
            (0, Some(Echoed(1)), Proven),
            (10, Some(InCall(true)), Proven),
            (2_900, Some(Heard), Proven),
            (3_001, None, deaf(NotConfirmed)),
            (3_002, Some(InCall(false)), deaf(NotConfirmed)),
        ]);
    }

    #[test]
    fn the_microphone_and_the_transport_speak_at_once() {
        for gone in [Microphone::Ended, Microphone::Denied] {
            tell(&[
                (0, UP, deaf(NothingHeard)),
                (0, SENT, deaf(NothingHeard)),
                (0, Some(Heard), deaf(NotConfirmed)),
                (0, Some(Echoed(1)), Proven),
                (1, Some(Input::Microphone(Microphone::Muted)), Proven),
                (2, Some(Input::Microphone(gone)), deaf(NoMicrophone)),
                (3, Some(Input::Microphone(Microphone::Live)), Proven),
                (4, Some(Input::Transport(Transport::Broken)), deaf(IceFailed)),
                (5, Some(Heard), deaf(IceFailed)),
            ]);
        }
    }

    #[test]
    fn the_deadline_is_when_the_verdict_turns() {
        let mut path = PathState::new(Limits::default(), Microphone::Live, false);
        assert_eq!(path.deadline(), None);
        for input in [Input::Transport(Transport::Connected), Sent(1), Heard, Echoed(1)] {
            path.handle(input, Time::from_millis(50));
        }
        let at = path.deadline().expect("a proof grows old");
        assert_eq!(at, Time::from_millis(851));
        assert_eq!(path.verdict(at), deaf(NothingHeard));
    }
}
