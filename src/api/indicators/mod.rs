//! 三率两度 (domain reference 2.4): numbers, the tickets behind them, and what was published of them.
mod list;
mod periods;
mod tickets;
pub use list::{__path_list, list};
pub use periods::{__path_corrections, __path_periods, __path_publish, corrections, periods, publish};
pub use tickets::{__path_tickets, tickets};

use super::guard::Person;
use super::input::Fields;
use super::problem::Problem;
use super::state::Api;
use super::tickets::scope;
use crate::auth::{Action, Resource};
use crate::store::{Period, Scope, Source};

/// Where the numbers are that were asked for, and what of it this person sees: units their own.
async fn asked(api: &Api, person: &Person, fields: &mut Fields) -> Result<(Source, Scope), Problem> {
    person.may(Action::ReadIndicators, Resource::default())?;
    let scope = scope(api, person);
    if let Some(id) = fields.take("period") {
        let known = api.db().published_period(&id).await?.ok_or_else(Problem::not_found)?;
        return Ok((Source::Published(known.id), scope));
    }
    let (from, to) = (fields.take("from"), fields.take("to"));
    Ok((Source::Now(period(api, from.as_deref(), to.as_deref())?), scope))
}

/// From the beginning of a day, or a moment, to another.
fn period(api: &Api, from: Option<&str>, to: Option<&str>) -> Result<Period, Problem> {
    let day = |text: Option<&str>, name: &str| -> Result<i64, Problem> {
        let wrong =
            || Problem::bad_request(format!("{name}: a day such as 2026-11-01, or a time with its offset"));
        let text = text.ok_or_else(wrong)?;
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(at.as_millisecond());
        }
        let day = text.parse::<jiff::civil::Date>().map_err(|_| wrong())?;
        let start = api.parts.zone.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| wrong())?;
        Ok(start.as_millisecond())
    };
    let (from, to) = (day(from, "from")?, day(to, "to")?);
    if from >= to {
        return Err(Problem::bad_request("from comes before to; to is not in the period"));
    }
    Ok(Period { from, to })
}

/// Hundredths as a number. Sums stay far below 2⁵³.
fn hundredths(n: i64) -> f64 {
    n as f64 / 100.0
}
