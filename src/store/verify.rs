//! `hotline db verify`: every chain walked, every promise between tables looked at.

use super::chain::{GENESIS, Link};
use super::code::same;
use super::db::Db;
use super::error::StoreError;
use super::sql::Sql;
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

impl Db {
    /// Walks everything and changes nothing.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        for line in self.integrity().await? {
            report.tell(line);
        }
        let mut after = String::new();
        loop {
            let mut sql = Sql::new("SELECT id, no, events, head FROM tickets WHERE id > ");
            sql.bind(&after).push(" ORDER BY id LIMIT ").bind(STRIDE);
            let rows = sql.read(&self.read).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get(0)?;
            for row in &rows {
                let (id, no): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
                self.walk(&mut report, &id, row.try_get(2)?, row.try_get(3)?).await?;
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

    async fn walk(
        &self,
        report: &mut VerifyReport,
        id: &str,
        events: i64,
        head: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "SELECT n, at, kind, actor, payload, sealed, hash FROM ticket_events WHERE ticket_id = ",
        );
        sql.bind(id).push(" ORDER BY n");
        let mut prev = GENESIS.to_vec();
        let mut count = 0;
        for row in sql.read(&self.read).await? {
            count += 1;
            report.events += 1;
            let link = Link {
                ticket: id.to_owned(),
                n: row.try_get(0)?,
                at: row.try_get(1)?,
                kind: row.try_get(2)?,
                actor: row.try_get(3)?,
                payload: row.try_get(4)?,
                sealed: row.try_get(5)?,
            };
            let kept: Vec<u8> = row.try_get(6)?;
            if link.n != count {
                report.tell(format!("ticket {id}: event {count} is missing"));
                return Ok(());
            }
            if !same(&link.hash(&prev), &kept) {
                report.tell(format!("ticket {id}: event {count} was changed, or one before it"));
                return Ok(());
            }
            prev = kept;
        }
        if count != events || !same(&prev, &head) {
            report.tell(format!(
                "ticket {id}: its row says {events} events, its history has {count} or ends elsewhere"
            ));
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
