//! Calls and tickets are n:m. One call's matter is split into several tickets (拆单); a call about an older matter is linked to that
//! matter's ticket, and its own draft ends there (关联). Also what there is already of the same caller and of the same place.

use super::chain::{self, Tail};
use super::code;
use super::db::{Db, Durability, Tx};
use super::error::StoreError;
use super::outbox;
use super::setting;
use super::sql::{Sql, insert_rows};
use super::ticket::{Scope, Ticket, own_name, within};
use crate::ticket::cycle::{self, State, Step, Tables, Who, Wish};
use crate::ticket::life::{Goal, Refusal, Why};
use serde_json::json;
use sqlx::Row as _;

/// Tickets of one call at most.
const TICKETS_OF_A_CALL: i64 = 8;
/// Similar tickets that are named; the others are counted.
const NAMED: i64 = 5;

/// One more ticket of the calls of `name`.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// Official number, id, or the id of the call whose draft it is.
    pub name: &'a str,
    pub user: &'a str,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The new ticket's number and look-up code.
    pub no: &'a str,
    pub code: &'a str,
}

/// The calls of a draft belong to an older ticket.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The draft, by number, id or call.
    pub name: &'a str,
    /// [`Ticket::version`] of the draft as it was seen.
    pub version: i64,
    /// Number of the ticket that goes on.
    pub into: &'a str,
    pub who: Who<'a>,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What the caller wanted of it: [`Step::Urge`], [`Step::Supplement`], or only to know.
    pub step: Option<Step>,
    pub wish: &'a Wish,
}

/// What came of a split or a link.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkOutcome {
    /// The new ticket; or the old one, with its new call.
    Done(Box<Ticket>),
    Unknown,
    /// Somebody was faster: its version now. Nothing was written.
    Changed(i64),
    Refused(Vec<Refusal>),
}

/// What is known already of a matter that somebody is writing down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Similar {
    /// Tickets of the same caller in the same matter, newest first.
    pub own: Vec<Ticket>,
    /// How many there are of the same matter in the same street.
    pub near: i64,
    /// When the last of those was written, milliseconds since 1970.
    pub near_at: Option<i64>,
    /// The newest of them.
    pub near_tickets: Vec<Ticket>,
}

/// What is looked for, and since when (milliseconds since 1970).
#[derive(Clone, Debug, Default)]
pub struct SimilarTo {
    pub category: String,
    pub street: Option<String>,
    pub caller: Option<String>,
    pub own_since: i64,
    pub near_since: i64,
    /// Id of the ticket that is being written.
    pub besides: Option<String>,
    pub scope: Scope,
}

fn refused(field: &'static str, why: Why, message: String) -> LinkOutcome {
    LinkOutcome::Refused(vec![Refusal { field, why, message }])
}

async fn calls_of(tx: &mut Tx, id: &str) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("SELECT call_id FROM call_tickets WHERE ticket_id = ");
    sql.bind(id).push(" ORDER BY call_id");
    sql.rows(tx).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn belongs(tx: &mut Tx, call: &str, ticket: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO call_tickets (call_id, ticket_id) VALUES ");
    sql.tuple([call.into(), ticket.into()]).push(" ON CONFLICT DO NOTHING");
    sql.run(tx).await?;
    Ok(())
}

