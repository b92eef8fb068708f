//! The connection to SQLite or PostgreSQL: opening, pragmas, transactions.
//!
//! Both speak through sqlx's `Any` driver with the same statements: `$n` parameters, BIGINT, TEXT and bytes only.
//! SQLite has one writing connection (so there is never a busy writer) and a handful that may only read.

use super::error::{OpenError, StoreError};
use crate::outbox::Book;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Executor as _, Row as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// The oldest SQLite without the WAL-reset race.
const SQLITE_FLOOR: [u32; 3] = [3, 51, 3];
/// A request gives up on the pool after this; the desk answers 503 in two seconds.
const ACQUIRE: Duration = Duration::from_millis(1_500);
/// How long a file's first connection may take.
const FIRST: Duration = Duration::from_secs(20);
const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// What a committed change must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: edits of people.
    Full,
    /// A killed process; after a power cut the journal fills it again.
    Refillable,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Open SQLite on a network file system although its log does not work there.
    pub allow_network_fs: bool,
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    dialect: Dialect,
    url: String,
    path: Option<PathBuf>,
    write: AnyPool,
    pub(super) read: AnyPool,
    /// What is sent to people and machines because of what is written here.
    pushes: Arc<Book>,
    /// Held while SQLite's one writing connection is given its durability and begins.
    beginning: Arc<tokio::sync::Mutex<()>>,
}

pub(super) type Tx = sqlx::Transaction<'static, sqlx::Any>;

impl Db {
    /// Opens `url`. SQLite files (and their folder) are made when missing and checked at once; PostgreSQL is connected
    /// when first needed, because calls must be answered while it is away.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            return Self::open_sqlite(Path::new(path), options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let connect =
                AnyConnectOptions::from_str(url).map_err(|_| OpenError::Url(without_password(url)))?;
            let pool = |n| AnyPoolOptions::new().max_connections(n).acquire_timeout(ACQUIRE);
            return Ok(Self {
                dialect: Dialect::Postgres,
                url: url.to_owned(),
                path: None,
                write: pool(POSTGRES_CONNECTIONS).connect_lazy_with(connect.clone()),
                read: pool(POSTGRES_CONNECTIONS).connect_lazy_with(connect),
                pushes: Arc::new(Book::shipped()),
                beginning: Arc::default(),
            });
        }
        Err(OpenError::Url(without_password(url)))
    }

    async fn open_sqlite(path: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let in_folder = |source| OpenError::Folder { path: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(in_folder)?;
        if !options.allow_network_fs {
            let real = folder.canonicalize().map_err(in_folder)?;
            let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            if let Some(kind) = network_file_system(&mounts, &real) {
                return Err(OpenError::NetworkFileSystem { path: real.display().to_string(), kind });
            }
        }
        let mut url = String::from("sqlite://");
        for c in path.to_string_lossy().chars() {
            match c {
                '%' => url.push_str("%25"),
                '?' => url.push_str("%3F"),
                '#' => url.push_str("%23"),
                c => url.push(c),
            }
        }
        url.push_str("?mode=rwc");
        let connect = AnyConnectOptions::from_str(&url).map_err(|_| OpenError::Url(url.clone()))?;
        let writer =
            AnyPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE).after_connect(|conn, _| {
                Box::pin(async move {
                    conn.execute("PRAGMA journal_mode = WAL").await?;
                    conn.execute("PRAGMA synchronous = FULL").await?;
                    conn.execute("PRAGMA busy_timeout = 5000").await?;
                    conn.execute("PRAGMA temp_store = MEMORY").await?;
                    conn.execute("PRAGMA cache_size = -65536").await?;
                    // The writer checkpoints each 32 MiB of log; readers never do.
                    conn.execute("PRAGMA wal_autocheckpoint = 8192").await?;
                    Ok(())
                })
            });
        // Making the file waits for the disk, which may be busy with others.
        let began = Instant::now();
        let write = loop {
            match writer.clone().connect_with(connect.clone()).await {
                Err(sqlx::Error::PoolTimedOut) if began.elapsed() < FIRST => {}
                opened => break opened.map_err(StoreError::from)?,
            }
        };
        let found: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(&write)
            .await
            .map_err(StoreError::from)?;
        if version(&found) < SQLITE_FLOOR {
            return Err(OpenError::OldSqlite { found });
        }
        let read = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .after_connect(|conn, _| {
                Box::pin(async move {
                    conn.execute("PRAGMA busy_timeout = 1500").await?;
                    conn.execute("PRAGMA query_only = ON").await?;
                    conn.execute("PRAGMA wal_autocheckpoint = 0").await?;
                    Ok(())
                })
            })
            .connect_lazy_with(connect);
        Ok(Self {
            dialect: Dialect::Sqlite,
            url,
            path: Some(path.to_owned()),
            write,
            read,
            pushes: Arc::new(Book::shipped()),
            beginning: Arc::default(),
        })
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The SQLite file, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Brings the tables up to date. Harmless when they are.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let migrator = match self.dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
        };
        let mut conn = self.write.acquire().await?;
        migrator.run_direct(None, &mut *conn, false).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => StoreError::from(error),
            error => StoreError::Migration(error.to_string()),
        })?;
        drop(conn);
        super::setting::ensure(self).await
    }

    /// The same database with other texts, or other places to send them.
    #[must_use]
    pub fn with_pushes(mut self, book: Arc<Book>) -> Self {
        self.pushes = book;
        self
    }

    pub(super) fn pushes(&self) -> &Book {
        &self.pushes
    }

    /// The writing connection, outside any transaction.
    pub(super) async fn writing(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, StoreError> {
        Ok(self.write.acquire().await?)
    }

    /// Whether the database answers within a second.
    pub async fn is_up(&self) -> bool {
        let ask = async { sqlx::query("SELECT 1").execute(&self.read).await.is_ok() };
        tokio::time::timeout(Duration::from_secs(1), ask).await.unwrap_or(false)
    }

    /// A transaction that may write. SQLite takes its write lock at once, so that it cannot fail half way.
    pub(super) async fn begin(&self, durability: Durability) -> Result<Tx, StoreError> {
        match self.dialect {
            Dialect::Sqlite => {
                let _beginning = self.beginning.lock().await;
                let mut conn = self.write.acquire().await?;
                // The level cannot be changed inside a transaction, and costs nothing outside.
                (*conn)
                    .execute(match durability {
                        Durability::Full => "PRAGMA synchronous = FULL",
                        Durability::Refillable => "PRAGMA synchronous = NORMAL",
                    })
                    .await?;
                drop(conn);
                Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
            }
            Dialect::Postgres => {
                let mut tx = self.write.begin().await?;
                if durability == Durability::Refillable {
                    tx.execute("SET LOCAL synchronous_commit = off").await?;
                }
                Ok(tx)
            }
        }
    }

    /// Ends all connections in order; SQLite's log is folded into its file.
    pub async fn close(&self) {
        self.read.close().await;
        if self.dialect == Dialect::Sqlite
            && let Ok(mut conn) = self.write.acquire().await
        {
            // A reader of another process may hold the log: then the next opener folds it.
            let _ = (*conn).execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
        self.write.close().await;
    }

    /// SQLite's own structural check; nothing on PostgreSQL, which has its own tools.
    pub(super) async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(Vec::new());
        }
        let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&self.read).await?;
        let lines: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// `postgres://user:***@host/db`: urls get into log lines.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((who, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = who.split(':').next().unwrap_or_default();
    [scheme, "://", user, ":***@", host].concat()
}

