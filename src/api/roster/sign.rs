use super::handover::sheet_now;
use super::wire::{Handover, HandoverSign, HandoverSignatureView, HandoverTurn, HandoverTurns, at};
use super::{RosterDesk, minute, wall_ms};
use crate::api::guard::Person;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::roster::handover::{Change, Item, Matter, Refused, Sheet, changes};
use crate::roster::{Minute, PersonId, plus_days};
use crate::store::{Access, Db, HandoverSignature, StoreError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use serde_json::Value;

/// A sheet may be signed so long before the next shift begins, minutes.
const AHEAD: i64 = 60;
/// Days that are counted.
const DAYS: i64 = 31;
const MINUTE_MS: i64 = 60_000;

/// A change of shifts with its signatures.
#[derive(Clone, Debug)]
pub struct SignedTurn {
    pub change: Change,
    /// Of the outgoing lead, the last one; and of the next one.
    pub out: Option<HandoverSignature>,
    pub into: Option<HandoverSignature>,
    /// Signed by both in time, or still to be.
    pub overdue: bool,
    /// When it counts as unsigned, milliseconds since 1970; `None`: never.
    pub due_at: Option<i64>,
}

impl SignedTurn {
    pub fn key(&self) -> String {
        key_of(self.change.at)
    }

    /// `writing offered taken`.
    fn state(&self) -> &'static str {
        match (&self.out, &self.into) {
            (_, Some(_)) => "taken",
            (Some(_), None) => "offered",
            (None, None) => "writing",
        }
    }
}

/// The changes of leads of the last days, newest first, as far as they could be signed here; with the one that comes within the hour.
pub async fn signed_turns(
    desk: &RosterDesk,
    db: &Db,
    zone: &TimeZone,
    now_ms: i64,
    days: i64,
) -> Result<Vec<SignedTurn>, StoreError> {
    let in_force = desk.in_force(db).await?;
    let now = minute(now_ms, zone);
    let since = minute(db.handovers_since(now_ms).await?, zone);
    let from = plus_days(now.date(), -days);
    let schedule = in_force.roster.schedule(from, plus_days(now.date(), 2), in_force.calendar());
    let first = Minute::on(from, 0).max(since);
    let turns = changes(&in_force.roster, &schedule, first, now.plus(AHEAD));
    let signatures = db.handover_signatures(&key_of(first)).await?;
    let patience = in_force.roster.rules.handover;
    let turn = |change: Change| {
        let key = key_of(change.at);
        let of = |part: &str| signatures.iter().rev().find(|s| s.turn == key && s.part == part).cloned();
        let (out, into) = (of("out"), of("in"));
        let due_at = (patience > 0).then(|| wall_ms(change.at, zone) + patience * MINUTE_MS);
        let signed_at = into.as_ref().map_or(now_ms, |signature| signature.at);
        let overdue = due_at.is_some_and(|due| due < signed_at);
        SignedTurn { change, out, into, overdue, due_at }
    };
    Ok(turns.into_iter().rev().map(turn).collect())
}

/// `2026-11-26T08:00`.
fn key_of(at: Minute) -> String {
    at.to_string().replace(' ', "T")
}

fn view(api: &Api, turn: SignedTurn) -> HandoverTurn {
    let signature = |one: &HandoverSignature, expected: &[PersonId]| HandoverSignatureView {
        by: one.by.clone(),
        at: api.time(one.at),
        stands_in: !expected.iter().any(|id| **id == *one.by),
    };
    let names = |ids: &[PersonId]| ids.iter().map(ToString::to_string).collect();
    HandoverTurn {
        turn: turn.key(),
        at: at(api, turn.change.at),
        state: turn.state(),
        out: turn.out.as_ref().map(|one| signature(one, &turn.change.out)),
        into: turn.into.as_ref().map(|one| signature(one, &turn.change.into)),
        outgoing: names(&turn.change.out),
        incoming: names(&turn.change.into),
        due_at: turn.due_at.map(|due| api.time(due)),
        overdue: turn.overdue,
    }
}

