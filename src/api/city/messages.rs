use super::signed::{Signed, refused};
use super::wire::{CityExchange, CityExchangeList, CityMessage, CityMessageReceipt};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::channels::Message;
use crate::store::CityOutcome;
use axum::Json;
use axum::extract::State;

/// What the city says of a ticket: a ruling on what we asked, its own callback, points it takes off. Signed; each id once.
#[utoipa::path(post, path = "/api/v1/city/messages", tag = "city", params(
    ("Hotline-Signature" = String, Header, description = "as with orders"),
), request_body = CityMessage, responses(
    (status = 200, body = CityMessageReceipt),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "not signed, or not now"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "no ticket has this number, or nothing was asked under this id"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn take(
    State(api): State<Api>,
    Signed(body): Signed<CityMessage>,
) -> Result<Json<CityMessageReceipt>, Problem> {
    let message = Message::read(body.given()?).map_err(refused)?;
    match api.db().take_city_message(&message, api.now(), &api.tables()).await? {
        CityOutcome::Done { no, fresh } => Ok(Json(CityMessageReceipt { id: message.id, no, fresh })),
        CityOutcome::Unknown => Err(Problem::not_found()),
        CityOutcome::Refused(reasons) => Err(refused(reasons)),
    }
}

/// What the city said of any ticket, newest first; without its words.
#[utoipa::path(get, path = "/api/v1/city/messages", tag = "city", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("kind" = Option<String>, Query, description = "several with commas: `decision visit points`"),
), responses(
    (status = 200, body = CityExchangeList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<CityExchangeList>, Problem> {
    person.may(Action::ReadOutbox, Resource::default())?;
    let page = fields.page()?;
    let kinds: Vec<String> =
        fields.take("kind").iter().flat_map(|text| text.split(',').take(8)).map(str::to_owned).collect();
    if kinds.iter().any(|kind| !Message::KINDS.contains(&kind.as_str())) {
        return Err(Problem::bad_request("kind: decision, visit, points"));
    }
    if let Some((name, _)) = fields.0.first() {
        return Err(Problem::bad_request(format!(
            "{name}: no filter has that name; there are: limit, cursor, kind"
        )));
    }
    let paged = api.db().city_messages(&kinds, &page).await?;
    Ok(Json(CityExchangeList {
        items: paged.items.into_iter().map(|line| CityExchange::of(&api, line, false)).collect(),
        next: paged.next.map(|cursor| cursor.to_string()),
    }))
}
