//! The projector: journal → tables, exactly once, whatever dies when.
//!
//! ```text
//!  read a batch ─▶ fold per call in memory ─▶ one transaction { rows, events, tickets, cursor } ─▶ next batch
//!        ▲                                                │ any failure
//!        └──── forget the memory, read the cursor again ◀─┘
//! ```
//!
//! The rule that always holds: a fact is in the tables if and only if its position is at or below the node's cursor,
//! because both change in the same transaction. The memory is only a cache of rows that have not ended; it is thrown away
//! whenever a commit's outcome is unknown.
//!
//! To project a new fact: an arm in [`super::fold::CallRecord::fold`] and in [`super::fold::event_of`].

use super::chain::{self, Tail};
use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::fold::{CallRecord, CallState, TicketNews, call_of, event_of};
use super::numbers::DutyTest;
use super::outbox;
use super::sql::{Sql, Value, insert_rows, select_keys};
use super::{code, setting};
use crate::base::CallId;
use crate::call::fact::{Fact, Stamped};
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Facts in one transaction. Large, so that on a busy day a call's facts come together and its row is written once.
const BATCH: usize = 16_384;
/// Calls kept in memory between batches; more are read from their rows again.
const OPEN_MAX: usize = 100_000;
/// How long the journal is left alone when it had nothing and nobody called.
const IDLE: Duration = Duration::from_millis(100);
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Where facts come from: one node's journal.
pub trait FactSource: Send + 'static {
    /// Appends to `out` the durable facts with a position over `after`, in order, at most `max`. Blocks on the disk only.
    fn read_after(&mut self, after: u64, max: usize, out: &mut Vec<Stamped>) -> Result<(), SourceError>;
}

#[derive(Debug, thiserror::Error)]
#[error("the journal cannot be read: {0}")]
pub struct SourceError(pub String);

impl FactSource for crate::journal::Reader {
    fn read_after(&mut self, after: u64, max: usize, out: &mut Vec<Stamped>) -> Result<(), SourceError> {
        Self::read_after(self, after, max, out).map_err(|error| SourceError(error.to_string()))
    }
}

/// What the projector is doing, for metrics.
#[derive(Debug, Default)]
pub struct ProjectorGauge {
    /// Position of the last fact in the tables.
    pub cursor: AtomicU64,
    pub facts: AtomicU64,
    pub batches: AtomicU64,
    /// Batches that failed and were tried again.
    pub failures: AtomicU64,
    /// Positions that were missing in the journal (cut, damaged or past their retention).
    pub skipped: AtomicU64,
    /// Milliseconds between the last written fact's stamp and its commit.
    pub lag_ms: AtomicU64,
    /// 1 while the last attempt succeeded.
    pub up: AtomicU64,
}

/// One node's projector.
#[derive(Debug)]
pub struct Projector {
    db: Db,
    node: u16,
    /// Cursor as far as known; `None` after a failure, until it has been read again.
    cursor: Option<u64>,
    open: BTreeMap<CallId, CallRecord>,
    pepper: Option<Vec<u8>>,
    gauge: Arc<ProjectorGauge>,
    /// What goes wrong at the next commit, once.
    #[cfg(test)]
    pub(super) fault: Option<CommitFault>,
}

#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum CommitFault {
    /// The connection broke before it.
    Lost,
    /// It succeeded, and the answer was lost.
    Unanswered,
}

impl Projector {
    pub fn new(db: Db, node: u16) -> Self {
        Self {
            db,
            node,
            cursor: None,
            open: BTreeMap::new(),
            pepper: None,
            gauge: Arc::default(),
            #[cfg(test)]
            fault: None,
        }
    }

    pub fn gauge(&self) -> Arc<ProjectorGauge> {
        Arc::clone(&self.gauge)
    }

