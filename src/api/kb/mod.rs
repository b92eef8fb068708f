//! The knowledge base: search while talking, quotes, drafts and their way, corrections, notices of changed policy, gaps.
mod act;
mod change;
mod correction;
mod draft;
mod gap;
mod history;
mod list;
mod notice;
mod quote;
mod search;
mod shelf;
mod show;
mod today;
mod units;
mod wire;
mod wording;
pub use act::{__path_act, act};
pub use change::{__path_change, change};
pub use correction::{
    __path_answer_correction, __path_corrections, __path_report, answer_correction, corrections, report,
};
pub use draft::{__path_draft, draft};
pub use gap::{__path_gaps, __path_note_search, gaps, note_search};
pub use history::{__path_events, __path_versions, events, versions};
pub use list::{__path_list, list};
pub use notice::{__path_close_notice, __path_notices, __path_tell, close_notice, notices, tell};
pub use quote::{__path_quote, __path_quotes, quote, quotes};
pub use search::{__path_search, search};
pub use shelf::Shelf;
pub use show::{__path_show, show};
pub use today::{__path_today, today};
pub use units::{__path_units, units};
pub use wording::{
    __path_add_wording, __path_withdraw_wording, __path_wordings, add_wording, withdraw_wording, wordings,
};

use super::guard::Person;
use super::problem::{FieldError, Problem};
use super::state::Api;
use crate::auth::{Action, Resource, Role};
use crate::knowledge::{Fault, Text, due};
use crate::store::{Access, KbEntry};

/// About one entry.
fn of(unit: &str) -> Resource<'_> {
    Resource { owner: Some(unit), one: true, ..Resource::default() }
}

/// The only unit whose live entries exist for this person; none: all do.
fn only_unit(person: &Person) -> Option<String> {
    let narrow = person.roles.iter().all(|role| matches!(role, Role::Unit | Role::UnitHead));
    // A liaison without a unit: no unit has this name.
    narrow.then(|| person.unit.clone().unwrap_or_else(|| String::from("\u{fffd}")))
}

/// Whose corrections and notices are his to see; none: everybody's. The office's see all.
fn desk_of(person: &Person) -> Option<String> {
    let all = person.roles.iter().any(|role| matches!(role, Role::Office | Role::Lead));
    if all { None } else { person.unit.clone() }
}

/// An entry that exists for this person: what agents read, or a draft he may see.
async fn visible(api: &Api, person: &Person, id: &str) -> Result<KbEntry, Problem> {
    person.may(Action::ReadKnowledge, Resource::default())?;
    let row = api.db().kb_entry(id).await?.ok_or_else(Problem::not_found)?;
    if person.may(Action::ReadDrafts, of(&row.unit)).is_ok() {
        return Ok(row);
    }
    person.may(Action::ReadKnowledge, of(&row.unit))?;
    if row.entry.live.is_some() { Ok(row) } else { Err(Problem::not_found()) }
}

/// What is wrong with a text, and with its codes.
fn check(api: &Api, text: &Text) -> Result<(), Problem> {
    let fault = |Fault { field, code, detail }| FieldError { field, code, detail };
    let mut errors: Vec<FieldError> = text.faults().into_iter().map(fault).collect();
    if !api.district.has_unit(&text.unit) {
        errors.push(wrong("unit", "unknown", "unit: no unit has this code"));
    }
    if !api.district.has_category(&text.category) {
        errors.push(wrong("category", "unknown", "category: there is none of this code"));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::refused_fields(errors)) }
}

fn wrong(field: &'static str, code: &'static str, detail: &str) -> FieldError {
    FieldError { field, code, detail: detail.to_owned() }
}

/// A text of so many characters at most, with something in it.
fn said(field: &'static str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    if (1..=most).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let detail = format!("{field}: 1 to {most} characters");
    Err(Problem::refused_fields(vec![FieldError { field, code: "length", detail }]))
}

/// When what came in now is due: the close of the next working day.
fn due_at(api: &Api, now: i64) -> i64 {
    let received = api.civil(now).unwrap_or_default();
    let due = due(&api.parts.roster.files().calendar, received);
    api.parts.zone.to_timestamp(due.value).map_or(now, jiff::Timestamp::as_millisecond)
}

async fn log(
    api: &Api,
    person: &Person,
    action: Action,
    subject: &str,
    outcome: &str,
) -> Result<(), Problem> {
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: action.label().to_owned(),
        subject: subject.to_owned(),
        outcome: outcome.to_owned(),
    };
    Ok(api.db().log_access(&access).await?)
}
