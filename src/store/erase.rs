//! Erasing a person: every text of his is taken out of the tables that can change, and the keys of what can only grow are destroyed. Chains
//! and folds stay whole. Files and the journal's keys are somebody else's; their names are told.
//!
//! The rows are the last to go: whoever is cut off half way finds the person again, and does it once more.

use super::act::detail;
use super::chain::{self, Tail};
use super::db::{Db, Dialect, Durability, Tx};
use super::error::StoreError;
use super::projector::record_of;
use super::sql::{Sql, Value, insert_rows};
use crate::ticket::cycle::{self, Event};
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use std::collections::BTreeSet;

/// Lines of histories opened in one go.
const STRIDE: i64 = 4_096;

/// What there is of a person, by his telephone number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Calls from and to him.
    pub calls: Vec<String>,
    /// Tickets that are his: by their caller, by the number he left, by calls that are all his.
    pub tickets: Vec<String>,
    /// Tickets of somebody else to which a call of his was linked: they stay.
    pub shared: Vec<String>,
    /// Why it cannot be done yet: calls and callbacks that are under way, tickets that are open.
    pub busy: Vec<String>,
    /// 32 hexadecimal digits each.
    pub recordings: Vec<String>,
    pub pictures: Vec<String>,
}

/// How much was erased: numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub calls: u64,
    pub tickets: u64,
    pub pushes: u64,
    pub pictures: u64,
    /// Rows of others in which his number stood.
    pub mentions: u64,
}

/// Tables in which his texts were, rewritten whole on PostgreSQL: a deleted row's bytes stay in its page otherwise.
const REWRITTEN: [&str; 9] = [
    "VACUUM FULL tickets",
    "VACUUM FULL ticket_search",
    "VACUUM FULL calls",
    "VACUUM FULL call_events",
    "VACUUM FULL node_events",
    "VACUUM FULL outbox",
    "VACUUM FULL attachments",
    "VACUUM FULL handover_signatures",
    "VACUUM FULL access_log",
];

fn like(number: &str) -> String {
    // Digits and a plus: nothing of it means something to LIKE.
    ["%", number, "%"].concat()
}

/// Whether the number stands anywhere in it, as it is or with what people write between digits.
fn names(json: &Json, number: &str) -> bool {
    match json {
        Json::String(text) => {
            let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
            digits == number
        }
        Json::Array(all) => all.iter().any(|one| names(one, number)),
        Json::Object(map) => map.values().any(|one| names(one, number)),
        _ => false,
    }
}

/// Empties the texts of every object that names one of these tickets.
fn blank(json: &mut Json, tickets: &BTreeSet<String>) {
    match json {
        Json::Array(all) => all.iter_mut().for_each(|one| blank(one, tickets)),
        Json::Object(map) => {
            if map.values().any(|one| one.as_str().is_some_and(|text| tickets.contains(text))) {
                for name in ["title", "content", "brief", "text", "caller", "number", "address", "name"] {
                    if let Some(slot) = map.get_mut(name) {
                        *slot = Json::Null;
                    }
                }
            }
            map.values_mut().for_each(|one| blank(one, tickets));
        }
        _ => {}
    }
}

