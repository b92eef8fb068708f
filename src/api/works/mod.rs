//! What the machine runs with: dial rules, calendar, trunks and phones, flows, prompts. `app` implements [`Works`].

use crate::base::DayKind;
use jiff::civil::Date;

/// The configuration in force and the files beside it, as the desk may ask for them. Answers come from memory unless they say so.
pub trait Works: Send + Sync + 'static {
    /// May an agent dial this number (`[dial]`)?
    fn dialable(&self, number: &str) -> bool;
    /// Is a call to this number answered here (`[sip] number`, `legacy_numbers`)?
    fn rings(&self, number: &str) -> bool;
    /// After holidays and make-up days.
    fn day_kind(&self, date: Date) -> DayKind;
    fn has_queue(&self, name: &str) -> bool;
    fn has_prompt(&self, name: &str) -> bool;
}
