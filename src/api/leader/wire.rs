//! Sessions on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A session in which the head of a department takes calls.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeaderSession {
    pub id: String,
    /// Its number in the series.
    pub no: i64,
    pub unit: String,
    /// Like 2026-11-26.
    pub date: String,
    /// `HH:MM` of that day.
    pub from: String,
    pub to: String,
    /// Who answers: names and posts.
    pub names: String,
    /// What may be asked.
    pub scope: String,
    /// The user by whose sign-in and device the head takes his calls.
    pub seat: String,
    /// The user who listens to each call and writes its ticket.
    pub recorder: Option<String>,
    /// `planned open over cancelled`.
    pub state: &'static str,
    pub version: i64,
    pub changed_at: String,
    pub changed_by: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeaderSessionList {
    pub items: Vec<LeaderSession>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLeaderSession {
    /// Absent: the next of the series.
    pub no: Option<i64>,
    pub unit: String,
    pub date: String,
    pub from: String,
    pub to: String,
    pub names: String,
    pub scope: String,
    pub seat: String,
    pub recorder: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderSessionChange {
    /// As it was read.
    pub version: i64,
    /// Absent: as it was.
    pub no: Option<i64>,
    pub unit: Option<String>,
    pub date: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub names: Option<String>,
    pub scope: Option<String>,
    pub seat: Option<String>,
    /// `""`: nobody listens.
    pub recorder: Option<String>,
    /// Called off, or after all not.
    pub cancelled: Option<bool>,
}

/// What came of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeaderReport {
    pub session: LeaderSession,
    /// Who asked for the head; of these whom he took, whom a person took instead, and who reached nobody.
    pub asked: usize,
    pub taken: usize,
    pub by_others: usize,
    pub unreached: usize,
    /// Tickets of the calls he took; of these not finished yet, and closed.
    pub tickets: usize,
    pub unfinished: usize,
    pub closed: usize,
    pub talk_ms: u64,
    /// Oldest first.
    pub calls: Vec<LeaderCall>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeaderCall {
    pub call: String,
    pub started_at: String,
    /// The head took it.
    pub taken: bool,
    /// Who spoke with the citizen, in their order; and who listened and wrote.
    pub agents: Vec<String>,
    pub recorder: Option<String>,
    pub waited_ms: Option<u64>,
    pub talk_ms: u64,
    pub ticket: Option<String>,
    pub no: Option<String>,
    pub state: Option<String>,
    pub title: Option<String>,
    pub lead: Option<String>,
}
