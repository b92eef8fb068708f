//! The roster as people changed it: requests with their history, the days they changed, who answers for what they break, and the
//! must-read notices. What a plan is, and whether it may be, is `roster`'s to say; here are rows.

use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::page::{Cursor, Page, Paged};
use super::sql::{Sql, insert_rows};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A swap or leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterRequest {
    pub id: String,
    /// Milliseconds since 1970.
    pub asked_at: i64,
    pub asker: String,
    /// Who has to agree before a lead decides.
    pub other: Option<String>,
    pub plan: String,
    /// JSON.
    pub wish: String,
    pub stage: String,
    /// Lines of its history.
    pub version: i64,
    /// Oldest first.
    pub events: Vec<RosterEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEvent {
    pub at: i64,
    pub stage: String,
    pub by: String,
    pub why: String,
}

/// A person's day as an approved request left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterDay {
    pub plan: String,
    pub person: String,
    /// Like 2026-11-26.
    pub day: String,
    /// JSON.
    pub duties: String,
}

/// Who answers for a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterApproval {
    pub plan: String,
    pub code: String,
    pub person: Option<String>,
    pub day: Option<String>,
    pub by: String,
    pub reason: String,
}

/// All that was approved so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterChanges {
    /// Counts approvals.
    pub n: i64,
    pub days: Vec<RosterDay>,
    pub approvals: Vec<RosterApproval>,
}

/// What an approval writes, as seen on `n` approvals before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterApproved {
    pub n: i64,
    pub days: Vec<RosterDay>,
    pub approvals: Vec<RosterApproval>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RosterSaved {
    Saved,
    /// It has another version by now, or the plan does.
    Changed,
}

/// What every shift must have read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterNotice {
    pub id: String,
    pub at: i64,
    pub until: i64,
    pub by: String,
    pub text: String,
    /// Who has read it, and when.
    pub read: Vec<(String, i64)>,
}

const REQUEST: &str = "SELECT id, asked_at, asker, other, plan, wish, stage, version FROM roster_requests";

impl Db {
    /// A new request with its first event.
    pub async fn add_roster_request(&self, request: &RosterRequest) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(
            "INSERT INTO roster_requests (id, asked_at, asker, other, plan, wish, stage, version) VALUES ",
        );
        sql.tuple([
            (&request.id).into(),
            request.asked_at.into(),
            (&request.asker).into(),
            (&request.other).into(),
            (&request.plan).into(),
            (&request.wish).into(),
            (&request.stage).into(),
            (request.events.len() as i64).into(),
        ]);
        sql.run(&mut tx).await?;
        for (n, event) in (1..).zip(&request.events) {
            add_event(&mut tx, &request.id, n, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Requests, newest first. `of`: only those somebody asked for or has to agree to.
    pub async fn roster_requests(
        &self,
        of: Option<&str>,
        stage: Option<&str>,
        page: &Page,
    ) -> Result<Paged<RosterRequest>, StoreError> {
        let mut sql = Sql::new(REQUEST);
        sql.push(" WHERE 1 = 1");
        if let Some(person) = of {
            sql.push(" AND (asker = ").bind(person).push(" OR other = ").bind(person).push(")");
        }
        if let Some(stage) = stage {
            sql.push(" AND stage = ").bind(stage);
        }
        page.close(&mut sql, " AND (asked_at, id) < ", " ORDER BY asked_at DESC, id DESC");
        let rows = sql.read(&self.read).await?;
        let items = rows.iter().map(request_of).collect::<Result<Vec<_>, _>>()?;
        let mut page = page.cut(items, |request| Cursor { at: request.asked_at, id: request.id.clone() });
        for request in &mut page.items {
            request.events = self.roster_events(&request.id).await?;
        }
        Ok(page)
    }

    pub async fn roster_request(&self, id: &str) -> Result<Option<RosterRequest>, StoreError> {
        let mut sql = Sql::new(REQUEST);
        sql.push(" WHERE id = ").bind(id);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let mut request = request_of(&row)?;
        request.events = self.roster_events(id).await?;
        Ok(Some(request))
    }

    async fn roster_events(&self, id: &str) -> Result<Vec<RosterEvent>, StoreError> {
        let mut sql =
            Sql::new("SELECT at, stage, by_user, why FROM roster_request_events WHERE request_id = ");
        sql.bind(id).push(" ORDER BY n");
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                let (at, stage) = (row.try_get(0)?, row.try_get(1)?);
                Ok(RosterEvent { at, stage, by: row.try_get(2)?, why: row.try_get(3)? })
            })
            .collect()
    }

