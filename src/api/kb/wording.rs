use super::wire::{KbNewWording, KbWordingList, KbWordingView};
use super::{log, said, wrong};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::knowledge::ANSWER_MAX;
use crate::store::KbWording;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

const TITLE_MAX: usize = 60;
/// What holds longer is an entry.
const LONGEST_MS: i64 = 92 * 86_400_000;

/// 口径单: agree on the wording for one hot matter, from when until when. It withdraws itself.
#[utoipa::path(post, path = "/api/v1/kb/wordings", tag = "knowledge", request_body = KbNewWording, responses(
    (status = 201, body = KbWordingView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add_wording(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<KbNewWording>,
) -> Result<(StatusCode, Json<KbWordingView>), Problem> {
    person.may(Action::PublishKnowledge, Resource::default())?;
    if !api.district.has_unit(&new.unit) {
        return Err(Problem::refused_fields(vec![wrong("unit", "unknown", "unit: no unit has this code")]));
    }
    let (title, text) = (said("title", &new.title, TITLE_MAX)?, said("text", &new.text, ANSWER_MAX)?);
    let now = api.now();
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    let from_at = match &new.from_at {
        None => Some(now),
        Some(text) => time(text),
    };
    let from_at = from_at.ok_or_else(|| {
        Problem::refused_fields(vec![wrong(
            "from_at",
            "not_a_time",
            "a time such as 2026-11-23T09:30:00+08:00",
        )])
    })?;
    let until_at = time(&new.until_at).filter(|until| (from_at + 1..=from_at + LONGEST_MS).contains(until));
    let until_at = until_at.filter(|until| *until > now).ok_or_else(|| {
        Problem::refused_fields(vec![wrong(
            "until_at",
            "not_a_time",
            "a time to come, within 92 days of its beginning",
        )])
    })?;
    let row = KbWording {
        unit: new.unit,
        title,
        text,
        from_at,
        until_at,
        at: now,
        by: person.name.clone(),
        ..KbWording::default()
    };
    let kept = api.db().add_kb_wording(row).await?;
    log(&api, &person, Action::PublishKnowledge, &kept.id, "agreed").await?;
    Ok((StatusCode::CREATED, Json(KbWordingView::of(&api, kept))))
}

/// Agreed wordings that are not over.
#[utoipa::path(get, path = "/api/v1/kb/wordings", tag = "knowledge", responses(
    (status = 200, body = KbWordingList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn wordings(State(api): State<Api>, person: Person) -> Result<Json<KbWordingList>, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let items = api.db().kb_wordings(api.now()).await?.into_iter();
    Ok(Json(KbWordingList { items: items.map(|row| KbWordingView::of(&api, row)).collect(), next: None }))
}

/// Withdraw a wording before its time.
#[utoipa::path(delete, path = "/api/v1/kb/wordings/{id}", tag = "knowledge", params(("id" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn withdraw_wording(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::PublishKnowledge, Resource::default())?;
    if !api.db().withdraw_kb_wording(&id, api.now()).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::PublishKnowledge, &id, "withdrawn").await?;
    Ok(StatusCode::NO_CONTENT)
}