    /// Runs until `stop` turns true, then writes what the journal still holds (for at most ten seconds). `more` may be
    /// notified when facts have become durable; without it the journal is asked ten times a second.
    pub async fn run(
        mut self,
        mut source: impl FactSource,
        more: Arc<Notify>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut backoff = BACKOFF_FIRST;
        let mut give_up: Option<tokio::time::Instant> = None;
        loop {
            if *stop.borrow() {
                let until =
                    *give_up.get_or_insert_with(|| tokio::time::Instant::now() + Duration::from_secs(10));
                if tokio::time::Instant::now() >= until {
                    tracing::warn!(
                        node = self.node,
                        "projector stopped before the journal's end; the next start goes on"
                    );
                    return;
                }
            }
            let after = match self.position().await {
                Ok(after) => after,
                Err(error) => {
                    self.failed(&error, &mut backoff, &mut stop).await;
                    continue;
                }
            };
            // The disk is read off the async threads; the source comes back with what it found.
            let read = tokio::task::spawn_blocking(move || {
                let mut facts = Vec::new();
                let outcome = source.read_after(after, BATCH, &mut facts);
                (source, facts, outcome)
            })
            .await;
            let Ok((returned, facts, outcome)) = read else {
                tracing::error!(node = self.node, "projector: reading the journal panicked; projecting ends");
                self.gauge.up.store(0, Relaxed);
                return;
            };
            source = returned;
            if let Err(error) = outcome {
                self.failed(&StoreError::Away(error.to_string()), &mut backoff, &mut stop).await;
                continue;
            }
            if facts.is_empty() {
                if *stop.borrow() {
                    return;
                }
                self.gauge.up.store(1, Relaxed);
                tokio::select! {
                    () = more.notified() => {}
                    () = tokio::time::sleep(IDLE) => {}
                    _ = stop.changed() => {}
                }
                continue;
            }
            match self.apply(&facts).await {
                Ok(()) => backoff = BACKOFF_FIRST,
                Err(error) => self.failed(&error, &mut backoff, &mut stop).await,
            }
        }
    }

    async fn failed(&mut self, error: &StoreError, backoff: &mut Duration, stop: &mut watch::Receiver<bool>) {
        self.gauge.failures.fetch_add(1, Relaxed);
        self.gauge.up.store(0, Relaxed);
        self.forget();
        tracing::warn!(node = self.node, %error, retry_ms = backoff.as_millis() as u64, "projector");
        tokio::select! {
            () = tokio::time::sleep(*backoff) => {}
            _ = stop.changed() => {}
        }
        *backoff = (*backoff * 2).min(BACKOFF_MAX);
    }

    fn forget(&mut self) {
        self.cursor = None;
        self.open.clear();
    }

    /// The cursor; reads it (and brings the tables up to date) when it is not known.
    pub async fn position(&mut self) -> Result<u64, StoreError> {
        if let Some(cursor) = self.cursor {
            return Ok(cursor);
        }
        self.db.migrate().await?;
        self.pepper = Some(setting::pepper(&self.db).await?);
        let mut sql = Sql::new("SELECT seq FROM projector_cursor WHERE node = ");
        sql.bind(i64::from(self.node));
        let row = sql.read_one(&self.db.read).await?;
        let cursor = row.map(|row| row.try_get::<i64, _>(0)).transpose()?.unwrap_or(0);
        let cursor = u64::try_from(cursor).map_err(|_| StoreError::Corrupt("projector_cursor".into()))?;
        self.cursor = Some(cursor);
        self.gauge.cursor.store(cursor, Relaxed);
        Ok(cursor)
    }

    /// Writes a batch in one transaction. On an error nothing of it is in the tables, or all of it is and the next
    /// reading of the cursor will show so.
    pub async fn apply(&mut self, facts: &[Stamped]) -> Result<(), StoreError> {
        let outcome = self.try_apply(facts).await;
        if outcome.is_err() {
            self.forget();
        }
        outcome
    }

