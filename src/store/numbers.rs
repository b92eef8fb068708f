//! Numbers beside calls, as rows: services of one key, units' duty numbers, old numbers that still ring here. What they mean is
//! `ticket::numbers`'.

use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::fold::CallRecord;
use super::sql::{Sql, Value};
use crate::ticket::numbers::{DutyHours, day};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// What `changed_by` says of rows nobody has touched.
pub const SYSTEM: &str = "system";

/// A number of one key (统一接转).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNumber {
    pub key: String,
    pub name_zh: String,
    pub name_en: String,
    pub number: String,
    /// Place on the panel, from 1.
    pub rank: i64,
    pub changed_at: i64,
    pub changed_by: String,
}

/// A unit's number for some days and hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyNumber {
    pub id: String,
    pub unit: String,
    pub label: String,
    pub number: String,
    /// `workday weekend holiday`.
    pub days: Vec<String>,
    /// Minutes of the day.
    pub from_min: i64,
    pub to_min: i64,
    /// 1 is asked first.
    pub rank: i64,
    pub tested_at: Option<i64>,
    pub result: Option<String>,
    pub tested_by: Option<String>,
    /// Of a test that was dialled: the final SIP status (200: answered, 0: none came), and how long it rang.
    pub sip_status: Option<i64>,
    pub ring_ms: Option<i64>,
    pub changed_at: i64,
    pub changed_by: String,
}

/// A dial test that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyTest {
    pub call: String,
    pub duty: String,
    pub number: String,
    pub at: i64,
    pub by: String,
    /// `answered busy no_answer failed`.
    pub result: String,
    /// 200: answered; 0: none came.
    pub sip_status: i64,
    /// To the answer, or to the end without one.
    pub ring_ms: i64,
}

impl DutyNumber {
    /// When it is manned.
    pub fn hours(&self) -> DutyHours {
        let minutes = |minutes: i64| u16::try_from(minutes).unwrap_or(0);
        DutyHours {
            days: self.days.iter().filter_map(|name| day(name)).collect(),
            from: minutes(self.from_min),
            to: minutes(self.to_min),
        }
    }
}

impl DutyTest {
    /// As the call's own record tells it. `None`: it is no test, or not over.
    pub(super) fn of_record(record: &CallRecord) -> Option<Self> {
        let (duty, ended_at) = (record.dial_test.clone()?, record.ended_at?);
        let result = match (record.answered_at, record.end_reason.as_deref()) {
            (Some(_), _) => "answered",
            (None, Some("callee_busy")) => "busy",
            (None, Some("callee_no_answer")) => "no_answer",
            (None, _) => "failed",
        };
        let sip_status = match record.answered_at {
            Some(_) => 200,
            None => record.sip_status.map_or(0, i64::from),
        };
        Some(Self {
            call: record.id.clone(),
            duty,
            number: record.caller.clone(),
            at: record.started_at,
            by: record.dialled_by.clone().unwrap_or_default(),
            result: result.to_owned(),
            sip_status,
            ring_ms: (record.answered_at.unwrap_or(ended_at) - record.started_at).max(0),
        })
    }

    /// Once for each call, in the transaction of its facts. The number's row has the newest; another number takes none.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO duty_tests (call_id, duty_id, number, at, by_user, result, sip_status, ring_ms) VALUES ",
        );
        sql.tuple([
            (&self.call).into(),
            (&self.duty).into(),
            (&self.number).into(),
            self.at.into(),
            (&self.by).into(),
            (&self.result).into(),
            self.sip_status.into(),
            self.ring_ms.into(),
        ]);
        sql.push(" ON CONFLICT (call_id) DO NOTHING");
        if sql.run(tx).await? == 0 {
            return Ok(());
        }
        let mut sql = Sql::new("UPDATE duty_numbers SET tested_at = ");
        sql.bind(self.at).push(", result = ").bind(&self.result).push(", tested_by = ").bind(&self.by);
        sql.push(", sip_status = ").bind(self.sip_status).push(", ring_ms = ").bind(self.ring_ms);
        sql.push(" WHERE id = ").bind(&self.duty).push(" AND number = ").bind(&self.number);
        sql.push(" AND (tested_at IS NULL OR tested_at < ").bind(self.at).push(")");
        sql.run(tx).await?;
        Ok(())
    }
}

