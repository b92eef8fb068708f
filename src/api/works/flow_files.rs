use super::slowly;
use super::wire::FlowFileList;
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// The flow files in force: those of the folder over the program's own.
#[utoipa::path(get, path = "/api/v1/flow-files", tag = "flows", responses(
    (status = 200, body = FlowFileList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn flow_files(State(api): State<Api>, person: Person) -> Result<Json<FlowFileList>, Problem> {
    person.may(Action::ReadFlows, Resource::default())?;
    let shelf = slowly(&api, |works| works.flows()).await?.map_err(Problem::refused)?;
    Ok(Json(FlowFileList::of(shelf)))
}
