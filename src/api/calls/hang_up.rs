use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::base::CallId;
use crate::store::Access;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// End a call in progress. It ends as `forced_by_staff`, and who did it is in the access log.
#[utoipa::path(post, path = "/api/v1/calls/{id}/hangup", tag = "calls", params(("id" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn hang_up(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::HangUpCall, Resource::default())?;
    let call: CallId = id.parse().map_err(|_| Problem::not_found())?;
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::HangUpCall.label().to_owned(),
        subject: call.to_string(),
        outcome: "allowed".to_owned(),
    };
    api.db().log_access(&access).await?;
    if api.parts.engine.hang_up(call).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_up()) }
}
