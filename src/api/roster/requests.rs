use super::view_of;
use super::wire::RosterRequestList;
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Decision, Resource};
use axum::Json;
use axum::extract::State;

/// Swaps and leave, newest first: leads and the office see all, others what they asked for or have to agree to.
#[utoipa::path(get, path = "/api/v1/roster/requests", tag = "roster", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("stage" = Option<String>, Query, description = "requested agreed approved refused withdrawn"),
), responses(
    (status = 200, body = RosterRequestList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn requests(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<RosterRequestList>, Problem> {
    let decision = person.may(Action::ReadRoster, Resource::default())?;
    let page = fields.page()?;
    let stage = fields.take("stage");
    let own = (decision != Decision::Allow).then_some(&*person.name);
    let paged = api.db().roster_requests(own, stage.as_deref(), &page).await?;
    let items = paged.items.iter().filter_map(|row| view_of(&api, row)).collect();
    Ok(Json(RosterRequestList { items, next: paged.next.map(|cursor| cursor.to_string()) }))
}
