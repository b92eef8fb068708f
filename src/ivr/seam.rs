//! The words between a walk through a flow and whoever carries it out. Plain data.

use crate::base::{DayKind, Digit, Personal, Time};
use std::sync::Arc;

/// One stretch of what a caller hears, by the prompt store's clip names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    Clip(Arc<str>),
    /// Silence, in milliseconds.
    Pause(u16),
}

/// What happens to a walk. The driver names facts; the walk decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The call has been answered: the first node is entered.
    Begin,
    /// Everything the last [`Action::Play`] asked for has been heard.
    PlayFinished,
    Digit(Digit),
    /// A deadline named by `poll_timeout` has passed.
    Timeout,
    /// The answer to [`Action::Lookup`].
    LookupDone(LookupResult),
    /// The answer to [`Action::Enqueue`], or what became of the wait.
    Queue(QueueNews),
    /// What became of [`Action::Dial`].
    Dial(DialEnd),
    /// The voice message is safe on disk, in the journal, and has a number (`failed` otherwise).
    MessageStored(Stored),
    /// The callback request is in the journal and has a number.
    CallbackStored(Stored),
    /// The agent has hung up and the call comes back for what follows the queue (a survey).
    Returned,
    /// The agent heard nobody: the queue's `silent` way.
    Silent,
    /// Replay only: a `sensitive` collect is given its outcome, since its digits are not journaled.
    SensitiveOutcome(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueNews {
    /// In line.
    Waiting,
    /// The queue takes nobody more.
    Full,
    /// Nobody on the roster can take this queue now (the caller may still wait if the flow says so).
    NoStaff,
    /// The longest wait the queue allows has passed.
    TimedOut,
    /// An agent is on the line. The walk rests until [`Input::Returned`].
    Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialEnd {
    Answered,
    Busy,
    NoAnswer,
    Failed,
}

/// The number under which a message or a callback request was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    Number { no: Arc<str>, code: Arc<str> },
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupResult {
    /// Values for the flow's variables, by name.
    Found(Vec<(Arc<str>, Arc<str>)>),
    None,
    Failed,
}

/// What a walk asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Replaces what plays. Ends with [`Input::PlayFinished`] unless stopped or replaced.
    Play(Vec<Spoken>),
    StopPlay,
    /// What sounds while nothing plays: hold music or nothing.
    Music(Option<Arc<str>>),
    /// Join `queue`. `urgent` moves the caller up (key 0 while waiting, the storm key).
    Enqueue {
        queue: Arc<str>,
        priority: u8,
        /// What the agent must be able to do, with the least level of each; sorted by name.
        skills: Arc<[(Arc<str>, u8)]>,
    },
    /// The same wait, a higher place.
    Raise {
        priority: u8,
    },
    LeaveQueue,
    Dial {
        to: Arc<str>,
        timeout_ms: u32,
    },
    /// Record a voice message; the answer is [`Input::MessageStored`] once it is safe.
    RecordMessage {
        max_ms: u32,
        silence_ms: u32,
    },
    /// The caller pressed the terminator: keep what was said.
    StopMessage,
    /// The answer is [`Input::CallbackStored`]. `None`: the number that called.
    RequestCallback {
        number: Option<Personal>,
        queue: Arc<str>,
    },
    Lookup {
        kind: Arc<str>,
        args: Vec<(Arc<str>, Personal)>,
        timeout_ms: u32,
    },
    /// Survey answers and other values that belong to the call's record.
    Set {
        name: Arc<str>,
        value: Arc<str>,
    },
    /// The recording is silenced and digits are masked while `true`.
    Sensitive(bool),
    HangUp {
        why: HangUpWhy,
    },
    /// The walk could not go on as the flow says: it has already turned to a person. For the log and a counter.
    Fault {
        node: Arc<str>,
        what: Arc<str>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUpWhy {
    /// The flow's own end.
    FlowEnd,
    /// After a stored message, a stored callback, a survey.
    MessageLeft,
    CallbackBooked,
    SurveyDone,
    /// Nobody spoke and no key came, as often as the flow allows.
    NoInput,
    /// Wrong keys as often as the flow allows.
    WrongInput,
}

/// The trace a walk leaves: what the journal keeps and replay compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trail {
    Entered(Arc<str>),
    /// A node was left by this outcome (`next`, `no_input`, a key, `else`…).
    Left {
        node: Arc<str>,
        outcome: Arc<str>,
    },
    /// A prompt began, by its name in the flow.
    Prompt(Arc<str>),
}

/// What a walk may know of the world at the moment of an input. Small, so it is journaled with the input.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct World {
    /// Wall clock, milliseconds since 1970 (UTC).
    pub wall_ms: i64,
    /// The configured zone's offset from UTC now, seconds.
    pub utc_offset_s: i32,
    /// Today, by the working calendar of the configured zone.
    pub day: DayKind,
    /// Announcements and modes that staff have switched on (`storm`, `closed`), sorted.
    pub switches: Arc<[Arc<str>]>,
    /// Callers ahead in the queue, while in one.
    pub ahead: Option<u32>,
    /// Estimated wait from now; `None` while unknown.
    pub wait_ms: Option<u32>,
    /// Agents on the roster and logged in for the queue in question; free ones among them.
    pub staffed: u16,
    pub free: u16,
    /// The unit whose head is on the line now: its session is open, and he takes callers.
    pub leader: Option<Arc<str>>,
}

/// What is known of a call when its walk begins.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CallFacts {
    pub caller: Option<Personal>,
    /// The number dialled last, and the one dialled first when the call was redirected.
    pub called: String,
    pub redirected_from: Option<String>,
    pub trunk: String,
    /// Tags of the caller known before the call (`elder`, `company`, `repeat`).
    pub tags: Vec<String>,
    pub began: Time,
}
