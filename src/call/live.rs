//! One live call: what it owns at each stage, and the one deadline that follows from it.

use super::agents::calling_back::Callback;
use super::agents::leading::OnSession;
use super::agents::party::Party;
use super::caller::Caller;
use super::legacy::Way;
use super::ports::MediaPort;
use crate::acd::{AgentId, Needs};
use crate::base::reach::Reachable;
use crate::base::{CallId, Digit, LegId, Time};
use crate::ivr::Walk;
use crate::media::seam::{DigitSource, PlayId, RecordingId};
use crate::sip::seam::{DialogId, Invite};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Call {
    pub id: CallId,
    pub dialog: DialogId,
    pub leg: Leg,
    pub arrived: Time,
    pub arrived_ms: i64,
    pub answered: Option<Time>,
    pub number: String,
    pub private: bool,
    pub called: String,
    pub trunk: Arc<str>,
    pub stage: Stage,
    pub walk: Walk,
    /// The playlist that may still end; a late end of an earlier one is nobody's.
    pub play: PlayId,
    pub recording: Option<RecordingId>,
    /// Digits are masked and the recording silenced.
    pub sensitive: bool,
    pub held: bool,
    /// The answer's fact carried both SDPs; it does not when the offer was ours.
    pub sdp_told: bool,
    pub last_digit: Option<(Digit, Time, KeySource)>,
    pub path: VecDeque<Arc<str>>,
    /// The ticket's number and code, once drawn: one pair a call, whatever is stored under it.
    pub ticket: Option<(Arc<str>, Arc<str>)>,
    /// A file kept by a message; it may still come after the end.
    pub message: Option<RecordingId>,
    /// Legs beside the citizen's, in the order they came.
    pub parties: Vec<Party>,
    /// The citizen is set aside: he hears music, and nobody hears him.
    pub aside: bool,
    /// The agent himself set him aside: only he takes him back.
    pub by_hand: bool,
    /// Whom we dialled has answered, and the agent's own phone rings still: so long he is asked to wait.
    pub unmet: Option<Time>,
    /// By this agent's own telephone, which holds us.
    pub phone_hold: Option<AgentId>,
    /// Who has turned from the talk to ask somebody; whoever else is on the call goes on without him.
    pub asking: Option<AgentId>,
    /// Who has answered him, or dialled him; stays when a colleague takes over the rest.
    pub agent: Option<AgentId>,
    /// Wall time of joining the queue.
    pub queued_ms: Option<i64>,
    /// Wall time of the first agent's answer.
    pub taken_ms: Option<i64>,
    /// The queue it waits in, or last waited in.
    pub queue: Option<Arc<str>>,
    /// His flow connected him with somebody: after that talk it goes on by `answered`.
    pub connected: bool,
    /// What he had in line, or has: a place he comes back to has no other.
    pub priority: u8,
    /// The skills that his flow asked for when it put him in line.
    pub needs: Needs,
    /// It came by an old number that leads somewhere.
    pub legacy: Option<Box<Way>>,
    /// He has asked for the head of a department whose session was open.
    pub session: Option<Box<OnSession>>,
    /// It began with us: an agent dialled.
    pub outbound: bool,
    /// The caller asked to be called back; his place goes on when this call is over.
    pub callback: Option<Callback>,
    /// As the ticket says so far: it holds for what is promised later in this call.
    pub reachable: Reachable,
    /// The place he had in line before he left it: when he came, and with what priority.
    pub place: Option<(Time, u8)>,
    /// The callback this call is a try of, by the call in which it was asked for; and what it was when it was dialled.
    pub calls_back: Option<CallId>,
    pub back_to: Option<Callback>,
    /// The fact that must be on disk before the ticket's number is shown.
    pub ticket_seq: u64,
    /// The worker has a bridge of this call.
    pub bridged: bool,
    /// 危机: a lead is called, no music, no survey, no letting go.
    pub crisis: bool,
    /// Moved up by a key, or by who works on it.
    pub urgent: bool,
    pub recording_paused: bool,
    /// If it breaks on the citizen's side he is called back at once.
    pub redial: bool,
    /// Whoever is called must not be asked how it was.
    pub no_survey: bool,
    /// The agent heard nobody: the flow asks for a key.
    pub silent: bool,
    /// The ticket is no draft any more: nobody has to finish it.
    pub ticket_done: bool,
    /// Final SIP status of whom we dialled; zero: none came.
    pub refused_with: u16,
    pub max_call_at: Time,
    /// The deadline as the engine's mirror has it.
    pub mirrored: Option<Time>,
}

