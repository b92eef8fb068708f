//! The ticket loop in tables: one step of somebody, or of time, in one transaction with the lines of the history it makes.

use super::chain::{self, Tail};
use super::city;
use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::indicators::column;
use super::outbox;
use super::projector::SURVEY;
use super::sql::{Sql, Value, insert_rows};
use super::ticket::{Scope, Ticket, own_name, words};
use crate::channels;
use crate::ticket::cycle::{self, Clock, ClockName, Event, Matter, State, Step, Tables, Who, Wish};
use crate::ticket::indicators::{self, Indicator, MEASURE};
use crate::ticket::life::{Refusal, Why};
use serde_json::Value as Json;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Who acts when it is the citizen himself.
pub const CITIZEN: &str = "citizen";

/// Somebody does something to a ticket. A user without a name is the citizen.
#[derive(Clone, Copy, Debug)]
pub struct TicketAct<'a> {
    /// Official number or id.
    pub name: &'a str,
    pub who: Who<'a>,
    /// Milliseconds since 1970.
    pub at: i64,
    /// [`Ticket::version`] as he has seen it.
    pub version: i64,
    pub step: Step,
    pub wish: &'a Wish,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ActOutcome {
    Done(Box<Ticket>),
    Unknown,
    /// Somebody was faster: its version now. Nothing was written.
    Changed(i64),
    /// Nothing was written, for these reasons.
    Refused(Vec<Refusal>),
}

const COLUMNS: &str = "SELECT id, state, detail, seal_key, events, head, accepted_at, type, category, street, urgency, special, \
    lead, assist, complained_unit, complained_person FROM tickets WHERE (no = ";

/// Lines that need not have been seen by who acts: what the citizen said by keys, reminders, what was sent.
const HARMLESS: &str = " AND kind NOT IN ('reminded', 'late', 'opened', 'recalculated', 'pushed', 'voice_urged', 'split', 'revealed', 'city_message') AND kind <> ";

/// A ticket under its row's lock.
pub(super) struct Held {
    id: String,
    state: String,
    /// The loop so far; `None`: it has not begun.
    cycle: Option<cycle::Ticket>,
    tail: Tail,
    lines: i64,
    links: Vec<Vec<Value>>,
}

pub(super) fn detail(text: Option<&str>) -> Result<Option<cycle::Ticket>, StoreError> {
    text.map(|text| serde_json::from_str(text).map_err(|e| StoreError::Corrupt(e.to_string()))).transpose()
}

impl Held {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let text: Option<String> = row.try_get(2)?;
        let tail = Tail { key: row.try_get(3)?, n: row.try_get(4)?, head: row.try_get(5)? };
        Ok(Self {
            id: row.try_get(0)?,
            state: row.try_get(1)?,
            cycle: detail(text.as_deref())?,
            lines: tail.n,
            tail,
            links: Vec::new(),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }
    pub fn state(&self) -> &str {
        &self.state
    }
    pub const fn cycle(&self) -> Option<&cycle::Ticket> {
        self.cycle.as_ref()
    }
    /// Of its history, as it was read.
    pub const fn lines(&self) -> i64 {
        self.lines
    }

    /// The number of the last line, of those to be written too.
    pub const fn last(&self) -> i64 {
        self.tail.n
    }

    /// A line that is not the loop's.
    pub fn line(&mut self, at: i64, kind: &str, actor: &str, payload: &Json, personal: Option<&Json>) {
        self.links.push(self.tail.append(&self.id, at, kind, actor, payload, personal));
    }

    pub fn append(&mut self, at: i64, actor: &str, event: &Event) {
        let (kind, payload, personal) = event.written();
        self.links.push(self.tail.append(&self.id, at, kind, actor, &payload, personal.as_ref()));
        match &mut self.cycle {
            Some(cycle) => cycle.apply(at, actor, event),
            None => self.cycle = cycle::Ticket::fold([(at, actor, event)]),
        }
    }

    /// A ticket that was accepted before it had a loop, or by a voice message: it begins now, its clocks with the acceptance.
    pub fn begin(&mut self, row: &AnyRow, at: i64, tables: &Tables) -> Result<(), StoreError> {
        if self.cycle.is_some() || self.state != State::Accepted.label() {
            return Ok(());
        }
        let accepted_at: Option<i64> = row.try_get(6)?;
        let assist: Option<String> = row.try_get(13)?;
        let matter = Matter {
            kind: row.try_get(7)?,
            category: row.try_get(8)?,
            street: row.try_get(9)?,
            urgency: row.try_get(10)?,
            special: row.try_get(11)?,
            complained_unit: row.try_get(14)?,
            complained_person: row.try_get(15)?,
        };
        let accepted_at = accepted_at.unwrap_or(at);
        let event = cycle::open(matter, row.try_get(12)?, words(assist.as_deref()), accepted_at, tables);
        self.append(at, "system", &event);
        Ok(())
    }

    /// Row and lines, in this order: the row is locked, and says how many lines there were.
    pub async fn write(self, tx: &mut Tx, wish: &Wish, tables: &Tables) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE tickets SET events = ");
        sql.bind(self.tail.n).push(", head = ").bind(self.tail.head.clone());
        if let Some(cycle) = &self.cycle {
            columns(&mut sql, cycle, tables)?;
        }
        for (name, value) in [
            (", title = ", &wish.title),
            (", content = ", &wish.content),
            (", brief = ", &wish.brief),
            (", notify = ", &wish.notify),
            (", safe_time = ", &wish.safe_time),
            (", special = ", &wish.special),
        ] {
            if let Some(value) = value {
                sql.push(name).bind(Some(value).filter(|value| !value.is_empty()).cloned());
            }
        }
        if let Some(secrecy) = wish.secrecy.as_deref().filter(|secrecy| !secrecy.is_empty()) {
            sql.push(", secrecy = ").bind(secrecy);
        }
        let spoken = wish.title.is_some() || wish.content.is_some() || wish.brief.is_some();
        let id = self.id.clone();
        self.finish(sql, tx).await?;
        if spoken { super::search::index(tx, &id).await } else { Ok(()) }
    }

