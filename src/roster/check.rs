//! Everything that is wrong with a plan, told at once: coverage, law, and slips of the pen.

use super::finding::{Finding, Report};
use super::model::{Approval, PersonId, Place, Plan, Roster};
use super::moment::{Minute, plus_days};
use super::rules::{Code, Severity};
use super::schedule::{BEFORE, Schedule};
use super::{Calendar, coverage, law};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Collects findings of one plan.
pub(super) struct Told<'a> {
    roster: &'a Roster,
    pub(super) plan: &'a Plan,
    findings: Vec<Finding>,
}

impl Told<'_> {
    pub(super) fn of(
        &mut self,
        code: Code,
        person: Option<&PersonId>,
        date: Option<Date>,
        place: Option<Place>,
        (zh, en): (String, String),
    ) {
        self.findings.push(Finding {
            code,
            severity: self.roster.rules.severity(code),
            law: self.roster.rules.law(code),
            person: person.cloned(),
            date,
            hours: None,
            missing: 0,
            zh,
            en,
            place,
            approved_by: None,
        });
    }

    pub(super) fn gap(
        &mut self,
        (code, date, hours, missing): (Code, Date, (Minute, Minute), u16),
        place: Option<Place>,
        zh: String,
        en: String,
    ) {
        self.of(code, None, Some(date), place, (zh, en));
        if let Some(last) = self.findings.last_mut() {
            (last.hours, last.missing) = (Some(hours), missing);
        }
    }
}

impl Roster {
    /// Checks a plan for the days `[from, to)`, and the days before as far as rest and hours ask for them.
    pub fn check(&self, plan: &Plan, from: Date, to: Date, calendar: &Calendar) -> Report {
        // Hours are counted from the year's first day, rest and nights from the days just before.
        let year = Date::new(from.year(), 1, 1).unwrap_or(from);
        let assignments = plan.assignments(year.min(plus_days(from, -BEFORE)), to, calendar);
        let schedule = Schedule::of(self, &assignments);
        let mut told = Told { roster: self, plan, findings: Vec::new() };
        law::check(self, &assignments, &schedule, calendar, (from, to), &mut told);
        coverage::check(self, &schedule, calendar, from, to, &mut told);
        if let Some(forecast) = &self.forecast {
            coverage::against_forecast(self, &schedule, calendar, (from, to), forecast, &mut told);
        }
        self.approve(&mut told);
        let mut findings = told.findings;
        findings
            .sort_by(|a, b| (a.date, a.code, &a.person, a.hours).cmp(&(b.date, b.code, &b.person, b.hours)));
        Report { findings }
    }

    /// Notes who answers for what; an approval that can't be is a finding itself.
    fn approve(&self, told: &mut Told<'_>) {
        let mut refused: BTreeSet<(usize, &str)> = BTreeSet::new();
        for (n, approval) in told.plan.approvals.iter().enumerate() {
            if self.rules.law(approval.code) {
                refused.insert((n, "law"));
            } else if approval.by.trim().is_empty() || approval.reason.trim().is_empty() {
                refused.insert((n, "words"));
            } else {
                let theirs = told.findings.iter_mut().filter(|finding| approval.answers_for(finding));
                theirs.for_each(|finding| finding.approved_by = Some(approval.by.clone()));
            }
        }
        for (n, why) in refused {
            let Some(approval) = told.plan.approvals.get(n) else { continue };
            let code = approval.code;
            let words = match why {
                "law" => (
                    format!("“{}”是法律规定，不能批准", code.zh()),
                    format!("{} is a matter of law and cannot be approved", code.label()),
                ),
                _ => (
                    format!("批准“{}”须有批准人和理由", code.zh()),
                    format!("the approval of {} has no name or no reason", code.label()),
                ),
            };
            told.of(Code::Approval, approval.person.as_ref(), approval.date, approval.place.clone(), words);
        }
    }
}

impl Approval {
    fn answers_for(&self, finding: &Finding) -> bool {
        self.code == finding.code
            && finding.severity == Severity::Blocks
            && (self.person.is_none() || self.person == finding.person)
            && (self.date.is_none() || self.date == finding.date)
    }
}
