use super::{decide, looked};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::api::wire::{CallLine, CallLines};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, State};

/// A call's timeline, oldest first: what the journal holds of it. One page: a call's events are few.
#[utoipa::path(get, path = "/api/v1/calls/{id}/events", tag = "calls", params(("id" = String, Path)), responses(
    (status = 200, body = CallLines),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn events(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<CallLines>, Problem> {
    person.may(Action::ReadCalls, Resource::default())?;
    if !api.db().call_exists_for(&id, &scope(&api, &person)).await? {
        return Err(Problem::not_found());
    }
    let call = api.db().call(&id).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&person, &call)?;
    api.log_looks(vec![looked(&api, &person, &id, "timeline".to_owned())]).await?;
    let events = api.db().call_events(&id).await?.ok_or_else(Problem::not_found)?;
    let began = events.first().map_or(0, |event| event.mono_ns);
    let items = events.into_iter().map(|event| CallLine::of(&api, event, began, decision)).collect();
    Ok(Json(CallLines { items, next: None }))
}
