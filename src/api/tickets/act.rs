use super::course::TicketAction;
use super::{actions, decide, hands, may_act, scope};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::api::wire::Ticket;
use crate::auth::{Action, Resource};
use crate::store::{Access, ActOutcome, TicketAct};
use crate::ticket::cycle::{Step, Who};
use crate::ticket::life::{Refusal, Why};
use axum::Json;
use axum::extract::{Path, State};

/// One step of the loop: dispatch, sign, reply, visit and the rest. `actions` of a ticket names those that this person may do now.
/// All of it is done or nothing.
#[utoipa::path(post, path = "/api/v1/tickets/{no}/actions", tag = "tickets", params(
    ("no" = String, Path, description = "official number or id"),
), request_body = TicketAction, responses(
    (status = 200, body = Ticket),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it has another version by now"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`errors` names the fields"),
))]
pub async fn act(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
    JsonBody(body): JsonBody<TicketAction>,
) -> Result<Json<Ticket>, Problem> {
    // Who has no part in the loop does not learn which tickets there are.
    person.may(Action::ActOnTicket, Resource::default())?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let decision = decide(&api, &person, Action::ReadTickets, &ticket).await?;
    let Some(step) = Step::read(&body.action) else {
        let error =
            FieldError { field: "action", code: Why::UnknownCode.label(), detail: "no such action".into() };
        return Err(Problem::refused_fields(vec![error]));
    };
    may_act(&api, &person, step, &ticket)?;
    let version = body.version;
    let wish = body.wish(&api)?;
    let (hands, at) = (hands(&person), api.now());
    let who = Who { user: &person.name, hands: &hands, unit: person.unit.as_deref() };
    let act = TicketAct { name: &ticket.id, who, at, version, step, wish: &wish };
    let done = match api.db().act_on_ticket(act, &api.tables()).await? {
        ActOutcome::Done(done) => *done,
        ActOutcome::Unknown => return Err(Problem::not_found()),
        ActOutcome::Changed(version) => return Err(Problem::changed(version)),
        // It became somebody else's in between.
        ActOutcome::Refused(reasons) if reasons.iter().any(|one| one.why == Why::Role) => {
            return Err(Problem::not_allowed());
        }
        ActOutcome::Refused(reasons) => return Err(refused(reasons)),
    };
    let access = Access {
        at,
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ActOnTicket.label().to_owned(),
        subject: done.id.clone(),
        outcome: step.label().to_owned(),
    };
    api.db().log_access(&access).await?;
    let actions = actions(&api, &person, &done);
    Ok(Json(Ticket::of(&api, done, decision).with_actions(actions)))
}

fn refused(reasons: Vec<Refusal>) -> Problem {
    let error = |one: Refusal| {
        // The one field whose name on the wire is a word of the language.
        let field = if one.field == "kind" { "type" } else { one.field };
        FieldError { field, code: one.why.label(), detail: one.message }
    };
    Problem::refused_fields(reasons.into_iter().map(error).collect())
}
