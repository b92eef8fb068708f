//! Which answer was given in which call: frozen in the version that was read out, and a line of the ticket's history.

use super::row_id;
use crate::store::chain::{self, Tail};
use crate::store::db::{Db, Dialect, Durability, Tx};
use crate::store::error::StoreError;
use crate::store::sql::{Sql, insert_rows};
use serde_json::json;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// The kind of a quote's line in a ticket's history.
pub const QUOTED: &str = "quoted";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbQuote {
    pub id: String,
    pub entry: String,
    pub version: i64,
    pub call: String,
    pub ticket: Option<String>,
    pub at: i64,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KbQuoted {
    /// With what is kept of it; the same again for the same answer in the same call.
    Kept(KbQuote),
    /// Another version is live by now, or none.
    Changed,
}

const QUOTE: &str = "SELECT id, entry_id, version, call_id, ticket_id, at, by_user FROM kb_quotes";

impl Db {
    /// Keeps that `version` of `entry`, which must still be the live one, was read out in `call`.
    pub async fn quote_kb(
        &self,
        (entry, version): (&str, i64),
        call: &str,
        by: &str,
        at: i64,
    ) -> Result<KbQuoted, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let postgres = self.dialect() == Dialect::Postgres;
        let mut sql = Sql::new("SELECT title FROM kb_entries WHERE id = ");
        sql.bind(entry).push(" AND live = ").bind(version);
        // What was doubted or contradicted in between is not read out either.
        sql.push(" AND doubt IS NULL AND conflict_text IS NULL");
        if postgres {
            sql.push(" FOR SHARE");
        }
        let Some(row) = sql.one(&mut tx).await? else { return Ok(KbQuoted::Changed) };
        let title: String = row.try_get(0)?;
        let ticket = ticket_of(&mut tx, call, postgres).await?;
        // Behind the ticket's lock: the same key pressed twice is one quote.
        let mut sql = Sql::new(QUOTE);
        sql.push(" WHERE call_id = ").bind(call).push(" AND entry_id = ").bind(entry);
        sql.push(" AND version = ").bind(version);
        if let Some(row) = sql.one(&mut tx).await? {
            return Ok(KbQuoted::Kept(quote_of(&row)?));
        }
        let quote = KbQuote {
            id: row_id("kq", at)?,
            entry: entry.to_owned(),
            version,
            call: call.to_owned(),
            ticket: ticket.as_ref().map(|(id, _)| id.clone()),
            at,
            by: by.to_owned(),
        };
        let mut sql = Sql::new(
            "INSERT INTO kb_quotes (id, entry_id, version, call_id, ticket_id, at, by_user) VALUES ",
        );
        sql.tuple([
            (&quote.id).into(),
            (&quote.entry).into(),
            version.into(),
            (&quote.call).into(),
            (&quote.ticket).into(),
            at.into(),
            by.into(),
        ]);
        sql.run(&mut tx).await?;
        if let Some((id, mut tail)) = ticket {
            let before = tail.n;
            let payload = json!({"entry": entry, "version": version, "title": title, "call": call});
            let link = tail.append(&id, at, QUOTED, &["user:", by].concat(), &payload, None);
            let mut sql = Sql::new("UPDATE tickets SET events = ");
            sql.bind(tail.n).push(", head = ").bind(tail.head);
            sql.push(" WHERE id = ").bind(&id).push(" AND events = ").bind(before);
            if sql.run(&mut tx).await? != 1 {
                return Err(StoreError::Away("the ticket changed although its row was locked".into()));
            }
            insert_rows(&mut tx, chain::INSERT, vec![link], "").await?;
        }
        tx.commit().await?;
        Ok(KbQuoted::Kept(quote))
    }

    /// What was quoted in a call, or under a ticket's id; oldest first.
    pub async fn kb_quotes(
        &self,
        call: Option<&str>,
        ticket: Option<&str>,
    ) -> Result<Vec<KbQuote>, StoreError> {
        let mut sql = Sql::new(QUOTE);
        sql.push(" WHERE 1 = 1");
        if let Some(call) = call {
            sql.push(" AND call_id = ").bind(call);
        }
        if let Some(ticket) = ticket {
            sql.push(" AND ticket_id = ").bind(ticket);
        }
        sql.push(" ORDER BY at, id LIMIT 500");
        sql.read(&self.read).await?.iter().map(quote_of).collect()
    }
}

/// The ticket a call's answer belongs to: its draft, else the newest; with the end of its history, locked.
async fn ticket_of(tx: &mut Tx, call: &str, postgres: bool) -> Result<Option<(String, Tail)>, StoreError> {
    let mut sql = Sql::new(
        "SELECT t.id, t.seal_key, t.events, t.head FROM tickets t WHERE t.id IN \
         (SELECT ticket_id FROM call_tickets WHERE call_id = ",
    );
    sql.bind(call).push(
        ") ORDER BY CASE WHEN t.state = 'draft' THEN 0 ELSE 1 END, t.created_at DESC, t.id DESC LIMIT 1",
    );
    if postgres {
        sql.push(" FOR UPDATE");
    }
    let Some(row) = sql.one(tx).await? else { return Ok(None) };
    let tail = Tail { key: row.try_get(1)?, n: row.try_get(2)?, head: row.try_get(3)? };
    Ok(Some((row.try_get(0)?, tail)))
}

fn quote_of(row: &AnyRow) -> Result<KbQuote, StoreError> {
    Ok(KbQuote {
        id: row.try_get(0)?,
        entry: row.try_get(1)?,
        version: row.try_get(2)?,
        call: row.try_get(3)?,
        ticket: row.try_get(4)?,
        at: row.try_get(5)?,
        by: row.try_get(6)?,
    })
}
