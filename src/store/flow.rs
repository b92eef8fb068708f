//! Flow versions as the engine told them: what is in force, what was refused and why.

use super::db::Db;
use super::error::StoreError;
use super::sql::Sql;
use sqlx::Row as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowVersion {
    pub node: i64,
    pub at: i64,
    pub file: String,
    pub version: String,
    /// 16 hex digits; empty when refused.
    pub hash: String,
    /// Why this version did not come into force.
    pub refused: Option<String>,
    /// The last version of its file that was taken.
    pub in_force: bool,
}

impl Db {
    /// Newest first, at most 500.
    pub async fn flow_versions(&self) -> Result<Vec<FlowVersion>, StoreError> {
        let rows = Sql::new(
            "SELECT node, at, file, version, hash, refused, CASE WHEN refused IS NULL AND seq = (SELECT MAX(f.seq) \
             FROM flows f WHERE f.node = flows.node AND f.file = flows.file AND f.refused IS NULL) THEN 1 ELSE 0 END \
             AS in_force FROM flows ORDER BY at DESC, seq DESC LIMIT 500",
        )
        .read(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(FlowVersion {
                    node: row.try_get(0)?,
                    at: row.try_get(1)?,
                    file: row.try_get(2)?,
                    version: row.try_get(3)?,
                    hash: row.try_get(4)?,
                    refused: row.try_get(5)?,
                    in_force: row
                        .try_get::<i64, _>(6)
                        .or_else(|_| row.try_get::<i32, _>(6).map(i64::from))?
                        != 0,
                })
            })
            .collect()
    }
}
