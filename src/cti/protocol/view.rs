//! What goes over the wire, field by field. Converted by hand from the engine's words; keys are in reading order.

use crate::base::CallId;
use crate::call::agents::seam::{
    AgentEvent, AgentState, CallCard, Colleague, Device, Direction, QueueStats, Snapshot,
};
use crate::cti::media::MediaEvent;
use serde::Serialize;

/// Turns wall milliseconds into RFC 3339 with the configured zone's offset.
pub trait Clockface {
    fn time(&self, wall_ms: i64) -> String;
}

/// `state`, and what belongs to it.
#[derive(Serialize)]
pub struct StateView<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrap_up_until: Option<String>,
    since: String,
}

impl<'a> StateView<'a> {
    fn of(state: &'a AgentState, reason: Option<&'a str>, since_ms: i64, clock: &dyn Clockface) -> Self {
        let (name, own, until) = match state {
            AgentState::Offline => ("offline", None, None),
            AgentState::NotReady { reason } => ("not_ready", Some(&**reason), None),
            AgentState::Ready => ("ready", None, None),
            AgentState::Offered => ("offered", None, None),
            AgentState::OnCall => ("on_call", None, None),
            AgentState::WrapUp { until_ms } => ("wrap_up", None, Some(clock.time(*until_ms))),
            AgentState::NotResponding => ("not_responding", None, None),
        };
        Self { state: name, reason: own.or(reason), wrap_up_until: until, since: clock.time(since_ms) }
    }
}

#[derive(Serialize)]
pub struct CardView<'a> {
    call: String,
    direction: &'static str,
    queue: Option<&'a str>,
    /// Null when withheld.
    caller: Option<&'a str>,
    called: &'a str,
    /// The draft ticket's id: the call's.
    ticket: String,
    ticket_no: Option<&'a str>,
    ticket_code: Option<&'a str>,
    state: &'static str,
    arrived_at: String,
    queued_at: Option<String>,
    answered_at: Option<String>,
    path: Vec<&'a str>,
    urgent: bool,
    recording_paused: bool,
    others: Vec<&'a str>,
    /// It is one of a session in which the head of a department takes calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionView<'a>>,
    /// The callback somebody was promised: he is asked who he is before anything is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<CallbackView>,
}

#[derive(Serialize)]
pub struct SessionView<'a> {
    id: &'a str,
    unit: &'a str,
    /// `leader recorder agent`: whose eyes it is for.
    part: &'static str,
    /// Heard by nobody.
    listens: bool,
    recorder: Option<&'a str>,
}

#[derive(Serialize)]
pub struct CallbackView {
    /// The call in which it was asked for.
    of: String,
    asked_at: String,
    tries: u8,
    /// What comes first: `identity`, the question whether it is he who called.
    first: &'static str,
}

impl<'a> CardView<'a> {
    fn of(card: &'a CallCard, clock: &dyn Clockface) -> Self {
        Self {
            call: card.call.to_string(),
            direction: match card.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
            },
            queue: card.queue.as_deref(),
            caller: Some(&*card.caller).filter(|caller| !caller.is_empty()),
            called: &card.called,
            ticket: card.call.to_string(),
            ticket_no: card.ticket_no.as_deref(),
            ticket_code: card.ticket_code.as_deref(),
            state: card.state,
            arrived_at: clock.time(card.arrived_ms),
            queued_at: card.queued_ms.map(|ms| clock.time(ms)),
            answered_at: card.answered_ms.map(|ms| clock.time(ms)),
            path: card.path.iter().map(|node| &**node).collect(),
            urgent: card.urgent,
            recording_paused: card.recording_paused,
            others: card.others.iter().map(|who| &**who).collect(),
            session: card.session.as_ref().map(|session| SessionView {
                id: &session.id,
                unit: &session.unit,
                part: session.part,
                listens: session.listens,
                recorder: session.recorder.as_deref(),
            }),
            callback: card.callback.map(|callback| CallbackView {
                of: callback.of.to_string(),
                asked_at: clock.time(callback.asked_ms),
                tries: callback.tries,
                first: "identity",
            }),
        }
    }
}