/// An old number and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyNumber {
    pub number: String,
    pub unit: Option<String>,
    pub queue: Option<String>,
    pub skill: Option<String>,
    pub greeting: Option<String>,
    /// `YYYY-MM-DD`, the last day.
    pub ends_on: Option<String>,
    pub note: Option<String>,
    pub changed_at: i64,
    pub changed_by: String,
}

/// Calls that dialled one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialled {
    pub calls: i64,
    pub last_at: Option<i64>,
}

/// Calls of one trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub calls: i64,
    pub answered: i64,
}

const SERVICES: &str =
    "SELECT key, name_zh, name_en, number, rank, changed_at, changed_by FROM service_numbers";
const DUTY: &str = "SELECT id, unit, label, number, days, from_min, to_min, rank, tested_at, result, tested_by, changed_at, \
     changed_by, sip_status, ring_ms FROM duty_numbers";
const LEGACY: &str =
    "SELECT number, unit, queue, skill, greeting, ends_on, note, changed_at, changed_by FROM legacy_numbers";

impl Db {
    /// By their place on the panel.
    pub async fn service_numbers(&self) -> Result<Vec<ServiceNumber>, StoreError> {
        let mut sql = Sql::new(SERVICES);
        sql.push(" ORDER BY rank, key");
        sql.read(&self.read).await?.iter().map(service).collect()
    }

    pub async fn service_number(&self, key: &str) -> Result<Option<ServiceNumber>, StoreError> {
        let mut sql = Sql::new(SERVICES);
        sql.push(" WHERE key = ").bind(key);
        sql.read_one(&self.read).await?.as_ref().map(service).transpose()
    }

