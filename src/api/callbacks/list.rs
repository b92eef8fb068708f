use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::{CallbackItem, CallbackList};
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// Callbacks with their tries and outcomes, those asked for last first.
#[utoipa::path(get, path = "/api/v1/callbacks", tag = "calls", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("state" = Option<String>, Query, description = "several with commas: `waiting dialling reached given_up too_late number_refused no_line full no_queue withdrawn lost`; `open` is the first two"),
    ("queue" = Option<String>, Query),
), responses(
    (status = 200, body = CallbackList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<CallbackList>, Problem> {
    let decision = person.may(Action::ReadCalls, Resource::default())?;
    let page = fields.page()?;
    let (state, queue) = (fields.take("state"), fields.take("queue"));
    if let Some((name, _)) = fields.0.first() {
        return Err(Problem::bad_request(format!(
            "{name}: no filter has that name; there are: limit, cursor, state, queue"
        )));
    }
    let paged = api.db().callbacks(state.as_deref(), queue.as_deref(), &page).await?;
    Ok(Json(CallbackList {
        items: paged.items.into_iter().filter_map(|call| CallbackItem::of(&api, call, decision)).collect(),
        next: paged.next.map(|cursor| cursor.to_string()),
    }))
}
