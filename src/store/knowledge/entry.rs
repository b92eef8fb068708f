//! Entries, their versions and their history.

use crate::knowledge::{
    Confidence, Conflict, Entry, Refusal, Stage, Step, Text, obstacles, step as take_step,
};
use crate::store::db::{Db, Dialect, Durability, Tx};
use crate::store::error::StoreError;
use crate::store::page::{Cursor, Page, Paged};
use crate::store::sql::{Sql, Value};
use jiff::civil::Date;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Entries a knowledge base holds; the index over them is kept in memory.
pub const KB_MOST: i64 = 20_000;

/// An entry's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbEntry {
    pub id: String,
    /// Of the newest version.
    pub unit: String,
    pub category: String,
    pub title: String,
    pub entry: Entry,
    /// When the live version was published, milliseconds since 1970.
    pub live_at: Option<i64>,
    /// Lines of its history.
    pub events: i64,
    pub created_at: i64,
    pub changed_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbVersion {
    pub n: i64,
    pub at: i64,
    pub by: String,
    pub text: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbEvent {
    pub n: i64,
    pub at: i64,
    pub step: String,
    pub by: String,
    pub version: i64,
    pub reason: String,
}

/// What agents read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KbLive {
    pub row: KbEntry,
    pub version: KbVersion,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KbFilter {
    pub stage: Option<Stage>,
    pub unit: Option<String>,
    pub category: Option<String>,
    /// Only what agents read.
    pub live: bool,
    /// Whose drafts are shown besides what is live; none: everybody's.
    pub drafts_of: Option<String>,
}

/// A step with what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct KbWish<'a> {
    pub id: &'a str,
    pub by: &'a str,
    pub at: i64,
    /// [`KbEntry::events`] as he has seen it.
    pub version: i64,
    pub step: Step,
    pub reason: Option<&'a str>,
    pub with: Option<&'a str>,
    /// Of a change.
    pub text: Option<&'a Text>,
    /// Of a publication: the day, and another live entry that answers the same question.
    pub today: Date,
    pub same: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KbOutcome {
    Done(Box<KbEntry>),
    Unknown,
    /// Somebody was faster: lines of its history now.
    Changed(i64),
    Refused(Refusal),
    /// It is not published, for these reasons.
    Stands(Vec<&'static str>),
}

const ENTRY: &str = "SELECT id, unit, category, title, stage, head, live, doubt, conflict_text, conflict_with, conflict_at, \
    writer, live_at, events, created_at, changed_at FROM kb_entries";
const VERSION: &str = "SELECT n, at, by_user, title, questions, answer, full_text, papers, place, basis, unit, category, \
    valid_from, valid_until, review_by, source, confidence FROM kb_versions WHERE entry_id = ";
const LIVE: &str = "SELECT e.id, e.unit, e.category, e.title, e.stage, e.head, e.live, e.doubt, e.conflict_text, \
    e.conflict_with, e.conflict_at, e.writer, e.live_at, e.events, e.created_at, e.changed_at, \
    v.n, v.at, v.by_user, v.title, v.questions, v.answer, v.full_text, v.papers, v.place, v.basis, v.unit, v.category, \
    v.valid_from, v.valid_until, v.review_by, v.source, v.confidence \
    FROM kb_entries e JOIN kb_versions v ON v.entry_id = e.id AND v.n = e.live";
/// Columns of [`ENTRY`], before a version's in [`LIVE`].
const ENTRY_WIDTH: usize = 16;

impl Db {
    /// A new entry, a draft; its id. [`StoreError::Exists`] when the knowledge base is full.
    pub async fn add_kb_entry(&self, text: &Text, by: &str, at: i64) -> Result<String, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("UPDATE kb_state SET made = made + 1 WHERE id = 1 AND made < ");
        sql.bind(KB_MOST);
        if sql.run(&mut tx).await? == 0 {
            return Err(StoreError::Exists);
        }
        let made: i64 = match Sql::new("SELECT made FROM kb_state WHERE id = 1").one(&mut tx).await? {
            Some(row) => row.try_get(0)?,
            None => return Err(StoreError::Corrupt("kb_state: no row".into())),
        };
        let row = KbEntry {
            id: format!("KB-{made:04}"),
            unit: text.unit.clone(),
            category: text.category.clone(),
            title: text.title.clone(),
            entry: Entry::new(by.to_owned()),
            live_at: None,
            events: 1,
            created_at: at,
            changed_at: at,
        };
        insert(&mut tx, &row, text, "draft").await?;
        tx.commit().await?;
        Ok(row.id)
    }

    /// An entry of the district's file under its own id, in the state the file says. Whether it was not there.
    pub async fn import_kb_entry(
        &self,
        id: &str,
        entry: &Entry,
        text: &Text,
        at: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("SELECT id FROM kb_entries WHERE id = ");
        sql.bind(id);
        if sql.one(&mut tx).await?.is_some() {
            return Ok(false);
        }
        let number = id.trim_start_matches("KB-").parse::<i64>().unwrap_or(0);
        let mut sql = Sql::new("UPDATE kb_state SET n = n + 1, made = ");
        sql.bind(number).push(" WHERE id = 1 AND made < ").bind(number);
        sql.run(&mut tx).await?;
        let row = KbEntry {
            id: id.to_owned(),
            unit: text.unit.clone(),
            category: text.category.clone(),
            title: text.title.clone(),
            entry: entry.clone(),
            live_at: entry.live.map(|_| at),
            events: 1,
            created_at: at,
            changed_at: at,
        };
        insert(&mut tx, &row, text, "import").await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Changes of what agents read, so far.
    pub async fn kb_changes(&self) -> Result<i64, StoreError> {
        match Sql::new("SELECT n FROM kb_state WHERE id = 1").read_one(&self.read).await? {
            Some(row) => Ok(row.try_get(0)?),
            None => Err(StoreError::Corrupt("kb_state: no row".into())),
        }
    }

    /// Entries, the last changed first.
    pub async fn kb_entries(&self, filter: &KbFilter, page: &Page) -> Result<Paged<KbEntry>, StoreError> {
        let mut sql = Sql::new(ENTRY);
        sql.push(" WHERE 1 = 1");
        if let Some(stage) = filter.stage {
            sql.push(" AND stage = ").bind(stage.label());
        }
        if let Some(unit) = &filter.unit {
            sql.push(" AND unit = ").bind(unit);
        }
        if let Some(category) = &filter.category {
            sql.push(" AND category = ").bind(category);
        }
        if filter.live {
            sql.push(" AND live IS NOT NULL");
        }
        if let Some(unit) = &filter.drafts_of {
            sql.push(" AND (live IS NOT NULL OR unit = ").bind(unit).push(")");
        }
        page.close(&mut sql, " AND (changed_at, id) < ", " ORDER BY changed_at DESC, id DESC");
        let rows = sql.read(&self.read).await?;
        let items = rows.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(items, |row| Cursor { at: row.changed_at, id: row.id.clone() }))
    }

    pub async fn kb_entry(&self, id: &str) -> Result<Option<KbEntry>, StoreError> {
        let mut sql = Sql::new(ENTRY);
        sql.push(" WHERE id = ").bind(id);
        sql.read_one(&self.read).await?.as_ref().map(entry_of).transpose()
    }

    /// Its versions, the newest first.
    pub async fn kb_versions(&self, id: &str) -> Result<Vec<KbVersion>, StoreError> {
        let mut sql = Sql::new(VERSION);
        sql.bind(id).push(" ORDER BY n DESC LIMIT 500");
        sql.read(&self.read).await?.iter().map(|row| version_of(row, 0)).collect()
    }

    pub async fn kb_version(&self, id: &str, n: i64) -> Result<Option<KbVersion>, StoreError> {
        let mut sql = Sql::new(VERSION);
        sql.bind(id).push(" AND n = ").bind(n);
        sql.read_one(&self.read).await?.as_ref().map(|row| version_of(row, 0)).transpose()
    }

    /// Everything agents read, by id.
    pub async fn kb_live(&self) -> Result<Vec<KbLive>, StoreError> {
        let mut sql = Sql::new(LIVE);
        sql.push(" ORDER BY e.id LIMIT ").bind(KB_MOST);
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| Ok(KbLive { row: entry_of(row)?, version: version_of(row, ENTRY_WIDTH)? }))
            .collect()
    }

    /// Its history, oldest first.
    pub async fn kb_events(&self, id: &str) -> Result<Vec<KbEvent>, StoreError> {
        let mut sql =
            Sql::new("SELECT n, at, step, by_user, version, reason FROM kb_events WHERE entry_id = ");
        sql.bind(id).push(" ORDER BY n");
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(KbEvent {
                    n: row.try_get(0)?,
                    at: row.try_get(1)?,
                    step: row.try_get(2)?,
                    by: row.try_get(3)?,
                    version: row.try_get(4)?,
                    reason: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// Takes a step: all of it or nothing. The row is locked from reading to writing.
    pub async fn step_kb(&self, wish: KbWish<'_>) -> Result<KbOutcome, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let Some(row) = locked(&mut tx, self.dialect(), wish.id).await? else {
            return Ok(KbOutcome::Unknown);
        };
        if row.events != wish.version {
            return Ok(KbOutcome::Changed(row.events));
        }
        let next = match take_step(&row.entry, wish.step, wish.by, wish.reason, wish.with) {
            Ok(next) => next,
            Err(why) => return Ok(KbOutcome::Refused(why)),
        };
        if wish.step == Step::Publish {
            let mut sql = Sql::new(VERSION);
            sql.bind(wish.id).push(" AND n = ").bind(row.entry.head);
            let text = match sql.one(&mut tx).await? {
                Some(row) => version_of(&row, 0)?.text,
                None => return Err(StoreError::Corrupt(format!("{}: its version is gone", wish.id))),
            };
            let told = obstacles(&row.entry, &text, wish.today, wish.same);
            if !told.is_empty() {
                return Ok(KbOutcome::Stands(told));
            }
        }
        let mut after = KbEntry {
            entry: next,
            live_at: match wish.step {
                Step::Publish => Some(wish.at),
                Step::Retire => None,
                _ => row.live_at,
            },
            events: row.events + 1,
            changed_at: wish.at,
            ..row.clone()
        };
        if let (Step::Change, Some(text)) = (wish.step, wish.text) {
            (after.unit, after.category, after.title) =
                (text.unit.clone(), text.category.clone(), text.title.clone());
            add_version(&mut tx, wish.id, after.entry.head, wish.at, wish.by, text).await?;
        }
        write(&mut tx, &after).await?;
        let event = event(&after, wish.at, wish.step.label(), wish.by, wish.reason);
        add_event(&mut tx, event).await?;
        if let (Step::Conflict, Some(with)) = (wish.step, wish.with) {
            self.conflict_back(&mut tx, &wish, with).await?;
        }
        let read = |row: &KbEntry| (row.entry.live, row.entry.doubt.clone(), row.entry.conflict.clone());
        if read(&after) != read(&row) {
            Sql::new("UPDATE kb_state SET n = n + 1 WHERE id = 1").run(&mut tx).await?;
        }
        // What is abolished has been carried through as well.
        if matches!(wish.step, Step::Publish | Step::Retire) {
            super::notice::carried_through(&mut tx, wish.id, wish.at).await?;
        }
        tx.commit().await?;
        Ok(KbOutcome::Done(Box::new(after)))
    }

    /// The other entry contradicts this one as well. It is left alone when it has a contradiction of its own.
    async fn conflict_back(&self, tx: &mut Tx, wish: &KbWish<'_>, with: &str) -> Result<(), StoreError> {
        let Some(other) = locked(tx, self.dialect(), with).await? else { return Ok(()) };
        let Ok(entry) = take_step(&other.entry, Step::Conflict, wish.by, wish.reason, Some(wish.id)) else {
            return Ok(());
        };
        let after = KbEntry { entry, events: other.events + 1, changed_at: wish.at, ..other };
        write(tx, &after).await?;
        add_event(tx, event(&after, wish.at, Step::Conflict.label(), wish.by, wish.reason)).await
    }
}

async fn locked(tx: &mut Tx, dialect: Dialect, id: &str) -> Result<Option<KbEntry>, StoreError> {
    let mut sql = Sql::new(ENTRY);
    sql.push(" WHERE id = ").bind(id);
    if dialect == Dialect::Postgres {
        sql.push(" FOR UPDATE");
    }
    sql.one(tx).await?.as_ref().map(entry_of).transpose()
}

async fn insert(tx: &mut Tx, row: &KbEntry, text: &Text, step: &str) -> Result<(), StoreError> {
    let (entry, conflict) = (&row.entry, row.entry.conflict.as_ref());
    let mut sql = Sql::new(
        "INSERT INTO kb_entries (id, unit, category, title, stage, head, live, live_at, doubt, conflict_text, conflict_with, \
         conflict_at, writer, events, created_at, changed_at) VALUES ",
    );
    sql.tuple([
        (&row.id).into(),
        (&row.unit).into(),
        (&row.category).into(),
        (&row.title).into(),
        entry.stage.label().into(),
        entry.head.into(),
        entry.live.into(),
        row.live_at.into(),
        (&entry.doubt).into(),
        conflict.map(|c| c.text.clone()).into(),
        conflict.and_then(|c| c.with.clone()).into(),
        conflict.map(|c| c.at).into(),
        (&entry.writer).into(),
        row.events.into(),
        row.created_at.into(),
        row.changed_at.into(),
    ]);
    sql.run(tx).await?;
    add_version(tx, &row.id, entry.head, row.created_at, &entry.writer, text).await?;
    add_event(tx, event(row, row.created_at, step, &entry.writer, None)).await
}

async fn write(tx: &mut Tx, row: &KbEntry) -> Result<(), StoreError> {
    let (entry, conflict) = (&row.entry, row.entry.conflict.as_ref());
    let mut sql = Sql::new("UPDATE kb_entries SET unit = ");
    sql.bind(&row.unit);
    let columns: [(&'static str, Value); 13] = [
        (", category = ", (&row.category).into()),
        (", title = ", (&row.title).into()),
        (", stage = ", entry.stage.label().into()),
        (", head = ", entry.head.into()),
        (", live = ", entry.live.into()),
        (", live_at = ", row.live_at.into()),
        (", doubt = ", (&entry.doubt).into()),
        (", conflict_text = ", conflict.map(|c| c.text.clone()).into()),
        (", conflict_with = ", conflict.and_then(|c| c.with.clone()).into()),
        (", conflict_at = ", conflict.map(|c| c.at).into()),
        (", writer = ", (&entry.writer).into()),
        (", events = ", row.events.into()),
        (", changed_at = ", row.changed_at.into()),
    ];
    for (name, value) in columns {
        sql.push(name).bind(value);
    }
    sql.push(" WHERE id = ").bind(&row.id).push(" AND events = ").bind(row.events - 1);
    match sql.run(tx).await? {
        1 => Ok(()),
        _ => Err(StoreError::Away("the entry changed although its row was locked".into())),
    }
}

fn event(row: &KbEntry, at: i64, step: &str, by: &str, reason: Option<&str>) -> [Value; 7] {
    [
        (&row.id).into(),
        row.events.into(),
        at.into(),
        step.into(),
        by.into(),
        row.entry.head.into(),
        reason.unwrap_or_default().into(),
    ]
}

async fn add_event(tx: &mut Tx, event: [Value; 7]) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO kb_events (entry_id, n, at, step, by_user, version, reason) VALUES ");
    sql.tuple(event);
    sql.run(tx).await?;
    Ok(())
}

async fn add_version(
    tx: &mut Tx,
    id: &str,
    n: i64,
    at: i64,
    by: &str,
    text: &Text,
) -> Result<(), StoreError> {
    let questions = serde_json::to_string(&text.questions).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let day = |day: Option<Date>| Value::Text(day.map(|day| day.to_string()));
    let mut sql = Sql::new(
        "INSERT INTO kb_versions (entry_id, n, at, by_user, title, questions, answer, full_text, papers, place, basis, unit, \
         category, valid_from, valid_until, review_by, source, confidence) VALUES ",
    );
    sql.tuple([
        id.into(),
        n.into(),
        at.into(),
        by.into(),
        (&text.title).into(),
        questions.into(),
        (&text.answer).into(),
        (&text.full).into(),
        (&text.papers).into(),
        (&text.place).into(),
        (&text.basis).into(),
        (&text.unit).into(),
        (&text.category).into(),
        day(text.valid_from),
        day(text.valid_until),
        text.review_by.to_string().into(),
        (&text.source).into(),
        text.confidence.as_str().into(),
    ]);
    sql.run(tx).await?;
    Ok(())
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("knowledge: {what}"))
}

fn entry_of(row: &AnyRow) -> Result<KbEntry, StoreError> {
    let stage: String = row.try_get(4)?;
    let conflict = match (row.try_get::<Option<String>, _>(8)?, row.try_get::<Option<i64>, _>(10)?) {
        (Some(text), Some(at)) => Some(Conflict { text, with: row.try_get(9)?, at }),
        _ => None,
    };
    Ok(KbEntry {
        id: row.try_get(0)?,
        unit: row.try_get(1)?,
        category: row.try_get(2)?,
        title: row.try_get(3)?,
        entry: Entry {
            stage: Stage::read(&stage).ok_or_else(|| corrupt("an unknown stage"))?,
            head: row.try_get(5)?,
            live: row.try_get(6)?,
            doubt: row.try_get(7)?,
            conflict,
            writer: row.try_get(11)?,
        },
        live_at: row.try_get(12)?,
        events: row.try_get(13)?,
        created_at: row.try_get(14)?,
        changed_at: row.try_get(15)?,
    })
}

fn version_of(row: &AnyRow, from: usize) -> Result<KbVersion, StoreError> {
    let text = |column: usize| -> Result<String, StoreError> { Ok(row.try_get(from + column)?) };
    let day = |column: usize| -> Result<Option<Date>, StoreError> {
        let text: Option<String> = row.try_get(from + column)?;
        text.map(|text| text.parse().map_err(|_| corrupt("not a date"))).transpose()
    };
    let questions = text(4)?;
    Ok(KbVersion {
        n: row.try_get(from)?,
        at: row.try_get(from + 1)?,
        by: text(2)?,
        text: Text {
            title: text(3)?,
            questions: serde_json::from_str(&questions).map_err(|_| corrupt("not a list of questions"))?,
            answer: text(5)?,
            full: text(6)?,
            papers: text(7)?,
            place: text(8)?,
            basis: text(9)?,
            unit: text(10)?,
            category: text(11)?,
            valid_from: day(12)?,
            valid_until: day(13)?,
            review_by: text(14)?.parse().map_err(|_| corrupt("not a date"))?,
            source: text(15)?,
            confidence: Confidence::read(&text(16)?).ok_or_else(|| corrupt("an unknown confidence"))?,
        },
    })
}
