use super::desk_of;
use super::wire::{KbUnitList, KbUnitView};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::knowledge::standing;
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;

/// The usual span.
const SPAN_MS: i64 = 30 * 86_400_000;
/// An entry is looked at again before its review date: so many days ahead it is due soon.
const SOON_DAYS: i64 = 30;

/// How each unit keeps its knowledge: entries read, 待核, soon to be looked at; since `since` (default: 30 days) what it published and how
/// often corrections and changes of policy were late. A unit's people see their own.
#[utoipa::path(get, path = "/api/v1/kb/units", tag = "knowledge", params(("since" = Option<String>, Query)), responses(
    (status = 200, body = KbUnitList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn units(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbUnitList>, Problem> {
    person.may(Action::ReadDrafts, Resource::default())?;
    let now = api.now();
    let since = fields.time("since")?.unwrap_or(now - SPAN_MS);
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there is: since"));
    }
    let (today, own) = (api.today(), desk_of(&person));
    let soon = today.checked_add(jiff::Span::new().days(SOON_DAYS)).unwrap_or(today);
    let mut rows: BTreeMap<String, KbUnitView> = BTreeMap::new();
    for (unit, figures) in api.db().kb_units(since, now).await? {
        rows.insert(unit.clone(), KbUnitView::of(unit, figures));
    }
    let shelf = api.kb.current(api.db()).await?;
    for one in &shelf.live {
        let unit = &one.version.text.unit;
        let row =
            rows.entry(unit.clone()).or_insert_with(|| KbUnitView::of(unit.clone(), Default::default()));
        row.live += 1;
        if !standing(&one.row.entry, &one.version.text, today).quotable() {
            row.stale += 1;
        } else if one.version.text.review_by <= soon {
            row.due_soon += 1;
        }
    }
    let items = rows.into_values().filter(|row| own.as_ref().is_none_or(|own| *own == row.unit)).collect();
    Ok(Json(KbUnitList { items, next: None, since: api.time(since) }))
}
