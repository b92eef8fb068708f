//! The loop over the wire: a step, and what is known of a ticket since its acceptance.

use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::api::wire::TicketContact;
use crate::auth::Decision;
use crate::ticket::cycle::{self, Wish};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A step with what comes with it. Which fields a step takes, and which it needs, is told in an answer of 422.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketAction {
    /// One of the ticket's `actions`.
    pub action: String,
    /// The ticket's `version` as it was read: when it has another by now, nothing is done (409).
    pub version: i64,
    pub lead: Option<String>,
    pub assist: Option<Vec<String>>,
    pub brief: Option<String>,
    pub reason: Option<String>,
    pub text: Option<String>,
    pub missing: Option<String>,
    pub basis: Option<String>,
    pub to: Option<String>,
    /// `list first territory named`.
    pub step: Option<String>,
    pub uphold: Option<bool>,
    pub workdays: Option<u32>,
    /// A day, `2026-12-31`.
    pub until: Option<String>,
    pub plan: Option<String>,
    pub unit: Option<String>,
    /// RFC 3339; now when absent.
    pub at: Option<String>,
    /// `phone sms text visit`.
    pub how: Option<String>,
    /// `result`: what the caller was contacted for.
    pub what: Option<String>,
    /// For the hotline.
    pub report: Option<String>,
    /// `solved partial explained`.
    pub claim: Option<String>,
    /// `unreachable not_the_person refused later`.
    pub result: Option<String>,
    pub contacted: Option<bool>,
    /// `yes partial no`.
    pub solved: Option<String>,
    /// `very satisfied basic not very_not`.
    pub satisfied: Option<String>,
    pub matches: Option<bool>,
    pub redo: Option<bool>,
    /// `remind urge supervise joint on_site`.
    pub level: Option<String>,
    /// RFC 3339, or a day.
    pub deadline: Option<String>,
    pub statute: Option<String>,
    pub into: Option<String>,
    pub city_no: Option<String>,
    /// `happening trapped smoke crowd`.
    pub ticks: Option<Vec<String>>,
    pub urgency: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub category: Option<String>,
    pub street: Option<String>,
    pub title: Option<String>,
    pub content: Option<String>,
    pub address: Option<String>,
    pub contact: Option<TicketContact>,
    pub complained: Option<Complained>,
    /// `normal secret anonymous`.
    pub secrecy: Option<String>,
    /// `any text_only no_message`.
    pub notify: Option<String>,
    /// `09:00-11:30`, Beijing time.
    pub safe_time: Option<String>,
    /// `retaliation`.
    pub special: Option<String>,
}

/// Whom a ticket complains about. For them it does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Complained {
    /// A unit of any level.
    pub unit: Option<String>,
    /// A user's name.
    pub person: Option<String>,
}

impl TicketAction {
    pub fn wish(self, api: &Api) -> Result<Wish, Problem> {
        let time = |field: &'static str, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => moment(api, &text).map(Some).ok_or_else(|| {
                let detail = format!("{field}: a day such as 2026-12-31, or a time with its offset");
                Problem::refused_fields(vec![FieldError { field, code: "unknown_code", detail }])
            }),
        };
        let contact = self.contact.unwrap_or_default();
        let complained = self.complained.unwrap_or_default();
        Ok(Wish {
            lead: self.lead,
            assist: self.assist,
            brief: self.brief,
            reason: self.reason,
            text: self.text,
            missing: self.missing,
            basis: self.basis,
            to: self.to,
            step: self.step,
            uphold: self.uphold,
            workdays: self.workdays,
            until: time("until", self.until)?,
            plan: self.plan,
            unit: self.unit,
            at: time("at", self.at)?,
            how: self.how,
            report: self.report,
            claim: self.claim,
            result: self.result,
            contacted: self.contacted,
            solved: self.solved,
            satisfied: self.satisfied,
            matches: self.matches,
            redo: self.redo,
            level: self.level,
            // A day is over at its end.
            deadline: match self
                .deadline
                .as_deref()
                .filter(|day| day.len() == DAY)
                .and_then(|day| day.parse().ok())
            {
                Some(day) => Some(day_end(api, day)),
                None => time("deadline", self.deadline)?,
            },
            statute: self.statute,
            into: self.into,
            city_no: self.city_no,
            what: self.what,
            ticks: self.ticks,
            urgency: self.urgency,
            kind: self.kind,
            category: self.category,
            street: self.street,
            title: self.title,
            content: self.content,
            complained_unit: complained.unit,
            complained_person: complained.person,
            name: contact.name,
            number: contact.number,
            address: self.address.or(contact.address),
            secrecy: self.secrecy,
            notify: self.notify,
            safe_time: self.safe_time,
            special: self.special,
        })
    }
}

