//! Sheets of paper from when the system was down: each becomes one draft, or is void.

use super::chain::{self, Tail};
use super::db::{Db, Durability};
use super::error::StoreError;
use super::new_ticket::NewTicket;
use super::setting;
use super::sql::{Sql, Value, insert_rows};
use crate::ticket::paper::Sheet;
use serde_json::json;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Missing sheets that are named.
const MISSING_MAX: i64 = 100;
pub const PAPER: &str = "paper";

/// A sheet that is to be entered.
#[derive(Clone, Debug)]
pub struct NewPaper<'a> {
    pub sheet: &'a Sheet,
    /// Milliseconds since 1970: what stands on the sheet.
    pub received_at: i64,
    pub at: i64,
    pub user: &'a str,
    pub no: &'a str,
    pub code: &'a str,
}

/// A sheet as it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperSheet {
    pub sheet: Sheet,
    /// Id and number of its ticket; `None`: void.
    pub ticket: Option<(String, Option<String>)>,
    /// Why it is void.
    pub reason: Option<String>,
    pub received_at: Option<i64>,
    pub entered_at: i64,
    pub by: String,
}

/// Sheets between two that were entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSheets {
    pub first: Sheet,
    pub last: Sheet,
}

fn number(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

fn sheet(row: &AnyRow) -> Result<PaperSheet, StoreError> {
    let id: Option<String> = row.try_get(2)?;
    let no: Option<String> = row.try_get(3)?;
    Ok(PaperSheet {
        sheet: Sheet { series: row.try_get(0)?, n: number(row.try_get(1)?) },
        ticket: id.map(|id| (id, no)),
        reason: row.try_get(4)?,
        received_at: row.try_get(5)?,
        entered_at: row.try_get(6)?,
        by: row.try_get(7)?,
    })
}

const SHEETS: &str = "SELECT p.series, p.n, p.ticket_id, t.no, p.reason, p.received_at, p.entered_at, p.by_user \
    FROM paper_sheets p LEFT JOIN tickets t ON t.id = p.ticket_id";

impl Db {
    /// A draft with a number for the sheet; its id. [`StoreError::Exists`] when the sheet was entered.
    pub async fn enter_paper(&self, new: &NewPaper<'_>) -> Result<String, StoreError> {
        let pepper = setting::pepper(self).await?;
        let id = ["t-", new.no].concat();
        let actor = ["user:", new.user].concat();
        let mut tail = Tail::fresh()?;
        let created =
            json!({"channel": PAPER, "sheet": new.sheet.to_string(), "received_at": new.received_at});
        let links = vec![
            tail.append(&id, new.at, "created", &actor, &created, None),
            tail.append(&id, new.at, "numbered", "system", &json!({"no": new.no}), None),
        ];
        let ticket = NewTicket {
            id: id.clone(),
            no: new.no.to_owned(),
            code: new.code.to_owned(),
            state: "draft".into(),
            channel: PAPER.into(),
            secrecy: "normal".into(),
            created_at: new.at,
            ..NewTicket::default()
        };
        let mut tx = self.begin(Durability::Full).await?;
        self.insert(&mut tx, &ticket, &pepper, tail).await?;
        // A draft has no kind and no words yet, and nobody has accepted it.
        let mut sql = Sql::new(
            "UPDATE tickets SET type = NULL, title = NULL, content = NULL, accepted_at = NULL, received_at = ",
        );
        sql.bind(new.received_at).push(" WHERE id = ").bind(&id);
        sql.run(&mut tx).await?;
        insert_rows(&mut tx, chain::INSERT, links, "").await?;
        let row = [
            (&new.sheet.series).into(),
            i64::from(new.sheet.n).into(),
            (&id).into(),
            Value::Text(None),
            new.received_at.into(),
            new.at.into(),
            new.user.into(),
        ];
        let head =
            "INSERT INTO paper_sheets (series, n, ticket_id, reason, received_at, entered_at, by_user)";
        insert_rows(&mut tx, head, vec![row.into()], "").await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The sheet was spoiled or never used. [`StoreError::Exists`] when it was entered.
    pub async fn void_paper(
        &self,
        sheet: &Sheet,
        reason: &str,
        at: i64,
        user: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(Durability::Full).await?;
        let head = "INSERT INTO paper_sheets (series, n, reason, entered_at, by_user)";
        let row =
            vec![(&sheet.series).into(), i64::from(sheet.n).into(), reason.into(), at.into(), user.into()];
        insert_rows(&mut tx, head, vec![row], "").await?;
        tx.commit().await.map_err(StoreError::from)
    }

    pub async fn paper_sheet(&self, sheet: &Sheet) -> Result<Option<PaperSheet>, StoreError> {
        let mut sql = Sql::new(SHEETS);
        sql.push(" WHERE p.series = ").bind(&sheet.series).push(" AND p.n = ").bind(i64::from(sheet.n));
        sql.read_one(&self.read).await?.as_ref().map(self::sheet).transpose()
    }

    /// Whether this user entered the sheet that the ticket is of.
    pub async fn entered_from_paper(&self, ticket: &str, user: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT n FROM paper_sheets WHERE ticket_id = ");
        sql.bind(ticket).push(" AND by_user = ").bind(user);
        Ok(sql.read_one(&self.read).await?.is_some())
    }

    /// The newest, so many.
    pub async fn paper_sheets(&self, limit: u32) -> Result<Vec<PaperSheet>, StoreError> {
        let mut sql = Sql::new(SHEETS);
        sql.push(" ORDER BY p.entered_at DESC, p.series DESC, p.n DESC LIMIT ").bind(i64::from(limit));
        sql.read(&self.read).await?.iter().map(sheet).collect()
    }

    /// Gaps between the sheets of each series, in order.
    pub async fn paper_missing(&self) -> Result<Vec<MissingSheets>, StoreError> {
        let mut sql = Sql::new(
            "SELECT series, n, next FROM (SELECT series, n, LEAD(n) OVER (PARTITION BY series ORDER BY n) AS next \
             FROM paper_sheets) AS pairs WHERE next > n + 1 ORDER BY series, n LIMIT ",
        );
        sql.bind(MISSING_MAX);
        let mut missing = Vec::new();
        for row in sql.read(&self.read).await? {
            let (series, before, after): (String, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            missing.push(MissingSheets {
                first: Sheet { series: series.clone(), n: number(before + 1) },
                last: Sheet { series, n: number(after - 1) },
            });
        }
        Ok(missing)
    }
}