/// The kind of network file system `path` is on, by the kernel's mount table (proc_pid_mountinfo(5)).
fn network_file_system(mountinfo: &str, path: &Path) -> Option<String> {
    const NETWORK: &[&str] = &[
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "fuse.sshfs",
        "fuse.glusterfs",
        "lustre",
        "ncpfs",
        "vboxsf",
        "virtiofs",
    ];
    let mut best: Option<(usize, &str)> = None;
    for line in mountinfo.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else { continue };
        let point = point.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        // A later mount on the same place hides the earlier one.
        if path.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind).filter(|kind| NETWORK.contains(kind)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 0:21 / / rw,relatime - overlay overlay rw
30 22 0:30 / /srv rw - ext4 /dev/sda1 rw
31 30 0:31 / /srv/share rw shared:1 - nfs4 server:/x rw
32 30 0:32 / /srv/with\\040space rw - 9p host rw
33 31 0:33 / /srv/share/local rw - xfs /dev/sdb rw";

    #[test]
    fn the_nearest_mount_decides_whether_a_path_is_on_the_network() {
        let on = |path: &str| network_file_system(MOUNTS, Path::new(path));
        assert_eq!(on("/home/x"), None);
        assert_eq!(on("/srv/data"), None);
        assert_eq!(on("/srv/share/data").as_deref(), Some("nfs4"));
        assert_eq!(on("/srv/shared"), None, "a longer name is another folder");
        assert_eq!(on("/srv/with space/data").as_deref(), Some("9p"));
        assert_eq!(on("/srv/share/local/data"), None);
    }

    #[test]
    fn passwords_do_not_show_in_urls() {
        assert_eq!(without_password("postgres://a:p@ss@h/db"), "postgres://a:***@h/db");
        assert_eq!(without_password("sqlite://x"), "sqlite://x");
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(version("3.51.3") >= SQLITE_FLOOR && version("3.100.0") > SQLITE_FLOOR);
        assert!(version("3.46.0") < SQLITE_FLOOR && version("3.51.2") < SQLITE_FLOOR);
    }
}
