//! One agent's stream of events and the sessions on it. Pure.
//!
//! ```text
//!  attach ──▶ New ──begin──▶ Live            the resume point is still in the ring: the events after it, then all others
//!                     └────▶ Waiting ──snapshot──▶ Live      true as of its number; then all others
//! ```
//!
//! One session acts, the others watch. The sign-in of the acting one owns the agent: its next page acts at once, another
//! sign-in watches until it takes over, or until the owner is logged out or has been gone for a while.
//!
//! The rule that always holds: a live session has been sent every event after its beginning, in order, each once.

use crate::base::Time;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A session's number within the process, never used again.
pub type Session = u64;

/// Which sign-in a page belongs to: the hash of its token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignIn(pub [u8; 32]);

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Past events kept for resuming, and their bytes.
    pub events: usize,
    pub bytes: usize,
    /// Pages of one agent at once.
    pub sessions: usize,
    /// How long the owner may be without a page before another sign-in acts without taking over.
    pub owner_grace: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New {
        resume: Option<u64>,
    },
    /// A snapshot is asked for; it covers what comes before it.
    Waiting,
    Live,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    sign_in: SignIn,
    phase: Phase,
}

/// What came of a new page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// It watches another.
    Watching,
    /// It acts; nobody did.
    Acting,
    /// It acts in another's place: tell them.
    TookOver,
    /// Too many pages are open.
    Crowded,
}

/// How a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// These, the first with this number, then every later event.
    Resumed { first: u64, events: Arc<[Arc<str>]> },
    /// Ask the engine, then call [`Stream::snapshot`].
    Snapshot,
}

#[derive(Debug)]
pub struct Stream {
    /// Number of the last event.
    last: u64,
    ring: VecDeque<Arc<str>>,
    bytes: usize,
    sessions: BTreeMap<Session, Place>,
    acting: Option<Session>,
    owner: Option<SignIn>,
    /// When the owner's acting page went.
    left_at: Option<Time>,
    /// The engine says that the agent is logged out.
    pub offline: bool,
}

impl Stream {
    /// The first event will have the number after `base`.
    pub const fn new(base: u64) -> Self {
        Self {
            last: base,
            ring: VecDeque::new(),
            bytes: 0,
            sessions: BTreeMap::new(),
            acting: None,
            owner: None,
            left_at: None,
            offline: true,
        }
    }

