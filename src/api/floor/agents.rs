use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Agent, AgentList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Every agent as he stands now.
#[utoipa::path(get, path = "/api/v1/agents", tag = "floor", responses(
    (status = 200, body = AgentList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn agents(State(api): State<Api>, person: Person) -> Result<Json<AgentList>, Problem> {
    person.may(Action::WatchLive, Resource::default())?;
    let floor = api.parts.engine.floor().await?;
    Ok(Json(AgentList { items: floor.agents.into_iter().map(|a| Agent::of(&api, a)).collect(), next: None }))
}
