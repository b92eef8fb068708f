//! What the journal keeps: one fact per thing that happened, enough to tell, replay and rebuild a call.
//!
//! Facts are versioned: fields are only added (with a default), kinds are never renumbered, unknown kinds are skipped.
//! [`Personal`] fields are ciphertext on disk under the call's own key (architecture, section 6).

use crate::base::{CallId, DayKind, Personal};
use crate::call::EndReason;

/// A fact with its stamps. Monotone time orders and measures; wall time only stamps.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// Position in the node's journal, counted from 1, without gaps.
    pub seq: u64,
    /// Nanoseconds on the boot's monotone clock.
    pub mono_ns: u64,
    /// Milliseconds since 1970 (UTC).
    pub wall_ms: i64,
    pub fact: Fact,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The process started: a new boot number, which binary and configuration.
    Booted {
        node: u16,
        boot: u32,
        version: String,
        config_hash: u64,
    },
    /// The call began (architecture 6, "When a call begins"). The draft ticket is made from this.
    CallArrived(Box<CallArrived>),
    /// 200 has been sent.
    CallAnswered(Box<CallAnswered>),
    /// ACK came.
    CallConfirmed {
        call: CallId,
    },
    /// Offer/answer changed something: hold, resume, new address.
    MediaChanged {
        call: CallId,
        held: bool,
        codec: u8,
        local_sdp: Personal,
        remote_sdp: Personal,
    },
    /// What a rebuilt engine must know of the SIP dialog.
    Dialog(Box<DialogFact>),
    /// One input of the walk, what the walk knew, and the trail it left. Replay runs on these.
    Step(Box<Step>),
    /// The caller joined, or left, a queue.
    QueueEntered {
        call: CallId,
        queue: String,
        priority: u8,
        ahead: u32,
    },
    /// He moved up: key 0 while waiting, the storm key.
    QueueRaised {
        call: CallId,
        priority: u8,
    },
    QueueLeft {
        call: CallId,
        queue: String,
        outcome: QueueOutcome,
        waited_ms: u64,
    },
    /// The ticket's official number and look-up code. Durable before it is spoken.
    NumberDrawn {
        call: CallId,
        no: String,
        code: Personal,
    },
    /// A block of the day's numbers now belongs to this boot: `from..=to` on `date` (yyMMdd in the configured zone).
    NumberBlock {
        date: u32,
        from: u32,
        to: u32,
    },
    /// A voice message is complete on disk.
    MessageStored {
        call: CallId,
        recording: u128,
        length_ms: u32,
    },
    /// The citizen asked to be called back, with the place he had: its priority, the wall time of his entry, the skills he needs.
    CallbackRequested {
        call: CallId,
        number: Personal,
        queue: String,
        priority: u8,
        entered_ms: i64,
        skills: Vec<(String, u8)>,
    },
    /// An agent has taken the callback of `call`, and the citizen is dialled by `by`. Tries count from one.
    CallbackTried {
        call: CallId,
        nth: u8,
        agent: String,
        by: CallId,
    },
    /// `answered busy no_answer refused failed cancelled cut`; with the wall time of the next try, zero where there is none.
    CallbackTryEnded {
        call: CallId,
        nth: u8,
        outcome: String,
        next_ms: i64,
    },
    /// The callback waits in another queue from now on.
    CallbackMoved {
        call: CallId,
        queue: String,
    },
    /// The callback is in line no more: `reached given_up too_late number_refused no_line full no_queue withdrawn lost`.
    CallbackOver {
        call: CallId,
        why: String,
    },
    RecordingStarted {
        call: CallId,
        recording: u128,
    },
    RecordingEnded {
        call: CallId,
        recording: u128,
        length_ms: u32,
        gaps_ms: u32,
        failed: bool,
    },
    /// A value the flow set on the call: survey answers, language.
    ValueSet {
        call: CallId,
        name: String,
        value: Personal,
    },
    /// Somebody was asked to connect the call elsewhere.
    DialStarted {
        call: CallId,
        to: Personal,
    },
    DialEnded {
        call: CallId,
        outcome: u8,
    },
    CallEnded(Box<CallEnded>),
    /// Media figures; follows `CallEnded` when the worker has closed the leg.
    MediaReport(Box<MediaReport>),
    /// A flow version came into force: hash, name of the file, version text.
    FlowLoaded {
        hash: u64,
        file: String,
        version: String,
    },
    FlowRefused {
        file: String,
        reason: String,
    },
    /// Drain began or the process is stopping in order.
    Draining,
    Stopped,
    /// An agent's state changed: the contract's name, the reason, the device he works with.
    AgentState {
        agent: String,
        state: String,
        reason: String,
        device: String,
    },
    /// What an agent wants, whatever he does now: `ready`, `not_ready`, `break`, with the reason; `offline` when he has logged out.
    AgentIntent {
        agent: String,
        intent: String,
        reason: String,
    },
    /// The call was offered to an agent.
    CallOffered {
        call: CallId,
        offer: u64,
        agent: String,
        queue: String,
    },
    /// How the offer ended: `answered`, `declined`, `no_answer`, `caller_left`…
    OfferEnded {
        call: CallId,
        offer: u64,
        agent: String,
        how: String,
    },
    /// Another leg is on the call.
    PartyJoined(Box<PartyJoined>),
    /// Set aside, or back among the others.
    PartyHeld {
        call: CallId,
        party: u64,
        on: bool,
    },
    PartyLeft {
        call: CallId,
        party: u64,
        why: String,
    },
    /// The agent's work after the call is over.
    WrappedUp {
        call: CallId,
        agent: String,
        wrap_ms: u64,
    },
    /// Something said about the call by who works on it: `assist`, `crisis`, `urgent`, or what
    /// kind of caller it is (`silent`, `minor`…).
    CallNoted {
        call: CallId,
        agent: String,
        kind: String,
        note: Personal,
    },
    RecordingPaused {
        call: CallId,
        on: bool,
        why: String,
    },
    /// An agent came or went at another time than his shift's: `early`, `late`, `after_shift`, `left_early`, `left_late`, or
    /// `let_by <lead>` for who worked beside the roster.
    RosterNoted {
        agent: String,
        kind: String,
        minutes: u64,
    },
}

