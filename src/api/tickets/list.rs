use super::{decide, scope};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Ticket, TicketList};
use crate::auth::{Action, Decision, Resource};
use crate::store::{TicketField, TicketFilter};
use axum::Json;
use axum::extract::State;

/// Tickets and drafts, newest first. `?state=accepted` leaves drafts and missed calls out; `?call=` gives one call's.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("since" = Option<String>, Query, description = "`created_at` from, RFC 3339"),
    ("until" = Option<String>, Query, description = "`created_at` before, RFC 3339"),
    ("call" = Option<String>, Query, description = "id of a call"),
    ("state" = Option<String>, Query), ("no" = Option<String>, Query), ("channel" = Option<String>, Query),
    ("type" = Option<String>, Query), ("category" = Option<String>, Query), ("street" = Option<String>, Query),
    ("lead" = Option<String>, Query), ("urgency" = Option<String>, Query), ("secrecy" = Option<String>, Query),
    ("caller" = Option<String>, Query),
), responses(
    (status = 200, body = TicketList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<TicketList>, Problem> {
    let decision = person.may(Action::ReadTickets, Resource::default())?;
    let page = fields.page()?;
    let (since, until) = (fields.time("since")?, fields.time("until")?);
    let call = fields.take("call");
    let filters = fields.filters(TicketField::ALL, TicketField::label)?;
    // Whoever does not see callers may not find them by asking.
    if decision != Decision::Allow && filters.iter().any(|(field, _)| *field == TicketField::Caller) {
        return Err(Problem::not_allowed());
    }
    let filter = TicketFilter { fields: filters, since, until, call, scope: scope(&person) };
    let paged = api.db().tickets(&filter, &page).await?;
    let mut items = Vec::with_capacity(paged.items.len());
    for ticket in paged.items {
        let decision = decide(&person, Action::ReadTickets, &ticket)?;
        items.push(Ticket::of(&api, ticket, decision));
    }
    Ok(Json(TicketList { items, next: paged.next.map(|cursor| cursor.to_string()) }))
}
