//! Calls: as recorded, and in progress.
mod events;
mod hang_up;
mod list;
mod live;
mod show;
pub use events::{__path_events, events};
pub use hang_up::{__path_hang_up, hang_up};
pub use list::{__path_list, list};
pub use live::{__path_live, live};
pub use show::{__path_show, show};

use super::guard::Person;
use super::problem::Problem;
use super::state::Api;
use super::tickets::took;
use crate::auth::{Action, Decision, Resource};
use crate::store::{Access, Call};

/// What of this call the person may see.
fn decide(person: &Person, call: &Call) -> Result<Decision, Problem> {
    let own_call = took(call, &person.name);
    person.may(Action::ReadCalls, Resource { secret: call.secret, own_call, ..Resource::default() })
}

/// That somebody looked: `subject` is a call, or the list.
fn looked(api: &Api, person: &Person, subject: &str, outcome: String) -> Access {
    Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ReadCalls.label().to_owned(),
        subject: subject.to_owned(),
        outcome,
    }
}
