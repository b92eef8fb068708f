use super::{asked, hundredths};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A rate on fewer answers than this is marked.
const FEW: i64 = 10;

/// One number. It is never shown without what it is made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IndicatorItem {
    /// The leading unit; null: all together.
    pub unit: Option<String>,
    /// `on_time feedback claimed told solved satisfaction satisfied match`.
    pub name: String,
    /// Weights of the district's rules are in it: partly solved is a half, basically satisfied four fifths.
    pub numerator: f64,
    pub denominator: i64,
    /// Tickets that count and have no answer, or none yet.
    pub missing: i64,
    /// Percent; null when nobody has answered.
    pub rate_pct: Option<f64>,
    /// On fewer than ten answers.
    pub few: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IndicatorList {
    pub items: Vec<IndicatorItem>,
    pub next: Option<String>,
}

/// 三率两度 of tickets whose deadline falls into the period: all together, or by leading unit. A unit sees its own. With `period`,
/// as they were published.
#[utoipa::path(get, path = "/api/v1/indicators", tag = "indicators", params(
    ("from" = Option<String>, Query, description = "a day, or RFC 3339; included"),
    ("to" = Option<String>, Query, description = "the same; not included"),
    ("period" = Option<String>, Query, description = "id of a published period, instead of both"),
    ("by" = Option<String>, Query, description = "`unit`; all together when absent"),
), responses(
    (status = 200, body = IndicatorList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "no such period"),
))]
pub async fn list(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<IndicatorList>, Problem> {
    let (source, scope) = asked(&api, &person, &mut fields).await?;
    let by_unit = match fields.take("by").as_deref() {
        None => false,
        Some("unit") => true,
        Some(_) => return Err(Problem::bad_request("by: unit")),
    };
    let mut sums: BTreeMap<_, [i64; 3]> = BTreeMap::new();
    for one in api.db().indicators(&source, &scope).await? {
        let unit = if by_unit { one.unit } else { None };
        let [numerator, denominator, missing] = sums.entry((unit, one.indicator)).or_default();
        *numerator += one.numerator;
        *denominator += one.denominator;
        *missing += one.missing;
    }
    let items =
        sums.into_iter().map(|((unit, indicator), [numerator, denominator, missing])| IndicatorItem {
            unit,
            name: indicator.label().to_owned(),
            numerator: hundredths(numerator),
            denominator,
            missing,
            // Hundredths of a percent, cut off.
            rate_pct: (denominator > 0).then(|| hundredths(numerator * 100 / denominator)),
            few: denominator < FEW,
        });
    Ok(Json(IndicatorList { items: items.collect(), next: None }))
}
