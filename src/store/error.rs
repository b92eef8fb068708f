//! What can go wrong between the desk and its database.

/// Why a database could not be opened. Each is one clear line for whoever starts the process.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("database url {0:?}: expected sqlite://PATH or postgres://…")]
    Url(String),
    #[error(
        "{path}: SQLite cannot keep its log on a network file system ({kind}); use PostgreSQL or a local disk"
    )]
    NetworkFileSystem { path: String, kind: String },
    #[error(
        "SQLite {found} can lose data in a race (fixed in 3.51.3); this build must be linked with a newer one"
    )]
    OldSqlite { found: String },
    #[error("{path}: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a question to the database, or a change of it, failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, full, read-only or too slow. Trying again later is right.
    #[error("the database is not available: {0}")]
    Away(String),
    /// The statement itself failed: ours to mend.
    #[error("the database refused: {0}")]
    Refused(String),
    #[error("migration: {0}")]
    Migration(String),
    /// A key that must be unique exists.
    #[error("it exists already")]
    Exists,
    #[error("a row does not read back: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(inner) if inner.is_unique_violation() => Self::Exists,
            // PostgreSQL classes: 08 connection, 53 resources, 57 operator, 25006 read-only, 40 serialisation.
            // SQLite primary codes: 5 busy, 6 locked, 8 read-only, 10 I/O, 13 full, 14 cannot open.
            E::Database(inner) => {
                let code = inner.code().unwrap_or_default();
                let away = match code.parse::<i64>() {
                    Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 8 | 10 | 13 | 14),
                    _ => ["08", "53", "57", "40", "25006"].iter().any(|class| code.starts_with(class)),
                };
                if away { Self::Away(error.to_string()) } else { Self::Refused(error.to_string()) }
            }
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) => {
                Self::Away(error.to_string())
            }
            E::ColumnDecode { .. } | E::Decode(_) | E::RowNotFound => Self::Corrupt(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}
