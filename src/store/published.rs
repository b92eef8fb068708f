//! Periods whose numbers were published: what was told stays, ticket by ticket, and what the tickets say since is listed beside it.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::indicators::{Period, column, published, within_period};
use super::page::{Cursor, Page, Paged};
use super::sql::{Sql, Value, insert_rows};
use super::ticket::{Scope, within};
use crate::ticket::indicators::Indicator;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A period that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub id: String,
    pub title: String,
    pub period: Period,
    /// Milliseconds since 1970.
    pub at: i64,
    pub by: String,
    pub tickets: i64,
}

/// What one ticket adds, or added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    pub unit: Option<String>,
    pub due_at: i64,
    pub reasonable: bool,
    /// Hundredths, in the order of [`Indicator::ALL`].
    pub values: [Option<i64>; Indicator::ALL.len()],
}

/// A ticket whose part is another than the one that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub id: String,
    pub no: Option<String>,
    /// `None`: it was not in the period, and is now.
    pub then: Option<Stand>,
    /// `None`: it is not in the period any more.
    pub now: Option<Stand>,
}

const PERIOD: &str = "SELECT id, title, from_at, to_at, published_at, published_by, tickets FROM published_periods WHERE 1 = 1";

fn period(row: &AnyRow) -> Result<Published, StoreError> {
    Ok(Published {
        id: row.try_get(0)?,
        title: row.try_get(1)?,
        period: Period { from: row.try_get(2)?, to: row.try_get(3)? },
        at: row.try_get(4)?,
        by: row.try_get(5)?,
        tickets: row.try_get(6)?,
    })
}

/// `unit, due, reasonable, values…` from this column on; `None` without a deadline.
fn stand(row: &AnyRow, from: usize) -> Result<Option<Stand>, StoreError> {
    let Some(due_at) = row.try_get(from + 1)? else { return Ok(None) };
    let mut values = [None; Indicator::ALL.len()];
    for (n, value) in values.iter_mut().enumerate() {
        *value = row.try_get(from + 3 + n)?;
    }
    let reasonable: Option<i64> = row.try_get(from + 2)?;
    Ok(Some(Stand { unit: row.try_get(from)?, due_at, reasonable: reasonable == Some(1), values }))
}

impl Db {
    /// Keeps what the tickets of a period add now. [`StoreError::Exists`] when that period was published.
    pub async fn publish_period(&self, new: &Published) -> Result<Published, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        // One walk through the period: a statement for each part of it would sort it anew.
        let mut sql =
            Sql::new("INSERT INTO published_values (period_id, ticket_id, unit, owed_at, is_reasonable");
        for indicator in Indicator::ALL {
            sql.push(", ").push(published(indicator));
        }
        sql.push(") SELECT ").bind(&new.id).push(", id, lead, due_at, reasonable");
        for indicator in Indicator::ALL {
            sql.push(", ").push(column(indicator));
        }
        sql.push(" FROM tickets WHERE ");
        within_period(&mut sql, new.period);
        let tickets = i64::try_from(sql.run(&mut tx).await?).unwrap_or(i64::MAX);
        let row: Vec<Value> = vec![
            (&new.id).into(),
            (&new.title).into(),
            new.period.from.into(),
            new.period.to.into(),
            new.at.into(),
            (&new.by).into(),
            tickets.into(),
        ];
        let head =
            "INSERT INTO published_periods (id, title, from_at, to_at, published_at, published_by, tickets)";
        insert_rows(&mut tx, head, vec![row], "").await?;
        tx.commit().await?;
        Ok(Published { tickets, ..new.clone() })
    }

    /// Newest first.
    pub async fn published_periods(&self, page: &Page) -> Result<Paged<Published>, StoreError> {
        let mut sql = Sql::new(PERIOD);
        page.close(&mut sql, " AND (published_at, id) < ", " ORDER BY published_at DESC, id DESC");
        let rows = sql.read(&self.read).await?;
        let items = rows.iter().map(period).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(items, |one| Cursor { at: one.at, id: one.id.clone() }))
    }

    pub async fn published_period(&self, id: &str) -> Result<Option<Published>, StoreError> {
        let mut sql = Sql::new(PERIOD);
        sql.push(" AND id = ").bind(id);
        sql.read_one(&self.read).await?.as_ref().map(period).transpose()
    }

    /// Tickets that add something else now than was published, by deadline; those he may read.
    pub async fn corrections(
        &self,
        of: &Published,
        scope: &Scope,
        page: &Page,
    ) -> Result<Paged<Correction>, StoreError> {
        const THEN: usize = 2;
        const NOW: usize = THEN + 3 + Indicator::ALL.len();
        let mut sql = Sql::new("SELECT id, no, unit, owed_at, is_reasonable");
        for indicator in Indicator::ALL {
            sql.push(", ").push(published(indicator));
        }
        sql.push(", lead, CASE WHEN ");
        within_period(&mut sql, of.period);
        sql.push(" THEN due_at END, reasonable");
        for indicator in Indicator::ALL {
            sql.push(", ").push(column(indicator));
        }
        sql.push(" FROM published_values JOIN tickets ON id = ticket_id WHERE period_id = ").bind(&of.id);
        sql.push(" AND (NOT (");
        within_period(&mut sql, of.period);
        sql.push(") OR counted IS NULL OR due_at IS NULL OR lead IS DISTINCT FROM unit OR reasonable <> is_reasonable");
        for indicator in Indicator::ALL {
            sql.push(" OR ").push(column(indicator)).push(" IS DISTINCT FROM ").push(published(indicator));
        }
        sql.push(")");
        within(&mut sql, scope);
        page.close(&mut sql, " AND (owed_at, id) > ", " ORDER BY owed_at, id");
        let mut all = Vec::new();
        for row in sql.read(&self.read).await? {
            let (then, now) = (stand(&row, THEN)?, stand(&row, NOW)?);
            all.push(Correction { id: row.try_get(0)?, no: row.try_get(1)?, then, now });
        }

        let mut sql = Sql::new("SELECT id, no, lead, due_at, reasonable");
        for indicator in Indicator::ALL {
            sql.push(", ").push(column(indicator));
        }
        sql.push(" FROM tickets WHERE ");
        within_period(&mut sql, of.period);
        sql.push(" AND NOT EXISTS (SELECT 1 FROM published_values WHERE period_id = ").bind(&of.id);
        sql.push(" AND ticket_id = id)");
        within(&mut sql, scope);
        page.close(&mut sql, " AND (due_at, id) > ", " ORDER BY due_at, id");
        for row in sql.read(&self.read).await? {
            let now = stand(&row, THEN)?;
            all.push(Correction { id: row.try_get(0)?, no: row.try_get(1)?, then: None, now });
        }
        let place = |one: &Correction| {
            let stand = one.then.as_ref().or(one.now.as_ref());
            Cursor { at: stand.map_or(0, |stand| stand.due_at), id: one.id.clone() }
        };
        all.sort_by(|a, b| {
            let (a, b) = (place(a), place(b));
            (a.at, a.id).cmp(&(b.at, b.id))
        });
        Ok(page.cut(all, place))
    }
}
