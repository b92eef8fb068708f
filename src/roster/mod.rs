//! Rosters: who works when. So far the working calendar: holidays, make-up days, office hours, and times counted in working days. Pure.
//!
//! A calendar is data, one file a year. The rule that always holds: a year without a file counts Monday to Friday and says so, it never
//! guesses in silence.
//!
//! To add a year: `district/calendar/<year>.toml`, in the form of the others, with its source.
mod calendar;
mod read;

pub use calendar::{Calendar, OfficeHours, Reckoned};
pub use read::Problem;
