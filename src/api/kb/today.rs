use super::only_unit;
use super::wire::{KbHit, KbItem, KbToday, KbWordingView};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::knowledge::Stage;
use crate::store::{KbFilter, LIMIT_MAX, Page};
use axum::Json;
use axum::extract::State;
use std::cmp::Reverse;

/// The banner of the day: what was published and retired since midnight, and the agreed wordings in force.
#[utoipa::path(get, path = "/api/v1/kb/today", tag = "knowledge", responses(
    (status = 200, body = KbToday),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn today(State(api): State<Api>, person: Person) -> Result<Json<KbToday>, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let (midnight, own) = (api.midnight(), only_unit(&person));
    let shelf = api.kb.current(api.db()).await?;
    let mut new: Vec<_> = shelf
        .live
        .iter()
        .filter(|one| one.row.live_at.is_some_and(|at| at >= midnight))
        .filter(|one| own.as_ref().is_none_or(|own| *own == one.row.unit))
        .collect();
    new.sort_by_key(|one| Reverse(one.row.live_at));
    let changed = new.into_iter().take(LIMIT_MAX as usize).map(|one| KbHit::of(&api, one)).collect();
    let filter = KbFilter { stage: Some(Stage::Retired), unit: own, ..KbFilter::default() };
    let gone = api.db().kb_entries(&filter, &Page::default()).await?.items.into_iter();
    let gone = gone.filter(|row| row.changed_at >= midnight);
    let retired = gone.map(|row| KbItem::of(&api, row, None, None)).collect();
    let wordings = api.db().kb_wordings(api.now()).await?.into_iter().map(|row| KbWordingView::of(&api, row));
    Ok(Json(KbToday { changed, retired, wordings: wordings.filter(|one| one.current).collect() }))
}
