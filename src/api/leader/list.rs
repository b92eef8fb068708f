use super::view;
use super::wire::LeaderSessionList;
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Sessions, newest first.
#[utoipa::path(get, path = "/api/v1/leader-sessions", tag = "leader sessions", responses(
    (status = 200, body = LeaderSessionList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<LeaderSessionList>, Problem> {
    person.may(Action::ReadSessions, Resource::default())?;
    let rows = api.db().leader_sessions(None).await?;
    let items = rows.into_iter().map(|row| view(&api, row)).collect();
    Ok(Json(LeaderSessionList { items, next: None }))
}
