//! What the roster's answers are made of.

use crate::api::state::Api;
use crate::base::DayKind;
use crate::roster::{Clock, Cover, Duty, Finding, Minute, Row, Severity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A day of the calendar.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterDayView {
    /// Like 2026-11-26.
    pub date: String,
    /// `workday weekend holiday`.
    pub kind: &'static str,
    pub holiday: Option<String>,
}

/// A kind of shift.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterShift {
    pub code: String,
    pub name: String,
    /// `08:00`; beyond 24:00 it is in the next morning.
    pub start: String,
    pub end: String,
}

/// One person on one date.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterDuty {
    /// The day it is written under.
    pub date: String,
    pub shift: String,
    /// `work on_call training`.
    pub kind: &'static str,
    pub from: String,
    pub to: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterPerson {
    pub id: String,
    pub name: String,
    pub lead: bool,
    /// On shift at every minute beside the shifts: the demonstration's own people.
    pub always: bool,
    pub duties: Vec<RosterDuty>,
    /// Days off by an approved request.
    pub leave: Vec<String>,
}

/// A half hour of the coverage strip.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterCover {
    pub at: String,
    /// Agents planned, the fewest within the half hour.
    pub agents: u16,
    pub leads: u16,
    pub on_call: u16,
    /// Asked for: by the forecast (Erlang C) or the rules of the house, whichever is more.
    pub required: u16,
    pub forecast: Option<u16>,
    pub missing: u16,
}

/// Something that is wrong with the plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterFinding {
    pub code: &'static str,
    /// `blocks warns`.
    pub severity: &'static str,
    /// A matter of law: nobody can answer for it.
    pub law: bool,
    pub person: Option<String>,
    pub date: Option<String>,
    /// The minutes of a gap.
    pub from: Option<String>,
    pub to: Option<String>,
    pub missing: Option<u16>,
    pub message: String,
    pub message_zh: String,
    pub approved_by: Option<String>,
}

/// Who is there by the plan at this moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterNow {
    pub at: String,
    pub agents: Vec<String>,
    pub leads: Vec<String>,
    pub on_call: Vec<String>,
    pub required: u16,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterView {
    pub from: String,
    /// First day no longer in it.
    pub to: String,
    /// The plan in force on the first day; without one there are no shifts.
    pub plan: Option<String>,
    /// Only who is on shift may be ready.
    pub binds: bool,
    pub early_login_ms: i64,
    pub late_logout_ms: i64,
    pub days: Vec<RosterDayView>,
    pub shifts: Vec<RosterShift>,
    pub people: Vec<RosterPerson>,
    pub coverage: Vec<RosterCover>,
    /// Findings with hours: too few people.
    pub gaps: Vec<RosterFinding>,
    /// All others. Of other people's only for leads and the office.
    pub findings: Vec<RosterFinding>,
    pub now: RosterNow,
}

/// A half hour of a forecast day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterSeats {
    pub from: String,
    pub calls_per_hour: f64,
    /// Seats by Erlang C; `null`: no number keeps the promise.
    pub erlang: Option<u32>,
    /// Seats by the played day, in which callers give up.
    pub simulated: Option<u32>,
    /// How many fewer the played day needs; negative: more.
    pub difference: Option<i64>,
    pub asa_ms: Option<i64>,
    /// Share of callers who would give up with Erlang's seats.
    pub gave_up: f64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterPlan {
    pub day: String,
    /// `workday weekend holiday`.
    pub kind: &'static str,
    pub source: String,
    /// The promise: this share answered within this time.
    pub share: f64,
    pub within_ms: i64,
    pub patience_ms: i64,
    pub aht_ms: i64,
    pub rows: Vec<RosterSeats>,
}

/// One turn of somebody's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterTurn {
    pub person: String,
    pub date: String,
    pub shift: String,
}

/// What is asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterAsk {
    /// `swap` (with `mine` and `theirs`) or `leave` (with `from`, `to` and perhaps `cover`).
    pub kind: String,
    pub mine: Option<RosterTurn>,
    pub theirs: Option<RosterTurn>,
    /// First day off, and the first day no longer off.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Who takes the turns as they are.
    pub cover: Option<String>,
    #[serde(default)]
    pub reason: String,
}

