//! The one box over all tickets. What somebody may not read he does not find either: a hit would tell him that it is there.

use super::{decide, scope, told};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::TicketList;
use crate::auth::{Action, Decision, Resource, Role};
use crate::store::TicketSearch;
use crate::ticket::search::{self as sought, Sought};
use axum::Json;

/// Found at most, and when nothing is said.
const MOST: u32 = 100;
const USUAL: u32 = 50;

pub async fn search(
    api: &Api,
    person: &Person,
    q: &str,
    decision: Decision,
    mut fields: Fields,
) -> Result<Json<TicketList>, Problem> {
    let limit = match fields.take("limit").map(|text| text.parse::<u32>()) {
        None => USUAL,
        Some(Ok(limit @ 1..=MOST)) => limit,
        Some(_) => return Err(Problem::bad_request(format!("limit: 1 to {MOST}"))),
    };
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("beside q there is: limit"));
    }
    let wanted = sought::read(q).ok_or_else(|| {
        let (least, most) = (sought::LEAST, sought::MOST);
        Problem::bad_request(format!("q: {least} to {most} characters, among them letters or digits"))
    })?;
    let words = matches!(wanted, Sought::Words(_));
    let by_number = matches!(wanted, Sought::Number(_));
    // Who sees no contents has nothing to look for in them.
    if words && decision == Decision::Masked {
        return Err(Problem::not_allowed());
    }
    // Who may not read what a caller asked to keep secret looks in what units may read, of all tickets alike.
    let secret = person.may(Action::ReadTickets, Resource { secret: true, ..Resource::default() });
    let secrets = secret.is_ok_and(|decision| decision >= Decision::ContactHidden);
    let all = decision == Decision::Allow && (secrets || person.roles.has(Role::Agent));
    let callers = all;
    let wish = TicketSearch { sought: wanted, all, callers, scope: scope(api, person), limit };
    let mut found = api.db().search_tickets(&wish).await?;
    if all && !secrets && !by_number {
        // An agent looks in everything and finds of what is secret only what he took himself: a hit would tell whose it is.
        let mut his = Vec::with_capacity(found.len());
        for ticket in found {
            let decision = decide(api, person, Action::ReadTickets, &ticket).await;
            if decision.is_ok_and(|decision| decision > Decision::CallerHidden) {
                his.push(ticket);
            }
        }
        found = his;
    }
    // What was looked for may name somebody, and the log of accesses is not sealed.
    let items = told(api, person, if words { "words" } else { "number" }, found).await?;
    Ok(Json(TicketList { items, next: None }))
}
