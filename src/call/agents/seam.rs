//! The words between the engine and the agents' sessions. Plain data: what a panel can ask, what it is told.
//!
//! `cti` turns wire frames into [`AgentCommand`] and [`AgentEvent`] into wire frames; nothing here is written to the wire as it is.

use crate::base::{CallId, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An agent's name: the user name he signs in with (`8003`).
pub type AgentId = Arc<str>;

/// What an agent hears and speaks with.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Device {
    #[default]
    Browser,
    /// A desk phone by its configured name; it rings by SIP and its answering is the agent's answer.
    Phone(Arc<str>),
}

/// Whom a call goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Queue(Arc<str>),
    Agent(AgentId),
    /// Digits as dialled; rules of class and allow list apply.
    Number(Arc<str>),
}

/// What a lead may set an agent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forced {
    Ready,
    NotReady { reason: Arc<str> },
    Offline,
}

/// One command of the contract. `call: None` means the agent's only call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentCommand {
    Login {
        device: Device,
    },
    Logout,
    Ready,
    NotReady {
        reason: Arc<str>,
    },
    BreakRequest {
        reason: Arc<str>,
    },
    BreakWithdraw,
    Answer {
        call: Option<CallId>,
    },
    Reject {
        call: Option<CallId>,
    },
    HangUp {
        call: Option<CallId>,
    },
    Hold {
        call: Option<CallId>,
    },
    Retrieve {
        call: Option<CallId>,
    },
    /// Keys towards the other side of the call.
    Dtmf {
        call: Option<CallId>,
        digits: Arc<str>,
    },
    /// An outside call; from a ticket when it has one.
    Dial {
        number: Arc<str>,
        ticket: Option<Arc<str>>,
    },
    /// A second call while the first is held.
    Consult {
        call: Option<CallId>,
        to: Target,
    },
    /// With `to`: blind. Without: the consulted party takes the call (attended).
    Transfer {
        call: Option<CallId>,
        to: Option<Target>,
    },
    /// With `to`: that party is called and joins. Without: the consulted party joins.
    Conference {
        call: Option<CallId>,
        to: Option<Target>,
    },
    /// The agent leaves a conference or an attended transfer he began.
    Complete {
        call: Option<CallId>,
    },
    /// What kind of caller this is: see [`Special`].
    Mark {
        call: Option<CallId>,
        special: Special,
    },
    WrapUpFinish,
    WrapUpExtend,
    RecordingPause {
        call: Option<CallId>,
    },
    RecordingResume {
        call: Option<CallId>,
    },
    Listen {
        agent: AgentId,
    },
    Whisper {
        agent: AgentId,
    },
    Barge {
        agent: AgentId,
    },
    TakeOver {
        agent: AgentId,
    },
    ForceState {
        agent: AgentId,
        state: Forced,
    },
    AssistRequest {
        call: Option<CallId>,
        note: Arc<str>,
    },
    AssistCancel,
    CrisisRaise {
        call: Option<CallId>,
    },
    /// Numbers of these queues are sent as they change; empty: none.
    QueueWatch {
        queues: Vec<Arc<str>>,
    },
}

/// Why a command was not carried out. The code is the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("sign in as an agent first")]
    NotLoggedIn,
    #[error("this sign-in watches; take over first")]
    Watching,
    #[error("no call is offered")]
    NotOffered,
    #[error("there is no such call of yours")]
    NoSuchCall,
    #[error("not in this state")]
    WrongState,
    #[error("not on the roster now")]
    NotOnRoster,
    #[error("your role may not do this")]
    NotAllowed,
    #[error("this number may not be dialled")]
    NumberRefused,
    #[error("the citizen of this ticket is told by text only")]
    TextOnly,
    #[error("outside the time in which the citizen may be called")]
    NotNow,
    #[error("there is no such agent, queue or phone")]
    NoSuchTarget,
    #[error("the other side cannot be reached now")]
    TargetBusy,
    #[error("no sound passes between the panel and the engine")]
    NoMedia,
    #[error("the ticket is not finished")]
    TicketUnfinished,
    #[error("a limit is reached")]
    Limit,
    #[error("the call has gone to somebody else")]
    Rescinded,
    #[error("a number or place of the call could not be made safe")]
    NotSafe,
}

impl Refused {
    /// The contract's name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotLoggedIn => "not_logged_in",
            Self::Watching => "watching",
            Self::NotOffered => "not_offered",
            Self::NoSuchCall => "no_such_call",
            Self::WrongState => "wrong_state",
            Self::NotOnRoster => "not_on_roster",
            Self::NotAllowed => "not_allowed",
            Self::NumberRefused => "number_refused",
            Self::TextOnly => "text_only",
            Self::NotNow => "not_now",
            Self::NoSuchTarget => "no_such_target",
            Self::TargetBusy => "target_busy",
            Self::NoMedia => "no_media",
            Self::TicketUnfinished => "ticket_unfinished",
            Self::Limit => "limit",
            Self::Rescinded => "rescinded",
            Self::NotSafe => "not_safe",
        }
    }
}

