use super::{hash, roles};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{NewUser, User};
use crate::auth::{Action, Resource};
use crate::store::{self, Access, Work};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// Add a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser, responses(
    (status = 201, body = User),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    person.may(Action::ManageUsers, Resource::default())?;
    let roles = roles(&new.roles)?;
    if !store::is_user_name(&new.name) {
        return Err(Problem::refused(vec![store::USER_NAME_RULE.to_owned()]));
    }
    let work = Work {
        skills: new.skills,
        queues: new.queues.filter(|queues| !queues.is_empty()),
        mobile: new.mobile.filter(|mobile| !mobile.is_empty()),
    };
    super::queues_known(&api, work.queues.as_deref())?;
    if !store::is_work(&work) {
        return Err(Problem::refused(vec![store::WORK_RULE.to_owned()]));
    }
    let hash = hash(&api, new.password).await?;
    let user = store::User {
        display: new.display.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        unit: new.unit,
        roles,
        disabled: false,
        created_at: api.now(),
        work,
    };
    api.db().add_user(&user, &hash).await?;
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::ManageUsers.label().to_owned(),
        subject: ["user:", &user.name].concat(),
        outcome: "added".to_owned(),
    };
    api.db().log_access(&access).await?;
    Ok((StatusCode::CREATED, Json(User::of(&api, user))))
}
