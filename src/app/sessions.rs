//! Sessions in which the head of a department takes calls, told to the engine, again whenever the table changes.

use super::engine_thread::{Order, Orders};
use crate::call::agents::seam::{LeaderSession, ToEngine};
use crate::store::{self, Db};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::clock::Clock;

/// How often the table is read again.
const AGAIN: Duration = Duration::from_secs(2);

pub async fn tell(db: Db, zone: TimeZone, clock: Clock, orders: Orders) {
    let mut told = Vec::new();
    loop {
        let today = Timestamp::from_millisecond(clock.wall_ms())
            .map(|now| now.to_zoned_datetime(zone.clone()).date().to_string())
            .unwrap_or_default();
        match db.leader_sessions(Some(&today)).await {
            Ok(rows) => {
                let mut table: Vec<_> = rows.into_iter().filter_map(|row| session(row, &zone)).collect();
                table.sort_by_key(|session| session.from_ms);
                let word = || Order::Agent(ToEngine::LeaderSessions(table.clone()));
                if told != table && orders.give(word()) {
                    told = table;
                }
            }
            // What was told last holds.
            Err(error) => tracing::debug!(%error, "the table of leader sessions"),
        }
        sleep(AGAIN).await;
    }
}

/// `None`: called off, or not a day.
fn session(row: store::LeaderSession, zone: &TimeZone) -> Option<LeaderSession> {
    let day: Date = row.day.parse().ok()?;
    let at = |minutes: i64| {
        let time = day.at(0, 0, 0, 0).checked_add(jiff::Span::new().try_minutes(minutes).ok()?).ok()?;
        zone.to_timestamp(time).ok().map(Timestamp::as_millisecond)
    };
    let (from_ms, to_ms) = (at(row.from_min)?, at(row.to_min)?);
    let told = LeaderSession {
        id: row.id.into(),
        unit: row.unit.into(),
        from_ms,
        to_ms,
        seat: row.seat.into(),
        recorder: row.recorder.map(Arc::from),
    };
    (!row.cancelled).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_window_is_of_the_districts_clock() {
        let zone = TimeZone::get("Asia/Shanghai").expect("in the binary");
        let row = |day: &str, cancelled| store::LeaderSession {
            id: "ls-1".into(),
            no: 7,
            unit: "rl".into(),
            day: day.into(),
            from_min: 570,
            to_min: 660,
            names: "热力西城 总经理".into(),
            scope: "供热".into(),
            seat: "8004".into(),
            recorder: None,
            cancelled,
            version: 1,
            changed_at: 0,
            changed_by: "office".into(),
        };
        let told = session(row("2026-11-26", false), &zone).expect("planned");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        assert_eq!(told.from_ms, at("2026-11-26T09:30:00+08:00"));
        assert_eq!(told.to_ms, at("2026-11-26T11:00:00+08:00"));
        assert_eq!(session(row("2026-11-26", true), &zone), None, "called off");
        assert_eq!(session(row("soon", false), &zone), None);
    }
}
