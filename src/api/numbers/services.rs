use super::wire::{NewServiceNumber, ServiceNumber, ServiceNumberChange, ServiceNumberList};
use super::{Check, emergency, log};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// Keys there may be.
const MOST: usize = 40;

fn check(api: &Api, row: &store::ServiceNumber) -> Result<(), Problem> {
    let mut check = Check::default();
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=32).contains(&row.key.len()) || !row.key.bytes().all(fine) {
        check.wrong("key", "bad_name", "key: 1 to 32 characters of a-z, 0-9, _");
    }
    check.text("name_zh", &row.name_zh);
    check.text("name_en", &row.name_en);
    check.rank(row.rank);
    check.dialled(api, &row.number);
    emergency(&mut check, api, &row.key, &row.number);
    check.done()
}

/// The services of one key, by their place on the panel.
#[utoipa::path(get, path = "/api/v1/numbers/services", tag = "numbers", responses(
    (status = 200, body = ServiceNumberList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<ServiceNumberList>, Problem> {
    person.may(Action::ReadNumbers, Resource::default())?;
    let rows = api.db().service_numbers().await?;
    let items = rows.into_iter().map(|row| ServiceNumber::of(&api, row)).collect();
    Ok(Json(ServiceNumberList { items, next: None }))
}

/// Add a service. 422 names each field, also a number that the `[dial]` rules refuse.
#[utoipa::path(post, path = "/api/v1/numbers/services", tag = "numbers", request_body = NewServiceNumber, responses(
    (status = 201, body = ServiceNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewServiceNumber>,
) -> Result<(StatusCode, Json<ServiceNumber>), Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    let there = api.db().service_numbers().await?;
    if there.len() >= MOST {
        return Err(Problem::refused(vec![format!("there are {MOST} services already, and no key is left")]));
    }
    let last = there.iter().map(|row| row.rank).max().unwrap_or(0);
    let row = store::ServiceNumber {
        key: new.key,
        name_zh: new.name_zh,
        name_en: new.name_en,
        number: new.number,
        rank: new.rank.unwrap_or(last + 1),
        changed_at: api.now(),
        changed_by: person.name.clone(),
    };
    check(&api, &row)?;
    api.db().add_service_number(&row).await?;
    log(&api, &person, Action::ManageNumbers, ["service:", &row.key].concat(), "added").await?;
    Ok((StatusCode::CREATED, Json(ServiceNumber::of(&api, row))))
}

/// Change a service.
#[utoipa::path(patch, path = "/api/v1/numbers/services/{key}", tag = "numbers", params(("key" = String, Path)),
    request_body = ServiceNumberChange, responses(
    (status = 200, body = ServiceNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(key): Path<String>,
    JsonBody(change): JsonBody<ServiceNumberChange>,
) -> Result<Json<ServiceNumber>, Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    let was = api.db().service_number(&key).await?.ok_or_else(Problem::not_found)?;
    let row = store::ServiceNumber {
        name_zh: change.name_zh.unwrap_or(was.name_zh),
        name_en: change.name_en.unwrap_or(was.name_en),
        number: change.number.unwrap_or(was.number),
        rank: change.rank.unwrap_or(was.rank),
        key: was.key,
        changed_at: api.now(),
        changed_by: person.name.clone(),
    };
    check(&api, &row)?;
    if !api.db().set_service_number(&row).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::ManageNumbers, ["service:", &row.key].concat(), "changed").await?;
    Ok(Json(ServiceNumber::of(&api, row)))
}

/// Take a service away.
#[utoipa::path(delete, path = "/api/v1/numbers/services/{key}", tag = "numbers", params(("key" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn remove(
    State(api): State<Api>,
    person: Person,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    if !api.db().delete_service_number(&key).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::ManageNumbers, ["service:", &key].concat(), "removed").await?;
    Ok(StatusCode::NO_CONTENT)
}
