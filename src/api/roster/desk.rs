//! The roster in force: the files of the last start or reload under what was approved since.

use crate::roster::request::{Event, Request, Stage, Turn, Wish};
use crate::roster::{
    Approval, Assignment, Calendar, Code, Kind, Minute, PersonId, Plan, Roster, Row, ShiftCode,
};
use crate::store::{Db, RosterChanges, RosterDay, RosterEvent, RosterRequest, StoreError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// People, shifts, plans, calendars as the files say.
#[derive(Clone, Debug, Default)]
pub struct RosterFiles {
    pub roster: Roster,
    pub calendar: Calendar,
    /// Only who is on shift may be ready.
    pub binds: bool,
}

/// Shared by the pages and by whoever tells the engine. `app` puts new files in.
#[derive(Debug, Default)]
pub struct RosterDesk {
    files: Mutex<Arc<RosterFiles>>,
    /// Told after each change, of the files or by an approval.
    pub changed: Notify,
    tables: Mutex<Tables>,
}

/// Seats of a kind of day, worked out once for each version of the files: the played days take a while.
#[derive(Debug, Default)]
struct Tables {
    of: Option<Arc<RosterFiles>>,
    known: BTreeMap<&'static str, Arc<Vec<Row>>>,
}

impl RosterDesk {
    pub fn new(files: RosterFiles) -> Self {
        Self { files: Mutex::new(Arc::new(files)), ..Self::default() }
    }

    pub fn files(&self) -> Arc<RosterFiles> {
        Arc::clone(&lock(&self.files))
    }

    pub fn replace(&self, files: RosterFiles) {
        *lock(&self.files) = Arc::new(files);
        self.changed.notify_one();
    }

    /// The files with what was approved since.
    pub async fn in_force(&self, db: &Db) -> Result<InForce, StoreError> {
        Ok(InForce::new(self.files(), db.roster_changes().await?))
    }

    /// The table of a kind of day; the caller computes it where it is not known.
    pub fn table(&self, files: &Arc<RosterFiles>, kind: &'static str) -> Option<Arc<Vec<Row>>> {
        let tables = lock(&self.tables);
        let same = tables.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, files));
        same.then(|| tables.known.get(kind).cloned()).flatten()
    }

    pub fn keep_table(&self, files: &Arc<RosterFiles>, kind: &'static str, rows: &Arc<Vec<Row>>) {
        let mut tables = lock(&self.tables);
        if !tables.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, files)) {
            *tables = Tables { of: Some(Arc::clone(files)), known: BTreeMap::new() };
        }
        tables.known.insert(kind, Arc::clone(rows));
    }
}

/// Plain data behind each: a thread that panicked left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A roster with the changes in it.
#[derive(Clone, Debug)]
pub struct InForce {
    pub files: Arc<RosterFiles>,
    pub roster: Roster,
    /// Approvals so far: whoever approves says on how many he looked.
    pub n: i64,
}

impl InForce {
    pub fn new(files: Arc<RosterFiles>, changes: RosterChanges) -> Self {
        let mut roster = files.roster.clone();
        for day in changes.days {
            let Some((date, duties)) = duties_of(&day) else { continue };
            // A plan that is gone from the files has taken its changes along.
            if let Some(plan) = roster.plans.iter_mut().find(|plan| plan.name == day.plan) {
                plan.changes.insert((PersonId::from(day.person), date), duties);
            }
        }
        for one in changes.approvals {
            let Some(code) = Code::read(&one.code) else { continue };
            if let Some(plan) = roster.plans.iter_mut().find(|plan| plan.name == one.plan) {
                plan.approvals.push(Approval {
                    code,
                    person: one.person.map(PersonId::from),
                    date: one.day.and_then(|day| day.parse().ok()),
                    by: one.by,
                    reason: one.reason,
                    place: None,
                });
            }
        }
        Self { files, roster, n: changes.n }
    }

    pub fn calendar(&self) -> &Calendar {
        &self.files.calendar
    }

    /// The published plan of a day.
    pub fn plan(&self, day: Date) -> Option<&Plan> {
        self.roster.in_force(day)
    }
}

/// The wall clock's minute in the district's zone.
pub fn minute(ms: i64, zone: &TimeZone) -> Minute {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Minute::of(at.to_zoned_datetime(zone.clone()).datetime())
}

/// Back to the wall clock, milliseconds since 1970.
pub fn wall_ms(minute: Minute, zone: &TimeZone) -> i64 {
    zone.to_timestamp(minute.to_datetime()).map_or(0, jiff::Timestamp::as_millisecond)
}

