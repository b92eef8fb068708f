//! What people write into a ticket. The row is locked while it is read and written, like the projector does, so neither
//! loses what the other has appended.

use super::chain::{self, Tail};
use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::knowledge::QUOTED;
use super::outbox;
use super::projector::SURVEY;
use super::sql::{Sql, Value, insert_rows};
use super::ticket::{Scope, Ticket, own_name, words};
use crate::ticket::cycle::{self, Matter, Tables};
use crate::ticket::life::{self, After, Before, Change, Fields, Goal, Refusal};
use serde_json::{Map, Value as Json, json};
use sqlx::Row as _;

/// A change with what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct TicketChange<'a> {
    /// Official number, id, or the id of the call whose draft it is.
    pub name: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// Milliseconds since 1970.
    pub at: i64,
    /// [`Ticket::version`] as the user has seen it.
    pub version: i64,
    pub change: &'a Change,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    Saved(Box<Ticket>),
    /// There is no such ticket.
    Unknown,
    /// Somebody was faster: its version now. Nothing was written.
    Changed(i64),
    /// Nothing was written, for these reasons.
    Refused(Vec<Refusal>),
}

const COLUMNS: &str = "SELECT id, no, state, type, category, street, lead, urgency, title, content, secrecy, accepted_at, \
    closed_at, seal_key, events, head, special, notify, safe_time, brief, tags, assist, complained_unit, complained_person, received_at FROM tickets \
    WHERE (no = ";

/// The citizen judges the call while the agent still writes, and the agent quotes answers while he does: neither is in anybody's way.
async fn only_besides(tx: &mut Tx, id: &str, seen: i64, now: i64) -> Result<bool, StoreError> {
    if seen > now {
        return Ok(false);
    }
    let mut sql = Sql::new("SELECT n FROM ticket_events WHERE ticket_id = ");
    sql.bind(id).push(" AND n > ").bind(seen);
    sql.push(" AND kind NOT IN ").tuple([SURVEY.into(), QUOTED.into(), outbox::PUSHED.into()]);
    Ok(sql.one(tx).await?.is_none())
}

