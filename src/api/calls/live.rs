use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Live, LiveList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Calls in progress, oldest first, from the engine's memory.
#[utoipa::path(get, path = "/api/v1/calls/live", tag = "calls", responses(
    (status = 200, body = LiveList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn live(State(api): State<Api>, person: Person) -> Result<Json<LiveList>, Problem> {
    let decision = person.may(Action::WatchLive, Resource::default())?;
    let calls = api.parts.engine.live_calls().await?;
    Ok(Json(LiveList { items: calls.into_iter().map(|c| Live::of(&api, c, decision)).collect(), next: None }))
}
