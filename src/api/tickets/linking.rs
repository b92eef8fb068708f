use super::change::{tell_engine, took_a_call};
use super::{actions, decide, hands, may_act, resource, scope, told};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::api::wire::Ticket;
use crate::auth::{Action, Resource};
use crate::store::{self, Access, Link, LinkOutcome, SimilarTo, Split};
use crate::ticket::cycle::{self, Matter, Step, Who, Wish};
use crate::ticket::life::{Refusal, Why};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a matter of the same caller counts as the same: 30 days (domain reference 2.7), in milliseconds.
const OWN_MS: i64 = 30 * 86_400_000;
/// Text that goes along, in characters.
const TEXT_MAX: usize = 4_000;

/// The older ticket, and what the caller wanted of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketLink {
    /// The draft's `version` as it was read.
    pub version: i64,
    /// Official number of the ticket that goes on.
    pub into: String,
    /// `urge supplement`; absent: he only asked how it stands.
    pub action: Option<String>,
    /// What he said; a supplement needs it.
    pub text: Option<String>,
}

/// What there is already of a matter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SimilarTickets {
    /// Of the same caller in the same matter within 30 days, newest first, five at most.
    pub own: Vec<Ticket>,
    /// How many there are today of the same matter in the same street.
    pub near: i64,
    pub near_at: Option<String>,
    /// The newest five of them.
    pub near_tickets: Vec<Ticket>,
}

/// When something will be done, were the ticket accepted now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Promise {
    /// `dispatch sign contact feedback close`.
    pub name: String,
    pub due_at: String,
    /// Counted without the calendar of its year.
    pub unsure: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromiseList {
    /// Version of the rules.
    pub rules: Option<String>,
    pub items: Vec<Promise>,
    pub next: Option<String>,
}

fn refused(reasons: Vec<Refusal>) -> Problem {
    let error = |one: Refusal| FieldError { field: one.field, code: one.why.label(), detail: one.message };
    Problem::refused_fields(reasons.into_iter().map(error).collect())
}

async fn log(api: &Api, person: &Person, subject: &str, outcome: &str) -> Result<(), Problem> {
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ChangeTicket.label().to_owned(),
        subject: subject.to_owned(),
        outcome: outcome.to_owned(),
    };
    Ok(api.db().log_access(&access).await?)
}

/// The ticket, if this person may write it up.
async fn writable(api: &Api, person: &Person, no: &str) -> Result<store::Ticket, Problem> {
    person.may(Action::ChangeTicket, Resource { own_call: true, ..Resource::default() })?;
    let ticket = api.db().ticket(no, &scope(api, person)).await?.ok_or_else(Problem::not_found)?;
    let own_call = took_a_call(api, &person.name, &ticket).await?;
    person.may(Action::ChangeTicket, Resource { own_call, ..resource(api, person, &ticket) })?;
    Ok(ticket)
}

/// 拆单: one more draft, with a number of its own, for another matter of the same call. Agents split tickets of calls they took, leads any.
#[utoipa::path(post, path = "/api/v1/tickets/{no}/split", tag = "tickets", params(
    ("no" = String, Path, description = "official number, id, or a call's id for its draft"),
), responses(
    (status = 201, body = SplitTicket),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "no number can be drawn now"),
))]
pub async fn split(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
) -> Result<(StatusCode, Json<SplitTicket>), Problem> {
    let ticket = writable(&api, &person, &no).await?;
    let (number, code) = api.parts.engine.draw_number().await.map_err(|_| Problem::away("the engine"))?;
    let wish = Split { name: &ticket.id, user: &person.name, at: api.now(), no: &number, code: &code };
    let made = match api.db().split_ticket(wish).await? {
        LinkOutcome::Done(made) => *made,
        LinkOutcome::Unknown => return Err(Problem::not_found()),
        LinkOutcome::Changed(version) => return Err(Problem::changed(version)),
        LinkOutcome::Refused(reasons) => return Err(refused(reasons)),
    };
    tell_engine(&api, &made, true).await?;
    log(&api, &person, &made.id, "split").await?;
    let decision = decide(&api, &person, Action::ReadTickets, &made).await?;
    let actions = actions(&api, &person, &made);
    let ticket = Ticket::of(&api, made, decision).with_actions(actions);
    Ok((StatusCode::CREATED, Json(SplitTicket { ticket, code })))
}

/// The new ticket, with the code the citizen is told. It is shown this once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SplitTicket {
    pub ticket: Ticket,
    pub code: String,
}

