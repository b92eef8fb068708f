use super::wire::{TargetNumber, TargetService, TargetUnit, TransferTargets};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::base::reach;
use crate::ticket::numbers as rules;
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;

/// Whom a citizen can be passed on to now, or at `?at=`: services of one key, and for each unit who is on duty by hour and
/// calendar, the backups after him.
#[utoipa::path(get, path = "/api/v1/transfer-targets", tag = "numbers", params(("at" = Option<String>, Query)), responses(
    (status = 200, body = TransferTargets),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn targets(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<TransferTargets>, Problem> {
    person.may(Action::ReadNumbers, Resource::default())?;
    let at = fields.time("at")?.unwrap_or_else(|| api.now());
    if !fields.0.is_empty() {
        return Err(Problem::bad_request("there is: at"));
    }
    let local = api.civil(at).ok_or_else(|| Problem::bad_request("at: not a time of this calendar"))?;
    let works = &api.parts.works;
    let services = api.db().service_numbers().await?.into_iter().map(|row| TargetService {
        emergency: reach::is_emergency(&row.key) || reach::is_emergency(&row.number),
        dialable: works.dialable(&row.number),
        key: row.key,
        name_zh: row.name_zh,
        name_en: row.name_en,
        number: row.number,
    });
    let services = services.collect();
    let mut units: BTreeMap<String, Vec<TargetNumber>> = BTreeMap::new();
    // In the order of their ranks already.
    for row in api.db().duty_numbers().await? {
        let hours = row.hours();
        let there = units.entry(row.unit).or_default();
        if hours.covers(local, |date| works.day_kind(date)) {
            let dialable = works.dialable(&row.number);
            there.push(TargetNumber { label: row.label, number: row.number, rank: row.rank, dialable });
        }
    }
    let kind = works.day_kind(local.date());
    let day = rules::DAYS.iter().find(|(_, known)| *known == kind).map_or("workday", |(name, _)| name);
    let duty = units.into_iter().map(|(unit, numbers)| TargetUnit { unit, numbers }).collect();
    Ok(Json(TransferTargets { at: api.time(at), day: day.to_owned(), services, duty }))
}
