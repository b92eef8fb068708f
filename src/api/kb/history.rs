use super::of;
use super::wire::{KbEventList, KbEventView, KbTextView, KbVersionList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, State};

async fn worked_on(api: &Api, person: &Person, id: &str) -> Result<(), Problem> {
    person.may(Action::ReadDrafts, Resource::default())?;
    let row = api.db().kb_entry(id).await?.ok_or_else(Problem::not_found)?;
    person.may(Action::ReadDrafts, of(&row.unit)).map(|_| ())
}

/// All versions of an entry, the newest first.
#[utoipa::path(get, path = "/api/v1/kb/{id}/versions", tag = "knowledge", params(("id" = String, Path)), responses(
    (status = 200, body = KbVersionList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn versions(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<KbVersionList>, Problem> {
    worked_on(&api, &person, &id).await?;
    let items = api.db().kb_versions(&id).await?.into_iter();
    Ok(Json(KbVersionList { items: items.map(|one| KbTextView::of(&api, one)).collect(), next: None }))
}

/// What was done with an entry, by whom and why; oldest first.
#[utoipa::path(get, path = "/api/v1/kb/{id}/events", tag = "knowledge", params(("id" = String, Path)), responses(
    (status = 200, body = KbEventList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn events(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<KbEventList>, Problem> {
    worked_on(&api, &person, &id).await?;
    let items = api.db().kb_events(&id).await?.into_iter();
    Ok(Json(KbEventList { items: items.map(|one| KbEventView::of(&api, one)).collect(), next: None }))
}
