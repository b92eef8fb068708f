use crate::api::guard::Person;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::roster::Forecast;
use crate::store::{FaredCounts, HALF_HOUR_MS};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Answer within this, counted from when the caller first waits (GB/T 33358).
const WITHIN_MS: i64 = 15_000;
const DAY_MS: i64 = 86_400_000;

/// Inbound calls and what became of them. Rates are the reader's to make; 15 秒接通率 is by formula ③,
/// `within / (answered + abandoned)`, 接通率 is `answered / queued`.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Fared {
    pub calls: i64,
    /// Asked for an agent.
    pub queued: i64,
    pub answered: i64,
    /// Answered within `within_ms` of first waiting.
    pub within: i64,
    /// Hung up while they waited.
    pub abandoned: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloorHalfHour {
    pub at: String,
    /// Null: this half hour has not begun.
    pub fared: Option<Fared>,
    /// Calls that the roster's forecast expects; null without a forecast.
    pub forecast: Option<f64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloorQueue {
    pub queue: String,
    pub fared: Fared,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloorStreet {
    /// The street's code.
    pub street: String,
    pub tickets: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloorTopic {
    pub agent: String,
    pub call: String,
    /// The category's code.
    pub category: String,
}

/// The day on the floor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloorDay {
    /// `2026-11-26`.
    pub day: String,
    pub within_ms: i64,
    /// Since midnight.
    pub today: Fared,
    /// The running 24 hours.
    pub rolling: Fared,
    /// The half hours of the day, 48 on a day without a clock change.
    pub half_hours: Vec<FloorHalfHour>,
    /// Today's, by the queue a call waited in last.
    pub queues: Vec<FloorQueue>,
    /// Matters of today by street, those that have any.
    pub streets: Vec<FloorStreet>,
    /// What agents speak of, as far as their calls' tickets say.
    pub topics: Vec<FloorTopic>,
}

impl From<FaredCounts> for Fared {
    fn from(counts: FaredCounts) -> Self {
        let FaredCounts { calls, queued, answered, within, abandoned } = counts;
        Self { calls, queued, answered, within, abandoned }
    }
}

/// How today goes: calls, answered and abandoned by the half hour beside the forecast, rates of the running 24 hours, matters by
/// street, what is being spoken of.
#[utoipa::path(get, path = "/api/v1/floor", tag = "floor", responses(
    (status = 200, body = FloorDay),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn day(State(api): State<Api>, person: Person) -> Result<Json<FloorDay>, Problem> {
    person.may(Action::WatchLive, Resource::default())?;
    let (now, midnight, date) = (api.now(), api.midnight(), api.today());
    let back = (now - DAY_MS).min(midnight);
    let (today, before) = tokio::try_join!(
        api.db().fared(midnight, now + 1, WITHIN_MS),
        // The rest of the 24 hours, to the millisecond.
        api.db().fared(back, midnight, WITHIN_MS),
    )?;
    let (streets, topics) = tokio::try_join!(api.db().streets_since(midnight), api.db().topics())?;

    let mut slots: BTreeMap<i64, FaredCounts> = BTreeMap::new();
    let mut queues: BTreeMap<String, FaredCounts> = BTreeMap::new();
    let mut total = FaredCounts::default();
    for one in today {
        total = total.plus(one.counts);
        let slot = slots.entry(one.slot).or_default();
        *slot = slot.plus(one.counts);
        if let Some(queue) = one.queue {
            let queue = queues.entry(queue).or_default();
            *queue = queue.plus(one.counts);
        }
    }
    let rolling = before.into_iter().fold(total, |sum, one| sum.plus(one.counts));
    let files = api.parts.roster.files();
    let kind = files.calendar.day_kind(date);
    let half_hours = (0..).map(|slot| (slot, midnight + slot * HALF_HOUR_MS));
    let half_hours = half_hours.take_while(|(_, at)| api.civil(*at).is_some_and(|at| at.date() == date));
    let half_hour = |(slot, at): (i64, i64)| FloorHalfHour {
        at: api.time(at),
        fared: (at <= now).then(|| slots.get(&slot).copied().unwrap_or_default().into()),
        // By the hour in the file.
        forecast: files.roster.forecast.as_ref().map(|f| expected(f, kind, slot)),
    };
    Ok(Json(FloorDay {
        day: date.to_string(),
        within_ms: WITHIN_MS,
        today: total.into(),
        rolling: rolling.into(),
        half_hours: half_hours.map(half_hour).collect(),
        queues: queues
            .into_iter()
            .map(|(queue, counts)| FloorQueue { queue, fared: counts.into() })
            .collect(),
        streets: streets.into_iter().map(|(street, tickets)| FloorStreet { street, tickets }).collect(),
        topics: topics
            .into_iter()
            .map(|t| FloorTopic { agent: t.agent, call: t.call, category: t.category })
            .collect(),
    }))
}

/// Calls in half an hour.
fn expected(forecast: &Forecast, kind: crate::base::DayKind, slot: i64) -> f64 {
    forecast.calls(kind, usize::try_from(slot).unwrap_or(0)) / 2.0
}
