//! The city's words on the wire.

use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::channels::{Given, GivenOrder};
use crate::store::CityLine;
use crate::ticket::cycle::ClockName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Deadlines of the city, RFC 3339. They bind unchanged; ours are only earlier.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CityDeadlines {
    pub dispatch: Option<String>,
    pub sign: Option<String>,
    pub contact: Option<String>,
    pub feedback: Option<String>,
    pub close: String,
}

/// A ticket of the city's for this district.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CityOrder {
    /// The city's number: letters, digits, dashes. The same number is the same ticket, however often it comes.
    pub city_no: String,
    /// `consult help complaint report suggestion praise`.
    #[serde(rename = "type")]
    pub kind: String,
    pub category: Option<String>,
    pub street: Option<String>,
    pub urgency: Option<String>,
    pub title: Option<String>,
    pub content: String,
    pub name: Option<String>,
    pub number: Option<String>,
    pub address: Option<String>,
    /// `normal secret anonymous`.
    pub secrecy: Option<String>,
    pub deadlines: CityDeadlines,
    /// Who calls the citizen back: `city district`; by the district's rules when absent.
    pub callback: Option<String>,
}

fn time(field: &'static str, text: &str) -> Result<i64, Problem> {
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| {
        let detail = format!("{field}: a time such as 2026-12-08T17:30:00+08:00");
        Problem::refused_fields(vec![FieldError { field, code: "unknown_code", detail }])
    })
}

impl CityOrder {
    pub fn given(self) -> Result<GivenOrder, Problem> {
        let named = [
            (ClockName::Dispatch, self.deadlines.dispatch),
            (ClockName::Sign, self.deadlines.sign),
            (ClockName::Contact, self.deadlines.contact),
            (ClockName::Feedback, self.deadlines.feedback),
            (ClockName::Close, Some(self.deadlines.close)),
        ];
        let mut due = Vec::new();
        for (name, text) in named {
            if let Some(text) = text {
                due.push((name, time("deadlines", &text)?));
            }
        }
        Ok(GivenOrder {
            city_no: self.city_no,
            kind: Some(self.kind),
            category: self.category,
            street: self.street,
            urgency: self.urgency,
            title: self.title,
            content: Some(self.content),
            name: self.name,
            number: self.number,
            address: self.address,
            secrecy: self.secrecy,
            due,
            callback: self.callback,
        })
    }
}

/// Our number for the city's.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CityOrderReceipt {
    pub city_no: String,
    /// Ours.
    pub no: String,
    /// A ticket was made now; else this number had come before.
    pub fresh: bool,
    /// What came now says something else than what came first. Nothing was changed.
    pub differs: bool,
}

/// What the city says of a ticket afterwards.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CityMessage {
    /// The city's own id of this message: the same one twice is one message.
    pub id: String,
    pub city_no: Option<String>,
    /// `decision visit points`.
    pub kind: String,
    /// A decision: the id of our request. For a ticket of ours that the city takes over, `city_no` is its number there.
    pub about: Option<String>,
    pub granted: Option<bool>,
    /// Of a granted extension, RFC 3339; the day that was asked for when absent.
    pub until: Option<String>,
    /// 回访结果: `contacted`, `solved` (`yes partial no`), `satisfied` (`satisfied basic not`).
    pub contacted: Option<bool>,
    pub solved: Option<String>,
    pub satisfied: Option<String>,
    /// 扣分, two decimals at most.
    pub points: Option<f64>,
    /// In words.
    pub reason: Option<String>,
}

impl CityMessage {
    pub fn given(self) -> Result<Given, Problem> {
        let until = self.until.as_deref().map(|text| time("until", text)).transpose()?;
        // Out of range it is none; the check of the range is the room's.
        let points = self.points.map(|points| (points * 100.0).round()).map(|hundredths| hundredths as i64);
        Ok(Given {
            id: self.id,
            city_no: self.city_no,
            kind: self.kind,
            about: self.about,
            granted: self.granted,
            until,
            contacted: self.contacted,
            solved: self.solved,
            satisfied: self.satisfied,
            points,
            reason: self.reason,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CityMessageReceipt {
    pub id: String,
    /// Our ticket.
    pub no: Option<String>,
    /// Written down now; else it had come before.
    pub fresh: bool,
}

/// Something that went to the city or came from it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CityExchange {
    pub id: String,
    pub no: Option<String>,
    pub city_no: Option<String>,
    /// `out in`.
    pub direction: &'static str,
    /// Out: `sign feedback result return extension exclusion transfer`. In: `decision visit points`.
    pub kind: String,
    pub at: String,
    /// Out: `queued held sent dead discarded`.
    pub state: Option<String>,
    /// The city's own number for what it took.
    pub receipt: Option<String>,
    /// Of a decision: what it answers to, and how.
    pub about: Option<String>,
    pub word: Option<String>,
    pub granted: Option<bool>,
    pub until: Option<String>,
    /// The city's own callback; never part of our rates.
    pub contacted: Option<bool>,
    pub solved: Option<String>,
    pub satisfied: Option<String>,
    pub points: Option<f64>,
    /// In words, for whoever may read the ticket's contents.
    pub text: Option<String>,
}

impl CityExchange {
    /// `words`: also what may tell who somebody is.
    pub fn of(api: &Api, line: CityLine, words: bool) -> Self {
        let word = |name: &str| line.payload[name].as_str().map(str::to_owned);
        let until = word("until").and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let said = |name: &str| line.personal.as_ref().and_then(|all| all[name].as_str());
        let parts = [said("basis"), said("reason"), said("text")];
        let text = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("；");
        Self {
            direction: if line.from_city { "in" } else { "out" },
            at: api.time(line.at),
            about: word("about"),
            word: word("word").filter(|_| line.from_city),
            granted: line.payload["granted"].as_bool(),
            until: until.map(|at| api.time(at.as_millisecond())),
            contacted: line.payload["contacted"].as_bool(),
            solved: word("solved"),
            satisfied: word("satisfied"),
            points: line.payload["points"].as_i64().map(|hundredths| hundredths as f64 / 100.0),
            text: Some(text).filter(|text| words && !text.is_empty()),
            id: line.id,
            no: line.no,
            city_no: line.city_no,
            kind: line.kind,
            state: line.state,
            receipt: line.receipt,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CityExchangeList {
    pub items: Vec<CityExchange>,
    pub next: Option<String>,
}
