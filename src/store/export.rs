//! Who took which tickets out of the house: a row for each file, found again by the id that stands on it.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::sql::Sql;
use super::ticket::{TicketFilter, narrowed};
use sqlx::Row as _;

/// A file that was made of tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub id: String,
    /// Milliseconds since 1970.
    pub at: i64,
    pub user: String,
    pub source: String,
    pub format: String,
    pub filter: String,
    /// `None`: under way, or broken off.
    pub rows: Option<i64>,
}

impl Db {
    /// How many tickets fit, counted up to `most`.
    pub async fn count_tickets(&self, filter: &TicketFilter, most: i64) -> Result<i64, StoreError> {
        let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT id FROM tickets WHERE 1 = 1");
        narrowed(&mut sql, filter);
        sql.push(" LIMIT ").bind(most).push(") x");
        match sql.read_one(&self.read).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(0),
        }
    }

    /// Before the first byte goes out.
    pub async fn begin_export(&self, export: &Export) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("INSERT INTO exports (id, at, by_user, source, format, filter) VALUES ");
        sql.tuple([
            (&export.id).into(),
            export.at.into(),
            (&export.user).into(),
            (&export.source).into(),
            (&export.format).into(),
            (&export.filter).into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn end_export(&self, id: &str, rows: i64) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE exports SET row_count = ");
        sql.bind(rows).push(" WHERE id = ").bind(id);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn export(&self, id: &str) -> Result<Option<Export>, StoreError> {
        let mut sql =
            Sql::new("SELECT id, at, by_user, source, format, filter, row_count FROM exports WHERE id = ");
        sql.bind(id);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        Ok(Some(Export {
            id: row.try_get(0)?,
            at: row.try_get(1)?,
            user: row.try_get(2)?,
            source: row.try_get(3)?,
            format: row.try_get(4)?,
            filter: row.try_get(5)?,
            rows: row.try_get(6)?,
        }))
    }
}

#[cfg(test)]
impl Db {
    /// Subject and outcome of the access log's lines about exports.
    pub async fn accesses_of_exports(&self) -> Vec<(String, String)> {
        let sql = Sql::new("SELECT subject, outcome FROM access_log WHERE action = 'ticket.export'");
        let rows = sql.read(&self.read).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}
