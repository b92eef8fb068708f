//! What is kept no longer: recordings and lines of the access log past their months. Names what is to go; whoever asks
//! removes the files first and tells this room afterwards, so that a crash between the two is only done again.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::projector::record_of;
use super::sql::Sql;
use sqlx::Row as _;

/// Rows deleted in one transaction: others write in between.
const STRIDE: i64 = 5_000;

/// A call whose recordings are past their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    pub call: String,
    /// Ids (32 hex digits) of its recording and its voice message, as far as there are any.
    pub recordings: Vec<String>,
}

/// The moment so many calendar months before `now` in `zone`. Milliseconds since 1970; `i64::MIN` where no calendar goes.
pub fn months_before(now: i64, months: u32, zone: &jiff::tz::TimeZone) -> i64 {
    let Ok(at) = jiff::Timestamp::from_millisecond(now) else { return i64::MIN };
    jiff::Span::new()
        .try_months(i64::from(months))
        .and_then(|span| zone.to_datetime(at).checked_sub(span))
        .and_then(|earlier| zone.to_timestamp(earlier))
        .map_or(i64::MIN, jiff::Timestamp::as_millisecond)
}

impl Db {
    /// Calls that began before `before` and still name recordings, oldest first, at most `limit`.
    pub async fn expired_recordings(&self, before: i64, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let mut sql = Sql::new(
            "SELECT id, recording, message, started_at FROM calls WHERE recording IS NOT NULL AND started_at < ",
        );
        sql.bind(before);
        sql.push(
            " UNION SELECT id, recording, message, started_at FROM calls WHERE message IS NOT NULL AND started_at < ",
        );
        sql.bind(before).push(" ORDER BY 4, 1 LIMIT ").bind(i64::from(limit));
        let mut expired = Vec::new();
        for row in sql.read(&self.read).await? {
            let both: [Option<String>; 2] = [row.try_get(1)?, row.try_get(2)?];
            expired.push(Expired { call: row.try_get(0)?, recordings: both.into_iter().flatten().collect() });
        }
        Ok(expired)
    }

    /// The call names its recordings no more: their files are gone.
    pub async fn forget_recordings(&self, call: &str) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("SELECT detail FROM calls WHERE id = ");
        sql.bind(call);
        let Some(row) = sql.one(&mut tx).await? else { return Ok(()) };
        let mut record = record_of(&row.try_get::<String, _>(0)?)?;
        record.recording = None;
        record.recording_ms = None;
        record.recording_gaps_ms = None;
        record.message = None;
        record.message_ms = None;
        let detail = serde_json::to_string(&record).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let mut sql = Sql::new("UPDATE calls SET recording = NULL, message = NULL, detail = ");
        sql.bind(detail).push(" WHERE id = ").bind(call);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes the access log's lines before `before`; how many there were.
    pub async fn forget_accesses(&self, before: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.begin(Durability::Full).await?;
            let mut sql =
                Sql::new("DELETE FROM access_log WHERE id IN (SELECT id FROM access_log WHERE at < ");
            sql.bind(before).push(" ORDER BY at LIMIT ").bind(STRIDE).push(")");
            let some = sql.run(&mut tx).await?;
            tx.commit().await?;
            gone += some;
            if some < STRIDE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    /// Deletes sessions that are over and counts of wrong codes whose hour has passed.
    pub async fn forget_sessions(&self, now: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("DELETE FROM sessions WHERE expires_at <= ");
        sql.bind(now);
        let gone = sql.run(&mut tx).await?;
        let mut sql = Sql::new("DELETE FROM code_tries WHERE since <= ");
        sql.bind(now - super::ticket::LOCK_MS);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_the_calendars() {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        for (now, months, before) in [
            ("2026-11-23T09:00:00+08:00", 24, "2024-11-23T09:00:00+08:00"),
            ("2026-03-31T00:30:00+08:00", 1, "2026-02-28T00:30:00+08:00"),
            ("2024-02-29T12:00:00+08:00", 12, "2023-02-28T12:00:00+08:00"),
        ] {
            assert_eq!(months_before(ms(now), months, &zone), ms(before), "{now} less {months}");
        }
        assert_eq!(months_before(ms("2026-11-23T09:00:00+08:00"), u32::MAX, &zone), i64::MIN);
    }
}
