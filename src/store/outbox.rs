//! Pushes in tables: written with the event that causes them, taken by one server at a time, recorded with what came of them.

use super::chain;
use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::page::{Cursor, Page, Paged};
use super::projector::record_of;
use super::sql::Sql;
use crate::base::Personal;
use crate::outbox::{
    About, Asked, Book, Kind, Next, NotNow, Outcome, Push, State, To, asked, plain, with_code,
};
use crate::ticket::cycle::Tables;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// The kind of a line of the history that says what was sent, or could not be.
pub(super) const PUSHED: &str = "pushed";
/// Lines of the history looked through for the number that the citizen gave.
const LINES_MAX: i64 = 32;
/// Calls of a ticket looked through for what agents said of the caller.
const CALLS_MAX: i64 = 16;
/// A message waits so long for the other tickets of its call, milliseconds.
const JOIN_MS: i64 = 90_000;
/// How the journal notes a life in danger.
const CRISIS: &str = "crisis";
/// Longest receipt of a receiver that is kept, characters.
const RECEIPT_MAX: usize = 128;
/// Rows erased in one transaction.
const STRIDE: i64 = 1_000;

/// A push that was taken to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// What a receiver knows a repetition by.
    pub id: String,
    pub key: String,
    pub kind: Kind,
    pub ticket: Option<String>,
    pub subject: String,
    /// A unit's code, or another name from the configuration.
    pub place: Option<String>,
    /// A person's number.
    pub number: Option<Personal>,
    pub payload: Json,
    /// What only the receiver may read.
    pub personal: Option<Json>,
    /// This try counted.
    pub tries: u32,
    pub until: Option<i64>,
    pub contact: bool,
    /// It was for a person or had something personal in it, and that is erased.
    pub erased: bool,
}

impl Letter {
    /// The text as the receiver gets it.
    pub fn text(&self) -> String {
        let code = self.personal.as_ref().and_then(|personal| personal["code"].as_str());
        with_code(self.payload["text"].as_str().unwrap_or_default(), code)
    }
}

/// A push as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: String,
    pub kind: Kind,
    pub ticket: Option<String>,
    pub no: Option<String>,
    pub subject: String,
    /// The unit, or the last four digits of a person's number.
    pub to: Option<String>,
    /// What is sent, its look-up code hidden.
    pub text: String,
    pub state: State,
    pub tries: u32,
    pub created_at: i64,
    pub due_at: i64,
    pub until: Option<i64>,
    pub reason: Option<String>,
    pub receipt: Option<String>,
    pub done_at: Option<i64>,
    pub by_user: Option<String>,
    pub by_reason: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct OutboxFilter {
    pub state: Vec<State>,
    pub kind: Vec<Kind>,
}

/// What somebody's wish came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskOutcome {
    Done(Box<OutboxRow>),
    Unknown,
    Refused(NotNow),
}

/// What the outbox holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    pub queued: u64,
    pub held: u64,
    pub dead: u64,
    /// When the oldest that is due was written; milliseconds since 1970.
    pub oldest: Option<i64>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    Written,
    /// Somebody else has taken it, or has decided about it.
    NotOurs,
}

/// The event of an acceptance: a ticket has one, by whichever way.
pub(super) fn accepted() -> (&'static str, String) {
    ("accepted", "accepted".to_owned())
}

/// The event of a silent caller's key: a call has one.
pub(super) fn silent_key() -> (&'static str, String) {
    ("silent_key", "silent".to_owned())
}

/// The event of a callback whose last try failed too.
pub(super) fn callback_given_up() -> (&'static str, String) {
    ("callback_given_up", "callback".to_owned())
}

