//! Tickets and drafts.
mod act;
mod boxes;
mod change;
mod course;
mod events;
mod export;
mod files;
mod linking;
mod list;
mod reveal;
mod search;
mod show;
mod visits;
pub use act::{__path_act, act};
pub use boxes::{__path_boxes, boxes};
pub(super) use change::took;
pub use change::{__path_change, change};
pub use course::{Complained, Course};
pub use events::{__path_events, events};
pub use export::{__path_export, __path_exported, export, exported};
pub use files::{__path_file, __path_files, file, files};
pub use linking::{
    __path_link, __path_promises, __path_similar, __path_split, link, promises, similar, split,
};
pub use list::{__path_list, list};
pub use reveal::{__path_looks, __path_reveal, looks, reveal};
pub use show::{__path_show, show};
pub use visits::{__path_visits, visits};

use super::guard::Person;
use super::problem::Problem;
use super::state::Api;
use super::wire;
use crate::auth::{Action, Decision, Resource, Role, hand};
use crate::store::{Access, Scope, Ticket};
use crate::ticket::cycle::{self, Hand, Step, Who};

/// What of the tickets exists for this person: the units' people have their own only, and nobody those that complain about him.
pub(super) fn scope(api: &Api, person: &Person) -> Scope {
    // A role beside the unit's that reads no tickets opens none: who keeps a unit's knowledge sees what the unit sees.
    let reads_none =
        |role: Role| matches!(role, Role::Unit | Role::UnitHead | Role::Kb | Role::Auditor | Role::Security);
    let units = person.roles.iter().any(|role| matches!(role, Role::Unit | Role::UnitHead));
    let of_unit = units && person.roles.iter().all(reads_none);
    // A liaison without a unit: no unit has this name, so nothing is his.
    let unit = person.unit.as_deref().or(of_unit.then_some("\u{fffd}"));
    match unit {
        Some(unit) if of_unit => Scope::of_unit(unit, &person.name, &api.district),
        _ => {
            let line = unit.into_iter().flat_map(|unit| api.district.line(unit)).map(str::to_owned);
            Scope::Person {
                line: line.collect(),
                user: person.name.clone(),
                office: person.roles.has(Role::Office),
            }
        }
    }
}

/// The ticket as rights see it.
fn resource<'a>(api: &Api, person: &Person, ticket: &'a Ticket) -> Resource<'a> {
    let target = ticket.complained_unit.as_deref();
    let complained = ticket.complained_person.as_deref() == Some(&*person.name)
        || person.unit.as_deref().is_some_and(|unit| api.district.line(unit).any(|one| Some(one) == target));
    Resource {
        lead: ticket.lead.as_deref(),
        assist: &ticket.assist,
        subs: &ticket.subs,
        complained,
        secret: ticket.secrecy != "normal",
        // While it is written it is his who took the call.
        for_office: ticket.special.as_deref() == Some("retaliation") && ticket.state != "draft",
        urgent: ticket.urgency.as_deref() == Some("U"),
        one: true,
        ..Resource::default()
    }
}

/// What of this ticket the person may see.
pub(super) async fn decide(
    api: &Api,
    person: &Person,
    action: Action,
    ticket: &Ticket,
) -> Result<Decision, Problem> {
    let resource = resource(api, person, ticket);
    // Only then does it matter whose call it was.
    let own_call = resource.secret
        && person.roles.has(Role::Agent)
        && change::took_a_call(api, &person.name, ticket).await?;
    person.may(action, Resource { own_call, ..resource })
}

/// The tickets of a list as this person may see them; one that is not his hides no other. That he looked is in the access log: a line for
/// the list, and one for each ticket that is kept secret.
async fn told(
    api: &Api,
    person: &Person,
    list: &str,
    tickets: Vec<Ticket>,
) -> Result<Vec<wire::Ticket>, Problem> {
    let mut items = Vec::with_capacity(tickets.len());
    let mut secret = Vec::new();
    for ticket in tickets {
        let Ok(decision) = decide(api, person, Action::ReadTickets, &ticket).await else { continue };
        if ticket.secrecy != "normal"
            || ticket.complained_unit.is_some()
            || ticket.complained_person.is_some()
        {
            secret.push(ticket.id.clone());
        }
        items.push(wire::Ticket::of(api, ticket, decision));
    }
    let line = |subject: String, outcome: String| Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: LISTED.to_owned(),
        subject,
        outcome,
    };
    let mut lines = vec![line(list.to_owned(), items.len().to_string())];
    lines.extend(secret.into_iter().map(|id| line(id, list.to_owned())));
    api.log_looks(lines).await?;
    Ok(items)
}

/// In the access log: tickets as lines of a list.
const LISTED: &str = "ticket.list";

/// Whether he may do this to it.
fn may_act(api: &Api, person: &Person, step: Step, ticket: &Ticket) -> Result<Decision, Problem> {
    person.may(Action::ActOnTicket, Resource { step: Some(step), ..resource(api, person, ticket) })
}

fn hands(person: &Person) -> Vec<Hand> {
    person.roles.iter().filter_map(hand).collect()
}

/// Names of what this person may do to the ticket now.
fn actions(api: &Api, person: &Person, ticket: &Ticket) -> Vec<String> {
    let Some(cycle) = &ticket.cycle else { return Vec::new() };
    let hands = hands(person);
    let who = Who { user: &person.name, hands: &hands, unit: person.unit.as_deref() };
    let steps = cycle::allowed(cycle, who, api.now(), &api.tables()).into_iter();
    // The one function of rights has the last word.
    steps
        .filter(|step| may_act(api, person, *step, ticket).is_ok())
        .map(|step| step.label().to_owned())
        .collect()
}
