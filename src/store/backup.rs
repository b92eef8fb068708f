//! `hotline db backup`: a copy that is whole, while the desk goes on.

use super::db::{Db, Dialect};
use super::error::StoreError;
use super::sql::Sql;
use sqlx::Connection as _;
use std::path::Path;

impl Db {
    /// Writes a copy to `to`, which must not exist: a SQLite file, or PostgreSQL's archive for `pg_restore`.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Exists);
        }
        match self.dialect() {
            Dialect::Sqlite => {
                let mut conn = sqlx::AnyConnection::connect(self.url()).await?;
                let mut sql = Sql::new("VACUUM INTO ");
                sql.bind(to.to_string_lossy().into_owned());
                sql.run_alone(&mut conn).await?;
                conn.close().await?;
                Ok(())
            }
            Dialect::Postgres => pg_dump(self.url(), to).await,
        }
    }
}

/// The password goes by the environment: a command line can be read by everybody on the machine.
async fn pg_dump(url: &str, to: &Path) -> Result<(), StoreError> {
    let (url, password) = apart(url);
    let mut command = tokio::process::Command::new("pg_dump");
    command.arg("--format=custom").arg("--file").arg(to).arg("--dbname").arg(url);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let output =
        command.output().await.map_err(|e| StoreError::Away(["pg_dump: ", &e.to_string()].concat()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(StoreError::Away(said.lines().last().unwrap_or("pg_dump failed").to_owned()))
}

fn apart(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match parts {
        Some((scheme, (who, host))) => match who.split_once(':') {
            Some((user, password)) => ([scheme, "://", user, "@", host].concat(), Some(decoded(password))),
            None => (url.to_owned(), None),
        },
        None => (url.to_owned(), None),
    }
}

/// Percent-decoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let two = bytes.get(i + 1..i + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (bytes[i], two.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_url() {
        assert_eq!(
            apart("postgres://a:p%40s@h:5432/db"),
            ("postgres://a@h:5432/db".into(), Some("p@s".into()))
        );
        assert_eq!(apart("postgres://h/db"), ("postgres://h/db".into(), None));
        assert_eq!(apart("postgres://a@h/db"), ("postgres://a@h/db".into(), None));
    }
}
