use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CategoryItem {
    pub code: String,
    /// First, second and third level.
    pub names: [String; 3],
    /// A unit, or `street`: the office of the address.
    pub lead: String,
    pub assist: Vec<String>,
    /// `U L N C` unless somebody says otherwise.
    pub urgency: String,
    /// That it is happening now makes it urgent.
    pub happening: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CategoryList {
    pub items: Vec<CategoryItem>,
    pub next: Option<String>,
}

/// What tickets can be about, and who usually sees to it.
#[utoipa::path(get, path = "/api/v1/categories", tag = "district", responses(
    (status = 200, body = CategoryList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn categories(State(api): State<Api>, person: Person) -> Result<Json<CategoryList>, Problem> {
    person.may(Action::ReadDistrict, Resource::default())?;
    let items = api.district.categories().map(|(code, category)| CategoryItem {
        code: code.to_owned(),
        names: category.names.clone(),
        lead: category.lead.clone(),
        assist: category.assist.clone(),
        urgency: category.urgency.clone(),
        happening: category.happening,
    });
    Ok(Json(CategoryList { items: items.collect(), next: None }))
}
