//! Tickets as a sheet: what the list shows to whoever asks, no row and no column more, with his name on it.
//!
//! Pages are read while the file goes out, so that neither format is in memory whole; an XLSX file is built beside, on the disk.

use super::{decide, list, scope};
use crate::api::guard::Person;
use crate::api::ids;
use crate::api::input::Fields;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::api::wire::Ticket;
use crate::auth::{Action, Decision, Resource};
use crate::store::{Access, Export, LIMIT_MAX, Page, TicketFilter};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde::Serialize;
use std::io::{Read as _, Seek as _};
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// Chunks, or pages of rows, on their way.
const AHEAD: usize = 4;
const CHUNK: usize = 64 * 1024;
/// What a cell of a sheet holds, characters.
const CELL_MAX: usize = 32_000;
/// Who is over the limit of files at once waits so long, milliseconds.
const WAIT_MS: i64 = 10_000;

/// Headings in the order of the columns, each with its text of a ticket.
type Column = (&'static str, fn(&Ticket) -> String);

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

const OPEN: &[Column] = &[
    ("编号", |t| text(&t.no)),
    ("原编号", |t| text(&t.old_no)),
    ("状态", |t| t.state.clone()),
    ("渠道", |t| t.channel.clone()),
    ("类型", |t| text(&t.kind)),
    ("分类代码", |t| text(&t.category)),
    ("街道代码", |t| text(&t.street)),
    ("主办单位", |t| text(&t.lead)),
    ("协办单位", |t| t.assist.join(" ")),
    ("紧急程度", |t| text(&t.urgency)),
    ("保密", |t| t.secrecy.clone()),
    ("创建时间", |t| t.created_at.clone()),
    ("受理时间", |t| text(&t.accepted_at)),
    ("办结期限", |t| text(&t.due_at)),
    ("办结时间", |t| text(&t.closed_at)),
];
/// For those who read what a ticket is about.
const CONTENTS: &[Column] = &[
    ("标题", |t| text(&t.title)),
    ("转办内容", |t| text(&t.brief)),
    ("标签", |t| t.tags.join(" ")),
    ("答复", |t| t.course.reply.as_ref().map(|reply| reply.text.clone()).unwrap_or_default()),
];
/// For those who see who called.
const CALLER: &[Column] = &[("来电号码", |t| text(&t.caller)), ("来电原话", |t| text(&t.content))];
/// Callers with their digits hidden.
const MASKED: &[Column] = &[("来电号码", |t| text(&t.caller))];

/// Columns that this reader's list has at all.
fn columns(decision: Decision) -> Vec<Column> {
    let more: &[&[Column]] = match decision {
        Decision::Allow | Decision::ContactHidden => &[CONTENTS, CALLER],
        Decision::CallerHidden => &[CONTENTS],
        Decision::Masked => &[MASKED],
        Decision::Refuse(_) => &[],
    };
    OPEN.iter().chain(more.iter().copied().flatten()).copied().collect()
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn guarded(mut cell: String) -> String {
    // Full-width ones too: some programs read them alike.
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        cell.insert(0, '\'');
    }
    cell
}

/// Who made a file, when, and how many rows it has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportShown {
    /// As it stands on the file.
    pub id: String,
    pub at: String,
    pub user: String,
    pub source: String,
    /// `csv xlsx`.
    pub format: String,
    /// What was asked for, without telephone numbers.
    pub filter: String,
    /// Null: under way, or broken off.
    pub rows: Option<i64>,
}

