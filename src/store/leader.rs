//! 一把手接听 as rows: sessions in which the head of a department takes calls, and the calls that asked for him.

use super::db::{Db, Dialect, Durability};
use super::error::StoreError;
use super::fold::CallRecord;
use super::projector::record_of;
use super::sql::Sql;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderSession {
    pub id: String,
    /// Its number in the series.
    pub no: i64,
    pub unit: String,
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Minutes of that day.
    pub from_min: i64,
    pub to_min: i64,
    /// Names and posts.
    pub names: String,
    pub scope: String,
    /// Users' names.
    pub seat: String,
    pub recorder: Option<String>,
    pub cancelled: bool,
    pub version: i64,
    pub changed_at: i64,
    pub changed_by: String,
}

/// What came of writing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSaved {
    Saved,
    /// There is none, or somebody was faster.
    Changed,
    /// Another one is open at that time.
    Overlaps(i64),
    /// The number in the series is taken.
    NumberTaken,
}

/// A call that asked for the head, with the first ticket it has.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionCall {
    pub record: CallRecord,
    pub ticket: Option<SessionTicket>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTicket {
    pub id: String,
    pub no: Option<String>,
    pub state: String,
    pub title: Option<String>,
    pub lead: Option<String>,
}

/// The lock of those who plan sessions.
const PLANNING: i64 = 12_341_001;
/// Sessions of one answer, and calls of one report.
const SESSIONS: i64 = 500;
const CALLS: i64 = 1_000;

const SESSION: &str = "SELECT id, no, unit, day, from_min, to_min, names, scope, seat, recorder, cancelled, version, changed_at, \
     changed_by FROM leader_sessions";

impl Db {
    /// Newest first. `from`: of that day and later only.
    pub async fn leader_sessions(&self, from: Option<&str>) -> Result<Vec<LeaderSession>, StoreError> {
        let mut sql = Sql::new(SESSION);
        if let Some(from) = from {
            sql.push(" WHERE day >= ").bind(from);
        }
        sql.push(" ORDER BY day DESC, from_min DESC, id DESC LIMIT ").bind(SESSIONS);
        sql.read(&self.read).await?.iter().map(session).collect()
    }

    pub async fn leader_session(&self, id: &str) -> Result<Option<LeaderSession>, StoreError> {
        let mut sql = Sql::new(SESSION);
        sql.push(" WHERE id = ").bind(id);
        sql.read_one(&self.read).await?.as_ref().map(session).transpose()
    }

    /// The number that comes next in the series.
    pub async fn next_leader_session(&self) -> Result<i64, StoreError> {
        let row = Sql::new("SELECT MAX(no) FROM leader_sessions").read_one(&self.read).await?;
        let last: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(last.unwrap_or(0) + 1)
    }

    /// A new one (`version` 1), or the row of this id as it was read at `version - 1`. Two are never open at once.
    pub async fn save_leader_session(&self, row: &LeaderSession) -> Result<SessionSaved, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        if self.dialect() == Dialect::Postgres {
            // Who plans at the same moment waits, and then sees this one.
            let mut one = Sql::new("SELECT 1 FROM pg_advisory_xact_lock(");
            one.bind(PLANNING).push(")");
            one.rows(&mut tx).await?;
        }
        let mut sql = Sql::new("SELECT no FROM leader_sessions WHERE cancelled = 0 AND day = ");
        sql.bind(&row.day).push(" AND id <> ").bind(&row.id);
        sql.push(" AND from_min < ").bind(row.to_min).push(" AND to_min > ").bind(row.from_min);
        if !row.cancelled
            && let Some(other) = sql.one(&mut tx).await?
        {
            return Ok(SessionSaved::Overlaps(other.try_get(0)?));
        }
        let mut sql = Sql::new("SELECT id FROM leader_sessions WHERE no = ");
        sql.bind(row.no).push(" AND id <> ").bind(&row.id);
        if sql.one(&mut tx).await?.is_some() {
            return Ok(SessionSaved::NumberTaken);
        }
        let mut sql;
        if row.version == 1 {
            sql = Sql::new(
                "INSERT INTO leader_sessions (id, no, unit, day, from_min, to_min, names, scope, seat, recorder, cancelled, \
                 version, changed_at, changed_by) VALUES ",
            );
            sql.tuple([
                (&row.id).into(),
                row.no.into(),
                (&row.unit).into(),
                (&row.day).into(),
                row.from_min.into(),
                row.to_min.into(),
                (&row.names).into(),
                (&row.scope).into(),
                (&row.seat).into(),
                (&row.recorder).into(),
                row.cancelled.into(),
                row.version.into(),
                row.changed_at.into(),
                (&row.changed_by).into(),
            ]);
        } else {
            sql = Sql::new("UPDATE leader_sessions SET no = ");
            sql.bind(row.no).push(", unit = ").bind(&row.unit).push(", day = ").bind(&row.day);
            sql.push(", from_min = ").bind(row.from_min).push(", to_min = ").bind(row.to_min);
            sql.push(", names = ").bind(&row.names).push(", scope = ").bind(&row.scope);
            sql.push(", seat = ").bind(&row.seat).push(", recorder = ").bind(&row.recorder);
            sql.push(", cancelled = ").bind(row.cancelled).push(", version = ").bind(row.version);
            sql.push(", changed_at = ").bind(row.changed_at).push(", changed_by = ").bind(&row.changed_by);
            sql.push(" WHERE id = ").bind(&row.id).push(" AND version = ").bind(row.version - 1);
        }
        if sql.run(&mut tx).await? != 1 {
            return Ok(SessionSaved::Changed);
        }
        tx.commit().await?;
        Ok(SessionSaved::Saved)
    }

    /// Everybody who asked for the head, oldest first.
    pub async fn session_calls(&self, id: &str) -> Result<Vec<SessionCall>, StoreError> {
        let mut sql = Sql::new(
            "SELECT c.detail, t.id, t.no, t.state, t.title, t.lead FROM calls c LEFT JOIN tickets t ON t.id = \
             (SELECT MIN(x.ticket_id) FROM call_tickets x WHERE x.call_id = c.id) WHERE c.leader_session = ",
        );
        sql.bind(id).push(" ORDER BY c.started_at, c.id LIMIT ").bind(CALLS);
        let mut calls = Vec::new();
        for row in sql.read(&self.read).await? {
            let ticket = match row.try_get::<Option<String>, _>(1)? {
                Some(id) => Some(SessionTicket {
                    id,
                    no: row.try_get(2)?,
                    state: row.try_get(3)?,
                    title: row.try_get(4)?,
                    lead: row.try_get(5)?,
                }),
                None => None,
            };
            calls.push(SessionCall { record: record_of(&row.try_get::<String, _>(0)?)?, ticket });
        }
        Ok(calls)
    }
}

fn session(row: &AnyRow) -> Result<LeaderSession, StoreError> {
    Ok(LeaderSession {
        id: row.try_get(0)?,
        no: row.try_get(1)?,
        unit: row.try_get(2)?,
        day: row.try_get(3)?,
        from_min: row.try_get(4)?,
        to_min: row.try_get(5)?,
        names: row.try_get(6)?,
        scope: row.try_get(7)?,
        seat: row.try_get(8)?,
        recorder: row.try_get(9)?,
        cancelled: row.try_get::<i64, _>(10)? != 0,
        version: row.try_get(11)?,
        changed_at: row.try_get(12)?,
        changed_by: row.try_get(13)?,
    })
}
