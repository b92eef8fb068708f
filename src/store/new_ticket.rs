//! Tickets that don't come from a call: the desk's other channels, and the demo's.

use super::chain::{self, GENESIS, Link};
use super::code;
use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::setting;
use super::sql::{Sql, insert_rows};
use serde_json::{Value as Json, json};

/// A ticket as it is first written. Times in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct NewTicket {
    pub id: String,
    pub no: String,
    /// The look-up code; only its hash is kept.
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
        let key = chain::new_key()?;
        let mut history = History { new, key: &key, n: 0, head: GENESIS, rows: Vec::new() };
        let personal = json!({"caller": new.caller, "title": new.title, "content": new.content});
        history.append(
            new.created_at,
            "created",
            json!({"channel": new.channel, "category": new.category}),
            Some(personal),
        );
        history.append(new.created_at, "numbered", json!({"no": new.no}), None);
        if new.state != "accepted" {
            let at = new.closed_at.unwrap_or(new.created_at);
            history.append(at, "state", json!({"from": "accepted", "to": new.state, "lead": new.lead}), None);
        }
        let (n, head, rows) = (history.n, history.head, history.rows);
        let mut tx = self.begin(Durability::Full).await?;
        self.insert(&mut tx, new, &pepper, &key, n, head).await?;
        insert_rows(&mut tx, chain::INSERT, rows, "").await?;
        tx.commit().await?;
        Ok(())
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        new: &NewTicket,
        pepper: &[u8],
        key: &[u8; 32],
        n: i64,
        head: [u8; 32],
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO tickets (id, no, code_hash, state, channel, type, category, street, lead, assist, urgency, title, \
             content, caller, secrecy, created_at, accepted_at, due_at, closed_at, seal_key, events, head) VALUES ",
        );
        sql.tuple([
            (&new.id).into(),
            (&new.no).into(),
            code::hash(pepper, &new.id, &new.code).to_vec().into(),
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
            key.to_vec().into(),
            n.into(),
            head.to_vec().into(),
        ]);
        sql.run(tx).await?;
        Ok(())
    }
}

/// The links of a ticket under construction.
struct History<'a> {
    new: &'a NewTicket,
    key: &'a [u8; 32],
    n: i64,
    head: [u8; 32],
    rows: Vec<Vec<super::sql::Value>>,
}

impl History<'_> {
    fn append(&mut self, at: i64, kind: &str, payload: Json, personal: Option<Json>) {
        self.n += 1;
        let sealed = personal.map(|p| chain::seal(self.key, &self.new.id, self.n, &p)).unwrap_or_default();
        let link = Link {
            ticket: self.new.id.clone(),
            n: self.n,
            at,
            kind: kind.to_owned(),
            actor: self.new.actor.clone(),
            payload: payload.to_string(),
            sealed,
        };
        self.head = link.hash(&self.head);
        self.rows.push(link.row(self.head));
    }
}
