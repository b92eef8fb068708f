//! 系统中断: sheets of paper that were written while the system was down, and which of them are missing.

use super::guard::Person;
use super::input::JsonBody;
use super::problem::{FieldError, Problem};
use super::state::Api;
use crate::auth::{Action, Resource};
use crate::store::{Access, NewPaper, PaperSheet};
use crate::ticket::paper::Sheet;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Sheets that are listed.
const LISTED: u32 = 100;
const REASON_MAX: usize = 200;
/// A sheet is entered soon: what is older was typed wrong.
const OLDEST_MS: i64 = 30 * 86_400_000;

/// A sheet to be entered, with the time that stands on it; or one that is void, with why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSheet {
    /// As it is printed: 纸-0001.
    pub sheet: String,
    /// RFC 3339. Needed unless it is void.
    pub received_at: Option<String>,
    /// Why it is void: spoiled, not used.
    pub void: Option<String>,
}

/// One sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SheetItem {
    pub sheet: String,
    /// Id and number of its ticket; null: it is void.
    pub ticket: Option<String>,
    pub no: Option<String>,
    /// Why it is void.
    pub void: Option<String>,
    pub received_at: Option<String>,
    pub entered_at: String,
    pub by: String,
    /// What the citizen is told to look his ticket up; shown this once.
    pub code: Option<String>,
}

impl SheetItem {
    fn of(api: &Api, one: PaperSheet, code: Option<String>) -> Self {
        let (ticket, no) = one.ticket.unzip();
        Self {
            sheet: one.sheet.to_string(),
            ticket,
            no: no.flatten(),
            void: one.reason,
            received_at: one.received_at.map(|at| api.time(at)),
            entered_at: api.time(one.entered_at),
            by: one.by,
            code,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SheetList {
    /// Entered last first, a hundred at most.
    pub items: Vec<SheetItem>,
    pub next: Option<String>,
    /// Between those of a series, as first and last of each gap.
    pub missing: Vec<[String; 2]>,
}

fn wrong(field: &'static str, code: &'static str, detail: &str) -> Problem {
    Problem::refused_fields(vec![FieldError { field, code, detail: format!("{field}: {detail}") }])
}

/// Enter a sheet: it becomes a draft with a number, which whoever entered it fills in and accepts; its clocks begin when the citizen
/// said it. Or say that it is void. Each sheet once.
#[utoipa::path(post, path = "/api/v1/paper", tag = "tickets", request_body = NewSheet, responses(
    (status = 201, body = SheetItem),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the sheet was entered"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "no number can be drawn now"),
))]
pub async fn enter(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewSheet>,
) -> Result<(StatusCode, Json<SheetItem>), Problem> {
    person.may(Action::EnterPaper, Resource::default())?;
    let sheet = Sheet::read(&new.sheet)
        .ok_or_else(|| wrong("sheet", "unknown_code", "as it is printed, such as 纸-0001"))?;
    let (at, db) = (api.now(), api.db());
    let mut told = None;
    match (&new.void, &new.received_at) {
        (Some(reason), None) => {
            let reason = reason.trim();
            if !(1..=REASON_MAX).contains(&reason.chars().count()) {
                return Err(wrong("void", "needed", "why, in 1 to 200 characters"));
            }
            db.void_paper(&sheet, reason, at, &person.name).await?;
        }
        (None, Some(text)) => {
            let received_at = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
            let received_at =
                received_at.filter(|received| (at - OLDEST_MS..=at).contains(received)).ok_or_else(|| {
                    wrong("received_at", "limit", "a time with its offset, within the last 30 days")
                })?;
            // Whoever is second draws no number.
            if db.paper_sheet(&sheet).await?.is_some() {
                return Err(Problem::exists());
            }
            let (no, code) = api.parts.engine.draw_number().await.map_err(|_| Problem::away("the engine"))?;
            let new = NewPaper { sheet: &sheet, received_at, at, user: &person.name, no: &no, code: &code };
            db.enter_paper(&new).await?;
            told = Some(code);
        }
        _ => return Err(wrong("received_at", "needed", "either this or void")),
    }
    let access = Access {
        at,
        user: person.name,
        source: person.source,
        action: Action::EnterPaper.label().to_owned(),
        subject: ["paper:", &sheet.to_string()].concat(),
        outcome: if told.is_some() { "entered" } else { "void" }.to_owned(),
    };
    db.log_access(&access).await?;
    let entered = db.paper_sheet(&sheet).await?.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(SheetItem::of(&api, entered, told))))
}

/// Sheets that were entered, and those that are missing between them.
#[utoipa::path(get, path = "/api/v1/paper", tag = "tickets", responses(
    (status = 200, body = SheetList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(State(api): State<Api>, person: Person) -> Result<Json<SheetList>, Problem> {
    person.may(Action::EnterPaper, Resource::default())?;
    let (sheets, missing) = (api.db().paper_sheets(LISTED).await?, api.db().paper_missing().await?);
    Ok(Json(SheetList {
        items: sheets.into_iter().map(|one| SheetItem::of(&api, one, None)).collect(),
        next: None,
        missing: missing.into_iter().map(|gap| [gap.first.to_string(), gap.last.to_string()]).collect(),
    }))
}
