use super::notice_view;
use super::wire::{RosterNewNotice, RosterNoticeView};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{RosterNotice, roster_id};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

const DAY_MS: i64 = 24 * 3_600_000;
/// A notice holds a week unless it says until when, and a year at most.
const HOLDS_MS: i64 = 7 * DAY_MS;
const LONGEST_MS: i64 = 366 * DAY_MS;
const TEXT_MAX: usize = 1_000;

/// 必读: write what every shift must read.
#[utoipa::path(post, path = "/api/v1/roster/notices", tag = "roster", request_body = RosterNewNotice, responses(
    (status = 201, body = RosterNoticeView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add_notice(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<RosterNewNotice>,
) -> Result<(StatusCode, Json<RosterNoticeView>), Problem> {
    person.may(Action::DecideRoster, Resource::default())?;
    let wrong = |field, code, detail: &str| {
        Problem::refused_fields(vec![FieldError { field, code, detail: detail.to_owned() }])
    };
    let text = new.text.trim().to_owned();
    if !(1..=TEXT_MAX).contains(&text.chars().count()) {
        return Err(wrong("text", "length", "1 to 1000 characters"));
    }
    let now = api.now();
    let until = match new.until {
        None => now + HOLDS_MS,
        Some(until) => until
            .parse::<jiff::Timestamp>()
            .ok()
            .map(jiff::Timestamp::as_millisecond)
            .filter(|until| (now + 1..=now + LONGEST_MS).contains(until))
            .ok_or_else(|| wrong("until", "not_a_time", "a time to come, within a year"))?,
    };
    let notice =
        RosterNotice { id: roster_id("n", now)?, at: now, until, by: person.name, text, read: Vec::new() };
    api.db().add_roster_notice(&notice).await?;
    Ok((StatusCode::CREATED, Json(notice_view(&api, notice))))
}

/// I have read it.
#[utoipa::path(post, path = "/api/v1/roster/notices/{id}/read", tag = "roster", params(("id" = String, Path)), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn read_notice(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    person.may(Action::ReadRoster, Resource::default())?;
    let known = api.db().read_roster_notice(&id, &person.name, api.now()).await?;
    if known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
