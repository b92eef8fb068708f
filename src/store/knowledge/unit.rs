//! How each unit keeps its knowledge: what it published, what it owes, how often it was late.

use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::sql::Sql;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Figures of one unit since a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KbUnit {
    /// Publications.
    pub published: i64,
    /// Errors reported, and those answered late or overdue.
    pub corrections: i64,
    pub corrections_late: i64,
    /// Changes of policy told, and those carried through late or overdue.
    pub notices: i64,
    pub notices_late: i64,
}

impl Db {
    /// Of all units that did anything since `since`, by their keys.
    pub async fn kb_units(&self, since: i64, now: i64) -> Result<BTreeMap<String, KbUnit>, StoreError> {
        let mut units: BTreeMap<String, KbUnit> = BTreeMap::new();
        let mut sql = Sql::new(
            "SELECT v.unit, COUNT(*) FROM kb_events e JOIN kb_versions v ON v.entry_id = e.entry_id AND v.n = e.version \
             WHERE e.step = 'publish' AND e.at >= ",
        );
        sql.bind(since).push(" GROUP BY v.unit");
        for row in sql.read(&self.read).await? {
            units.entry(row.try_get(0)?).or_default().published = row.try_get(1)?;
        }
        let late = "), COUNT(CASE WHEN COALESCE(done_at, ";
        for (table, is_notice) in
            [(" FROM kb_corrections WHERE at >= ", false), (" FROM kb_notices WHERE at >= ", true)]
        {
            let mut sql = Sql::new("SELECT unit, COUNT(*");
            sql.push(late).bind(now).push(") > due_at THEN 1 END)");
            sql.push(table).bind(since).push(" GROUP BY unit");
            for row in sql.read(&self.read).await? {
                let unit = units.entry(row.try_get(0)?).or_default();
                let (all, late) = (row.try_get(1)?, row.try_get(2)?);
                if is_notice {
                    (unit.notices, unit.notices_late) = (all, late);
                } else {
                    (unit.corrections, unit.corrections_late) = (all, late);
                }
            }
        }
        Ok(units)
    }
}