    /// [`StoreError::Exists`] when there is one of this key.
    pub async fn add_service_number(&self, row: &ServiceNumber) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO service_numbers (key, name_zh, name_en, number, rank, changed_at, changed_by) VALUES ",
        );
        sql.tuple([
            (&row.key).into(),
            (&row.name_zh).into(),
            (&row.name_en).into(),
            (&row.number).into(),
            row.rank.into(),
            row.changed_at.into(),
            (&row.changed_by).into(),
        ]);
        self.change_numbers(sql).await.map(drop)
    }

    /// Writes the row of this key again. `false`: there is none.
    pub async fn set_service_number(&self, row: &ServiceNumber) -> Result<bool, StoreError> {
        let mut sql = Sql::new("UPDATE service_numbers SET name_zh = ");
        sql.bind(&row.name_zh).push(", name_en = ").bind(&row.name_en);
        sql.push(", number = ").bind(&row.number).push(", rank = ").bind(row.rank);
        sql.push(", changed_at = ").bind(row.changed_at).push(", changed_by = ").bind(&row.changed_by);
        sql.push(" WHERE key = ").bind(&row.key);
        self.change_numbers(sql).await
    }

    pub async fn delete_service_number(&self, key: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("DELETE FROM service_numbers WHERE key = ");
        sql.bind(key);
        self.change_numbers(sql).await
    }

    /// By unit, then by who is asked first.
    pub async fn duty_numbers(&self) -> Result<Vec<DutyNumber>, StoreError> {
        let mut sql = Sql::new(DUTY);
        sql.push(" ORDER BY unit, rank, from_min, id");
        sql.read(&self.read).await?.iter().map(duty).collect()
    }

    pub async fn duty_number(&self, id: &str) -> Result<Option<DutyNumber>, StoreError> {
        let mut sql = Sql::new(DUTY);
        sql.push(" WHERE id = ").bind(id);
        sql.read_one(&self.read).await?.as_ref().map(duty).transpose()
    }

    pub async fn add_duty_number(&self, row: &DutyNumber) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO duty_numbers (id, unit, label, number, days, from_min, to_min, rank, tested_at, result, tested_by, \
             changed_at, changed_by) VALUES ",
        );
        sql.tuple([
            (&row.id).into(),
            (&row.unit).into(),
            (&row.label).into(),
            (&row.number).into(),
            row.days.join(",").into(),
            row.from_min.into(),
            row.to_min.into(),
            row.rank.into(),
            row.tested_at.into(),
            (&row.result).into(),
            (&row.tested_by).into(),
            row.changed_at.into(),
            (&row.changed_by).into(),
        ]);
        self.change_numbers(sql).await.map(drop)
    }

    /// Writes the row of this id again, its test too. `false`: there is none.
    pub async fn set_duty_number(&self, row: &DutyNumber) -> Result<bool, StoreError> {
        let mut sql = Sql::new("UPDATE duty_numbers SET unit = ");
        sql.bind(&row.unit).push(", label = ").bind(&row.label);
        sql.push(", number = ").bind(&row.number).push(", days = ").bind(row.days.join(","));
        sql.push(", from_min = ").bind(row.from_min).push(", to_min = ").bind(row.to_min);
        sql.push(", rank = ").bind(row.rank).push(", tested_at = ").bind(row.tested_at);
        sql.push(", result = ").bind(&row.result).push(", tested_by = ").bind(&row.tested_by);
        sql.push(", sip_status = ").bind(row.sip_status).push(", ring_ms = ").bind(row.ring_ms);
        sql.push(", changed_at = ").bind(row.changed_at).push(", changed_by = ").bind(&row.changed_by);
        sql.push(" WHERE id = ").bind(&row.id);
        self.change_numbers(sql).await
    }

    /// The last tests that were dialled, newest first.
    pub async fn duty_tests(&self, duty: &str, limit: i64) -> Result<Vec<DutyTest>, StoreError> {
        let mut sql = Sql::new(
            "SELECT call_id, duty_id, number, at, by_user, result, sip_status, ring_ms FROM duty_tests WHERE duty_id = ",
        );
        sql.bind(duty).push(" ORDER BY at DESC, call_id DESC LIMIT ").bind(limit);
        let rows = sql.read(&self.read).await?;
        let test = |row: &AnyRow| {
            Ok(DutyTest {
                call: row.try_get(0)?,
                duty: row.try_get(1)?,
                number: row.try_get(2)?,
                at: row.try_get(3)?,
                by: row.try_get(4)?,
                result: row.try_get(5)?,
                sip_status: row.try_get(6)?,
                ring_ms: row.try_get(7)?,
            })
        };
        rows.iter().map(test).collect()
    }

    pub async fn delete_duty_number(&self, id: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("DELETE FROM duty_numbers WHERE id = ");
        sql.bind(id);
        self.change_numbers(sql).await
    }

    pub async fn legacy_numbers(&self) -> Result<Vec<LegacyNumber>, StoreError> {
        let mut sql = Sql::new(LEGACY);
        sql.push(" ORDER BY number");
        sql.read(&self.read).await?.iter().map(legacy).collect()
    }

    pub async fn legacy_number(&self, number: &str) -> Result<Option<LegacyNumber>, StoreError> {
        let mut sql = Sql::new(LEGACY);
        sql.push(" WHERE number = ").bind(number);
        sql.read_one(&self.read).await?.as_ref().map(legacy).transpose()
    }

    /// [`StoreError::Exists`] when the number is there.
    pub async fn add_legacy_number(&self, row: &LegacyNumber) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO legacy_numbers (number, unit, queue, skill, greeting, ends_on, note, changed_at, changed_by) VALUES ",
        );
        sql.tuple([
            (&row.number).into(),
            (&row.unit).into(),
            (&row.queue).into(),
            (&row.skill).into(),
            (&row.greeting).into(),
            (&row.ends_on).into(),
            (&row.note).into(),
            row.changed_at.into(),
            (&row.changed_by).into(),
        ]);
        self.change_numbers(sql).await.map(drop)
    }

    pub async fn set_legacy_number(&self, row: &LegacyNumber) -> Result<bool, StoreError> {
        let mut sql = Sql::new("UPDATE legacy_numbers SET unit = ");
        sql.bind(&row.unit).push(", queue = ").bind(&row.queue).push(", skill = ").bind(&row.skill);
        sql.push(", greeting = ").bind(&row.greeting).push(", ends_on = ").bind(&row.ends_on);
        sql.push(", note = ").bind(&row.note);
        sql.push(", changed_at = ").bind(row.changed_at).push(", changed_by = ").bind(&row.changed_by);
        sql.push(" WHERE number = ").bind(&row.number);
        self.change_numbers(sql).await
    }

    pub async fn delete_legacy_number(&self, number: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("DELETE FROM legacy_numbers WHERE number = ");
        sql.bind(number);
        self.change_numbers(sql).await
    }

    /// Inbound calls of `[since, until)` by the number they dialled, for these numbers: the one in the request, else the one the call
    /// was diverted from.
    pub async fn dialled(
        &self,
        numbers: &[String],
        since: i64,
        until: i64,
    ) -> Result<BTreeMap<String, Dialled>, StoreError> {
        let mut found = BTreeMap::new();
        if numbers.is_empty() {
            return Ok(found);
        }
        let listed = |sql: &mut Sql| {
            sql.tuple(numbers.iter().map(Value::from));
        };
        let mut sql = Sql::new("SELECT dialled, COUNT(*), MAX(started_at) FROM (SELECT CASE WHEN called IN ");
        listed(&mut sql);
        sql.push(" THEN called ELSE redirected_from END AS dialled, started_at FROM calls WHERE ");
        sql.push("direction = 'inbound' AND started_at >= ")
            .bind(since)
            .push(" AND started_at < ")
            .bind(until);
        sql.push(" AND (called IN ");
        listed(&mut sql);
        sql.push(" OR redirected_from IN ");
        listed(&mut sql);
        sql.push(")) AS calls_dialled GROUP BY dialled");
        for row in sql.read(&self.read).await? {
            let dialled = Dialled { calls: row.try_get(1)?, last_at: row.try_get(2)? };
            found.insert(row.try_get(0)?, dialled);
        }
        Ok(found)
    }

    /// Calls since then by their trunk.
    pub async fn trunk_calls(&self, since: i64) -> Result<BTreeMap<String, Carried>, StoreError> {
        let mut sql = Sql::new("SELECT trunk, COUNT(*), COUNT(answered_at) FROM calls WHERE started_at >= ");
        sql.bind(since).push(" GROUP BY trunk");
        let mut found = BTreeMap::new();
        for row in sql.read(&self.read).await? {
            found.insert(row.try_get(0)?, Carried { calls: row.try_get(1)?, answered: row.try_get(2)? });
        }
        Ok(found)
    }

    async fn change_numbers(&self, sql: Sql) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let changed = sql.run(&mut tx).await? > 0;
        tx.commit().await?;
        Ok(changed)
    }
}

