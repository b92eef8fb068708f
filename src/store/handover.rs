//! Signatures of hand-overs: appended, never changed.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::sql::Sql;
use sqlx::Row as _;

/// Who has signed which change of shifts, and what the sheet said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverSignature {
    /// The minute at which the next shift begins, `YYYY-MM-DDTHH:MM`.
    pub turn: String,
    pub n: i64,
    /// `out in`.
    pub part: String,
    pub at: i64,
    pub by: String,
    /// JSON.
    pub sheet: String,
}

const SINCE: &str = "handovers_since";

impl Db {
    /// Signatures of the turns from this one on, in their order.
    pub async fn handover_signatures(&self, from: &str) -> Result<Vec<HandoverSignature>, StoreError> {
        let mut sql =
            Sql::new("SELECT turn, n, part, at, by_user, sheet FROM handover_signatures WHERE turn >= ");
        sql.bind(from).push(" ORDER BY turn, n");
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(HandoverSignature {
                    turn: row.try_get(0)?,
                    n: row.try_get(1)?,
                    part: row.try_get(2)?,
                    at: row.try_get(3)?,
                    by: row.try_get(4)?,
                    sheet: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// One more. [`StoreError::Exists`]: somebody has signed in the same moment.
    pub async fn add_handover_signature(&self, signature: &HandoverSignature) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let mut sql = Sql::new("INSERT INTO handover_signatures (turn, n, part, at, by_user, sheet) VALUES ");
        sql.tuple([
            (&signature.turn).into(),
            signature.n.into(),
            (&signature.part).into(),
            signature.at.into(),
            (&signature.by).into(),
            (&signature.sheet).into(),
        ]);
        sql.run(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Since when hand-overs are signed here, milliseconds since 1970: what was before nobody could sign. The first time it is asked says so.
    pub async fn handovers_since(&self, now: i64) -> Result<i64, StoreError> {
        let known = || {
            let mut sql = Sql::new("SELECT value FROM settings WHERE name = ");
            sql.bind(SINCE);
            sql
        };
        if known().read_one(&self.read).await?.is_none() {
            let mut tx = self.begin(Durability::Full).await?;
            let mut sql = Sql::new("INSERT INTO settings (name, value) VALUES ");
            sql.tuple([SINCE.into(), now.to_string().into_bytes().into()])
                .push(" ON CONFLICT (name) DO NOTHING");
            sql.run(&mut tx).await?;
            tx.commit().await?;
        }
        let row = known().read_one(&self.read).await?;
        let kept: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
        let since = kept.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
        since.ok_or_else(|| StoreError::Corrupt(format!("settings: {SINCE}")))
    }
}
