use super::{scope, told};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::wire::TicketList;
use crate::auth::{Action, Resource};
use crate::store::{TicketField, TicketFilter, TicketOrder};
use crate::ticket::cycle::State as Stage;
use axum::Json;
use axum::extract::State;

/// Who has to be called back about a reply, soonest first.
#[utoipa::path(get, path = "/api/v1/tickets/visits", tag = "tickets", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
), responses(
    (status = 200, body = TicketList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn visits(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<TicketList>, Problem> {
    person.may(Action::ReadTickets, Resource::default())?;
    let page = fields.page()?;
    let filter = TicketFilter {
        fields: vec![(TicketField::State, Stage::AwaitingVisit.label().to_owned())],
        order: TicketOrder::Due,
        scope: scope(&api, &person),
        ..TicketFilter::default()
    };
    let paged = api.db().tickets(&filter, &page).await?;
    let items = told(&api, &person, "visits", paged.items).await?;
    Ok(Json(TicketList { items, next: paged.next.map(|cursor| cursor.to_string()) }))
}
