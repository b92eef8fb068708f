use crate::api::guard::Person;
use crate::api::ops;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::Status;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// The engine's state, as `/readyz` tells it.
#[utoipa::path(get, path = "/api/v1/engine", tag = "engine", responses(
    (status = 200, body = Status),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn status(State(api): State<Api>, person: Person) -> Result<Json<Status>, Problem> {
    person.may(Action::WatchLive, Resource::default())?;
    Ok(Json(ops::state(&api).await))
}
