use super::wire::{LeaderCall, LeaderReport};
use super::{find, view};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::auth::{Action, Decision, Resource};
use crate::store::SessionCall;
use axum::Json;
use axum::extract::{Path, State};

/// What came of a session: who asked for the head, whom he took, what became of their tickets.
#[utoipa::path(get, path = "/api/v1/leader-sessions/{id}/report", tag = "leader sessions", params(("id" = String, Path)),
    responses(
    (status = 200, body = LeaderReport),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn report(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<LeaderReport>, Problem> {
    let whole = person.may(Action::ReadSessions, Resource::default())? == Decision::Allow;
    let session = find(&api, &id).await?;
    let calls = api.db().session_calls(&id).await?;
    let mut report = LeaderReport {
        session: view(&api, session),
        asked: calls.len(),
        taken: 0,
        by_others: 0,
        unreached: 0,
        tickets: 0,
        unfinished: 0,
        closed: 0,
        talk_ms: 0,
        calls: Vec::with_capacity(calls.len()),
    };
    let scope = scope(&api, &person);
    for call in calls {
        // What complains about who reads it is not told.
        if !api.db().call_exists_for(&call.record.id, &scope).await? {
            report.asked -= 1;
            continue;
        }
        let line = line(&api, call, whole);
        match (line.taken, line.agents.is_empty()) {
            (true, _) => report.taken += 1,
            (false, false) => report.by_others += 1,
            (false, true) => report.unreached += 1,
        }
        if line.taken {
            report.talk_ms += line.talk_ms;
            report.tickets += usize::from(line.no.is_some());
            let state = line.state.as_deref().filter(|_| line.no.is_some());
            report.unfinished += usize::from(state == Some("draft"));
            report.closed += usize::from(state == Some("closed"));
        }
        report.calls.push(line);
    }
    Ok(Json(report))
}

fn line(api: &Api, SessionCall { record, ticket }: SessionCall, whole: bool) -> LeaderCall {
    let mut agents: Vec<String> = Vec::new();
    let mut talk_ms = 0;
    for party in record.parties.iter().filter(|party| party.role == "agent") {
        if !agents.contains(&party.agent) {
            agents.push(party.agent.clone());
        }
        let until = party.left_at.or(record.ended_at).unwrap_or(party.joined_at);
        talk_ms += u64::try_from(until - party.joined_at).unwrap_or(0);
    }
    LeaderCall {
        call: record.id,
        started_at: api.time(record.started_at),
        taken: record.leader_taken,
        agents,
        recorder: record.leader_recorder,
        waited_ms: record.queues.iter().filter_map(|wait| wait.waited_ms).reduce(u64::saturating_add),
        talk_ms,
        no: ticket.as_ref().and_then(|ticket| ticket.no.clone()),
        state: ticket.as_ref().map(|ticket| ticket.state.clone()),
        title: ticket.as_ref().and_then(|ticket| ticket.title.clone()).filter(|_| whole),
        lead: ticket.as_ref().and_then(|ticket| ticket.lead.clone()),
        ticket: ticket.map(|ticket| ticket.id),
    }
}
