//! The words of this room: who, what is wanted done, how an offer ends, why something is refused.

use crate::base::{CallId, Time};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An agent's name, such as `8003`: printable ASCII without blanks, kept inline so that it copies like a number and sorts as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId([u8; Self::MAX]);

impl AgentId {
    /// Longest name in bytes.
    pub const MAX: usize = 24;

    /// `None` for an empty, too long or unprintable name.
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=Self::MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| {
            let mut bytes = [0; Self::MAX];
            bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
            Self(bytes)
        })
    }

    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|b| *b == 0).unwrap_or(Self::MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One offer: one agent, one call. Counted from 1 within a boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub u64);

impl fmt::Debug for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offer-{}", self.0)
    }
}

/// An agent as the directory knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSpec {
    pub id: AgentId,
    /// Level per skill, 1 lowest.
    pub skills: BTreeMap<Arc<str>, u8>,
    pub queues: Vec<Arc<str>>,
    /// 班长: rung when the last agent of a queue does not answer.
    pub lead: bool,
    /// Rung after the lead when no other on-call number is set.
    pub mobile: Option<Arc<str>>,
}

/// Skills a caller needs with the least level of each, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Needs(Arc<[(Arc<str>, u8)]>);

impl Needs {
    /// Of a skill named twice the higher level counts.
    pub fn new(skills: impl IntoIterator<Item = (Arc<str>, u8)>) -> Self {
        let mut sorted = BTreeMap::new();
        for (skill, level) in skills {
            let least = sorted.entry(skill).or_insert(level);
            *least = level.max(*least);
        }
        Self(sorted.into_iter().collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, u8)> {
        self.0.iter().map(|(skill, level)| (&**skill, *level))
    }

    /// The sum of the agent's levels in what is needed; `None` when one is missing or too low.
    pub(super) fn level(&self, skills: &BTreeMap<Arc<str>, u8>) -> Option<u16> {
        self.0.iter().try_fold(0u16, |sum, (skill, least)| {
            let level = skills.get(skill).filter(|level| *level >= least)?;
            Some(sum.saturating_add(u16::from(*level)))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Kind {
    /// The caller is on the line.
    #[default]
    Live,
    /// The caller hung up and is dialled when it is his turn.
    Callback,
}

/// Somebody who gets in line.
#[derive(Clone, Debug)]
pub struct Enter {
    pub call: CallId,
    pub queue: Arc<str>,
    pub priority: u8,
    pub needs: Needs,
    /// The same for each call of one caller: leads back to the agent he knows, where the queue wants that.
    pub caller: Option<u64>,
    /// Keeps a place won earlier; `None`: now.
    pub entered: Option<Time>,
    pub kind: Kind,
    /// Of a callback that was in line before a restart: its failed tries, and when the next one may be.
    pub tries: u8,
    pub rest_until: Option<Time>,
    /// Comes back with a start of the program: that nobody has logged in yet moves it nowhere.
    pub restored: bool,
}

impl Enter {
    pub fn new(call: CallId, queue: impl Into<Arc<str>>, priority: u8) -> Self {
        Self {
            call,
            queue: queue.into(),
            priority,
            needs: Needs::default(),
            caller: None,
            entered: None,
            kind: Kind::Live,
            tries: 0,
            rest_until: None,
            restored: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// In line behind this many. He may be in an open offer already: see the actions.
    Waiting {
        ahead: u32,
    },
    Full,
    /// No queue of that name is configured: the flow's `error`.
    Unknown,
}

/// What the agent wants; what he does is another matter and never overwrites it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    Ready,
    NotReady(Arc<str>),
}

/// What is known of the agent's own media path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing yet.
    Unproven,
    /// A probe came back and the microphone is live.
    Proven,
    Deaf(Arc<str>),
}

/// An agent's state as the contract names it, made from intent, activity and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    Offline,
    NotReady(Arc<str>),
    Ready,
    Offered,
    OnCall,
    WrapUp,
    NotResponding,
}

impl AgentState {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::NotReady(_) => "not_ready",
            Self::Ready => "ready",
            Self::Offered => "offered",
            Self::OnCall => "on_call",
            Self::WrapUp => "wrap_up",
            Self::NotResponding => "not_responding",
        }
    }
    pub fn reason(&self) -> Option<&Arc<str>> {
        match self {
            Self::NotReady(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What a supervisor may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forced {
    Ready,
    NotReady(Arc<str>),
    Offline,
}

/// How an offer ended. Only `NoAnswer` is the agent's miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    Answered,
    Declined,
    NoAnswer,
    CallerLeft,
    TakenByOther,
    DeviceFailed,
    /// One of the two owners refused, or did not say in time that he is bound.
    NotBound,
    /// Taken back by us: log-out, a forced state, a reload, a call the agent dialled himself.
    Rescinded,
}

impl Ending {
    pub fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Declined => "declined",
            Self::NoAnswer => "no_answer",
            Self::CallerLeft => "caller_left",
            Self::TakenByOther => "taken_by_other",
            Self::DeviceFailed => "device_failed",
            Self::NotBound => "not_bound",
            Self::Rescinded => "rescinded",
        }
    }
}

/// Which owner refused to bind an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// The agent's: his path counts as deaf until it is proven again.
    Agent(Arc<str>),
    /// The call's: it is gone, or must not be taken any more. It leaves its place.
    Call,
}

/// Who is rung when nobody on shift answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escalation {
    OnCallMobile(Arc<str>),
    /// No number is known: an alarm is all that is left.
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakNews {
    /// Asked for; this many others asked before.
    Waiting {
        ahead: usize,
    },
    /// Begins at once, or when the work in hand is done.
    Granted,
    Over,
    Withdrawn,
}

/// What the ACD wants done, or tells those who watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reserve the agent and bind the call; then `bound` or `refused`.
    Offer {
        offer: OfferId,
        agent: AgentId,
        call: CallId,
        queue: Arc<str>,
        answer_by: Time,
        /// When the agent is on the call without a hand moved; `None` where it rings.
        auto_answer_at: Option<Time>,
        ring: bool,
        /// A callback: the citizen is dialled when the agent has taken it.
        dial: bool,
    },
    /// The offer is over without the agent's doing, except that a `NoAnswer` is his miss.
    Rescind {
        offer: OfferId,
        agent: AgentId,
        call: CallId,
        why: Ending,
    },
    /// The agent has the call: bridge it, or dial it.
    Connect {
        offer: OfferId,
        agent: AgentId,
        call: CallId,
        dial: bool,
        waited: Duration,
    },
    AgentState {
        agent: AgentId,
        state: AgentState,
        since: Time,
    },
    Break {
        agent: AgentId,
        news: BreakNews,
    },
    /// What he wants has changed, whatever he does; `None`: he has logged out. With `on_break` it is a break that was granted.
    Intends {
        agent: AgentId,
        intent: Option<Intent>,
        on_break: bool,
    },
    /// Wrap-up time is over and the ticket is not finished: a lead should look.
    WrapOverdue {
        agent: AgentId,
        call: CallId,
    },
    /// Moved to another queue with his time of entry kept.
    Overflow {
        call: CallId,
        from: Arc<str>,
        to: Arc<str>,
        why: OverflowWhy,
    },
    /// The place is gone.
    TimedOut {
        call: CallId,
    },
    /// Nobody serves this queue any more although callers wait.
    Unstaffed {
        queue: Arc<str>,
    },
    Escalate {
        call: CallId,
        to: Escalation,
    },
    /// A callback's last try failed. The place is gone.
    CallbackGivenUp {
        call: CallId,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowWhy {
    Waited,
    Length,
    NoStaff,
}

/// Why a command or a fact is not taken. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refused {
    #[error("no agent of that name")]
    UnknownAgent,
    #[error("no call of that name is waiting or being served")]
    UnknownCall,
    #[error("the agent is not logged in")]
    NotLoggedIn,
    #[error("a newer session of this agent exists")]
    StaleEpoch,
    #[error("the agent is not on shift")]
    OffShift,
    #[error("the agent is on a call")]
    OnCall,
    #[error("the agent is not on that call")]
    NotOnCall,
    #[error("no such offer is open")]
    NotOffered,
    #[error("the offer is not bound yet")]
    NotBound,
    #[error("the offer is bound already")]
    AlreadyBound,
    #[error("the agent is not wrapping up")]
    NotInWrapUp,
    #[error("the ticket is not finished")]
    TicketUnfinished,
    #[error("wrap-up cannot be longer")]
    AtCap,
    #[error("no break was asked for")]
    NoBreak,
    #[error("a break was asked for already")]
    AlreadyAsked,
    #[error("the call is no callback")]
    NotACallback,
    #[error("the queue takes no more callbacks")]
    Full,
}

impl Refused {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownAgent => "unknown_agent",
            Self::UnknownCall => "unknown_call",
            Self::NotLoggedIn => "not_logged_in",
            Self::StaleEpoch => "stale_epoch",
            Self::OffShift => "off_shift",
            Self::OnCall => "on_call",
            Self::NotOnCall => "not_on_call",
            Self::NotOffered => "not_offered",
            Self::NotBound => "not_bound",
            Self::AlreadyBound => "already_bound",
            Self::NotInWrapUp => "not_in_wrap_up",
            Self::TicketUnfinished => "ticket_unfinished",
            Self::AtCap => "at_cap",
            Self::NoBreak => "no_break",
            Self::AlreadyAsked => "already_asked",
            Self::NotACallback => "not_a_callback",
            Self::Full => "full",
        }
    }
}