    pub const fn last(&self) -> u64 {
        self.last
    }
    pub const fn acting(&self) -> Option<Session> {
        self.acting
    }
    pub fn sessions(&self) -> impl Iterator<Item = (Session, SignIn)> + '_ {
        self.sessions.iter().map(|(session, place)| (*session, place.sign_in))
    }

    /// A page has come. `watch`: it does not want to act. Nothing is sent to it before [`Stream::begin`].
    pub fn attach(
        &mut self,
        now: Time,
        session: Session,
        sign_in: SignIn,
        resume: Option<u64>,
        watch: bool,
        limits: &StreamLimits,
    ) -> Attached {
        if self.sessions.len() >= limits.sessions {
            return Attached::Crowded;
        }
        self.sessions.insert(session, Place { sign_in, phase: Phase::New { resume } });
        if watch || !(self.owner == Some(sign_in) || self.is_free(now, limits)) {
            return Attached::Watching;
        }
        self.act(session, sign_in)
    }

    /// A watching page asks to act: with `take_over` always, otherwise when nobody else does.
    pub fn claim(
        &mut self,
        now: Time,
        session: Session,
        take_over: bool,
        limits: &StreamLimits,
    ) -> Option<Attached> {
        let sign_in = self.sessions.get(&session)?.sign_in;
        if self.acting == Some(session) {
            return Some(Attached::Acting);
        }
        let free = take_over || self.offline || self.is_free(now, limits);
        free.then(|| self.act(session, sign_in))
    }

    fn act(&mut self, session: Session, sign_in: SignIn) -> Attached {
        self.owner = Some(sign_in);
        self.left_at = None;
        match self.acting.replace(session) {
            Some(_) => Attached::TookOver,
            None => Attached::Acting,
        }
    }

    fn is_free(&self, now: Time, limits: &StreamLimits) -> bool {
        let gone = || self.left_at.is_none_or(|at| now.since(at) >= limits.owner_grace);
        self.acting.is_none() && (self.owner.is_none() || self.offline || gone())
    }

    /// After its `hello`: what it gets now.
    pub fn begin(&mut self, session: Session) -> Option<Begin> {
        let (last, kept) = (self.last, self.ring.len());
        let place = self.sessions.get_mut(&session)?;
        let Phase::New { resume } = place.phase else { return None };
        let missed = resume.and_then(|n| last.checked_sub(n)).and_then(|n| usize::try_from(n).ok());
        match missed.filter(|missed| *missed <= kept) {
            Some(missed) => {
                place.phase = Phase::Live;
                let events = self.ring.range(kept - missed..).cloned().collect();
                Some(Begin::Resumed { first: last + 1 - missed as u64, events })
            }
            None => {
                place.phase = Phase::Waiting;
                Some(Begin::Snapshot)
            }
        }
    }

    /// A snapshot true as of now has come for this session. `true`: send it; every later event follows.
    pub fn snapshot(&mut self, session: Session) -> bool {
        match self.sessions.get_mut(&session) {
            Some(place) if place.phase == Phase::Waiting => {
                place.phase = Phase::Live;
                true
            }
            _ => false,
        }
    }

    /// The next event, written without a number. Gives the number, for [`Stream::live`] sessions.
    pub fn push(&mut self, limits: &StreamLimits, text: Arc<str>) -> u64 {
        self.last += 1;
        self.bytes += text.len();
        self.ring.push_back(text);
        while self.ring.len() > limits.events || self.bytes > limits.bytes {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        self.last
    }

    /// Who gets events.
    pub fn live(&self) -> impl Iterator<Item = Session> + '_ {
        self.sessions.iter().filter(|(_, place)| place.phase == Phase::Live).map(|(session, _)| *session)
    }

    /// The page is gone. `true`: it acted.
    pub fn detach(&mut self, now: Time, session: Session) -> bool {
        if self.sessions.remove(&session).is_none() || self.acting != Some(session) {
            return false;
        }
        self.acting = None;
        self.left_at = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: StreamLimits =
        StreamLimits { events: 40, bytes: 2000, sessions: 4, owner_grace: Duration::from_secs(30) };

    fn sign_in(n: u8) -> SignIn {
        SignIn([n; 32])
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    /// A generator that needs nothing: the seed is all of it.
    pub struct Dice(pub u64);

    impl Dice {
        pub fn roll(&mut self, sides: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % sides
        }
    }

    /// A page as it sees itself: what it has seen, and whether it is on the line.
    #[derive(Default)]
    struct Client {
        session: Option<Session>,
        seen: Option<u64>,
        snapshots: u32,
        resumes: u32,
    }

    impl Client {
        fn event(&mut self, agent: usize, text: &str) {
            let seq: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
            assert_eq!(text, event(agent, seq), "another's event, or another text");
            assert_eq!(Some(seq), self.seen.map(|n| n + 1), "a gap or a double");
            self.seen = Some(seq);
        }
    }

    fn event(agent: usize, seq: u64) -> String {
        format!("{agent} {seq} {}", "x".repeat((seq % 50) as usize))
    }

    /// Fifty agents with two pages each, until a thousand of them have lost the line. Everything that can come late does.
    fn a_day(seed: u64) -> (u32, u32, u32) {
        let mut dice = Dice(seed | 1);
        let (mut next, mut cuts, mut now) = (0, 0, 0);
        let mut streams: Vec<Stream> = (0..50).map(|n| Stream::new(n * 1000)).collect();
        let mut clients: Vec<[Client; 2]> = (0..50).map(|_| Default::default()).collect();
        let mut asked: Vec<(usize, usize, Session)> = Vec::new();
        while cuts < 1000 {
            now += dice.roll(3);
            let (agent, page) = (dice.roll(50) as usize, dice.roll(2) as usize);
            let (stream, client) = (&mut streams[agent], &mut clients[agent][page]);
            match (client.session, dice.roll(8)) {
                (Some(session), 0) => {
                    stream.detach(at(now), session);
                    client.session = None;
                    cuts += 1;
                }
                (None, 0..4) => {
                    next += 1;
                    let resume = match dice.roll(10) {
                        0 => None,
                        // Numbers of another process.
                        1 => Some(dice.roll(1 << 53)).filter(|n| *n > 1_000_000),
                        _ => client.seen,
                    };
                    let attached = stream.attach(at(now), next, sign_in(page as u8), resume, false, &LIMITS);
                    assert_ne!(attached, Attached::Crowded);
                    client.session = Some(next);
                    match stream.begin(next).unwrap() {
                        Begin::Resumed { first, events } => {
                            client.resumes += 1;
                            assert_eq!(resume, client.seen);
                            assert_eq!(resume, Some(first - 1));
                            for text in events.iter() {
                                client.event(agent, text);
                            }
                            assert_eq!(client.seen, Some(stream.last()));
                        }
                        Begin::Snapshot => {
                            client.seen = None;
                            asked.push((agent, page, next));
                        }
                    }
                }
                (_, 4) if !asked.is_empty() => {
                    let (agent, page, session) = asked.remove(dice.roll(asked.len() as u64) as usize);
                    let client = &mut clients[agent][page];
                    let fine = streams[agent].snapshot(session);
                    assert_eq!(
                        fine,
                        client.session == Some(session),
                        "only the one who asked and is still there"
                    );
                    if fine {
                        client.snapshots += 1;
                        client.seen = Some(streams[agent].last());
                    }
                }
                _ => {
                    let text = event(agent, stream.last() + 1);
                    assert_eq!(stream.push(&LIMITS, text.as_str().into()), stream.last());
                    let live: Vec<Session> = stream.live().collect();
                    for client in &mut clients[agent] {
                        if client.session.is_some_and(|session| live.contains(&session)) {
                            client.event(agent, &text);
                        }
                    }
                    assert!(stream.ring.len() <= LIMITS.events && stream.bytes <= LIMITS.bytes);
                }
            }
            let acting = streams[agent].acting();
            assert!(
                acting.is_none_or(|a| streams[agent].sessions().any(|(s, _)| s == a)),
                "who acts is there"
            );
        }
        let all = || clients.iter().flatten();
        (cuts, all().map(|c| c.resumes).sum(), all().map(|c| c.snapshots).sum())
    }

    #[test]
    fn a_thousand_lost_lines_leave_no_gap_and_no_double() {
        for seed in 1..=20 {
            let (cuts, resumes, snapshots) = a_day(seed * 7919);
            assert!(cuts == 1000 && resumes > 300 && snapshots > 30, "seed {seed}: {resumes} {snapshots}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn so_does_any_other_day(seed in 1..u64::MAX) {
            a_day(seed);
        }
    }

    #[test]
    fn a_reload_acts_at_once_and_another_sign_in_watches() {
        let mut stream = Stream::new(0);
        assert_eq!(stream.attach(at(0), 1, sign_in(1), None, false, &LIMITS), Attached::Acting);
        assert_eq!(stream.attach(at(0), 2, sign_in(1), None, false, &LIMITS), Attached::TookOver);
        assert_eq!(stream.acting(), Some(2));
        assert_eq!(stream.attach(at(1), 3, sign_in(2), None, false, &LIMITS), Attached::Watching);
        assert!(!stream.detach(at(1), 1), "a page that was taken over leaves no gap");
        stream.offline = false;
        assert_eq!(stream.claim(at(1), 3, false, &LIMITS), None);
        assert!(stream.detach(at(2), 2));
        assert_eq!(stream.claim(at(3), 3, false, &LIMITS), None, "the owner reloads");
        assert_eq!(stream.claim(at(32), 3, false, &LIMITS), Some(Attached::Acting), "the owner stays away");
        assert_eq!(stream.attach(at(33), 4, sign_in(1), None, false, &LIMITS), Attached::Watching);
        assert_eq!(stream.claim(at(33), 4, true, &LIMITS), Some(Attached::TookOver));
        assert_eq!(stream.claim(at(33), 4, false, &LIMITS), Some(Attached::Acting), "who acts, acts");
        stream.offline = true;
        assert_eq!(stream.claim(at(33), 3, false, &LIMITS), Some(Attached::TookOver), "nobody works here");
        assert_eq!(stream.claim(at(33), 99, true, &LIMITS), None, "nobody's page");
    }

    #[test]
    fn one_who_only_watches_and_one_too_many() {
        let mut stream = Stream::new(0);
        assert_eq!(stream.attach(at(0), 1, sign_in(1), None, true, &LIMITS), Attached::Watching);
        assert_eq!(stream.acting(), None);
        for n in 2..=4 {
            stream.attach(at(0), n, sign_in(1), None, false, &LIMITS);
        }
        assert_eq!(stream.attach(at(0), 5, sign_in(1), None, false, &LIMITS), Attached::Crowded);
        assert_eq!(stream.acting(), Some(4));
    }

    #[test]
    fn what_the_ring_no_longer_has_is_a_snapshot() {
        let mut stream = Stream::new(100);
        for _ in 0..60 {
            stream.push(&LIMITS, (stream.last() + 1).to_string().into());
        }
        let mut begin = |session, resume| {
            stream.attach(at(0), session, sign_in(1), resume, true, &LIMITS);
            let begun = stream.begin(session).unwrap();
            assert_eq!(stream.begin(session), None, "once");
            stream.detach(at(0), session);
            begun
        };
        assert_eq!(begin(1, Some(160)), Begin::Resumed { first: 161, events: [].into() });
        let two = ["159".into(), "160".into()].into();
        assert_eq!(begin(2, Some(158)), Begin::Resumed { first: 159, events: two });
        assert!(matches!(begin(3, Some(120)), Begin::Resumed { first: 121, events } if events.len() == 40));
        for resume in [None, Some(119), Some(161), Some(0), Some(u64::MAX)] {
            assert_eq!(begin(4, resume), Begin::Snapshot, "{resume:?}");
        }
    }
}
