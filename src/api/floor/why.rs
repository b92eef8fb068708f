use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::Why;
use crate::auth::{Action, Resource};
use crate::base::CallId;
use axum::Json;
use axum::extract::{Path, State};

/// Why this caller waited, stretch by stretch, and why the agents who were offered him were chosen. From the memory of the engine:
/// 404 when he never waited or it is long ago.
#[utoipa::path(get, path = "/api/v1/calls/{id}/why", tag = "floor", params(("id" = String, Path)), responses(
    (status = 200, body = Why),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn why(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<Why>, Problem> {
    person.may(Action::WatchLive, Resource::default())?;
    let id: CallId = id.parse().map_err(|_| Problem::not_found())?;
    let why = api.parts.engine.why(id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Why::of(&api, why)))
}