/// The caller's media leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub port: MediaPort,
    pub ssrc: u32,
    /// A worker has it; otherwise only the port is leased.
    pub open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySource {
    Media(DigitSource),
    Info,
}

/// Where a call is. Each stage owns what only that stage needs.
#[derive(Debug)]
pub(super) enum Stage {
    /// Ringing until the answer.
    Arriving {
        answer_at: Time,
    },
    /// 200 is out, the peer's answer to our offer has not come: nothing can be heard yet.
    AwaitingSdp,
    Walking,
    Queued {
        since: Time,
    },
    /// A voice message is being recorded.
    Message {
        recording: RecordingId,
    },
    /// A number is on its way to the disk; nobody hears it before.
    Saving {
        seq: u64,
        what: Saved,
        until: Time,
    },
    Looking {
        id: u32,
        until: Time,
    },
    /// We have dialled; the other side has not answered, and is waited for no longer than this.
    Dialing {
        until: Time,
    },
    /// Somebody is on the line, or was a moment ago: the walk rests. With `until` set all who were are lost, and he waits for one of
    /// them until the last one's time is over.
    Talking {
        until: Option<Time>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Message,
    Callback,
}

/// A leg whose call has ended: its last news are still to come.
#[derive(Debug)]
pub(super) struct Closing {
    pub call: CallId,
    pub until: Time,
    pub ticket: Option<(Arc<str>, Arc<str>)>,
    pub arrived_ms: i64,
    /// Not the citizen's own leg: its figures are not the call's.
    pub party: bool,
}

/// Nodes kept for the wall.
pub(super) const PATH_MAX: usize = 32;
/// The same key by RTP and by INFO within this time is one press.
pub(super) const SAME_PRESS: Duration = Duration::from_millis(300);

impl Call {
    #[expect(clippy::too_many_arguments, reason = "the parts of one record, each with its own name")]
    pub fn new(
        id: CallId,
        dialog: DialogId,
        leg: Leg,
        now: Time,
        wall_ms: i64,
        who: &Caller,
        invite: &Invite,
        trunk: Arc<str>,
        walk: Walk,
        answer_at: Time,
        max_call: Duration,
    ) -> Self {
        Self {
            id,
            dialog,
            leg,
            arrived: now,
            arrived_ms: wall_ms,
            answered: None,
            number: who.number.clone(),
            private: who.private,
            called: invite.called.clone(),
            trunk,
            stage: Stage::Arriving { answer_at },
            walk,
            play: PlayId(0),
            recording: None,
            sensitive: false,
            held: false,
            sdp_told: false,
            last_digit: None,
            path: VecDeque::new(),
            ticket: None,
            message: None,
            parties: Vec::new(),
            aside: false,
            phone_hold: None,
            asking: None,
            needs: Needs::default(),
            legacy: None,
            session: None,
            agent: None,
            queued_ms: None,
            taken_ms: None,
            queue: None,
            outbound: false,
            connected: false,
            callback: None,
            reachable: Reachable::Always,
            by_hand: false,
            unmet: None,
            place: None,
            calls_back: None,
            back_to: None,
            ticket_seq: 0,
            bridged: false,
            crisis: false,
            urgent: false,
            priority: 0,
            recording_paused: false,
            redial: false,
            no_survey: false,
            silent: false,
            ticket_done: false,
            refused_with: 0,
            max_call_at: now + max_call,
            mirrored: None,
        }
    }

