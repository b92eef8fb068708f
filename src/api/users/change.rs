use super::{hash, roles};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{User, UserChange};
use crate::auth::{Action, Resource};
use crate::store::{self, Access, Work};
use axum::Json;
use axum::extract::{Path, State};

/// Change a user: disable, new password, other roles; each ends the user's sessions. Skills, queues and mobile hold at once.
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
    let works = change.skills.is_some() || change.queues.is_some() || change.mobile.is_some();
    let ranks = change.roles.is_some() || change.unit.is_some();
    if disabled.is_some() || password.is_some() || works || !ranks {
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
    super::queues_known(&api, change.queues.as_deref())?;
    let work = works.then(|| Work {
        skills: change.skills.unwrap_or(user.work.skills),
        queues: change.queues.map_or(user.work.queues, |queues| (!queues.is_empty()).then_some(queues)),
        mobile: change.mobile.map_or(user.work.mobile, |mobile| (!mobile.is_empty()).then_some(mobile)),
    });
    if work.as_ref().is_some_and(|work| !store::is_work(work)) {
        return Err(Problem::refused(vec![store::WORK_RULE.to_owned()]));
    }
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
    let ended = !done.is_empty();
    if let Some(work) = work {
        api.db().set_work(&name, &work).await?;
        done.push("work");
    }
    // Each of these changes ended the user's sessions, so his sockets go too.
    if ended && let Some(cti) = &api.parts.cti {
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