#[derive(Serialize)]
pub struct QueueView<'a> {
    queue: &'a str,
    waiting: u32,
    longest_since: Option<String>,
    stated_wait_ms: Option<u32>,
    staffed: u32,
    free: u32,
    talking: u32,
    wrap_up: u32,
    callbacks: u32,
}

impl<'a> QueueView<'a> {
    fn of(stats: &'a QueueStats, clock: &dyn Clockface) -> Self {
        Self {
            queue: &stats.queue,
            waiting: stats.waiting,
            longest_since: stats.longest_since_ms.map(|ms| clock.time(ms)),
            stated_wait_ms: stats.stated_ms,
            staffed: stats.staffed,
            free: stats.free,
            talking: stats.talking,
            wrap_up: stats.wrap_up,
            callbacks: stats.callbacks,
        }
    }
}

#[derive(Serialize)]
pub struct ColleagueView<'a> {
    agent: &'a str,
    #[serde(flatten)]
    state: StateView<'a>,
    device: Option<&'a str>,
    call: Option<String>,
}

impl<'a> ColleagueView<'a> {
    fn of(colleague: &'a Colleague, clock: &dyn Clockface) -> Self {
        Self {
            agent: &colleague.agent,
            state: StateView::of(&colleague.state, None, colleague.since_ms, clock),
            device: colleague.device.as_ref().map(device),
            call: colleague.call.map(text),
        }
    }
}

#[derive(Serialize)]
pub struct OfferView {
    call: String,
    answer_by: String,
    auto_answer_at: Option<String>,
}

#[derive(Serialize)]
pub struct SnapshotView<'a> {
    agent: &'a str,
    #[serde(flatten)]
    state: StateView<'a>,
    device: Option<&'a str>,
    break_pending: Option<&'a str>,
    calls: Vec<CardView<'a>>,
    offer: Option<OfferView>,
    queues: Vec<QueueView<'a>>,
    colleagues: Vec<ColleagueView<'a>>,
}

impl<'a> SnapshotView<'a> {
    pub fn of(snapshot: &'a Snapshot, clock: &dyn Clockface) -> Self {
        Self {
            agent: &snapshot.agent,
            state: StateView::of(&snapshot.state, None, snapshot.since_ms, clock),
            device: snapshot.device.as_ref().map(device),
            break_pending: snapshot.break_pending.as_deref(),
            calls: snapshot.calls.iter().map(|card| CardView::of(card, clock)).collect(),
            offer: snapshot.offer.map(|(call, by, auto)| OfferView {
                call: call.to_string(),
                answer_by: clock.time(by),
                auto_answer_at: auto.map(|ms| clock.time(ms)),
            }),
            queues: snapshot.queues.iter().map(|queue| QueueView::of(queue, clock)).collect(),
            colleagues: snapshot.colleagues.iter().map(|c| ColleagueView::of(c, clock)).collect(),
        }
    }
}

