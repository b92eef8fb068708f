//! 纠错: an error that somebody found in an entry, and what its unit made of it.

use super::row_id;
use crate::store::db::{Db, Durability};
use crate::store::error::StoreError;
use crate::store::page::{Cursor, Page, Paged};
use crate::store::sql::Sql;
use sqlx::Row as _;
use sqlx::any::AnyRow;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KbCorrection {
    /// Given when it is kept.
    pub id: String,
    pub entry: String,
    pub version: i64,
    pub unit: String,
    pub at: i64,
    pub by: String,
    pub text: String,
    pub due_at: i64,
    pub done: Option<KbAnswered>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KbAnswered {
    /// `fixed`, `unfounded`.
    pub outcome: String,
    pub answer: String,
    pub at: i64,
    pub by: String,
}

const CORRECTION: &str = "SELECT id, entry_id, version, unit, at, by_user, text, due_at, outcome, answer, done_at, done_by \
    FROM kb_corrections";

impl Db {
    pub async fn add_kb_correction(&self, mut row: KbCorrection) -> Result<KbCorrection, StoreError> {
        row.id = row_id("kc", row.at)?;
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(
            "INSERT INTO kb_corrections (id, entry_id, version, unit, at, by_user, text, due_at) VALUES ",
        );
        sql.tuple([
            (&row.id).into(),
            (&row.entry).into(),
            row.version.into(),
            (&row.unit).into(),
            row.at.into(),
            (&row.by).into(),
            (&row.text).into(),
            row.due_at.into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Newest first. `unit`: only what that one has to answer.
    pub async fn kb_corrections(
        &self,
        unit: Option<&str>,
        open: Option<bool>,
        page: &Page,
    ) -> Result<Paged<KbCorrection>, StoreError> {
        let mut sql = Sql::new(CORRECTION);
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
        let items = rows.iter().map(correction_of).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(items, |row| Cursor { at: row.at, id: row.id.clone() }))
    }

    pub async fn kb_correction(&self, id: &str) -> Result<Option<KbCorrection>, StoreError> {
        let mut sql = Sql::new(CORRECTION);
        sql.push(" WHERE id = ").bind(id);
        sql.read_one(&self.read).await?.as_ref().map(correction_of).transpose()
    }

    /// Whether it was still open.
    pub async fn answer_kb_correction(&self, id: &str, done: &KbAnswered) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE kb_corrections SET outcome = ");
        sql.bind(&done.outcome).push(", answer = ").bind(&done.answer);
        sql.push(", done_at = ").bind(done.at).push(", done_by = ").bind(&done.by);
        sql.push(" WHERE id = ").bind(id).push(" AND done_at IS NULL");
        let was_open = sql.run(&mut tx).await? == 1;
        tx.commit().await?;
        Ok(was_open)
    }
}

fn correction_of(row: &AnyRow) -> Result<KbCorrection, StoreError> {
    let outcome: Option<String> = row.try_get(8)?;
    let done = match (outcome, row.try_get::<Option<i64>, _>(10)?) {
        (Some(outcome), Some(at)) => Some(KbAnswered {
            outcome,
            answer: row.try_get::<Option<String>, _>(9)?.unwrap_or_default(),
            at,
            by: row.try_get::<Option<String>, _>(11)?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(KbCorrection {
        id: row.try_get(0)?,
        entry: row.try_get(1)?,
        version: row.try_get(2)?,
        unit: row.try_get(3)?,
        at: row.try_get(4)?,
        by: row.try_get(5)?,
        text: row.try_get(6)?,
        due_at: row.try_get(7)?,
        done,
    })
}
