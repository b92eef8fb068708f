//! What the commands on the database share: opening it, a runtime for one question, who asks.

use super::{Failure, Where};
use crate::config::{Config, Database};
use crate::store::{Access, Db, OpenOptions};
use std::future::Future;

/// Whether a SQLite file that is not there is made, or told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Make,
    Tell,
}

/// Opens the configured database, with or without a server running on it, and asks it one thing.
pub fn ask<T, F>(
    place: &Where,
    missing: Missing,
    question: impl FnOnce(Db, Config) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let config = place.load()?;
    if let (Missing::Tell, Database::Sqlite { path }) = (missing, &config.database)
        && !path.is_file()
    {
        return Err(Failure::new(format!(
            "{}: no database here; has the server run on this folder?",
            path.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    runtime.block_on(async {
        let db = Db::open(&config.database.url(), OpenOptions::default()).await.map_err(Failure::new)?;
        let answer = question(db.clone(), config).await;
        db.close().await;
        answer
    })
}

pub fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Times as people here read them.
pub fn time(config: &Config, ms: i64) -> String {
    let zone = jiff::tz::TimeZone::get(&config.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => ms.to_string(),
    }
}

/// The same for programs: RFC 3339 with the zone's offset.
pub fn stamp(config: &Config, ms: i64) -> String {
    let zone = jiff::tz::TimeZone::get(&config.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        Err(_) => String::new(),
    }
}

/// A line for the access log: whoever may read the data folder is an administrator, and leaves a trace like everybody.
pub fn access(action: &str, subject: String, outcome: &str) -> Access {
    let who = std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "unknown".to_owned());
    Access {
        at: now(),
        user: ["cli:", &who].concat(),
        source: "local".to_owned(),
        action: action.to_owned(),
        subject,
        outcome: outcome.to_owned(),
    }
}