/// Changes of shifts with their signatures, newest first, and how many were not signed in time.
#[utoipa::path(get, path = "/api/v1/roster/handovers", tag = "roster", params(
    ("days" = Option<i64>, Query, description = "days back, 1 to 31; 1 when absent"),
), responses(
    (status = 200, body = HandoverTurns),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn handovers(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<HandoverTurns>, Problem> {
    person.may(Action::ReadRoster, Resource::default())?;
    let days = fields.take("days").map_or(Ok(1), |text| text.parse::<i64>());
    let days = days.ok().filter(|days| (1..=DAYS).contains(days));
    let days = days.ok_or_else(|| Problem::bad_request(format!("days: a number from 1 to {DAYS}")))?;
    let turns = signed_turns(&api.parts.roster, api.db(), &api.parts.zone, api.now(), days).await?;
    let unsigned = turns.iter().filter(|turn| turn.overdue).count();
    let items = turns.into_iter().map(|turn| view(&api, turn)).collect();
    Ok(Json(HandoverTurns { items, next: None, unsigned }))
}

async fn find(api: &Api, key: &str) -> Result<SignedTurn, Problem> {
    let turns = signed_turns(&api.parts.roster, api.db(), &api.parts.zone, api.now(), DAYS).await?;
    turns.into_iter().find(|turn| turn.key() == key).ok_or_else(Problem::not_found)
}

/// 交接班签字: the outgoing lead signs what the sheet says now, then the next one the same. Two persons; whoever is not on the plan
/// stands in.
#[utoipa::path(post, path = "/api/v1/roster/handovers/{turn}/signatures", tag = "roster", params(("turn" = String, Path)),
    request_body = HandoverSign, responses(
    (status = 201, body = HandoverTurn),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "not as the sheet stands"),
))]
pub async fn sign(
    State(api): State<Api>,
    person: Person,
    Path(key): Path<String>,
    JsonBody(wish): JsonBody<HandoverSign>,
) -> Result<(StatusCode, Json<HandoverTurn>), Problem> {
    person.may(Action::SignHandover, Resource::default())?;
    let turn = find(&api, &key).await?;
    let (me, now) = (PersonId::from(person.name.as_str()), minute(api.now(), &api.parts.zone));
    let on = |ids: &[PersonId]| ids.contains(&me);
    let (mine, theirs) = match wish.part.as_str() {
        "out" => (&turn.change.out, &turn.change.into),
        "in" => (&turn.change.into, &turn.change.out),
        _ => return Err(Problem::bad_request("part: out or in")),
    };
    if !on(mine) && on(theirs) {
        return Err(Problem::not_now("the plan has you on the other side of this hand-over"));
    }
    let current = sheet_now(&api, &person).await?;
    let mut sheet = Sheet::new(turn.change.at.date(), "handover".into());
    let told = match &turn.out {
        Some(out) => serde_json::from_str(&out.sheet).unwrap_or(Value::Null),
        None => Value::Null,
    };
    let refused = |why: Refused| Problem::not_now(why.to_string());
    if let Some(out) = &turn.out {
        for item in items(&told) {
            sheet.add(item).map_err(refused)?;
        }
        sheet.sign_out(PersonId::from(out.by.as_str()), now).map_err(refused)?;
    }
    if let Some(into) = &turn.into {
        // Signed by both: closed, whoever asks again.
        return Err(Problem::not_now(format!("{}: {}", Refused::Closed, into.by)));
    }
    let kept = if wish.part == "out" {
        sheet = Sheet::new(turn.change.at.date(), "handover".into());
        let text = serde_json::to_string(&current).map_err(|_| Problem::internal())?;
        for item in items(&serde_json::from_str(&text).unwrap_or(Value::Null)) {
            sheet.add(item).map_err(refused)?;
        }
        sheet.sign_out(me, now).map_err(refused)?;
        text
    } else {
        // What has come since the outgoing lead signed is not in what he signed.
        let new = serde_json::to_value(&current).map_err(|_| Problem::internal())?;
        let known: Vec<Item> = sheet.items().to_vec();
        let is_known =
            |item: &Item| known.iter().any(|k| (k.matter, &k.reference) == (item.matter, &item.reference));
        if turn.out.is_some() && items(&new).iter().any(|item| !is_known(item)) {
            return Err(Problem::not_now("the sheet has new lines: the outgoing lead signs it again"));
        }
        for notice in current.notices.iter().filter(|notice| notice.read_by.contains(&person.name)) {
            // One that is not on the sheet needs no reading for it.
            let _ = sheet.read(&notice.id);
        }
        // A notice whose time is over since has nothing to be read any more.
        let over: Vec<String> = known
            .iter()
            .filter(|item| item.matter == Matter::MustRead)
            .filter(|item| !current.notices.iter().any(|notice| notice.id == item.reference))
            .map(|item| item.reference.clone())
            .collect();
        for notice in over {
            let _ = sheet.read(&notice);
        }
        sheet.sign_in(me, now).map_err(refused)?;
        told.to_string()
    };
    let n = 1 + api.db().handover_signatures(&key).await?.iter().filter(|one| one.turn == key).count() as i64;
    let signature = HandoverSignature {
        turn: key.clone(),
        n,
        part: wish.part,
        at: api.now(),
        by: person.name.clone(),
        sheet: kept,
    };
    match api.db().add_handover_signature(&signature).await {
        Err(StoreError::Exists) => return Err(Problem::not_now("somebody has signed in the same moment")),
        done => done?,
    }
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::SignHandover.label().to_owned(),
        subject: ["handover:", &key].concat(),
        outcome: signature.part,
    };
    api.db().log_access(&access).await?;
    Ok((StatusCode::CREATED, Json(view(&api, find(&api, &key).await?))))
}

/// The sheet as it was signed: by both, where both have.
#[utoipa::path(get, path = "/api/v1/roster/handovers/{turn}/sheet", tag = "roster", params(("turn" = String, Path)), responses(
    (status = 200, body = Handover),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn signed_sheet(
    State(api): State<Api>,
    person: Person,
    Path(key): Path<String>,
) -> Result<Json<Value>, Problem> {
    person.may(Action::ReadRoster, Resource::default())?;
    person.may(Action::ReadTickets, Resource::default())?;
    let signed = api.db().handover_signatures(&key).await?;
    let last = signed.into_iter().rfind(|one| one.turn == key).ok_or_else(Problem::not_found)?;
    serde_json::from_str(&last.sheet).map(Json).map_err(|_| Problem::internal())
}

/// The lines a signature stands for: urgent tickets, and notices that the next lead must have read.
fn items(sheet: &Value) -> Vec<Item> {
    let lines = |part: &str, matter: Matter| {
        let list = sheet[part].as_array().map(Vec::as_slice).unwrap_or_default();
        let line = move |one: &Value| {
            Some(Item {
                matter,
                reference: one["id"].as_str()?.to_owned(),
                note: String::new(),
                by: PersonId::from(""),
                at: Minute(0),
            })
        };
        list.iter().filter_map(line).collect::<Vec<_>>()
    };
    [lines("urgent", Matter::UrgentTicket), lines("notices", Matter::MustRead)].concat()
}
