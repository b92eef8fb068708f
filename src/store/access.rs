//! Who looked at what: recordings played, records of persons opened.

use super::db::{Db, Durability};
use super::error::StoreError;
use super::sql::{Sql, insert_rows};
use sqlx::Row as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Milliseconds since 1970.
    pub at: i64,
    pub user: String,
    pub source: String,
    pub action: String,
    pub subject: String,
    pub outcome: String,
}

impl Db {
    /// Durable before what it is about is handed out.
    pub async fn log_access(&self, access: &Access) -> Result<(), StoreError> {
        self.log_accesses(std::slice::from_ref(access)).await
    }

    /// The same for what is handed out together.
    pub async fn log_accesses(&self, accesses: &[Access]) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(accesses.len());
        for access in accesses {
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|e| StoreError::Away(e.to_string()))?;
            let id = format!("{:012x}-{:016x}", access.at, u64::from_be_bytes(random));
            rows.push(vec![
                id.into(),
                access.at.into(),
                (&access.user).into(),
                (&access.source).into(),
                (&access.action).into(),
                (&access.subject).into(),
                (&access.outcome).into(),
            ]);
        }
        let mut tx = self.begin(Durability::Full).await?;
        let insert = "INSERT INTO access_log (id, at, user_name, source, action, subject, outcome)";
        insert_rows(&mut tx, insert, rows, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Who touched `subject`, newest first, at most 500.
    pub async fn accesses(&self, subject: &str) -> Result<Vec<Access>, StoreError> {
        self.accesses_of(&[subject.to_owned()]).await
    }

    /// Who touched any of these, newest first, at most 500.
    pub async fn accesses_of(&self, subjects: &[String]) -> Result<Vec<Access>, StoreError> {
        let mut sql = Sql::new(
            "SELECT at, user_name, source, action, subject, outcome FROM access_log WHERE subject IN ",
        );
        sql.tuple(subjects.iter().map(Into::into)).push(" ORDER BY at DESC, id DESC LIMIT 500");
        let rows = sql.read(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(Access {
                    at: row.try_get(0)?,
                    user: row.try_get(1)?,
                    source: row.try_get(2)?,
                    action: row.try_get(3)?,
                    subject: row.try_get(4)?,
                    outcome: row.try_get(5)?,
                })
            })
            .collect()
    }
}
