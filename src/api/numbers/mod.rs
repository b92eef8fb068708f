//! Numbers beside calls: services of one key (统一接转), units' duty numbers, old numbers that still ring here.
mod duty;
mod legacy;
mod services;
mod targets;
mod wire;
pub use duty::{__path_add as __path_add_duty, add as add_duty};
pub use duty::{__path_change as __path_change_duty, change as change_duty};
pub use duty::{__path_list as __path_list_duty, list as list_duty};
pub use duty::{__path_remove as __path_remove_duty, remove as remove_duty};
pub use duty::{__path_test, __path_tests, test, tests};
pub use legacy::{__path_add as __path_add_legacy, add as add_legacy};
pub use legacy::{__path_change as __path_change_legacy, change as change_legacy};
pub use legacy::{__path_list as __path_list_legacy, list as list_legacy};
pub use legacy::{__path_remove as __path_remove_legacy, remove as remove_legacy};
pub use services::{__path_add as __path_add_service, add as add_service};
pub use services::{__path_change as __path_change_service, change as change_service};
pub use services::{__path_list as __path_list_services, list as list_services};
pub use services::{__path_remove as __path_remove_service, remove as remove_service};
pub use targets::{__path_targets, targets};

use super::guard::Person;
use super::problem::{FieldError, Problem};
use super::state::Api;
use crate::auth::Action;
use crate::base::reach;
use crate::store::Access;
use crate::ticket::numbers::is_number;

/// Texts people read: one line, not too long.
const TEXT_MAX: usize = 60;

/// Notes what was changed, by whom.
async fn log(
    api: &Api,
    person: &Person,
    action: Action,
    subject: String,
    outcome: &str,
) -> Result<(), Problem> {
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: action.label().to_owned(),
        subject,
        outcome: outcome.to_owned(),
    };
    Ok(api.db().log_access(&access).await?)
}

/// What is wrong with a row, field by field.
#[derive(Default)]
struct Check(Vec<FieldError>);

impl Check {
    fn wrong(&mut self, field: &'static str, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError { field, code, detail: detail.into() });
    }

    fn text(&mut self, field: &'static str, text: &str) {
        let chars = text.chars().count();
        if text.trim().is_empty() {
            self.wrong(field, "needed", format!("{field}: a name is needed"));
        } else if chars > TEXT_MAX || text.chars().any(char::is_control) {
            self.wrong(field, "too_long", format!("{field}: one line of at most {TEXT_MAX} characters"));
        }
    }

    fn rank(&mut self, rank: i64) {
        if !(1..=99).contains(&rank) {
            self.wrong("rank", "out_of_range", "rank: a number from 1 to 99");
        }
    }

    fn unit(&mut self, api: &Api, unit: &str) {
        if !api.district.has_unit(unit) {
            self.wrong("unit", "unknown", format!("unit: no unit has the code \"{unit}\""));
        }
    }

    /// A number that agents are to dial: the engine's own rule is asked, so that nobody finds out in a call.
    fn dialled(&mut self, api: &Api, number: &str) {
        if !is_number(number) {
            self.wrong("number", "not_a_number", "number: 2 to 20 digits");
        } else if !api.parts.works.dialable(number) {
            self.wrong(
                "number",
                "dial_refused",
                format!("number: the rules of this server do not let agents dial {number}; add it to [dial] allow first"),
            );
        }
    }

    fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::refused_fields(self.0)) }
    }
}

/// Where the rules let an emergency code be dialled, the key of that name has that very number.
fn emergency(check: &mut Check, api: &Api, key: &str, number: &str) {
    if reach::is_emergency(key) && number != key && api.parts.works.dialable(key) {
        check.wrong("number", "not_the_code", format!("number: the key {key} dials {key} and nothing else"));
    }
}

/// `""` clears, `None` leaves as it was.
fn change(slot: &mut Option<String>, new: Option<String>) {
    match new {
        None => {}
        Some(text) if text.trim().is_empty() => *slot = None,
        Some(text) => *slot = Some(text),
    }
}