    /// A call that an agent dialled: the citizen's side is the one we called.
    #[expect(clippy::too_many_arguments, reason = "the parts of one record, each with its own name")]
    pub fn outbound(
        id: CallId,
        dialog: DialogId,
        leg: Leg,
        now: Time,
        wall_ms: i64,
        number: &str,
        from: &str,
        trunk: Arc<str>,
        walk: Walk,
    ) -> Self {
        Self {
            id,
            dialog,
            leg,
            arrived: now,
            arrived_ms: wall_ms,
            number: number.to_owned(),
            called: from.to_owned(),
            trunk,
            stage: Stage::Dialing { until: now },
            walk,
            outbound: true,
            answered: None,
            private: false,
            play: PlayId(0),
            recording: None,
            sensitive: false,
            held: false,
            sdp_told: false,
            last_digit: None,
            path: VecDeque::new(),
            ticket: None,
            message: None,
            parties: Vec::new(),
            aside: false,
            phone_hold: None,
            asking: None,
            needs: Needs::default(),
            legacy: None,
            session: None,
            agent: None,
            queued_ms: None,
            taken_ms: None,
            queue: None,
            connected: false,
            callback: None,
            reachable: Reachable::Always,
            by_hand: false,
            unmet: None,
            place: None,
            calls_back: None,
            back_to: None,
            ticket_seq: 0,
            bridged: false,
            crisis: false,
            urgent: false,
            priority: 0,
            recording_paused: false,
            redial: false,
            no_survey: false,
            silent: false,
            ticket_done: false,
            refused_with: 0,
            max_call_at: now,
            mirrored: None,
        }
    }

    /// When this call next needs the engine's attention, and why.
    pub fn deadline(&self) -> Option<(Time, &'static str)> {
        let own = match &self.stage {
            Stage::Arriving { answer_at } => Some((*answer_at, "answer")),
            Stage::Saving { until, .. } => Some((*until, "number not safe in time")),
            Stage::Looking { until, .. } => Some((*until, "lookup")),
            Stage::Dialing { until } => Some((*until, "no answer")),
            Stage::AwaitingSdp
            | Stage::Talking { .. }
            | Stage::Walking
            | Stage::Queued { .. }
            | Stage::Message { .. } => None,
        };
        let away =
            self.parties.iter().filter_map(|party| party.away_until).min().map(|at| (at, "agent away"));
        let walk = self.answered.and(self.walk.poll_timeout());
        let greeting = self.legacy.as_ref().and_then(|way| way.greeted_by).map(|at| (at, "greeting"));
        let unmet = self.unmet.map(|at| (at, "nobody there"));
        [own, away, unmet, walk, greeting, Some((self.max_call_at, "longest call"))]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// The contract's name of where the call is.
    pub fn state(&self) -> &'static str {
        match self.stage {
            Stage::Arriving { .. } => "arriving",
            Stage::Queued { .. } => "queued",
            Stage::Talking { .. } if self.aside => "held",
            Stage::Talking { .. } => "talking",
            _ => "ivr",
        }
    }

    /// Is this press the echo of one that came another way?
    pub fn is_echo(&self, now: Time, digit: Digit, source: KeySource) -> bool {
        matches!(self.last_digit, Some((last, at, from)) if last == digit && from != source && now.since(at) < SAME_PRESS)
    }

    pub fn remember_node(&mut self, node: &Arc<str>) {
        if self.path.len() == PATH_MAX {
            self.path.pop_front();
        }
        self.path.push_back(Arc::clone(node));
    }

    pub fn mirrored_deadline(&self) -> Option<Time> {
        self.deadline().map(|(at, _)| at)
    }
}