/// A time with its offset, or the beginning of a day.
fn moment(api: &Api, text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let day = text.parse::<jiff::civil::Date>().ok()?;
    Some(api.parts.zone.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_millisecond())
}

/// Characters of `2026-12-31`.
const DAY: usize = 10;

/// The last millisecond of a day.
fn day_end(api: &Api, day: jiff::civil::Date) -> i64 {
    let next = day.tomorrow().unwrap_or(day).at(0, 0, 0, 0);
    api.parts.zone.to_timestamp(next).map_or(i64::MAX, |at| at.as_millisecond() - 1)
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketBox {
    pub state: String,
    pub count: i64,
    /// Past their next deadline.
    pub late: i64,
    /// Four fifths of the time to it are over.
    pub soon: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketBoxes {
    pub items: Vec<TicketBox>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketOwner {
    pub role: String,
    pub unit: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketClock {
    /// `dispatch sign contact feedback close`.
    pub name: String,
    pub due_at: String,
    pub met_at: Option<String>,
    /// `running met late missed`.
    pub state: String,
    /// Percent of it that has passed.
    pub passed_pct: i64,
}

/// How long one owner had it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketHeld {
    /// Null: it was closed, and taken up again.
    pub owner: Option<TicketOwner>,
    pub held_ms: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketReturn {
    pub unit: String,
    pub to: String,
    pub basis: String,
    pub text: String,
    pub at: String,
    /// Null: nobody has ruled on it.
    pub granted: Option<bool>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketForced {
    /// `list first territory named`.
    pub step: String,
    pub reason: String,
    pub objected: Option<String>,
    pub upheld: Option<bool>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketSupervised {
    pub level: String,
    pub deadline: Option<String>,
    pub text: String,
    pub at: String,
    /// By a letter through the district office.
    pub letter: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketExtension {
    pub asked_workdays: u32,
    pub reason: String,
    pub granted: Option<bool>,
    pub granted_until: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketStaged {
    pub basis: String,
    pub text: String,
    pub until: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketDeferred {
    pub until: String,
    pub plan: String,
    pub progress: Vec<TicketSaid>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketReply {
    /// What the citizen is told.
    pub text: String,
    /// For the hotline.
    pub report: String,
    /// `solved partial explained`: what the unit says, apart from the citizen's verdict.
    pub claim: String,
    pub by: String,
    pub at: String,
    pub signed_by: Option<String>,
    pub signed_at: Option<String>,
}

/// Words of a unit or a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketSaid {
    pub unit: Option<String>,
    pub by: String,
    pub text: String,
    pub at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketSub {
    pub unit: String,
    pub text: String,
    /// Inner: the first-level unit answers for the clock.
    pub due_at: String,
    pub signed_at: Option<String>,
    pub reply: Option<String>,
    pub replied_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketContacted {
    pub at: String,
    pub how: String,
    pub by: String,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketTry {
    pub at: String,
    pub by: String,
    pub result: String,
}

/// The citizen's verdict, and the tries to hear it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketVisit {
    pub tries: Vec<TicketTry>,
    pub contacted: Option<bool>,
    pub solved: Option<String>,
    pub satisfied: Option<String>,
    pub matches: Option<bool>,
    pub text: Option<String>,
    pub at: Option<String>,
    pub by: Option<String>,
    /// Closed although nobody was reached.
    pub unreached: bool,
}

/// A ticket since its acceptance.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Course {
    pub owner: Option<TicketOwner>,
    pub clocks: Vec<TicketClock>,
    pub next_due_at: Option<String>,
    /// `green yellow orange red`.
    pub light: Option<String>,
    /// Version of the rules it is judged by.
    pub rules: Option<String>,
    /// Counted without a calendar of its year; counted again when there is one.
    pub calendar_warning: bool,
    /// How long each had it; adds up to the time since its acceptance.
    pub held: Vec<TicketHeld>,
    pub returns: usize,
    pub last_return: Option<TicketReturn>,
    pub redos: u32,
    pub urges: u32,
    pub forced: Option<TicketForced>,
    pub supervised: Option<TicketSupervised>,
    pub extension: Option<TicketExtension>,
    /// Why units are to sit together.
    pub joint: Option<TicketSaid>,
    pub staged: Option<TicketStaged>,
    pub deferred: Option<TicketDeferred>,
    pub reply: Option<TicketReply>,
    pub assists: Vec<TicketSaid>,
    pub subs: Vec<TicketSub>,
    pub contacts: Vec<TicketContacted>,
    /// When the unit told the caller the result, by its own note.
    pub told_at: Option<String>,
    pub visit: Option<TicketVisit>,
    pub merged_into: Option<String>,
    /// The city's number: of its order, or of its receipt for one of ours.
    pub city_no: Option<String>,
    /// 市派: the city's own clock, and what it was asked for.
    pub city: Option<TicketCity>,
    pub unreasonable: bool,
}

impl Course {
    /// As the decision lets it be seen: whoever sees no contents sees no words, and the report is the hotline's and the units'.
    pub fn of(api: &Api, ticket: &cycle::Ticket, decision: Decision) -> Self {
        let now = api.now();
        let words = !matches!(decision, Decision::Masked | Decision::Refuse(_));
        let text = |text: &str| if words { text.to_owned() } else { String::new() };
        let time = |at: Option<i64>| at.map(|at| api.time(at));
        let owner = |owner: &cycle::Owner| TicketOwner {
            role: owner.role.label().to_owned(),
            unit: owner.unit.clone(),
        };
        let by = |actor: &str| actor.trim_start_matches("user:").to_owned();
        let said = |said: &cycle::Said| TicketSaid {
            unit: Some(said.of.clone()).filter(|of| !of.is_empty()),
            by: by(&said.by),
            text: text(&said.text),
            at: api.time(said.at),
        };
        let next = ticket.next();
        Self {
            owner: ticket.owner.as_ref().map(owner),
            clocks: ticket
                .clocks
                .iter()
                .map(|clock| TicketClock {
                    name: clock.name.label().to_owned(),
                    due_at: api.time(clock.due_at),
                    met_at: time(clock.met_at),
                    state: clock.state(now).to_owned(),
                    passed_pct: clock.passed_pct(clock.met_at.unwrap_or(now)),
                })
                .collect(),
            light: next.as_ref().map(|_| ticket.light(now).label().to_owned()),
            next_due_at: next.map(|clock| api.time(clock.due_at)),
            rules: Some(ticket.rules.clone()),
            calendar_warning: ticket.unsure(),
            held: ticket
                .shares(now)
                .iter()
                .map(|held| TicketHeld { owner: held.owner.as_ref().map(owner), held_ms: held.ms })
                .collect(),
            returns: ticket.returns.len(),
            last_return: ticket.returns.last().map(|one| TicketReturn {
                unit: one.unit.clone(),
                to: one.to.clone(),
                basis: text(&one.basis),
                text: text(&one.text),
                at: api.time(one.at),
                granted: one.granted,
            }),
            redos: ticket.redos,
            urges: ticket.urges,
            forced: ticket.forced.as_ref().map(|forced| TicketForced {
                step: forced.step.clone(),
                reason: text(&forced.reason),
                objected: forced.objection.as_ref().map(|objection| text(&objection.text)),
                upheld: forced.upheld,
            }),
            supervised: ticket.supervised.as_ref().map(|one| TicketSupervised {
                level: one.level.clone(),
                deadline: time(one.deadline),
                text: text(&one.text),
                at: api.time(one.at),
                letter: one.letter,
            }),
            extension: ticket.extension.as_ref().map(|one| TicketExtension {
                asked_workdays: one.asked_workdays,
                reason: text(&one.reason),
                granted: one.granted,
                granted_until: time(one.granted_until),
            }),
            joint: ticket.joint.as_ref().map(said),
            staged: ticket.staged.as_ref().map(|one| TicketStaged {
                basis: text(&one.basis),
                text: text(&one.text),
                until: api.time(one.until),
            }),
            deferred: ticket.deferred.as_ref().map(|one| TicketDeferred {
                until: api.time(one.until),
                plan: text(&one.plan),
                progress: one.progress.iter().map(said).collect(),
            }),
            reply: ticket.reply.as_ref().map(|reply| TicketReply {
                text: text(&reply.text),
                report: text(&reply.report),
                claim: reply.claim.clone(),
                by: by(&reply.by),
                at: api.time(reply.at),
                signed_by: reply.signed_by.as_deref().map(by),
                signed_at: time(reply.signed_at),
            }),
            assists: ticket.assists.iter().map(said).collect(),
            subs: ticket
                .subs
                .iter()
                .map(|sub| TicketSub {
                    unit: sub.unit.clone(),
                    text: text(&sub.text),
                    due_at: api.time(sub.due_at),
                    signed_at: time(sub.signed_at),
                    reply: sub.reply.as_ref().map(|reply| text(&reply.text)),
                    replied_at: sub.reply.as_ref().map(|reply| api.time(reply.at)),
                })
                .collect(),
            contacts: ticket
                .contacts
                .iter()
                .map(|one| TicketContacted {
                    at: api.time(one.at),
                    how: one.of.clone(),
                    by: by(&one.by),
                    text: text(&one.text),
                })
                .collect(),
            told_at: time(ticket.told_at),
            visit: visit(api, ticket, decision),
            merged_into: ticket.merged_into.clone(),
            city_no: ticket
                .city_no
                .clone()
                .or_else(|| ticket.city.as_ref().map(|city| city.order.no.clone())),
            city: ticket.city.as_ref().map(|city| TicketCity::of(api, city, words)),
            unreasonable: ticket.unreasonable,
        }
    }
}

fn visit(api: &Api, ticket: &cycle::Ticket, words: Decision) -> Option<TicketVisit> {
    if ticket.tries.is_empty() && ticket.visit.is_none() {
        return None;
    }
    let by = |actor: &str| actor.trim_start_matches("user:").to_owned();
    let visit = ticket.visit.as_ref();
    Some(TicketVisit {
        tries: ticket
            .tries
            .iter()
            .map(|one| TicketTry { at: api.time(one.at), by: by(&one.by), result: one.result.clone() })
            .collect(),
        contacted: visit.and_then(|visit| visit.contacted),
        solved: visit.and_then(|visit| visit.solved.clone()),
        satisfied: visit.and_then(|visit| visit.satisfied.clone()),
        matches: visit.and_then(|visit| visit.matches),
        // What the citizen said of the unit is the hotline's.
        text: visit.filter(|_| words >= Decision::ContactHidden).map(|visit| visit.text.clone()),
        at: visit.map(|visit| api.time(visit.at)),
        by: visit.map(|visit| by(&visit.by)),
        unreached: ticket.unreached,
    })
}

/// What the city gave with its order, unchanged, and what was asked of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketCity {
    /// It calls the citizen back; we do not.
    pub visits: bool,
    /// It has the ticket back.
    pub returned: bool,
    pub clocks: Vec<TicketCityClock>,
    pub asks: Vec<TicketCityAsk>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketCityClock {
    /// `dispatch sign contact feedback close`.
    pub name: String,
    pub due_at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketCityAsk {
    /// `return extension exclusion`.
    pub what: String,
    pub at: String,
    pub until: Option<String>,
    /// Absent while the city has not answered.
    pub granted: Option<bool>,
    pub answered_at: Option<String>,
    pub reason: Option<String>,
}

impl TicketCity {
    fn of(api: &Api, city: &cycle::City, words: bool) -> Self {
        let clock = |(name, at): &(cycle::ClockName, i64)| TicketCityClock {
            name: name.label().to_owned(),
            due_at: api.time(*at),
        };
        let ask = |ask: &cycle::CityAsk| TicketCityAsk {
            what: ask.what.label().to_owned(),
            at: api.time(ask.at),
            until: ask.until.map(|at| api.time(at)),
            granted: ask.granted,
            answered_at: ask.answered_at.map(|at| api.time(at)),
            reason: Some(ask.reason.clone()).filter(|reason| words && !reason.is_empty()),
        };
        Self {
            visits: city.order.visits,
            returned: city.returned,
            clocks: city.order.due.iter().map(clock).collect(),
            asks: city.asks.iter().map(ask).collect(),
        }
    }
}
