use super::wire::{RosterPlan, RosterSeats, kind_label};
use super::{date_field, minute};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Seats that a day's forecast asks for: by Erlang C, by a played day in which callers give up, and the difference.
#[utoipa::path(get, path = "/api/v1/roster/plan", tag = "roster", params(
    ("day" = Option<String>, Query, description = "the day whose kind counts, like 2026-11-26; today when absent"),
), responses(
    (status = 200, body = RosterPlan),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "there is no forecast"),
))]
pub async fn plan(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<RosterPlan>, Problem> {
    person.may(Action::ReadRoster, Resource::default())?;
    let today = minute(api.now(), &api.parts.zone).date();
    let day = date_field(&mut fields, "day")?.unwrap_or(today);
    let files = api.parts.roster.files();
    let Some(forecast) = files.roster.forecast.clone() else { return Err(Problem::not_found()) };
    let kind = files.calendar.day_kind(day);
    let label = kind_label(kind);
    let rows = match api.parts.roster.table(&files, label) {
        Some(rows) => rows,
        None => {
            let played = forecast.clone();
            let rows = tokio::task::spawn_blocking(move || played.table(kind)).await;
            let rows = Arc::new(rows.map_err(|_| Problem::internal())?);
            api.parts.roster.keep_table(&files, label, &rows);
            rows
        }
    };
    let ms = |seconds: f64| (seconds * 1_000.0).round() as i64;
    Ok(Json(RosterPlan {
        day: day.to_string(),
        kind: label,
        source: forecast.source.clone(),
        share: forecast.service,
        within_ms: ms(forecast.within_s),
        patience_ms: ms(forecast.patience_s),
        aht_ms: ms(forecast.aht_s),
        rows: rows.iter().map(RosterSeats::of).collect(),
    }))
}
