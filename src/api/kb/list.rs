use super::only_unit;
use super::wire::{KbItem, KbList};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource, Role};
use crate::knowledge::Stage;
use crate::store::KbFilter;
use axum::Json;
use axum::extract::State;

/// Entries, the last changed first: what agents read, and the drafts that the person may see.
#[utoipa::path(get, path = "/api/v1/kb", tag = "knowledge", params(
    ("stage" = Option<String>, Query), ("unit" = Option<String>, Query), ("category" = Option<String>, Query),
    ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)), responses(
    (status = 200, body = KbList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbList>, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let page = fields.page()?;
    let stage = match fields.take("stage") {
        None => None,
        Some(text) => Some(
            Stage::read(&text).ok_or_else(|| Problem::bad_request("stage: there is none of this name"))?,
        ),
    };
    let (unit, category) = (fields.take("unit"), fields.take("category"));
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there are: stage, unit, category, limit, cursor"));
    }
    let narrow = only_unit(&person);
    if let (Some(own), Some(unit)) = (&narrow, &unit)
        && own != unit
    {
        return Ok(Json(KbList { items: Vec::new(), next: None }));
    }
    let office = person.roles.has(Role::Office);
    let kb = person.roles.has(Role::Kb);
    let filter = KbFilter {
        stage,
        unit: unit.or(narrow),
        category,
        live: person.may(Action::ReadDrafts, Resource::default()).is_err(),
        drafts_of: if office { None } else { person.unit.clone().filter(|_| kb) },
    };
    let found = api.db().kb_entries(&filter, &page).await?;
    let shelf = api.kb.current(api.db()).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for row in found.items {
        let live = shelf.live.binary_search_by(|one| one.row.id.cmp(&row.id)).ok().map(|at| &shelf.live[at]);
        let live = live.filter(|one| row.entry.live == Some(one.version.n));
        let review_by = match live {
            Some(_) => None,
            None => api.db().kb_version(&row.id, row.entry.head).await?.map(|version| version.text.review_by),
        };
        items.push(KbItem::of(&api, row, live.map(|one| &one.version.text), review_by));
    }
    Ok(Json(KbList { items, next: found.next.map(|next| next.to_string()) }))
}
