use super::asked;
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::store::Behind;
use crate::ticket::indicators::Indicator;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

/// A ticket behind a number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CountedItem {
    pub id: String,
    pub no: Option<String>,
    pub unit: Option<String>,
    pub due_at: String,
    /// Hundredths it adds to the numerator; null: no answer.
    pub value: Option<i64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CountedList {
    pub items: Vec<CountedItem>,
    pub next: Option<String>,
}

/// The tickets behind a number of [`super::list`].
#[utoipa::path(get, path = "/api/v1/indicators/{name}/tickets", tag = "indicators", params(
    ("name" = String, Path, description = "name of the indicator"),
    ("from" = Option<String>, Query), ("to" = Option<String>, Query),
    ("period" = Option<String>, Query, description = "id of a published period, instead of both"),
    ("unit" = Option<String>, Query, description = "the leading unit"),
    ("which" = Option<String>, Query, description = "`hit`, `short`, `missing`; all when absent"),
    ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = CountedList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn tickets(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
    mut fields: Fields,
) -> Result<Json<CountedList>, Problem> {
    let (source, scope) = asked(&api, &person, &mut fields).await?;
    let indicator = Indicator::read(&name).ok_or_else(Problem::not_found)?;
    let page = fields.page()?;
    let unit = fields.take("unit");
    let which = match fields.take("which").as_deref() {
        None => Behind::All,
        Some("hit") => Behind::Hit,
        Some("short") => Behind::Short,
        Some("missing") => Behind::Missing,
        Some(_) => return Err(Problem::bad_request("which: hit, short or missing")),
    };
    let paged = api.db().behind_indicator(indicator, &source, unit.as_deref(), which, &scope, &page).await?;
    let items = paged.items.into_iter().map(|one| CountedItem {
        due_at: api.time(one.due_at),
        id: one.id,
        no: one.no,
        unit: one.unit,
        value: one.value,
    });
    Ok(Json(CountedList { items: items.collect(), next: paged.next.map(|cursor| cursor.to_string()) }))
}
