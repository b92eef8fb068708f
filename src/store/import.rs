//! Tickets from before this program: closed history under their own old numbers, with a chain of their own like all others.

use super::chain::{self, Tail};
use super::db::{Db, Durability};
use super::error::StoreError;
use super::search::{OldTerms, index_old};
use super::sql::{Value, insert_rows, select_keys};
use crate::ticket::old::OldTicket;
use crate::ticket::search;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What became of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub added: u64,
    /// Their number was there already: nothing was done.
    pub known: u64,
}

/// The id an old number gives: the same file again names the same tickets.
fn id_of(old_no: &str) -> String {
    let hash = Sha256::digest(old_no.as_bytes());
    hash.iter().take(16).fold("h-".to_owned(), |mut id, byte| {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

const INSERT: &str = "INSERT INTO tickets (id, old_no, state, channel, type, category, street, lead, urgency, title, content, brief, \
    caller, secrecy, complained_unit, created_at, accepted_at, closed_at, seal_key, events, head)";

impl Db {
    /// Adds those whose number is new, all in one transaction. With `dry` nothing is written. `at`: milliseconds since 1970.
    pub async fn import_tickets(
        &self,
        tickets: Vec<OldTicket>,
        at: i64,
        dry: bool,
    ) -> Result<Imported, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let ids: Vec<String> = tickets.iter().map(|ticket| id_of(&ticket.old_no)).collect();
        let mut seen = BTreeSet::new();
        for row in select_keys(&mut tx, "SELECT id FROM tickets WHERE id IN ", ids.clone(), "").await? {
            seen.insert(row.try_get::<String, _>(0)?);
        }
        let mut done = Imported::default();
        let (mut rows, mut links, mut terms) = (Vec::new(), Vec::new(), Vec::new());
        for (id, old) in ids.into_iter().zip(tickets) {
            if !seen.insert(id.clone()) {
                done.known += 1;
                continue;
            }
            done.added += 1;
            if dry {
                continue;
            }
            let mut tail = Tail::fresh()?;
            let open = json!({"old_no": old.old_no, "channel": old.channel, "category": old.category,
                "created_at": old.created_at, "closed_at": old.closed_at});
            let personal = json!({"caller": old.caller, "name": old.name, "number": old.caller, "address": old.address,
                "title": old.title, "content": old.content, "brief": old.brief, "result": old.result});
            links.push(tail.append(&id, at, "imported", "system", &open, Some(&personal)));
            let (title, content, brief) =
                (old.title.as_deref(), old.content.as_deref(), old.brief.as_deref());
            let no = Some(&*old.old_no);
            terms.push(OldTerms {
                id: id.clone(),
                created_at: old.created_at,
                words: search::terms([title, content, brief, no]),
                open: search::terms([title, brief, no]),
            });
            rows.push(vec![
                id.into(),
                old.old_no.into(),
                "closed".into(),
                old.channel.into(),
                old.kind.into(),
                old.category.into(),
                old.street.into(),
                old.lead.into(),
                old.urgency.into(),
                old.title.into(),
                old.content.into(),
                old.brief.into(),
                old.caller.into(),
                old.secrecy.into(),
                old.complained_unit.into(),
                old.created_at.into(),
                Value::from(old.created_at),
                old.closed_at.into(),
                tail.key.into(),
                tail.n.into(),
                tail.head.into(),
            ]);
        }
        if rows.is_empty() {
            return Ok(done);
        }
        insert_rows(&mut tx, INSERT, rows, "").await?;
        insert_rows(&mut tx, chain::INSERT, links, "").await?;
        index_old(&mut tx, terms).await?;
        tx.commit().await?;
        Ok(done)
    }
}
