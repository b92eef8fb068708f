use super::correction::open;
use super::wire::{KbNewNotice, KbNoticeList, KbNoticeView};
use super::{desk_of, due_at, log, of, said, wrong};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::KbNotice;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::collections::BTreeSet;

const TEXT_MAX: usize = 2_000;
/// Entries one change of policy touches.
const ENTRIES_MAX: usize = 50;

/// 政策变更单: a unit tells what changes from when, and which of its entries that touches. They are to be published anew before
/// offices close on the next working day; lateness is counted.
#[utoipa::path(post, path = "/api/v1/kb/notices", tag = "knowledge", request_body = KbNewNotice, responses(
    (status = 201, body = KbNoticeView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn tell(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<KbNewNotice>,
) -> Result<(StatusCode, Json<KbNoticeView>), Problem> {
    person.may(Action::NoticeKnowledge, Resource::default())?;
    let unit = new.unit.or_else(|| person.unit.clone()).unwrap_or_default();
    if !api.district.has_unit(&unit) {
        return Err(Problem::refused_fields(vec![wrong("unit", "unknown", "unit: no unit has this code")]));
    }
    // Another unit's policy is not his to tell.
    if person.may(Action::NoticeKnowledge, of(&unit)).is_err() {
        return Err(Problem::not_allowed());
    }
    let text = said("text", &new.text, TEXT_MAX)?;
    let entries: BTreeSet<String> = new.entries.into_iter().collect();
    if entries.len() > ENTRIES_MAX {
        let detail = format!("entries: at most {ENTRIES_MAX}");
        return Err(Problem::refused_fields(vec![wrong("entries", "too_many", &detail)]));
    }
    let mut errors: Vec<FieldError> = Vec::new();
    for id in &entries {
        let known = api.db().kb_entry(id).await?.is_some_and(|row| row.unit == unit);
        if !known {
            errors.push(wrong("entries", "unknown", "entries: each an entry of this unit"));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::refused_fields(errors));
    }
    let now = api.now();
    let notice = KbNotice {
        unit,
        at: now,
        by: person.name.clone(),
        effective_on: new.effective_on.to_string(),
        text,
        due_at: due_at(&api, now),
        entries: entries.into_iter().map(|id| (id, None)).collect(),
        ..KbNotice::default()
    };
    let kept = api.db().add_kb_notice(notice).await?;
    log(&api, &person, Action::NoticeKnowledge, &kept.id, "told").await?;
    Ok((StatusCode::CREATED, Json(KbNoticeView::of(&api, kept))))
}

/// Notices of changed policy, newest first: a unit's own, or all for the office. `?open=true`: those not carried through.
#[utoipa::path(get, path = "/api/v1/kb/notices", tag = "knowledge", params(
    ("open" = Option<bool>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)), responses(
    (status = 200, body = KbNoticeList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn notices(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbNoticeList>, Problem> {
    person.may(Action::ReadDrafts, Resource::default())?;
    let (page, open) = (fields.page()?, open(&mut fields)?);
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there are: open, limit, cursor"));
    }
    let found = api.db().kb_notices(desk_of(&person).as_deref(), open, &page).await?;
    let items = found.items.into_iter().map(|row| KbNoticeView::of(&api, row)).collect();
    Ok(Json(KbNoticeList { items, next: found.next.map(|next| next.to_string()) }))
}

/// The office closes a notice. Refused while one of its entries is still to be published.
#[utoipa::path(post, path = "/api/v1/kb/notices/{id}/close", tag = "knowledge", params(("id" = String, Path)), responses(
    (status = 200, body = KbNoticeView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub async fn close_notice(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<KbNoticeView>, Problem> {
    person.may(Action::PublishKnowledge, Resource::default())?;
    api.db().kb_notice(&id).await?.ok_or_else(Problem::not_found)?;
    if !api.db().close_kb_notice(&id, &person.name, api.now()).await? {
        return Err(Problem::not_now("it is closed, or one of its entries is still to be published"));
    }
    log(&api, &person, Action::PublishKnowledge, &id, "closed").await?;
    let row = api.db().kb_notice(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(KbNoticeView::of(&api, row)))
}
