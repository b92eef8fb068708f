use super::wire::{KbAnswer, KbCorrectionList, KbCorrectionView, KbNewCorrection};
use super::{desk_of, due_at, log, of, said, visible, wrong};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{KbAnswered, KbCorrection};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

const TEXT_MAX: usize = 500;

/// 纠错: tell the keeper that an entry is wrong. Due when offices close on the next working day.
#[utoipa::path(post, path = "/api/v1/kb/{id}/corrections", tag = "knowledge", params(("id" = String, Path)),
    request_body = KbNewCorrection, responses(
    (status = 201, body = KbCorrectionView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn report(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(new): JsonBody<KbNewCorrection>,
) -> Result<(StatusCode, Json<KbCorrectionView>), Problem> {
    person.may(Action::CorrectKnowledge, Resource::default())?;
    let row = visible(&api, &person, &id).await?;
    let (text, now) = (said("text", &new.text, TEXT_MAX)?, api.now());
    let correction = KbCorrection {
        entry: id,
        version: row.entry.live.unwrap_or(row.entry.head),
        unit: row.unit,
        at: now,
        by: person.name,
        text,
        due_at: due_at(&api, now),
        ..KbCorrection::default()
    };
    let kept = api.db().add_kb_correction(correction).await?;
    Ok((StatusCode::CREATED, Json(KbCorrectionView::of(&api, kept))))
}

/// Errors that were reported, newest first: a unit's own, or all for the office and leads. `?open=true`: those to be answered.
#[utoipa::path(get, path = "/api/v1/kb/corrections", tag = "knowledge", params(
    ("open" = Option<bool>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)), responses(
    (status = 200, body = KbCorrectionList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn corrections(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbCorrectionList>, Problem> {
    person.may(Action::ReadDrafts, Resource::default())?;
    let (page, open) = (fields.page()?, open(&mut fields)?);
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there are: open, limit, cursor"));
    }
    let found = api.db().kb_corrections(desk_of(&person).as_deref(), open, &page).await?;
    let items = found.items.into_iter().map(|row| KbCorrectionView::of(&api, row)).collect();
    Ok(Json(KbCorrectionList { items, next: found.next.map(|next| next.to_string()) }))
}

/// `open=true` or `open=false`.
pub(super) fn open(fields: &mut Fields) -> Result<Option<bool>, Problem> {
    match fields.take("open").as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Problem::bad_request("open: true or false")),
    }
}

/// Answer a correction: `fixed` or `unfounded`, and how.
#[utoipa::path(patch, path = "/api/v1/kb/corrections/{id}", tag = "knowledge", params(("id" = String, Path)),
    request_body = KbAnswer, responses(
    (status = 200, body = KbCorrectionView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn answer_correction(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(new): JsonBody<KbAnswer>,
) -> Result<Json<KbCorrectionView>, Problem> {
    person.may(Action::ReadDrafts, Resource::default())?;
    let row = api.db().kb_correction(&id).await?.ok_or_else(Problem::not_found)?;
    person.may(Action::ReadDrafts, of(&row.unit))?;
    if person.may(Action::PublishKnowledge, of(&row.unit)).is_err() {
        person.may(Action::DraftKnowledge, of(&row.unit))?;
    }
    if !["fixed", "unfounded"].contains(&new.outcome.as_str()) {
        return Err(Problem::refused_fields(vec![wrong(
            "outcome",
            "unknown",
            "outcome: fixed or unfounded",
        )]));
    }
    let answer = said("answer", &new.answer, TEXT_MAX)?;
    let done = KbAnswered { outcome: new.outcome, answer, at: api.now(), by: person.name.clone() };
    if !api.db().answer_kb_correction(&id, &done).await? {
        return Err(Problem::not_now("it is answered already"));
    }
    log(&api, &person, Action::DraftKnowledge, &row.entry, &done.outcome).await?;
    Ok(Json(KbCorrectionView::of(&api, KbCorrection { done: Some(done), ..row })))
}
