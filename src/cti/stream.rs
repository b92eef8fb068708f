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
    New { resume: Option<u64> },
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
    /// These, then every later event.
    Resumed(Vec<Arc<str>>),
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
    pub fn claim(&mut self, now: Time, session: Session, take_over: bool, limits: &StreamLimits) -> Option<Attached> {
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
                Some(Begin::Resumed(self.ring.range(kept - missed..).cloned().collect()))
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

    /// The next event: `frame` writes it with its number. Gives the text, for [`Stream::live`] sessions.
    pub fn push(&mut self, limits: &StreamLimits, frame: impl FnOnce(u64) -> Arc<str>) -> Arc<str> {
        self.last += 1;
        let text = frame(self.last);
        self.bytes += text.len();
        self.ring.push_back(Arc::clone(&text));
        while self.ring.len() > limits.events || self.bytes > limits.bytes {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.bytes -= oldest.len();
        }
        text
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