/// What becomes of a request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterDecision {
    /// As read: another one in between is 409.
    pub version: i64,
    /// `agree` (the other), `withdraw` (who asked), `approve refuse` (a lead or the office; the other may refuse too).
    pub decision: String,
    #[serde(default)]
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterRequestEvent {
    pub at: String,
    pub stage: String,
    pub by: String,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterRequestView {
    pub id: String,
    pub asked_at: String,
    pub asker: String,
    /// Who has to agree before a lead decides.
    pub other: Option<String>,
    /// `swap leave`.
    pub kind: String,
    pub mine: Option<RosterTurn>,
    pub theirs: Option<RosterTurn>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub cover: Option<String>,
    /// `requested agreed approved refused withdrawn`.
    pub stage: String,
    pub version: i64,
    pub events: Vec<RosterRequestEvent>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterRequestList {
    pub items: Vec<RosterRequestView>,
    pub next: Option<String>,
}

/// What every shift must have read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterNoticeView {
    pub id: String,
    pub at: String,
    pub until: String,
    pub by: String,
    pub text: String,
    pub read_by: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterNewNotice {
    pub text: String,
    /// Until when it must be read, RFC 3339; seven days without.
    pub until: Option<String>,
}

/// An open ticket on the sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverTicket {
    pub id: String,
    pub no: Option<String>,
    pub state: String,
    pub urgency: Option<String>,
    pub title: Option<String>,
    pub created_at: String,
    pub due_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverQueue {
    pub queue: String,
    pub waiting: u32,
    pub callbacks: u32,
    pub longest_since: Option<String>,
}

/// 交接班: what the next shift must know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Handover {
    pub at: String,
    /// The shifts that run now, and the ones that come next.
    pub shifts: Vec<String>,
    pub leads: Vec<String>,
    pub next_at: Option<String>,
    pub next_leads: Vec<String>,
    pub urgent: Vec<HandoverTicket>,
    /// Not finished yet, of the last day.
    pub drafts: Vec<HandoverTicket>,
    pub queues: Vec<HandoverQueue>,
    pub notices: Vec<RosterNoticeView>,
    /// Parts that could not be asked now: `queues`.
    pub away: Vec<&'static str>,
}

/// Sign, as who goes (`out`) or as who comes (`in`).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverSign {
    pub part: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverSignatureView {
    pub by: String,
    pub at: String,
    /// The plan has somebody else there.
    pub stands_in: bool,
}

/// A change of leads, and who has signed it. The shift is not over before both have.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverTurn {
    /// Its name: the minute at which the next shift begins here.
    pub turn: String,
    pub at: String,
    /// `writing offered taken`.
    pub state: &'static str,
    pub outgoing: Vec<String>,
    pub incoming: Vec<String>,
    pub out: Option<HandoverSignatureView>,
    #[serde(rename = "in")]
    pub into: Option<HandoverSignatureView>,
    /// After this it is counted as unsigned.
    pub due_at: Option<String>,
    /// Not signed by both in time.
    pub overdue: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverTurns {
    pub items: Vec<HandoverTurn>,
    pub next: Option<String>,
    /// Of these not signed in time.
    pub unsigned: usize,
}

pub const fn kind_label(kind: DayKind) -> &'static str {
    match kind {
        DayKind::Workday => "workday",
        DayKind::Weekend => "weekend",
        DayKind::Holiday => "holiday",
    }
}

pub fn at(api: &Api, minute: Minute) -> String {
    api.time(super::wall_ms(minute, &api.parts.zone))
}

impl RosterDuty {
    pub fn of(api: &Api, duty: &Duty) -> Self {
        Self {
            date: duty.date.to_string(),
            shift: duty.shift.to_string(),
            kind: duty.kind.label(),
            from: at(api, duty.from),
            to: at(api, duty.to),
        }
    }
}

impl RosterCover {
    pub fn of(api: &Api, cover: &Cover) -> Self {
        Self {
            at: at(api, cover.at),
            agents: cover.agents,
            leads: cover.leads,
            on_call: cover.on_call,
            required: cover.required(),
            forecast: cover.forecast,
            missing: cover.missing(),
        }
    }
}

impl RosterFinding {
    pub fn of(api: &Api, finding: &Finding) -> Self {
        Self {
            code: finding.code.label(),
            severity: match finding.severity {
                Severity::Blocks => "blocks",
                Severity::Warns => "warns",
            },
            law: finding.law,
            person: finding.person.as_deref().map(str::to_owned),
            date: finding.date.map(|date| date.to_string()),
            from: finding.hours.map(|(from, _)| at(api, from)),
            to: finding.hours.map(|(_, to)| at(api, to)),
            missing: finding.hours.map(|_| finding.missing),
            message: finding.en.clone(),
            message_zh: finding.zh.clone(),
            approved_by: finding.approved_by.clone(),
        }
    }
}

impl RosterSeats {
    pub fn of(row: &Row) -> Self {
        Self {
            from: Clock(row.from).to_string(),
            calls_per_hour: row.calls_per_hour,
            erlang: row.erlang,
            simulated: row.simulated,
            difference: row.difference(),
            // Seconds of a queue: far inside.
            asa_ms: row.asa_s.map(|s| (s * 1_000.0).round() as i64),
            gave_up: row.gave_up,
        }
    }
}
