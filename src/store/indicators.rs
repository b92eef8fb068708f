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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: i64,
    pub to: i64,
}

/// Where numbers are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// As the tickets stand now.
    Now(Period),
    /// As they were published under this id.
    Published(String),
}

/// The column of `tickets`.
pub(super) const fn column(indicator: Indicator) -> &'static str {
    match indicator {
        Indicator::OnTime => "v_on_time",
        Indicator::Feedback => "v_feedback",
        Indicator::Claimed => "v_claimed",
        Indicator::Told => "v_told",
        Indicator::Solved => "v_solved",
        Indicator::Satisfaction => "v_satisfaction",
        Indicator::Satisfied => "v_satisfied",
        Indicator::Match => "v_match",
    }
}

/// The column of `published_values`.
pub(super) const fn published(indicator: Indicator) -> &'static str {
    match indicator {
        Indicator::OnTime => "p_on_time",
        Indicator::Feedback => "p_feedback",
        Indicator::Claimed => "p_claimed",
        Indicator::Told => "p_told",
        Indicator::Solved => "p_solved",
        Indicator::Satisfaction => "p_satisfaction",
        Indicator::Satisfied => "p_satisfied",
        Indicator::Match => "p_match",
    }
}

/// Names of the columns where one of the two is read.
struct Names {
    unit: &'static str,
    reasonable: &'static str,
    due_at: &'static str,
    value: fn(Indicator) -> &'static str,
}

impl Source {
    const fn names(&self) -> Names {
        match self {
            Self::Now(_) => Names { unit: "lead", reasonable: "reasonable", due_at: "due_at", value: column },
            Self::Published(_) => {
                Names { unit: "unit", reasonable: "is_reasonable", due_at: "owed_at", value: published }
            }
        }
    }

    /// What of it is asked for; a condition may follow.
    fn which(&self, sql: &mut Sql) {
        match self {
            Self::Now(period) => within_period(sql, *period),
            Self::Published(id) => drop(sql.push("period_id = ").bind(id)),
        }
    }
}

/// `counted`, and due in the period.
pub(super) fn within_period(sql: &mut Sql, period: Period) {
    sql.push("counted = 1 AND due_at >= ").bind(period.from).push(" AND due_at < ").bind(period.to);
}

/// A unit answers for what it leads, not for what it helps with.
fn led_by(sql: &mut Sql, unit: &'static str, scope: &Scope) {
    if let Scope::Unit { key, .. } = scope {
        sql.push(" AND ").push(unit).push(" = ").bind(key);
    }
}

impl Db {
    /// Every indicator of every unit in the scope. What was published is the same for all who may read a unit's.
    pub async fn indicators(&self, source: &Source, scope: &Scope) -> Result<Vec<Measured>, StoreError> {
        let names = source.names();
        let mut sql = Sql::new("SELECT ");
        sql.push(names.unit)
            .push(", COUNT(*), COUNT(CASE WHEN ")
            .push(names.reasonable)
            .push(" = 1 THEN 1 END)");
        for indicator in Indicator::ALL {
            let name = (names.value)(indicator);
            // PostgreSQL sums BIGINT to NUMERIC, which is not ours.
            sql.push(", CAST(COALESCE(SUM(").push(name).push("), 0) AS BIGINT), COUNT(").push(name).push(")");
        }
        match source {
            Source::Now(_) => {
                source.which(sql.push(" FROM tickets WHERE "));
                within(&mut sql, scope);
            }
            Source::Published(_) => source.which(sql.push(" FROM published_values WHERE ")),
        }
        led_by(&mut sql, names.unit, scope);
        sql.push(" GROUP BY ").push(names.unit).push(" ORDER BY ").push(names.unit);
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

    /// The tickets behind a number, by deadline. Of a published one those that he may read now.
    pub async fn behind_indicator(
        &self,
        indicator: Indicator,
        source: &Source,
        unit: Option<&str>,
        behind: Behind,
        scope: &Scope,
        page: &Page,
    ) -> Result<Paged<Counted>, StoreError> {
        let names = source.names();
        let value = (names.value)(indicator);
        let mut sql = Sql::new("SELECT id, no, ");
        sql.push(names.unit).push(", ").push(names.due_at).push(", ").push(value).push(match source {
            Source::Now(_) => " FROM tickets WHERE ",
            Source::Published(_) => " FROM published_values JOIN tickets ON id = ticket_id WHERE ",
        });
        source.which(&mut sql);
        if indicator.of_reasonable() {
            sql.push(" AND ").push(names.reasonable).push(" = 1");
        }
        if let Some(unit) = unit {
            sql.push(" AND ").push(names.unit).push(" = ").bind(unit);
        }
        match behind {
            Behind::All => {}
            Behind::Hit => {
                sql.push(" AND ").push(value).push(" = 100");
            }
            Behind::Short => {
                sql.push(" AND ").push(value).push(" < 100");
            }
            Behind::Missing => {
                sql.push(" AND ").push(value).push(" IS NULL");
            }
        }
        within(&mut sql, scope);
        led_by(&mut sql, names.unit, scope);
        match source {
            Source::Now(_) => page.close(&mut sql, " AND (due_at, id) > ", " ORDER BY due_at, id"),
            Source::Published(_) => page.close(&mut sql, " AND (owed_at, id) > ", " ORDER BY owed_at, id"),
        }
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
