//! What a hall sees of its day: calls by the half hour, rates, where matters come from, what is being spoken of.

use super::db::Db;
use super::error::StoreError;
use super::sql::Sql;
use sqlx::Row as _;

/// Calls that began in one half hour and waited in one queue last; `queue` is `None` when they never waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// Half hours since the beginning that was asked for.
    pub slot: i64,
    pub queue: Option<String>,
    pub counts: FaredCounts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub agent: String,
    pub call: String,
    /// Its code.
    pub category: String,
}

/// Inbound calls. The parts are kept apart: which rate is made of them is the reader's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaredCounts {
    pub calls: i64,
    /// Asked for an agent.
    pub queued: i64,
    pub answered: i64,
    /// Answered no later than the target after first waiting.
    pub within: i64,
    /// Hung up while they waited.
    pub abandoned: i64,
}

impl FaredCounts {
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            queued: self.queued + other.queued,
            answered: self.answered + other.answered,
            within: self.within + other.within,
            abandoned: self.abandoned + other.abandoned,
        }
    }
}

pub const HALF_HOUR_MS: i64 = 1_800_000;
/// Calls that are up at once, at most, of which a topic is told.
const TOPICS_MAX: i64 = 2_000;

impl Db {
    /// Inbound calls that began in `[since, until)` (milliseconds since 1970) by half hour and queue.
    pub async fn fared(&self, since: i64, until: i64, within_ms: i64) -> Result<Vec<Fared>, StoreError> {
        let mut sql = Sql::new("SELECT (started_at - ");
        sql.bind(since).push(") / ").bind(HALF_HOUR_MS);
        sql.push(
            " AS slot, CASE WHEN queued_at IS NULL THEN NULL ELSE queue END AS last_queue, COUNT(*), COUNT(queued_at), \
             COUNT(CASE WHEN outcome = 'answered' THEN 1 END), \
             COUNT(CASE WHEN outcome = 'answered' AND waited_ms <= ",
        );
        sql.bind(within_ms).push(
            " THEN 1 END), COUNT(CASE WHEN outcome = 'abandoned' THEN 1 END) FROM calls \
             WHERE direction = 'inbound' AND started_at >= ",
        );
        sql.bind(since).push(" AND started_at < ").bind(until).push(" GROUP BY 1, 2 ORDER BY 1, 2");
        let mut list = Vec::new();
        for row in sql.read(&self.read).await? {
            list.push(Fared {
                slot: row.try_get(0)?,
                queue: row.try_get(1)?,
                counts: FaredCounts {
                    calls: row.try_get(2)?,
                    queued: row.try_get(3)?,
                    answered: row.try_get(4)?,
                    within: row.try_get(5)?,
                    abandoned: row.try_get(6)?,
                },
            });
        }
        Ok(list)
    }

    /// How many matters of each street came since then; calls nobody answered and void tickets are none.
    pub async fn streets_since(&self, since: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let mut sql =
            Sql::new("SELECT street, COUNT(*) FROM tickets WHERE street IS NOT NULL AND created_at >= ");
        sql.bind(since).push(" AND state NOT IN ('void', 'missed') GROUP BY street ORDER BY street");
        let mut streets = Vec::new();
        for row in sql.read(&self.read).await? {
            streets.push((row.try_get(0)?, row.try_get(1)?));
        }
        Ok(streets)
    }

    /// What each agent who is on a call speaks of, as far as the call's ticket has a category.
    pub async fn topics(&self) -> Result<Vec<Topic>, StoreError> {
        let mut sql = Sql::new(
            "SELECT c.agent, c.id, t.category FROM calls c JOIN call_tickets x ON x.call_id = c.id \
             JOIN tickets t ON t.id = x.ticket_id WHERE c.state <> 'ended' AND c.agent IS NOT NULL \
             AND t.category IS NOT NULL ORDER BY c.agent, c.id LIMIT ",
        );
        sql.bind(TOPICS_MAX);
        let mut topics = Vec::new();
        for row in sql.read(&self.read).await? {
            topics.push(Topic { agent: row.try_get(0)?, call: row.try_get(1)?, category: row.try_get(2)? });
        }
        Ok(topics)
    }
}