/// Callers for whom the usual way is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// As `crisis.raise`.
    Suicide,
    /// Nobody is heard: asked by the flow for a key.
    Silent,
    Emergency,
    Minor,
    /// Domestic violence.
    Violence,
    Deaf,
    Foreign,
    Elderly,
    Abuse,
}

impl Special {
    pub const ALL: [Self; 9] = [
        Self::Suicide,
        Self::Silent,
        Self::Emergency,
        Self::Minor,
        Self::Violence,
        Self::Deaf,
        Self::Foreign,
        Self::Elderly,
        Self::Abuse,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Suicide => "suicide",
            Self::Silent => "silent",
            Self::Emergency => "emergency",
            Self::Minor => "minor",
            Self::Violence => "violence",
            Self::Deaf => "deaf",
            Self::Foreign => "foreign",
            Self::Elderly => "elderly",
            Self::Abuse => "abuse",
        }
    }

    /// A lead is called: what follows is not for the agent alone.
    pub const fn needs_lead(self) -> bool {
        matches!(self, Self::Suicide | Self::Emergency | Self::Minor | Self::Violence | Self::Abuse)
    }
}

/// The contract's agent state, derived from intent and activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    Offline,
    NotReady { reason: Arc<str> },
    Ready,
    Offered,
    OnCall,
    WrapUp { until_ms: i64 },
    NotResponding,
}

/// One side of a call as a panel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCard {
    pub call: CallId,
    pub direction: Direction,
    pub queue: Option<Arc<str>>,
    /// As the trunk told it; empty when withheld.
    pub caller: Arc<str>,
    pub called: Arc<str>,
    /// The draft ticket's id is the call's; its number once drawn.
    pub ticket_no: Option<Arc<str>>,
    pub ticket_code: Option<Arc<str>>,
    /// `offered`, `talking`, `held`, `consulting`, `conference`.
    pub state: &'static str,
    /// Wall time of arrival, of entering the queue, of the answer: ms since 1970.
    pub arrived_ms: i64,
    pub queued_ms: Option<i64>,
    pub answered_ms: Option<i64>,
    /// Flow nodes passed, oldest first.
    pub path: Vec<Arc<str>>,
    pub urgent: bool,
    pub recording_paused: bool,
    /// Others on the call by name (`8004`, `lead`, a number); a listener is not among them for the citizen.
    pub others: Vec<Arc<str>>,
    /// It is one of a session in which the head of a department takes calls.
    pub session: Option<SessionCard>,
    /// It is the callback somebody was promised: he is asked who he is before anything is told.
    pub callback: Option<CallbackCard>,
}

/// A session as one of its calls shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCard {
    pub id: Arc<str>,
    pub unit: Arc<str>,
    /// Whose eyes it is for: `leader`, `recorder`, `agent`.
    pub part: &'static str,
    /// He is heard by nobody.
    pub listens: bool,
    /// Who listens and writes the ticket, once he is on the call.
    pub recorder: Option<AgentId>,
}

/// What a call back is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackCard {
    /// The call in which it was asked for.
    pub of: CallId,
    pub asked_ms: i64,
    /// Tries so far, this one included once it is dialled.
    pub tries: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// How a queue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    pub queue: Arc<str>,
    pub waiting: u32,
    /// Wall time since which the longest waits, ms.
    pub longest_since_ms: Option<i64>,
    /// The longest wait that somebody who got in line now would be told, ms.
    pub stated_ms: Option<u32>,
    pub staffed: u32,
    pub free: u32,
    pub talking: u32,
    pub wrap_up: u32,
    pub callbacks: u32,
}

/// A colleague, for the list and the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    pub agent: AgentId,
    pub state: AgentState,
    pub since_ms: i64,
    pub device: Option<Device>,
    pub call: Option<CallId>,
}