impl Db {
    /// A draft beside `name`, for another matter of the same calls. What was asked of secrecy, of the kind of caller and of how he may be
    /// told holds for it too.
    pub async fn split_ticket(&self, split: Split<'_>) -> Result<LinkOutcome, StoreError> {
        let pepper = setting::pepper(self).await?;
        let mut tx = self.begin(Durability::Full).await?;
        let name = &*own_name(split.name);
        let Some((mut from, _)) = self.held(&mut tx, name).await? else { return Ok(LinkOutcome::Unknown) };
        let calls = calls_of(&mut tx, from.id()).await?;
        let Some(first) = calls.first() else {
            return Ok(refused("state", Why::State, "it came by no call".to_owned()));
        };
        if matches!(from.state(), "missed" | "void") {
            return Ok(refused("state", Why::State, format!("not while it is {}", from.state())));
        }
        let mut count = Sql::new("SELECT COUNT(*) FROM call_tickets WHERE call_id = ");
        count.bind(first);
        let many: i64 = match count.one(&mut tx).await? {
            Some(row) => row.try_get(0)?,
            None => 0,
        };
        if many >= TICKETS_OF_A_CALL {
            let message = format!("a call has {TICKETS_OF_A_CALL} tickets at most");
            return Ok(refused("state", Why::Limit, message));
        }
        // The number is nobody else's, so is the id.
        let id = format!("t-{}", split.no);
        let mut tail = Tail::fresh()?;
        let actor = ["user:", split.user].concat();
        let mut sql =
            Sql::new("SELECT channel, caller, secrecy, special, notify, safe_time FROM tickets WHERE id = ");
        sql.bind(from.id());
        let Some(row) = sql.one(&mut tx).await? else { return Ok(LinkOutcome::Unknown) };
        let (channel, caller): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let secrecy: String = row.try_get(2)?;
        let kept: [Option<String>; 3] = [row.try_get(3)?, row.try_get(4)?, row.try_get(5)?];
        let created = json!({"channel": channel, "calls": calls, "from": from.id()});
        let personal = caller.as_ref().map(|caller| json!({"caller": caller}));
        let mut rows = vec![
            tail.append(&id, split.at, "created", &actor, &created, personal.as_ref()),
            tail.append(&id, split.at, "numbered", &actor, &json!({"no": split.no}), None),
        ];
        let held = json!({"secrecy": secrecy, "special": kept[0], "notify": kept[1], "safe_time": kept[2]});
        rows.push(tail.append(&id, split.at, "saved", &actor, &held, None));
        let mut sql = Sql::new(
            "INSERT INTO tickets (id, no, code_hash, code_sealed, state, channel, caller, secrecy, special, notify, safe_time, created_at, \
             seal_key, events, head) VALUES ",
        );
        let [special, notify, safe_time] = kept;
        sql.tuple([
            (&id).into(),
            split.no.into(),
            code::hash(&pepper, &id, split.code).to_vec().into(),
            outbox::seal_code(tail.key.as_deref(), &id, split.code)?.into(),
            "draft".into(),
            channel.into(),
            caller.into(),
            secrecy.into(),
            special.into(),
            notify.into(),
            safe_time.into(),
            split.at.into(),
            tail.key.clone().into(),
            tail.n.into(),
            tail.head.clone().into(),
        ]);
        sql.run(&mut tx).await?;
        insert_rows(&mut tx, chain::INSERT, rows, "").await?;
        for call in &calls {
            belongs(&mut tx, call, &id).await?;
        }
        from.line(split.at, "split", &actor, &json!({"into": split.no}), None);
        from.write_lines(&mut tx).await?;
        tx.commit().await?;
        Ok(self
            .ticket(&id, &Scope::All)
            .await?
            .map_or(LinkOutcome::Unknown, |one| LinkOutcome::Done(Box::new(one))))
    }

