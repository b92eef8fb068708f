use super::wire::{CityExchange, CityExchangeList};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::{decide, scope};
use crate::auth::{Action, Decision, Resource};
use crate::store::Access;
use axum::Json;
use axum::extract::{Path, State};

/// What went to the city about this ticket and came from it, oldest first. For whoever may read the ticket; words only for whoever may
/// read its contents.
#[utoipa::path(get, path = "/api/v1/tickets/{no}/city", tag = "city", params(
    ("no" = String, Path, description = "official number or id"),
), responses(
    (status = 200, body = CityExchangeList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn exchange(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<Json<CityExchangeList>, Problem> {
    person.may(Action::ReadTickets, Resource::default())?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&api, &person, Action::ReadTickets, &ticket).await?;
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ReadTickets.label().to_owned(),
        subject: ticket.id.clone(),
        outcome: "city".to_owned(),
    };
    api.db().log_access(&access).await?;
    let items = api.db().city_exchange(&ticket.id).await?;
    // What the citizen told the city's caller may tell a unit who he is.
    let words = |line: &crate::store::CityLine| match decision {
        Decision::Allow | Decision::ContactHidden => true,
        Decision::CallerHidden => !line.from_city || line.kind == "decision",
        Decision::Masked | Decision::Refuse(_) => false,
    };
    let items = items.into_iter().map(|line| {
        let words = words(&line);
        CityExchange::of(&api, line, words)
    });
    Ok(Json(CityExchangeList { items: items.collect(), next: None }))
}
