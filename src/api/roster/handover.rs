use super::wire::{Handover, HandoverQueue, HandoverTicket, RosterNoticeView, at};
use super::{minute, notice_view};
use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::auth::{Action, Resource};
use crate::roster::{Kind, Minute, plus_days};
use crate::store::{Page, Scope, Ticket, TicketField, TicketFilter};
use axum::Json;
use axum::extract::State;

const HOUR_MS: i64 = 3_600_000;
/// Drafts are of the last day, open urgent matters of the last month.
const DRAFTS_MS: i64 = 24 * HOUR_MS;
const URGENT_MS: i64 = 31 * 24 * HOUR_MS;
/// Lines of each part.
const LINES: u32 = 200;

/// The sheet for the next shift: open urgent tickets, unfinished drafts, who waits, what must be read.
#[utoipa::path(get, path = "/api/v1/roster/handover", tag = "roster", responses(
    (status = 200, body = Handover),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn handover(State(api): State<Api>, person: Person) -> Result<Json<Handover>, Problem> {
    person.may(Action::ReadRoster, Resource::default())?;
    person.may(Action::ReadTickets, Resource::default())?;
    sheet_now(&api, &person).await.map(Json)
}

/// What the sheet says at this moment to this person: what complains about him is not on it.
pub(super) async fn sheet_now(api: &Api, person: &Person) -> Result<Handover, Problem> {
    let scope = scope(api, person);
    let in_force = api.parts.roster.in_force(api.db()).await?;
    let now = minute(api.now(), &api.parts.zone);
    let today = now.date();
    let roster = &in_force.roster;
    let schedule = roster.schedule(today, plus_days(today, 2), in_force.calendar());
    let leads_at = |minute: Minute| -> Vec<String> {
        let duties = schedule.at(minute).filter(|duty| duty.kind == Kind::Work);
        let leads = duties.filter(|duty| roster.people.get(&duty.person).is_some_and(|p| p.lead));
        leads.map(|duty| duty.person.to_string()).collect()
    };
    let mut shifts: Vec<String> = schedule
        .at(now)
        .filter(|duty| duty.kind == Kind::Work)
        .map(|duty| roster.shifts.get(&duty.shift).map_or(duty.shift.to_string(), |s| s.name.clone()))
        .collect();
    shifts.sort();
    shifts.dedup();
    let floor = schedule.duties().iter().filter(|duty| duty.kind == Kind::Work);
    let next = floor.map(|duty| duty.from).filter(|from| *from > now).min();
    let mut away = Vec::new();
    let queues = match api.parts.engine.floor().await {
        Ok(floor) => floor.queues,
        Err(_) => {
            away.push("queues");
            Vec::new()
        }
    };
    let queues = queues.into_iter().map(|queue| HandoverQueue {
        queue: queue.queue.to_string(),
        waiting: queue.waiting,
        callbacks: queue.callbacks,
        longest_since: queue.longest_since_ms.map(|ms| api.time(ms)),
    });
    let notices = api.db().roster_notices(api.now()).await?;
    let notices: Vec<RosterNoticeView> = notices.into_iter().map(|n| notice_view(api, n)).collect();
    Ok(Handover {
        at: at(api, now),
        shifts,
        leads: leads_at(now),
        next_at: next.map(|next| at(api, next)),
        next_leads: next.map(leads_at).unwrap_or_default(),
        urgent: tickets(api, &scope, TicketField::Urgency, "U", URGENT_MS).await?,
        drafts: tickets(api, &scope, TicketField::State, "draft", DRAFTS_MS).await?,
        queues: queues.collect(),
        notices,
        away,
    })
}

/// Open ones of the last while, newest first.
async fn tickets(
    api: &Api,
    scope: &Scope,
    field: TicketField,
    value: &str,
    age_ms: i64,
) -> Result<Vec<HandoverTicket>, Problem> {
    let filter = TicketFilter {
        fields: vec![(field, value.to_owned())],
        since: Some(api.now() - age_ms),
        scope: scope.clone(),
        ..TicketFilter::default()
    };
    let paged = api.db().tickets(&filter, &Page { limit: LINES, after: None }).await?;
    let open = |ticket: &Ticket| !matches!(&*ticket.state, "closed" | "void" | "missed");
    let line = |ticket: Ticket| HandoverTicket {
        created_at: api.time(ticket.created_at),
        due_at: ticket.due_at.map(|due| api.time(due)),
        id: ticket.id,
        no: ticket.no,
        state: ticket.state,
        urgency: ticket.urgency,
        title: ticket.title,
    };
    Ok(paged.items.into_iter().filter(open).map(line).collect())
}
