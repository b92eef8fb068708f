use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Flow, FlowList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Flow versions, newest first: which are in force, which were refused and why.
#[utoipa::path(get, path = "/api/v1/flows", tag = "flows", responses(
    (status = 200, body = FlowList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<FlowList>, Problem> {
    person.may(Action::ReadFlows, Resource::default())?;
    let items = api.db().flow_versions().await?.into_iter().map(|flow| Flow {
        node: flow.node,
        file: flow.file,
        version: flow.version,
        hash: flow.hash,
        at: api.time(flow.at),
        in_force: flow.in_force,
        refused: flow.refused,
    });
    Ok(Json(FlowList { items: items.collect(), next: None }))
}
