//! Tickets as people read them: lists, one ticket, its history, the status a citizen asks for by number and code.

use super::act::detail;
use super::chain;
use super::code;
use super::db::{Db, Durability};
use super::error::StoreError;
use super::page::{Cursor, Page, Paged};
use super::projector::{SURVEY, ticket_id};
use super::setting;
use super::sql::Sql;
use crate::ticket::cycle;
use crate::ticket::district::District;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Wrong codes a ticket takes within [`LOCK_MS`], over telephone, web and Open311 together.
const TRIES: i64 = 5;
pub(super) const LOCK_MS: i64 = 3_600_000;

/// What tickets can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketField {
    State,
    No,
    Channel,
    Type,
    Category,
    Street,
    Lead,
    Urgency,
    Secrecy,
    Caller,
    /// The city's number.
    CityNo,
}

impl TicketField {
    pub const ALL: &[Self] = &[
        Self::State,
        Self::No,
        Self::Channel,
        Self::Type,
        Self::Category,
        Self::Street,
        Self::Lead,
        Self::Urgency,
        Self::Secrecy,
        Self::Caller,
        Self::CityNo,
    ];
    pub const fn label(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::No => "no",
            Self::Channel => "channel",
            Self::Type => "type",
            Self::Category => "category",
            Self::Street => "street",
            Self::Lead => "lead",
            Self::Urgency => "urgency",
            Self::Secrecy => "secrecy",
            Self::Caller => "caller",
            Self::CityNo => "city_no",
        }
    }
}

/// Whose tickets may be seen at all.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Scope {
    #[default]
    All,
    /// All but those that complain about this user, or a unit of `line`: his own and those above it; and, unless he is of the office, but
    /// those that are the office's alone.
    Person { line: Vec<String>, user: String, office: bool },
    /// Led or assisted by this unit, or passed down to it, and complaining neither about the user nor about a unit of `line`: its own
    /// and those above it.
    Unit { key: String, line: Vec<String>, user: String },
}

impl Scope {
    /// What the people of this unit may see.
    pub fn of_unit(unit: &str, user: &str, district: &District) -> Self {
        let line = district.line(unit).map(str::to_owned).collect();
        Self::Unit { key: unit.to_owned(), line, user: user.to_owned() }
    }
}

/// Which come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketOrder {
    #[default]
    Newest,
    /// Those that have to be seen to soonest; only those that somebody has.
    Due,
}

#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    pub fields: Vec<(TicketField, String)>,
    /// `created_at` from (included) and until (excluded), milliseconds since 1970.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// The tickets of one call.
    pub call: Option<String>,
    /// With an official number, or without.
    pub numbered: Option<bool>,
    /// Passed down to this unit.
    pub sub: Option<String>,
    pub order: TicketOrder,
    pub scope: Scope,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub id: String,
    pub no: Option<String>,
    /// The number it had before this program: it was imported, and is history.
    pub old_no: Option<String>,
    pub state: String,
    pub channel: String,
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub lead: Option<String>,
    pub assist: Vec<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    pub content: Option<String>,
    /// What the unit reads instead of `content`.
    pub brief: Option<String>,
    pub tags: Vec<String>,
    pub caller: Option<String>,
    pub secrecy: String,
    /// What kind of caller, how he may be told, when he may be called: see `ticket::life`.
    pub special: Option<String>,
    pub notify: Option<String>,
    pub safe_time: Option<String>,
    pub calls: Vec<String>,
    pub created_at: i64,
    pub accepted_at: Option<i64>,
    pub due_at: Option<i64>,
    pub closed_at: Option<i64>,
    /// Lines of its history so far: whoever changes it says which of them he has seen.
    pub version: i64,
    /// What the citizen said of it by keys after his calls, oldest first.
    pub surveys: Vec<Survey>,
    /// Whom it complains about: a unit, a user.
    pub complained_unit: Option<String>,
    pub complained_person: Option<String>,
    /// Units it was passed down to.
    pub subs: Vec<String>,
    /// Its life since the acceptance; `None` on drafts and what was answered at once.
    pub cycle: Option<cycle::Ticket>,
}

impl Ticket {
    /// By when the next thing has to be done.
    pub fn next_due_at(&self) -> Option<i64> {
        self.cycle.as_ref().and_then(|cycle| cycle.next()).map(|clock| clock.due_at)
    }
}

/// How many of a state there are in somebody's scope, how many of them are late, and how many soon will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxCount {
    pub state: String,
    pub count: i64,
    pub late: i64,
    pub soon: i64,
}

/// An answer by key; 1 is the best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    pub name: String,
    pub answer: String,
    pub key: String,
    pub at: i64,
}

