//! What goes over the wire. Field names are the contract's; nothing inside is serialised.

use super::guard::masked;
use super::handle::LiveCall;
use super::state::Api;
use super::tickets::{Complained, Course};
use crate::auth::Decision;
use crate::store::{self, CallEvent, TicketEvent};
use crate::ticket::life;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Call {
    /// `c-<node>-<boot>-<n>`.
    pub id: String,
    pub sip_call_id: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    pub caller: Option<String>,
    /// `pai`, `from`, `none`.
    pub caller_source: String,
    pub display: Option<String>,
    /// The caller asked for the number to be withheld.
    pub private: bool,
    pub called: String,
    pub redirected_from: Option<String>,
    pub redirect_reason: Option<String>,
    pub trunk: String,
    pub source: Option<String>,
    pub user_agent: Option<String>,
    pub emergency: bool,
    /// `arriving ivr queued offered talking held wrap ended`.
    pub state: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: String,
    pub answered_at: Option<String>,
    pub queued_at: Option<String>,
    pub ended_at: Option<String>,
    pub duration_ms: Option<u64>,
    pub talk_ms: Option<u64>,
    pub end_reason: Option<String>,
    /// Whose doing the end was: `caller agent trunk us policy`.
    pub fault: Option<String>,
    pub sip_status: Option<u16>,
    pub flow: String,
    pub flow_version: String,
    pub flow_hash: String,
    /// Nodes walked, in order.
    pub path: Vec<String>,
    /// Prompts heard, in order.
    pub prompts: Vec<String>,
    /// Keys pressed; `*` for each sensitive one.
    pub keys: String,
    pub queues: Vec<QueueWait>,
    /// Values the flow set: survey answers, language.
    pub values: Vec<NamedValue>,
    pub surveys: Vec<Survey>,
    pub codec: Option<String>,
    pub media: Option<Media>,
    pub recording: Option<Recording>,
    pub message: Option<Recording>,
    pub callback: Option<Callback>,
    /// Ids of its tickets and drafts.
    pub tickets: Vec<String>,
    /// Official numbers of those that have one.
    pub ticket_nos: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueWait {
    pub queue: String,
    pub entered_at: String,
    pub priority: u8,
    pub ahead: u32,
    pub waited_ms: Option<u64>,
    /// `answered timed_out full no_staff left_by_flow abandoned cut`.
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedValue {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Media {
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub late: u64,
    pub duplicate: u64,
    /// Packets from strangers, dropped.
    pub foreign: u64,
    pub jitter_us: u32,
    /// Mean opinion score by the E-model, 1 to 4.5.
    pub mos: f64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Recording {
    /// 32 hex digits; `/api/v1/recordings/{id}`.
    pub id: String,
    pub length_ms: Option<u32>,
    /// Silence written where the disk could not follow, or where it was not to be recorded.
    pub gaps_ms: Option<u32>,
    pub failed: bool,
    /// Where an agent stopped the recorder; the file has the same as marks.
    pub pauses: Vec<Pause>,
}

/// Milliseconds from the recording's beginning.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Pause {
    pub from_ms: u64,
    /// Null: to its end.
    pub to_ms: Option<u64>,
    pub by: String,
}

/// What the citizen answered by key after an agent had served him.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Survey {
    /// `satisfaction`, or as the flow names its question.
    pub name: String,
    pub answer: String,
    /// 1 is the best.
    pub key: String,
    pub at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Callback {
    pub number: String,
    pub queue: Option<String>,
}

/// A citizen who asked to be called back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackItem {
    /// The call in which he asked.
    pub call: String,
    pub number: String,
    pub queue: String,
    /// `waiting dialling reached given_up too_late number_refused no_line full no_queue withdrawn lost`.
    pub state: String,
    pub asked_at: String,
    /// His place: when he came, and with what priority.
    pub entered_at: String,
    pub priority: u8,
    pub tries: Vec<CallbackTry>,
    /// When the next try may be, between two.
    pub next_at: Option<String>,
    pub over_at: Option<String>,
    /// Ids of the call's tickets, and the numbers of those that have one.
    pub tickets: Vec<String>,
    pub ticket_nos: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackTry {
    pub nth: u8,
    pub agent: String,
    /// The call that dialled him; null where none could be begun.
    pub call: Option<String>,
    pub at: String,
    pub ended_at: Option<String>,
    /// `answered busy no_answer refused wrong failed cancelled cut`; null while it goes on.
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackList {
    pub items: Vec<CallbackItem>,
    /// For `?cursor=`.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallList {
    pub items: Vec<Call>,
    /// For `?cursor=`.
    pub next: Option<String>,
}

/// One line of a call's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallLine {
    pub seq: i64,
    pub at: String,
    /// Since the INVITE, by the monotone clock.
    pub offset_ms: i64,
    /// `call_arrived call_answered step queue_entered …`.
    pub kind: String,
    pub data: Json,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallLines {
    pub items: Vec<CallLine>,
    pub next: Option<String>,
}

/// A call in progress.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Live {
    pub id: String,
    pub caller: Option<String>,
    pub called: String,
    pub trunk: String,
    pub state: String,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub started_at: String,
    pub answered_at: Option<String>,
    pub path: Vec<String>,
    pub codec: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LiveList {
    pub items: Vec<Live>,
    pub next: Option<String>,
}

/// A ticket, or a draft of one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ticket {
    pub id: String,
    /// The official number, 12 digits; null on drafts.
    pub no: Option<String>,
    /// The number it had before this program: imported history. Null on all others.
    pub old_no: Option<String>,
    pub state: String,
    pub channel: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub lead: Option<String>,
    pub assist: Vec<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    /// The caller's own words; null for the units, who read `brief`.
    pub content: Option<String>,
    /// What the unit reads.
    pub brief: Option<String>,
    pub tags: Vec<String>,
    pub caller: Option<String>,
    /// `normal secret anonymous`.
    pub secrecy: String,
    /// `suicide silent emergency minor violence deaf foreign elderly abuse`, or null.
    pub special: Option<String>,
    /// `any text_only no_message`; null: any.
    pub notify: Option<String>,
    /// When he may be called, `09:00-11:30`.
    pub safe_time: Option<String>,
    /// Ids of its calls.
    pub calls: Vec<String>,
    pub created_at: String,
    pub accepted_at: Option<String>,
    pub due_at: Option<String>,
    pub closed_at: Option<String>,
    /// Lines of its history so far; a change names the version it was made on.
    pub version: i64,
    /// What the citizen answered by key after his calls; only of a single ticket.
    pub surveys: Vec<Survey>,
    /// What the person who asks may do to it now; only of a single ticket.
    pub actions: Vec<String>,
    /// Whom it complains about; null for the units.
    pub complained: Option<Complained>,
    #[serde(flatten)]
    pub course: Course,
}

/// What to change of a draft. Absent or null leaves as it was, an empty text clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketChange {
    /// The ticket's `version` as it was read: when it has another by now, nothing is changed (409).
    pub version: i64,
    /// `consult help complaint report suggestion praise`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub lead: Option<String>,
    /// `U L N C`; the category's when absent.
    pub urgency: Option<String>,
    pub title: Option<String>,
    /// The caller's own words: the hotline's alone.
    pub content: Option<String>,
    /// What the unit reads, without what must not come to it.
    pub brief: Option<String>,
    /// Up to 12 words of up to 20 characters; an empty list clears.
    pub tags: Option<Vec<String>>,
    /// Units that assist, up to 6; an empty list clears.
    pub assist: Option<Vec<String>>,
    /// `normal secret anonymous`.
    pub secrecy: Option<String>,
    /// `suicide silent emergency minor violence deaf foreign elderly abuse`.
    pub special: Option<String>,
    /// `any text_only no_message`.
    pub notify: Option<String>,
    /// When he may be called, `09:00-11:30`.
    pub safe_time: Option<String>,
    /// Who called, where to call back, where it is: sealed into the history.
    pub contact: Option<TicketContact>,
    /// Whom it complains about; they never see it. An empty text clears.
    pub complained: Option<Complained>,
    /// `accepted`, `closed` (answered directly) or `void`: final here.
    pub state: Option<String>,
    /// Why it is void.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketContact {
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketList {
    pub items: Vec<Ticket>,
    pub next: Option<String>,
}

/// One line of a ticket's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketLine {
    pub n: i64,
    pub at: String,
    pub kind: String,
    /// `system` or `user:<name>`.
    pub actor: String,
    pub data: Json,
    /// What identifies a person; null when there is nothing, when it was erased, or for those who may not see it.
    pub personal: Option<Json>,
    /// The chain's link, hexadecimal.
    pub hash: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketLines {
    pub items: Vec<TicketLine>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct User {
    pub name: String,
    pub display: String,
    pub unit: Option<String>,
    pub roles: Vec<String>,
    pub disabled: bool,
    pub created_at: String,
    /// An agent's level by skill, 1 to 9.
    pub skills: BTreeMap<String, u8>,
    /// The queues he serves; null: all.
    pub queues: Option<Vec<String>>,
    /// Rung when he is on call.
    pub mobile: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserList {
    pub items: Vec<User>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub name: String,
    pub display: Option<String>,
    pub unit: Option<String>,
    pub roles: Vec<String>,
    pub password: String,
    #[serde(default)]
    pub skills: BTreeMap<String, u8>,
    pub queues: Option<Vec<String>>,
    pub mobile: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Absent: as it was.
    pub disabled: Option<bool>,
    pub password: Option<String>,
    pub roles: Option<Vec<String>>,
    pub unit: Option<String>,
    pub skills: Option<BTreeMap<String, u8>>,
    /// An empty list: all queues.
    pub queues: Option<Vec<String>>,
    /// An empty text: none.
    pub mobile: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Flow {
    pub node: i64,
    pub file: String,
    pub version: String,
    pub hash: String,
    pub at: String,
    pub in_force: bool,
    /// Why it was refused; null when it was taken.
    pub refused: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowList {
    pub items: Vec<Flow>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// `ready`, `degraded` (the desk's database is away), `starting`, `draining`, `not_ready`.
    pub status: String,
    pub sip: bool,
    pub journal: bool,
    pub media: bool,
    pub database: bool,
    pub live_calls: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reloaded {
    pub reloaded: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct About {
    pub name: String,
    pub version: String,
    /// Started with `--demo`: the demo users exist.
    pub demo: bool,
    /// The service's wall clock.
    pub now: String,
}

/// Who is signed in. `token` and `csrf` are given at sign-in; `csrf` also later.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// To be sent as `x-csrf-token` with writes by cookie where no `Origin` is sent.
    pub csrf: String,
    pub username: String,
    pub display: String,
    pub unit: Option<String>,
    pub roles: Vec<String>,
    pub expires_at: String,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

/// A person's number as the decision lets it be seen.
fn number(text: &str, decision: Decision) -> Option<String> {
    match decision {
        _ if text.is_empty() => None,
        Decision::Allow => Some(text.to_owned()),
        _ => Some(masked(text)),
    }
}

impl CallbackItem {
    /// `None`: nobody asked for one in this call.
    pub fn of(api: &Api, call: store::Call, decision: Decision) -> Option<Self> {
        let record = call.record;
        let seen = record.callback?;
        let tries = seen.tries.iter().map(|tried| CallbackTry {
            nth: tried.nth,
            agent: tried.agent.clone(),
            call: Some(tried.call.clone()).filter(|by| *by != record.id),
            at: api.time(tried.at),
            ended_at: tried.ended_at.map(|at| api.time(at)),
            outcome: tried.outcome.clone(),
        });
        Some(Self {
            number: record.callback_number.and_then(|n| number(&n, decision)).unwrap_or_default(),
            queue: record.callback_queue.unwrap_or_default(),
            state: seen.state().to_owned(),
            asked_at: api.time(seen.asked_at),
            entered_at: api.time(seen.entered_at),
            priority: seen.priority,
            tries: tries.collect(),
            next_at: seen.next_at.map(|at| api.time(at)),
            over_at: seen.over_at.map(|at| api.time(at)),
            call: record.id,
            tickets: call.tickets,
            ticket_nos: call.numbers,
        })
    }
}

impl Call {
    pub fn of(api: &Api, call: store::Call, decision: Decision) -> Self {
        let record = call.record;
        let full = decision == Decision::Allow;
        let time = |at: Option<i64>| at.map(|at| api.time(at));
        let recording = record.recording.map(|id| Recording {
            id,
            length_ms: record.recording_ms,
            gaps_ms: record.recording_gaps_ms,
            failed: record.recording_failed,
            pauses: record
                .recording_pauses
                .into_iter()
                .map(|pause| Pause { from_ms: pause.from_ms, to_ms: pause.to_ms, by: pause.by })
                .collect(),
        });
        let message = record.message.map(|id| Recording {
            id,
            length_ms: record.message_ms,
            gaps_ms: None,
            failed: false,
            pauses: Vec::new(),
        });
        Self {
            caller: number(&record.caller, decision),
            display: (full && !record.display.is_empty()).then_some(record.display),
            source: full.then_some(record.source),
            user_agent: full.then_some(record.user_agent),
            keys: if full { record.keys } else { "*".repeat(record.keys.len()) },
            values: if full {
                record.values.into_iter().map(|(name, value)| NamedValue { name, value }).collect()
            } else {
                Vec::new()
            },
            surveys: record
                .surveys
                .into_iter()
                .map(|s| Survey { name: s.name, answer: s.answer, key: s.key, at: api.time(s.at) })
                .collect(),
            callback: record.callback_number.map(|n| Callback {
                number: number(&n, decision).unwrap_or_default(),
                queue: record.callback_queue,
            }),
            id: record.id,
            sip_call_id: record.sip_call_id,
            direction: call.direction,
            caller_source: record.caller_source,
            private: record.private,
            called: record.called,
            redirected_from: record.redirected_from,
            redirect_reason: record.redirect_reason,
            trunk: record.trunk,
            emergency: record.emergency,
            state: record.state.label().to_owned(),
            queue: record.queue,
            agent: record.agent,
            started_at: api.time(record.started_at),
            answered_at: time(record.answered_at),
            queued_at: time(record.queued_at),
            ended_at: time(record.ended_at),
            duration_ms: record.duration_ms,
            talk_ms: record.talk_ms,
            end_reason: record.end_reason,
            fault: record.fault,
            sip_status: record.sip_status,
            flow: record.flow_file,
            flow_version: record.flow_version,
            flow_hash: record.flow_hash,
            path: record.path,
            prompts: record.prompts,
            queues: record
                .queues
                .into_iter()
                .map(|w| QueueWait {
                    queue: w.queue,
                    entered_at: api.time(w.entered_at),
                    priority: w.priority,
                    ahead: w.ahead,
                    waited_ms: w.waited_ms,
                    outcome: w.outcome,
                })
                .collect(),
            codec: record.codec,
            media: record.media.map(|m| Media {
                sent: m.sent,
                received: m.received,
                lost: m.lost,
                late: m.late,
                duplicate: m.duplicate,
                foreign: m.foreign,
                jitter_us: m.jitter_us,
                mos: f64::from(m.mos_x100) / 100.0,
            }),
            recording,
            message,
            tickets: call.tickets,
            ticket_nos: call.numbers,
        }
    }
}

impl CallLine {
    /// `began`: monotone nanoseconds of the call's first line.
    pub fn of(api: &Api, event: CallEvent, began: i64, decision: Decision) -> Self {
        let mut data = event.data;
        if decision != Decision::Allow
            && let Some(map) = data.as_object_mut()
        {
            for name in ["caller", "number", "to", "value", "key", "source", "user_agent"] {
                if let Some(slot) = map.get_mut(name) {
                    *slot = Json::String(slot.as_str().map_or_else(|| "***".to_owned(), masked));
                }
            }
        }
        Self {
            seq: event.seq,
            at: api.time(event.at),
            offset_ms: event.mono_ns.saturating_sub(began) / 1_000_000,
            kind: event.kind,
            data,
        }
    }
}

impl Live {
    pub fn of(api: &Api, call: LiveCall, decision: Decision) -> Self {
        Self {
            id: call.id,
            caller: call.caller.and_then(|c| number(&c, decision)),
            called: call.called,
            trunk: call.trunk,
            state: call.state,
            queue: call.queue,
            agent: call.agent,
            started_at: api.time(call.started_at),
            answered_at: call.answered_at.map(|at| api.time(at)),
            path: call.path,
            codec: call.codec,
        }
    }
}

impl Ticket {
    pub fn of(api: &Api, ticket: store::Ticket, decision: Decision) -> Self {
        let full = matches!(decision, Decision::Allow | Decision::ContactHidden);
        let contents = full || decision == Decision::CallerHidden;
        let time = |at: Option<i64>| at.map(|at| api.time(at));
        let named = ticket.complained_unit.is_some() || ticket.complained_person.is_some();
        Self {
            actions: Vec::new(),
            complained: (full && named)
                .then_some(Complained { unit: ticket.complained_unit, person: ticket.complained_person }),
            course: ticket.cycle.as_ref().map(|cycle| Course::of(api, cycle, decision)).unwrap_or_default(),
            id: ticket.id,
            no: ticket.no,
            old_no: ticket.old_no,
            state: ticket.state,
            channel: ticket.channel,
            kind: ticket.kind,
            category: ticket.category,
            street: ticket.street,
            lead: ticket.lead,
            assist: ticket.assist,
            urgency: ticket.urgency,
            title: ticket.title.filter(|_| contents),
            content: ticket.content.filter(|_| full),
            brief: ticket.brief.filter(|_| contents),
            tags: if contents { ticket.tags } else { Vec::new() },
            caller: ticket
                .caller
                // A unit calls through the hotline; it has no number of anybody.
                .filter(|_| full || (decision == Decision::Masked && ticket.secrecy == "normal"))
                .and_then(|c| number(&c, decision)),
            secrecy: ticket.secrecy,
            special: ticket.special.filter(|_| contents),
            notify: ticket.notify,
            safe_time: ticket.safe_time.filter(|_| contents),
            calls: ticket.calls,
            created_at: api.time(ticket.created_at),
            accepted_at: time(ticket.accepted_at),
            due_at: time(ticket.due_at),
            closed_at: time(ticket.closed_at),
            version: ticket.version,
            surveys: ticket
                .surveys
                .into_iter()
                .map(|s| Survey { name: s.name, answer: s.answer, key: s.key, at: api.time(s.at) })
                .collect(),
        }
    }

    pub fn with_actions(self, actions: Vec<String>) -> Self {
        Self { actions, ..self }
    }
}

impl From<TicketChange> for life::Change {
    fn from(wish: TicketChange) -> Self {
        let contact = wish.contact.unwrap_or_default();
        let complained = wish.complained.unwrap_or_default();
        Self {
            fields: life::Fields {
                kind: wish.kind,
                category: wish.category,
                street: wish.street,
                lead: wish.lead,
                urgency: wish.urgency,
                title: wish.title,
                content: wish.content,
                brief: wish.brief,
                tags: wish.tags,
                assist: wish.assist,
                secrecy: wish.secrecy,
                special: wish.special,
                notify: wish.notify,
                safe_time: wish.safe_time,
                complained_unit: complained.unit,
                complained_person: complained.person,
            },
            contact: life::Contact { name: contact.name, number: contact.number, address: contact.address },
            state: wish.state,
            reason: wish.reason,
        }
    }
}

/// Lines whose words were said to units or by them. What the caller said, and what the hotline says among itself, is not among them.
fn is_for_units(kind: &str) -> bool {
    use crate::ticket::cycle::Step as S;
    S::read(kind).is_some_and(|step| {
        !matches!(
            step,
            S::Opened
                | S::Closed
                | S::AskClarification
                | S::Clarify
                | S::Withdraw
                | S::Reject
                | S::Merge
                | S::Transfer
                | S::TransferRefused
                | S::Visit
                | S::Raise
                | S::Lower
        )
    })
}

/// The words without who said them.
fn without_contact(mut personal: Json) -> Json {
    if let Some(map) = personal.as_object_mut() {
        map.retain(|name, _| !CONTACT.contains(&name.as_str()));
    }
    personal
}

/// Where a line of the history keeps who somebody is.
pub(super) const CONTACT: &[&str] = &["caller", "name", "number", "address"];

impl TicketLine {
    pub fn of(api: &Api, event: TicketEvent, decision: Decision) -> Self {
        use std::fmt::Write as _;
        let mut hash = String::with_capacity(64);
        for byte in &event.hash {
            // Writing into a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        let personal = event.personal.filter(|_| match decision {
            Decision::Allow | Decision::ContactHidden => true,
            Decision::CallerHidden => is_for_units(&event.kind),
            Decision::Masked | Decision::Refuse(_) => false,
        });
        let personal = match decision {
            Decision::ContactHidden => personal.map(without_contact),
            _ => personal,
        };
        let mut data = event.payload;
        if !matches!(decision, Decision::Allow | Decision::ContactHidden) {
            // Whom it complains about is the hotline's alone.
            for map in [data.get_mut("matter").and_then(Json::as_object_mut)].into_iter().flatten() {
                map.remove("complained_unit");
            }
            if let Some(map) = data.as_object_mut() {
                map.remove("complained_unit");
            }
        }
        Self {
            n: event.n,
            at: api.time(event.at),
            kind: event.kind,
            actor: event.actor,
            data,
            personal,
            hash,
        }
    }
}

impl User {
    pub fn of(api: &Api, user: store::User) -> Self {
        Self {
            name: user.name,
            display: user.display,
            unit: user.unit,
            roles: user.roles,
            disabled: user.disabled,
            created_at: api.time(user.created_at),
            skills: user.work.skills,
            queues: user.work.queues,
            mobile: user.work.mobile,
        }
    }
}

/// A queue at this moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Queue {
    pub queue: String,
    pub waiting: u32,
    /// Since when the one who waits longest waits, RFC 3339.
    pub longest_since: Option<String>,
    /// The longest wait that somebody who got in line now would be told; null where nothing is sure and so nothing is said.
    pub stated_wait_ms: Option<u32>,
    /// Free, in an offer, on a call or wrapping up; and the free ones among them.
    pub staffed: u32,
    pub free: u32,
    pub talking: u32,
    pub wrap_up: u32,
    pub callbacks: u32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueList {
    pub items: Vec<Queue>,
    pub next: Option<String>,
}

impl Queue {
    pub fn of(api: &Api, queue: crate::call::agents::seam::QueueStats) -> Self {
        Self {
            queue: queue.queue.to_string(),
            waiting: queue.waiting,
            longest_since: queue.longest_since_ms.map(|ms| api.time(ms)),
            stated_wait_ms: queue.stated_ms,
            staffed: queue.staffed,
            free: queue.free,
            talking: queue.talking,
            wrap_up: queue.wrap_up,
            callbacks: queue.callbacks,
        }
    }
}

/// An agent at this moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Agent {
    pub agent: String,
    /// `offline not_ready ready offered on_call wrap_up not_responding`.
    pub state: String,
    pub reason: Option<String>,
    pub since: String,
    /// `browser`, or the name of a desk phone.
    pub device: Option<String>,
    pub call: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentList {
    pub items: Vec<Agent>,
    pub next: Option<String>,
}

impl Agent {
    pub fn of(api: &Api, agent: crate::call::agents::seam::Colleague) -> Self {
        use crate::call::agents::seam::{AgentState, Device};
        let (state, reason) = match &agent.state {
            AgentState::Offline => ("offline", None),
            AgentState::NotReady { reason } => ("not_ready", Some(reason.to_string())),
            AgentState::Ready => ("ready", None),
            AgentState::Offered => ("offered", None),
            AgentState::OnCall => ("on_call", None),
            AgentState::WrapUp { .. } => ("wrap_up", None),
            AgentState::NotResponding => ("not_responding", None),
        };
        Self {
            agent: agent.agent.to_string(),
            state: state.to_owned(),
            reason,
            since: api.time(agent.since_ms),
            device: agent.device.map(|device| match device {
                Device::Browser => "browser".to_owned(),
                Device::Phone(name) => name.to_string(),
            }),
            call: agent.call.map(|call| call.to_string()),
        }
    }
}

/// A stretch of a wait; the stretches meet end to end and cover it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhyWaited {
    pub from: String,
    pub to: String,
    pub wait_ms: i64,
    /// `no_agent_on_roster nobody_logged_in skill_missing all_talking all_wrapping_up all_on_break all_not_ready not_responding
    /// deaf_path higher_priority_first being_offered between_tries not_kept`.
    pub cause: String,
    pub agent: Option<String>,
    /// The call that was served first.
    pub served: Option<String>,
}

/// Why an agent was chosen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhyChosen {
    pub at: String,
    pub agent: String,
    /// `longest_idle fewest_calls skill_first ring_all sticky lead`.
    pub rule: String,
    /// Free and fit at that moment, and the first of them in order.
    pub free: usize,
    pub considered: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Why {
    pub waited: Vec<WhyWaited>,
    pub chosen: Vec<WhyChosen>,
}

impl Why {
    pub fn of(api: &Api, why: crate::call::Why) -> Self {
        let waited = why.waited.into_iter().map(|kept| WhyWaited {
            from: api.time(kept.from_ms),
            to: api.time(kept.to_ms),
            wait_ms: kept.to_ms - kept.from_ms,
            cause: kept.cause.to_owned(),
            agent: kept.agent,
            served: kept.served.map(|call| call.to_string()),
        });
        let chosen = why.chosen.into_iter().map(|chosen| WhyChosen {
            at: api.time(chosen.at_ms),
            agent: chosen.agent,
            rule: chosen.rule.to_owned(),
            free: chosen.free,
            considered: chosen.considered,
        });
        Self { waited: waited.collect(), chosen: chosen.collect() }
    }
}
