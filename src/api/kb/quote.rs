use super::wire::{KbNewQuote, KbQuoteList, KbQuoteView};
use super::{log, of, wrong};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::{self, took};
use crate::auth::{Action, Resource};
use crate::knowledge::standing;
use crate::store::KbQuoted;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// Freezes the version that was read out into the call and its ticket's history. The same twice is one quote. What is 待核
/// is refused with 422 `stale`.
#[utoipa::path(post, path = "/api/v1/kb/quotes", tag = "knowledge", request_body = KbNewQuote, responses(
    (status = 201, body = KbQuoteView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "another version is live by now"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn quote(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<KbNewQuote>,
) -> Result<(StatusCode, Json<KbQuoteView>), Problem> {
    // Who may quote in no call at all does not learn which there are.
    person.may(Action::QuoteKnowledge, Resource { own_call: true, ..Resource::default() })?;
    let call = api.db().call(&new.call).await?.ok_or_else(Problem::not_found)?;
    person.may(
        Action::QuoteKnowledge,
        Resource { own_call: took(&call, &person.name), ..Resource::default() },
    )?;
    let row = api.db().kb_entry(&new.entry).await?.ok_or_else(Problem::not_found)?;
    person.may(Action::ReadKnowledge, of(&row.unit))?;
    let live = row.entry.live.ok_or_else(Problem::not_found)?;
    let text = api.db().kb_version(&new.entry, live).await?.ok_or_else(Problem::internal)?;
    if let Some(why) = standing(&row.entry, &text.text, api.today()).why() {
        let detail = format!("it may not be given as the standard answer ({why})");
        return Err(Problem::refused_fields(vec![wrong("entry", "stale", &detail)]));
    }
    let wish = (new.entry.as_str(), new.version);
    let quote = match api.db().quote_kb(wish, &new.call, &person.name, api.now()).await? {
        KbQuoted::Kept(quote) => quote,
        KbQuoted::Changed => return Err(Problem::changed(live)),
    };
    let text = api.db().kb_version(&quote.entry, quote.version).await?.ok_or_else(Problem::internal)?;
    log(&api, &person, Action::QuoteKnowledge, &quote.entry, &quote.call).await?;
    Ok((StatusCode::CREATED, Json(KbQuoteView::of(&api, quote, text))))
}

/// What was quoted in a call or under a ticket (`?call=`, `?ticket=`, its id), as it was read out.
#[utoipa::path(get, path = "/api/v1/kb/quotes", tag = "knowledge", params(
    ("call" = Option<String>, Query), ("ticket" = Option<String>, Query)), responses(
    (status = 200, body = KbQuoteList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn quotes(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<KbQuoteList>, Problem> {
    // Which answer was given in which call is the call's to tell, and the ticket's.
    person.may(Action::ReadCalls, Resource::default())?;
    let (call, ticket) = (fields.take("call"), fields.take("ticket"));
    if !fields.0.is_empty() || (call.is_none() && ticket.is_none()) {
        return Err(Problem::bad_request("there are: call, ticket; one of them is needed"));
    }
    // Of what is not there for him nothing was quoted.
    let scope = tickets::scope(&api, &person);
    let there = match (&call, &ticket) {
        (Some(call), None) => api.db().call_exists_for(call, &scope).await?,
        (None, Some(ticket)) => api.db().ticket(ticket, &scope).await?.is_some(),
        (Some(call), Some(ticket)) => {
            api.db().call_exists_for(call, &scope).await? && api.db().ticket(ticket, &scope).await?.is_some()
        }
        (None, None) => false,
    };
    if !there {
        return Ok(Json(KbQuoteList { items: Vec::new(), next: None }));
    }
    let mut items = Vec::new();
    for quote in api.db().kb_quotes(call.as_deref(), ticket.as_deref()).await? {
        let text = api.db().kb_version(&quote.entry, quote.version).await?.ok_or_else(Problem::internal)?;
        items.push(KbQuoteView::of(&api, quote, text));
    }
    Ok(Json(KbQuoteList { items, next: None }))
}
