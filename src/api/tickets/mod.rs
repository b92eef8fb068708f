//! Tickets and drafts.
mod change;
mod events;
mod list;
mod show;
pub use change::{__path_change, change};
pub use events::{__path_events, events};
pub use list::{__path_list, list};
pub use show::{__path_show, show};

use super::guard::Person;
use super::problem::Problem;
use crate::auth::{Action, Decision, Resource, Role};
use crate::store::{Scope, Ticket};

/// What of the tickets exists for this person: the units' people have their own only.
fn scope(person: &Person) -> Scope {
    let unit = person.roles.iter().all(|role| matches!(role, Role::Unit | Role::UnitHead));
    match (&person.unit, unit) {
        (Some(unit), true) => Scope::Unit(unit.clone()),
        // A liaison without a unit: no unit has this name, so nothing is his.
        (None, true) => Scope::Unit(String::from("\u{fffd}")),
        (_, false) => Scope::All,
    }
}

/// What of this ticket the person may see.
fn decide(person: &Person, action: Action, ticket: &Ticket) -> Result<Decision, Problem> {
    let resource = Resource {
        lead: ticket.lead.as_deref(),
        assist: &ticket.assist,
        secret: ticket.secrecy != "normal",
        one: true,
        ..Resource::default()
    };
    person.may(action, resource)
}