/// The id of a key. Receivers see it, and read nothing in it.
fn id_of(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    hash.iter().take(12).fold("o-".to_owned(), |mut id, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// Puts a push into the outbox, in the transaction of what causes it. One whose key is there already changes nothing. One for a
/// person whose ticket's key was destroyed is not written: there is nobody to send it to.
pub(super) async fn put(tx: &mut Tx, push: &Push) -> Result<(), StoreError> {
    let id = id_of(&push.key);
    let (number, place) = match &push.to {
        To::Person(number) => (Some(number.reveal()), None),
        To::Place(place) => (None, Some(place.as_str())),
    };
    let sealed = if number.is_some() || push.personal.is_some() {
        let mut sql = Sql::new("SELECT seal_key FROM tickets WHERE id = ");
        sql.bind(push.ticket.as_deref().unwrap_or_default());
        let key: Option<Vec<u8>> = match sql.one(tx).await? {
            Some(row) => row.try_get(0)?,
            None => None,
        };
        let Some(key) = key else { return Ok(()) };
        Some(chain::seal_apart(&key, &id, &json!({"number": number, "personal": push.personal}))?)
    } else {
        None
    };
    let mut sql = Sql::new(
        "INSERT INTO outbox (id, key, kind, ticket_id, subject, place, payload, sealed, state, tries, created_at, due_at, \
         until_at, lease_until, contact) VALUES ",
    );
    sql.tuple([
        id.into(),
        (&push.key).into(),
        push.kind.label().into(),
        (&push.ticket).into(),
        (&push.subject).into(),
        place.into(),
        push.payload.to_string().into(),
        sealed.into(),
        State::Queued.label().into(),
        0_i64.into(),
        push.at.into(),
        push.at.into(),
        push.until.into(),
        0_i64.into(),
        push.contact.into(),
    ]);
    sql.push(" ON CONFLICT DO NOTHING");
    sql.run(tx).await?;
    Ok(())
}

/// Puts in what the book says is sent because of these events of a ticket: what happened, and its mark within the ticket. The
/// ticket's row and history are read as this transaction has left them.
pub(super) async fn put_for(
    tx: &mut Tx,
    book: &Book,
    ticket: &str,
    at: i64,
    events: &[(&'static str, String)],
) -> Result<(), StoreError> {
    if !events.iter().any(|(on, _)| book.knows(on)) {
        return Ok(());
    }
    let mut sql = Sql::new(
        "SELECT no, code_sealed, seal_key, caller, special, notify, secrecy, lead, complained_unit, urgency, due_at \
         FROM tickets WHERE id = ",
    );
    sql.bind(ticket);
    let Some(row) = sql.one(tx).await? else { return Ok(()) };
    let text = |column: usize| -> Result<Option<String>, StoreError> { Ok(row.try_get(column)?) };
    let (sealed, key): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(1)?, row.try_get(2)?);
    let code = sealed.and_then(|sealed| open_code(key.as_deref(), ticket, &sealed));
    let (no, caller, special, notify) = (text(0)?, text(3)?, text(4)?, text(5)?);
    let (secrecy, lead, complained, urgency) = (text(6)?, text(7)?, text(8)?, text(9)?);
    let number = match given_number(tx, ticket, key.as_deref()).await? {
        Some(number) => Some(number),
        None => caller,
    };
    let marks = marks(tx, ticket).await?;
    let accepted = events.iter().any(|event| *event == accepted());
    let beside = if accepted { beside(tx, ticket, number.as_deref()).await? } else { Beside::default() };
    let (no, code) = beside.joined(no, code);
    let about = About {
        ticket,
        no: no.as_deref(),
        code: code.as_deref(),
        number: number.as_deref(),
        special: special.as_deref(),
        marks: &marks,
        notify: notify.as_deref(),
        secrecy: secrecy.as_deref(),
        lead: lead.as_deref(),
        complained_unit: complained.as_deref(),
        urgency: urgency.as_deref(),
        // Of several matters each has its own day.
        due_at: if beside.taken.is_empty() { row.try_get(10)? } else { None },
    };
    let mut pushes: Vec<Push> =
        events.iter().flat_map(|(on, mark)| book.pushes(on, mark, at, &about)).collect();
    // What happened in one step is one message: the last, which says where it has come to.
    let last = pushes.iter().rposition(|push| push.kind == Kind::Sms);
    let mut place = 0;
    pushes.retain(|push| {
        place += 1;
        push.kind != Kind::Sms || Some(place - 1) == last
    });
    for push in &mut pushes {
        let to_citizen = push.kind == Kind::Sms;
        if to_citizen && !beside.taken.is_empty() {
            push.payload["with"] = beside.taken.iter().map(|other| other.ticket.as_str()).collect();
        }
        put(tx, push).await?;
        if to_citizen && beside.drafts {
            let mut sql = Sql::new("UPDATE outbox SET due_at = ");
            sql.bind(at + JOIN_MS).push(" WHERE tries = 0 AND id = ").bind(id_of(&push.key));
            sql.run(tx).await?;
        }
    }
    Ok(())
}

/// The other tickets of a call, when one of them is accepted: one message names all numbers.
#[derive(Debug, Default)]
struct Beside {
    /// The agent still writes another one: this message waits a little for it.
    drafts: bool,
    /// Those whose own message waited, and is not sent any more.
    taken: Vec<Other>,
}

#[derive(Debug)]
struct Other {
    ticket: String,
    no: String,
    code: Option<String>,
}

impl Beside {
    /// Numbers and codes in one order; no codes, where one of them is not known.
    fn joined(&self, no: Option<String>, code: Option<String>) -> (Option<String>, Option<String>) {
        let nos = self.taken.iter().map(|other| Some(other.no.clone())).chain([no]);
        let codes = self.taken.iter().map(|other| other.code.clone()).chain([code]);
        let join = |all: Option<Vec<String>>| all.map(|all| all.join("、"));
        (join(nos.collect()), join(codes.collect()))
    }
}

/// Looks for them, and takes the messages that wait for this one. Only to the same number: it goes where they would have gone.
async fn beside(tx: &mut Tx, ticket: &str, number: Option<&str>) -> Result<Beside, StoreError> {
    let mut sql = Sql::new(
        "SELECT DISTINCT t.id, t.state, t.no, t.code_sealed, t.seal_key FROM call_tickets y JOIN call_tickets x ON x.call_id = y.call_id \
         JOIN tickets t ON t.id = x.ticket_id WHERE y.ticket_id = ",
    );
    sql.bind(ticket).push(" AND t.id <> ").bind(ticket).push(" ORDER BY t.id LIMIT ").bind(CALLS_MAX);
    let mut found = Beside::default();
    for row in sql.rows(tx).await? {
        let (id, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        found.drafts |= state == "draft";
        let (no, sealed): (Option<String>, Option<Vec<u8>>) = (row.try_get(2)?, row.try_get(3)?);
        let key: Option<Vec<u8>> = row.try_get(4)?;
        let push = id_of(&[&id, ":", &accepted().1, ":", Kind::Sms.label()].concat());
        let mut sql = Sql::new("SELECT sealed FROM outbox WHERE state = 'queued' AND tries = 0 AND id = ");
        sql.bind(&push);
        let Some(waits) = sql.one(tx).await? else { continue };
        let waits: Option<Vec<u8>> = waits.try_get(0)?;
        let to = waits.and_then(|sealed| chain::open_apart(key.as_deref(), &push, &sealed));
        if to.as_ref().and_then(|to| to["number"].as_str()) != number.map(plain).as_deref() {
            continue;
        }
        let mut sql = Sql::new(
            "UPDATE outbox SET state = 'discarded', reason = 'joined' WHERE state = 'queued' AND tries = 0 AND id = ",
        );
        sql.bind(&push);
        // A server that has just taken it sends it: then this one goes alone.
        if let (1, Some(no)) = (sql.run(tx).await?, no) {
            let code = sealed.and_then(|sealed| open_code(key.as_deref(), &id, &sealed));
            found.taken.push(Other { ticket: id, no, code });
        }
    }
    Ok(found)
}

/// What kind of caller agents said he was, in any of the ticket's calls: a hurry may leave the ticket's own field empty.
async fn marks(tx: &mut Tx, ticket: &str) -> Result<Vec<String>, StoreError> {
    let mut sql =
        Sql::new("SELECT c.detail FROM call_tickets x JOIN calls c ON c.id = x.call_id WHERE x.ticket_id = ");
    sql.bind(ticket).push(" ORDER BY c.started_at DESC LIMIT ").bind(CALLS_MAX);
    let mut marks = Vec::new();
    for row in sql.rows(tx).await? {
        let record = record_of(&row.try_get::<String, _>(0)?)?;
        let marked = record.notes.into_iter().map(|(kind, _)| kind);
        marks.extend(marked.map(|kind| if kind == CRISIS { "suicide".to_owned() } else { kind }));
    }
    Ok(marks)
}

/// The number the citizen gave in words, which goes before the one he called from; the latest.
async fn given_number(tx: &mut Tx, ticket: &str, key: Option<&[u8]>) -> Result<Option<String>, StoreError> {
    let mut sql = Sql::new("SELECT n, sealed FROM ticket_events WHERE ticket_id = ");
    sql.bind(ticket).push(" AND kind IN ('saved', 'clarify', 'supplement') ORDER BY n DESC LIMIT ");
    sql.bind(LINES_MAX);
    for row in sql.rows(tx).await? {
        let (n, sealed): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let said = chain::open(key, ticket, n, &sealed);
        if let Some(number) = said.as_ref().and_then(|said| said["number"].as_str()).filter(|n| !n.is_empty())
        {
            return Ok(Some(number.to_owned()));
        }
    }
    Ok(None)
}

/// A ticket's look-up code under its own key.
pub(super) fn seal_code(key: Option<&[u8]>, ticket: &str, code: &str) -> Result<Option<Vec<u8>>, StoreError> {
    key.map(|key| chain::seal_apart(key, &code_of(ticket), &json!(code))).transpose()
}

fn open_code(key: Option<&[u8]>, ticket: &str, sealed: &[u8]) -> Option<String> {
    chain::open_apart(key, &code_of(ticket), sealed)?.as_str().map(str::to_owned)
}

fn code_of(ticket: &str) -> String {
    ["code:", ticket].concat()
}

const LETTER: &str = "SELECT o.id, o.key, o.kind, o.ticket_id, o.subject, o.place, o.payload, o.sealed, o.tries, o.until_at, o.contact, \
    t.seal_key FROM outbox o LEFT JOIN tickets t ON t.id = o.ticket_id WHERE o.id IN ";

fn letter(row: &AnyRow) -> Result<Letter, StoreError> {
    let id: String = row.try_get(0)?;
    let (sealed, key): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(7)?, row.try_get(11)?);
    let opened = sealed.as_ref().and_then(|sealed| chain::open_apart(key.as_deref(), &id, sealed));
    let place: Option<String> = row.try_get(5)?;
    let opens = |name: &str| opened.as_ref().map(|all| all[name].clone()).filter(|value| !value.is_null());
    Ok(Letter {
        key: row.try_get(1)?,
        kind: kind(&row.try_get::<String, _>(2)?)?,
        ticket: row.try_get(3)?,
        subject: row.try_get(4)?,
        number: opens("number").as_ref().and_then(Json::as_str).map(Personal::new),
        payload: read(&row.try_get::<String, _>(6)?)?,
        personal: opens("personal"),
        tries: count(row.try_get(8)?),
        until: row.try_get(9)?,
        contact: row.try_get::<i64, _>(10)? != 0,
        erased: opened.is_none() && (sealed.is_some() || place.is_none()),
        place,
        id,
    })
}

fn kind(text: &str) -> Result<Kind, StoreError> {
    Kind::read(text).ok_or_else(|| StoreError::Corrupt(format!("outbox: a kind {text:?}")))
}

fn read(text: &str) -> Result<Json, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

const ROW: &str = "SELECT * FROM (SELECT o.id, o.kind, o.ticket_id, t.no, o.subject, o.place, o.payload, o.sealed, o.state, o.tries, \
    o.created_at, o.due_at, o.until_at, o.reason, o.receipt, o.done_at, o.by_user, o.by_reason, t.seal_key \
    FROM outbox o LEFT JOIN tickets t ON t.id = o.ticket_id) x WHERE 1 = 1";

fn row_of(row: &AnyRow) -> Result<OutboxRow, StoreError> {
    let id: String = row.try_get(0)?;
    let (sealed, key): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(7)?, row.try_get(18)?);
    let number = sealed
        .and_then(|sealed| chain::open_apart(key.as_deref(), &id, &sealed))
        .and_then(|opened| opened["number"].as_str().map(tail));
    let payload = read(&row.try_get::<String, _>(6)?)?;
    let place: Option<String> = row.try_get(5)?;
    let state: String = row.try_get(8)?;
    let text = match payload["text"].as_str() {
        Some(text) => with_code(text, None),
        None => payload.to_string(),
    };
    Ok(OutboxRow {
        kind: kind(&row.try_get::<String, _>(1)?)?,
        ticket: row.try_get(2)?,
        no: row.try_get(3)?,
        subject: row.try_get(4)?,
        to: place.or(number),
        text,
        state: State::read(&state)
            .ok_or_else(|| StoreError::Corrupt(format!("outbox: a state {state:?}")))?,
        tries: count(row.try_get(9)?),
        created_at: row.try_get(10)?,
        due_at: row.try_get(11)?,
        until: row.try_get(12)?,
        reason: row.try_get(13)?,
        receipt: row.try_get(14)?,
        done_at: row.try_get(15)?,
        by_user: row.try_get(16)?,
        by_reason: row.try_get(17)?,
        id,
    })
}

/// The last four digits.
fn tail(number: &str) -> String {
    let skip = number.chars().count().saturating_sub(4);
    number.chars().skip(skip).collect()
}

impl Db {
    /// Takes pushes that are due, at most `limit`, for `lease_ms`: until then nobody else gets them. Each is counted as a try.
    /// `by` is drawn anew for each server and start.
    pub async fn take_letters(
        &self,
        now: i64,
        lease_ms: i64,
        by: &str,
        limit: u32,
    ) -> Result<Vec<Letter>, StoreError> {
        let mut due = Sql::new("SELECT id FROM outbox WHERE state = 'queued' AND due_at <= ");
        due.bind(now).push(" AND lease_until <= ").bind(now).push(" LIMIT 1");
        // Mostly there is nothing, and a transaction that writes is dear.
        if limit == 0 || due.read_one(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("SELECT id FROM outbox WHERE state = 'queued' AND due_at <= ");
        sql.bind(now).push(" AND lease_until <= ").bind(now).push(" ORDER BY due_at, id LIMIT ");
        sql.bind(i64::from(limit));
        if self.dialect() == Dialect::Postgres {
            sql.push(" FOR UPDATE SKIP LOCKED");
        }
        let ids: Vec<String> =
            sql.rows(&mut tx).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new("UPDATE outbox SET tries = tries + 1, lease_by = ");
        sql.bind(by).push(", lease_until = ").bind(now.saturating_add(lease_ms)).push(" WHERE id IN ");
        sql.tuple(ids.iter().map(Into::into));
        sql.run(&mut tx).await?;
        let mut sql = Sql::new(LETTER);
        sql.tuple(ids.iter().map(Into::into)).push(" ORDER BY o.due_at, o.id");
        let letters = sql.rows(&mut tx).await?.iter().map(letter).collect::<Result<_, _>>()?;
        tx.commit().await?;
        Ok(letters)
    }

    /// Writes down what a try came to, and in the ticket's history what was sent or given up. A delivery counts whoever has the
    /// lease by now; anything else only from who has it.
    pub async fn record_letter(
        &self,
        letter: &Letter,
        by: &str,
        outcome: &Outcome,
        next: Next,
        now: i64,
        tables: &Tables,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let over = matches!(next.state, State::Sent | State::Dead);
        if over && let Some(ticket) = &letter.ticket {
            // The ticket's row before the push's, like everybody who writes both.
            let mut sql = Sql::new("SELECT id FROM tickets WHERE id = ");
            sql.bind(ticket);
            if self.dialect() == Dialect::Postgres {
                sql.push(" FOR UPDATE");
            }
            sql.one(&mut tx).await?;
        }
        let receipt = match outcome {
            Outcome::Sent { receipt } => {
                receipt.as_ref().map(|text| text.chars().take(RECEIPT_MAX).collect())
            }
            Outcome::Later { .. } | Outcome::Never { .. } => None::<String>,
        };
        let mut sql = Sql::new("UPDATE outbox SET state = ");
        sql.bind(next.state.label()).push(", due_at = ").bind(next.due_at);
        sql.push(", lease_by = NULL, lease_until = 0, reason = ").bind(next.why.map(|why| why.to_string()));
        sql.push(", receipt = ").bind(receipt).push(", done_at = ").bind(over.then_some(now));
        sql.push(" WHERE state = 'queued' AND id = ").bind(&letter.id);
        if next.state != State::Sent {
            sql.push(" AND lease_by = ").bind(by);
        }
        if sql.run(&mut tx).await? == 0 {
            return Ok(Recorded::NotOurs);
        }
        if over && let Some(ticket) = &letter.ticket {
            let payload = json!({"push": letter.id, "kind": letter.kind.label(), "text": letter.subject,
                "result": next.state.label(), "reason": next.why.map(|why| why.to_string())});
            let contact = letter.contact && next.state == State::Sent;
            self.note_push(&mut tx, ticket, now, &payload, contact, tables).await?;
            let with = letter.payload["with"].as_array().into_iter().flatten();
            for other in with.filter_map(Json::as_str) {
                self.note_push(&mut tx, other, now, &payload, false, tables).await?;
            }
        }
        tx.commit().await?;
        Ok(Recorded::Written)
    }

    /// Test mode: it is kept as what would have been sent.
    pub async fn hold_letter(&self, letter: &Letter, by: &str) -> Result<Recorded, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(
            "UPDATE outbox SET state = 'held', tries = tries - 1, lease_by = NULL, lease_until = 0 WHERE state = 'queued' AND id = ",
        );
        sql.bind(&letter.id).push(" AND lease_by = ").bind(by);
        let held = sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(if held == 0 { Recorded::NotOurs } else { Recorded::Written })
    }

    pub async fn outbox(&self, filter: &OutboxFilter, page: &Page) -> Result<Paged<OutboxRow>, StoreError> {
        let mut sql = Sql::new(ROW);
        if !filter.state.is_empty() {
            let states: Vec<_> = filter.state.iter().map(|state| state.label().to_owned()).collect();
            sql.and_field("state", &states);
        }
        if !filter.kind.is_empty() {
            let kinds: Vec<_> = filter.kind.iter().map(|kind| kind.label().to_owned()).collect();
            sql.and_field("kind", &kinds);
        }
        page.close(&mut sql, " AND (created_at, id) < ", " ORDER BY created_at DESC, id DESC");
        let rows = sql.read(&self.read).await?.iter().map(row_of).collect::<Result<_, _>>()?;
        Ok(page.cut(rows, |row: &OutboxRow| Cursor { at: row.created_at, id: row.id.clone() }))
    }

    /// Somebody wants it tried again, or given up.
    pub async fn ask_outbox(
        &self,
        id: &str,
        wish: Asked,
        user: &str,
        reason: &str,
        now: i64,
    ) -> Result<AskOutcome, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("SELECT state, lease_until, until_at FROM outbox WHERE id = ");
        sql.bind(id);
        if self.dialect() == Dialect::Postgres {
            sql.push(" FOR UPDATE");
        }
        let Some(row) = sql.one(&mut tx).await? else { return Ok(AskOutcome::Unknown) };
        let state: String = row.try_get(0)?;
        let state =
            State::read(&state).ok_or_else(|| StoreError::Corrupt(format!("outbox: a state {state:?}")))?;
        let to = match asked(state, row.try_get::<i64, _>(1)? > now, row.try_get(2)?, now, wish) {
            Ok(to) => to,
            Err(why) => return Ok(AskOutcome::Refused(why)),
        };
        let mut sql = Sql::new("UPDATE outbox SET tries = 0, lease_until = 0, lease_by = NULL, state = ");
        sql.bind(to.label()).push(", due_at = ").bind(now);
        sql.push(", done_at = ").bind((to == State::Discarded).then_some(now));
        sql.push(", by_user = ").bind(user).push(", by_reason = ").bind(reason);
        sql.push(" WHERE id = ").bind(id);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        let mut sql = Sql::new(ROW);
        sql.push(" AND id = ").bind(id);
        match sql.read_one(&self.read).await? {
            Some(row) => Ok(AskOutcome::Done(Box::new(row_of(&row)?))),
            None => Ok(AskOutcome::Unknown),
        }
    }

    pub async fn outbox_counts(&self, now: i64) -> Result<OutboxCounts, StoreError> {
        let sql = Sql::new(
            "SELECT state, COUNT(*) FROM outbox WHERE state IN ('queued', 'held', 'dead') GROUP BY state",
        );
        let mut counts = OutboxCounts::default();
        for row in sql.read(&self.read).await? {
            let n = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0);
            match State::read(&row.try_get::<String, _>(0)?) {
                Some(State::Queued) => counts.queued = n,
                Some(State::Held) => counts.held = n,
                Some(State::Dead) => counts.dead = n,
                _ => {}
            }
        }
        let mut sql = Sql::new("SELECT MIN(created_at) FROM outbox WHERE state = 'queued' AND due_at <= ");
        sql.bind(now);
        if let Some(row) = sql.read_one(&self.read).await? {
            counts.oldest = row.try_get(0)?;
        }
        Ok(counts)
    }

    /// Erases whom pushes before `before` went to. The rows stay: they say what was sent, and that it is not sent again.
    pub async fn forget_recipients(&self, before: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.begin(Durability::Full).await?;
            let mut sql = Sql::new(
                "UPDATE outbox SET sealed = NULL WHERE id IN (SELECT id FROM outbox WHERE sealed IS NOT NULL AND created_at < ",
            );
            sql.bind(before).push(" ORDER BY created_at LIMIT ").bind(STRIDE).push(")");
            let some = sql.run(&mut tx).await?;
            tx.commit().await?;
            gone += some;
            if some < STRIDE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
