//! The city's 12345 in tables: its orders as tickets, what we tell it, what it says afterwards.

use super::act::Held;
use super::chain::{self, Tail};
use super::code;
use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::new_ticket::NewTicket;
use super::outbox;
use super::page::{Cursor, Page, Paged};
use super::setting;
use super::sql::{Sql, insert_rows};
use crate::channels::{Message, News, Order, Outgoing, Word};
use crate::outbox::{Kind, Push, To};
use crate::ticket::cycle::{self, CityWish, Hand, Matter, Step, Tables, Who, Wish};
use crate::ticket::life::Refusal;
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Who acts when it is the city.
const CITY: &str = "city";
/// The line of a history that says what the city said.
const SAID: &str = "city_message";
/// The place of its pushes.
const PLACE: &str = "city";
/// Lines of one ticket's exchange that are shown.
const LINES_MAX: i64 = 200;

/// Which ticket an order is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityReceipt {
    pub no: String,
    /// Written now; else this number had come before.
    pub fresh: bool,
    /// What came now says something else than what came first. Nothing was changed.
    pub differs: bool,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CityOutcome {
    /// It is written down, now or before.
    Done {
        no: Option<String>,
        fresh: bool,
    },
    /// There is no such ticket, or nothing was asked under that id.
    Unknown,
    Refused(Vec<Refusal>),
}

/// Something that went to the city or came from it.
#[derive(Clone, Debug, PartialEq)]
pub struct CityLine {
    pub id: String,
    pub ticket: String,
    pub no: Option<String>,
    pub city_no: Option<String>,
    /// It came from there.
    pub from_city: bool,
    /// A [`Word`] of ours, or `decision visit points`.
    pub kind: String,
    pub at: i64,
    /// Of a push: `queued held sent dead discarded`.
    pub state: Option<String>,
    pub receipt: Option<String>,
    pub payload: Json,
    /// What only the two may read; `None` where that is nothing, or erased.
    pub personal: Option<Json>,
}

/// What an order says, as one number that nobody without the pepper can try out.
fn digest(pepper: &[u8], order: &Order) -> Vec<u8> {
    code::hash(pepper, "city", &format!("{order:?}")).to_vec()
}

/// Puts what the city is to be told into the outbox, in the transaction of the lines it is about: each with the number of its line.
pub(super) async fn tell(
    tx: &mut Tx,
    ticket: &str,
    at: i64,
    told: Vec<(i64, Outgoing)>,
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(
        "SELECT no, city_no, type, category, street, urgency, title, content, brief, caller, secrecy FROM tickets WHERE id = ",
    );
    sql.bind(ticket);
    let Some(row) = sql.one(tx).await? else { return Ok(()) };
    let text = |n: usize| -> Result<Option<String>, StoreError> { Ok(row.try_get(n)?) };
    for (line, outgoing) in told {
        let mut payload = json!({"word": outgoing.word.label(), "no": text(0)?, "city_no": text(1)?,
            "at": stamp(at)});
        let mut personal = outgoing.personal;
        if outgoing.word == Word::Transfer {
            for (name, column) in
                [("type", 2), ("category", 3), ("street", 4), ("urgency", 5), ("secrecy", 10)]
            {
                payload[name] = json!(text(column)?);
            }
            personal["title"] = json!(text(6)?);
            // Who asked for secrecy goes with what units may read, and without his number.
            if text(10)?.as_deref() == Some("normal") {
                personal["content"] = json!(text(7)?);
                personal["number"] = json!(text(9)?);
            } else {
                personal["content"] = json!(text(8)?);
            }
        }
        if let (Some(all), Json::Object(open)) = (payload.as_object_mut(), outgoing.open) {
            all.extend(open);
        }
        let push = Push {
            key: format!("{ticket}:{line}:{}", Kind::City.label()),
            kind: Kind::City,
            to: To::Place(PLACE.to_owned()),
            ticket: Some(ticket.to_owned()),
            subject: outgoing.word.label().to_owned(),
            payload,
            personal: Some(personal).filter(|personal| !personal.is_null()),
            at,
            until: None,
            contact: false,
        };
        outbox::put(tx, &push).await?;
    }
    Ok(())
}