/// One line of a ticket's history. `personal` is `None` when nothing personal belongs to it or its key was destroyed.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketEvent {
    pub n: i64,
    pub at: i64,
    pub kind: String,
    pub actor: String,
    pub payload: serde_json::Value,
    pub personal: Option<serde_json::Value>,
    pub hash: Vec<u8>,
}

/// What a citizen hears of his ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketStatus {
    pub state: String,
    pub lead: Option<String>,
    /// Milliseconds since 1970.
    pub due_at: Option<i64>,
    pub created_at: i64,
}

/// The answer to a number and a code. A wrong code, a number that doesn't exist and a locked ticket look the same
/// outside; the difference is for counters and alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusAnswer {
    Found(TicketStatus),
    None(NoStatus),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStatus {
    UnknownNumber,
    WrongCode,
    Locked,
}

pub(super) const COLUMNS: &str = "SELECT id, no, state, channel, type, category, street, lead, assist, urgency, title, content, \
    caller, secrecy, created_at, accepted_at, due_at, closed_at, events, special, notify, safe_time, \
    brief, tags, complained_unit, complained_person, subs, detail, old_no FROM tickets WHERE 1 = 1";

/// A column with commas between.
pub(super) fn words(column: Option<&str>) -> Vec<String> {
    column.iter().flat_map(|list| list.split(',')).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

fn ticket(row: &AnyRow) -> Result<Ticket, StoreError> {
    let assist: Option<String> = row.try_get(8)?;
    let tags: Option<String> = row.try_get(23)?;
    let subs: Option<String> = row.try_get(26)?;
    let folded: Option<String> = row.try_get(27)?;
    Ok(Ticket {
        id: row.try_get(0)?,
        no: row.try_get(1)?,
        old_no: row.try_get(28)?,
        state: row.try_get(2)?,
        channel: row.try_get(3)?,
        kind: row.try_get(4)?,
        category: row.try_get(5)?,
        street: row.try_get(6)?,
        lead: row.try_get(7)?,
        assist: words(assist.as_deref()),
        urgency: row.try_get(9)?,
        title: row.try_get(10)?,
        content: row.try_get(11)?,
        brief: row.try_get(22)?,
        tags: words(tags.as_deref()),
        caller: row.try_get(12)?,
        secrecy: row.try_get(13)?,
        calls: Vec::new(),
        created_at: row.try_get(14)?,
        accepted_at: row.try_get(15)?,
        due_at: row.try_get(16)?,
        closed_at: row.try_get(17)?,
        version: row.try_get(18)?,
        special: row.try_get(19)?,
        notify: row.try_get(20)?,
        safe_time: row.try_get(21)?,
        surveys: Vec::new(),
        complained_unit: row.try_get(24)?,
        complained_person: row.try_get(25)?,
        subs: words(subs.as_deref()),
        cycle: detail(folded.as_deref())?,
    })
}

/// A call's id stands for its draft; every other name for itself.
pub(super) fn own_name(name: &str) -> Cow<'_, str> {
    if name.starts_with("c-") { ticket_id(name, 1).into() } else { name.into() }
}

/// The scope is in SQL, not in pages: what is out of it is neither listed nor counted nor found.
/// What is the office's alone, once it is accepted.
const FOR_OFFICE: &str = " AND (special IS NULL OR special <> 'retaliation' OR state = 'draft')";

pub(super) fn within(sql: &mut Sql, scope: &Scope) {
    let (line, user) = match scope {
        Scope::All => return,
        Scope::Person { line, user, office } => {
            if !office {
                sql.push(FOR_OFFICE);
            }
            (line, user)
        }
        Scope::Unit { key, line, user } => {
            // What nobody has dispatched is the hotline's own: its lead is a guess, and secrecy may still be asked for.
            sql.push(
                " AND state NOT IN ('draft', 'missed', 'void', 'accepted', 'clarification', 'rejected', 'transferred') AND (lead = ",
            );
            sql.bind(key);
            has_word(sql.push(" OR "), "assist", key);
            has_word(sql.push(" OR "), "subs", key);
            sql.push(")");
            (line, user)
        }
    };
    if !line.is_empty() {
        sql.push(" AND (complained_unit IS NULL OR complained_unit NOT IN ");
        sql.tuple(line.iter().map(Into::into)).push(")");
    }
    sql.push(" AND (complained_person IS NULL OR complained_person <> ").bind(user).push(")");
}

