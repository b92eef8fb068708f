use super::wire::{OutboxItem, OutboxList};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::outbox::{Kind, State as PushState};
use crate::store::OutboxFilter;
use axum::Json;
use axum::extract::State;

/// Pushes, newest first.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "outbox", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("state" = Option<String>, Query, description = "several with commas: `queued held sent dead discarded`"),
    ("kind" = Option<String>, Query, description = "several with commas: `sms mail webhook city`"),
), responses(
    (status = 200, body = OutboxList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<OutboxList>, Problem> {
    person.may(Action::ReadOutbox, Resource::default())?;
    let page = fields.page()?;
    let filter = OutboxFilter {
        state: words(fields.take("state"), "state", PushState::read)?,
        kind: words(fields.take("kind"), "kind", Kind::read)?,
    };
    if let Some((name, _)) = fields.0.first() {
        return Err(Problem::bad_request(format!(
            "{name}: no filter has that name; there are: limit, cursor, state, kind"
        )));
    }
    let paged = api.db().outbox(&filter, &page).await?;
    Ok(Json(OutboxList {
        items: paged.items.into_iter().map(|row| OutboxItem::of(&api, row)).collect(),
        next: paged.next.map(|cursor| cursor.to_string()),
    }))
}

fn words<T>(given: Option<String>, field: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    let Some(text) = given else { return Ok(Vec::new()) };
    let word = |word: &str| {
        read(word).ok_or_else(|| Problem::bad_request(format!("{field}: no such word: {word:?}")))
    };
    text.split(',').take(16).map(word).collect()
}