impl Fact {
    /// The call it is about; `None` for what concerns the whole node.
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::CallArrived(f) => Some(f.call),
            Self::CallAnswered(f) => Some(f.call),
            Self::Dialog(f) => Some(f.call),
            Self::Step(f) => Some(f.call),
            Self::CallEnded(f) => Some(f.call),
            Self::MediaReport(f) => Some(f.call),
            Self::CallConfirmed { call }
            | Self::MediaChanged { call, .. }
            | Self::QueueEntered { call, .. }
            | Self::QueueRaised { call, .. }
            | Self::QueueLeft { call, .. }
            | Self::NumberDrawn { call, .. }
            | Self::MessageStored { call, .. }
            | Self::CallbackRequested { call, .. }
            | Self::CallbackTried { call, .. }
            | Self::CallbackTryEnded { call, .. }
            | Self::CallbackMoved { call, .. }
            | Self::CallbackOver { call, .. }
            | Self::RecordingStarted { call, .. }
            | Self::RecordingEnded { call, .. }
            | Self::ValueSet { call, .. }
            | Self::DialStarted { call, .. }
            | Self::DialEnded { call, .. }
            | Self::CallOffered { call, .. }
            | Self::OfferEnded { call, .. }
            | Self::PartyHeld { call, .. }
            | Self::PartyLeft { call, .. }
            | Self::WrappedUp { call, .. }
            | Self::CallNoted { call, .. }
            | Self::RecordingPaused { call, .. } => Some(*call),
            Self::PartyJoined(f) => Some(f.call),
            Self::Booted { .. }
            | Self::NumberBlock { .. }
            | Self::FlowLoaded { .. }
            | Self::FlowRefused { .. }
            | Self::Draining
            | Self::Stopped
            | Self::AgentState { .. }
            | Self::AgentIntent { .. }
            | Self::RosterNoted { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallArrived {
    pub call: CallId,
    pub sip_call_id: String,
    /// The number the engine believes (PAI of a trusted trunk, else From), and where it came from (`pai`, `from`, `none`).
    pub caller: Personal,
    pub caller_source: String,
    pub display: Personal,
    /// The caller asked for his number to be withheld.
    pub private: bool,
    pub called: String,
    /// First number dialled (History-Info, Diversion) and the reason, when the call was redirected.
    pub redirected_from: Option<String>,
    pub redirect_reason: Option<String>,
    pub trunk: String,
    pub source: String,
    pub user_agent: String,
    pub emergency: bool,
    /// Version of the flow this call walks, by content hash.
    pub flow_hash: u64,
    pub flow_file: String,
    pub flow_version: String,
    /// The agent who dialled it, when the call began with us.
    pub dialled_by: Option<String>,
}

/// A leg beside the citizen's.
#[derive(Clone, Debug, PartialEq)]
pub struct PartyJoined {
    pub call: CallId,
    /// Its media leg's number; never used twice in a boot.
    pub party: u64,
    /// `agent`, `outside`, `listen`, `whisper`, `barge`.
    pub role: String,
    /// The agent's name; empty for an outside number.
    pub agent: String,
    /// An outside number.
    pub number: Personal,
    pub port: u16,
    pub worker: u8,
    pub ssrc: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallAnswered {
    pub call: CallId,
    /// RTP payload type of the codec: 8 PCMA, 0 PCMU.
    pub codec: u8,
    pub port: u16,
    pub worker: u8,
    pub ssrc: u32,
    pub local_sdp: Personal,
    pub remote_sdp: Personal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DialogFact {
    pub call: CallId,
    pub local_tag: String,
    pub remote_tag: String,
    pub local_uri: String,
    pub remote_uri: Personal,
    pub remote_target: Personal,
    pub route_set: Vec<String>,
    pub local_cseq_reserved: u32,
    pub remote_cseq: u32,
    pub session_expires_s: Option<u32>,
    pub we_refresh: bool,
}

/// A recorded input of a walk in the words of [`crate::ivr::seam`]; digits of sensitive nodes are `*`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub call: CallId,
    pub input: StepInput,
    pub world: StepWorld,
    pub trail: Vec<StepTrail>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepInput {
    Begin,
    PlayFinished,
    Digit(Personal),
    Timeout,
    LookupFound(Vec<(String, Personal)>),
    LookupNone,
    LookupFailed,
    QueueWaiting,
    QueueFull,
    QueueNoStaff,
    QueueTimedOut,
    QueueAnswered,
    DialAnswered,
    DialBusy,
    DialNoAnswer,
    DialFailed,
    MessageStored { no: String, code: Personal },
    MessageFailed,
    CallbackStored { no: String, code: Personal },
    CallbackFailed,
    Returned,
    Silent,
    SensitiveOutcome(String),
}

/// See [`crate::ivr::seam::World`]; the wall clock is the record's own stamp.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepWorld {
    /// Seconds east of UTC.
    pub utc_offset_s: i32,
    pub day: DayKind,
    pub switches: Vec<String>,
    pub ahead: Option<u32>,
    pub wait_ms: Option<u32>,
    pub staffed: u16,
    pub free: u16,
    /// The unit whose head was on the line.
    pub leader: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepTrail {
    Entered(String),
    Left { node: String, outcome: String },
    Prompt(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOutcome {
    Answered,
    TimedOut,
    Full,
    NoStaff,
    /// By a key or by the flow.
    LeftByFlow,
    Abandoned,
    /// The engine went away or ended the call.
    Cut,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallEnded {
    pub call: CallId,
    pub reason: EndReason,
    /// Status we refused or were refused with; 0 when there was none.
    pub sip_status: u16,
    /// Cause in the peer's Reason header.
    pub peer_cause: Option<u16>,
    /// Milliseconds from INVITE, and from 200 (zero when never answered).
    pub duration_ms: u64,
    pub talk_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MediaReport {
    pub call: CallId,
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub late: u64,
    pub duplicate: u64,
    pub foreign: u64,
    /// Microseconds.
    pub jitter_us: u32,
    /// Hundredths, 100–450.
    pub mos_x100: u16,
    pub digits: u32,
    pub late_ticks: u32,
}
