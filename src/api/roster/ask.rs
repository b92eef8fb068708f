use super::desk::wish_json;
use super::wire::{RosterAsk, RosterRequestView, RosterTurn};
use super::{InForce, minute, view_of};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::roster::request::{Denied, Request, Turn, Wish};
use crate::roster::{Kind, PersonId, plus_days};
use crate::store::{RosterEvent, RosterRequest, roster_id};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;

/// Characters of a reason.
pub const REASON_MAX: usize = 500;

/// Ask for a swap of two turns, or for leave. The other has to agree, then a lead or the office decides.
#[utoipa::path(post, path = "/api/v1/roster/requests", tag = "roster", request_body = RosterAsk, responses(
    (status = 201, body = RosterRequestView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`errors` names the fields"),
))]
pub async fn ask(
    State(api): State<Api>,
    person: Person,
    JsonBody(ask): JsonBody<RosterAsk>,
) -> Result<(StatusCode, Json<RosterRequestView>), Problem> {
    person.may(Action::AskRoster, Resource::default())?;
    if ask.reason.chars().count() > REASON_MAX {
        return Err(wrong("reason", "too_long", format!("{REASON_MAX} characters at most")));
    }
    let in_force = api.parts.roster.in_force(api.db()).await?;
    let now = minute(api.now(), &api.parts.zone);
    let me = PersonId::from(person.name.as_str());
    if !in_force.roster.people.contains_key(&me) {
        return Err(wrong("kind", "not_on_roster", "you are not on the roster".to_owned()));
    }
    let wish = read(&in_force, &me, now.date(), &ask)?;
    let denied = |denied: Denied| wrong("kind", "odd", denied.to_string());
    let request = Request::new(wish, now, &ask.reason).map_err(denied)?;
    let (first, _) = request.days();
    let Some(plan) = in_force.plan(first) else {
        return Err(wrong("from", "no_plan", format!("there is no published plan on {first}")));
    };
    let row = RosterRequest {
        id: roster_id("r", api.now())?,
        asked_at: api.now(),
        asker: person.name.clone(),
        other: request.other().map(ToString::to_string),
        plan: plan.name.clone(),
        wish: wish_json(&request.wish).to_string(),
        stage: request.stage().label().to_owned(),
        version: 1,
        events: vec![RosterEvent {
            at: api.now(),
            stage: request.stage().label().to_owned(),
            by: person.name,
            why: ask.reason,
        }],
    };
    api.db().add_roster_request(&row).await?;
    let view = view_of(&api, &row).ok_or_else(Problem::internal)?;
    Ok((StatusCode::CREATED, Json(view)))
}

fn wrong(field: &'static str, code: &'static str, detail: String) -> Problem {
    Problem::refused_fields(vec![FieldError { field, code, detail }])
}

fn read(in_force: &InForce, me: &PersonId, today: Date, ask: &RosterAsk) -> Result<Wish, Problem> {
    match &*ask.kind {
        "swap" => {
            let mine = turn(in_force, "mine", today, ask.mine.as_ref())?;
            let theirs = turn(in_force, "theirs", today, ask.theirs.as_ref())?;
            if mine.person != *me {
                return Err(wrong("mine", "not_yours", "only a turn of your own can be swapped".to_owned()));
            }
            let plan = |date| in_force.plan(date).map(|plan| plan.name.clone());
            if plan(mine.date) != plan(theirs.date) {
                return Err(wrong("theirs", "other_plan", "both turns must be of one plan".to_owned()));
            }
            Ok(Wish::Swap { mine, theirs })
        }
        "leave" => {
            let from = date("from", ask.from.as_deref())?;
            let to = date("to", ask.to.as_deref())?;
            if from < today {
                return Err(wrong("from", "past", "it has begun already".to_owned()));
            }
            // A change is written into one plan, and holds as long as that one does.
            let plan = |date| in_force.plan(date).map(|plan| plan.name.clone());
            if from <= to && plan(from) != plan(to) {
                let last = "another plan begins before: ask for its days by themselves";
                return Err(wrong("to", "other_plan", last.to_owned()));
            }
            let cover = ask.cover.as_deref().filter(|cover| !cover.is_empty()).map(PersonId::from);
            if let Some(cover) = cover.as_ref().filter(|cover| !in_force.roster.people.contains_key(*cover)) {
                return Err(wrong("cover", "unknown", format!("there is no {cover} on the roster")));
            }
            Ok(Wish::Leave { person: me.clone(), from, to, cover })
        }
        _ => Err(wrong("kind", "unknown", "swap or leave".to_owned())),
    }
}

fn date(field: &'static str, text: Option<&str>) -> Result<Date, Problem> {
    let given = text.ok_or_else(|| wrong(field, "needed", format!("{field} is needed")))?;
    given.parse().map_err(|_| wrong(field, "not_a_date", "a date such as 2026-11-26".to_owned()))
}

/// A turn that somebody has by the plan as it stands.
fn turn(
    in_force: &InForce,
    field: &'static str,
    today: Date,
    asked: Option<&RosterTurn>,
) -> Result<Turn, Problem> {
    let asked = asked.ok_or_else(|| wrong(field, "needed", format!("{field} is needed")))?;
    let day = date(field, Some(&asked.date))?;
    if day < plus_days(today, -1) {
        return Err(wrong(field, "past", "it is over already".to_owned()));
    }
    let there = in_force.plan(day).is_some_and(|plan| {
        let of_day = plan.assignments(day, plus_days(day, 1), in_force.calendar());
        let has = |a: &crate::roster::Assignment| {
            *a.person == *asked.person && *a.shift == *asked.shift && a.kind != Kind::Leave
        };
        of_day.iter().any(has)
    });
    if !there {
        let what = format!("{} does not have {} on {day}", asked.person, asked.shift);
        return Err(wrong(field, "no_such_turn", what));
    }
    Ok(Turn { person: asked.person.as_str().into(), date: day, shift: asked.shift.as_str().into() })
}
