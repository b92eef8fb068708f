//! Numbers on the wire.

use crate::api::state::Api;
use crate::base::reach;
use crate::store::{self, Dialled};
use crate::ticket::numbers as rules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number of one key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceNumber {
    /// `110 119 120 122 gas water power heat`, or another of a-z, 0-9, _.
    pub key: String,
    pub name_zh: String,
    pub name_en: String,
    pub number: String,
    /// Place on the panel, from 1.
    pub rank: i64,
    /// One of the state's emergency codes: passed on after a spoken hand-over only.
    pub emergency: bool,
    /// The `[dial]` rules let agents dial it.
    pub dialable: bool,
    pub changed_at: String,
    pub changed_by: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceNumberList {
    pub items: Vec<ServiceNumber>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServiceNumber {
    pub key: String,
    pub name_zh: String,
    pub name_en: String,
    pub number: String,
    /// Default: after the others.
    pub rank: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceNumberChange {
    /// Absent: as it was.
    pub name_zh: Option<String>,
    pub name_en: Option<String>,
    pub number: Option<String>,
    pub rank: Option<i64>,
}

/// A unit's number for some days and hours.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DutyNumber {
    pub id: String,
    pub unit: String,
    pub label: String,
    pub number: String,
    /// Of `workday weekend holiday`: the days on which the duty begins.
    pub days: Vec<String>,
    /// `HH:MM`; a duty that ends at or before its beginning goes on into the next day.
    pub from: String,
    pub to: String,
    /// 1 is asked first, then 2 and so on.
    pub rank: i64,
    /// The last dial test, its result (`answered busy no_answer wrong_number failed`) and who dialled.
    pub tested_at: Option<String>,
    pub result: Option<String>,
    pub tested_by: Option<String>,
    /// Of a test that was dialled: the final SIP status (200: answered, 0: none came), and how long it rang.
    pub sip_status: Option<i64>,
    pub ring_ms: Option<i64>,
    /// No test for a calendar month.
    pub overdue: bool,
    pub dialable: bool,
    pub changed_at: String,
    pub changed_by: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DutyNumberList {
    pub items: Vec<DutyNumber>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDutyNumber {
    pub unit: String,
    pub label: String,
    pub number: String,
    pub days: Vec<String>,
    pub from: String,
    pub to: String,
    pub rank: i64,
}

/// With `result` alone it notes a dial test, which a lead may too.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyNumberChange {
    /// Absent: as it was.
    pub unit: Option<String>,
    pub label: Option<String>,
    pub number: Option<String>,
    pub days: Option<Vec<String>>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub rank: Option<i64>,
    /// `answered busy no_answer wrong_number failed`: dialled just now.
    pub result: Option<String>,
}

/// A dial test that was begun: its result comes with the call's end.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DutyTestBegun {
    pub call: String,
}

/// A dial test that is over.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DutyTest {
    pub call: String,
    pub number: String,
    pub at: String,
    pub by: String,
    /// `answered busy no_answer failed`.
    pub result: String,
    /// 200: answered; 0: none came.
    pub sip_status: i64,
    /// To the answer, or to the end without one.
    pub ring_ms: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DutyTestList {
    pub items: Vec<DutyTest>,
    pub next: Option<String>,
}

/// An old number, where it leads, and how many still dial it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LegacyNumber {
    pub number: String,
    pub unit: Option<String>,
    pub queue: Option<String>,
    pub skill: Option<String>,
    /// A prompt's name.
    pub greeting: Option<String>,
    /// The last day, `YYYY-MM-DD`.
    pub ends_on: Option<String>,
    pub note: Option<String>,
    /// The last day has not passed.
    pub in_force: bool,
    /// `[sip] legacy_numbers` names it: a call to it is answered.
    pub rings: bool,
    /// Inbound calls that dialled it between `since` and `until`.
    pub calls: i64,
    pub last_call_at: Option<String>,
    pub changed_at: String,
    pub changed_by: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LegacyNumberList {
    pub items: Vec<LegacyNumber>,
    pub next: Option<String>,
    /// What `calls` counts.
    pub since: String,
    pub until: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLegacyNumber {
    pub number: String,
    pub unit: Option<String>,
    pub queue: Option<String>,
    pub skill: Option<String>,
    pub greeting: Option<String>,
    pub ends_on: Option<String>,
    pub note: Option<String>,
}

/// Absent or null leaves as it was, an empty text clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegacyNumberChange {
    pub unit: Option<String>,
    pub queue: Option<String>,
    pub skill: Option<String>,
    pub greeting: Option<String>,
    pub ends_on: Option<String>,
    pub note: Option<String>,
}

/// Whom a citizen can be passed on to at a moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransferTargets {
    pub at: String,
    /// `workday weekend holiday`.
    pub day: String,
    pub services: Vec<TargetService>,
    pub duty: Vec<TargetUnit>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TargetService {
    pub key: String,
    pub name_zh: String,
    pub name_en: String,
    pub number: String,
    pub emergency: bool,
    pub dialable: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TargetUnit {
    pub unit: String,
    /// Who is there now, by rank: the first is dialled, the others are its backups. Empty: nobody at this hour.
    pub numbers: Vec<TargetNumber>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TargetNumber {
    pub label: String,
    pub number: String,
    pub rank: i64,
    pub dialable: bool,
}

impl ServiceNumber {
    pub fn of(api: &Api, row: store::ServiceNumber) -> Self {
        Self {
            emergency: reach::is_emergency(&row.key) || reach::is_emergency(&row.number),
            dialable: api.parts.works.dialable(&row.number),
            changed_at: api.time(row.changed_at),
            key: row.key,
            name_zh: row.name_zh,
            name_en: row.name_en,
            number: row.number,
            rank: row.rank,
            changed_by: row.changed_by,
        }
    }
}

impl DutyNumber {
    pub fn of(api: &Api, row: store::DutyNumber) -> Self {
        let hours = |minutes: i64| rules::hours(u16::try_from(minutes).unwrap_or(0));
        Self {
            overdue: rules::test_overdue(
                row.tested_at.and_then(|at| Some(api.civil(at)?.date())),
                api.today(),
            ),
            sip_status: row.sip_status,
            ring_ms: row.ring_ms,
            dialable: api.parts.works.dialable(&row.number),
            from: hours(row.from_min),
            to: hours(row.to_min),
            tested_at: row.tested_at.map(|at| api.time(at)),
            changed_at: api.time(row.changed_at),
            id: row.id,
            unit: row.unit,
            label: row.label,
            number: row.number,
            days: row.days,
            rank: row.rank,
            result: row.result,
            tested_by: row.tested_by,
            changed_by: row.changed_by,
        }
    }
}

impl LegacyNumber {
    pub fn of(api: &Api, row: store::LegacyNumber, dialled: Dialled) -> Self {
        let today = api.today();
        // A date that is none was never stored; it would end nothing.
        let ended = row.ends_on.as_deref().and_then(|day| day.parse().ok()).is_some_and(|day| today > day);
        Self {
            in_force: !ended,
            rings: api.parts.works.rings(&row.number),
            calls: dialled.calls,
            last_call_at: dialled.last_at.map(|at| api.time(at)),
            changed_at: api.time(row.changed_at),
            number: row.number,
            unit: row.unit,
            queue: row.queue,
            skill: row.skill,
            greeting: row.greeting,
            ends_on: row.ends_on,
            note: row.note,
            changed_by: row.changed_by,
        }
    }
}
