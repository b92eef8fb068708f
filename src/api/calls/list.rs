use super::{decide, looked};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::api::wire::{Call, CallList};
use crate::auth::{Action, Decision, Resource};
use crate::store::{CallField, CallFilter};
use axum::Json;
use axum::extract::State;

/// Calls, newest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("since" = Option<String>, Query, description = "`started_at` from, RFC 3339"),
    ("until" = Option<String>, Query, description = "`started_at` before, RFC 3339"),
    ("state" = Option<String>, Query, description = "several with commas; `live` is all but `ended`"), ("queue" = Option<String>, Query), ("agent" = Option<String>, Query),
    ("caller" = Option<String>, Query), ("called" = Option<String>, Query), ("trunk" = Option<String>, Query),
    ("direction" = Option<String>, Query), ("end_reason" = Option<String>, Query), ("fault" = Option<String>, Query),
    ("sip_call_id" = Option<String>, Query), ("flow_file" = Option<String>, Query), ("recording" = Option<String>, Query),
), responses(
    (status = 200, body = CallList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<CallList>, Problem> {
    let decision = person.may(Action::ReadCalls, Resource::default())?;
    let page = fields.page()?;
    let (since, until) = (fields.time("since")?, fields.time("until")?);
    let filters = fields.filters(CallField::ALL, CallField::label)?;
    // Whoever sees numbers masked may not find out by asking for one.
    if decision != Decision::Allow && filters.iter().any(|(field, _)| *field == CallField::Caller) {
        return Err(Problem::not_allowed());
    }
    let paged = api
        .db()
        .calls(&CallFilter { fields: filters, since, until, scope: scope(&api, &person) }, &page)
        .await?;
    let mut items = Vec::with_capacity(paged.items.len());
    let mut lines = vec![looked(&api, &person, "list", paged.items.len().to_string())];
    for call in paged.items {
        if call.secret {
            lines.push(looked(&api, &person, &call.record.id, "list".to_owned()));
        }
        let decision = decide(&person, &call)?;
        items.push(Call::of(&api, call, decision));
    }
    api.log_looks(lines).await?;
    Ok(Json(CallList { items, next: paged.next.map(|cursor| cursor.to_string()) }))
}