    /// The draft's calls become the older ticket's too, and the draft is void: the citizen has one number for one matter. What he wanted of
    /// it is done in the same breath, or nothing is.
    pub async fn link_ticket(&self, link: Link<'_>, tables: &Tables) -> Result<LinkOutcome, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let (draft, into) = (&*own_name(link.name), &*own_name(link.into));
        // Both rows, always in the same order, so that two who link crosswise don't wait for each other.
        let (first, second) = if draft < into { (draft, into) } else { (into, draft) };
        let (Some(one), Some(other)) = (self.held(&mut tx, first).await?, self.held(&mut tx, second).await?)
        else {
            return Ok(LinkOutcome::Unknown);
        };
        let ((mut draft, _), (mut old, row)) = if draft < into { (one, other) } else { (other, one) };
        if draft.id() == old.id() {
            return Ok(refused("into", Why::UnknownCode, "into: another ticket".to_owned()));
        }
        if draft.lines() != link.version {
            return Ok(LinkOutcome::Changed(draft.lines()));
        }
        if draft.state() != "draft" {
            return Ok(refused("state", Why::Final, format!("it is {} by now", draft.state())));
        }
        if matches!(old.state(), "draft" | "missed" | "void") {
            return Ok(refused("into", Why::UnknownCode, "into: no ticket has this number".to_owned()));
        }
        let id = old.id().to_owned();
        old.begin(&row, link.at, tables)?;
        let actor = ["user:", link.who.user].concat();
        let calls = calls_of(&mut tx, draft.id()).await?;
        let told = json!({"calls": calls, "from": draft.id()});
        old.line(link.at, "linked", &actor, &told, None);
        let mut events_told = Vec::new();
        if let Some(step) = link.step {
            let Some(cycle) = old.cycle() else {
                let message = format!("not while it is {}", old.state());
                return Ok(refused("action", Why::State, message));
            };
            let events = match cycle::step(cycle, step, link.wish, link.who, link.at, tables) {
                Ok(events) => events,
                Err(reasons) => return Ok(LinkOutcome::Refused(reasons)),
            };
            for event in &events {
                old.append(link.at, &actor, event);
                events_told.push((event.step.label(), old.last().to_string()));
            }
        }
        old.write(&mut tx, &Wish::default(), tables).await?;
        draft.line(link.at, "linked", &actor, &json!({"into": link.into}), None);
        draft.line(link.at, Goal::Void.label(), &actor, &json!({"into": link.into}), None);
        let mut sql = Sql::new("UPDATE tickets SET state = 'void', closed_at = ");
        sql.bind(link.at).push(" WHERE id = ").bind(draft.id());
        sql.run(&mut tx).await?;
        draft.write_lines(&mut tx).await?;
        for call in &calls {
            belongs(&mut tx, call, &id).await?;
        }
        outbox::put_for(&mut tx, self.pushes(), &id, link.at, &events_told).await?;
        tx.commit().await?;
        Ok(self
            .ticket(&id, &Scope::All)
            .await?
            .map_or(LinkOutcome::Unknown, |one| LinkOutcome::Done(Box::new(one))))
    }

    /// Drafts among the tickets of a call: while there is one, the call is not written up.
    pub async fn drafts_of_call(&self, call: &str) -> Result<i64, StoreError> {
        let mut sql = Sql::new(
            "SELECT COUNT(*) FROM tickets WHERE state = 'draft' AND id IN (SELECT ticket_id FROM call_tickets WHERE call_id = ",
        );
        sql.bind(call).push(")");
        match sql.read_one(&self.read).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(0),
        }
    }

    /// What there is of the same caller in the same matter, and of the same matter in the same street.
    pub async fn similar_tickets(&self, to: &SimilarTo) -> Result<Similar, StoreError> {
        let mut similar = Similar::default();
        let over = [State::Rejected.label(), State::Withdrawn.label(), "draft", "missed", "void"];
        let besides = |sql: &mut Sql| {
            if let Some(id) = &to.besides {
                sql.push(" AND id <> ").bind(id);
            }
            sql.push(" AND state NOT IN ").tuple(over.map(Into::into));
            within(sql, &to.scope);
        };
        if let Some(caller) = &to.caller {
            let mut sql = Sql::new(super::ticket::COLUMNS);
            sql.push(" AND caller = ").bind(caller).push(" AND category = ").bind(&to.category);
            sql.push(" AND created_at >= ").bind(to.own_since);
            besides(&mut sql);
            sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(NAMED);
            similar.own = self.read_tickets(sql).await?;
        }
        if let Some(street) = &to.street {
            let place = |sql: &mut Sql| {
                sql.push(" AND street = ").bind(street).push(" AND category = ").bind(&to.category);
                sql.push(" AND created_at >= ").bind(to.near_since);
                besides(sql);
            };
            let mut sql = Sql::new("SELECT COUNT(*), MAX(created_at) FROM tickets WHERE 1 = 1");
            place(&mut sql);
            if let Some(row) = sql.read_one(&self.read).await? {
                (similar.near, similar.near_at) = (row.try_get(0)?, row.try_get(1)?);
            }
            let mut sql = Sql::new(super::ticket::COLUMNS);
            place(&mut sql);
            sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(NAMED);
            similar.near_tickets = self.read_tickets(sql).await?;
        }
        Ok(similar)
    }
}
