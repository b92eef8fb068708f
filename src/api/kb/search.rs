use super::only_unit;
use super::wire::{KbFound, KbHit, KbWordingView};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;
use std::time::Instant;

/// Hits on a page when nothing is said, and at most.
const LIMIT: usize = 8;
const LIMIT_MAX: usize = 50;

/// Search while somebody talks: what agents read, best first. What is 待核 is marked `stale` and cannot be quoted.
#[utoipa::path(get, path = "/api/v1/kb/search", tag = "knowledge", params(
    ("q" = String, Query, description = "as somebody says it; the first 200 characters count"),
    ("unit" = Option<String>, Query), ("category" = Option<String>, Query), ("limit" = Option<u32>, Query)), responses(
    (status = 200, body = KbFound),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn search(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbFound>, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let begun = Instant::now();
    let q = fields.take("q").unwrap_or_default();
    let (unit, category) = (fields.take("unit"), fields.take("category"));
    let limit = match fields.take("limit") {
        None => LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=LIMIT_MAX).contains(n))
            .ok_or_else(|| Problem::bad_request(format!("limit: a number from 1 to {LIMIT_MAX}")))?,
    };
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there are: q, unit, category, limit"));
    }
    let own = only_unit(&person);
    let shelf = api.kb.current(api.db()).await?;
    let keep = |doc: usize| {
        let text = &shelf.live[doc].version.text;
        [&unit, &own].into_iter().flatten().all(|unit| *unit == text.unit)
            && category.as_ref().is_none_or(|category| *category == text.category)
    };
    let hits = shelf.index.search(&q, &api.kb.words, limit, keep);
    let items = hits.iter().map(|hit| KbHit::of(&api, &shelf.live[hit.doc])).collect();
    let wordings = api.db().kb_wordings(api.now()).await?.into_iter().map(|row| KbWordingView::of(&api, row));
    let wordings = wordings.filter(|wording| wording.current).collect();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(KbFound { items, next: None, wordings, took_ms }))
}
