//! Tickets that don't come from a call: the desk's other channels, and the demo's.

use super::act::CITIZEN;
use super::chain::{self, Tail};
use super::code;
use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::outbox;
use super::setting;
use super::sql::{Sql, insert_rows};
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use sqlx::any::AnyRow;

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

/// A picture of a ticket: a JPEG in the folder of pictures, under this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// 32 hexadecimal digits.
    pub id: String,
    pub bytes: i64,
    /// Pixels.
    pub width: i64,
    pub height: i64,
}

/// What a citizen wrote on the public page.
#[derive(Clone, Copy, Debug)]
pub struct WebMessage<'a> {
    /// Of the form he filled in: sent twice, it is one message.
    pub token: &'a str,
    /// Its code is not used.
    pub ticket: &'a NewTicket,
    pub name: Option<&'a str>,
    pub address: Option<&'a str>,
    /// What must not come to whom he complains about.
    pub hide: Option<&'a str>,
    pub photos: &'a [Attachment],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebReceipt {
    pub no: String,
    pub code: String,
    /// Written now; else this very form had been sent before.
    pub fresh: bool,
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

    /// A citizen's message, once for each `token` of his form: number and code it has, whether it was written now or before.
    pub async fn add_web_message(&self, message: &WebMessage<'_>) -> Result<WebReceipt, StoreError> {
        let pepper = setting::pepper(self).await?;
        let new = message.ticket;
        // A token is a secret of the citizen's: only its hash is kept, and the code follows from it, so that it can be told again.
        let token = code::hash(&pepper, "web", message.token);
        let number = code::hash(&pepper, "web code", message.token);
        let digits = number.iter().fold(0u64, |sum, byte| (sum << 8 | u64::from(*byte)) % 1_000_000);
        let own = format!("{digits:06}");
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("INSERT INTO web_messages (token, ticket_id, at) VALUES ");
        sql.tuple([token.to_vec().into(), (&new.id).into(), new.created_at.into()])
            .push(" ON CONFLICT DO NOTHING");
        if sql.run(&mut tx).await? == 0 {
            let mut sql = Sql::new(
                "SELECT t.no FROM web_messages w JOIN tickets t ON t.id = w.ticket_id WHERE w.token = ",
            );
            sql.bind(token.to_vec());
            let Some(row) = sql.one(&mut tx).await? else {
                return Err(StoreError::Corrupt("web_messages".into()));
            };
            return Ok(WebReceipt { no: row.try_get(0)?, code: own, fresh: false });
        }
        let new = NewTicket { code: own.clone(), ..new.clone() };
        let mut tail = Tail::fresh()?;
        let created = json!({"channel": new.channel, "category": Json::Null, "photos": message.photos.len()});
        let personal = json!({"caller": new.caller, "title": new.title, "content": new.content,
            "name": message.name, "number": new.caller, "address": message.address, "hide": message.hide});
        let rows = vec![
            tail.append(&new.id, new.created_at, "created", CITIZEN, &created, Some(&personal)),
            tail.append(&new.id, new.created_at, "numbered", "system", &json!({"no": new.no}), None),
        ];
        self.insert(&mut tx, &new, &pepper, tail).await?;
        insert_rows(&mut tx, chain::INSERT, rows, "").await?;
        super::search::index(&mut tx, &new.id).await?;
        for photo in message.photos {
            let mut sql = Sql::new(
                "INSERT INTO attachments (id, ticket_id, bytes, width, height, at, by_whom) VALUES ",
            );
            sql.tuple([
                (&photo.id).into(),
                (&new.id).into(),
                photo.bytes.into(),
                photo.width.into(),
                photo.height.into(),
                new.created_at.into(),
                CITIZEN.into(),
            ]);
            sql.run(&mut tx).await?;
        }
        outbox::put_for(&mut tx, self.pushes(), &new.id, new.created_at, &[outbox::accepted()]).await?;
        tx.commit().await?;
        Ok(WebReceipt { no: new.no, code: own, fresh: true })
    }

    /// A ticket's pictures, oldest first.
    pub async fn attachments(&self, ticket: &str) -> Result<Vec<Attachment>, StoreError> {
        let mut sql = Sql::new("SELECT id, bytes, width, height FROM attachments WHERE ticket_id = ");
        sql.bind(ticket).push(" ORDER BY at, id");
        let of = |row: &AnyRow| {
            Ok(Attachment {
                id: row.try_get(0)?,
                bytes: row.try_get(1)?,
                width: row.try_get(2)?,
                height: row.try_get(3)?,
            })
        };
        sql.read(&self.read).await?.iter().map(of).collect()
    }

    pub(super) async fn insert(
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
            Some(&new.category).filter(|code| !code.is_empty()).cloned().into(),
            (&new.street).into(),
            (&new.lead).into(),
            (!new.assist.is_empty()).then(|| new.assist.join(",")).into(),
            Some(&new.urgency).filter(|urgency| !urgency.is_empty()).cloned().into(),
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
