use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{Queue, QueueList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Every queue as it stands now: who waits, who could serve.
#[utoipa::path(get, path = "/api/v1/queues", tag = "floor", responses(
    (status = 200, body = QueueList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn queues(State(api): State<Api>, person: Person) -> Result<Json<QueueList>, Problem> {
    person.may(Action::WatchLive, Resource::default())?;
    let floor = api.parts.engine.floor().await?;
    Ok(Json(QueueList { items: floor.queues.into_iter().map(|q| Queue::of(&api, q)).collect(), next: None }))
}