fn service(row: &AnyRow) -> Result<ServiceNumber, StoreError> {
    Ok(ServiceNumber {
        key: row.try_get(0)?,
        name_zh: row.try_get(1)?,
        name_en: row.try_get(2)?,
        number: row.try_get(3)?,
        rank: row.try_get(4)?,
        changed_at: row.try_get(5)?,
        changed_by: row.try_get(6)?,
    })
}

fn duty(row: &AnyRow) -> Result<DutyNumber, StoreError> {
    let days: String = row.try_get(4)?;
    Ok(DutyNumber {
        id: row.try_get(0)?,
        unit: row.try_get(1)?,
        label: row.try_get(2)?,
        number: row.try_get(3)?,
        days: days.split(',').filter(|day| !day.is_empty()).map(str::to_owned).collect(),
        from_min: row.try_get(5)?,
        to_min: row.try_get(6)?,
        rank: row.try_get(7)?,
        tested_at: row.try_get(8)?,
        result: row.try_get(9)?,
        tested_by: row.try_get(10)?,
        changed_at: row.try_get(11)?,
        changed_by: row.try_get(12)?,
        sip_status: row.try_get(13)?,
        ring_ms: row.try_get(14)?,
    })
}

fn legacy(row: &AnyRow) -> Result<LegacyNumber, StoreError> {
    Ok(LegacyNumber {
        number: row.try_get(0)?,
        unit: row.try_get(1)?,
        queue: row.try_get(2)?,
        skill: row.try_get(3)?,
        greeting: row.try_get(4)?,
        ends_on: row.try_get(5)?,
        note: row.try_get(6)?,
        changed_at: row.try_get(7)?,
        changed_by: row.try_get(8)?,
    })
}
