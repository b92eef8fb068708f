use super::wire::{LeaderSession, LeaderSessionChange, NewLeaderSession};
use super::{at, find, view};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource, Role};
use crate::store::{self, Access, SessionSaved, roster_id};
use crate::ticket::numbers::minutes;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

const NAMES_MAX: usize = 200;
const SCOPE_MAX: usize = 1_000;

/// Plan a session.
#[utoipa::path(post, path = "/api/v1/leader-sessions", tag = "leader sessions", request_body = NewLeaderSession, responses(
    (status = 201, body = LeaderSession),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewLeaderSession>,
) -> Result<(StatusCode, Json<LeaderSession>), Problem> {
    person.may(Action::ManageSessions, Resource::default())?;
    let no = match new.no {
        Some(no) => no,
        None => api.db().next_leader_session().await?,
    };
    let row = store::LeaderSession {
        id: roster_id("ls", api.now())?,
        no,
        unit: new.unit,
        day: new.date,
        from_min: minute(&new.from),
        to_min: minute(&new.to),
        names: new.names.trim().to_owned(),
        scope: new.scope.trim().to_owned(),
        seat: new.seat,
        recorder: new.recorder.filter(|name| !name.is_empty()),
        cancelled: false,
        version: 1,
        changed_at: api.now(),
        changed_by: person.name.clone(),
    };
    check(&api, &row).await?;
    save(&api, &person, row, "planned").await.map(|view| (StatusCode::CREATED, Json(view)))
}

/// Change a session that is not over, or call it off.
#[utoipa::path(patch, path = "/api/v1/leader-sessions/{id}", tag = "leader sessions", params(("id" = String, Path)),
    request_body = LeaderSessionChange, responses(
    (status = 200, body = LeaderSession),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it has another version by now, or is over"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(change): JsonBody<LeaderSessionChange>,
) -> Result<Json<LeaderSession>, Problem> {
    person.may(Action::ManageSessions, Resource::default())?;
    let was = find(&api, &id).await?;
    if was.version != change.version {
        return Err(Problem::changed(was.version));
    }
    // What has been, was: its report stands.
    if at(&api, &was.day, was.to_min).is_some_and(|to| to <= api.now()) {
        return Err(Problem::not_now("the session is over"));
    }
    let row = store::LeaderSession {
        no: change.no.unwrap_or(was.no),
        unit: change.unit.unwrap_or(was.unit),
        day: change.date.unwrap_or(was.day),
        from_min: change.from.map_or(was.from_min, |text| minute(&text)),
        to_min: change.to.map_or(was.to_min, |text| minute(&text)),
        names: change.names.unwrap_or(was.names).trim().to_owned(),
        scope: change.scope.unwrap_or(was.scope).trim().to_owned(),
        seat: change.seat.unwrap_or(was.seat),
        recorder: change.recorder.or(was.recorder).filter(|name| !name.is_empty()),
        cancelled: change.cancelled.unwrap_or(was.cancelled),
        version: was.version + 1,
        changed_at: api.now(),
        changed_by: person.name.clone(),
        id,
    };
    check(&api, &row).await?;
    let what = if row.cancelled && !was.cancelled { "cancelled" } else { "changed" };
    save(&api, &person, row, what).await.map(Json)
}

async fn save(
    api: &Api,
    person: &Person,
    row: store::LeaderSession,
    what: &str,
) -> Result<LeaderSession, Problem> {
    match api.db().save_leader_session(&row).await? {
        SessionSaved::Saved => {}
        SessionSaved::Changed => return Err(Problem::changed(find(api, &row.id).await?.version)),
        SessionSaved::Overlaps(no) => {
            let detail = format!("from, to: session {no} is open then");
            return Err(Problem::refused_fields(vec![FieldError {
                field: "from",
                code: "overlaps",
                detail,
            }]));
        }
        SessionSaved::NumberTaken => {
            let detail = format!("no: there is a session {} already", row.no);
            return Err(Problem::refused_fields(vec![FieldError { field: "no", code: "taken", detail }]));
        }
    }
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ManageSessions.label().to_owned(),
        subject: row.id.clone(),
        outcome: what.to_owned(),
    };
    api.db().log_access(&access).await?;
    Ok(view(api, row))
}

/// Of a day; −1 where it is none.
fn minute(text: &str) -> i64 {
    minutes(text).map_or(-1, i64::from)
}

async fn check(api: &Api, row: &store::LeaderSession) -> Result<(), Problem> {
    let mut wrong = Vec::new();
    let mut tell = |field, code, detail: &str| {
        wrong.push(FieldError { field, code, detail: format!("{field}: {detail}") });
    };
    if !(1..=99_999).contains(&row.no) {
        tell("no", "out_of_range", "a number from 1 to 99999");
    }
    if !api.district.has_unit(&row.unit) {
        tell("unit", "unknown", "no unit has this code");
    }
    if row.day.parse::<jiff::civil::Date>().is_err() {
        tell("date", "not_a_date", "a date such as 2026-11-26");
    }
    for (field, minutes) in [("from", row.from_min), ("to", row.to_min)] {
        if minutes < 0 {
            tell(field, "not_a_time", "a time such as 09:30");
        }
    }
    if row.from_min >= 0 && row.to_min >= 0 && row.to_min <= row.from_min {
        tell("to", "out_of_range", "a session ends after its beginning, on the same day");
    }
    for (field, text, most) in [("names", &row.names, NAMES_MAX), ("scope", &row.scope, SCOPE_MAX)] {
        if !(1..=most).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            tell(field, "too_long", &format!("one line of 1 to {most} characters"));
        }
    }
    if row.recorder.as_ref() == Some(&row.seat) {
        tell("recorder", "same", "somebody else than the head's own seat");
    }
    for (field, name) in [("seat", Some(&row.seat)), ("recorder", row.recorder.as_ref())] {
        let Some(name) = name else { continue };
        let user = api.db().user(name).await?.map(|(user, _)| user);
        let works = [Role::Agent.label(), Role::Lead.label()];
        let takes_calls = user.is_some_and(|user| {
            !user.disabled && user.roles.iter().any(|role| works.contains(&role.as_str()))
        });
        if !takes_calls {
            tell(field, "unknown", "no agent has this name");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Problem::refused_fields(wrong)) }
}
