//! How a ticket stands, and what its citizen does to it. Number and code come with every request.

use super::pages::{self, Standing};
use super::{Visitor, clock, page, sorry};
use crate::api::state::Api;
use crate::store::{ActOutcome, NoStatus, Scope, StatusAnswer, Ticket, TicketAct};
use crate::ticket::cycle::{Hand, Step, Who, Wish};
use crate::ticket::number::is_official;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;

/// What was sent with a form, in its order.
type Fields = Vec<(String, String)>;

pub async fn home(State(_): State<Api>, visitor: Visitor) -> Response {
    page(&visitor, StatusCode::OK, pages::home(visitor.language, "", None))
}

/// Only a form leads there.
pub async fn look(State(_): State<Api>, visitor: Visitor) -> Response {
    page(&visitor, StatusCode::OK, pages::home(visitor.language, "", None))
}

/// Number and code, and perhaps something to do.
pub async fn act(
    State(api): State<Api>,
    visitor: Visitor,
    form: Result<Form<Fields>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return sorry(&visitor, StatusCode::BAD_REQUEST, "error.form") };
    if visitor.foreign {
        return sorry(&visitor, StatusCode::FORBIDDEN, "error.form");
    }
    let field =
        |name: &str| fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim());
    let digits = |name: &str| field(name).chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>();
    let (no, code) = (digits("no"), digits("code"));
    let now = api.now();
    let limits = api.limits.public;
    // Whoever guessed too often here is told what everybody is told, without a look at any ticket.
    let spent = api.public_limits().spent("wrong", &visitor.source, now) >= limits.wrong;
    let found = if spent {
        api.counts.public("limited");
        None
    } else {
        match known(&api, &visitor, &no, &code).await {
            Ok(found) => found,
            Err(()) => return sorry(&visitor, StatusCode::SERVICE_UNAVAILABLE, "error.away"),
        }
    };
    let Some(mut ticket) = found else {
        let body = pages::home(visitor.language, &no, Some("error.found"));
        return page(&visitor, StatusCode::NOT_FOUND, body);
    };
    let (mut done, mut wrong) = (None, None);
    if let Some(step) = step(field("do")) {
        if !api.public_limits().take("act", &visitor.source, limits.acts, now) {
            api.counts.public("limited");
            return sorry(&visitor, StatusCode::TOO_MANY_REQUESTS, "error.often");
        }
        match does(&api, &ticket, step, &field).await {
            Ok(after) => {
                ticket = after;
                done = Some(match step {
                    Step::Urge => "done.urge",
                    Step::Supplement => "done.supplement",
                    Step::Withdraw => "done.withdraw",
                    _ => "done.visit",
                });
                api.counts.public("acted");
            }
            Err(Some(word)) => wrong = Some(word),
            Err(None) => return sorry(&visitor, StatusCode::SERVICE_UNAVAILABLE, "error.away"),
        }
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let of = Standing { done, wrong, ..standing(&api, &ticket, &no, &code) };
    page(&visitor, status, pages::ticket(visitor.language, &of))
}

/// The ticket with this number and code. `Err`: nobody can say.
async fn known(api: &Api, visitor: &Visitor, no: &str, code: &str) -> Result<Option<Ticket>, ()> {
    let now = api.now();
    let plain = is_official(no) && code.len() == 6;
    let answer = if plain {
        api.db().ticket_status(no, code, now).await.map_err(|_| ())?
    } else {
        StatusAnswer::None(NoStatus::UnknownNumber)
    };
    match answer {
        StatusAnswer::Found(_) => api.db().ticket(no, &Scope::All).await.map_err(|_| ()),
        StatusAnswer::None(why) => {
            api.public_limits().take("wrong", &visitor.source, u32::MAX, now);
            api.counts.public("not_found");
            if why == NoStatus::Locked {
                api.counts.public("locked");
                tracing::warn!(source = %visitor.source, "a ticket is locked: wrong codes on the public page");
                api.parts.engine.codes_guessed().await;
            }
            Ok(None)
        }
    }
}

fn step(action: &str) -> Option<Step> {
    match action {
        "urge" => Some(Step::Urge),
        "supplement" => Some(Step::Supplement),
        "withdraw" => Some(Step::Withdraw),
        "visit" => Some(Step::Visit),
        _ => None,
    }
}

/// By the loop's own rules; the hotline's hands carry it out for him. `Err(None)`: it cannot be written now.
async fn does<'a>(
    api: &Api,
    ticket: &Ticket,
    step: Step,
    field: &impl Fn(&str) -> &'a str,
) -> Result<Ticket, Option<&'static str>> {
    let text = Some(field("text").to_owned()).filter(|text| !text.is_empty());
    let long = text.as_deref().map_or(0, |text| text.chars().count());
    let some = |name: &str| Some(field(name).to_owned()).filter(|value| !value.is_empty());
    let yes = |name: &str| match field(name) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let wish = match step {
        Step::Urge | Step::Supplement if (2..=1_000).contains(&long) => Wish { text, ..Wish::default() },
        Step::Urge | Step::Supplement => return Err(Some("error.text")),
        Step::Withdraw if (2..=500).contains(&long) => Wish { reason: text, ..Wish::default() },
        Step::Withdraw => return Err(Some("error.reason")),
        _ => {
            let wish = Wish {
                contacted: yes("contacted"),
                solved: some("solved"),
                satisfied: some("satisfied"),
                matches: yes("accurate"),
                redo: (field("solved") == "no").then_some(true),
                text,
                ..Wish::default()
            };
            if wish.contacted.is_none() || wish.solved.is_none() || wish.satisfied.is_none() || long > 1_000 {
                return Err(Some("error.rate"));
            }
            wish
        }
    };
    let who = Who { user: "", hands: &[Hand::Agent, Hand::Visitor], unit: None };
    let act = TicketAct { name: &ticket.id, who, at: api.now(), version: ticket.version, step, wish: &wish };
    match api.db().act_on_ticket(act, &api.tables()).await {
        Ok(ActOutcome::Done(after)) => Ok(*after),
        Ok(ActOutcome::Unknown | ActOutcome::Changed(_) | ActOutcome::Refused(_)) => {
            Err(Some("error.not_now"))
        }
        Err(_) => Err(None),
    }
}

fn standing(api: &Api, ticket: &Ticket, no: &str, code: &str) -> Standing {
    let cycle = ticket.cycle.as_ref();
    // States that are the offices' own business look like what they are to the citizen.
    let state = match ticket.state.as_str() {
        "clarification" => "accepted",
        "return_review" => "dispatched",
        "extension_review" | "joint_review" => "handling",
        state => state,
    };
    let sent = cycle.is_some_and(|cycle| cycle.dispatched_at.is_some());
    let told = matches!(state, "awaiting_visit" | "visited" | "closed");
    let over = matches!(state, "closed" | "rejected" | "withdrawn");
    Standing {
        no: no.to_owned(),
        code: code.to_owned(),
        state: state.to_owned(),
        unit: ticket
            .lead
            .as_deref()
            .filter(|_| sent)
            .and_then(|key| api.district.unit(key))
            .map(|unit| unit.name.clone()),
        accepted: clock(api, ticket.accepted_at.unwrap_or(ticket.created_at)),
        due: ticket.due_at.filter(|_| !over).map(|at| clock(api, at)),
        reply: cycle.and_then(|cycle| cycle.reply.as_ref()).filter(|_| told).map(|reply| reply.text.clone()),
        open: !over && cycle.is_some(),
        asks: state == "awaiting_visit",
        done: None,
        wrong: None,
    }
}
