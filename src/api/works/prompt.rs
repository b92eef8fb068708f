use super::{is_name, slowly};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// A sound as WAV.
#[utoipa::path(get, path = "/api/v1/prompts/{name}", tag = "prompts", params(("name" = String, Path)), responses(
    (status = 200, content_type = "audio/wav"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn prompt(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    person.may(Action::ReadWorks, Resource::default())?;
    if !is_name(&name) {
        return Err(Problem::not_found());
    }
    let bytes = slowly(&api, move |works| works.prompt(&name)).await?.ok_or_else(Problem::not_found)?;
    let kind = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"prompt.wav\""),
    ];
    Ok((kind, bytes).into_response())
}
