//! Finished searches, and what was looked for in vain.

use super::row_id;
use crate::store::db::{Db, Durability};
use crate::store::error::StoreError;
use crate::store::sql::Sql;
use sqlx::Row as _;

/// A search that is over. `q` without what identifies a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbSearch<'a> {
    pub q: &'a str,
    pub by: &'a str,
    pub at: i64,
    /// Entries that were shown.
    pub found: i64,
    /// The entry that was quoted or read at length.
    pub used: Option<&'a str>,
}

/// What was looked for and not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbGap {
    pub q: String,
    pub times: i64,
    pub last_at: i64,
    /// The most that was shown for it.
    pub found: i64,
}

/// Rows deleted in one transaction.
const STRIDE: i64 = 5_000;
const GAPS: i64 = 200;

impl Db {
    /// Lost at most with a power cut: it is a figure.
    pub async fn add_kb_search(&self, search: &KbSearch<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Refillable).await?;
        let mut sql = Sql::new("INSERT INTO kb_searches (id, at, by_user, q, found, used) VALUES ");
        sql.tuple([
            row_id("ks", search.at)?.into(),
            search.at.into(),
            search.by.into(),
            search.q.into(),
            search.found.into(),
            search.used.into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The most wanted first.
    pub async fn kb_gaps(&self, since: i64) -> Result<Vec<KbGap>, StoreError> {
        let mut sql = Sql::new(
            "SELECT q, COUNT(*), MAX(at), MAX(found) FROM kb_searches WHERE used IS NULL AND at >= ",
        );
        sql.bind(since).push(" GROUP BY q ORDER BY COUNT(*) DESC, MAX(at) DESC, q LIMIT ").bind(GAPS);
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                let (q, times) = (row.try_get(0)?, row.try_get(1)?);
                Ok(KbGap { q, times, last_at: row.try_get(2)?, found: row.try_get(3)? })
            })
            .collect()
    }

    /// Enquiries since then that were passed to a unit, by category.
    pub async fn enquiries_passed_on(&self, since: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let mut sql = Sql::new(
            "SELECT category, COUNT(*) FROM tickets t WHERE type IN ('consult', '咨询') AND category IS NOT NULL AND lead IS NOT NULL \
             AND state NOT IN ('draft', 'void', 'missed') AND (state <> 'closed' OR EXISTS \
             (SELECT 1 FROM ticket_events e WHERE e.ticket_id = t.id AND e.kind = 'accepted')) AND created_at >= ",
        );
        sql.bind(since).push(" GROUP BY category ORDER BY COUNT(*) DESC, category LIMIT ").bind(GAPS);
        let rows = sql.read(&self.read).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Deletes searches before `before`; how many there were.
    pub async fn forget_kb_searches(&self, before: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.begin(Durability::Full).await?;
            let mut sql =
                Sql::new("DELETE FROM kb_searches WHERE id IN (SELECT id FROM kb_searches WHERE at < ");
            sql.bind(before).push(" ORDER BY at LIMIT ").bind(STRIDE).push(")");
            let some = sql.run(&mut tx).await?;
            tx.commit().await?;
            gone += some;
            if some < STRIDE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
