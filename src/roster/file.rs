//! The roster's files read: people, contracts, shifts, needs, rules, plans, the forecast. Any file may hold any of them; what is wrong is
//! left out and told with its place.

use super::law::near;
use super::model::{
    Approval, Approved, Assignment, Contract, Cycle, Forecast, Kind, Need, Person, PersonId, Place, Plan,
    Roster, Shift, ShiftCode, Status, Wanted,
};
use super::moment::{Clock, DAY, days_since};
use super::raw;
use super::read::{File, Problem, date_of};
use super::rules::{Code, Rule, Severity};
use super::template::{Member, Rotation, Template};
use crate::base::DayKind;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;
use toml::value::Datetime;

/// Longest plan with an end, and most dates of one assignment.
const LONGEST_PLAN: i64 = 3 * 366;

/// Words of a choice and what they mean.
type Words<T> = [(T, &'static str)];

const DAYS: &Words<DayKind> =
    &[(DayKind::Workday, "workday"), (DayKind::Weekend, "weekend"), (DayKind::Holiday, "holiday")];
const CYCLES: &Words<Cycle> = &[(Cycle::Month, "month"), (Cycle::Quarter, "quarter"), (Cycle::Year, "year")];

impl Roster {
    /// Reads files (name, text) into one roster.
    pub fn read(files: &[(String, String)]) -> (Self, Vec<Problem>) {
        let mut roster = Self::default();
        let mut problems = Vec::new();
        let mut documents: Vec<(File<'_>, raw::Document)> = Vec::new();
        for (name, text) in files {
            let mut file = File { name, text, problems: Vec::new() };
            match toml::from_str(text) {
                Ok(document) => documents.push((file, document)),
                Err(error) => {
                    file.tell_toml(&error);
                    problems.append(&mut file.problems);
                }
            }
        }
        // Contracts are named by people of any file, so they come first.
        let mut contracts: BTreeMap<Arc<str>, Contract> = BTreeMap::new();
        contracts.insert("standard".into(), Contract::Standard);
        for (file, document) in &mut documents {
            document.contract.iter().for_each(|contract| read_contract(file, contract, &mut contracts));
        }
        for (file, document) in &mut documents {
            take(file, document, &contracts, &mut roster);
            problems.append(&mut file.problems);
        }
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        (roster, problems)
    }
}

fn take(
    file: &mut File<'_>,
    document: &raw::Document,
    contracts: &BTreeMap<Arc<str>, Contract>,
    roster: &mut Roster,
) {
    for raw in &document.person {
        let Some(person) = read_person(file, raw, contracts) else { continue };
        if roster.people.contains_key(&person.id) {
            file.tell(raw.id.span().start, format_args!("the person \"{}\" is written twice", person.id));
        } else {
            roster.people.insert(person.id.clone(), person);
        }
    }
    for raw in &document.shift {
        let Some(shift) = read_shift(file, raw) else { continue };
        if roster.shifts.contains_key(&shift.code) {
            file.tell(raw.code.span().start, format_args!("the shift \"{}\" is written twice", shift.code));
        } else {
            roster.shifts.insert(shift.code.clone(), shift);
        }
    }
    let needs: Vec<Need> = document.need.iter().filter_map(|raw| read_need(file, raw)).collect();
    roster.needs.extend(needs);
    for raw in &document.rule {
        if let Some((code, rule)) = read_rule(file, raw) {
            roster.rules.rules.insert(code, rule);
        }
    }
    if let Some(night) = &document.night {
        read_night(file, night, roster);
    }
    for raw in &document.plan {
        let Some(plan) = read_plan(file, raw) else { continue };
        if roster.plan(&plan.name).is_some() {
            file.tell(raw.name.span().start, format_args!("the plan \"{}\" is written twice", plan.name));
        } else {
            roster.plans.push(plan);
        }
    }
    if let Some(raw) = &document.forecast {
        if roster.forecast.is_some() {
            file.tell(raw.hours.span().start, "there is a forecast in another file already");
        } else {
            roster.forecast = read_forecast(file, raw);
        }
    }
}

fn place(file: &File<'_>, offset: usize) -> Option<Place> {
    let (line, column) = file.place(offset);
    Some(Place { file: file.name.into(), line, column })
}

fn day(file: &mut File<'_>, given: &Spanned<Datetime>) -> Option<Date> {
    let date = date_of(given.get_ref());
    if date.is_none() {
        file.tell(given.span().start, format_args!("{} is not a date like 2026-11-26", given.get_ref()));
    }
    date
}

fn day_if(file: &mut File<'_>, given: Option<&Spanned<Datetime>>) -> Option<Date> {
    given.and_then(|given| day(file, given))
}

fn clock(file: &mut File<'_>, given: &Spanned<String>) -> Option<i64> {
    let clock = Clock::read(given.get_ref()).map(|clock| clock.0);
    if clock.is_none() {
        file.tell(given.span().start, format_args!("\"{}\" is not a time like \"08:30\"", given.get_ref()));
    }
    clock
}

fn choice<T: Copy>(file: &mut File<'_>, given: &Spanned<String>, words: &Words<T>) -> Option<T> {
    let found = words.iter().find(|(_, word)| word == given.get_ref()).map(|(value, _)| *value);
    if found.is_none() {
        let all: Vec<_> = words.iter().map(|(_, word)| *word).collect();
        file.tell(given.span().start, format_args!("\"{}\" is none of {}", given.get_ref(), all.join(", ")));
    }
    found
}

fn read_contract(file: &mut File<'_>, raw: &raw::Contract, contracts: &mut BTreeMap<Arc<str>, Contract>) {
    let name: Arc<str> = raw.name.get_ref().as_str().into();
    if contracts.contains_key(&name) {
        return file.tell(raw.name.span().start, format_args!("the contract \"{name}\" is written twice"));
    }
    let cycle = match &raw.cycle {
        Some(given) => choice(file, given, CYCLES).unwrap_or(Cycle::Year),
        None => Cycle::Year,
    };
    let date = day_if(file, raw.date.as_ref());
    let until = day_if(file, raw.until.as_ref());
    let number = raw.number.as_deref().map(str::trim).filter(|number| !number.is_empty());
    // Number and date make an approval; with one of them missing there is none, and the check of a plan says so.
    let approval = number.zip(date).map(|(number, date)| Approved { number: number.to_owned(), date, until });
    contracts.insert(name, Contract::Averaged { cycle, approval });
}

fn read_person(
    file: &mut File<'_>,
    raw: &raw::Person,
    contracts: &BTreeMap<Arc<str>, Contract>,
) -> Option<Person> {
    let id = raw.id.get_ref();
    if id.trim().is_empty() {
        file.tell(raw.id.span().start, "a person needs an id");
        return None;
    }
    let mut skills = BTreeMap::new();
    for (skill, level) in &raw.skills {
        match u8::try_from(*level.get_ref()) {
            Ok(level @ 1..=9) => drop(skills.insert(skill.clone(), level)),
            _ => file.tell(level.span().start, format_args!("the level of {skill} is not 1 to 9")),
        }
    }
    for language in &raw.languages {
        skills.entry(language.clone()).or_insert(1);
    }
    let contract = match &raw.contract {
        None => Contract::Standard,
        Some(given) => contracts.get(given.get_ref().as_str()).cloned().unwrap_or_else(|| {
            let hint = near(given.get_ref(), contracts.keys());
            file.tell(given.span().start, format_args!("there is no contract \"{}\"{hint}", given.get_ref()));
            Contract::Standard
        }),
    };
    Some(Person {
        id: PersonId::from(id.as_str()),
        name: raw.name.clone().unwrap_or_else(|| id.clone()),
        skills,
        lead: raw.lead,
        birth: day_if(file, raw.birth.as_ref()),
        pregnant_from: day_if(file, raw.pregnant_from.as_ref()),
        due: day_if(file, raw.due.as_ref()),
        nursing_until: day_if(file, raw.nursing_until.as_ref()),
        contract,
        hired: day_if(file, raw.hired.as_ref()),
        left: day_if(file, raw.left.as_ref()),
        place: place(file, raw.id.span().start),
    })
}

fn read_shift(file: &mut File<'_>, raw: &raw::Shift) -> Option<Shift> {
    let (start, mut end) = (clock(file, &raw.start)?, clock(file, &raw.end)?);
    // An end before the start is in the next morning.
    if end <= start {
        end += DAY;
    }
    let length = end - start;
    if start > DAY || length > DAY || end <= start {
        file.tell(raw.end.span().start, "a shift begins by 24:00 and lasts a day at most");
        return None;
    }
    let unpaid = raw.unpaid_min.as_ref().map_or(0, |given| *given.get_ref());
    if !(0..length).contains(&unpaid) {
        let at = raw.unpaid_min.as_ref().map_or(0, |given| given.span().start);
        file.tell(at, format_args!("a break of {unpaid} minutes does not fit in a shift of {length}"));
        return None;
    }
    let code = raw.code.get_ref();
    let name = raw.name.clone().unwrap_or_else(|| code.clone());
    let code = ShiftCode::from(code.as_str());
    Some(Shift { code, name, start, end, unpaid, place: place(file, raw.code.span().start) })
}

fn read_need(file: &mut File<'_>, raw: &raw::Need) -> Option<Need> {
    let at = raw.wanted.span().start;
    let wanted = match (raw.wanted.get_ref().as_str(), &raw.skill) {
        ("agents", None) => Wanted::Agents,
        ("lead", None) => Wanted::Lead,
        ("on_call", None) => Wanted::OnCall,
        ("skill", Some(skill)) => {
            let level = u8::try_from(raw.level.unwrap_or(1)).ok().filter(|level| (1..=9).contains(level));
            let Some(level) = level else {
                file.tell(at, "the level is not 1 to 9");
                return None;
            };
            Wanted::Skill(skill.clone(), level)
        }
        ("skill", None) => {
            file.tell(at, "which skill? skill = \"english\"");
            return None;
        }
        (other, _) => {
            file.tell(
                at,
                format_args!("\"{other}\" is none of agents, lead, on_call, skill (with skill = …)"),
            );
            return None;
        }
    };
    let from = raw.from.as_ref().map_or(Some(0), |given| clock(file, given))?;
    let to = raw.to.as_ref().map_or(Some(DAY), |given| clock(file, given))?;
    if to > DAY || from >= to {
        let at = raw.to.as_ref().or(raw.from.as_ref()).map_or(at, |given| given.span().start);
        file.tell(at, "a need is inside one day: hours over midnight are two needs");
        return None;
    }
    let Some(people) = u16::try_from(*raw.people.get_ref()).ok().filter(|n| *n <= 10_000) else {
        file.tell(raw.people.span().start, "a need is 0 to 10000 people");
        return None;
    };
    let days = raw.days.iter().map(|given| choice(file, given, DAYS)).collect::<Option<Vec<_>>>()?;
    Some(Need { wanted, people, days, from, to, place: place(file, at) })
}

fn code(file: &mut File<'_>, given: &Spanned<String>) -> Option<Code> {
    let found = Code::read(given.get_ref());
    if found.is_none() {
        let labels: Vec<Arc<str>> = Code::ALL.iter().map(|code| code.label().into()).collect();
        let hint = near(given.get_ref(), labels.iter());
        file.tell(given.span().start, format_args!("there is no rule \"{}\"{hint}", given.get_ref()));
    }
    found
}

fn read_rule(file: &mut File<'_>, raw: &raw::Rule) -> Option<(Code, Rule)> {
    let code = code(file, &raw.code)?;
    let severities = [(Severity::Blocks, "blocks"), (Severity::Warns, "warns")];
    let severity = choice(file, &raw.severity, &severities)?;
    let mark = choice(file, &raw.mark, &[('G', "G"), ('P', "P"), ('I', "I")])?;
    let limit = raw.limit.as_ref().map(|given| *given.get_ref());
    if limit.is_some_and(|limit| !(0..=100_000).contains(&limit)) {
        let at = raw.limit.as_ref().map_or(0, |given| given.span().start);
        file.tell(at, "a limit is 0 to 100000");
        return None;
    }
    Some((code, Rule { severity, law: raw.law, limit, source: raw.source.clone(), mark }))
}

fn read_night(file: &mut File<'_>, raw: &raw::Night, roster: &mut Roster) {
    let (Some(from), Some(to)) = (clock(file, &raw.from), clock(file, &raw.to)) else { return };
    if to >= from || from >= DAY {
        return file.tell(raw.to.span().start, "the night ends in the next morning, before it begins again");
    }
    let rules = &mut roster.rules;
    (rules.night_from, rules.night_to) = (from, to);
    for (given, value) in [
        (&raw.counts_from_min, &mut rules.night_counts_from),
        (&raw.early_login_min, &mut rules.early_login),
        (&raw.late_logout_min, &mut rules.late_logout),
    ] {
        match given {
            Some(given) if (0..=DAY / 2).contains(given.get_ref()) => *value = *given.get_ref(),
            Some(given) => file.tell(given.span().start, "minutes are 0 to 720"),
            None => {}
        }
    }
}

fn read_plan(file: &mut File<'_>, raw: &raw::Plan) -> Option<Plan> {
    let from = day(file, &raw.from)?;
    let to = match &raw.to {
        Some(given) => {
            let to = day(file, given)?;
            if !(1..=LONGEST_PLAN).contains(&days_since(from, to)) {
                file.tell(
                    given.span().start,
                    format_args!("a plan from {from} has 1 to {LONGEST_PLAN} days"),
                );
                return None;
            }
            Some(to)
        }
        None => None,
    };
    let statuses = [(Status::Draft, "draft"), (Status::Published, "published")];
    let status =
        raw.status.as_ref().and_then(|given| choice(file, given, &statuses)).unwrap_or(Status::Draft);
    let rotations = raw.rotation.iter().filter_map(|raw| read_rotation(file, raw, from)).collect();
    let mut assignments = Vec::new();
    for raw in &raw.assign {
        read_assignments(file, raw, &mut assignments);
    }
    let approvals = raw.approve.iter().filter_map(|raw| read_approval(file, raw)).collect();
    Some(Plan {
        name: raw.name.get_ref().clone(),
        from,
        to,
        status,
        rotations,
        assignments,
        changes: BTreeMap::new(),
        approvals,
        always: raw.always.iter().map(|id| PersonId::from(id.as_str())).collect(),
        place: place(file, raw.name.span().start),
    })
}

fn read_rotation(file: &mut File<'_>, raw: &raw::Rotation, from: Date) -> Option<Rotation> {
    let template = choice(file, &raw.template, &Template::ALL)?;
    let at = raw.template.span().start;
    if template.teams().is_some_and(|teams| teams != raw.teams.len()) || raw.teams.is_empty() {
        let wanted = template.teams().unwrap_or(1);
        let given = raw.teams.len();
        file.tell(at, format_args!("{} has {wanted} teams, not {given}", raw.template.get_ref()));
        return None;
    }
    let shifts: Vec<ShiftCode> = if raw.shifts.is_empty() {
        template.shifts().iter().map(|code| ShiftCode::from(*code)).collect()
    } else {
        raw.shifts.iter().map(|code| ShiftCode::from(code.as_str())).collect()
    };
    if shifts.len() != template.shifts().len() {
        let wanted = template.shifts().len();
        let given = shifts.len();
        file.tell(at, format_args!("{} has {wanted} shifts, not {given}", raw.template.get_ref()));
        return None;
    }
    let anchor = raw.anchor.as_ref().map_or(Some(from), |given| day(file, given))?;
    let member = |id: &Spanned<String>| Member {
        id: PersonId::from(id.get_ref().as_str()),
        place: place(file, id.span().start),
    };
    let teams = raw.teams.iter().map(|team| team.iter().map(member).collect()).collect();
    Some(Rotation { template, anchor, teams, shifts })
}

fn read_assignments(file: &mut File<'_>, raw: &raw::Assign, out: &mut Vec<Assignment>) {
    let labels = Kind::ALL;
    let kind = match &raw.kind {
        Some(given) => match choice(file, given, &labels) {
            Some(kind) => kind,
            None => return,
        },
        None => Kind::Work,
    };
    let shift = match (&raw.shift, kind) {
        (Some(_), Kind::Leave) => {
            return file.tell(raw.person.span().start, "leave is a whole day: it has no shift");
        }
        (Some(shift), _) => ShiftCode::from(shift.as_str()),
        (None, Kind::Leave) => ShiftCode::from(""),
        (None, _) => return file.tell(raw.person.span().start, "which shift? shift = \"early\""),
    };
    for given in &raw.dates {
        let Some(date) = day(file, given) else { continue };
        out.push(Assignment {
            person: PersonId::from(raw.person.get_ref().as_str()),
            date,
            shift: ShiftCode::clone(&shift),
            kind,
            place: place(file, given.span().start),
        });
    }
}

fn read_approval(file: &mut File<'_>, raw: &raw::Approve) -> Option<Approval> {
    Some(Approval {
        code: code(file, &raw.code)?,
        person: raw.person.as_deref().map(PersonId::from),
        date: match &raw.date {
            Some(given) => Some(day(file, given)?),
            None => None,
        },
        by: raw.by.clone(),
        reason: raw.reason.clone(),
        place: place(file, raw.code.span().start),
    })
}

fn read_forecast(file: &mut File<'_>, raw: &raw::Forecast) -> Option<Forecast> {
    let hours = raw.hours.get_ref();
    if hours.len() != 24 {
        file.tell(raw.hours.span().start, format_args!("a day has 24 hours, not {}", hours.len()));
        return None;
    }
    let mut fine = true;
    let mut within = |given: &Spanned<f64>, name: &str, least: f64, most: f64| {
        let value = *given.get_ref();
        if !(least..=most).contains(&value) {
            file.tell(given.span().start, format_args!("{name} is not {least} to {most}"));
            fine = false;
        }
        value
    };
    let hours: Vec<f64> = hours.iter().map(|calls| within(calls, "calls an hour", 0.0, 100_000.0)).collect();
    let forecast = Forecast {
        source: raw.source.clone(),
        aht_s: within(&raw.aht_s, "aht_s", 1.0, 86_400.0),
        service: within(&raw.service, "service", 0.01, 0.999),
        within_s: within(&raw.within_s, "within_s", 0.0, 3_600.0),
        patience_s: within(&raw.patience_s, "patience_s", 1.0, 86_400.0),
        seed: raw.seed,
        workday: hours.iter().flat_map(|calls| [*calls, *calls]).collect(),
        weekend: within(&raw.weekend, "weekend", 0.0, 100.0),
        holiday: within(&raw.holiday, "holiday", 0.0, 100.0),
    };
    fine.then_some(forecast)
}