/// 关联: the call is about an older ticket. Its draft is void, the older ticket has the call and what the caller wanted.
#[utoipa::path(post, path = "/api/v1/tickets/{no}/link", tag = "tickets", params(
    ("no" = String, Path, description = "the draft: official number, id, or its call's id"),
), request_body = TicketLink, responses(
    (status = 200, body = Ticket, description = "the older ticket"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the draft has another version by now"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn link(
    State(api): State<Api>,
    person: Person,
    Path(no): Path<String>,
    JsonBody(body): JsonBody<TicketLink>,
) -> Result<Json<Ticket>, Problem> {
    let draft = writable(&api, &person, &no).await?;
    let wrong =
        |field, why: Why, message: &str| refused(vec![Refusal { field, why, message: message.to_owned() }]);
    let unknown = || wrong("into", Why::UnknownCode, "into: no ticket has this number");
    let old = api.db().ticket(&body.into, &scope(&api, &person)).await?.ok_or_else(unknown)?;
    let decision = decide(&api, &person, Action::ReadTickets, &old).await?;
    let step = match body.action.as_deref() {
        None => None,
        Some("urge") => Some(Step::Urge),
        Some("supplement") => Some(Step::Supplement),
        Some(_) => return Err(wrong("action", Why::UnknownCode, "action: urge or supplement")),
    };
    if let Some(step) = step {
        may_act(&api, &person, step, &old)?;
    }
    let text = body.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
        return Err(wrong("text", Why::TooLong, "text: 4,000 characters at most"));
    }
    let (Some(into), hands) = (old.no.clone(), hands(&person)) else { return Err(unknown()) };
    let wish = Wish { text, ..Wish::default() };
    let who = Who { user: &person.name, hands: &hands, unit: person.unit.as_deref() };
    let at = api.now();
    let asked = Link { name: &draft.id, version: body.version, into: &into, who, at, step, wish: &wish };
    let old = match api.db().link_ticket(asked, &api.tables()).await? {
        LinkOutcome::Done(old) => *old,
        LinkOutcome::Unknown => return Err(Problem::not_found()),
        LinkOutcome::Changed(version) => return Err(Problem::changed(version)),
        LinkOutcome::Refused(reasons) => return Err(refused(reasons)),
    };
    // The engine hears of the draft, which is what the call waited for.
    if let Some(draft) = api.db().ticket(&draft.id, &store::Scope::All).await? {
        api.counts.ticket_saved(&draft.state);
        tell_engine(&api, &draft, false).await?;
        log(&api, &person, &draft.id, "linked").await?;
    }
    log(&api, &person, &old.id, "linked").await?;
    let actions = actions(&api, &person, &old);
    Ok(Json(Ticket::of(&api, old, decision).with_actions(actions)))
}

/// What there is already of a matter that is being written down: of the same caller within 30 days, of the same street today.
#[utoipa::path(get, path = "/api/v1/tickets/similar", tag = "tickets", params(
    ("category" = String, Query), ("street" = Option<String>, Query), ("caller" = Option<String>, Query),
    ("besides" = Option<String>, Query, description = "id of the ticket that is being written"),
), responses(
    (status = 200, body = SimilarTickets),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn similar(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<SimilarTickets>, Problem> {
    // Only who writes tickets up has a use for it.
    person.may(Action::ChangeTicket, Resource { own_call: true, ..Resource::default() })?;
    let category = fields.take("category").ok_or_else(|| Problem::bad_request("category: needed"))?;
    let (street, caller, besides) = (fields.take("street"), fields.take("caller"), fields.take("besides"));
    let now = api.now();
    let to = SimilarTo {
        category,
        street,
        caller,
        own_since: now.saturating_sub(OWN_MS),
        near_since: api.midnight(),
        besides,
        scope: scope(&api, &person),
    };
    let found = api.db().similar_tickets(&to).await?;
    let own = told(&api, &person, "similar", found.own).await?;
    let near_tickets = told(&api, &person, "similar", found.near_tickets).await?;
    let near_at = found.near_at.map(|at| api.time(at));
    Ok(Json(SimilarTickets { own, near: found.near, near_at, near_tickets }))
}

/// What the citizen may be promised: the clocks of a ticket that would be accepted now.
#[utoipa::path(get, path = "/api/v1/tickets/promises", tag = "tickets", params(
    ("type" = Option<String>, Query), ("urgency" = Option<String>, Query, description = "`U L N C`; of the matter when absent"),
    ("category" = Option<String>, Query),
), responses(
    (status = 200, body = PromiseList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub async fn promises(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<PromiseList>, Problem> {
    person.may(Action::ReadDistrict, Resource::default())?;
    let (kind, urgency, category) = (fields.take("type"), fields.take("urgency"), fields.take("category"));
    let of_category = || api.district.urgency(category.as_deref()?).map(str::to_owned);
    let urgency = urgency.or_else(of_category);
    let matter = Matter { kind, category: category.clone(), urgency, ..Matter::default() };
    let opened = cycle::open(matter, None, Vec::new(), api.now(), &api.tables());
    let items = opened.clocks.iter().map(|clock| Promise {
        name: clock.name.label().to_owned(),
        due_at: api.time(clock.due_at),
        unsure: clock.unsure,
    });
    Ok(Json(PromiseList { items: items.collect(), rules: opened.rules.clone(), next: None }))
}
