use super::{scope, told};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::TicketList;
use crate::auth::{Action, Decision, Resource};
use crate::store::{Scope, TicketField, TicketFilter, TicketOrder};
use axum::Json;
use axum::extract::State;

/// Tickets and drafts, newest first. `?state=accepted` leaves drafts and missed calls out; `?call=` gives one call's.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("since" = Option<String>, Query, description = "`created_at` from, RFC 3339"),
    ("until" = Option<String>, Query, description = "`created_at` before, RFC 3339"),
    ("call" = Option<String>, Query, description = "id of a call"),
    ("numbered" = Option<bool>, Query, description = "with an official number, or without"),
    ("state" = Option<String>, Query, description = "several with commas"), ("no" = Option<String>, Query), ("channel" = Option<String>, Query),
    ("type" = Option<String>, Query), ("category" = Option<String>, Query), ("street" = Option<String>, Query),
    ("lead" = Option<String>, Query), ("urgency" = Option<String>, Query), ("secrecy" = Option<String>, Query),
    ("caller" = Option<String>, Query),
    ("q" = Option<String>, Query, description = "looks for a number, its beginning, a telephone number, or 2 to 40 characters of text: the newest that fit, with `limit` and nothing else"),
    ("sub" = Option<String>, Query, description = "passed down to this unit"),
    ("order" = Option<String>, Query, description = "`due`: what has to be seen to soonest comes first, and only that"),
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
    if let Some(q) = fields.take("q") {
        return super::search::search(&api, &person, &q, decision, fields).await;
    }
    let page = fields.page()?;
    let filter = filter(fields, decision, scope(&api, &person))?;
    let paged = api.db().tickets(&filter, &page).await?;
    let items = told(&api, &person, "list", paged.items).await?;
    Ok(Json(TicketList { items, next: paged.next.map(|cursor| cursor.to_string()) }))
}

/// What is asked for, as the list and the export read it.
pub(super) fn filter(mut fields: Fields, decision: Decision, scope: Scope) -> Result<TicketFilter, Problem> {
    let (since, until) = (fields.time("since")?, fields.time("until")?);
    let call = fields.take("call");
    let numbered = match fields.take("numbered").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::bad_request("numbered: true or false")),
    };
    let sub = fields.take("sub");
    let order = match fields.take("order").as_deref() {
        None | Some("newest") => TicketOrder::Newest,
        Some("due") => TicketOrder::Due,
        Some(_) => return Err(Problem::bad_request("order: newest or due")),
    };
    let filters = fields.filters(TicketField::ALL, TicketField::label)?;
    // Whoever does not see callers may not find them by asking.
    if decision != Decision::Allow && filters.iter().any(|(field, _)| *field == TicketField::Caller) {
        return Err(Problem::not_allowed());
    }
    Ok(TicketFilter { fields: filters, since, until, call, numbered, sub, order, scope })
}
