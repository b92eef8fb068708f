//! 一把手接听: sessions in which the head of a department takes calls, and what came of each.
mod change;
mod list;
mod report;
mod wire;
pub use change::{__path_add, __path_change, add, change};
pub use list::{__path_list, list};
pub use report::{__path_report, report};

use super::problem::Problem;
use super::state::Api;
use crate::store;
use crate::ticket::numbers::hours;
use wire::LeaderSession;

/// The wall clock at a minute of a day here, milliseconds since 1970.
fn at(api: &Api, day: &str, minutes: i64) -> Option<i64> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let minutes = i16::try_from(minutes).ok().filter(|m| (0..=1440).contains(m))?;
    let (date, minutes) = if minutes == 1440 { (date.tomorrow().ok()?, 0) } else { (date, minutes) };
    let time = date.at(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0);
    api.parts.zone.to_timestamp(time).ok().map(jiff::Timestamp::as_millisecond)
}

fn view(api: &Api, row: store::LeaderSession) -> LeaderSession {
    let now = api.now();
    let (from, to) = (at(api, &row.day, row.from_min), at(api, &row.day, row.to_min));
    let state = match (from, to) {
        _ if row.cancelled => "cancelled",
        (_, Some(to)) if to <= now => "over",
        (Some(from), _) if from <= now => "open",
        _ => "planned",
    };
    let text = |minutes: i64| hours(u16::try_from(minutes).unwrap_or(0));
    LeaderSession {
        id: row.id,
        no: row.no,
        unit: row.unit,
        date: row.day,
        from: text(row.from_min),
        to: text(row.to_min),
        names: row.names,
        scope: row.scope,
        seat: row.seat,
        recorder: row.recorder,
        state,
        version: row.version,
        changed_at: api.time(row.changed_at),
        changed_by: row.changed_by,
    }
}

async fn find(api: &Api, id: &str) -> Result<store::LeaderSession, Problem> {
    api.db().leader_session(id).await?.ok_or_else(Problem::not_found)
}
