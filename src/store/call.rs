//! Calls as people read them: lists, one call, its timeline.

use super::db::Db;
use super::error::StoreError;
use super::fold::CallRecord;
use super::page::{Cursor, Page, Paged};
use super::projector::record_of;
use super::sql::Sql;
use super::ticket::Scope;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// What calls can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallField {
    State,
    Queue,
    Agent,
    Caller,
    Called,
    Trunk,
    Direction,
    EndReason,
    Fault,
    SipCallId,
    FlowFile,
    Recording,
}

impl CallField {
    pub const ALL: &[Self] = &[
        Self::State,
        Self::Queue,
        Self::Agent,
        Self::Caller,
        Self::Called,
        Self::Trunk,
        Self::Direction,
        Self::EndReason,
        Self::Fault,
        Self::SipCallId,
        Self::FlowFile,
        Self::Recording,
    ];
    pub const fn label(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::Caller => "caller",
            Self::Called => "called",
            Self::Trunk => "trunk",
            Self::Direction => "direction",
            Self::EndReason => "end_reason",
            Self::Fault => "fault",
            Self::SipCallId => "sip_call_id",
            Self::FlowFile => "flow_file",
            Self::Recording => "recording",
        }
    }
}

/// A state filter's word for every state but `ended`.
const LIVE: &str = "live";

/// `a,b` means one of the two.
pub(super) fn alternatives(value: &str) -> Vec<String> {
    value.split(',').take(32).map(str::to_owned).collect()
}

/// Filters of a list of calls; all must hold. Values with commas are alternatives.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    pub fields: Vec<(CallField, String)>,
    /// `started_at` from (included) and until (excluded), milliseconds since 1970.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Calls of tickets that complain about him do not exist for who asks.
    pub scope: Scope,
}

/// Leaves out calls of which a ticket complains about the person, his unit or one above it.
fn unless_about(sql: &mut Sql, scope: &Scope) {
    let (line, user, office) = match scope {
        Scope::All => return,
        Scope::Person { line, user, office } => (line, user, *office),
        Scope::Unit { line, user, .. } => (line, user, false),
    };
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM call_tickets x JOIN tickets t ON t.id = x.ticket_id WHERE x.call_id = calls.id \
         AND (t.complained_person = ",
    );
    sql.bind(user);
    if !line.is_empty() {
        sql.push(" OR t.complained_unit IN ").tuple(line.iter().map(Into::into));
    }
    if !office {
        sql.push(" OR (t.special = 'retaliation' AND t.state <> 'draft')");
    }
    sql.push("))");
}

/// A call and the tickets it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub record: CallRecord,
    pub direction: String,
    pub tickets: Vec<String>,
    /// Official numbers of those that have one.
    pub numbers: Vec<String>,
    /// The caller asked in one of its tickets not to be named.
    pub secret: bool,
}

/// One line of a call's timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEvent {
    pub seq: i64,
    pub at: i64,
    pub mono_ns: i64,
    pub kind: String,
    pub data: serde_json::Value,
}

impl Db {
    pub async fn calls(&self, filter: &CallFilter, page: &Page) -> Result<Paged<Call>, StoreError> {
        let mut sql = Sql::new("SELECT direction, detail FROM calls WHERE 1 = 1");
        for (field, value) in &filter.fields {
            if *field == CallField::State && value == LIVE {
                sql.push(" AND state <> 'ended'");
            } else {
                sql.and_field(field.label(), &alternatives(value));
            }
        }
        if let Some(since) = filter.since {
            sql.push(" AND started_at >= ").bind(since);
        }
        if let Some(until) = filter.until {
            sql.push(" AND started_at < ").bind(until);
        }
        unless_about(&mut sql, &filter.scope);
        page.close(&mut sql, " AND (started_at, id) < ", " ORDER BY started_at DESC, id DESC");
        let mut calls = Vec::new();
        for row in sql.read(&self.read).await? {
            calls.push(Call {
                direction: row.try_get(0)?,
                record: record_of(&row.try_get::<String, _>(1)?)?,
                tickets: Vec::new(),
                numbers: Vec::new(),
                secret: false,
            });
        }
        let mut page =
            page.cut(calls, |call| Cursor { at: call.record.started_at, id: call.record.id.clone() });
        self.add_tickets(&mut page.items).await?;
        Ok(page)
    }

    pub async fn call(&self, id: &str) -> Result<Option<Call>, StoreError> {
        let mut sql = Sql::new("SELECT direction, detail FROM calls WHERE id = ");
        sql.bind(id);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let mut calls = [Call {
            direction: row.try_get(0)?,
            record: record_of(&row.try_get::<String, _>(1)?)?,
            tickets: Vec::new(),
            numbers: Vec::new(),
            secret: false,
        }];
        self.add_tickets(&mut calls).await?;
        let [call] = calls;
        Ok(Some(call))
    }

    /// Whether the call is there for who asks.
    pub async fn call_exists_for(&self, id: &str, scope: &Scope) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT id FROM calls WHERE id = ");
        sql.bind(id);
        unless_about(&mut sql, scope);
        Ok(sql.read_one(&self.read).await?.is_some())
    }

    /// The call that has this recording or voice message.
    pub async fn call_of_recording(&self, recording: &str) -> Result<Option<Call>, StoreError> {
        let mut sql = Sql::new("SELECT id FROM calls WHERE recording = ");
        sql.bind(recording).push(" OR message = ").bind(recording);
        match sql.read_one(&self.read).await? {
            Some(row) => self.call(&row.try_get::<String, _>(0)?).await,
            None => Ok(None),
        }
    }

    /// The call's timeline in order. `None`: no such call.
    pub async fn call_events(&self, id: &str) -> Result<Option<Vec<CallEvent>>, StoreError> {
        let mut known = Sql::new("SELECT id FROM calls WHERE id = ");
        known.bind(id);
        if known.read_one(&self.read).await?.is_none() {
            return Ok(None);
        }
        let mut sql = Sql::new("SELECT seq, at, mono_ns, kind, data FROM call_events WHERE call_id = ");
        sql.bind(id).push(" ORDER BY seq");
        let mut events = Vec::new();
        for row in sql.read(&self.read).await? {
            let data: String = row.try_get(4)?;
            events.push(CallEvent {
                seq: row.try_get(0)?,
                at: row.try_get(1)?,
                mono_ns: row.try_get(2)?,
                kind: row.try_get(3)?,
                data: serde_json::from_str(&data).map_err(|e| StoreError::Corrupt(e.to_string()))?,
            });
        }
        Ok(Some(events))
    }

    pub(super) async fn add_tickets(&self, calls: &mut [Call]) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new(
            "SELECT x.call_id, x.ticket_id, t.no, t.secrecy FROM call_tickets x LEFT JOIN tickets t ON t.id = x.ticket_id \
             WHERE x.call_id IN ",
        );
        sql.tuple(calls.iter().map(|call| (&call.record.id).into()));
        sql.push(" ORDER BY x.call_id, x.ticket_id");
        let mut found: BTreeMap<String, (Vec<String>, Vec<String>, bool)> = BTreeMap::new();
        for row in sql.read(&self.read).await? {
            let (tickets, numbers, secret) = found.entry(row.try_get(0)?).or_default();
            tickets.push(row.try_get(1)?);
            numbers.extend(row.try_get::<Option<String>, _>(2)?);
            *secret |= row.try_get::<Option<String>, _>(3)?.is_some_and(|secrecy| secrecy != "normal");
        }
        for call in calls {
            (call.tickets, call.numbers, call.secret) = found.remove(&call.record.id).unwrap_or_default();
        }
        Ok(())
    }
}
