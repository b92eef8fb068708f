//! The table of old numbers told to the engine, again whenever it changes: no call waits for a database.

use super::engine_thread::{Order, Orders};
use crate::call::LegacyNumber;
use crate::store::{self, Db};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is read again.
const AGAIN: Duration = Duration::from_secs(2);

pub async fn tell(db: Db, zone: TimeZone, orders: Orders) {
    let mut told = Vec::new();
    loop {
        match db.legacy_numbers().await {
            Ok(rows) => {
                let table: Vec<_> = rows.into_iter().map(|row| number(row, &zone)).collect();
                if told != table && orders.give(Order::LegacyNumbers(table.clone())) {
                    told = table;
                }
            }
            // What was told last holds.
            Err(error) => tracing::debug!(%error, "the table of old numbers"),
        }
        sleep(AGAIN).await;
    }
}

fn number(row: store::LegacyNumber, zone: &TimeZone) -> LegacyNumber {
    let word = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Arc::from);
    LegacyNumber {
        number: row.number.into(),
        unit: word(row.unit),
        queue: word(row.queue),
        skill: word(row.skill),
        greeting: word(row.greeting),
        until_ms: row.ends_on.and_then(|day| after(&day, zone)),
    }
}

/// The beginning of the day after this one, wall ms. `None`: not a date, so without an end.
fn after(day: &str, zone: &TimeZone) -> Option<i64> {
    let next = day.parse::<Date>().ok()?.tomorrow().ok()?;
    let midnight = zone.to_ambiguous_timestamp(next.at(0, 0, 0, 0)).compatible().ok()?;
    Some(midnight.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_last_day_counts_to_midnight_here() {
        let zone = TimeZone::get("Asia/Shanghai").expect("in the binary");
        let row = |ends_on: Option<&str>| store::LegacyNumber {
            number: "88881234".into(),
            unit: None,
            queue: Some(String::new()),
            skill: Some("water".into()),
            greeting: None,
            ends_on: ends_on.map(str::to_owned),
            note: None,
            changed_at: 0,
            changed_by: store::SYSTEM.into(),
        };
        let told = number(row(Some("2026-12-31")), &zone);
        let midnight = "2027-01-01T00:00:00+08:00".parse::<jiff::Timestamp>().expect("a time");
        assert_eq!(told.until_ms, Some(midnight.as_millisecond()));
        assert_eq!((told.queue, told.skill.as_deref()), (None, Some("water")));
        assert_eq!(number(row(None), &zone).until_ms, None);
    }
}
