use super::{decide, looked};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::api::wire::Call;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::{Path, State};

/// One call with everything known of it.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = String, Path)), responses(
    (status = 200, body = Call),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<Call>, Problem> {
    person.may(Action::ReadCalls, Resource::default())?;
    if !api.db().call_exists_for(&id, &scope(&api, &person)).await? {
        return Err(Problem::not_found());
    }
    let call = api.db().call(&id).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&person, &call)?;
    // Pages ask again while the call goes on.
    api.log_looks(vec![looked(&api, &person, &id, "allowed".to_owned())]).await?;
    Ok(Json(Call::of(&api, call, decision)))
}
