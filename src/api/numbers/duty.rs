use super::wire::{
    DutyNumber, DutyNumberChange, DutyNumberList, DutyTest, DutyTestBegun, DutyTestList, NewDutyNumber,
};
use super::{Check, log};
use crate::api::guard::Person;
use crate::api::ids;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::base::reach;
use crate::call::agents::seam::Refused;
use crate::call::agents::testing::DialTest;
use crate::store;
use crate::ticket::numbers as rules;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// Duty numbers of the whole district.
const MOST: usize = 2_000;
/// Tests of a number that are told.
const TESTS: i64 = 60;

fn check(api: &Api, row: &store::DutyNumber, hours: [&str; 2], mut check: Check) -> Result<(), Problem> {
    check.unit(api, &row.unit);
    check.text("label", &row.label);
    check.dialled(api, &row.number);
    check.rank(row.rank);
    if row.days.is_empty() || row.days.iter().any(|day| rules::day(day).is_none()) {
        check.wrong("days", "unknown", "days: one or more of workday, weekend, holiday");
    }
    for (field, text) in ["from", "to"].into_iter().zip(hours) {
        if rules::minutes(text).is_none() {
            check.wrong(field, "not_a_time", format!("{field}: a time such as 17:30"));
        }
    }
    check.done()
}

fn minutes(text: &str) -> i64 {
    rules::minutes(text).map_or(0, i64::from)
}

/// Each day once, in one order.
fn in_order(days: &[String]) -> Vec<String> {
    let known = rules::DAYS.iter().map(|(name, _)| (*name).to_owned()).filter(|day| days.contains(day));
    let unknown = days.iter().filter(|day| rules::day(day).is_none()).cloned();
    known.chain(unknown).collect()
}

/// Duty numbers by unit, with their last dial tests.
#[utoipa::path(get, path = "/api/v1/numbers/duty", tag = "numbers", responses(
    (status = 200, body = DutyNumberList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<DutyNumberList>, Problem> {
    person.may(Action::ReadNumbers, Resource::default())?;
    let rows = api.db().duty_numbers().await?;
    let items = rows.into_iter().map(|row| DutyNumber::of(&api, row)).collect();
    Ok(Json(DutyNumberList { items, next: None }))
}

/// Add a duty number.
#[utoipa::path(post, path = "/api/v1/numbers/duty", tag = "numbers", request_body = NewDutyNumber, responses(
    (status = 201, body = DutyNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewDutyNumber>,
) -> Result<(StatusCode, Json<DutyNumber>), Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    if api.db().duty_numbers().await?.len() >= MOST {
        return Err(Problem::refused(vec![format!("there are {MOST} duty numbers already")]));
    }
    let row = store::DutyNumber {
        id: ids::fresh("")?,
        unit: new.unit,
        label: new.label,
        number: new.number,
        days: in_order(&new.days),
        from_min: minutes(&new.from),
        to_min: minutes(&new.to),
        rank: new.rank,
        tested_at: None,
        result: None,
        tested_by: None,
        sip_status: None,
        ring_ms: None,
        changed_at: api.now(),
        changed_by: person.name.clone(),
    };
    check(&api, &row, [&new.from, &new.to], Check::default())?;
    api.db().add_duty_number(&row).await?;
    log(&api, &person, Action::ManageNumbers, ["duty:", &row.id].concat(), "added").await?;
    Ok((StatusCode::CREATED, Json(DutyNumber::of(&api, row))))
}

