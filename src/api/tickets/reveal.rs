//! Who called, and who looked: the two sides of secrecy.

use super::change::took_a_call;
use super::{resource, scope};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{self, Access};
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Characters of a reason.
const LEAST: usize = 2;
const MOST: usize = 200;

/// Why somebody has to know.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketReveal {
    /// 2 to 200 characters. It stays in the ticket's history.
    pub reason: String,
}

/// How the caller may be reached.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevealedCaller {
    /// The number he called from.
    pub caller: Option<String>,
    pub name: Option<String>,
    /// Where he wants to be called.
    pub number: Option<String>,
    pub address: Option<String>,
}

/// 谁看过: one look.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketLook {
    pub at: String,
    pub by: String,
    /// Where from.
    pub source: String,
    /// `ticket.read ticket.list ticket.history ticket.reveal ticket.file recording.play call.read …`.
    pub action: String,
    pub outcome: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketLookList {
    pub items: Vec<TicketLook>,
    pub next: Option<String>,
}

/// Who called, of a ticket that is kept secret. The reason is a line of its history, the look one of the access log, before it is told.
#[utoipa::path(post, path = "/api/v1/tickets/{no}/reveal", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), request_body = TicketReveal, responses(
    (status = 200, body = RevealedCaller),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn reveal(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
    JsonBody(body): JsonBody<TicketReveal>,
) -> Result<Json<RevealedCaller>, Problem> {
    person.may(Action::RevealCaller, Resource { own_call: true, ..Resource::default() })?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let own_call = took_a_call(&api, &person.name, &ticket).await?;
    person.may(Action::RevealCaller, Resource { own_call, ..resource(&api, &person, &ticket) })?;
    let reason = body.reason.trim();
    if !(LEAST..=MOST).contains(&reason.chars().count()) {
        let detail = format!("reason: {LEAST} to {MOST} characters");
        return Err(Problem::refused_fields(vec![FieldError { field: "reason", code: "needed", detail }]));
    }
    let at = api.now();
    let access = Access {
        at,
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::RevealCaller.label().to_owned(),
        subject: ticket.id.clone(),
        outcome: "allowed".to_owned(),
    };
    api.db().log_access(&access).await?;
    let contact = api.db().reveal_caller(&ticket.id, &person.name, reason, at).await?;
    let store::Contact { caller, name, number, address } = contact.ok_or_else(Problem::not_found)?;
    Ok(Json(RevealedCaller { caller, name, number, address }))
}

/// 谁看过: every look at the ticket, its history and pictures, its calls and recordings, newest first, at most 500. Asking is a look, too.
#[utoipa::path(get, path = "/api/v1/tickets/{no}/looks", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), responses(
    (status = 200, body = TicketLookList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn looks(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<Json<TicketLookList>, Problem> {
    person.may(Action::ReadLookers, Resource::default())?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    person.may(Action::ReadLookers, resource(&api, &person, &ticket))?;
    let mut subjects = vec![ticket.id.clone()];
    for id in &ticket.calls {
        subjects.push(id.clone());
        if let Some(call) = api.db().call(id).await? {
            subjects.extend([call.record.recording, call.record.message].into_iter().flatten());
        }
    }
    let looks = api.db().accesses_of(&subjects).await?;
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ReadLookers.label().to_owned(),
        subject: ticket.id,
        outcome: looks.len().to_string(),
    };
    api.db().log_access(&access).await?;
    let items = looks.into_iter().map(|look| TicketLook {
        at: api.time(look.at),
        by: look.user,
        source: look.source,
        action: look.action,
        outcome: look.outcome,
    });
    Ok(Json(TicketLookList { items: items.collect(), next: None }))
}