/// What the filter leaves.
pub(super) fn narrowed(sql: &mut Sql, filter: &TicketFilter) {
    within(sql, &filter.scope);
    for (field, value) in &filter.fields {
        sql.and_field(field.label(), &super::call::alternatives(value));
    }
    if let Some(since) = filter.since {
        sql.push(" AND created_at >= ").bind(since);
    }
    if let Some(until) = filter.until {
        sql.push(" AND created_at < ").bind(until);
    }
    match filter.numbered {
        Some(true) => drop(sql.push(" AND no IS NOT NULL")),
        Some(false) => drop(sql.push(" AND no IS NULL")),
        None => {}
    }
    if let Some(call) = &filter.call {
        sql.push(" AND id IN (SELECT ticket_id FROM call_tickets WHERE call_id = ").bind(call).push(")");
    }
    if let Some(sub) = &filter.sub {
        has_word(sql.push(" AND "), "subs", sub);
    }
    if filter.order == TicketOrder::Due {
        sql.push(" AND next_due_at IS NOT NULL");
    }
}

/// Whether the word is in a column with commas between.
fn has_word(sql: &mut Sql, column: &'static str, word: &str) {
    let mut pattern = String::from("%,");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push_str(",%");
    sql.push("(',' || COALESCE(").push(column).push(", '') || ',') LIKE ").bind(pattern).push(" ESCAPE '\\'");
}