    async fn try_apply(&mut self, facts: &[Stamped]) -> Result<(), StoreError> {
        let after = self.position().await?;
        let facts: Vec<&Stamped> = facts.iter().filter(|f| f.seq > after).collect();
        let Some(last) = facts.last().copied() else { return Ok(()) };
        let mut tx = self.db.begin(Durability::Refillable).await?;
        if let Err(moved) = self.move_cursor(&mut tx, after, last).await? {
            tracing::warn!(node = self.node, after, moved, "projector: another process has moved the cursor");
            return Err(StoreError::Away("the cursor was moved by another process".into()));
        }
        self.load(&mut tx, &facts).await?;

        let mut dirty = BTreeSet::new();
        let mut events = Vec::with_capacity(facts.len());
        let mut flows = Vec::new();
        let mut node_events = Vec::new();
        let mut tickets = TicketBatch::default();
        for stamped in &facts {
            let (kind, data) = event_of(&stamped.fact);
            let Some(call) = call_of(&stamped.fact) else {
                self.node_fact(
                    &mut tx,
                    stamped,
                    kind,
                    data,
                    &mut flows,
                    &mut node_events,
                    &mut dirty,
                    &mut tickets,
                )
                .await?;
                continue;
            };
            let record = self.open.entry(call).or_insert_with(|| CallRecord::new(call));
            let Some(news) = record.fold(stamped) else { continue };
            dirty.insert(call);
            events.push(vec![
                record.id.clone().into(),
                signed(stamped.seq).into(),
                stamped.wall_ms.into(),
                signed(stamped.mono_ns).into(),
                kind.into(),
                data.to_string().into(),
            ]);
            for item in news {
                tickets.note(record, stamped.wall_ms, item);
            }
        }

        insert_rows(
            &mut tx,
            "INSERT INTO call_events (call_id, seq, at, mono_ns, kind, data)",
            events,
            " ON CONFLICT (call_id, seq) DO NOTHING",
        )
        .await?;
        let promised = dirty.iter().filter_map(|call| self.open.get(call)).filter_map(callback_row).collect();
        insert_rows(&mut tx, CALLBACK_INSERT, promised, CALLBACK_UPDATE).await?;
        let rows =
            dirty.iter().filter_map(|call| self.open.get(call)).map(call_row).collect::<Result<_, _>>()?;
        insert_rows(&mut tx, CALL_INSERT, rows, CALL_UPDATE).await?;
        let tests: Vec<_> =
            dirty.iter().filter_map(|call| self.open.get(call)).filter_map(DutyTest::of_record).collect();
        for test in tests {
            test.write(&mut tx).await?;
        }
        let pepper = self.pepper.as_deref().unwrap_or_default();
        tickets.write(&mut tx, &self.db, pepper).await?;
        insert_rows(
            &mut tx,
            "INSERT INTO flows (node, seq, at, file, version, hash, refused)",
            flows,
            " ON CONFLICT (node, seq) DO NOTHING",
        )
        .await?;
        insert_rows(
            &mut tx,
            "INSERT INTO node_events (node, seq, at, kind, data)",
            node_events,
            " ON CONFLICT (node, seq) DO NOTHING",
        )
        .await?;
        self.commit(tx).await?;

        self.cursor = Some(last.seq);
        let missing = (last.seq - after).saturating_sub(facts.len() as u64);
        self.gauge.skipped.fetch_add(missing, Relaxed);
        self.gauge.cursor.store(last.seq, Relaxed);
        self.gauge.facts.fetch_add(facts.len() as u64, Relaxed);
        self.gauge.batches.fetch_add(1, Relaxed);
        self.gauge.up.store(1, Relaxed);
        let now = jiff::Timestamp::now().as_millisecond();
        self.gauge.lag_ms.store(u64::try_from(now - last.wall_ms).unwrap_or(0), Relaxed);
        // A report may follow the end: it finds the row. What is too much is found by its row as well.
        self.open.retain(|_, record| record.state != CallState::Ended);
        while self.open.len() > OPEN_MAX {
            self.open.pop_first();
        }
        Ok(())
    }

