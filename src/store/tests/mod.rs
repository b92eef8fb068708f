//! The store's story, told on SQLite and on PostgreSQL with the same words.

mod acting;
mod backup;
mod erasing;
mod exactly_once;
pub mod facts;
mod fold;
mod importing;
mod knowledge;
mod migrating;
mod outbox;
mod save;
mod search;
mod story;

#[allow(dead_code)]
#[path = "../../../tests/it/support/level.rs"]
pub mod level;
#[allow(dead_code)]
#[path = "../../../tests/it/support/postgres.rs"]
pub mod postgres;

use super::{Db, OpenOptions};
use std::future::Future;
use std::path::Path;

/// Runs the story on a SQLite file, then, where there is one, on a throw-away PostgreSQL server.
pub fn on_both<F: Future<Output = ()>>(story: impl Fn(Db) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let db = sqlite(dir.path()).await;
        story(db.clone()).await;
        db.close().await;
    });
    let Some(server) = postgres::Postgres::start() else { return };
    runtime.block_on(async {
        let db = Db::open(&server.url(), OpenOptions::default()).await.unwrap();
        db.migrate().await.unwrap();
        story(db.clone()).await;
        db.close().await;
    });
}

pub async fn sqlite(dir: &Path) -> Db {
    let url = format!("sqlite://{}", dir.join("desk.db").display());
    let db = Db::open(&url, OpenOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    db
}

/// What the program decides by, with the calendar of 2026.
pub fn tables() -> crate::ticket::cycle::Tables {
    let file = ("2026.toml".to_owned(), include_str!("../../../district/calendar/2026.toml").to_owned());
    let calendar = std::sync::Arc::new(crate::roster::Calendar::read(&[file]).0);
    crate::ticket::cycle::Tables::shipped(calendar, jiff::tz::TimeZone::get("Asia/Shanghai").unwrap())
}