impl Db {
    pub async fn tickets(&self, filter: &TicketFilter, page: &Page) -> Result<Paged<Ticket>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        narrowed(&mut sql, filter);
        match filter.order {
            TicketOrder::Newest => {
                page.close(&mut sql, " AND (created_at, id) < ", " ORDER BY created_at DESC, id DESC");
            }
            TicketOrder::Due => {
                page.close(&mut sql, " AND (next_due_at, id) > ", " ORDER BY next_due_at, id");
            }
        }
        let rows = sql.read(&self.read).await?;
        let tickets = rows.iter().map(ticket).collect::<Result<Vec<_>, _>>()?;
        let place = |t: &Ticket| match filter.order {
            TicketOrder::Newest => t.created_at,
            TicketOrder::Due => t.next_due_at().unwrap_or(i64::MAX),
        };
        let mut page = page.cut(tickets, |t| Cursor { at: place(t), id: t.id.clone() });
        self.add_calls(&mut page.items).await?;
        Ok(page)
    }

    /// What a statement over [`COLUMNS`] gives.
    pub(super) async fn read_tickets(&self, sql: Sql) -> Result<Vec<Ticket>, StoreError> {
        let rows = sql.read(&self.read).await?;
        let mut tickets = rows.iter().map(ticket).collect::<Result<Vec<_>, _>>()?;
        self.add_calls(&mut tickets).await?;
        Ok(tickets)
    }

    /// How many tickets of each state there are in the scope. `now`: milliseconds since 1970.
    pub async fn ticket_boxes(&self, scope: &Scope, now: i64) -> Result<Vec<BoxCount>, StoreError> {
        let mut sql = Sql::new("SELECT state, COUNT(*), COUNT(CASE WHEN next_due_at < ");
        sql.bind(now).push(" THEN 1 END), COUNT(CASE WHEN soon_at <= ").bind(now);
        sql.push(" AND next_due_at >= ")
            .bind(now)
            .push(" THEN 1 END) FROM tickets WHERE next_due_at IS NOT NULL");
        within(&mut sql, scope);
        sql.push(" GROUP BY state ORDER BY state");
        let rows = sql.read(&self.read).await?;
        let count = |row: &AnyRow| {
            Ok(BoxCount {
                state: row.try_get(0)?,
                count: row.try_get(1)?,
                late: row.try_get(2)?,
                soon: row.try_get(3)?,
            })
        };
        rows.iter().map(count).collect()
    }

    /// By official number, by id, or a call's draft by the call's id.
    pub async fn ticket(&self, name: &str, scope: &Scope) -> Result<Option<Ticket>, StoreError> {
        let name = &*own_name(name);
        let mut sql = Sql::new(COLUMNS);
        within(&mut sql, scope);
        sql.push(" AND (no = ").bind(name).push(" OR id = ").bind(name);
        sql.push(" OR old_no = ").bind(name).push(")");
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let mut tickets = [ticket(&row)?];
        self.add_calls(&mut tickets).await?;
        let [mut ticket] = tickets;
        ticket.surveys = self.surveys(&ticket.id).await?;
        Ok(Some(ticket))
    }

    /// The history of the ticket with this id, oldest first.
    pub async fn ticket_events(&self, id: &str) -> Result<Vec<TicketEvent>, StoreError> {
        let mut key = Sql::new("SELECT seal_key FROM tickets WHERE id = ");
        key.bind(id);
        let Some(row) = key.read_one(&self.read).await? else { return Ok(Vec::new()) };
        let key: Option<Vec<u8>> = row.try_get(0)?;
        let mut sql = Sql::new(
            "SELECT n, at, kind, actor, payload, sealed, hash FROM ticket_events WHERE ticket_id = ",
        );
        sql.bind(id).push(" ORDER BY n");
        let mut events = Vec::new();
        for row in sql.read(&self.read).await? {
            let n: i64 = row.try_get(0)?;
            let payload: String = row.try_get(4)?;
            let sealed: Vec<u8> = row.try_get(5)?;
            events.push(TicketEvent {
                n,
                at: row.try_get(1)?,
                kind: row.try_get(2)?,
                actor: row.try_get(3)?,
                payload: serde_json::from_str(&payload).map_err(|e| StoreError::Corrupt(e.to_string()))?,
                personal: chain::open(key.as_deref(), id, n, &sealed),
                hash: row.try_get(6)?,
            });
        }
        Ok(events)
    }

    /// What a citizen may hear with number and code. `now`: milliseconds since 1970.
    ///
    /// The try is counted before the code is compared, so that many at once get no more tries than one after another;
    /// a right code gives its try back.
    pub async fn ticket_status(&self, no: &str, code: &str, now: i64) -> Result<StatusAnswer, StoreError> {
        let pepper = setting::pepper(self).await?;
        let mut sql = Sql::new(
            "SELECT id, code_hash, state, lead, due_at, created_at FROM tickets WHERE code_hash IS NOT NULL AND no = ",
        );
        sql.bind(no);
        let row = sql.read_one(&self.read).await?;
        // An unknown number costs the same work, on a row that stands for all of them.
        let id = row.as_ref().map(|row| row.try_get(0)).transpose()?.unwrap_or_else(|| "unknown".to_owned());
        let mut tx = self.begin(Durability::Full).await?;
        let mut count = Sql::new("INSERT INTO code_tries (ticket_id, since, tries) VALUES ");
        count.tuple([(&id).into(), now.into(), 1i64.into()]);
        count.push(" ON CONFLICT (ticket_id) DO UPDATE SET tries = CASE WHEN code_tries.since <= ");
        count
            .bind(now - LOCK_MS)
            .push(" THEN 1 ELSE code_tries.tries + 1 END, since = CASE WHEN code_tries.since <= ");
        count.bind(now - LOCK_MS).push(" THEN excluded.since ELSE code_tries.since END RETURNING tries");
        let tries: i64 = match count.one(&mut tx).await? {
            Some(row) => row.try_get(0)?,
            None => return Err(StoreError::Corrupt("code_tries".into())),
        };
        let given = code::hash(&pepper, &id, code);
        let kept: Vec<u8> = match &row {
            Some(row) => row.try_get(1)?,
            None => vec![0; 32],
        };
        let right = code::same(&given, &kept);
        let answer = match row {
            None => StatusAnswer::None(NoStatus::UnknownNumber),
            Some(_) if tries > TRIES => StatusAnswer::None(NoStatus::Locked),
            Some(_) if !right => StatusAnswer::None(NoStatus::WrongCode),
            Some(row) => {
                let mut back = Sql::new("UPDATE code_tries SET tries = tries - 1 WHERE ticket_id = ");
                back.bind(&id);
                back.run(&mut tx).await?;
                StatusAnswer::Found(TicketStatus {
                    state: row.try_get(2)?,
                    lead: row.try_get(3)?,
                    due_at: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                })
            }
        };
        tx.commit().await?;
        Ok(answer)
    }

    async fn surveys(&self, id: &str) -> Result<Vec<Survey>, StoreError> {
        let mut sql = Sql::new("SELECT at, payload FROM ticket_events WHERE ticket_id = ");
        sql.bind(id).push(" AND kind = ").bind(SURVEY).push(" ORDER BY n");
        let mut surveys = Vec::new();
        for row in sql.read(&self.read).await? {
            let payload: String = row.try_get(1)?;
            let payload: serde_json::Value =
                serde_json::from_str(&payload).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
            surveys.push(Survey {
                name: text("name"),
                answer: text("answer"),
                key: text("key"),
                at: row.try_get(0)?,
            });
        }
        Ok(surveys)
    }

    async fn add_calls(&self, tickets: &mut [Ticket]) -> Result<(), StoreError> {
        if tickets.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("SELECT ticket_id, call_id FROM call_tickets WHERE ticket_id IN ");
        sql.tuple(tickets.iter().map(|t| (&t.id).into()));
        sql.push(" ORDER BY ticket_id, call_id");
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in sql.read(&self.read).await? {
            found.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        for ticket in tickets {
            ticket.calls = found.remove(&ticket.id).unwrap_or_default();
        }
        Ok(())
    }
}
