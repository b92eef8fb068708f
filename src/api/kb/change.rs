use super::act::outcome;
use super::show::view;
use super::wire::{KbChange, KbEntryView};
use super::{check, log, of, visible, wrong};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::Action;
use crate::knowledge::{Confidence, Step, Text};
use crate::store::KbWish;
use axum::Json;
use axum::extract::{Path, State};
use jiff::civil::Date;

/// A new version of an entry, a draft. The one agents read stays until the new one is published.
#[utoipa::path(patch, path = "/api/v1/kb/{id}", tag = "knowledge", params(("id" = String, Path)),
    request_body = KbChange, responses(
    (status = 200, body = KbEntryView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<KbChange>,
) -> Result<Json<KbEntryView>, Problem> {
    let row = visible(&api, &person, &id).await?;
    person.may(Action::DraftKnowledge, of(&row.unit))?;
    let head = api.db().kb_version(&id, row.entry.head).await?.ok_or_else(Problem::internal)?;
    let version = wish.version;
    let text = changed(head.text, wish).map_err(|error| Problem::refused_fields(vec![error]))?;
    // Given to another unit it is that one's to keep.
    person.may(Action::DraftKnowledge, of(&text.unit))?;
    check(&api, &text)?;
    let wish = KbWish {
        id: &id,
        by: &person.name,
        at: api.now(),
        version,
        step: Step::Change,
        reason: None,
        with: None,
        text: Some(&text),
        today: api.today(),
        same: None,
    };
    let row = outcome(api.db().step_kb(wish).await?, None)?;
    log(&api, &person, Action::DraftKnowledge, &id, "change").await?;
    Ok(Json(view(&api, &person, row).await?))
}

fn changed(mut text: Text, wish: KbChange) -> Result<Text, FieldError> {
    let set = |slot: &mut String, new: Option<String>| {
        if let Some(new) = new {
            *slot = new;
        }
    };
    set(&mut text.title, wish.title);
    set(&mut text.answer, wish.answer);
    set(&mut text.full, wish.full);
    set(&mut text.papers, wish.papers);
    set(&mut text.place, wish.place);
    set(&mut text.basis, wish.basis);
    set(&mut text.unit, wish.unit);
    set(&mut text.category, wish.category);
    set(&mut text.source, wish.source);
    text.questions = wish.questions.unwrap_or(text.questions);
    text.review_by = wish.review_by.unwrap_or(text.review_by);
    day(&mut text.valid_from, wish.valid_from, "valid_from")?;
    day(&mut text.valid_until, wish.valid_until, "valid_until")?;
    if let Some(new) = wish.confidence {
        let detail = "confidence: S, G, P, X joined by +, a remark in brackets";
        text.confidence = Confidence::read(&new).ok_or_else(|| wrong("confidence", "unknown", detail))?;
    }
    Ok(text)
}

/// `""` clears it.
fn day(slot: &mut Option<Date>, new: Option<String>, field: &'static str) -> Result<(), FieldError> {
    match new.as_deref() {
        None => {}
        Some("") => *slot = None,
        Some(text) => {
            let wrong = |_| wrong(field, "not_a_date", "a date such as 2026-12-31");
            *slot = Some(text.parse().map_err(wrong)?);
        }
    }
    Ok(())
}
