//! Tickets that don't come from a call: the desk's other channels, and the demo's.

use super::chain::{self, Tail};
use super::code;
use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::outbox;
use super::setting;
use super::sql::{Sql, insert_rows};
use serde_json::{Value as Json, json};

/// A ticket as it is first written. Times in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct NewTicket {
    pub id: String,
    pub no: String,
    /// The look-up code; its hash is kept, and itself under the ticket's own key.
    pub code: String,
    pub state: String,
    pub channel: String,
    pub kind: String,
    pub category: String,
    pub street: Option<String>,
    pub lead: Option<String>,
    pub assist: Vec<String>,
    pub urgency: String,
    pub title: String,
    pub content: String,
    pub caller: Option<String>,
    pub secrecy: String,
    pub created_at: i64,
    pub due_at: Option<i64>,
    pub closed_at: Option<i64>,
    /// Who wrote it: `system`, or `user:<name>`.
    pub actor: String,
}

impl Db {
    /// Writes the ticket with the first links of its history. [`StoreError::Exists`] when its id or number is taken.
    pub async fn add_ticket(&self, new: &NewTicket) -> Result<(), StoreError> {
        let pepper = setting::pepper(self).await?;
        let mut tail = Tail::fresh()?;
        let mut append = |at, kind, payload: Json, personal: Option<&Json>| {
            tail.append(&new.id, at, kind, &new.actor, &payload, personal)
        };
        let personal = json!({"caller": new.caller, "title": new.title, "content": new.content});
        let created = json!({"channel": new.channel, "category": new.category});
        let mut rows = vec![
            append(new.created_at, "created", created, Some(&personal)),
            append(new.created_at, "numbered", json!({"no": new.no}), None),
        ];
        if new.state != "accepted" {
            let at = new.closed_at.unwrap_or(new.created_at);
            let moved = json!({"from": "accepted", "to": new.state, "lead": new.lead});
            rows.push(append(at, "state", moved, None));
        }
        let mut tx = self.begin(Durability::Full).await?;
        self.insert(&mut tx, new, &pepper, tail).await?;
        insert_rows(&mut tx, chain::INSERT, rows, "").await?;
        super::search::index(&mut tx, &new.id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        new: &NewTicket,
        pepper: &[u8],
        tail: Tail,
    ) -> Result<(), StoreError> {
        let code_sealed = outbox::seal_code(tail.key.as_deref(), &new.id, &new.code)?;
        let mut sql = Sql::new(
            "INSERT INTO tickets (id, no, code_hash, code_sealed, state, channel, type, category, street, lead, assist, urgency, title, \
             content, caller, secrecy, created_at, accepted_at, due_at, closed_at, seal_key, events, head) VALUES ",
        );
        sql.tuple([
            (&new.id).into(),
            (&new.no).into(),
            code::hash(pepper, &new.id, &new.code).to_vec().into(),
            code_sealed.into(),
            (&new.state).into(),
            (&new.channel).into(),
            (&new.kind).into(),
            (&new.category).into(),
            (&new.street).into(),
            (&new.lead).into(),
            (!new.assist.is_empty()).then(|| new.assist.join(",")).into(),
            (&new.urgency).into(),
            (&new.title).into(),
            (&new.content).into(),
            (&new.caller).into(),
            (&new.secrecy).into(),
            new.created_at.into(),
            new.created_at.into(),
            new.due_at.into(),
            new.closed_at.into(),
            tail.key.into(),
            tail.n.into(),
            tail.head.into(),
        ]);
        sql.run(tx).await?;
        Ok(())
    }
}
