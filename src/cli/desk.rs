//! What the desk's commands share: a small runtime, the database with its tables brought up to date, the wall clock.

use super::{Failure, Where};
use crate::config::Config;
use crate::store::{Db, OpenOptions};
use std::future::Future;

/// Runs on the database of the configuration; its tables are made where they are missing.
pub fn with_db<T, F: Future<Output = Result<T, Failure>>>(place: &Where, run: impl FnOnce(Db, Config) -> F) -> Result<T, Failure> {
    let config = place.load()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    runtime.block_on(async {
        let db = Db::open(&config.database.url(), OpenOptions::default()).await.map_err(Failure::new)?;
        db.migrate().await.map_err(Failure::new)?;
        let outcome = run(db.clone(), config).await;
        db.close().await;
        outcome
    })
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A time as people of this configuration read it.
pub fn shown(config: &Config, ms: i64) -> String {
    let zone = crate::app::zone(config);
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()).unwrap_or_default()
}