    /// Lines that move nothing.
    pub async fn write_lines(self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE tickets SET events = ");
        sql.bind(self.tail.n).push(", head = ").bind(self.tail.head.clone());
        self.finish(sql, tx).await
    }

    async fn finish(self, mut sql: Sql, tx: &mut Tx) -> Result<(), StoreError> {
        sql.push(" WHERE id = ").bind(&self.id).push(" AND events = ").bind(self.lines);
        if sql.run(tx).await? != 1 {
            return Err(StoreError::Away("the ticket changed although its row was locked".into()));
        }
        insert_rows(tx, chain::INSERT, self.links, "").await
    }
}

/// The row's columns that are drawn from the fold: `, name = value` each.
pub(super) fn columns(sql: &mut Sql, cycle: &cycle::Ticket, tables: &Tables) -> Result<(), StoreError> {
    let detail = serde_json::to_string(cycle).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let next = cycle.next();
    let subs: Vec<&str> = cycle.subs.iter().map(|sub| sub.unit.as_str()).collect();
    let matter = &cycle.matter;
    let list = |units: String| Some(units).filter(|units| !units.is_empty());
    let city_no = cycle.city_no.clone().or_else(|| cycle.city.as_ref().map(|city| city.order.no.clone()));
    let values: [(&'static str, Value); 22] = [
        (", state = ", cycle.state.label().into()),
        (", lead = ", (&cycle.lead).into()),
        (", assist = ", list(cycle.assist.join(",")).into()),
        (", type = ", (&matter.kind).into()),
        (", category = ", (&matter.category).into()),
        (", street = ", (&matter.street).into()),
        (", urgency = ", (&matter.urgency).into()),
        (", due_at = ", cycle.promised().into()),
        (", closed_at = ", cycle.closed_at.into()),
        (", detail = ", detail.into()),
        (", owner_role = ", cycle.owner.as_ref().map(|owner| owner.role.label()).into()),
        (", owner_unit = ", cycle.owner.as_ref().and_then(|owner| owner.unit.clone()).into()),
        (", next_due_at = ", next.as_ref().map(|clock| clock.due_at).into()),
        (", soon_at = ", next.as_ref().map(|clock| clock.at_pct(80)).into()),
        (", watch_at = ", cycle::watch_at(cycle, tables).into()),
        (", subs = ", list(subs.join(",")).into()),
        (", complained_unit = ", (&matter.complained_unit).into()),
        (", city_no = ", city_no.into()),
        (", complained_person = ", (&matter.complained_person).into()),
        (", counted = ", indicators::counts(cycle).into()),
        (", reasonable = ", (!cycle.unreasonable).into()),
        (", measured = ", MEASURE.into()),
    ];
    for (name, value) in values {
        sql.push(name).bind(value);
    }
    let weights = tables.rules.version(&cycle.rules).map(|rules| &rules.weights);
    for indicator in Indicator::ALL {
        let value = weights.and_then(|weights| indicators::value(cycle, indicator, weights));
        sql.push(", ").push(column(indicator)).push(" = ").bind(value);
    }
    Ok(())
}

impl Db {
    pub(super) async fn held(&self, tx: &mut Tx, name: &str) -> Result<Option<(Held, AnyRow)>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.bind(name).push(" OR id = ").bind(name).push(")");
        if self.dialect() == Dialect::Postgres {
            sql.push(" FOR UPDATE");
        }
        let Some(row) = sql.one(tx).await? else { return Ok(None) };
        Ok(Some((Held::read(&row)?, row)))
    }

    /// Does it, or says why not. All of it or nothing.
    pub async fn act_on_ticket(&self, act: TicketAct<'_>, tables: &Tables) -> Result<ActOutcome, StoreError> {
        let name = &*own_name(act.name);
        let mut tx = self.begin(Durability::Full).await?;
        if let Some(into) = &act.wish.into {
            self.lock_both(&mut tx, name, into).await?;
        }
        let Some((mut held, row)) = self.held(&mut tx, name).await? else { return Ok(ActOutcome::Unknown) };
        if held.lines != act.version
            && !unseen_is_harmless(&mut tx, &held.id, act.version, held.lines).await?
        {
            return Ok(ActOutcome::Changed(held.lines));
        }
        // Whose ticket it was is erased: nothing personal can be added, and there is nobody to act for.
        if held.tail.key.is_none() {
            let message = "its person was erased".to_owned();
            return Ok(ActOutcome::Refused(vec![Refusal { field: "state", why: Why::State, message }]));
        }
        held.begin(&row, act.at, tables)?;
        let Some(cycle) = &held.cycle else {
            let message = format!("not while it is {}", held.state);
            return Ok(ActOutcome::Refused(vec![Refusal { field: "state", why: Why::State, message }]));
        };
        let events = match cycle::step(cycle, act.step, act.wish, act.who, act.at, tables) {
            Ok(events) => events,
            Err(reasons) => return Ok(ActOutcome::Refused(reasons)),
        };
        if let Some(into) = &act.wish.into
            && !goes_on(&mut tx, into, &held.id).await?
        {
            let message = "into: no open ticket has this number".to_owned();
            return Ok(ActOutcome::Refused(vec![Refusal { field: "into", why: Why::UnknownCode, message }]));
        }
        // Nobody of ours: the citizen himself, by number and code.
        let actor =
            if act.who.user.is_empty() { CITIZEN.to_owned() } else { ["user:", act.who.user].concat() };
        let id = held.id.clone();
        let (mut told, mut city) = (Vec::new(), Vec::new());
        for event in &events {
            held.append(act.at, &actor, event);
            told.push((event.step.label(), held.tail.n.to_string()));
            let outgoing = held.cycle.as_ref().and_then(|cycle| channels::outgoing(cycle, event));
            city.extend(outgoing.map(|outgoing| (held.tail.n, outgoing)));
        }
        let written = events.first().map(|event| event.wish.clone()).unwrap_or_default();
        held.write(&mut tx, &written, tables).await?;
        outbox::put_for(&mut tx, self.pushes(), &id, act.at, &told).await?;
        if self.pushes().tells_city() {
            city::tell(&mut tx, &id, act.at, city).await?;
        }
        tx.commit().await?;
        match self.ticket(&id, &Scope::All).await? {
            Some(ticket) => Ok(ActOutcome::Done(Box::new(ticket))),
            None => Ok(ActOutcome::Unknown),
        }
    }

    /// Two tickets of which one goes into the other, always in the same order: who merges them crosswise at once waits, and then finds
    /// that the other is over.
    async fn lock_both(&self, tx: &mut Tx, one: &str, other: &str) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Postgres {
            let mut sql = Sql::new("SELECT id FROM tickets WHERE no IN ");
            sql.tuple([one.into(), other.into()]).push(" OR id IN ").tuple([one.into(), other.into()]);
            sql.push(" ORDER BY id FOR UPDATE");
            sql.rows(tx).await?;
        }
        Ok(())
    }

    /// Lets time do to the ticket what has come due; whether anything had.
    pub async fn tick_ticket(&self, id: &str, now: i64, tables: &Tables) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let Some((mut held, row)) = self.held(&mut tx, id).await? else { return Ok(false) };
        held.begin(&row, now, tables)?;
        let mut told = Vec::new();
        // Clocks that are counted again may be over at once.
        for _ in 0..2 {
            let events = held.cycle.as_ref().map_or_else(Vec::new, |cycle| cycle::due(cycle, now, tables));
            for event in &events {
                held.append(now, "system", event);
                told.push((event.step.label(), held.tail.n.to_string()));
            }
        }
        let any = !held.links.is_empty();
        if any {
            held.write(&mut tx, &Wish::default(), tables).await?;
            outbox::put_for(&mut tx, self.pushes(), id, now, &told).await?;
            tx.commit().await?;
        }
        Ok(any)
    }

    /// Counts some tickets again that were counted by older formulas; how many. Their history stays as it is.
    pub async fn measure_again(&self, limit: u32, tables: &Tables) -> Result<usize, StoreError> {
        let mut sql = Sql::new("SELECT id FROM tickets WHERE detail IS NOT NULL AND measured < ");
        sql.bind(MEASURE).push(" ORDER BY measured, id LIMIT ").bind(i64::from(limit));
        let rows = sql.read(&self.read).await?;
        for row in &rows {
            let mut tx = self.begin(Durability::Refillable).await?;
            let id: String = row.try_get(0)?;
            let Some((held, _)) = self.held(&mut tx, &id).await? else { continue };
            let mut sql = Sql::new("UPDATE tickets SET events = ");
            sql.bind(held.tail.n);
            match super::verify::folded(&mut tx, &id, held.tail.key.as_deref()).await? {
                Some(cycle) => columns(&mut sql, &cycle, tables)?,
                None => {
                    sql.push(", measured = ").bind(MEASURE);
                    tracing::warn!(ticket = %id, "its history has no beginning: its rates stay as they are");
                }
            }
            held.finish(sql, &mut tx).await?;
            tx.commit().await?;
        }
        Ok(rows.len())
    }

    /// What was sent, in the history of the ticket; and, where that was the first contact with somebody who is only written to, that
    /// it was.
    pub(super) async fn note_push(
        &self,
        tx: &mut Tx,
        ticket: &str,
        now: i64,
        payload: &Json,
        contact: bool,
        tables: &Tables,
    ) -> Result<(), StoreError> {
        let Some((mut held, _)) = self.held(tx, ticket).await? else { return Ok(()) };
        let link = held.tail.append(&held.id, now, outbox::PUSHED, "system", payload, None);
        held.links.push(link);
        let open = held.cycle.as_ref().filter(|cycle| contact && !cycle.is_over());
        if let Some(clock) =
            open.and_then(|cycle| cycle.clock(ClockName::Contact)).filter(|c| c.met_at.is_none())
        {
            let mut event = Event::new(Step::Contact);
            event.clocks = vec![Clock { met_at: Some(now), ..clock.clone() }];
            event.wish = Wish { how: Some("sms".to_owned()), at: Some(now), ..Wish::default() };
            held.append(now, "system", &event);
        }
        held.write(tx, &Wish::default(), tables).await
    }

    /// Ids of tickets for which time has something to do: those whose moment has come, and those accepted without a loop.
    pub async fn tickets_to_watch(&self, now: i64, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut sql = Sql::new("SELECT id FROM tickets WHERE watch_at <= ");
        sql.bind(now).push(" ORDER BY watch_at, id LIMIT ").bind(i64::from(limit));
        let mut ids = Vec::new();
        for row in sql.read(&self.read).await? {
            ids.push(row.try_get(0)?);
        }
        let mut sql =
            Sql::new("SELECT id FROM tickets WHERE state = 'accepted' AND detail IS NULL ORDER BY id LIMIT ");
        sql.bind(i64::from(limit));
        for row in sql.read(&self.read).await? {
            ids.push(row.try_get(0)?);
        }
        Ok(ids)
    }

    /// Ids of open tickets in their order, from behind `after`: what is looked through once after a start, because a calendar may have
    /// come.
    pub async fn open_tickets(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut sql = Sql::new("SELECT id FROM tickets WHERE next_due_at IS NOT NULL AND id > ");
        sql.bind(after).push(" ORDER BY id LIMIT ").bind(i64::from(limit));
        sql.read(&self.read).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

async fn unseen_is_harmless(tx: &mut Tx, id: &str, seen: i64, now: i64) -> Result<bool, StoreError> {
    if seen > now {
        return Ok(false);
    }
    let mut sql = Sql::new("SELECT n FROM ticket_events WHERE ticket_id = ");
    sql.bind(id).push(" AND n > ").bind(seen).push(HARMLESS).bind(SURVEY);
    Ok(sql.one(tx).await?.is_none())
}

/// Whether another ticket with this number is open.
async fn goes_on(tx: &mut Tx, no: &str, own: &str) -> Result<bool, StoreError> {
    let mut sql = Sql::new("SELECT id FROM tickets WHERE next_due_at IS NOT NULL AND no = ");
    sql.bind(no).push(" AND id <> ").bind(own);
    Ok(sql.one(tx).await?.is_some())
}
