use super::wire::{
    RosterCover, RosterDayView, RosterDuty, RosterFinding, RosterNow, RosterPerson, RosterShift, RosterView,
    at, kind_label,
};
use super::{InForce, date_field, minute};
use crate::api::guard::Person;
use crate::api::input::Fields;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::auth::{Action, Decision, Resource};
use crate::roster::{Clock, Kind, Minute, PersonId, Report, Schedule, dates, plus_days};
use axum::Json;
use axum::extract::State;
use jiff::civil::Date;

/// Days of one answer at most.
const LONGEST: i64 = 42;

/// Shifts by person and day, coverage by half hours (planned and required), gaps, findings, who is on call.
#[utoipa::path(get, path = "/api/v1/roster", tag = "roster", params(
    ("from" = Option<String>, Query, description = "first day, like 2026-11-26; this week's Monday when absent"),
    ("to" = Option<String>, Query, description = "first day no longer asked for; a week after `from` when absent, 42 days at most"),
), responses(
    (status = 200, body = RosterView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(api): State<Api>,
    person: Person,
    mut fields: Fields,
) -> Result<Json<RosterView>, Problem> {
    let decision = person.may(Action::ReadRoster, Resource::default())?;
    let now = minute(api.now(), &api.parts.zone);
    let today = now.date();
    let monday = plus_days(today, -i64::from(today.weekday().to_monday_zero_offset()));
    let from = date_field(&mut fields, "from")?.unwrap_or(monday);
    let to = date_field(&mut fields, "to")?.unwrap_or_else(|| plus_days(from, 7));
    if to <= from || plus_days(from, LONGEST) < to {
        return Err(Problem::bad_request(format!("from, to: 1 to {LONGEST} days")));
    }
    let in_force = api.parts.roster.in_force(api.db()).await?;
    // A check counts hours from the year's first day on: not among what other requests wait for.
    let own = (decision != Decision::Allow).then_some(person.name);
    let work = move || view(&api, &in_force, (from, to), now, own.as_deref());
    tokio::task::spawn_blocking(work).await.map(Json).map_err(|_| Problem::internal())
}

fn view(api: &Api, in_force: &InForce, range: (Date, Date), now: Minute, own: Option<&str>) -> RosterView {
    let (roster, calendar, (from, to)) = (&in_force.roster, in_force.calendar(), range);
    let schedule = roster.schedule(from, to, calendar);
    let report = match in_force.plan(from) {
        Some(plan) => roster.check(plan, from, to, calendar),
        None => Report::default(),
    };
    let days = dates(from, to).map(|date| RosterDayView {
        date: date.to_string(),
        kind: kind_label(calendar.day_kind(date)),
        holiday: calendar.holiday(date).map(str::to_owned),
    });
    let shifts = roster.shifts.values().map(|shift| RosterShift {
        code: shift.code.to_string(),
        name: shift.name.clone(),
        start: Clock(shift.start).to_string(),
        end: Clock(shift.end).to_string(),
    });
    let strip = roster.cover(&schedule, calendar, from, to);
    let finding = |gap: bool| {
        let list = report.findings.iter().filter(move |finding| finding.hours.is_some() == gap);
        let list = list.filter(|f| own.is_none() || f.person.is_none() || f.person.as_deref() == own);
        list.map(|finding| RosterFinding::of(api, finding)).collect::<Vec<_>>()
    };
    RosterView {
        from: from.to_string(),
        to: to.to_string(),
        plan: in_force.plan(from).map(|plan| plan.name.clone()),
        binds: in_force.files.binds,
        early_login_ms: roster.rules.early_login * 60_000,
        late_logout_ms: roster.rules.late_logout * 60_000,
        days: days.collect(),
        shifts: shifts.collect(),
        people: people(api, in_force, &schedule, range),
        coverage: strip.iter().map(|cover| RosterCover::of(api, cover)).collect(),
        gaps: finding(true),
        findings: finding(false),
        now: at_now(api, in_force, now),
    }
}

fn people(api: &Api, in_force: &InForce, schedule: &Schedule, (from, to): (Date, Date)) -> Vec<RosterPerson> {
    let off = |id: &PersonId| -> Vec<String> {
        let day = |date: &Date| {
            let plan = in_force.plan(*date);
            let changed = plan.and_then(|plan| plan.changes.get(&(PersonId::clone(id), *date)));
            changed.is_some_and(|duties| duties.iter().any(|duty| duty.kind == Kind::Leave))
        };
        dates(from, to).filter(day).map(|date| date.to_string()).collect()
    };
    let everybody = in_force.roster.people.values().filter(|person| person.in_service(from));
    let everybody = everybody.map(|person| RosterPerson {
        id: person.id.to_string(),
        name: person.name.clone(),
        lead: person.lead,
        always: schedule.is_always_on(&person.id),
        duties: schedule
            .of_person(&person.id)
            .filter(|duty| from <= duty.date && duty.date < to)
            .map(|duty| RosterDuty::of(api, duty))
            .collect(),
        leave: off(&person.id),
    });
    everybody.collect()
}

/// By the plan of today, whatever days were asked for.
fn at_now(api: &Api, in_force: &InForce, now: Minute) -> RosterNow {
    let (roster, today) = (&in_force.roster, now.date());
    let schedule = roster.schedule(today, plus_days(today, 1), in_force.calendar());
    let strip = roster.cover(&schedule, in_force.calendar(), today, plus_days(today, 1));
    let running = strip.iter().rev().find(|cover| cover.at <= now);
    let is_lead = |id: &&str| roster.people.get(*id).is_some_and(|person| person.lead);
    let who = schedule.who(now);
    let named = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
    RosterNow {
        at: at(api, now),
        agents: named(who.iter().copied().filter(|id| !is_lead(id)).collect()),
        leads: named(who.iter().copied().filter(is_lead).collect()),
        on_call: named(schedule.on_call(now).into_iter().collect()),
        required: running.map_or(0, crate::roster::Cover::required),
    }
}
