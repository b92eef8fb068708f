//! Rosters: who works when, whether that is enough, and whether it is allowed. Pure.
//!
//! ```text
//!  files ──Roster::read──▶ Roster { people, shifts, needs, rules, plans, forecast }
//!                            │
//!          plan, range ──────┼──▶ Schedule   who is where at which minute: on_shift, who, presence, adherence
//!                            ├──▶ Report     gaps, breaches of law, slips: `check`
//!                            └──▶ table      seats by Erlang C and by a played day
//! ```
//!
//! Times are minutes of the district's wall clock, days are civil dates; nothing here reads a clock. Calendars (holidays, make-up days)
//! are data, one file a year: a year without a file counts Monday to Friday and says so.
//!
//! The rule that always holds: a plan with a finding that blocks and that nobody answers for is not [`Report::publishable`], and for a
//! matter of law nobody can.
//!
//! To add a rule: a line in `rules.rs` (`codes!`), its function in `law.rs`, `hours.rs` or `coverage.rs`, its row with source in
//! `district/roster/rules.toml`, and a planted fault in `tests/roster/`. To add a year: `district/calendar/<year>.toml`, in the form of
//! the others, with its source.
mod calendar;
mod check;
mod cover;
mod coverage;
mod demo;
pub mod erlang;
mod fairness;
mod file;
mod finding;
mod floor;
mod forecast;
pub mod handover;
mod hours;
mod law;
mod model;
mod moment;
mod presence;
mod raw;
mod read;
pub mod request;
mod rules;
mod schedule;
pub mod simulate;
mod template;
#[cfg(test)]
mod tests;

pub use calendar::{Calendar, OfficeHours, Reckoned};
pub use cover::{Cover, PIECE};
pub use coverage::{Gap, gaps};
pub use demo::demo_roster;
pub use fairness::{Fairness, Share, Spread};
pub use finding::{Finding, Report};
pub use floor::{ANNOUNCED, GAP_AHEAD, Notice, Turned, Word};
pub use forecast::{Row, required_by_kind};
pub use model::{
    Approval, Approved, Assignment, Contract, Cycle, Forecast, Kind, Need, Person, PersonId, Place, Plan,
    Roster, Shift, ShiftCode, Status, Wanted,
};
pub use moment::{Clock, DAY, Minute, dates, plus_days};
pub use presence::{Adherence, Presence, Session};
pub use read::Problem;
pub use rules::{Code, Rule, Rules, Severity};
pub use schedule::{Duty, Schedule, Slot};
pub use template::{Member, Rotation, Template};
