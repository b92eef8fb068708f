//! `hotline db backup`: a copy that is whole, while the desk goes on; `hotline db restore`: back into its place.

use super::db::{Db, Dialect, OpenOptions};
use super::error::{OpenError, StoreError};
use super::sql::Sql;
use sqlx::Connection as _;
use std::path::{Path, PathBuf};

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

/// Why a copy was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first thing that is wrong with it. Nothing was changed.
    #[error("the copy is not whole: {0}")]
    Broken(String),
}

/// Puts the copy `from` in the place of the SQLite file `to`, which nobody may have open. The copy is brought up to date and verified
/// beside its place first; what was there before is kept, under the name that is told.
pub async fn restore_sqlite(from: &Path, to: &Path, now: i64) -> Result<Option<PathBuf>, RestoreError> {
    let file = |path: &Path| {
        let path = path.display().to_string();
        move |error| RestoreError::File(path, error)
    };
    let beside = |suffix: &str| {
        let mut name = to.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let fresh = beside(".restoring");
    let left = ["", "-wal", "-shm"].map(|suffix| beside(&[".restoring", suffix].concat()));
    let clean = || left.iter().for_each(|path| drop(std::fs::remove_file(path)));
    clean();
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(file(folder))?;
    }
    std::fs::copy(from, &fresh).map_err(file(from))?;
    let checked = check(&["sqlite://", &fresh.to_string_lossy()].concat()).await;
    if let Err(error) = checked {
        clean();
        return Err(error);
    }
    std::fs::File::open(&fresh).and_then(|copy| copy.sync_all()).map_err(file(&fresh))?;
    let mut kept = None;
    if to.exists() {
        // With its log, which may hold what is not in the file yet.
        let suffix = format!(".before-{now}");
        let before = beside(&suffix);
        for end in ["-wal", "-shm", ""] {
            let mut old = before.as_os_str().to_owned();
            old.push(end);
            let was = beside(end);
            if was.exists() {
                std::fs::rename(&was, PathBuf::from(old)).map_err(file(&was))?;
            }
        }
        kept = Some(before);
    }
    std::fs::rename(&fresh, to).map_err(file(to))?;
    if let Some(folder) = to.parent() {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(file(folder))?;
    }
    Ok(kept)
}

/// Puts the archive `from` in the place of what the PostgreSQL database has: all of it, or nothing changes.
pub async fn restore_postgres(from: &Path, url: &str) -> Result<(), RestoreError> {
    let (plain, password) = apart(url);
    let mut command = tokio::process::Command::new("pg_restore");
    command.args(["--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname"]);
    command.arg(plain).arg(from);
    run(command, password, "pg_restore").await?;
    check(url).await
}

/// Brings it up to date and walks it.
async fn check(url: &str) -> Result<(), RestoreError> {
    let db = Db::open(url, OpenOptions::default()).await?;
    let told = async {
        db.migrate().await?;
        db.verify().await
    }
    .await;
    db.close().await;
    match told?.problems.into_iter().next() {
        Some(problem) => Err(RestoreError::Broken(problem)),
        None => Ok(()),
    }
}

/// The password goes by the environment: a command line can be read by everybody on the machine.
async fn pg_dump(url: &str, to: &Path) -> Result<(), StoreError> {
    let (url, password) = apart(url);
    let mut command = tokio::process::Command::new("pg_dump");
    command.arg("--format=custom").arg("--file").arg(to).arg("--dbname").arg(url);
    run(command, password, "pg_dump").await
}

async fn run(
    mut command: tokio::process::Command,
    password: Option<String>,
    name: &str,
) -> Result<(), StoreError> {
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let output = command.output().await.map_err(|e| StoreError::Away(format!("{name}: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().map_or_else(|| format!("{name} failed"), str::to_owned);
    Err(StoreError::Away(last))
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