/// Who made the file with this id.
#[utoipa::path(get, path = "/api/v1/exports/{id}", tag = "tickets", params(
    ("id" = String, Path, description = "as it stands on the file"),
), responses(
    (status = 200, body = ExportShown),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn exported(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<ExportShown>, Problem> {
    person.may(Action::ReadAccessLog, Resource::default())?;
    let export = api.db().export(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(ExportShown {
        id: export.id,
        at: api.time(export.at),
        user: export.user,
        source: export.source,
        format: export.format,
        filter: export.filter,
        rows: export.rows,
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Xlsx,
}

impl Format {
    const fn label(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
    const fn mime(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// The tickets of the list as a file: the same filters, the same rows and columns. Each file has an id that leads back to who made it.
#[utoipa::path(get, path = "/api/v1/tickets/export", tag = "tickets", params(
    ("format" = Option<String>, Query, description = "`csv` (the default) or `xlsx`"),
    ("since" = Option<String>, Query, description = "`created_at` from, RFC 3339"),
    ("until" = Option<String>, Query, description = "`created_at` before, RFC 3339"),
    ("call" = Option<String>, Query, description = "id of a call"),
    ("numbered" = Option<bool>, Query, description = "with an official number, or without"),
    ("state" = Option<String>, Query, description = "several with commas"), ("no" = Option<String>, Query), ("channel" = Option<String>, Query),
    ("type" = Option<String>, Query), ("category" = Option<String>, Query), ("street" = Option<String>, Query),
    ("lead" = Option<String>, Query), ("urgency" = Option<String>, Query), ("secrecy" = Option<String>, Query),
    ("caller" = Option<String>, Query), ("sub" = Option<String>, Query), ("order" = Option<String>, Query),
), responses(
    (status = 200, content_type = "text/csv"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "more rows than a file may have"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "others are being made"),
))]
pub async fn export(State(api): State<Api>, person: Person, mut fields: Fields) -> Result<Response, Problem> {
    person.may(Action::ExportTickets, Resource::default())?;
    let decision = person.may(Action::ReadTickets, Resource::default())?;
    let format = match fields.take("format").as_deref() {
        None | Some("csv") => Format::Csv,
        Some("xlsx") => Format::Xlsx,
        Some(_) => return Err(Problem::bad_request("format: csv or xlsx")),
    };
    let asked = described(&fields);
    let filter = list::filter(fields, decision, scope(&api, &person))?;
    let permit = api.exports.clone().try_acquire_owned().map_err(|_| Problem::too_many(WAIT_MS))?;
    let most = i64::from(api.limits.export_rows);
    let count = api.db().count_tickets(&filter, most + 1).await?;
    if count > most {
        let detail = format!("more than {most} tickets; narrow the filter");
        return Err(Problem::refused_fields(vec![FieldError { field: "filter", code: "too_many", detail }]));
    }
    let export = Export {
        id: ids::fresh("x-")?,
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        format: format.label().to_owned(),
        filter: asked,
        rows: None,
    };
    // Both are on the disk before the first byte goes out.
    api.db().begin_export(&export).await?;
    let access = Access {
        at: export.at,
        user: export.user.clone(),
        source: export.source.clone(),
        action: Action::ExportTickets.label().to_owned(),
        subject: format!("{} {} {}", export.id, export.format, export.filter),
        outcome: count.to_string(),
    };
    api.db().log_access(&access).await?;
    let name = format!("attachment; filename=\"tickets-{}.{}\"", export.id, format.label());
    let (to, chunks) = mpsc::channel::<std::io::Result<Bytes>>(AHEAD);
    let job = Job { api: api.clone(), person, filter, columns: columns(decision), export, to };
    tokio::spawn(async move {
        let _permit = permit;
        job.run(format).await;
    });
    let body = Body::from_stream(unfold(chunks, async |mut chunks| {
        let chunk = chunks.recv().await?;
        Some((chunk, chunks))
    }));
    let head = [
        (header::CONTENT_TYPE, format.mime().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, body).into_response())
}

/// The filter as it was asked, for the log: whom somebody looked for does not stand there.
fn described(fields: &Fields) -> String {
    let one = |(name, value): &(String, String)| {
        let value: String = value.chars().take(100).collect();
        format!("{name}={}", if name == "caller" { "*" } else { &value })
    };
    fields.0.iter().map(one).collect::<Vec<_>>().join("&")
}

/// Why a file breaks off: the receiver sees that it did, the log says why.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("whoever asked has gone")]
    Gone,
}

struct Job {
    api: Api,
    person: Person,
    filter: TicketFilter,
    columns: Vec<Column>,
    export: Export,
    to: mpsc::Sender<std::io::Result<Bytes>>,
}

impl Job {
    async fn run(self, format: Format) {
        let done = match format {
            Format::Csv => self.csv().await,
            Format::Xlsx => self.xlsx().await,
        };
        match done {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, export = %self.export.id, "a file of tickets broke off");
                // An answer that ends early is not taken for a whole one.
                let _ = self.to.send(Err(std::io::Error::other("broken off"))).await;
            }
        }
    }

    /// What stands on the file.
    fn mark(&self) -> [(&'static str, String); 3] {
        [
            ("导出编号", self.export.id.clone()),
            ("导出人", self.export.user.clone()),
            ("导出时间", self.api.time(self.export.at)),
        ]
    }

    fn headings(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The next page of rows, each seen by the rules of that one ticket.
    async fn rows(&self, page: &mut Option<Page>) -> Result<Vec<Vec<String>>, Broken> {
        let Some(asked) = page.take() else { return Ok(Vec::new()) };
        let paged = self.api.db().tickets(&self.filter, &asked).await?;
        *page = paged.next.map(|after| Page { limit: LIMIT_MAX, after: Some(after) });
        let mut rows = Vec::with_capacity(paged.items.len());
        for ticket in paged.items {
            let Ok(decision) = decide(&self.api, &self.person, Action::ReadTickets, &ticket).await else {
                continue;
            };
            let shown = Ticket::of(&self.api, ticket, decision);
            rows.push(self.columns.iter().map(|(_, of)| of(&shown)).collect());
        }
        Ok(rows)
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<(), Broken> {
        self.to.send(Ok(bytes.into())).await.map_err(|_| Broken::Gone)
    }

    async fn csv(&self) -> Result<(), Broken> {
        let width = self.columns.len();
        // Excel reads UTF-8 by this mark only.
        let mut head = "\u{feff}".as_bytes().to_vec();
        head.append(&mut lines([&self.headings()])?);
        self.send(head).await?;
        let mut page = Some(Page { limit: LIMIT_MAX, after: None });
        let mut count = 0i64;
        while page.is_some() {
            let rows = self.rows(&mut page).await?;
            count += i64::try_from(rows.len()).unwrap_or(0);
            self.send(lines(&rows)?).await?;
        }
        self.api.db().end_export(&self.export.id, count).await?;
        let mark = self.mark().map(|(name, value)| format!("{name} {value}")).join(" · ");
        let mut last = vec![String::new(); width];
        if let Some(first) = last.first_mut() {
            *first = format!("# {mark} · {count} 行");
        }
        self.send(lines([&last])?).await
    }

    async fn xlsx(&self) -> Result<(), Broken> {
        let (rows, given) = mpsc::channel::<Vec<Vec<String>>>(AHEAD);
        let (mark, headings) = (self.mark(), self.headings());
        let written = tokio::task::spawn_blocking(move || book(mark, &headings, given));
        let mut page = Some(Page { limit: LIMIT_MAX, after: None });
        let mut count = 0i64;
        while page.is_some() {
            let some = self.rows(&mut page).await?;
            count += i64::try_from(some.len()).unwrap_or(0);
            if rows.send(some).await.is_err() {
                // The writer has ended before us: it says why.
                break;
            }
        }
        drop(rows);
        let mut file = written.await.map_err(std::io::Error::other)??;
        self.api.db().end_export(&self.export.id, count).await?;
        file.rewind()?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            // From the disk's cache, a chunk at a time.
            if (&file).take(CHUNK as u64).read_to_end(&mut chunk)? == 0 {
                return Ok(());
            }
            self.send(chunk).await?;
        }
    }
}

/// Rows as CSV (RFC 4180).
fn lines<'a>(rows: impl IntoIterator<Item = &'a Vec<String>>) -> Result<Vec<u8>, Broken> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::with_capacity(CHUNK));
    for row in rows {
        writer.write_record(row.iter().map(|cell| guarded(cell.clone())))?;
    }
    writer.into_inner().map_err(|error| Broken::Io(error.into_error()))
}

/// The whole book, in a file without a name. Its rows are on the disk as soon as they are written.
fn book(
    mark: [(&'static str, String); 3],
    headings: &[String],
    mut rows: mpsc::Receiver<Vec<Vec<String>>>,
) -> Result<std::fs::File, Broken> {
    let mut book = Workbook::new();
    // In headers and footers & begins a code.
    let told = mark.each_ref().map(|(name, value)| format!("{name} {value}")).join(" · ").replace('&', "&&");
    book.add_worksheet().set_name("导出说明")?.set_footer(format!("&L{told}"));
    let sheet = book.add_worksheet_with_constant_memory();
    sheet.set_name("工单")?.set_header(format!("&L{told}")).set_footer(format!("&L{told}&R&P/&N"));
    let mut at = 0u32;
    let mut line = |cells: &[String]| -> Result<(), XlsxError> {
        for (column, cell) in (0u16..).zip(cells) {
            if cell.chars().count() > CELL_MAX {
                sheet.write_string(
                    at,
                    column,
                    cell.chars().take(CELL_MAX).chain(['…']).collect::<String>(),
                )?;
            } else if !cell.is_empty() {
                sheet.write_string(at, column, cell)?;
            }
        }
        at += 1;
        Ok(())
    };
    line(headings)?;
    let mut count = 0u64;
    while let Some(some) = rows.blocking_recv() {
        for row in &some {
            line(row)?;
            count += 1;
        }
    }
    let about = book.worksheet_from_index(0)?;
    let count = ("行数", count.to_string());
    for (row, (name, value)) in (0u32..).zip(mark.into_iter().chain([count])) {
        about.write_string(row, 0, name)?.write_string(row, 1, value)?;
    }
    let mut file = tempfile::tempfile()?;
    book.save_to_writer(&mut file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+86", "-2", "@x", "\tx", "\r=1", "＝1"] {
            assert_eq!(guarded(cell.into()), format!("'{cell}"));
        }
        for cell in ["", "a=b", "室温 -3", "'=1"] {
            assert_eq!(guarded(cell.into()), cell);
        }
    }

    #[test]
    fn cells_with_commas_quotes_and_lines_stay_one_cell() {
        let row = vec!["a,b".to_owned(), "他说\"好\"\n第二行".to_owned()];
        let text = String::from_utf8(lines([&row]).unwrap()).unwrap();
        assert_eq!(text, "\"a,b\",\"他说\"\"好\"\"\n第二行\"\r\n");
    }
}
