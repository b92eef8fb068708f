//! 三率两度 (domain reference 2.4): numbers, and the tickets behind them.
mod list;
mod tickets;
pub use list::{__path_list, list};
pub use tickets::{__path_tickets, tickets};

use super::guard::Person;
use super::input::Fields;
use super::problem::Problem;
use super::state::Api;
use super::tickets::scope;
use crate::auth::{Action, Resource};
use crate::store::{Period, Scope};

/// The period that was asked for, and what of it this person sees: units their own.
fn asked(api: &Api, person: &Person, fields: &mut Fields) -> Result<(Period, Scope), Problem> {
    person.may(Action::ReadIndicators, Resource::default())?;
    let day = |text: Option<String>, name: &str| -> Result<i64, Problem> {
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
    let from = day(fields.take("from"), "from")?;
    let to = day(fields.take("to"), "to")?;
    if from >= to {
        return Err(Problem::bad_request("from comes before to; to is not in the period"));
    }
    Ok((Period { from, to }, scope(api, person)))
}
