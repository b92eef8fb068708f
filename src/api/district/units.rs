use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnitItem {
    pub key: String,
    pub name: String,
    pub short: String,
    pub kind: String,
    /// The unit it belongs to; null on the first level.
    pub parent: Option<String>,
    pub level: u8,
    /// `order letter refer`: how it may be pressed.
    pub supervise: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnitList {
    pub items: Vec<UnitItem>,
    pub next: Option<String>,
}

/// The units that handle tickets, and what is below them.
#[utoipa::path(get, path = "/api/v1/units", tag = "district", responses(
    (status = 200, body = UnitList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn units(State(api): State<Api>, person: Person) -> Result<Json<UnitList>, Problem> {
    person.may(Action::ReadDistrict, Resource::default())?;
    let items = api.district.units().map(|(key, unit)| UnitItem {
        key: key.to_owned(),
        name: unit.name.clone(),
        short: unit.short.clone(),
        kind: unit.kind.clone(),
        parent: unit.parent.clone(),
        level: unit.level,
        supervise: unit.supervise.clone(),
    });
    Ok(Json(UnitList { items: items.collect(), next: None }))
}
