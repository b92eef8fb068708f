use super::{actions, decide, resource, scope};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::api::wire::{Ticket, TicketChange};
use crate::auth::{Action, Resource};
use crate::base::reach::Reachable;
use crate::call::TicketSaved;
use crate::store::{self, Access, SaveOutcome};
use axum::Json;
use axum::extract::{Path, State};

/// Fill a draft in, and finish it: `accepted`, `closed` (answered directly) or `void`. Agents change the drafts of calls
/// they took, leads any. All of the change is made or nothing.
#[utoipa::path(patch, path = "/api/v1/tickets/{no}", tag = "tickets", params(
    ("no" = String, Path, description = "official number, id, or a call's id for its draft"),
), request_body = TicketChange, responses(
    (status = 200, body = Ticket),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it has another version by now"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`errors` names the fields"),
))]
pub async fn change(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
    JsonBody(wish): JsonBody<TicketChange>,
) -> Result<Json<Ticket>, Problem> {
    // Who may do this to no ticket at all does not learn which there are.
    person.may(Action::ChangeTicket, Resource { own_call: true, ..Resource::default() })?;
    let ticket = api.db().ticket(&no, &scope(&api, &person)).await?.ok_or_else(Problem::not_found)?;
    let own_call = took_a_call(&api, &person.name, &ticket).await?;
    person.may(Action::ChangeTicket, Resource { own_call, ..resource(&api, &person, &ticket) })?;
    let version = wish.version;
    let change = wish.into();
    let wish =
        store::TicketChange { name: &ticket.id, user: &person.name, at: api.now(), version, change: &change };
    let saved = match api.db().save_ticket(wish, &api.tables()).await? {
        SaveOutcome::Saved(saved) => *saved,
        SaveOutcome::Unknown => return Err(Problem::not_found()),
        SaveOutcome::Changed(version) => return Err(Problem::changed(version)),
        SaveOutcome::Refused(reasons) => {
            let errors = reasons.into_iter().map(|one| FieldError {
                field: one.field,
                code: one.why.label(),
                detail: one.message,
            });
            return Err(Problem::refused_fields(errors.collect()));
        }
    };
    api.counts.ticket_saved(&saved.state);
    tell_engine(&api, &saved, false).await?;
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ChangeTicket.label().to_owned(),
        subject: saved.id.clone(),
        outcome: saved.state.clone(),
    };
    api.db().log_access(&access).await?;
    let decision = decide(&api, &person, Action::ReadTickets, &saved).await?;
    let actions = actions(&api, &person, &saved);
    Ok(Json(Ticket::of(&api, saved, decision).with_actions(actions)))
}

/// Whoever has the ticket's calls in hand hears of it. `opened`: they have one more ticket to finish.
pub(super) async fn tell_engine(api: &Api, saved: &store::Ticket, opened: bool) -> Result<(), Problem> {
    for id in &saved.calls {
        let Ok(call) = id.parse() else { continue };
        // All of a call's tickets are to be finished before it is written up.
        let done = saved.state != "draft" && api.db().drafts_of_call(id).await? == 0;
        let reachable = Reachable::of(saved.notify.as_deref(), saved.safe_time.as_deref());
        let told = TicketSaved { done, opened, state: saved.state.clone(), reachable };
        // It is saved whatever the engine hears; an agent it did not reach presses his key once more.
        if let Err(error) = api.parts.engine.ticket_saved(call, told).await {
            tracing::warn!(%error, ticket = %saved.id, "the engine was not told that the ticket is saved");
        }
    }
    Ok(())
}

/// Whether one of the ticket's calls was this agent's: he has it, or had it before it was handed on. A sheet of paper is his who
/// entered it.
pub(super) async fn took_a_call(api: &Api, name: &str, ticket: &store::Ticket) -> Result<bool, Problem> {
    for id in &ticket.calls {
        if api.db().call(id).await?.is_some_and(|call| took(&call, name)) {
            return Ok(true);
        }
    }
    Ok(ticket.channel == store::PAPER && api.db().entered_from_paper(&ticket.id, name).await?)
}

/// The agent has the call, had it before it was handed on, or writes down what a head of department says in it.
pub(in crate::api) fn took(call: &store::Call, name: &str) -> bool {
    let record = &call.record;
    record.agent.as_deref() == Some(name)
        || record.leader_recorder.as_deref() == Some(name)
        || record.parties.iter().any(|party| party.role == "agent" && party.agent == name)
}
