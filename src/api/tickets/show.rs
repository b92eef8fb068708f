use super::{actions, decide, scope};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::Ticket;
use crate::auth::{Action, Resource};
use crate::store::Access;
use axum::Json;
use axum::extract::{Path, State};

/// A ticket by its official number, or a draft by its id. Opening one is in the access log.
#[utoipa::path(get, path = "/api/v1/tickets/{no}", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), responses(
    (status = 200, body = Ticket),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<Json<Ticket>, Problem> {
    person.may(Action::ReadTickets, Resource::default())?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&api, &person, Action::ReadTickets, &ticket).await?;
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ReadTickets.label().to_owned(),
        subject: ticket.id.clone(),
        outcome: "allowed".to_owned(),
    };
    api.db().log_access(&access).await?;
    let actions = actions(&api, &person, &ticket);
    Ok(Json(Ticket::of(&api, ticket, decision).with_actions(actions)))
}
