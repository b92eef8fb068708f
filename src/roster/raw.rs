//! The roster's files as they are written, before anything in them is believed.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::value::Datetime;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    pub contract: Vec<Contract>,
    #[serde(default)]
    pub person: Vec<Person>,
    #[serde(default)]
    pub shift: Vec<Shift>,
    #[serde(default)]
    pub need: Vec<Need>,
    #[serde(default)]
    pub rule: Vec<Rule>,
    pub night: Option<Night>,
    #[serde(default)]
    pub plan: Vec<Plan>,
    pub forecast: Option<Forecast>,
}

/// 综合工时 under a name that people's rows use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contract {
    pub name: Spanned<String>,
    pub cycle: Option<Spanned<String>>,
    pub number: Option<String>,
    pub date: Option<Spanned<Datetime>>,
    pub until: Option<Spanned<Datetime>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub id: Spanned<String>,
    pub name: Option<String>,
    #[serde(default)]
    pub skills: BTreeMap<String, Spanned<i64>>,
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub lead: bool,
    pub contract: Option<Spanned<String>>,
    pub birth: Option<Spanned<Datetime>>,
    pub pregnant_from: Option<Spanned<Datetime>>,
    pub due: Option<Spanned<Datetime>>,
    pub nursing_until: Option<Spanned<Datetime>>,
    pub hired: Option<Spanned<Datetime>>,
    pub left: Option<Spanned<Datetime>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shift {
    pub code: Spanned<String>,
    pub name: Option<String>,
    pub start: Spanned<String>,
    pub end: Spanned<String>,
    pub unpaid_min: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Need {
    pub wanted: Spanned<String>,
    pub skill: Option<String>,
    pub level: Option<i64>,
    pub people: Spanned<i64>,
    #[serde(default)]
    pub days: Vec<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub code: Spanned<String>,
    pub severity: Spanned<String>,
    #[serde(default)]
    pub law: bool,
    pub limit: Option<Spanned<i64>>,
    pub source: String,
    pub mark: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Night {
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    pub counts_from_min: Option<Spanned<i64>>,
    pub early_login_min: Option<Spanned<i64>>,
    pub late_logout_min: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub name: Spanned<String>,
    pub from: Spanned<Datetime>,
    pub to: Option<Spanned<Datetime>>,
    pub status: Option<Spanned<String>>,
    #[serde(default)]
    pub always: Vec<String>,
    #[serde(default)]
    pub rotation: Vec<Rotation>,
    #[serde(default)]
    pub assign: Vec<Assign>,
    #[serde(default)]
    pub approve: Vec<Approve>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    pub template: Spanned<String>,
    pub anchor: Option<Spanned<Datetime>>,
    pub teams: Vec<Vec<Spanned<String>>>,
    #[serde(default)]
    pub shifts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    pub person: Spanned<String>,
    pub shift: Option<String>,
    pub kind: Option<Spanned<String>>,
    pub dates: Vec<Spanned<Datetime>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    pub code: Spanned<String>,
    pub person: Option<String>,
    pub date: Option<Spanned<Datetime>>,
    pub by: String,
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forecast {
    pub source: String,
    pub aht_s: Spanned<f64>,
    pub service: Spanned<f64>,
    pub within_s: Spanned<f64>,
    pub patience_s: Spanned<f64>,
    pub seed: u64,
    pub hours: Spanned<Vec<Spanned<f64>>>,
    pub weekend: Spanned<f64>,
    pub holiday: Spanned<f64>,
}
