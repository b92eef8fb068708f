use super::wire::{QueueSettings, QueueSettingsList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// What is configured for each queue.
#[utoipa::path(get, path = "/api/v1/queue-settings", tag = "works", responses(
    (status = 200, body = QueueSettingsList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn queue_settings(
    State(api): State<Api>,
    person: Person,
) -> Result<Json<QueueSettingsList>, Problem> {
    person.may(Action::ReadWorks, Resource::default())?;
    let items = api.parts.works.queues().into_iter().map(|queue| QueueSettings {
        name: queue.name,
        answer: queue.answer,
        max_waiting: queue.max_waiting,
    });
    Ok(Json(QueueSettingsList { items: items.collect(), next: None }))
}
