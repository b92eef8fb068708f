use super::ask::REASON_MAX;
use super::desk::{changed_days, request_of};
use super::wire::{RosterDecision, RosterRequestView};
use super::{InForce, minute, view_of};
use crate::api::guard::Person;
use crate::api::input::JsonBody;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::Api;
use crate::auth::{Action, Resource};
use crate::roster::request::{Denied, Request};
use crate::roster::{Approval, Finding, Minute, PersonId};
use crate::store::{Access, RosterApproval, RosterApproved, RosterEvent, RosterSaved};
use axum::Json;
use axum::extract::{Path, State};

/// Agree, withdraw, approve or refuse. Approving what breaks a rule or the coverage needs a reason, and whoever approves answers for it
/// by name; what breaks the law nobody can approve.
#[utoipa::path(patch, path = "/api/v1/roster/requests/{id}", tag = "roster", params(("id" = String, Path)),
    request_body = RosterDecision, responses(
    (status = 200, body = RosterRequestView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json",
        description = "`breaks`: each of `errors` is a finding, its field `reason` (a reason is enough) or `decision` (the law); `changed`; `not_now`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn decide(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    JsonBody(told): JsonBody<RosterDecision>,
) -> Result<Json<RosterRequestView>, Problem> {
    let leads = person.may(Action::DecideRoster, Resource::default()).is_ok();
    if !leads {
        person.may(Action::AskRoster, Resource::default())?;
    }
    if told.reason.chars().count() > REASON_MAX {
        return Err(Problem::refused(vec![format!("reason: {REASON_MAX} characters at most")]));
    }
    let row = api.db().roster_request(&id).await?.ok_or_else(Problem::not_found)?;
    let his = row.asker == person.name || row.other.as_deref() == Some(&person.name);
    if !leads && !his {
        // Others' requests do not exist for him.
        return Err(Problem::not_found());
    }
    if row.version != told.version {
        return Err(Problem::changed(row.version));
    }
    let mut request = request_of(&row, &api.parts.zone).ok_or_else(Problem::internal)?;
    let mut in_force = api.parts.roster.in_force(api.db()).await?;
    let (me, now) = (PersonId::from(person.name.as_str()), minute(api.now(), &api.parts.zone));
    if leads {
        in_force.roster.deciders.insert(PersonId::clone(&me));
    }
    let mut approved = None;
    match &*told.decision {
        "agree" => request.agree(&me, now).map_err(denied)?,
        "withdraw" => request.withdraw(&me, now, &told.reason).map_err(denied)?,
        "refuse" => request.refuse(&in_force.roster, &me, now, &told.reason).map_err(denied)?,
        "approve" => {
            let (plan, reason) = (row.plan.clone(), told.reason.clone());
            let work = move || approve(request, &in_force, &plan, &me, now, &reason);
            let done = tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())?;
            let (after, written) = done?;
            (request, approved) = (after, Some(written));
        }
        _ => return Err(Problem::bad_request("decision: agree, withdraw, approve or refuse")),
    }
    let stage = request.stage().label().to_owned();
    let event = RosterEvent {
        at: api.now(),
        stage: stage.clone(),
        by: person.name.clone(),
        why: told.reason.trim().to_owned(),
    };
    let saved = api.db().change_roster_request(&id, row.version, &event, approved.as_ref()).await?;
    if saved == RosterSaved::Changed {
        let now = api.db().roster_request(&id).await?.map_or(row.version, |row| row.version);
        return Err(Problem::changed(now));
    }
    if approved.is_some() {
        api.parts.roster.changed.notify_one();
    }
    let access = Access {
        at: api.now(),
        user: person.name,
        source: person.source,
        action: if leads { Action::DecideRoster } else { Action::AskRoster }.label().to_owned(),
        subject: ["roster:", &id].concat(),
        outcome: stage,
    };
    api.db().log_access(&access).await?;
    let row = api.db().roster_request(&id).await?.ok_or_else(Problem::not_found)?;
    view_of(&api, &row).map(Json).ok_or_else(Problem::internal)
}

fn approve(
    mut request: Request,
    in_force: &InForce,
    plan: &str,
    by: &PersonId,
    now: Minute,
    reason: &str,
) -> Result<(Request, RosterApproved), Problem> {
    let gone = || Problem::not_now(format!("there is no plan \"{plan}\" any more"));
    let before = in_force.roster.plan(plan).ok_or_else(gone)?;
    let after =
        request.approve(&in_force.roster, before, in_force.calendar(), by, now, reason).map_err(denied)?;
    let new = after.approvals.get(before.approvals.len()..).unwrap_or_default();
    let approval = |one: &Approval| RosterApproval {
        plan: plan.to_owned(),
        code: one.code.label().to_owned(),
        person: one.person.as_deref().map(str::to_owned),
        day: one.date.map(|date| date.to_string()),
        by: one.by.clone(),
        reason: one.reason.clone(),
    };
    let approvals = new.iter().map(approval).collect();
    Ok((request, RosterApproved { n: in_force.n, days: changed_days(before, &after), approvals }))
}

fn denied(why: Denied) -> Problem {
    match why {
        Denied::Breaks(findings) => Problem::breaks(findings.iter().map(finding).collect()),
        Denied::NotYours(_) | Denied::NoLead(_) | Denied::OwnRequest => {
            Problem::not_allowed().detail(why.to_string())
        }
        Denied::NoReason => Problem::refused_fields(vec![FieldError {
            field: "reason",
            code: "needed",
            detail: why.to_string(),
        }]),
        Denied::Settled | Denied::NotAgreed(_) | Denied::TurnGone { .. } | Denied::Odd(_) => {
            Problem::not_now(why.to_string())
        }
    }
}

fn finding(finding: &Finding) -> FieldError {
    FieldError {
        field: if finding.law { "decision" } else { "reason" },
        code: finding.code.label(),
        detail: finding.zh.clone(),
    }
}