async fn texts(sql: Sql, db: &Db) -> Result<Vec<String>, StoreError> {
    sql.read(&db.read).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

impl Db {
    /// Everything that is this number's. Changes nothing.
    pub async fn person(&self, number: &str) -> Result<Person, StoreError> {
        let mut sql = Sql::new("SELECT id, state, recording, message FROM calls WHERE caller = ");
        sql.bind(number).push(" OR called = ").bind(number);
        sql.push(" OR detail LIKE ").bind([r#"%"callback_number":""#, number, r#""%"#].concat());
        sql.push(" ORDER BY id");
        let mut person = Person::default();
        for row in sql.read(&self.read).await? {
            let (id, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let sounds: [Option<String>; 2] = [row.try_get(2)?, row.try_get(3)?];
            person.recordings.extend(sounds.into_iter().flatten());
            if state != "ended" {
                person.busy.push(format!("call {id} is {state}"));
            }
            person.calls.push(id);
        }
        let mut own: BTreeSet<String> = self.sealed_about(number).await?;
        let mut sql = Sql::new("SELECT id FROM tickets WHERE caller = ");
        sql.bind(number);
        own.extend(texts(sql, self).await?);
        let calls: BTreeSet<&String> = person.calls.iter().collect();
        let mut shared = BTreeSet::new();
        for call in &person.calls {
            let mut sql = Sql::new(
                "SELECT call_id FROM callbacks WHERE state IN ('waiting', 'dialling') AND call_id = ",
            );
            sql.bind(call);
            if !texts(sql, self).await?.is_empty() {
                person.busy.push(format!("the callback of {call} is open"));
            }
            let mut sql = Sql::new("SELECT ticket_id FROM call_tickets WHERE call_id = ");
            sql.bind(call);
            for ticket in texts(sql, self).await? {
                let mut sql = Sql::new("SELECT call_id FROM call_tickets WHERE ticket_id = ");
                sql.bind(&ticket);
                if texts(sql, self).await?.iter().all(|other| calls.contains(other)) {
                    own.insert(ticket);
                } else {
                    shared.insert(ticket);
                }
            }
        }
        person.shared = shared.into_iter().filter(|ticket| !own.contains(ticket)).collect();
        for ticket in &own {
            let mut sql = Sql::new("SELECT no, state FROM tickets WHERE id = ");
            sql.bind(ticket);
            if let Some(row) = sql.read_one(&self.read).await? {
                let (no, state): (Option<String>, String) = (row.try_get(0)?, row.try_get(1)?);
                let over = ["closed", "void", "missed", "rejected", "withdrawn", "transferred"];
                if !over.contains(&state.as_str()) {
                    person.busy.push(format!("ticket {} is {state}", no.as_deref().unwrap_or(ticket)));
                }
            }
            person.pictures.extend(self.attachments(ticket).await?.into_iter().map(|picture| picture.id));
        }
        person.tickets = own.into_iter().collect();
        Ok(person)
    }

    /// Tickets in whose sealed lines the number stands: he may have left one that he did not call from.
    async fn sealed_about(&self, number: &str) -> Result<BTreeSet<String>, StoreError> {
        let mut found = BTreeSet::new();
        let mut after = (String::new(), 0i64);
        loop {
            let mut sql = Sql::new(
                "SELECT e.ticket_id, e.n, e.sealed, t.seal_key FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id \
                 WHERE (e.ticket_id, e.n) > ",
            );
            sql.tuple([(&after.0).into(), after.1.into()]);
            sql.push(" ORDER BY e.ticket_id, e.n LIMIT ").bind(STRIDE);
            let rows = sql.read(&self.read).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = (last.try_get(0)?, last.try_get(1)?);
            for row in &rows {
                let (id, n): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
                let (sealed, key): (Vec<u8>, Option<Vec<u8>>) = (row.try_get(2)?, row.try_get(3)?);
                let told = chain::open(key.as_deref(), &id, n, &sealed);
                if told.is_some_and(|told| names(&told, number)) {
                    found.insert(id);
                }
            }
        }
    }

    /// Takes him out of every row, in one transaction. `at`: milliseconds since 1970.
    pub async fn erase_person(&self, number: &str, person: &Person, at: i64) -> Result<Erased, StoreError> {
        let mut erased = Erased::default();
        let mut tx = self.begin(Durability::Full).await?;
        let mut known = BTreeSet::new();
        for ticket in &person.tickets {
            let Some(no) = erase_ticket(&mut tx, ticket, at, self.dialect()).await? else { continue };
            known.insert(ticket.clone());
            known.extend(no);
            erased.tickets += 1;
            erased.pictures += remove(&mut tx, "DELETE FROM attachments WHERE ticket_id = ", ticket).await?;
            erased.pushes += remove(
                &mut tx,
                "UPDATE outbox SET sealed = NULL WHERE sealed IS NOT NULL AND ticket_id = ",
                ticket,
            )
            .await?;
            remove(&mut tx, "DELETE FROM code_tries WHERE ticket_id = ", ticket).await?;
        }
        for call in &person.calls {
            erase_call(&mut tx, call, number).await?;
            erased.calls += 1;
        }
        // Where he was called, bridged or looked for beside a call of his own.
        for (select, update) in [
            ("UPDATE calls SET detail = replace(detail, ", " WHERE detail LIKE "),
            ("UPDATE call_events SET data = replace(data, ", " WHERE data LIKE "),
            ("UPDATE node_events SET data = replace(data, ", " WHERE data LIKE "),
            ("UPDATE access_log SET subject = replace(subject, ", " WHERE subject LIKE "),
        ] {
            let mut sql = Sql::new(select);
            sql.bind(number).push(", '')").push(update).bind(like(number));
            erased.mentions += sql.run(&mut tx).await?;
        }
        let signed = Sql::new("SELECT turn, n, sheet FROM handover_signatures").rows(&mut tx).await?;
        for row in signed {
            let (turn, n, sheet): (String, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let Ok(mut json) = serde_json::from_str::<Json>(&sheet) else { continue };
            let before = json.clone();
            blank(&mut json, &known);
            if json != before {
                let mut sql = Sql::new("UPDATE handover_signatures SET sheet = ");
                sql.bind(json.to_string()).push(" WHERE turn = ").bind(turn).push(" AND n = ").bind(n);
                erased.mentions += sql.run(&mut tx).await?;
            }
        }
        tx.commit().await?;
        Ok(erased)
    }

    /// Writes the files anew, so that nothing of what was erased stays in their gaps. Others wait meanwhile.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let mut conn = self.writing().await?;
        match self.dialect() {
            Dialect::Sqlite => {
                for text in [
                    // Deleted terms stay in their segment until it is merged.
                    "INSERT INTO ticket_words (ticket_words) VALUES ('optimize')",
                    "VACUUM",
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                ] {
                    Sql::new(text).run_alone(&mut conn).await?;
                }
            }
            Dialect::Postgres => {
                for text in REWRITTEN {
                    Sql::new(text).run_alone(&mut conn).await?;
                }
            }
        }
        Ok(())
    }
}

async fn remove(tx: &mut Tx, text: &'static str, id: &str) -> Result<u64, StoreError> {
    let mut sql = Sql::new(text);
    sql.bind(id);
    sql.run(tx).await
}

/// The ticket without its person; its number. `None`: there is no such ticket.
async fn erase_ticket(
    tx: &mut Tx,
    id: &str,
    at: i64,
    dialect: Dialect,
) -> Result<Option<Option<String>>, StoreError> {
    let mut sql = Sql::new("SELECT no, detail, events, head FROM tickets WHERE id = ");
    sql.bind(id);
    if dialect == Dialect::Postgres {
        sql.push(" FOR UPDATE");
    }
    let Some(row) = sql.one(tx).await? else { return Ok(None) };
    let no: Option<String> = row.try_get(0)?;
    let kept: Option<String> = row.try_get(1)?;
    // The fold as it is without the key.
    let mut folded = None;
    if detail(kept.as_deref())?.is_some() {
        let mut sql = Sql::new("SELECT at, kind, actor, payload FROM ticket_events WHERE ticket_id = ");
        sql.bind(id).push(" ORDER BY n");
        let mut lived = Vec::new();
        for row in sql.rows(tx).await? {
            let (kind, payload): (String, String) = (row.try_get(1)?, row.try_get(3)?);
            let payload = serde_json::from_str(&payload).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            if let Some(event) = Event::read(&kind, &payload, None) {
                lived.push((row.try_get::<i64, _>(0)?, row.try_get::<String, _>(2)?, event));
            }
        }
        let fold = cycle::Ticket::fold(lived.iter().map(|(at, actor, event)| (*at, actor.as_str(), event)));
        let text = fold.map(|fold| serde_json::to_string(&fold)).transpose();
        folded = text.map_err(|e| StoreError::Corrupt(e.to_string()))?;
    }
    let mut tail = Tail { key: None, n: row.try_get(2)?, head: row.try_get(3)? };
    let link = tail.append(id, at, "erased", "system", &json!({}), None);
    let mut sql = Sql::new(
        "UPDATE tickets SET title = NULL, content = NULL, brief = NULL, tags = NULL, caller = NULL, special = NULL, safe_time = NULL, \
         code_hash = NULL, code_sealed = NULL, seal_key = NULL, detail = ",
    );
    sql.bind(folded).push(", events = ").bind(tail.n).push(", head = ").bind(tail.head);
    sql.push(" WHERE id = ").bind(id);
    sql.run(tx).await?;
    insert_rows(tx, chain::INSERT, vec![link], "").await?;
    if dialect == Dialect::Sqlite {
        let words =
            "DELETE FROM ticket_words WHERE rowid IN (SELECT seq FROM ticket_search WHERE ticket_id = ";
        let mut sql = Sql::new(words);
        sql.bind(id).push(")");
        sql.run(tx).await?;
    }
    remove(tx, "DELETE FROM ticket_search WHERE ticket_id = ", id).await?;
    Ok(Some(no))
}

/// The call without what identifies a person. Its times, its queue and its end stay.
async fn erase_call(tx: &mut Tx, id: &str, number: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("SELECT detail, called FROM calls WHERE id = ");
    sql.bind(id);
    let Some(row) = sql.one(tx).await? else { return Ok(()) };
    let mut record = record_of(&row.try_get::<String, _>(0)?)?;
    let called: String = row.try_get(1)?;
    record.caller.clear();
    record.display.clear();
    record.source.clear();
    record.user_agent.clear();
    record.keys.clear();
    record.values.clear();
    record.callback_number = None;
    record.recording = None;
    record.message = None;
    if record.called == number {
        record.called.clear();
    }
    for dial in &mut record.dials {
        if dial.to == number {
            dial.to.clear();
        }
    }
    for party in &mut record.parties {
        if party.number == number {
            party.number.clear();
        }
    }
    let text = serde_json::to_string(&record).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let called = if called == number { String::new() } else { called };
    let mut sql = Sql::new("UPDATE calls SET caller = NULL, recording = NULL, message = NULL, called = ");
    sql.bind(called).push(", redirected_from = NULLIF(redirected_from, ").bind(number).push("), detail = ");
    sql.bind(Value::from(text)).push(" WHERE id = ").bind(id);
    sql.run(tx).await?;
    // What happened and when stays; what was said by it does not.
    remove(tx, "UPDATE call_events SET data = '{}' WHERE call_id = ", id).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_written_and_in_no_longer_one() {
        let told = json!({"name": "王", "contact": {"number": "138-0000 0001"}});
        assert!(names(&told, "13800000001"));
        assert!(!names(&told, "3800000001"));
        assert!(!names(&json!({"number": "138000000012"}), "13800000001"));
    }

    #[test]
    fn a_sheet_loses_the_texts_of_erased_tickets_only() {
        let mut sheet = json!({"urgent": [{"no": "1", "title": "王家漏气"}, {"no": "2", "title": "井盖"}]});
        blank(&mut sheet, &BTreeSet::from(["1".to_owned()]));
        assert_eq!(sheet, json!({"urgent": [{"no": "1", "title": null}, {"no": "2", "title": "井盖"}]}));
    }
}