/// The `data` of events.
#[derive(Serialize)]
#[serde(untagged)]
pub enum EventView<'a> {
    State {
        agent: &'a str,
        #[serde(flatten)]
        state: StateView<'a>,
    },
    Break {
        granted: bool,
        reason: &'a str,
        ahead: u32,
    },
    Offered {
        #[serde(flatten)]
        card: CardView<'a>,
        answer_by: String,
        auto_answer_at: Option<String>,
    },
    Card(CardView<'a>),
    Call {
        call: String,
    },
    CallWhy {
        call: String,
        reason: &'a str,
    },
    Party {
        call: String,
        who: &'a str,
    },
    Monitored {
        call: String,
        by: &'a str,
        how: &'a str,
    },
    Ended {
        call: String,
        reason: &'a str,
        wrap_up_until: Option<String>,
    },
    Queue(QueueView<'a>),
    Ticket {
        call: String,
        ticket: String,
        ticket_no: Option<&'a str>,
        ticket_code: Option<&'a str>,
    },
    TicketState {
        call: String,
        ticket: String,
        ticket_no: Option<&'a str>,
        state: &'a str,
    },
    Alarm {
        kind: &'a str,
        call: Option<String>,
        agent: Option<&'a str>,
        note: &'a str,
    },
    Notice {
        code: &'a str,
        note: &'a str,
    },
    Answer {
        /// Whose page's path it is: the number of its `hello`. So too below.
        session: u64,
        sdp: &'a str,
    },
    Candidate {
        session: u64,
        candidate: &'a str,
        mid: Option<&'a str>,
    },
    Quality {
        session: u64,
        path: &'a str,
        round_trip_ms: Option<u32>,
        jitter_ms: Option<u32>,
        lost_permille: Option<u16>,
    },
    TakenOver {
        /// The session that acts from now on: the one of its `hello`.
        session: u64,
    },
}

/// An event's name and data.
pub fn event<'a>(event: &'a AgentEvent, clock: &dyn Clockface) -> (&'static str, EventView<'a>) {
    use EventView as V;
    match event {
        AgentEvent::State { agent, state, since_ms, reason } => {
            let state = StateView::of(state, reason.as_deref(), *since_ms, clock);
            ("agent.state", V::State { agent, state })
        }
        AgentEvent::Break { granted, reason, ahead } => {
            ("agent.break", V::Break { granted: *granted, reason, ahead: *ahead })
        }
        AgentEvent::Offered { card, answer_by_ms, auto_answer_at_ms } => (
            "call.offered",
            V::Offered {
                card: CardView::of(card, clock),
                answer_by: clock.time(*answer_by_ms),
                auto_answer_at: auto_answer_at_ms.map(|ms| clock.time(ms)),
            },
        ),
        AgentEvent::Rescinded { call, why } => {
            ("call.rescinded", V::CallWhy { call: text(*call), reason: why })
        }
        AgentEvent::Answered { card } => ("call.answered", V::Card(CardView::of(card, clock))),
        AgentEvent::Held { call } => ("call.held", V::Call { call: text(*call) }),
        AgentEvent::Retrieved { call } => ("call.retrieved", V::Call { call: text(*call) }),
        AgentEvent::Joined { call, who } => ("call.joined", V::Party { call: text(*call), who }),
        AgentEvent::Left { call, who } => ("call.left", V::Party { call: text(*call), who }),
        AgentEvent::Monitored { call, by, how } => {
            ("call.monitored", V::Monitored { call: text(*call), by, how })
        }
        AgentEvent::Ended { call, reason, wrap_up_until_ms } => (
            "call.ended",
            V::Ended { call: text(*call), reason, wrap_up_until: wrap_up_until_ms.map(|ms| clock.time(ms)) },
        ),
        AgentEvent::QueueStats(stats) => ("queue.stats", V::Queue(QueueView::of(stats, clock))),
        AgentEvent::TicketLinked { call, ticket_no, ticket_code } => (
            "ticket.linked",
            V::Ticket {
                call: text(*call),
                ticket: text(*call),
                ticket_no: ticket_no.as_deref(),
                ticket_code: ticket_code.as_deref(),
            },
        ),
        AgentEvent::TicketUpdated { call, ticket_no, state } => (
            "ticket.updated",
            V::TicketState { call: text(*call), ticket: text(*call), ticket_no: ticket_no.as_deref(), state },
        ),
        AgentEvent::Alarm { kind, call, agent, note } => {
            ("alarm", V::Alarm { kind, call: call.map(text), agent: agent.as_deref(), note })
        }
        AgentEvent::RosterNotice { code, note } => ("roster.notice", V::Notice { code, note }),
    }
}

pub fn media_event(session: u64, event: &MediaEvent) -> (&'static str, EventView<'_>) {
    match event {
        MediaEvent::Answer { sdp } => ("media.answer", EventView::Answer { session, sdp }),
        MediaEvent::Candidate { candidate, mid } => {
            ("media.candidate", EventView::Candidate { session, candidate, mid: mid.as_deref() })
        }
        MediaEvent::Quality { path, round_trip_ms, jitter_ms, lost_permille } => (
            "media.quality",
            EventView::Quality {
                session,
                path,
                round_trip_ms: *round_trip_ms,
                jitter_ms: *jitter_ms,
                lost_permille: *lost_permille,
            },
        ),
    }
}

fn text(call: CallId) -> String {
    call.to_string()
}

fn device(device: &Device) -> &str {
    match device {
        Device::Browser => "browser",
        Device::Phone(name) => name,
    }
}
