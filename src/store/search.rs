//! The search over tickets: their terms are written with their texts, in the same transaction; the newest that fit are found first.
//! SQLite looks in an FTS5 table without contents, PostgreSQL in `tsvector`s; both get terms and their order from `ticket::search`, so both
//! find the same.

use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::sql::{Sql, insert_rows, select_keys};
use super::ticket::{COLUMNS, Scope, Ticket, within};
use crate::ticket::search::{self, Sought};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use std::collections::BTreeSet;

/// Places of a lexeme that PostgreSQL keeps.
const POSITIONS: usize = 16_000;
/// Digits of the longest official number.
const LONGEST: usize = 14;
/// Tickets from before there was a search, taken in one go.
const STRIDE: i64 = 256;

/// Who looks for what.
#[derive(Clone, Debug)]
pub struct TicketSearch {
    pub sought: Sought,
    /// Also in what the caller said; else in what units may read.
    pub all: bool,
    /// Also by telephone number.
    pub callers: bool,
    pub scope: Scope,
    pub limit: u32,
}

/// What an imported ticket can be found by.
pub(super) struct OldTerms {
    pub id: String,
    pub created_at: i64,
    pub words: String,
    pub open: String,
}

/// Writes what many new tickets of the past can be found by. Their places lie before all that is written as it happens (below nought), by
/// their age: the newest come first, as everywhere.
pub(super) async fn index_old(tx: &mut Tx, tickets: Vec<OldTerms>) -> Result<(), StoreError> {
    const BEFORE: i64 = 1 << 62;
    let place = |ticket: &OldTerms| {
        let hash = Sha256::digest(ticket.id.as_bytes());
        let spread = hash.iter().take(4).fold(0, |sum: i64, byte| sum << 8 | i64::from(*byte)) >> 1;
        // 31 bits beside the second: of a hundred thousand in one second, two seldom meet.
        (ticket.created_at.div_euclid(1000).clamp(0, i64::from(i32::MAX)) << 31 | spread) - BEFORE
    };
    let mut placed: Vec<(i64, OldTerms)> = tickets.into_iter().map(|one| (place(&one), one)).collect();
    // FTS5 takes ascending rows in one go.
    placed.sort_by_key(|(seq, _)| *seq);
    // Two in one place: the second waits for `index_tickets`, which gives it another.
    placed.dedup_by_key(|(seq, _)| *seq);
    if tx.backend_name() == "PostgreSQL" {
        let mut rows = Vec::with_capacity(placed.len());
        for (seq, one) in placed {
            rows.push((seq, one.id, vector(&one.words), vector(&one.open)));
        }
        for (seq, id, words, open) in rows {
            let mut sql = Sql::new(
                "INSERT INTO ticket_search (seq, ticket_id, words, open) OVERRIDING SYSTEM VALUE VALUES (",
            );
            sql.bind(seq).push(", ").bind(id).push(", CAST(").bind(words).push(" AS tsvector), CAST(");
            sql.bind(open).push(" AS tsvector)) ON CONFLICT DO NOTHING");
            sql.run(tx).await?;
        }
        return Ok(());
    }
    let ids: Vec<String> = placed.iter().map(|(_, one)| one.id.clone()).collect();
    let rows = placed.iter().map(|(seq, one)| vec![(*seq).into(), (&one.id).into()]).collect();
    insert_rows(tx, "INSERT INTO ticket_search (seq, ticket_id)", rows, " ON CONFLICT DO NOTHING").await?;
    let mut taken = BTreeSet::new();
    for row in select_keys(tx, "SELECT seq FROM ticket_search WHERE ticket_id IN ", ids, "").await? {
        taken.insert(row.try_get::<i64, _>(0)?);
    }
    let rows = placed.into_iter().filter(|(seq, _)| taken.contains(seq));
    let rows = rows.map(|(seq, one)| vec![seq.into(), one.words.into(), one.open.into()]).collect();
    insert_rows(tx, "INSERT INTO ticket_words (rowid, words, open)", rows, "").await
}

/// Terms as PostgreSQL writes a vector. Terms are letters and digits: there is nothing to escape.
fn vector(terms: &str) -> String {
    let placed = terms.split(' ').filter(|term| !term.is_empty()).take(POSITIONS).zip(1..);
    placed.map(|(term, n): (_, usize)| format!("'{term}':{n}")).collect::<Vec<_>>().join(" ")
}

/// A question as FTS5 reads it: every run a phrase, in one column or in both.
fn match_text(runs: &[Vec<String>], all: bool) -> String {
    let phrases: Vec<String> = runs.iter().map(|run| format!("\"{}\"", run.join(" "))).collect();
    let column = if all { "words" } else { "open" };
    format!("{{{column}}} : ({})", phrases.join(" AND "))
}

/// The same as PostgreSQL reads it.
fn query_text(runs: &[Vec<String>]) -> String {
    let phrase = |run: &Vec<String>| {
        let terms: Vec<String> = run.iter().map(|term| format!("'{term}'")).collect();
        format!("({})", terms.join(" <-> "))
    };
    runs.iter().map(phrase).collect::<Vec<_>>().join(" & ")
}

