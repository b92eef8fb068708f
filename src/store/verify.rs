//! `hotline db verify`: every chain walked, every promise between tables looked at.

use super::chain::{self, GENESIS, Link};
use super::code::same;
use super::db::{Db, Tx};
use super::error::StoreError;
use super::sql::Sql;
use crate::ticket::cycle::{self, Event};
use crate::ticket::number::is_official;
use sqlx::Row as _;

/// Tickets walked at a time.
const STRIDE: i64 = 256;
/// Problems told; the rest are counted.
const TOLD: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    pub tickets: u64,
    pub events: u64,
    pub calls: u64,
    /// The first hundred, each one line.
    pub problems: Vec<String>,
    pub problem_count: u64,
}

impl VerifyReport {
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    fn tell(&mut self, problem: String) {
        self.problem_count += 1;
        if self.problems.len() < TOLD {
            self.problems.push(problem);
        }
    }
}

/// What a ticket's row says of its history.
struct Kept {
    events: i64,
    head: Vec<u8>,
    state: String,
    key: Option<Vec<u8>>,
    detail: Option<String>,
}

/// A line of the loop; `None` for other lines.
fn event_of(link: &Link, key: Option<&[u8]>) -> Option<Event> {
    let payload = serde_json::from_str(&link.payload).ok()?;
    let personal = chain::open(key, &link.ticket, link.n, &link.sealed);
    Event::read(&link.kind, &payload, personal.as_ref())
}

/// A ticket's loop made of its history anew; `None` when it has not begun.
pub(super) async fn folded(
    tx: &mut Tx,
    id: &str,
    key: Option<&[u8]>,
) -> Result<Option<cycle::Ticket>, StoreError> {
    let mut sql =
        Sql::new("SELECT n, at, kind, actor, payload, sealed FROM ticket_events WHERE ticket_id = ");
    sql.bind(id).push(" ORDER BY n");
    let mut lived = Vec::new();
    for row in sql.rows(tx).await? {
        let link = Link::read(id, &row)?;
        if let Some(event) = event_of(&link, key) {
            lived.push((link.at, link.actor, event));
        }
    }
    Ok(cycle::Ticket::fold(lived.iter().map(|(at, actor, event)| (*at, actor.as_str(), event))))
}

impl Db {
    /// Walks everything and changes nothing.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        for line in self.integrity().await? {
            report.tell(line);
        }
        let mut after = String::new();
        loop {
            let mut sql =
                Sql::new("SELECT id, no, events, head, state, seal_key, detail FROM tickets WHERE id > ");
            sql.bind(&after).push(" ORDER BY id LIMIT ").bind(STRIDE);
            let rows = sql.read(&self.read).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get(0)?;
            for row in &rows {
                let (id, no): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
                let kept = Kept {
                    events: row.try_get(2)?,
                    head: row.try_get(3)?,
                    state: row.try_get(4)?,
                    key: row.try_get(5)?,
                    detail: row.try_get(6)?,
                };
                self.walk(&mut report, &id, kept).await?;
                if let Some(no) = no
                    && !is_official(&no)
                {
                    report.tell(format!("ticket {id}: {no} is not an official number (Luhn)"));
                }
            }
            report.tickets += rows.len() as u64;
        }
        self.cross(&mut report).await?;
        Ok(report)
    }

    async fn walk(&self, report: &mut VerifyReport, id: &str, row: Kept) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "SELECT n, at, kind, actor, payload, sealed, hash FROM ticket_events WHERE ticket_id = ",
        );
        sql.bind(id).push(" ORDER BY n");
        let mut prev = GENESIS.to_vec();
        let mut count = 0;
        let mut lived = Vec::new();
        for row_of in sql.read(&self.read).await? {
            count += 1;
            report.events += 1;
            let link = Link::read(id, &row_of)?;
            let kept: Vec<u8> = row_of.try_get(6)?;
            if link.n != count {
                report.tell(format!("ticket {id}: event {count} is missing"));
                return Ok(());
            }
            if !same(&link.hash(&prev), &kept) {
                report.tell(format!("ticket {id}: event {count} was changed, or one before it"));
                return Ok(());
            }
            prev = kept;
            if let Some(event) = event_of(&link, row.key.as_deref()) {
                lived.push((link.at, link.actor, event));
            }
        }
        if count != row.events || !same(&prev, &row.head) {
            report.tell(format!(
                "ticket {id}: its row says {} events, its history has {count} or ends elsewhere",
                row.events
            ));
            return Ok(());
        }
        if let Some(text) = &row.detail {
            let kept = serde_json::from_str::<cycle::Ticket>(text).ok();
            let folded =
                cycle::Ticket::fold(lived.iter().map(|(at, actor, event)| (*at, actor.as_str(), event)));
            if kept != folded || folded.is_none_or(|ticket| ticket.state.label() != row.state) {
                report.tell(format!("ticket {id}: its row is not what its history makes of it"));
            }
        }
        Ok(())
    }

    /// Rows that must have a partner.
    async fn cross(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        const PAIRS: &[(&str, &str)] = &[
            (
                "SELECT DISTINCT e.ticket_id FROM ticket_events e WHERE NOT EXISTS \
                 (SELECT 1 FROM tickets t WHERE t.id = e.ticket_id)",
                "has a history and no row",
            ),
            (
                "SELECT c.id FROM calls c WHERE c.direction = 'inbound' AND NOT EXISTS \
                 (SELECT 1 FROM call_tickets x WHERE x.call_id = c.id)",
                "has no draft",
            ),
            (
                "SELECT x.ticket_id FROM call_tickets x WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.id = x.ticket_id)",
                "is named by a call and has no row",
            ),
            (
                "SELECT DISTINCT e.call_id FROM call_events e WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.id = e.call_id)",
                "has a timeline and no row",
            ),
        ];
        for (question, what) in PAIRS {
            for row in Sql::new(question).read(&self.read).await? {
                let id: String = row.try_get(0)?;
                report.tell(format!("{id} {what}"));
            }
        }
        let rows = Sql::new("SELECT COUNT(*) FROM calls").read(&self.read).await?;
        if let Some(row) = rows.first() {
            report.calls = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
        }
        Ok(())
    }
}