impl Db {
    /// Changes a draft, or moves it to where it is final: all of it or nothing. What changes nothing writes nothing.
    pub async fn save_ticket(
        &self,
        wish: TicketChange<'_>,
        tables: &Tables,
    ) -> Result<SaveOutcome, StoreError> {
        let name = &*own_name(wish.name);
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new(COLUMNS);
        sql.bind(name).push(" OR id = ").bind(name).push(")");
        if self.dialect() == Dialect::Postgres {
            sql.push(" FOR UPDATE");
        }
        let Some(row) = sql.one(&mut tx).await? else { return Ok(SaveOutcome::Unknown) };
        let (id, no, state): (String, Option<String>, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let fields = Fields {
            kind: row.try_get(3)?,
            category: row.try_get(4)?,
            street: row.try_get(5)?,
            lead: row.try_get(6)?,
            urgency: row.try_get(7)?,
            title: row.try_get(8)?,
            content: row.try_get(9)?,
            brief: row.try_get(19)?,
            tags: listed(row.try_get(20)?),
            assist: listed(row.try_get(21)?),
            secrecy: row.try_get(10)?,
            special: row.try_get(16)?,
            notify: row.try_get(17)?,
            safe_time: row.try_get(18)?,
            complained_unit: row.try_get(22)?,
            complained_person: row.try_get(23)?,
        };
        let (mut accepted_at, mut closed_at): (Option<i64>, Option<i64>) =
            (row.try_get(11)?, row.try_get(12)?);
        // A sheet of paper says when the citizen said it.
        let received: Option<i64> = row.try_get(24)?;
        let accepted = received.unwrap_or(wish.at);
        let mut tail = Tail { key: row.try_get(13)?, n: row.try_get(14)?, head: row.try_get(15)? };
        let lines = tail.n;
        if lines != wish.version && !only_besides(&mut tx, &id, wish.version, tail.n).await? {
            return Ok(SaveOutcome::Changed(tail.n));
        }
        let before = Before { state: &state, numbered: no.is_some(), fields: &fields };
        let after = match life::change(before, wish.change, &tables.district) {
            Ok(after) => after,
            Err(reasons) => return Ok(SaveOutcome::Refused(reasons)),
        };

        let actor = ["user:", wish.user].concat();
        let mut links = Vec::new();
        if let Some((payload, personal)) = difference(&fields, &after) {
            links.push(tail.append(&id, wish.at, "saved", &actor, &payload, personal.as_ref()));
        }
        let mut began = None;
        if let Some(goal) = after.goal {
            let (mut payload, mut personal) = arrival(goal, &after);
            if goal == Goal::Accepted {
                // Its life begins in the very line that says so.
                let event = cycle::open(
                    matter(&after.fields),
                    after.fields.lead.clone(),
                    after.fields.assist.clone().unwrap_or_default(),
                    accepted,
                    tables,
                );
                let (_, open, sealed) = event.written();
                if let (Some(all), Json::Object(open)) = (payload.as_object_mut(), open) {
                    all.extend(open);
                }
                personal = sealed;
                began = cycle::Ticket::fold([(wish.at, &*actor, &event)]);
            }
            links.push(tail.append(&id, wish.at, goal.label(), &actor, &payload, personal.as_ref()));
            if goal != Goal::Void {
                accepted_at = Some(accepted);
            }
            if goal != Goal::Accepted {
                closed_at = Some(wish.at);
            }
        }
        if !links.is_empty() {
            let mut sql = Sql::new("UPDATE tickets SET state = ");
            match after.goal {
                Some(goal) => sql.bind(goal.label()),
                None => sql.bind(&state),
            };
            let assist = after.fields.assist.map(|units| units.join(","));
            // What the loop has is drawn from the loop.
            if let Some(cycle) = &began {
                let mut drawn = Sql::new("UPDATE tickets SET events = ");
                drawn.bind(tail.n);
                super::act::columns(&mut drawn, cycle, tables)?;
                sql = drawn;
            } else {
                for (name, value) in [
                    (", type = ", after.fields.kind),
                    (", category = ", after.fields.category),
                    (", street = ", after.fields.street),
                    (", lead = ", after.fields.lead),
                    (", urgency = ", after.fields.urgency),
                    (", assist = ", assist),
                    (", complained_unit = ", after.fields.complained_unit),
                    (", complained_person = ", after.fields.complained_person),
                ] {
                    sql.push(name).bind(value);
                }
                sql.push(", closed_at = ").bind(closed_at).push(", events = ").bind(tail.n);
            }
            let texts: [(&'static str, Value); 9] = [
                (", title = ", after.fields.title.into()),
                (", content = ", after.fields.content.into()),
                (", brief = ", after.fields.brief.into()),
                (", tags = ", after.fields.tags.map(|tags| tags.join(",")).into()),
                (", secrecy = ", after.fields.secrecy.unwrap_or_else(|| "normal".to_owned()).into()),
                (", special = ", after.fields.special.into()),
                (", notify = ", after.fields.notify.into()),
                (", safe_time = ", after.fields.safe_time.into()),
                (", accepted_at = ", accepted_at.into()),
            ];
            for (name, value) in texts {
                sql.push(name).bind(value);
            }
            // No call says who it is; the sheet does.
            if let Some(number) = after.contact.number.as_deref().filter(|_| received.is_some()) {
                let plain = |c: &char| !matches!(c, ' ' | '-');
                sql.push(", caller = ").bind(number.chars().filter(plain).collect::<String>());
            }
            sql.push(", head = ").bind(tail.head);
            sql.push(" WHERE id = ").bind(&id).push(" AND events = ").bind(lines);
            if sql.run(&mut tx).await? != 1 {
                return Err(StoreError::Away("the ticket changed although its row was locked".into()));
            }
            insert_rows(&mut tx, chain::INSERT, links, "").await?;
            super::search::index(&mut tx, &id).await?;
            // What was answered at once needs no receipt: he has heard the answer.
            if after.goal == Some(Goal::Accepted) {
                outbox::put_for(&mut tx, self.pushes(), &id, wish.at, &[outbox::accepted()]).await?;
            }
            tx.commit().await?;
        }
        match self.ticket(&id, &Scope::All).await? {
            Some(ticket) => Ok(SaveOutcome::Saved(Box::new(ticket))),
            None => Ok(SaveOutcome::Unknown),
        }
    }
}

/// What of the fields the loop goes by.
fn matter(fields: &Fields) -> Matter {
    Matter {
        kind: fields.kind.clone(),
        category: fields.category.clone(),
        street: fields.street.clone(),
        urgency: fields.urgency.clone(),
        special: fields.special.clone(),
        complained_unit: fields.complained_unit.clone(),
        complained_person: fields.complained_person.clone(),
    }
}

/// A column with commas between; nothing there is no list.
fn listed(column: Option<String>) -> Option<Vec<String>> {
    Some(words(column.as_deref())).filter(|list| !list.is_empty())
}

/// The fields that change: codes in the open, what the caller said sealed. `None` when none does.
fn difference(was: &Fields, after: &After) -> Option<(Json, Option<Json>)> {
    let new = &after.fields;
    let changed = |pairs: &[(&str, &Option<String>, &Option<String>)]| -> Map<String, Json> {
        pairs
            .iter()
            .filter(|(_, was, new)| was != new)
            .map(|(name, _, new)| ((*name).to_owned(), json!(new)))
            .collect()
    };
    let mut payload = changed(&[
        ("type", &was.kind, &new.kind),
        ("category", &was.category, &new.category),
        ("street", &was.street, &new.street),
        ("lead", &was.lead, &new.lead),
        ("urgency", &was.urgency, &new.urgency),
        ("secrecy", &was.secrecy, &new.secrecy),
        ("special", &was.special, &new.special),
        ("notify", &was.notify, &new.notify),
        ("safe_time", &was.safe_time, &new.safe_time),
        ("complained_unit", &was.complained_unit, &new.complained_unit),
    ]);
    if was.assist != new.assist {
        payload.insert("assist".into(), json!(new.assist.clone().unwrap_or_default()));
    }
    let mut personal = changed(&[
        ("title", &was.title, &new.title),
        ("content", &was.content, &new.content),
        ("brief", &was.brief, &new.brief),
        ("complained_person", &was.complained_person, &new.complained_person),
        ("name", &None, &after.contact.name),
        ("number", &None, &after.contact.number),
        ("address", &None, &after.contact.address),
    ]);
    // Words of the agent's own: they may tell who it is.
    if was.tags != new.tags {
        personal.insert("tags".into(), json!(new.tags.clone().unwrap_or_default()));
    }
    if payload.is_empty() && personal.is_empty() {
        return None;
    }
    Some((Json::Object(payload), (!personal.is_empty()).then_some(Json::Object(personal))))
}

/// What is written when the ticket gets there.
fn arrival(goal: Goal, after: &After) -> (Json, Option<Json>) {
    match goal {
        Goal::Accepted => (json!({"by": "agent"}), None),
        Goal::Closed => (json!({"by": "answered"}), None),
        // In his own words, which may name somebody.
        Goal::Void => (json!({}), Some(json!({"reason": after.reason}))),
    }
}
