use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::Reloaded;
use crate::auth::{Action, Resource};
use crate::store::Access;
use axum::Json;
use axum::extract::State;

/// Check flows and configuration and swap them whole, as SIGHUP does. 422 names every problem, and nothing was changed.
#[utoipa::path(post, path = "/api/v1/engine/reload", tag = "engine", responses(
    (status = 200, body = Reloaded),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn reload(State(api): State<Api>, person: Person) -> Result<Json<Reloaded>, Problem> {
    person.may(Action::Reload, Resource::default())?;
    let outcome = api.parts.engine.reload().await?;
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::Reload.label().to_owned(),
        subject: "engine".to_owned(),
        outcome: if outcome.is_ok() { "reloaded" } else { "refused" }.to_owned(),
    };
    api.db().log_access(&access).await?;
    outcome.map_err(Problem::refused)?;
    Ok(Json(Reloaded { reloaded: true }))
}