/// What a panel is told. Times are wall ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    State {
        agent: AgentId,
        state: AgentState,
        since_ms: i64,
        reason: Option<Arc<str>>,
    },
    Break {
        granted: bool,
        reason: Arc<str>,
        ahead: u32,
    },
    Offered {
        card: Box<CallCard>,
        answer_by_ms: i64,
        auto_answer_at_ms: Option<i64>,
    },
    Rescinded {
        call: CallId,
        why: &'static str,
    },
    Answered {
        card: Box<CallCard>,
    },
    Held {
        call: CallId,
    },
    Retrieved {
        call: CallId,
    },
    Joined {
        call: CallId,
        who: Arc<str>,
    },
    Left {
        call: CallId,
        who: Arc<str>,
    },
    /// A lead listens, whispers or has barged in; told to the agent, never to the citizen.
    Monitored {
        call: CallId,
        by: AgentId,
        how: &'static str,
    },
    Ended {
        call: CallId,
        reason: &'static str,
        wrap_up_until_ms: Option<i64>,
    },
    QueueStats(QueueStats),
    TicketLinked {
        call: CallId,
        ticket_no: Option<Arc<str>>,
        ticket_code: Option<Arc<str>>,
    },
    /// Somebody has saved the ticket.
    TicketUpdated {
        call: CallId,
        ticket_no: Option<Arc<str>>,
        state: Arc<str>,
    },
    /// Needs eyes: `assist`, `crisis`, `deaf_path`, `unstaffed`, `journal`…
    Alarm {
        kind: &'static str,
        call: Option<CallId>,
        agent: Option<AgentId>,
        note: Arc<str>,
    },
    RosterNotice {
        code: &'static str,
        note: Arc<str>,
    },
}

/// Everything a panel needs to be true at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub agent: AgentId,
    pub state: AgentState,
    pub since_ms: i64,
    pub device: Option<Device>,
    pub break_pending: Option<Arc<str>>,
    pub calls: Vec<CallCard>,
    /// The open offer, with its limits.
    pub offer: Option<(CallId, i64, Option<i64>)>,
    pub queues: Vec<QueueStats>,
    pub colleagues: Vec<Colleague>,
}

/// A sign-in of an agent as the engine knows it: one session acts, others watch. A newer epoch wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionEpoch(pub u64);

/// Into the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToEngine {
    /// A command of the acting session; `re` comes back with the answer.
    Command { agent: AgentId, re: u64, command: AgentCommand },
    /// Where the agent stands, for a session that has just come; `re` comes back.
    Snapshot { agent: AgentId, re: u64 },
    /// The acting session's socket has gone or come back. The engine decides what that means after its own time.
    Present { agent: AgentId, present: bool },
    /// The browser's audio: proven in both directions, or why not. `media` is where the relay takes RTP of this agent.
    Path { agent: AgentId, path: Path, relay: Option<std::net::SocketAddr> },
    /// Who may be ready by the roster from now on, all of them (`None`: the roster does not bind), and who is on call.
    Roster { may: Option<BTreeMap<AgentId, Turn>>, on_call: Vec<AgentId> },
    /// Something about his shifts, for the agent's pages.
    RosterNotice { agent: AgentId, code: &'static str, note: Arc<str> },
    /// Nobody is on shift, or will not be: for the leads.
    RosterGap { note: Arc<str> },
    /// A hand-over is not signed in time: for the leads.
    HandoverUnsigned { note: Arc<str> },
    /// Something that had to be sent outside could not be: for the leads. The note is its id in the outbox.
    DeadLetter { note: Arc<str> },
    /// The sessions of the next days (一把手接听), all of them.
    LeaderSessions(Vec<LeaderSession>),
}

/// A session in which the head of a department takes calls. Times are wall ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderSession {
    pub id: Arc<str>,
    pub unit: Arc<str>,
    pub from_ms: i64,
    pub to_ms: i64,
    /// By whose sign-in and device the head takes his calls.
    pub seat: AgentId,
    /// Who listens to each call and writes its ticket.
    pub recorder: Option<AgentId>,
}

/// The shift by which somebody may be ready: its beginning and end, wall ms. `None`: at every minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Turn {
    pub span: Option<(i64, i64)>,
}

/// Does sound pass between an agent's ears and us?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    Proven,
    Deaf(Deafness),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deafness {
    /// Nothing is set up.
    NotSetUp,
    IceFailed,
    /// Nothing comes from the browser.
    NothingHeard,
    /// The browser does not confirm what we send.
    NotConfirmed,
    /// The page says its microphone has ended or is taken.
    NoMicrophone,
}

/// Out of the engine, in order for each agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromEngine {
    Event {
        to: AgentId,
        at: Time,
        wall_ms: i64,
        event: AgentEvent,
    },
    /// The same event to each who watches the floor: one word, however many they are.
    Floor {
        /// Sorted. The same list is shared by many words.
        to: Arc<[AgentId]>,
        /// He has been told by an event of his own.
        but: Option<AgentId>,
        at: Time,
        wall_ms: i64,
        event: AgentEvent,
    },
    Answer {
        agent: AgentId,
        re: u64,
        result: Result<Option<CallId>, Refused>,
    },
    Snapshot {
        agent: AgentId,
        re: u64,
        wall_ms: i64,
        snapshot: Box<Snapshot>,
    },
    /// The relay of this agent's browser sends to and takes from this address now; `None`: nobody.
    Relay {
        agent: AgentId,
        worker: Option<std::net::SocketAddr>,
    },
}
