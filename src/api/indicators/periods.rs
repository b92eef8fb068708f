use super::period;
use crate::api::guard::Person;
use crate::api::ids;
use crate::api::input::{Fields, JsonBody};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::tickets::scope;
use crate::auth::{Action, Resource};
use crate::store::{Access, Correction, Published, Stand};
use crate::ticket::indicators::Indicator;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const TITLE_MAX: usize = 100;

/// What is to be published.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPeriod {
    /// 1 to 100 characters, such as 2026年11月.
    pub title: String,
    /// A day, or RFC 3339; included.
    pub from: String,
    /// The same; not included.
    pub to: String,
}

/// A period whose numbers stand as they were told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PeriodItem {
    pub id: String,
    pub title: String,
    pub from: String,
    pub to: String,
    pub at: String,
    pub by: String,
    /// Tickets that were due in it.
    pub tickets: i64,
}

impl PeriodItem {
    fn of(api: &Api, one: Published) -> Self {
        Self {
            id: one.id,
            title: one.title,
            from: api.time(one.period.from),
            to: api.time(one.period.to),
            at: api.time(one.at),
            by: one.by,
            tickets: one.tickets,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PeriodList {
    pub items: Vec<PeriodItem>,
    pub next: Option<String>,
}

/// One number of a ticket that is another now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CorrectedValue {
    /// Name of the indicator.
    pub name: String,
    /// Hundredths it added when it was published; null: no answer.
    pub then: Option<i64>,
    /// Hundredths it adds now.
    pub now: Option<i64>,
}

/// A ticket that adds something else than it did when the period was published.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CorrectionItem {
    pub id: String,
    pub no: Option<String>,
    /// `left`: it is due elsewhere or counts no more; `joined`: it is due here now; `changed`.
    pub what: String,
    pub unit_then: Option<String>,
    pub unit_now: Option<String>,
    pub values: Vec<CorrectedValue>,
}

impl CorrectionItem {
    fn of(one: Correction) -> Self {
        let part = |stand: &Option<Stand>, n: usize, indicator: Indicator| {
            let stand = stand.as_ref().filter(|stand| stand.reasonable || !indicator.of_reasonable())?;
            stand.values[n]
        };
        let values = Indicator::ALL.into_iter().enumerate().filter_map(|(n, indicator)| {
            let (then, now) = (part(&one.then, n, indicator), part(&one.now, n, indicator));
            (then != now).then(|| CorrectedValue { name: indicator.label().to_owned(), then, now })
        });
        let what = match (&one.then, &one.now) {
            (None, _) => "joined",
            (_, None) => "left",
            _ => "changed",
        };
        Self {
            values: values.collect(),
            what: what.to_owned(),
            unit_then: one.then.and_then(|stand| stand.unit),
            unit_now: one.now.and_then(|stand| stand.unit),
            id: one.id,
            no: one.no,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CorrectionList {
    pub items: Vec<CorrectionItem>,
    pub next: Option<String>,
}

/// Publish the numbers of a period that is over. They never change afterwards.
#[utoipa::path(post, path = "/api/v1/indicators/periods", tag = "indicators", request_body = NewPeriod, responses(
    (status = 201, body = PeriodItem),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "it was published"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn publish(
    State(api): State<Api>,
    person: Person,
    JsonBody(new): JsonBody<NewPeriod>,
) -> Result<(StatusCode, Json<PeriodItem>), Problem> {
    person.may(Action::PublishIndicators, Resource::default())?;
    let period = period(&api, Some(&new.from), Some(&new.to))?;
    let title = new.title.trim().to_owned();
    if !(1..=TITLE_MAX).contains(&title.chars().count()) {
        return Err(Problem::refused(vec![format!("title: 1 to {TITLE_MAX} characters")]));
    }
    if period.to > api.now() {
        return Err(Problem::refused(vec!["to: the period is not over".to_owned()]));
    }
    let new = Published {
        id: ids::fresh("p-")?,
        title,
        period,
        at: api.now(),
        by: person.name.clone(),
        tickets: 0,
    };
    let published = api.db().publish_period(&new).await?;
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: Action::PublishIndicators.label().to_owned(),
        subject: ["period:", &published.id].concat(),
        outcome: "published".to_owned(),
    };
    api.db().log_access(&access).await?;
    Ok((StatusCode::CREATED, Json(PeriodItem::of(&api, published))))
}

/// Periods that were published, newest first.
#[utoipa::path(get, path = "/api/v1/indicators/periods", tag = "indicators", params(
    ("limit" = Option<u32>, Query, description = "1 to 500, 50 when absent"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
), responses(
    (status = 200, body = PeriodList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn periods(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<PeriodList>, Problem> {
    person.may(Action::ReadIndicators, Resource::default())?;
    let paged = api.db().published_periods(&fields.page()?).await?;
    Ok(Json(PeriodList {
        items: paged.items.into_iter().map(|one| PeriodItem::of(&api, one)).collect(),
        next: paged.next.map(|cursor| cursor.to_string()),
    }))
}

/// Tickets that add something else now than when the period was published, by deadline.
#[utoipa::path(get, path = "/api/v1/indicators/periods/{id}/corrections", tag = "indicators", params(
    ("id" = String, Path, description = "id of the period"),
    ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
), responses(
    (status = 200, body = CorrectionList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn corrections(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    mut fields: Fields,
) -> Result<Json<CorrectionList>, Problem> {
    person.may(Action::ReadIndicators, Resource::default())?;
    let known = api.db().published_period(&id).await?.ok_or_else(Problem::not_found)?;
    let paged = api.db().corrections(&known, &scope(&api, &person), &fields.page()?).await?;
    Ok(Json(CorrectionList {
        items: paged.items.into_iter().map(CorrectionItem::of).collect(),
        next: paged.next.map(|cursor| cursor.to_string()),
    }))
}
