use super::wire::{OutboxItem, OutboxWish};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::outbox::Asked;
use crate::store::{Access, AskOutcome};
use axum::Json;
use axum::extract::{Path, State};

/// Characters of a reason.
const REASON_MAX: usize = 500;

/// Try it again: a dead letter with fresh tries, or what waits for its next try at once.
#[utoipa::path(post, path = "/api/v1/outbox/{id}/retry", tag = "outbox", params(("id" = String, Path)), request_body = OutboxWish, responses(
    (status = 200, body = OutboxItem),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it was sent or given up, is being sent, or its time is over"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn retry(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<OutboxWish>,
) -> Result<Json<OutboxItem>, Problem> {
    ask(&api, &person, &id, wish, Asked::Retry, "retried").await
}

/// Give it up.
#[utoipa::path(post, path = "/api/v1/outbox/{id}/discard", tag = "outbox", params(("id" = String, Path)), request_body = OutboxWish, responses(
    (status = 200, body = OutboxItem),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it was sent or given up, or is being sent"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn discard(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<OutboxWish>,
) -> Result<Json<OutboxItem>, Problem> {
    ask(&api, &person, &id, wish, Asked::Discard, "discarded").await
}

async fn ask(
    api: &Api,
    person: &Person,
    id: &str,
    wish: OutboxWish,
    asked: Asked,
    outcome: &str,
) -> Result<Json<OutboxItem>, Problem> {
    person.may(Action::ManageOutbox, Resource::default())?;
    let reason = wish.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        let detail = format!("reason: between 1 and {REASON_MAX} characters");
        let code = if reason.is_empty() { "needed" } else { "too_long" };
        return Err(Problem::refused_fields(vec![FieldError { field: "reason", code, detail }]));
    }
    let done = api.db().ask_outbox(id, asked, &person.name, reason, api.now()).await?;
    let row = match done {
        AskOutcome::Done(row) => *row,
        AskOutcome::Unknown => return Err(Problem::not_found()),
        AskOutcome::Refused(why) => return Err(Problem::not_now(why.to_string())),
    };
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ManageOutbox.label().to_owned(),
        subject: id.to_owned(),
        outcome: outcome.to_owned(),
    };
    api.db().log_access(&access).await?;
    Ok(Json(OutboxItem::of(api, row)))
}