/// RFC 3339.
fn stamp(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

impl Db {
    /// Our number of the city's, if it is a ticket already.
    pub async fn city_ticket(&self, order: &Order) -> Result<Option<CityReceipt>, StoreError> {
        let mut sql = Sql::new(KNOWN);
        sql.bind(&order.city.no);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let pepper = setting::pepper(self).await?;
        known(&row, &pepper, order).map(Some)
    }

    /// The ticket of an order: one for each number of the city's, whoever sends it how often. `no` and `code` are used if it is new.
    pub async fn add_city_order(
        &self,
        order: &Order,
        no: &str,
        code: &str,
        at: i64,
        tables: &Tables,
    ) -> Result<CityReceipt, StoreError> {
        let pepper = setting::pepper(self).await?;
        let id = format!("t-{no}");
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("INSERT INTO city_orders (city_no, ticket_id, digest, at) VALUES ");
        sql.tuple([(&order.city.no).into(), (&id).into(), digest(&pepper, order).into(), at.into()]);
        sql.push(" ON CONFLICT (city_no) DO NOTHING");
        // Whoever sends the same number at this moment waits here, and then finds it.
        if sql.run(&mut tx).await? == 0 {
            let mut sql = Sql::new(KNOWN);
            sql.bind(&order.city.no);
            let row = sql.one(&mut tx).await?.ok_or_else(|| StoreError::Corrupt("city_orders".into()))?;
            return known(&row, &pepper, order);
        }
        let new = NewTicket {
            id: id.clone(),
            no: no.to_owned(),
            code: code.to_owned(),
            state: "accepted".into(),
            channel: "city12345".into(),
            kind: order.kind.clone(),
            category: order.category.clone().unwrap_or_default(),
            street: order.street.clone(),
            urgency: order.urgency.clone().unwrap_or_default(),
            title: order.title.clone(),
            content: order.content.clone(),
            caller: order.number.clone(),
            secrecy: order.secrecy.clone(),
            created_at: at,
            actor: CITY.into(),
            ..NewTicket::default()
        };
        let mut tail = Tail::fresh()?;
        let created = json!({"channel": new.channel, "category": order.category, "city_no": order.city.no});
        let personal = json!({"caller": new.caller, "title": new.title, "content": new.content,
            "name": order.name, "number": order.number, "address": order.address});
        let rows = vec![
            tail.append(&id, at, "created", CITY, &created, Some(&personal)),
            tail.append(&id, at, "numbered", "system", &json!({"no": no}), None),
        ];
        self.insert(&mut tx, &new, &pepper, tail).await?;
        insert_rows(&mut tx, chain::INSERT, rows, "").await?;
        if order.city.visits {
            // The city tells him, from the receipt to the verdict.
            let mut sql = Sql::new("UPDATE tickets SET notify = 'no_message' WHERE id = ");
            sql.bind(&id);
            sql.run(&mut tx).await?;
        }
        let Some((mut held, _)) = self.held(&mut tx, &id).await? else {
            return Err(StoreError::Corrupt("a ticket just written".into()));
        };
        let matter = Matter {
            kind: Some(order.kind.clone()),
            category: order.category.clone(),
            street: order.street.clone(),
            urgency: order.urgency.clone(),
            ..Matter::default()
        };
        held.append(at, CITY, &cycle::open_for_city(matter, order.city.clone(), at, tables));
        held.write(&mut tx, &Wish::default(), tables).await?;
        super::search::index(&mut tx, &id).await?;
        outbox::put_for(&mut tx, self.pushes(), &id, at, &[outbox::accepted()]).await?;
        tx.commit().await?;
        Ok(CityReceipt { no: no.to_owned(), fresh: true, differs: false })
    }

    /// Writes down what the city says, once, and lets its rulings do what they do.
    pub async fn take_city_message(
        &self,
        message: &Message,
        now: i64,
        tables: &Tables,
    ) -> Result<CityOutcome, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let Some((ticket, word)) = addressed(&mut tx, message).await? else {
            return Ok(CityOutcome::Unknown);
        };
        let Some((mut held, _)) = self.held(&mut tx, &ticket).await? else { return Ok(CityOutcome::Unknown) };
        let mut sql = Sql::new("SELECT no, seal_key FROM tickets WHERE id = ");
        sql.bind(&ticket);
        let Some(row) = sql.one(&mut tx).await? else { return Ok(CityOutcome::Unknown) };
        let (no, key): (Option<String>, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
        let payload = open_part(message, word);
        let personal = message.reason.as_ref().map(|reason| json!({"reason": reason}));
        let sealed = match (&personal, key) {
            (Some(personal), Some(key)) => Some(chain::seal_apart(&key, &about(&message.id), personal)?),
            _ => None,
        };
        let mut sql =
            Sql::new("INSERT INTO city_messages (id, ticket_id, kind, at, payload, sealed) VALUES ");
        sql.tuple([
            (&message.id).into(),
            (&ticket).into(),
            message.news.label().into(),
            now.into(),
            payload.to_string().into(),
            sealed.into(),
        ]);
        sql.push(" ON CONFLICT (id) DO NOTHING");
        if sql.run(&mut tx).await? == 0 {
            return Ok(CityOutcome::Done { no, fresh: false });
        }
        let events = match ruled(&held, message, word, now, tables) {
            Ok(events) => events,
            Err(reasons) => return Ok(CityOutcome::Refused(reasons)),
        };
        let mut told = Vec::new();
        for event in &events {
            held.append(now, CITY, event);
            told.push((event.step.label(), held.last().to_string()));
        }
        if events.is_empty() {
            held.line(now, SAID, CITY, &payload, personal.as_ref());
            held.write_lines(&mut tx).await?;
        } else {
            held.write(&mut tx, &Wish::default(), tables).await?;
            outbox::put_for(&mut tx, self.pushes(), &ticket, now, &told).await?;
        }
        tx.commit().await?;
        Ok(CityOutcome::Done { no, fresh: true })
    }

    /// What went to and fro about one ticket, oldest first.
    pub async fn city_exchange(&self, ticket: &str) -> Result<Vec<CityLine>, StoreError> {
        let mut sql = Sql::new(
            "SELECT o.id, o.ticket_id, t.no, t.city_no, o.subject, o.created_at, o.state, o.receipt, o.payload, o.sealed, t.seal_key \
             FROM outbox o JOIN tickets t ON t.id = o.ticket_id WHERE o.kind = 'city' AND o.ticket_id = ",
        );
        sql.bind(ticket).push(" ORDER BY o.created_at DESC, o.id DESC LIMIT ").bind(LINES_MAX);
        let mut lines = Vec::new();
        for row in sql.read(&self.read).await? {
            lines.push(sent(&row)?);
        }
        let mut sql = Sql::new(HEARD);
        sql.push(" AND ticket_id = ").bind(ticket);
        sql.push(" ORDER BY at DESC, id DESC LIMIT ").bind(LINES_MAX);
        for row in sql.read(&self.read).await? {
            lines.push(heard(&row)?);
        }
        lines.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(lines)
    }

    /// What the city said of any ticket, newest first; `kinds`: only these.
    pub async fn city_messages(&self, kinds: &[String], page: &Page) -> Result<Paged<CityLine>, StoreError> {
        let mut sql = Sql::new(HEARD);
        if !kinds.is_empty() {
            sql.and_field("kind", kinds);
        }
        page.close(&mut sql, " AND (at, id) < ", " ORDER BY at DESC, id DESC");
        let lines = sql.read(&self.read).await?.iter().map(heard).collect::<Result<_, _>>()?;
        Ok(page.cut(lines, |line: &CityLine| Cursor { at: line.at, id: line.id.clone() }))
    }
}

const KNOWN: &str =
    "SELECT t.no, c.digest FROM city_orders c JOIN tickets t ON t.id = c.ticket_id WHERE c.city_no = ";

fn known(row: &AnyRow, pepper: &[u8], order: &Order) -> Result<CityReceipt, StoreError> {
    let kept: Vec<u8> = row.try_get(1)?;
    Ok(CityReceipt { no: row.try_get(0)?, fresh: false, differs: kept != digest(pepper, order) })
}

const HEARD: &str = "SELECT * FROM (SELECT m.id, m.ticket_id, t.no, t.city_no, m.kind, m.at, m.payload, m.sealed, t.seal_key \
    FROM city_messages m JOIN tickets t ON t.id = m.ticket_id) x WHERE 1 = 1";

fn about(id: &str) -> String {
    ["city:", id].concat()
}

fn opened(key: Option<&[u8]>, of: &str, sealed: Option<Vec<u8>>) -> Option<Json> {
    sealed.and_then(|sealed| chain::open_apart(key, of, &sealed))
}

fn read(text: &str) -> Result<Json, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn sent(row: &AnyRow) -> Result<CityLine, StoreError> {
    let id: String = row.try_get(0)?;
    let key: Option<Vec<u8>> = row.try_get(10)?;
    let personal = opened(key.as_deref(), &id, row.try_get(9)?);
    Ok(CityLine {
        ticket: row.try_get(1)?,
        no: row.try_get(2)?,
        city_no: row.try_get(3)?,
        from_city: false,
        kind: row.try_get(4)?,
        at: row.try_get(5)?,
        state: row.try_get(6)?,
        receipt: row.try_get(7)?,
        payload: read(&row.try_get::<String, _>(8)?)?,
        personal: personal.map(|all| all["personal"].clone()).filter(|personal| !personal.is_null()),
        id,
    })
}

fn heard(row: &AnyRow) -> Result<CityLine, StoreError> {
    let id: String = row.try_get(0)?;
    let key: Option<Vec<u8>> = row.try_get(8)?;
    Ok(CityLine {
        ticket: row.try_get(1)?,
        no: row.try_get(2)?,
        city_no: row.try_get(3)?,
        from_city: true,
        kind: row.try_get(4)?,
        at: row.try_get(5)?,
        state: None,
        receipt: None,
        payload: read(&row.try_get::<String, _>(6)?)?,
        personal: opened(key.as_deref(), &about(&id), row.try_get(7)?),
        id,
    })
}

/// The ticket a message is about, and which word of ours it answers.
async fn addressed(tx: &mut Tx, message: &Message) -> Result<Option<(String, Option<Word>)>, StoreError> {
    let mut sql = match &message.news {
        News::Decision { about, .. } => {
            let mut sql = Sql::new(
                "SELECT o.ticket_id, o.subject, t.city_no FROM outbox o JOIN tickets t ON t.id = o.ticket_id WHERE o.kind = 'city' AND o.id = ",
            );
            sql.bind(about);
            sql
        }
        News::Visit { .. } | News::Points { .. } => {
            let mut sql =
                Sql::new("SELECT ticket_id, '' AS subject, city_no FROM city_orders WHERE city_no = ");
            sql.bind(message.city_no.as_deref().unwrap_or_default());
            sql
        }
    };
    sql.push(" LIMIT 1");
    let Some(row) = sql.one(tx).await? else { return Ok(None) };
    let (ticket, subject, city_no): (String, String, Option<String>) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let word = Word::read(&subject);
    let decision = matches!(message.news, News::Decision { .. });
    if decision && !word.is_some_and(Word::asks) {
        return Ok(None);
    }
    // Its number and what it answers belong together; one of ours gets its number by this very message.
    let other = message.city_no.is_some() && city_no.is_some() && message.city_no != city_no;
    Ok((!other).then_some((ticket, word)))
}

/// What of a message anybody may read who may read the ticket.
fn open_part(message: &Message, word: Option<Word>) -> Json {
    match &message.news {
        News::Decision { about, granted, until } => json!({"about": about, "granted": granted,
            "until": until.map(stamp), "word": word.map(Word::label), "city_no": message.city_no}),
        News::Visit { contacted, solved, satisfied } => {
            json!({"contacted": contacted, "solved": solved, "satisfied": satisfied})
        }
        News::Points { points } => json!({"points": points}),
    }
}

/// What a ruling does to the ticket; nothing where it changes nothing.
fn ruled(
    held: &Held,
    message: &Message,
    word: Option<Word>,
    now: i64,
    tables: &Tables,
) -> Result<Vec<cycle::Event>, Vec<Refusal>> {
    let (News::Decision { granted, until, .. }, Some(cycle)) = (&message.news, held.cycle()) else {
        return Ok(Vec::new());
    };
    let reason = message.reason.clone().unwrap_or_default();
    let wish = match word {
        Some(Word::Return) => CityWish::Return,
        Some(Word::Extension) => CityWish::Extension,
        Some(Word::Exclusion) => CityWish::Exclusion,
        Some(Word::Transfer) => {
            // Somebody may have written the receipt down by hand.
            if cycle.state != cycle::State::Transferred || cycle.is_over() {
                return Ok(Vec::new());
            }
            let step = if *granted { Step::TransferReceipt } else { Step::TransferRefused };
            let given = if *granted {
                Wish { city_no: message.city_no.clone(), ..Wish::default() }
            } else {
                Wish {
                    reason: Some(if reason.is_empty() { "-".to_owned() } else { reason }),
                    ..Wish::default()
                }
            };
            let who = Who { user: CITY, hands: &[Hand::Office], unit: None };
            return cycle::step(cycle, step, &given, who, now, tables);
        }
        _ => return Ok(Vec::new()),
    };
    Ok(cycle::answered(cycle, wish, *granted, *until, &reason, now, tables))
}