/// Change a duty number, or note the result of a dial test, which a lead may too. Another number takes the test away.
#[utoipa::path(patch, path = "/api/v1/numbers/duty/{id}", tag = "numbers", params(("id" = String, Path)),
    request_body = DutyNumberChange, responses(
    (status = 200, body = DutyNumber),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(change): JsonBody<DutyNumberChange>,
) -> Result<Json<DutyNumber>, Problem> {
    let DutyNumberChange { unit, label, number, days, from, to, rank, result } = change;
    let edits = unit.is_some()
        || label.is_some()
        || number.is_some()
        || days.is_some()
        || from.is_some()
        || to.is_some()
        || rank.is_some();
    if edits || result.is_none() {
        person.may(Action::ManageNumbers, Resource::default())?;
    }
    if result.is_some() {
        person.may(Action::TestNumbers, Resource::default())?;
    }
    let was = api.db().duty_number(&id).await?.ok_or_else(Problem::not_found)?;
    let hours = |minutes: i64| rules::hours(u16::try_from(minutes).unwrap_or(0));
    let (from, to) = (from.unwrap_or_else(|| hours(was.from_min)), to.unwrap_or_else(|| hours(was.to_min)));
    let mut row = store::DutyNumber { changed_at: api.now(), changed_by: person.name.clone(), ..was.clone() };
    row.unit = unit.unwrap_or(row.unit);
    row.label = label.unwrap_or(row.label);
    row.number = number.unwrap_or(row.number);
    row.days = days.map_or(row.days, |days| in_order(&days));
    (row.from_min, row.to_min) = (minutes(&from), minutes(&to));
    row.rank = rank.unwrap_or(row.rank);
    let mut wrong = Check::default();
    if let Some(result) = &result {
        if !rules::TEST_RESULTS.contains(&result.as_str()) {
            wrong.wrong("result", "unknown", format!("result: one of {}", rules::TEST_RESULTS.join(", ")));
        }
        row.tested_at = Some(api.now());
        row.result = Some(result.clone());
        row.tested_by = Some(person.name.clone());
        (row.sip_status, row.ring_ms) = (None, None);
    } else if row.number != was.number {
        (row.tested_at, row.result, row.tested_by) = (None, None, None);
        (row.sip_status, row.ring_ms) = (None, None);
    }
    if edits {
        check(&api, &row, [&from, &to], wrong)?;
    } else {
        // What was stored before a rule was tightened can still be tested.
        wrong.done()?;
        (row.changed_at, row.changed_by) = (was.changed_at, was.changed_by);
    }
    if !api.db().set_duty_number(&row).await? {
        return Err(Problem::not_found());
    }
    let action = if edits { Action::ManageNumbers } else { Action::TestNumbers };
    let outcome = result.map_or_else(|| "changed".to_owned(), |result| ["tested:", &result].concat());
    log(&api, &person, action, ["duty:", &row.id].concat(), &outcome).await?;
    Ok(Json(DutyNumber::of(&api, row)))
}

/// 试拨: dial it to see who is there. Whoever answers hears a short announcement; the result is read from that call's end.
#[utoipa::path(post, path = "/api/v1/numbers/duty/{id}/test", tag = "numbers", params(("id" = String, Path)), responses(
    (status = 202, body = DutyTestBegun),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it is being tested, or too many are"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "the rules do not let it be dialled"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn test(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<DutyTestBegun>), Problem> {
    person.may(Action::TestNumbers, Resource::default())?;
    let row = api.db().duty_number(&id).await?.ok_or_else(Problem::not_found)?;
    let services = api.db().service_numbers().await?;
    // Under --demo the codes have other numbers: those are the codes' too.
    let of_a_code = services.iter().any(|one| reach::is_emergency(&one.key) && one.number == row.number);
    if of_a_code || reach::is_emergency(&row.number) {
        let detail = "number: an emergency number is never tried out".to_owned();
        return Err(Problem::refused_fields(vec![FieldError { field: "number", code: "emergency", detail }]));
    }
    let wish = DialTest { duty: row.id.clone(), number: row.number.clone(), by: person.name.clone() };
    let begun = api.parts.engine.dial_test(wish).await?;
    let outcome = begun.map_or_else(|why| why.code().to_owned(), |call| call.to_string());
    log(&api, &person, Action::TestNumbers, ["duty:", &row.id].concat(), &outcome).await?;
    match begun {
        Ok(call) => Ok((StatusCode::ACCEPTED, Json(DutyTestBegun { call: call.to_string() }))),
        Err(Refused::NumberRefused | Refused::NotAllowed) => {
            let detail = format!("number: the rules of this server do not let {} be dialled", row.number);
            Err(Problem::refused_fields(vec![FieldError { field: "number", code: "dial_refused", detail }]))
        }
        Err(why) => Err(Problem::not_now(why.to_string())),
    }
}

/// The tests of a duty number that were dialled, newest first.
#[utoipa::path(get, path = "/api/v1/numbers/duty/{id}/tests", tag = "numbers", params(("id" = String, Path)), responses(
    (status = 200, body = DutyTestList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn tests(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<DutyTestList>, Problem> {
    person.may(Action::ReadNumbers, Resource::default())?;
    let rows = api.db().duty_tests(&id, TESTS).await?;
    let items = rows.into_iter().map(|row| DutyTest {
        call: row.call,
        number: row.number,
        at: api.time(row.at),
        by: row.by,
        result: row.result,
        sip_status: row.sip_status,
        ring_ms: row.ring_ms,
    });
    Ok(Json(DutyTestList { items: items.collect(), next: None }))
}

/// Take a duty number away.
#[utoipa::path(delete, path = "/api/v1/numbers/duty/{id}", tag = "numbers", params(("id" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn remove(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::ManageNumbers, Resource::default())?;
    if !api.db().delete_duty_number(&id).await? {
        return Err(Problem::not_found());
    }
    log(&api, &person, Action::ManageNumbers, ["duty:", &id].concat(), "removed").await?;
    Ok(StatusCode::NO_CONTENT)
}
