use super::wire::{KbGapView, KbGaps, KbNewSearch, KbPassedOn};
use super::{said, wrong};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::knowledge::{QUERY_MAX, is_entry_id, plain, standing, without_numbers};
use crate::store::KbSearch;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// The list's usual span.
const SPAN_MS: i64 = 30 * 86_400_000;

/// Notes how a search ended: with an entry that was used, or in vain. Long numbers are not kept.
#[utoipa::path(post, path = "/api/v1/kb/searches", tag = "knowledge", request_body = KbNewSearch, responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn note_search(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<KbNewSearch>,
) -> Result<StatusCode, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let q = said("q", &new.q, QUERY_MAX)?;
    if new.used.as_ref().is_some_and(|used| !is_entry_id(used)) {
        return Err(Problem::refused_fields(vec![wrong("used", "unknown", "used: an entry's id")]));
    }
    let shelf = api.kb.current(api.db()).await?;
    let found = shelf.index.search(&q, &api.kb.words, 10, |_| true).len();
    // Asked with other blanks and stops it is the same gap.
    let key = plain(&without_numbers(&q)).split_whitespace().collect::<Vec<_>>().join(" ");
    if key.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let search = KbSearch {
        q: &key,
        by: &person.name,
        at: api.now(),
        found: i64::try_from(found).unwrap_or(0),
        used: new.used.as_deref(),
    };
    api.db().add_kb_search(&search).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was looked for in vain since `since` (default: 30 days), and enquiries passed to a unit although an entry exists.
#[utoipa::path(get, path = "/api/v1/kb/gaps", tag = "knowledge", params(("since" = Option<String>, Query)), responses(
    (status = 200, body = KbGaps),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn gaps(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbGaps>, Problem> {
    person.may(Action::ReadGaps, Resource::default())?;
    let since = fields.time("since")?.unwrap_or_else(|| api.now() - SPAN_MS);
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there is: since"));
    }
    let gap = |gap: crate::store::KbGap| KbGapView {
        q: gap.q,
        times: gap.times,
        last_at: api.time(gap.last_at),
        found: gap.found,
    };
    let searches = api.db().kb_gaps(since).await?.into_iter().map(gap).collect();
    let shelf = api.kb.current(api.db()).await?;
    let mut passed_on = Vec::new();
    for (category, times) in api.db().enquiries_passed_on(since).await? {
        let fits = |one: &&crate::store::KbLive| {
            let text = &one.version.text;
            text.category == category && standing(&one.row.entry, text, api.today()).quotable()
        };
        let entries: Vec<String> = shelf.live.iter().filter(fits).map(|one| one.row.id.clone()).collect();
        if !entries.is_empty() {
            passed_on.push(KbPassedOn { category, times, entries });
        }
    }
    Ok(Json(KbGaps { since: api.time(since), searches, passed_on }))
}