    /// One more event of a request that was read at `version`; with `approved`, also what it makes of the plan. All or nothing.
    pub async fn change_roster_request(
        &self,
        id: &str,
        version: i64,
        event: &RosterEvent,
        approved: Option<&RosterApproved>,
    ) -> Result<RosterSaved, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE roster_requests SET stage = ");
        sql.bind(&event.stage).push(", version = ").bind(version + 1);
        sql.push(" WHERE id = ").bind(id).push(" AND version = ").bind(version);
        if sql.run(&mut tx).await? == 0 {
            return Ok(RosterSaved::Changed);
        }
        add_event(&mut tx, id, version + 1, event).await?;
        if let Some(approved) = approved {
            let mut sql = Sql::new("UPDATE roster_state SET n = n + 1 WHERE id = 1 AND n = ");
            sql.bind(approved.n);
            if sql.run(&mut tx).await? == 0 {
                return Ok(RosterSaved::Changed);
            }
            write_approved(&mut tx, id, approved).await?;
        }
        tx.commit().await?;
        Ok(RosterSaved::Saved)
    }

    /// What was approved so far. The count is read first: whoever writes on it has seen at least so much.
    pub async fn roster_changes(&self) -> Result<RosterChanges, StoreError> {
        let n = match Sql::new("SELECT n FROM roster_state WHERE id = 1").read_one(&self.read).await? {
            Some(row) => row.try_get(0)?,
            None => 0,
        };
        let days = Sql::new("SELECT plan, person, day, duties FROM roster_days ORDER BY plan, person, day")
            .read(&self.read)
            .await?
            .iter()
            .map(|row| {
                let (plan, person) = (row.try_get(0)?, row.try_get(1)?);
                Ok(RosterDay { plan, person, day: row.try_get(2)?, duties: row.try_get(3)? })
            })
            .collect::<Result<_, StoreError>>()?;
        let approvals = Sql::new(
            "SELECT plan, code, person, day, by_user, reason FROM roster_approvals ORDER BY request_id, n",
        )
        .read(&self.read)
        .await?
        .iter()
        .map(|row| {
            Ok(RosterApproval {
                plan: row.try_get(0)?,
                code: row.try_get(1)?,
                person: row.try_get(2)?,
                day: row.try_get(3)?,
                by: row.try_get(4)?,
                reason: row.try_get(5)?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
        Ok(RosterChanges { n, days, approvals })
    }

    pub async fn add_roster_notice(&self, notice: &RosterNotice) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("INSERT INTO roster_notices (id, at, until, by_user, text) VALUES ");
        sql.tuple([
            (&notice.id).into(),
            notice.at.into(),
            notice.until.into(),
            (&notice.by).into(),
            (&notice.text).into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notices that hold at `now`, newest first, at most 100.
    pub async fn roster_notices(&self, now: i64) -> Result<Vec<RosterNotice>, StoreError> {
        let mut sql = Sql::new("SELECT id, at, until, by_user, text FROM roster_notices WHERE until > ");
        sql.bind(now).push(" ORDER BY at DESC, id DESC LIMIT 100");
        let mut out = Vec::new();
        for row in sql.read(&self.read).await? {
            let id: String = row.try_get(0)?;
            let mut sql = Sql::new("SELECT user_name, at FROM roster_notice_reads WHERE notice_id = ");
            sql.bind(&id).push(" ORDER BY at, user_name");
            let rows = sql.read(&self.read).await?;
            let read = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            out.push(RosterNotice {
                at: row.try_get(1)?,
                until: row.try_get(2)?,
                by: row.try_get(3)?,
                text: row.try_get(4)?,
                read: read.collect::<Result<_, StoreError>>()?,
                id,
            });
        }
        Ok(out)
    }

    /// Somebody has read a notice. The first time counts. `false`: there is no such notice.
    pub async fn read_roster_notice(&self, id: &str, user: &str, at: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("SELECT id FROM roster_notices WHERE id = ");
        sql.bind(id);
        if sql.one(&mut tx).await?.is_none() {
            return Ok(false);
        }
        let mut sql = Sql::new("INSERT INTO roster_notice_reads (notice_id, user_name, at) VALUES ");
        sql.tuple([id.into(), user.into(), at.into()]).push(" ON CONFLICT (notice_id, user_name) DO NOTHING");
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// A name that nobody guesses and that lists can be paged by.
pub fn roster_id(prefix: &str, at: i64) -> Result<String, StoreError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|e| StoreError::Away(e.to_string()))?;
    Ok(format!("{prefix}-{at:012x}-{:08x}", u32::from_be_bytes(random)))
}

fn request_of(row: &AnyRow) -> Result<RosterRequest, StoreError> {
    Ok(RosterRequest {
        id: row.try_get(0)?,
        asked_at: row.try_get(1)?,
        asker: row.try_get(2)?,
        other: row.try_get(3)?,
        plan: row.try_get(4)?,
        wish: row.try_get(5)?,
        stage: row.try_get(6)?,
        version: row.try_get(7)?,
        events: Vec::new(),
    })
}

async fn add_event(tx: &mut Tx, id: &str, n: i64, event: &RosterEvent) -> Result<(), StoreError> {
    let mut sql =
        Sql::new("INSERT INTO roster_request_events (request_id, n, at, stage, by_user, why) VALUES ");
    sql.tuple([
        id.into(),
        n.into(),
        event.at.into(),
        (&event.stage).into(),
        (&event.by).into(),
        (&event.why).into(),
    ]);
    sql.run(tx).await?;
    Ok(())
}

async fn write_approved(tx: &mut Tx, id: &str, approved: &RosterApproved) -> Result<(), StoreError> {
    let days = approved.days.iter().map(|day| {
        vec![(&day.plan).into(), (&day.person).into(), (&day.day).into(), (&day.duties).into(), id.into()]
    });
    insert_rows(
        tx,
        "INSERT INTO roster_days (plan, person, day, duties, request_id)",
        days.collect(),
        " ON CONFLICT (plan, person, day) DO UPDATE SET duties = excluded.duties, request_id = excluded.request_id",
    )
    .await?;
    let approvals = (1_i64..).zip(&approved.approvals).map(|(n, approval)| {
        vec![
            id.into(),
            n.into(),
            (&approval.plan).into(),
            (&approval.code).into(),
            (&approval.person).into(),
            (&approval.day).into(),
            (&approval.by).into(),
            (&approval.reason).into(),
        ]
    });
    insert_rows(
        tx,
        "INSERT INTO roster_approvals (request_id, n, plan, code, person, day, by_user, reason)",
        approvals.collect(),
        "",
    )
    .await
}
