use super::show::view;
use super::wire::{KbEntryView, KbNew, text_of};
use super::{check, log, of, wrong};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{KB_MOST, StoreError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// A new entry, a draft of one's own unit.
#[utoipa::path(post, path = "/api/v1/kb", tag = "knowledge", request_body = KbNew, responses(
    (status = 201, body = KbEntryView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn draft(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<KbNew>,
) -> Result<(StatusCode, Json<KbEntryView>), Problem> {
    person.may(Action::DraftKnowledge, Resource::default())?;
    let unit = new.unit.clone().or_else(|| person.unit.clone()).unwrap_or_default();
    person.may(Action::DraftKnowledge, of(&unit))?;
    let Some(text) = text_of(new, unit) else {
        let detail = "confidence: S, G, P, X joined by +, a remark in brackets";
        return Err(Problem::refused_fields(vec![wrong("confidence", "unknown", detail)]));
    };
    check(&api, &text)?;
    let id = match api.db().add_kb_entry(&text, &person.name, api.now()).await {
        Err(StoreError::Exists) => {
            return Err(Problem::refused(vec![format!("there are {KB_MOST} entries already")]));
        }
        other => other?,
    };
    log(&api, &person, Action::DraftKnowledge, &id, "draft").await?;
    let row = api.db().kb_entry(&id).await?.ok_or_else(Problem::internal)?;
    Ok((StatusCode::CREATED, Json(view(&api, &person, row).await?)))
}