fn duties_of(day: &RosterDay) -> Option<(Date, Vec<Assignment>)> {
    let date: Date = day.day.parse().ok()?;
    let Json::Array(list) = serde_json::from_str(&day.duties).ok()? else { return None };
    let duty = |one: &Json| {
        let kind = one["kind"].as_str()?;
        Some(Assignment {
            person: PersonId::from(day.person.as_str()),
            date,
            shift: ShiftCode::from(one["shift"].as_str()?),
            kind: Kind::ALL.iter().find(|(_, label)| *label == kind)?.0,
            place: None,
        })
    };
    Some((date, list.iter().filter_map(duty).collect()))
}

/// The days of `after` that are others than `before`'s.
pub fn changed_days(before: &Plan, after: &Plan) -> Vec<RosterDay> {
    let new = after.changes.iter().filter(|(key, duties)| before.changes.get(*key) != Some(*duties));
    new.map(|((person, date), duties)| {
        let duties: Vec<Json> =
            duties.iter().map(|a| json!({"shift": &*a.shift, "kind": a.kind.label()})).collect();
        RosterDay {
            plan: after.name.clone(),
            person: person.to_string(),
            day: date.to_string(),
            duties: Json::Array(duties).to_string(),
        }
    })
    .collect()
}

pub fn wish_json(wish: &Wish) -> Json {
    let turn = |turn: &Turn| json!({"person": &*turn.person, "date": turn.date, "shift": &*turn.shift});
    match wish {
        Wish::Swap { mine, theirs } => json!({"kind": "swap", "mine": turn(mine), "theirs": turn(theirs)}),
        Wish::Leave { person, from, to, cover } => {
            json!({"kind": "leave", "person": &**person, "from": from, "to": to, "cover": cover.as_deref()})
        }
    }
}

fn wish_of(text: &str) -> Option<Wish> {
    let json: Json = serde_json::from_str(text).ok()?;
    let turn = |json: &Json| {
        Some(Turn {
            person: json["person"].as_str()?.into(),
            date: json["date"].as_str()?.parse().ok()?,
            shift: json["shift"].as_str()?.into(),
        })
    };
    match json["kind"].as_str()? {
        "swap" => Some(Wish::Swap { mine: turn(&json["mine"])?, theirs: turn(&json["theirs"])? }),
        "leave" => Some(Wish::Leave {
            person: json["person"].as_str()?.into(),
            from: json["from"].as_str()?.parse().ok()?,
            to: json["to"].as_str()?.parse().ok()?,
            cover: json["cover"].as_str().map(PersonId::from),
        }),
        _ => None,
    }
}

/// A kept row as the room knows it; `None` for one that this version cannot read.
pub fn request_of(row: &RosterRequest, zone: &TimeZone) -> Option<Request> {
    let event = |event: &RosterEvent| {
        Some(Event {
            stage: Stage::read(&event.stage)?,
            by: PersonId::from(event.by.as_str()),
            at: minute(event.at, zone),
            why: event.why.clone(),
        })
    };
    let events: Option<Vec<Event>> = row.events.iter().map(event).collect();
    Request::kept(wish_of(&row.wish)?, events?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{demo_roster, plus_days};
    use jiff::civil::date;

    #[test]
    fn what_was_approved_comes_back_over_the_files() {
        let (roster, _) = demo_roster(date(2026, 11, 26));
        let plan = roster.in_force(date(2026, 11, 26)).unwrap().clone();
        let (day, person) = (date(2026, 12, 3), PersonId::from("8011"));
        let mut after = plan.clone();
        let duty = Assignment {
            person: person.clone(),
            date: day,
            shift: "late".into(),
            kind: Kind::Work,
            place: None,
        };
        after.changes.insert((person.clone(), day), vec![duty.clone()]);
        after.changes.insert((person.clone(), plus_days(day, 1)), Vec::new());
        let days = changed_days(&plan, &after);
        assert_eq!(days.len(), 2);
        let files = Arc::new(RosterFiles { roster, calendar: Calendar::default(), binds: true });
        let changes = RosterChanges { n: 1, days, approvals: Vec::new() };
        let there = InForce::new(files, changes);
        assert_eq!(there.plan(day).unwrap().changes, after.changes);
        assert_eq!(there.plan(day).unwrap().changes[&(person, day)], [duty]);
    }

    #[test]
    fn wishes_read_back() {
        let turn = |who: &str| Turn { person: who.into(), date: date(2026, 12, 1), shift: "early".into() };
        let swap = Wish::Swap { mine: turn("8001"), theirs: turn("8002") };
        let leave = Wish::Leave {
            person: "8001".into(),
            from: date(2026, 12, 31),
            to: date(2027, 1, 2),
            cover: None,
        };
        for wish in [swap, leave] {
            assert_eq!(wish_of(&wish_json(&wish).to_string()), Some(wish));
        }
        assert_eq!(wish_of("{}"), None);
    }

    #[test]
    fn minutes_are_the_districts() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = minute(1_764_120_630_000, &zone);
        assert_eq!(wall_ms(at, &zone), 1_764_120_600_000);
        assert_eq!(at.of_day(), (1_764_120_600 / 60 + 480) % 1440);
    }
}