/// Writes what the ticket can be found by, as its row has it now.
pub(super) async fn index(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("SELECT title, content, brief, city_no, old_no FROM tickets WHERE id = ");
    sql.bind(id);
    let Some(row) = sql.one(tx).await? else { return Ok(()) };
    let texts: [Option<String>; 5] =
        [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
    let [title, content, brief, city_no, old_no] = texts.each_ref().map(Option::as_deref);
    let (words, open) = (
        search::terms([title, content, brief, city_no, old_no]),
        search::terms([title, brief, city_no, old_no]),
    );
    match tx.backend_name() {
        "PostgreSQL" => {
            let mut sql = Sql::new("INSERT INTO ticket_search (ticket_id, words, open) VALUES (");
            sql.bind(id).push(", CAST(").bind(vector(&words)).push(" AS tsvector), CAST(");
            sql.bind(vector(&open)).push(" AS tsvector)) ON CONFLICT (ticket_id) DO UPDATE SET ");
            sql.push("words = excluded.words, open = excluded.open");
            sql.run(tx).await?;
        }
        _ => {
            let mut sql = Sql::new("INSERT INTO ticket_search (ticket_id) VALUES (");
            sql.bind(id)
                .push(") ON CONFLICT (ticket_id) DO UPDATE SET ticket_id = excluded.ticket_id RETURNING seq");
            let Some(row) = sql.one(tx).await? else { return Ok(()) };
            let seq: i64 = row.try_get(0)?;
            let mut sql = Sql::new("DELETE FROM ticket_words WHERE rowid = ");
            sql.bind(seq);
            sql.run(tx).await?;
            let mut sql = Sql::new("INSERT INTO ticket_words (rowid, words, open) VALUES ");
            sql.tuple([seq.into(), words.into(), open.into()]);
            sql.run(tx).await?;
        }
    }
    Ok(())
}

impl Db {
    /// The newest tickets that fit.
    pub async fn search_tickets(&self, search: &TicketSearch) -> Result<Vec<Ticket>, StoreError> {
        let limit = i64::from(search.limit);
        let mut sql = Sql::new(COLUMNS);
        match &search.sought {
            Sought::Number(no) => {
                sql.push(" AND (old_no = ").bind(no).push(" OR (1 = 1");
                starts(&mut sql, no);
                sql.push("))");
            }
            Sought::Digits(digits) if search.callers => {
                sql.push(" AND (caller = ")
                    .bind(digits)
                    .push(" OR old_no = ")
                    .bind(digits)
                    .push(" OR (1 = 1");
                starts(&mut sql, digits);
                sql.push("))");
            }
            Sought::Digits(digits) => {
                sql.push(" AND (old_no = ").bind(digits).push(" OR (1 = 1");
                starts(&mut sql, digits);
                sql.push("))");
            }
            Sought::Words(runs) => return self.search_words(runs, search).await,
        }
        within(&mut sql, &search.scope);
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(limit);
        self.read_tickets(sql).await
    }

    async fn search_words(
        &self,
        runs: &[Vec<String>],
        search: &TicketSearch,
    ) -> Result<Vec<Ticket>, StoreError> {
        let mut sql = Sql::new("SELECT id FROM tickets JOIN ticket_search s ON s.ticket_id = id");
        match self.dialect() {
            Dialect::Sqlite => {
                // The words come newest first by themselves; the ticket is looked at for its scope.
                sql = Sql::new(
                    "SELECT id FROM ticket_words w CROSS JOIN ticket_search s ON s.seq = w.rowid \
                     CROSS JOIN tickets ON id = s.ticket_id WHERE ticket_words MATCH ",
                );
                sql.bind(match_text(runs, search.all));
                within(&mut sql, &search.scope);
                sql.push(" ORDER BY w.rowid DESC LIMIT ").bind(i64::from(search.limit));
            }
            Dialect::Postgres => {
                sql.push(if search.all { " WHERE s.words @@ CAST(" } else { " WHERE s.open @@ CAST(" });
                sql.bind(query_text(runs)).push(" AS tsquery)");
                within(&mut sql, &search.scope);
                sql.push(" ORDER BY s.seq DESC LIMIT ").bind(i64::from(search.limit));
            }
        }
        let rows = sql.read(&self.read).await?;
        let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(COLUMNS);
        sql.push(" AND id IN ").tuple(ids.iter().map(Into::into));
        let mut found = self.read_tickets(sql).await?;
        found.sort_by_key(|ticket| ids.iter().position(|id| *id == ticket.id));
        Ok(found)
    }

    /// Takes tickets that have texts and cannot be found yet, from before there was a search: the next of them behind `after`, by time and
    /// id. `None`: there are no more.
    pub async fn index_tickets(&self, after: &(i64, String)) -> Result<Option<(i64, String)>, StoreError> {
        let mut sql = Sql::new(
            "SELECT created_at, id FROM tickets WHERE (title IS NOT NULL OR content IS NOT NULL) AND NOT EXISTS \
             (SELECT 1 FROM ticket_search s WHERE s.ticket_id = tickets.id) AND (created_at, id) > ",
        );
        sql.tuple([after.0.into(), (&after.1).into()]).push(" ORDER BY created_at, id LIMIT ").bind(STRIDE);
        let rows = sql.read(&self.read).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let last = (last.try_get(0)?, last.try_get(1)?);
        let mut tx = self.begin(Durability::Refillable).await?;
        for row in &rows {
            let id: String = row.try_get(1)?;
            index(&mut tx, &id).await?;
        }
        tx.commit().await?;
        Ok(Some(last))
    }
}

/// By the beginning of the official number.
fn starts(sql: &mut Sql, digits: &str) {
    // Whatever the collation, digits sort as they are counted.
    let last = format!("{digits:9<LONGEST$}");
    sql.push(" AND no >= ").bind(digits).push(" AND no <= ").bind(last);
}
