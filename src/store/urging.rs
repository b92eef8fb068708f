//! Attempts of voice urging (语音催签): a row before the call is made, a line of the ticket's history when it is over, in one transaction
//! with the row's end. So each attempt is told once, whatever died in between.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::fold::CallRecord;
use super::projector::record_of;
use super::sql::Sql;
use crate::ticket::cycle::urging::{CUT, HEARD, Ladder, waits};
use crate::ticket::cycle::{self, Event, Hand, Step, Tables, Ticket, Who, Wish};
use sqlx::Row as _;

/// An attempt that is under way. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUrge {
    pub id: String,
    /// The ticket's id.
    pub ticket: String,
    pub unit: String,
    /// One of [`cycle::urging::RUNGS`].
    pub rung: String,
    pub number: String,
    pub begun_at: i64,
}

/// The call of an attempt, as far as it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrgeCall {
    pub call: String,
    /// What came of it, once it is over.
    pub result: Option<&'static str>,
}

/// What a call came to; `None`: it goes on.
fn result_of(record: &CallRecord) -> Option<&'static str> {
    record.ended_at?;
    Some(match (record.urge_heard, record.answered_at, record.end_reason.as_deref()) {
        (true, ..) => HEARD,
        (_, _, Some("restarted")) => CUT,
        (_, Some(_), _) => "unheard",
        (_, None, Some("callee_busy")) => "busy",
        (_, None, Some("callee_no_answer" | "forced_by_staff")) => "no_answer",
        _ => "failed",
    })
}

impl Db {
    /// Urgent tickets that wait to be signed for: at most `limit`, those that wait longest first.
    pub async fn tickets_to_urge(&self, limit: u32) -> Result<Vec<(String, Ticket)>, StoreError> {
        let mut sql = Sql::new(
            "SELECT id, detail FROM tickets WHERE state IN ('dispatched', 'redo') AND urgency = 'U' AND detail IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM voice_urges v WHERE v.ticket_id = tickets.id AND v.result IS NULL) \
             ORDER BY next_due_at, id LIMIT ",
        );
        sql.bind(i64::from(limit));
        let mut waiting = Vec::new();
        for row in sql.read(&self.read).await? {
            let detail: String = row.try_get(1)?;
            let ticket = serde_json::from_str(&detail).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            waiting.push((row.try_get(0)?, ticket));
        }
        Ok(waiting)
    }

    /// Attempts under way, oldest first.
    pub async fn open_urges(&self) -> Result<Vec<OpenUrge>, StoreError> {
        let sql = Sql::new(
            "SELECT id, ticket_id, unit, rung, number, begun_at FROM voice_urges WHERE result IS NULL ORDER BY begun_at, id",
        );
        let mut open = Vec::new();
        for row in sql.read(&self.read).await? {
            open.push(OpenUrge {
                id: row.try_get(0)?,
                ticket: row.try_get(1)?,
                unit: row.try_get(2)?,
                rung: row.try_get(3)?,
                number: row.try_get(4)?,
                begun_at: row.try_get(5)?,
            });
        }
        Ok(open)
    }

    /// Before it is dialled. False: the ticket has one under way.
    pub async fn begin_urge(&self, urge: &OpenUrge) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql =
            Sql::new("INSERT INTO voice_urges (id, ticket_id, unit, rung, number, begun_at) VALUES ");
        sql.tuple([
            (&urge.id).into(),
            (&urge.ticket).into(),
            (&urge.unit).into(),
            (&urge.rung).into(),
            (&urge.number).into(),
            urge.begun_at.into(),
        ]);
        sql.push(" ON CONFLICT DO NOTHING");
        let begun = sql.run(&mut tx).await? == 1;
        tx.commit().await?;
        Ok(begun)
    }

    /// The attempt's call; `None`: none has come to the tables.
    pub async fn urge_call(&self, id: &str) -> Result<Option<UrgeCall>, StoreError> {
        let mut sql = Sql::new("SELECT id, detail FROM calls WHERE urge = ");
        sql.bind(id);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(None) };
        let detail: String = row.try_get(1)?;
        Ok(Some(UrgeCall { call: row.try_get(0)?, result: result_of(&record_of(&detail)?) }))
    }

    /// Whether the ticket of an attempt still waits for somebody to sign.
    pub async fn urge_is_needed(&self, urge: &OpenUrge) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT detail FROM tickets WHERE id = ");
        sql.bind(&urge.ticket);
        let Some(row) = sql.read_one(&self.read).await? else { return Ok(false) };
        let detail: Option<String> = row.try_get(0)?;
        Ok(super::act::detail(detail.as_deref())?.is_some_and(|ticket| waits(&ticket)))
    }

    /// The attempt is over: its line in the history, once. Who heard it has signed, where the rules say so.
    pub async fn end_urge(
        &self,
        urge: &OpenUrge,
        result: &str,
        now: i64,
        (ladder, tables): (&Ladder, &Tables),
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        // The ticket first, as everybody does.
        let Some((mut held, row)) = self.held(&mut tx, &urge.ticket).await? else { return Ok(false) };
        held.begin(&row, now, tables)?;
        let needed = held.cycle().is_some_and(waits);
        // Nobody pressed a key, and by now nobody needs to.
        let result = if needed || result == HEARD { result } else { "signed" };
        let mut sql = Sql::new("UPDATE voice_urges SET result = ");
        sql.bind(result).push(" WHERE result IS NULL AND id = ").bind(&urge.id);
        if sql.run(&mut tx).await? != 1 {
            return Ok(false);
        }
        let wish = Wish {
            unit: Some(urge.unit.clone()),
            level: Some(urge.rung.clone()),
            result: Some(result.to_owned()),
            number: Some(urge.number.clone()),
            at: Some(urge.begun_at),
            ..Wish::default()
        };
        held.append(now, "system", &Event { wish, ..Event::new(Step::VoiceUrged) });
        let signs = ladder.signs && result == HEARD && urge.rung != "office";
        if let Some(cycle) = held.cycle().filter(|_| needed && signs) {
            let who = Who { user: "voice", hands: &[Hand::Unit], unit: cycle.lead.as_deref() };
            // Refused: somebody was faster.
            let signed =
                cycle::step(cycle, Step::Sign, &Wish::default(), who, now, tables).unwrap_or_default();
            for event in &signed {
                held.append(now, "system", event);
            }
        }
        held.write(&mut tx, &Wish::default(), tables).await?;
        tx.commit().await?;
        Ok(true)
    }
}
