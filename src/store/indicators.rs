//! 三率两度 over a period: sums of what each ticket adds, and the tickets behind every number.

use super::db::Db;
use super::error::StoreError;
use super::page::{Cursor, Page, Paged};
use super::sql::Sql;
use super::ticket::{Scope, within};
use crate::ticket::indicators::Indicator;
use sqlx::Row as _;

/// One number of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The lead; `None`: of no unit.
    pub unit: Option<String>,
    pub indicator: Indicator,
    /// Hundredths.
    pub numerator: i64,
    pub denominator: i64,
    /// Tickets that count and have no answer.
    pub missing: i64,
}

/// Which of the tickets behind a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    All,
    /// All it could add.
    Hit,
    /// Less than that.
    Short,
    /// No answer.
    Missing,
}

/// A ticket behind a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub id: String,
    pub no: Option<String>,
    pub unit: Option<String>,
    pub due_at: i64,
    /// Hundredths it adds.
    pub value: Option<i64>,
}

/// Tickets whose deadline falls into `[from, to)`, milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub from: i64,
    pub to: i64,
}

const fn column(indicator: Indicator) -> &'static str {
    match indicator {
        Indicator::OnTime => "v_on_time",
        Indicator::Feedback => "v_feedback",
        Indicator::Told => "v_told",
        Indicator::Solved => "v_solved",
        Indicator::Satisfaction => "v_satisfaction",
        Indicator::Satisfied => "v_satisfied",
        Indicator::Match => "v_match",
    }
}

/// A unit answers for what it leads, not for what it helps with.
fn led_by(sql: &mut Sql, scope: &Scope) {
    if let Scope::Unit { key, .. } = scope {
        sql.push(" AND lead = ").bind(key);
    }
}

impl Db {
    /// Every indicator of every unit in the scope.
    pub async fn indicators(&self, period: Period, scope: &Scope) -> Result<Vec<Measured>, StoreError> {
        let mut sql = Sql::new("SELECT lead, COUNT(*), COUNT(CASE WHEN reasonable = 1 THEN 1 END)");
        for indicator in Indicator::ALL {
            let name = column(indicator);
            // PostgreSQL sums BIGINT to NUMERIC, which is not ours.
            sql.push(", CAST(COALESCE(SUM(").push(name).push("), 0) AS BIGINT), COUNT(").push(name).push(")");
        }
        sql.push(" FROM tickets WHERE counted = 1 AND due_at >= ").bind(period.from);
        sql.push(" AND due_at < ").bind(period.to);
        within(&mut sql, scope);
        led_by(&mut sql, scope);
        sql.push(" GROUP BY lead ORDER BY lead");
        let mut measured = Vec::new();
        for row in sql.read(&self.read).await? {
            let unit: Option<String> = row.try_get(0)?;
            let (all, reasonable): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            for (n, indicator) in Indicator::ALL.into_iter().enumerate() {
                let denominator: i64 = row.try_get(4 + 2 * n)?;
                let possible = if indicator.of_reasonable() { reasonable } else { all };
                measured.push(Measured {
                    unit: unit.clone(),
                    indicator,
                    numerator: row.try_get(3 + 2 * n)?,
                    denominator,
                    missing: possible - denominator,
                });
            }
        }
        Ok(measured)
    }

    /// The tickets behind a number, by deadline.
    pub async fn behind_indicator(
        &self,
        indicator: Indicator,
        period: Period,
        unit: Option<&str>,
        behind: Behind,
        scope: &Scope,
        page: &Page,
    ) -> Result<Paged<Counted>, StoreError> {
        let name = column(indicator);
        let mut sql = Sql::new("SELECT id, no, lead, due_at, ");
        sql.push(name).push(" FROM tickets WHERE counted = 1 AND due_at >= ").bind(period.from);
        sql.push(" AND due_at < ").bind(period.to);
        if indicator.of_reasonable() {
            sql.push(" AND reasonable = 1");
        }
        if let Some(unit) = unit {
            sql.push(" AND lead = ").bind(unit);
        }
        match behind {
            Behind::All => {}
            Behind::Hit => {
                sql.push(" AND ").push(name).push(" = 100");
            }
            Behind::Short => {
                sql.push(" AND ").push(name).push(" < 100");
            }
            Behind::Missing => {
                sql.push(" AND ").push(name).push(" IS NULL");
            }
        }
        within(&mut sql, scope);
        led_by(&mut sql, scope);
        page.close(&mut sql, " AND (due_at, id) > ", " ORDER BY due_at, id");
        let mut counted = Vec::new();
        for row in sql.read(&self.read).await? {
            counted.push(Counted {
                id: row.try_get(0)?,
                no: row.try_get(1)?,
                unit: row.try_get(2)?,
                due_at: row.try_get(3)?,
                value: row.try_get(4)?,
            });
        }
        Ok(page.cut(counted, |one| Cursor { at: one.due_at, id: one.id.clone() }))
    }
}
