use super::{decide, scope};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{TicketLine, TicketLines};
use crate::auth::{Action, Resource};
use crate::store::Access;
use axum::Json;
use axum::extract::{Path, State};

/// A ticket's history, oldest first.
#[utoipa::path(get, path = "/api/v1/tickets/{no}/events", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), responses(
    (status = 200, body = TicketLines),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn events(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<Json<TicketLines>, Problem> {
    person.may(Action::ReadHistory, Resource::default())?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&api, &person, Action::ReadHistory, &ticket).await?;
    let events = api.db().ticket_events(&ticket.id).await?;
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::ReadHistory.label().to_owned(),
        subject: ticket.id,
        outcome: "allowed".to_owned(),
    };
    api.db().log_access(&access).await?;
    let items = events.into_iter().map(|event| TicketLine::of(&api, event, decision)).collect();
    Ok(Json(TicketLines { items, next: None }))
}
