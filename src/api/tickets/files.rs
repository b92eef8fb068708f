//! Pictures that citizens sent with a ticket.

use super::{decide, scope};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Decision};
use crate::store::{Access, Attachment, Ticket};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A picture, a JPEG at `/api/v1/tickets/{no}/files/{id}`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketFile {
    pub id: String,
    pub bytes: i64,
    /// Pixels.
    pub width: i64,
    pub height: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketFileList {
    pub items: Vec<TicketFile>,
    pub next: Option<String>,
}

/// The ticket with its pictures, if this person may look at them: units may unless the caller keeps himself secret.
async fn seen(api: &Api, person: &Person, no: &str) -> Result<(Ticket, Vec<Attachment>), Problem> {
    let ticket = api.db().ticket(no, &scope(api, person)).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(api, person, Action::ReadTickets, &ticket).await?;
    let open = decision == Decision::CallerHidden && ticket.secrecy == "normal";
    if !matches!(decision, Decision::Allow | Decision::ContactHidden) && !open {
        return Err(Problem::not_allowed());
    }
    let files = api.db().attachments(&ticket.id).await?;
    Ok((ticket, files))
}

/// Pictures of a ticket, oldest first.
#[utoipa::path(get, path = "/api/v1/tickets/{no}/files", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), responses(
    (status = 200, body = TicketFileList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn files(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<Json<TicketFileList>, Problem> {
    let (_, files) = seen(&api, &person, &no).await?;
    let items = files.into_iter().map(|file| TicketFile {
        id: file.id,
        bytes: file.bytes,
        width: file.width,
        height: file.height,
    });
    Ok(Json(TicketFileList { items: items.collect(), next: None }))
}

/// One picture. Each look is in the access log before the first byte goes out.
#[utoipa::path(get, path = "/api/v1/tickets/{no}/files/{id}", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
    ("id" = String, Path, description = "32 hex digits"),
), responses(
    (status = 200, content_type = "image/jpeg"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn file(
    State(api): State<Api>,
    person: Person,
    Path((no, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (ticket, files) = seen(&api, &person, &no).await?;
    // Only a name that stands in the table becomes a path.
    let file = files.into_iter().find(|file| file.id == id).ok_or_else(Problem::not_found)?;
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: "ticket.file".to_owned(),
        subject: ticket.id,
        outcome: file.id.clone(),
    };
    api.db().log_access(&access).await?;
    let path = api.parts.pictures.join(format!("{}.jpg", file.id));
    let bytes = tokio::fs::read(&path).await.map_err(|_| Problem::not_found())?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CONTENT_DISPOSITION, "inline")], bytes)
        .into_response())
}
