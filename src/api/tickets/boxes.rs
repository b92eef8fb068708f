use super::course::{TicketBox, TicketBoxes};
use super::scope;
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;

/// How many open tickets of each state this person sees, how many of them are late, and how many soon will be.
#[utoipa::path(get, path = "/api/v1/tickets/boxes", tag = "tickets", responses(
    (status = 200, body = TicketBoxes),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn boxes(State(api): State<Api>, person: Person) -> Result<Json<TicketBoxes>, Problem> {
    person.may(Action::ReadTickets, Resource::default())?;
    let boxes = api.db().ticket_boxes(&scope(&api, &person), api.now()).await?;
    let items = boxes.into_iter().map(|one| TicketBox {
        state: one.state,
        count: one.count,
        late: one.late,
        soon: one.soon,
    });
    Ok(Json(TicketBoxes { items: items.collect(), next: None }))
}
