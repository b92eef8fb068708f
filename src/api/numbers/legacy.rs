use super::wire::{LegacyNumber, LegacyNumberChange, LegacyNumberList, NewLegacyNumber};
use super::{Check, change as set, log};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{self, Dialled};
use crate::ticket::numbers::is_number;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::civil::Date;

const MOST: usize = 500;
/// The report's usual span.
const SPAN_MS: i64 = 30 * 86_400_000;

fn check(api: &Api, row: &store::LegacyNumber) -> Result<(), Problem> {
    let (mut check, works) = (Check::default(), &api.parts.works);
    if !is_number(&row.number) {
        check.wrong("number", "not_a_number", "number: 2 to 20 digits");
    } else if !works.rings(&row.number) {
        let detail = format!(
            "number: a call to {} is answered 404 here; name it in [sip] legacy_numbers and reload first",
            row.number
        );
        check.wrong("number", "does_not_ring", detail);
    }
    if let Some(unit) = &row.unit {
        check.unit(api, unit);
    }
    if let Some(queue) = row.queue.as_deref().filter(|queue| !works.has_queue(queue)) {
        check.wrong("queue", "unknown", format!("queue: there is none called \"{queue}\""));
    }
    if let Some(prompt) = row.greeting.as_deref().filter(|prompt| !works.has_prompt(prompt)) {
        check.wrong("greeting", "unknown", format!("greeting: there is no prompt called \"{prompt}\""));
    }
    if row.ends_on.as_ref().is_some_and(|day| day.len() != 10 || day.parse::<Date>().is_err()) {
        check.wrong("ends_on", "not_a_date", "ends_on: a date such as 2026-12-31");
    }
    for (field, text) in [("skill", &row.skill), ("note", &row.note)] {
        if let Some(text) = text {
            check.text(field, text);
        }
    }
    check.done()
}

/// Old numbers, where they lead, and how many inbound calls dialled each between `since` and `until` (default: the last 30 days).
#[utoipa::path(get, path = "/api/v1/numbers/legacy", tag = "numbers", params(
    ("since" = Option<String>, Query), ("until" = Option<String>, Query)), responses(
    (status = 200, body = LegacyNumberList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<LegacyNumberList>, Problem> {
    person.may(Action::ReadNumbers, Resource::default())?;
    let until = fields.time("until")?.unwrap_or_else(|| api.now() + 1);
    let since = fields.time("since")?.unwrap_or(until - SPAN_MS);
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there are: since, until"));
    }
    let rows = api.db().legacy_numbers().await?;
    let numbers: Vec<String> = rows.iter().map(|row| row.number.clone()).collect();
    let dialled = api.db().dialled(&numbers, since, until).await?;
    let counted = |number: &str| dialled.get(number).copied().unwrap_or_default();
    let items = rows.into_iter().map(|row| {
        let count = counted(&row.number);
        LegacyNumber::of(&api, row, count)
    });
    let items = items.collect();
    Ok(Json(LegacyNumberList { items, next: None, since: api.time(since), until: api.time(until) }))
}

async fn shown(api: &Api, row: store::LegacyNumber) -> Result<LegacyNumber, Problem> {
    let now = api.now();
    let dialled = api.db().dialled(std::slice::from_ref(&row.number), now - SPAN_MS, now + 1).await?;
    let count = dialled.get(&row.number).copied().unwrap_or_else(Dialled::default);
    Ok(LegacyNumber::of(api, row, count))
}

/// Add an old number. 422 when a call to it would not be answered here.
#[utoipa::path(post, path = "/api/v1/numbers/legacy", tag = "numbers", request_body = NewLegacyNumber, responses(
    (status = 201, body = LegacyNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewLegacyNumber>,
) -> Result<(StatusCode, Json<LegacyNumber>), Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    if api.db().legacy_numbers().await?.len() >= MOST {
        return Err(Problem::refused(vec![format!("there are {MOST} old numbers already")]));
    }
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let row = store::LegacyNumber {
        number: new.number,
        unit: given(new.unit),
        queue: given(new.queue),
        skill: given(new.skill),
        greeting: given(new.greeting),
        ends_on: given(new.ends_on),
        note: given(new.note),
        changed_at: api.now(),
        changed_by: person.name.clone(),
    };
    check(&api, &row)?;
    api.db().add_legacy_number(&row).await?;
    log(&api, &person, Action::ManageNumbers, ["legacy:", &row.number].concat(), "added").await?;
    Ok((StatusCode::CREATED, Json(shown(&api, row).await?)))
}

/// Change where an old number leads.
#[utoipa::path(patch, path = "/api/v1/numbers/legacy/{number}", tag = "numbers", params(("number" = String, Path)),
    request_body = LegacyNumberChange, responses(
    (status = 200, body = LegacyNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(number): Path<String>,
    JsonBody(change): JsonBody<LegacyNumberChange>,
) -> Result<Json<LegacyNumber>, Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    let mut row = api.db().legacy_number(&number).await?.ok_or_else(Problem::not_found)?;
    set(&mut row.unit, change.unit);
    set(&mut row.queue, change.queue);
    set(&mut row.skill, change.skill);
    set(&mut row.greeting, change.greeting);
    set(&mut row.ends_on, change.ends_on);
    set(&mut row.note, change.note);
    (row.changed_at, row.changed_by) = (api.now(), person.name.clone());
    check(&api, &row)?;
    if !api.db().set_legacy_number(&row).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::ManageNumbers, ["legacy:", &row.number].concat(), "changed").await?;
    Ok(Json(shown(&api, row).await?))
}

/// Take an old number out of the table. Whether it rings is `[sip] legacy_numbers`' to say.
#[utoipa::path(delete, path = "/api/v1/numbers/legacy/{number}", tag = "numbers", params(("number" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn remove(
    State(api): State<Api>,
    person: Person,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    if !api.db().delete_legacy_number(&number).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::ManageNumbers, ["legacy:", &number].concat(), "removed").await?;
    Ok(StatusCode::NO_CONTENT)
}
