use super::slowly;
use super::wire::{FlowChecked, FlowProblem};
use crate::api::guard::Person;
use crate::api::input::{Fields, TextBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Would the whole set be right if this file said this? `?name=` says which; the body is its TOML text. Nothing is written.
#[utoipa::path(post, path = "/api/v1/flows/check", tag = "flows", params(("name" = Option<String>, Query)),
    request_body(content = String, content_type = "application/toml"), responses(
    (status = 200, body = FlowChecked),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
))]
pub async fn check_flow(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
    TextBody(text): TextBody,
) -> Result<Json<FlowChecked>, Problem> {
    person.may(Action::ManageWorks, Resource::default())?;
    let name = fields.take("name").unwrap_or_else(|| "unnamed".to_owned());
    if !fields.0.is_empty() || !super::is_flow(&name) {
        return Err(Problem::bad_request("there is: name, of a-z, 0-9, _ and -"));
    }
    let faults = slowly(&api, move |works| works.check_flow(&name, &text)).await?;
    let problems: Vec<FlowProblem> = faults.into_iter().map(FlowProblem::of).collect();
    Ok(Json(FlowChecked { ok: problems.is_empty(), problems }))
}
