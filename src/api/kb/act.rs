use super::show::{same_question, view};
use super::wire::{ACTS, KbAct, KbEntryView};
use super::{log, of, visible, wrong};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::Action;
use crate::knowledge::{Refusal, Stage, Step, is_entry_id, step};
use crate::store::{KbEntry, KbOutcome, KbWish};
use axum::Json;
use axum::extract::{Path, State};

const REASON_MAX: usize = 500;

/// One step of an entry's way: `submit` (its keeper), `approve` (the unit's leader), `publish`, `retire`, `settle` (the office),
/// `return` (who has it), `doubt` and `conflict` (any of them). What stands against a publication is told all at once.
#[utoipa::path(post, path = "/api/v1/kb/{id}/actions", tag = "knowledge", params(("id" = String, Path)),
    request_body = KbAct, responses(
    (status = 200, body = KbEntryView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn act(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<KbAct>,
) -> Result<Json<KbEntryView>, Problem> {
    let row = visible(&api, &person, &id).await?;
    let step = ACTS.iter().copied().find(|step| step.label() == wish.action);
    let step =
        step.ok_or_else(|| Problem::refused_fields(vec![wrong("action", "unknown", "no such action")]))?;
    right(&person, step, &row)?;
    if wish.reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_MAX) {
        let detail = format!("reason: at most {REASON_MAX} characters");
        return Err(Problem::refused_fields(vec![wrong("reason", "too_long", &detail)]));
    }
    if let Some(with) = &wish.with {
        let other = is_entry_id(with) && *with != id && api.db().kb_entry(with).await?.is_some();
        if !other {
            return Err(Problem::refused_fields(vec![wrong("with", "unknown", "with: another entry's id")]));
        }
    }
    let same = match step {
        Step::Publish => {
            let head = api.db().kb_version(&id, row.entry.head).await?.ok_or_else(Problem::internal)?;
            same_question(&api, &id, &head.text.questions).await?
        }
        _ => None,
    };
    let wish = KbWish {
        id: &id,
        by: &person.name,
        at: api.now(),
        version: wish.version,
        step,
        reason: wish.reason.as_deref(),
        with: wish.with.as_deref(),
        text: None,
        today: api.today(),
        same: same.as_deref(),
    };
    let row = outcome(api.db().step_kb(wish).await?, same.as_deref())?;
    log(&api, &person, action_of(step, &row), &id, step.label()).await?;
    Ok(Json(view(&api, &person, row).await?))
}

/// What was asked for, or why not.
pub(super) fn outcome(outcome: KbOutcome, same: Option<&str>) -> Result<KbEntry, Problem> {
    match outcome {
        KbOutcome::Done(row) => Ok(*row),
        KbOutcome::Unknown => Err(Problem::not_found()),
        KbOutcome::Changed(version) => Err(Problem::changed(version)),
        KbOutcome::Refused(why) => Err(Problem::refused_fields(vec![refused(why)])),
        KbOutcome::Stands(codes) => {
            let error = |code: &'static str| wrong("action", code, &obstacle(code, same));
            Err(Problem::refused_fields(codes.into_iter().map(error).collect()))
        }
    }
}

fn refused(why: Refusal) -> FieldError {
    let (field, detail) = match why {
        Refusal::Stage => ("action", "not from the stage it is in"),
        Refusal::OwnText => ("action", "who wrote it neither approves nor publishes it"),
        Refusal::Reason => ("reason", "reason: a text is needed"),
        Refusal::NotLive => ("action", "nobody reads it: it cannot be doubted"),
        Refusal::Conflict => ("action", "there is no contradiction, or one is known already"),
        Refusal::SameText => ("action", "its sources contradict each other: write a new version first"),
    };
    wrong(field, why.label(), detail)
}

fn obstacle(code: &str, same: Option<&str>) -> String {
    match code {
        "conflict" => "a contradiction is not settled".into(),
        "contradicted" => "its sources contradict each other (confidence X)".into(),
        "unverified" => "it says of itself that it is not verified (【待核】)".into(),
        "review_past" => "its review date has passed".into(),
        "over" => "it does not hold any more".into(),
        _ => format!("{} answers the same question", same.unwrap_or_default()),
    }
}

/// The right a step asks for.
fn action_of(step: Step, row: &KbEntry) -> Action {
    match step {
        Step::Change | Step::Submit => Action::DraftKnowledge,
        Step::Approve => Action::ApproveKnowledge,
        Step::Return if row.entry.stage == Stage::UnitReview => Action::ApproveKnowledge,
        Step::Publish | Step::Return | Step::Retire | Step::Settle => Action::PublishKnowledge,
        Step::Doubt | Step::Conflict => Action::DraftKnowledge,
    }
}

fn right(person: &Person, step: Step, row: &KbEntry) -> Result<(), Problem> {
    let any = [Action::DraftKnowledge, Action::ApproveKnowledge, Action::PublishKnowledge];
    let doubts = matches!(step, Step::Doubt | Step::Conflict);
    if doubts && any.iter().any(|action| person.may(*action, of(&row.unit)).is_ok()) {
        return Ok(());
    }
    person.may(action_of(step, row), of(&row.unit)).map(|_| ())
}

/// What the person may do with an entry as it is.
pub(super) fn allowed(person: &Person, row: &KbEntry) -> Vec<&'static str> {
    let may = |one: &&Step| {
        step(&row.entry, **one, &person.name, Some("-"), None).is_ok() && right(person, **one, row).is_ok()
    };
    Step::ALL.iter().filter(may).map(|one| one.label()).collect()
}
