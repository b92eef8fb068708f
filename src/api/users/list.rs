use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{User, UserList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// All users by name, on one page: they are the staff of one hotline.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses(
    (status = 200, body = UserList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<UserList>, Problem> {
    person.may(Action::ReadUsers, Resource::default())?;
    let items = api.db().users().await?.into_iter().map(|user| User::of(&api, user)).collect();
    Ok(Json(UserList { items, next: None }))
}
