use super::{hash, roles};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{User, UserChange};
use crate::auth::{Action, Resource};
use crate::store::Access;
use axum::Json;
use axum::extract::{Path, State};

/// Change a user: disable, new password, other roles. Each ends the user's sessions.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    request_body = UserChange, responses(
    (status = 200, body = User),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(name): Path<String>,
    JsonBody(change): JsonBody<UserChange>,
) -> Result<Json<User>, Problem> {
    let (disabled, password) = (change.disabled, change.password);
    if disabled.is_some() || password.is_some() || change.roles.is_none() && change.unit.is_none() {
        person.may(Action::ManageUsers, Resource::default())?;
    }
    let new_roles = match (&change.roles, &change.unit) {
        (None, None) => None,
        (named, _) => {
            person.may(Action::ManageRoles, Resource::default())?;
            named.as_ref().map(|named| roles(named)).transpose()?
        }
    };
    let (user, _) = api.db().user(&name).await?.ok_or_else(Problem::not_found)?;
    let hash = match password {
        Some(password) => Some(hash(&api, password).await?),
        None => None,
    };
    let mut done = Vec::new();
    if change.roles.is_some() || change.unit.is_some() {
        let unit = change.unit.as_deref().or(user.unit.as_deref());
        api.db().set_roles(&name, unit, new_roles.as_ref().unwrap_or(&user.roles)).await?;
        done.push("roles");
    }
    if let Some(hash) = hash {
        api.db().set_password(&name, &hash).await?;
        done.push("password");
    }
    if let Some(disabled) = disabled {
        api.db().set_disabled(&name, disabled).await?;
        done.push(if disabled { "disabled" } else { "enabled" });
    }
    // Each change ended the user's sessions, so his sockets go too.
    if !done.is_empty()
        && let Some(cti) = &api.parts.cti
    {
        cti.signed_out(&name, None).await;
    }
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::ManageUsers.label().to_owned(),
        subject: ["user:", &name].concat(),
        outcome: done.join(","),
    };
    api.db().log_access(&access).await?;
    let (user, _) = api.db().user(&name).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(User::of(&api, user)))
}
