//! 口径单: the agreed wording for one hot matter, shown above all entries until it ends by itself.

use super::row_id;
use crate::store::db::{Db, Durability};
use crate::store::error::StoreError;
use crate::store::sql::Sql;
use sqlx::Row as _;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KbWording {
    /// Given when it is kept.
    pub id: String,
    pub unit: String,
    pub title: String,
    pub text: String,
    pub from_at: i64,
    pub until_at: i64,
    pub at: i64,
    pub by: String,
}

const MOST: i64 = 50;

impl Db {
    pub async fn add_kb_wording(&self, mut row: KbWording) -> Result<KbWording, StoreError> {
        row.id = row_id("kw", row.at)?;
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(
            "INSERT INTO kb_wordings (id, unit, title, text, from_at, until_at, at, by_user) VALUES ",
        );
        sql.tuple([
            (&row.id).into(),
            (&row.unit).into(),
            (&row.title).into(),
            (&row.text).into(),
            row.from_at.into(),
            row.until_at.into(),
            row.at.into(),
            (&row.by).into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Those that are not over, the first to begin first.
    pub async fn kb_wordings(&self, now: i64) -> Result<Vec<KbWording>, StoreError> {
        let mut sql = Sql::new(
            "SELECT id, unit, title, text, from_at, until_at, at, by_user FROM kb_wordings WHERE until_at > ",
        );
        sql.bind(now).push(" ORDER BY from_at, id LIMIT ").bind(MOST);
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(KbWording {
                    id: row.try_get(0)?,
                    unit: row.try_get(1)?,
                    title: row.try_get(2)?,
                    text: row.try_get(3)?,
                    from_at: row.try_get(4)?,
                    until_at: row.try_get(5)?,
                    at: row.try_get(6)?,
                    by: row.try_get(7)?,
                })
            })
            .collect()
    }

    /// Ends one before its time; whether it was running.
    pub async fn withdraw_kb_wording(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE kb_wordings SET until_at = ");
        sql.bind(now).push(" WHERE id = ").bind(id).push(" AND until_at > ").bind(now);
        let ran = sql.run(&mut tx).await? == 1;
        tx.commit().await?;
        Ok(ran)
    }
}