    async fn commit(&mut self, tx: Tx) -> Result<(), StoreError> {
        #[cfg(test)]
        if let Some(fault) = self.fault.take() {
            match fault {
                CommitFault::Lost => drop(tx),
                CommitFault::Unanswered => tx.commit().await?,
            }
            return Err(StoreError::Away("a fault".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Moves the cursor first: it also locks this node's row against a second projector. `Err` is where it is instead.
    async fn move_cursor(
        &self,
        tx: &mut Tx,
        after: u64,
        last: &Stamped,
    ) -> Result<Result<(), i64>, StoreError> {
        let mut sql = Sql::new("INSERT INTO projector_cursor (node, seq, at) VALUES ");
        sql.tuple([i64::from(self.node).into(), 0i64.into(), 0i64.into()]);
        sql.push(" ON CONFLICT (node) DO NOTHING");
        sql.run(tx).await?;
        let mut sql = Sql::new("UPDATE projector_cursor SET seq = ");
        sql.bind(signed(last.seq)).push(", at = ").bind(last.wall_ms);
        sql.push(" WHERE node = ").bind(i64::from(self.node)).push(" AND seq = ").bind(signed(after));
        if sql.run(tx).await? == 1 {
            return Ok(Ok(()));
        }
        let mut sql = Sql::new("SELECT seq FROM projector_cursor WHERE node = ");
        sql.bind(i64::from(self.node));
        let row = sql.one(tx).await?;
        Ok(Err(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0)))
    }

    /// Reads the rows of calls that this batch goes on with and the memory does not have.
    async fn load(&mut self, tx: &mut Tx, facts: &[&Stamped]) -> Result<(), StoreError> {
        // A call that begins in this batch has no row yet.
        let mut begun = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        for stamped in facts {
            let Some(call) = call_of(&stamped.fact) else { continue };
            if matches!(stamped.fact, Fact::CallArrived(_)) {
                begun.insert(call);
            } else if !begun.contains(&call) && !self.open.contains_key(&call) {
                unknown.insert(call);
            }
        }
        let keys = unknown.iter().map(CallId::to_string).collect();
        for row in select_keys(tx, "SELECT detail FROM calls WHERE id IN ", keys, "").await? {
            let record = record_of(&row.try_get::<String, _>(0)?)?;
            let call = record.id.parse().map_err(|_| StoreError::Corrupt(record.id.clone()))?;
            self.open.insert(call, record);
        }
        Ok(())
    }

    /// Facts of the node itself: flows in force or refused, starts and stops.
    #[expect(clippy::too_many_arguments, reason = "the parts of one batch under construction")]
    async fn node_fact(
        &mut self,
        tx: &mut Tx,
        stamped: &Stamped,
        kind: &'static str,
        data: Json,
        flows: &mut Vec<Vec<Value>>,
        node_events: &mut Vec<Vec<Value>>,
        dirty: &mut BTreeSet<CallId>,
        tickets: &mut TicketBatch,
    ) -> Result<(), StoreError> {
        let (node, seq, at) = (i64::from(self.node), signed(stamped.seq), stamped.wall_ms);
        match &stamped.fact {
            Fact::FlowLoaded { hash, file, version } => flows.push(vec![
                node.into(),
                seq.into(),
                at.into(),
                file.into(),
                version.into(),
                format!("{hash:016x}").into(),
                Value::Text(None),
            ]),
            Fact::FlowRefused { file, reason } => {
                flows.push(vec![
                    node.into(),
                    seq.into(),
                    at.into(),
                    file.into(),
                    "".into(),
                    "".into(),
                    reason.into(),
                ]);
            }
            Fact::Booted { node, boot, .. } => {
                for call in self.left_over(tx, *node, *boot).await? {
                    if let Some(record) = self.open.get_mut(&call)
                        && record.cut_by_restart(at)
                    {
                        dirty.insert(call);
                        tickets.note(record, at, TicketNews::Ended);
                    }
                }
            }
            _ => {}
        }
        node_events.push(vec![node.into(), seq.into(), at.into(), kind.into(), data.to_string().into()]);
        Ok(())
    }

    /// Calls of earlier boots that never ended: in rows, and in this batch's memory.
    async fn left_over(&mut self, tx: &mut Tx, node: u16, boot: u32) -> Result<Vec<CallId>, StoreError> {
        let mut sql = Sql::new("SELECT detail FROM calls WHERE state <> 'ended' AND id >= ");
        sql.bind(CallId { node, boot: 0, n: 0 }.to_string());
        sql.push(" AND id < ").bind(CallId { node, boot, n: 0 }.to_string());
        for row in sql.rows(tx).await? {
            let record = record_of(&row.try_get::<String, _>(0)?)?;
            let call: CallId = record.id.parse().map_err(|_| StoreError::Corrupt(record.id.clone()))?;
            self.open.entry(call).or_insert(record);
        }
        Ok(self.open.keys().filter(|c| c.node == node && c.boot < boot).copied().collect())
    }
}

/// The kind of a line that no person needs to have seen before he writes: it changes no field.
pub(super) const SURVEY: &str = "survey";

/// What a batch means for tickets, in order.
#[derive(Debug, Default)]
struct TicketBatch {
    news: Vec<(CallFace, i64, TicketNews)>,
}

/// What a ticket takes over from its call.
#[derive(Debug)]
struct CallFace {
    id: String,
    caller: String,
    called: String,
    trunk: String,
    started_at: i64,
    /// The last number drawn, which names the tickets this call has.
    numbers: u32,
}

/// A ticket's row as far as the projector moves it.
#[derive(Debug)]
struct Draft {
    new: bool,
    changed: bool,
    call: String,
    no: Option<String>,
    code_hash: Option<Vec<u8>>,
    code_sealed: Option<Vec<u8>>,
    state: String,
    created_at: i64,
    accepted_at: Option<i64>,
    closed_at: Option<i64>,
    caller: Option<String>,
    tail: Tail,
    /// What has happened that somebody outside may be told of, and when.
    told: Vec<((&'static str, String), i64)>,
}

impl TicketBatch {
    fn note(&mut self, record: &CallRecord, at: i64, news: TicketNews) {
        let face = CallFace {
            id: record.id.clone(),
            caller: record.caller.clone(),
            called: record.called.clone(),
            trunk: record.trunk.clone(),
            started_at: record.started_at,
            numbers: record.numbers,
        };
        self.news.push((face, at, news));
    }

    async fn write(self, tx: &mut Tx, db: &Db, pepper: &[u8]) -> Result<(), StoreError> {
        let mut drafts = self.load(tx, db.dialect()).await?;
        let (mut links, mut tags) = (Vec::new(), Vec::new());
        for (face, at, news) in self.news {
            if let TicketNews::Tagged { nth, tag } = &news {
                tags.push((ticket_id(&face.id, *nth), *tag));
            }
            apply_news(&mut drafts, &mut links, &face, at, news, pepper)?;
        }
        let mut rows = Vec::new();
        let mut pairs = Vec::new();
        let mut told = Vec::new();
        for (id, draft) in drafts {
            if !draft.changed {
                continue;
            }
            told.extend(draft.told.into_iter().map(|(event, at)| (id.clone(), event, at)));
            if draft.new {
                pairs.push(vec![draft.call.into(), Value::from(&id)]);
            }
            rows.push(vec![
                id.into(),
                draft.no.into(),
                draft.code_hash.into(),
                draft.code_sealed.into(),
                draft.state.into(),
                "phone".into(),
                draft.caller.into(),
                "normal".into(),
                draft.created_at.into(),
                draft.accepted_at.into(),
                draft.closed_at.into(),
                draft.tail.key.into(),
                draft.tail.n.into(),
                draft.tail.head.into(),
            ]);
        }
        insert_rows(tx, TICKET_INSERT, rows, TICKET_UPDATE).await?;
        for (id, tag) in tags {
            add_tag(tx, &id, tag).await?;
        }
        insert_rows(
            tx,
            "INSERT INTO call_tickets (call_id, ticket_id)",
            pairs,
            " ON CONFLICT (call_id, ticket_id) DO NOTHING",
        )
        .await?;
        insert_rows(tx, chain::INSERT, links, "").await?;
        for (id, event, at) in told {
            outbox::put_for(tx, db.pushes(), &id, at, &[event]).await?;
        }
        Ok(())
    }

    /// The rows this batch may touch, locked where several may write.
    async fn load(&self, tx: &mut Tx, dialect: Dialect) -> Result<BTreeMap<String, Draft>, StoreError> {
        // A call that begins in this batch has no tickets yet.
        let mut begun = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (face, _, news) in &self.news {
            if *news == TicketNews::Draft {
                begun.insert(face.id.as_str());
            }
            if begun.contains(face.id.as_str()) {
                continue;
            }
            for nth in 1..=face.numbers.max(1) {
                ids.insert(ticket_id(&face.id, nth));
            }
        }
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE" } else { "" };
        let head = "SELECT id, no, code_hash, state, created_at, accepted_at, closed_at, seal_key, events, head, code_sealed \
                    FROM tickets WHERE id IN ";
        let mut drafts = BTreeMap::new();
        for row in select_keys(tx, head, ids.into_iter().collect(), lock).await? {
            drafts.insert(
                row.try_get(0)?,
                Draft {
                    new: false,
                    changed: false,
                    call: String::new(),
                    no: row.try_get(1)?,
                    code_hash: row.try_get(2)?,
                    code_sealed: row.try_get(10)?,
                    state: row.try_get(3)?,
                    created_at: row.try_get(4)?,
                    accepted_at: row.try_get(5)?,
                    closed_at: row.try_get(6)?,
                    caller: None,
                    tail: Tail { key: row.try_get(7)?, n: row.try_get(8)?, head: row.try_get(9)? },
                    told: Vec::new(),
                },
            );
        }
        Ok(drafts)
    }
}

/// The ticket a call's `nth` number names. The first is the draft.
pub fn ticket_id(call: &str, nth: u32) -> String {
    let stem = call.strip_prefix("c-").unwrap_or(call);
    match nth {
        0 | 1 => ["t-", stem].concat(),
        nth => ["t-", stem, "-", &nth.to_string()].concat(),
    }
}

fn apply_news(
    drafts: &mut BTreeMap<String, Draft>,
    links: &mut Vec<Vec<Value>>,
    face: &CallFace,
    at: i64,
    news: TicketNews,
    pepper: &[u8],
) -> Result<(), StoreError> {
    match news {
        TicketNews::Draft => {
            draft_of(drafts, links, face, 1)?;
        }
        TicketNews::Number { nth, no, code, stored } => {
            let id = draft_of(drafts, links, face, nth)?;
            // `draft_of` has put it there.
            let Some(draft) = drafts.get_mut(&id) else { return Ok(()) };
            if draft.no.is_none() {
                draft.code_hash = Some(code::hash(pepper, &id, &code).to_vec());
                draft.code_sealed = outbox::seal_code(draft.tail.key.as_deref(), &id, &code)?;
                draft.no = Some(no.clone());
                if draft.state == "missed" {
                    draft.state = "draft".to_owned();
                    draft.closed_at = None;
                }
                draft.append(&id, links, at, "numbered", json!({"no": no}), None);
            }
            if stored {
                draft.accept(&id, links, at, "stored");
            }
        }
        TicketNews::Stored { nth, what } => {
            let id = draft_of(drafts, links, face, nth)?;
            if let Some(draft) = drafts.get_mut(&id) {
                draft.accept(&id, links, at, what);
            }
        }
        TicketNews::Survey { name, answer, key } => {
            let id = draft_of(drafts, links, face, 1)?;
            if let Some(draft) = drafts.get_mut(&id) {
                let payload = json!({"name": name, "answer": answer, "key": key});
                draft.append(&id, links, at, SURVEY, payload, None);
            }
        }
        TicketNews::Callback { nth, kind, payload } => {
            let id = draft_of(drafts, links, face, nth)?;
            if let Some(draft) = drafts.get_mut(&id) {
                if kind == "callback_over" && payload["why"] == "given_up" {
                    draft.told.push((outbox::callback_given_up(), at));
                }
                draft.append(&id, links, at, kind, payload, None);
            }
        }
        TicketNews::Tagged { nth, tag } => {
            let id = draft_of(drafts, links, face, nth)?;
            if let Some(draft) = drafts.get_mut(&id) {
                draft.append(&id, links, at, "tagged", json!({"tag": tag}), None);
            }
        }
        TicketNews::SilentKey { nth } => {
            let id = draft_of(drafts, links, face, nth)?;
            if let Some(draft) = drafts.get_mut(&id) {
                draft.append(&id, links, at, "silent_key", json!({}), None);
                draft.told.push((outbox::silent_key(), at));
            }
        }
        TicketNews::Ended => {
            let id = draft_of(drafts, links, face, 1)?;
            if let Some(draft) = drafts.get_mut(&id)
                && draft.state == "draft"
                && draft.no.is_none()
            {
                draft.state = "missed".to_owned();
                draft.closed_at = Some(at);
                draft.append(&id, links, at, "missed", json!({}), None);
            }
        }
    }
    Ok(())
}

/// The id of the call's `nth` ticket, made when it is not there.
fn draft_of(
    drafts: &mut BTreeMap<String, Draft>,
    links: &mut Vec<Vec<Value>>,
    face: &CallFace,
    nth: u32,
) -> Result<String, StoreError> {
    let id = ticket_id(&face.id, nth);
    if !drafts.contains_key(&id) {
        let mut draft = Draft {
            new: true,
            changed: true,
            call: face.id.clone(),
            no: None,
            code_hash: None,
            code_sealed: None,
            state: "draft".to_owned(),
            created_at: face.started_at,
            accepted_at: None,
            closed_at: None,
            caller: (!face.caller.is_empty()).then(|| face.caller.clone()),
            tail: Tail::fresh()?,
            told: Vec::new(),
        };
        let payload =
            json!({"call": face.id, "channel": "phone", "called": face.called, "trunk": face.trunk});
        let personal = draft.caller.as_ref().map(|caller| json!({"caller": caller}));
        draft.append(&id, links, face.started_at, "created", payload, personal);
        drafts.insert(id.clone(), draft);
    }
    Ok(id)
}

impl Draft {
    fn append(
        &mut self,
        id: &str,
        links: &mut Vec<Vec<Value>>,
        at: i64,
        kind: &str,
        payload: Json,
        personal: Option<Json>,
    ) {
        self.changed = true;
        links.push(self.tail.append(id, at, kind, "system", &payload, personal.as_ref()));
    }

    /// A message or a callback request makes it a ticket; a person may have done so before.
    fn accept(&mut self, id: &str, links: &mut Vec<Vec<Value>>, at: i64, what: &str) {
        if matches!(self.state.as_str(), "draft" | "missed") {
            self.state = "accepted".to_owned();
            self.accepted_at = Some(at);
            self.closed_at = None;
            self.append(id, links, at, "accepted", json!({"by": what}), None);
            self.told.push((outbox::accepted(), at));
        }
    }
}

/// One tag more, where it is not there yet: the others may be people's.
async fn add_tag(tx: &mut Tx, id: &str, tag: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("UPDATE tickets SET tags = CASE WHEN tags IS NULL OR tags = '' THEN ");
    sql.bind(tag).push(" ELSE tags || ',' || ").bind(tag).push(" END WHERE id = ").bind(id);
    sql.push(" AND (tags IS NULL OR ',' || tags || ',' NOT LIKE ").bind(["%,", tag, ",%"].concat()).push(")");
    sql.run(tx).await?;
    Ok(())
}

const TICKET_INSERT: &str = "INSERT INTO tickets (id, no, code_hash, code_sealed, state, channel, caller, secrecy, created_at, \
    accepted_at, closed_at, seal_key, events, head)";
/// Of a ticket that is there only what its calls move: the rest may be people's by now.
const TICKET_UPDATE: &str = " ON CONFLICT (id) DO UPDATE SET no = excluded.no, code_hash = excluded.code_hash, \
    code_sealed = excluded.code_sealed, state = excluded.state, accepted_at = excluded.accepted_at, closed_at = excluded.closed_at, \
    events = excluded.events, head = excluded.head";

const CALL_INSERT: &str = "INSERT INTO calls (id, sip_call_id, direction, caller, called, redirected_from, trunk, state, \
    queue, agent, started_at, answered_at, ended_at, end_reason, fault, flow_file, flow_version, recording, message, \
    mos_x100, lost, jitter_us, duration_ms, queued_at, waited_ms, outcome, leader_session, urge, detail)";
const CALL_UPDATE: &str = " ON CONFLICT (id) DO UPDATE SET sip_call_id = excluded.sip_call_id, \
    direction = excluded.direction, caller = excluded.caller, called = excluded.called, \
    redirected_from = excluded.redirected_from, trunk = excluded.trunk, state = excluded.state, \
    queue = excluded.queue, agent = excluded.agent, started_at = excluded.started_at, \
    answered_at = excluded.answered_at, ended_at = excluded.ended_at, end_reason = excluded.end_reason, \
    fault = excluded.fault, flow_file = excluded.flow_file, flow_version = excluded.flow_version, \
    recording = excluded.recording, message = excluded.message, mos_x100 = excluded.mos_x100, lost = excluded.lost, \
    jitter_us = excluded.jitter_us, duration_ms = excluded.duration_ms, queued_at = excluded.queued_at, \
    waited_ms = excluded.waited_ms, outcome = excluded.outcome, leader_session = excluded.leader_session, urge = excluded.urge, \
    detail = excluded.detail";

const CALLBACK_INSERT: &str = "INSERT INTO callbacks (call_id, queue, state, asked_at)";
const CALLBACK_UPDATE: &str = " ON CONFLICT (call_id) DO UPDATE SET queue = excluded.queue, state = excluded.state, asked_at = excluded.asked_at";

/// What the list of callbacks is sorted and filtered by; the rest is in the call's own row.
fn callback_row(record: &CallRecord) -> Option<Vec<Value>> {
    let callback = record.callback.as_ref()?;
    let queue = record.callback_queue.clone().unwrap_or_default();
    Some(vec![Value::from(&record.id), queue.into(), callback.state().into(), callback.asked_at.into()])
}

fn call_row(record: &CallRecord) -> Result<Vec<Value>, StoreError> {
    let media = record.media.as_ref();
    let detail = serde_json::to_string(record).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(vec![
        Value::from(&record.id),
        Value::from(&record.sip_call_id),
        if record.dialled_by.is_some() { "outbound" } else { "inbound" }.into(),
        (!record.caller.is_empty()).then(|| record.caller.clone()).into(),
        Value::from(&record.called),
        Value::from(&record.redirected_from),
        Value::from(&record.trunk),
        record.state.label().into(),
        Value::from(&record.queue),
        Value::from(&record.agent),
        record.started_at.into(),
        record.answered_at.into(),
        record.ended_at.into(),
        Value::from(&record.end_reason),
        Value::from(&record.fault),
        Value::from(&record.flow_file),
        Value::from(&record.flow_version),
        Value::from(&record.recording),
        Value::from(&record.message),
        media.map(|m| i64::from(m.mos_x100)).into(),
        media.map(|m| signed(m.lost)).into(),
        media.map(|m| i64::from(m.jitter_us)).into(),
        record.duration_ms.map(signed).into(),
        record.queued_at.into(),
        waited(record).into(),
        record.queues.last().and_then(|wait| wait.outcome.clone()).into(),
        Value::from(&record.leader_session),
        Value::from(&record.urge),
        detail.into(),
    ])
}

/// In all its queues together; `None` while no wait has ended.
fn waited(record: &CallRecord) -> Option<i64> {
    record.queues.iter().filter_map(|wait| wait.waited_ms).reduce(u64::saturating_add).map(signed)
}

pub(super) fn record_of(detail: &str) -> Result<CallRecord, StoreError> {
    serde_json::from_str(detail).map_err(|e| StoreError::Corrupt(e.to_string()))
}

/// Counters fit: they start at nought and 2⁶³ is far.
fn signed(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}
