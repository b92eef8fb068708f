//! 政策变更单: what a unit says changes from when, and the entries it touches. Each is done with its next publication; the notice is
//! done with the last of them, or when the office closes one that touches none.

use super::row_id;
use crate::store::db::{Db, Durability, Tx};
use crate::store::error::StoreError;
use crate::store::page::{Cursor, Page, Paged};
use crate::store::sql::{Sql, insert_rows};
use sqlx::Row as _;
use sqlx::any::AnyRow;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KbNotice {
    /// Given when it is kept.
    pub id: String,
    pub unit: String,
    pub at: i64,
    pub by: String,
    /// `YYYY-MM-DD`.
    pub effective_on: String,
    pub text: String,
    pub due_at: i64,
    pub done_at: Option<i64>,
    pub done_by: Option<String>,
    /// Entries, and when each was published again.
    pub entries: Vec<(String, Option<i64>)>,
}

const NOTICE: &str =
    "SELECT id, unit, at, by_user, effective_on, text, due_at, done_at, done_by FROM kb_notices";

impl Db {
    pub async fn add_kb_notice(&self, mut row: KbNotice) -> Result<KbNotice, StoreError> {
        row.id = row_id("kn", row.at)?;
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql =
            Sql::new("INSERT INTO kb_notices (id, unit, at, by_user, effective_on, text, due_at) VALUES ");
        sql.tuple([
            (&row.id).into(),
            (&row.unit).into(),
            row.at.into(),
            (&row.by).into(),
            (&row.effective_on).into(),
            (&row.text).into(),
            row.due_at.into(),
        ]);
        sql.run(&mut tx).await?;
        let entries = row.entries.iter().map(|(entry, _)| vec![(&row.id).into(), entry.into()]).collect();
        insert_rows(&mut tx, "INSERT INTO kb_notice_entries (notice_id, entry_id)", entries, "").await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Newest first. `unit`: only that one's.
    pub async fn kb_notices(
        &self,
        unit: Option<&str>,
        open: Option<bool>,
        page: &Page,
    ) -> Result<Paged<KbNotice>, StoreError> {
        let mut sql = Sql::new(NOTICE);
        sql.push(" WHERE 1 = 1");
        if let Some(unit) = unit {
            sql.push(" AND unit = ").bind(unit);
        }
        match open {
            Some(true) => sql.push(" AND done_at IS NULL"),
            Some(false) => sql.push(" AND done_at IS NOT NULL"),
            None => &mut sql,
        };
        page.close(&mut sql, " AND (at, id) < ", " ORDER BY at DESC, id DESC");
        let rows = sql.read(&self.read).await?;
        let items = rows.iter().map(notice_of).collect::<Result<Vec<_>, _>>()?;
        let mut page = page.cut(items, |row| Cursor { at: row.at, id: row.id.clone() });
        for row in &mut page.items {
            row.entries = self.kb_notice_entries(&row.id).await?;
        }
        Ok(page)
    }

    pub async fn kb_notice(&self, id: &str) -> Result<Option<KbNotice>, StoreError> {
        let mut sql = Sql::new(NOTICE);
        sql.push(" WHERE id = ").bind(id);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let mut row = notice_of(&row)?;
        row.entries = self.kb_notice_entries(id).await?;
        Ok(Some(row))
    }

    async fn kb_notice_entries(&self, id: &str) -> Result<Vec<(String, Option<i64>)>, StoreError> {
        let mut sql = Sql::new("SELECT entry_id, done_at FROM kb_notice_entries WHERE notice_id = ");
        sql.bind(id).push(" ORDER BY entry_id");
        let rows = sql.read(&self.read).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Whether it was open and none of its entries is still to be published.
    pub async fn close_kb_notice(&self, id: &str, by: &str, at: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE kb_notices SET done_at = ");
        sql.bind(at).push(", done_by = ").bind(by).push(" WHERE id = ").bind(id);
        sql.push(
            " AND done_at IS NULL AND NOT EXISTS (SELECT 1 FROM kb_notice_entries x WHERE x.notice_id = kb_notices.id \
             AND x.done_at IS NULL)",
        );
        let closed = sql.run(&mut tx).await? == 1;
        tx.commit().await?;
        Ok(closed)
    }
}

/// An entry was published: the notices that touch it are done with it, and those without another are done.
pub(super) async fn carried_through(tx: &mut Tx, entry: &str, at: i64) -> Result<(), StoreError> {
    let mut sql = Sql::new("UPDATE kb_notice_entries SET done_at = ");
    sql.bind(at).push(" WHERE done_at IS NULL AND entry_id = ").bind(entry);
    if sql.run(tx).await? == 0 {
        return Ok(());
    }
    let mut sql = Sql::new("UPDATE kb_notices SET done_at = ");
    sql.bind(at).push(
        " WHERE done_at IS NULL AND EXISTS (SELECT 1 FROM kb_notice_entries x WHERE x.notice_id = kb_notices.id) \
         AND NOT EXISTS (SELECT 1 FROM kb_notice_entries x WHERE x.notice_id = kb_notices.id AND x.done_at IS NULL)",
    );
    sql.run(tx).await?;
    Ok(())
}

fn notice_of(row: &AnyRow) -> Result<KbNotice, StoreError> {
    Ok(KbNotice {
        id: row.try_get(0)?,
        unit: row.try_get(1)?,
        at: row.try_get(2)?,
        by: row.try_get(3)?,
        effective_on: row.try_get(4)?,
        text: row.try_get(5)?,
        due_at: row.try_get(6)?,
        done_at: row.try_get(7)?,
        done_by: row.try_get(8)?,
        entries: Vec::new(),
    })
}
