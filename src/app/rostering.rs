//! The roster told to the engine: who may be ready, at each turn of a shift; who is told of his shifts; when nobody is there.
//!
//! Nothing is looked at between two turns: it sleeps until the next one, or until somebody changes the roster.

use super::clock::Clock;
use super::engine_thread::{Order, Orders};
use super::metrics::{Board, Sample};
use crate::api::{InForce, RosterDesk, SignedTurn, roster_minute, roster_wall_ms, signed_turns};
use crate::call::agents::seam::{ToEngine, Turn};
use crate::roster::{
    ANNOUNCED, Clock as OfDay, Duty, GAP_AHEAD, Gap, Kind, Minute, PersonId, Schedule, Turned, plus_days,
};
use crate::store::Db;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Days ahead for which people are told of changes.
const AHEAD: i64 = 14;
/// The wall clock may be set while we sleep, so we look at it this often at least.
const LONGEST: Duration = Duration::from_secs(600);
/// A database that is away, or an engine whose inbox is full, is asked again after this.
const AGAIN: Duration = Duration::from_secs(2);
const DB_PATIENCE: Duration = Duration::from_secs(2);
/// Days of which unsigned hand-overs are counted.
const COUNTED: i64 = 31;
const DAY_MS: i64 = 86_400_000;

pub struct Rostering {
    pub desk: Arc<RosterDesk>,
    pub db: Db,
    pub orders: Orders,
    pub zone: TimeZone,
    pub clock: Clock,
    pub board: Board,
}

/// Who may be ready, where the roster binds; and who is on call.
type May = (Option<BTreeMap<Arc<str>, Turn>>, Vec<Arc<str>>);

/// What was told last.
#[derive(Default)]
struct Told {
    may: Option<May>,
    /// Announced up to and with this minute.
    upto: Option<Minute>,
    /// The gap that leads know of: its beginning, and whether it has begun.
    gap: Option<(Minute, bool)>,
    schedule: Option<(Date, Arc<Schedule>)>,
    /// Hand-overs whose leads were told that they are not signed.
    unsigned: BTreeSet<Minute>,
}

impl Rostering {
    pub async fn run(self) {
        let mut told = Told::default();
        let mut changed = true;
        let mut kept: Option<InForce> = None;
        loop {
            let mut whole = true;
            if changed {
                match timeout(DB_PATIENCE, self.desk.in_force(&self.db)).await {
                    Ok(Ok(in_force)) => kept = Some(in_force),
                    // The files alone are better than nobody at work; what was approved comes when the database does.
                    Ok(Err(_)) | Err(_) => {
                        whole = false;
                        let files = || InForce::new(self.desk.files(), Default::default());
                        kept.get_or_insert_with(files);
                    }
                }
            }
            let Some(in_force) = &kept else { return };
            let now = roster_minute(self.clock.wall_ms(), &self.zone);
            let next = self.turn(in_force, now, changed, &mut told);
            let due = self.handovers(&mut told).await;
            let next = next.map(|next| due.map_or(next, |due| next.min(due)));
            let rest = match next {
                Some(next) if whole => {
                    let ms = roster_wall_ms(next, &self.zone) - self.clock.wall_ms();
                    Duration::from_millis(u64::try_from(ms.max(0)).unwrap_or(0) + 20).min(LONGEST)
                }
                Some(_) | None => AGAIN,
            };
            changed = tokio::select! {
                () = self.desk.changed.notified() => true,
                () = sleep(rest) => !whole,
            };
        }
    }

    /// Tells what holds at `now`; the next minute at which something else does. `None`: the engine could not be told.
    fn turn(&self, in_force: &InForce, now: Minute, changed: bool, told: &mut Told) -> Option<Minute> {
        let schedule = self.schedule(in_force, now, changed, told);
        let may = in_force.files.binds.then(|| self.may(in_force, &schedule, now));
        let on_call: Vec<Arc<str>> = schedule.on_call(now).into_iter().map(Arc::from).collect();
        if told.may.as_ref() != Some(&(may.clone(), on_call.clone())) {
            let word = ToEngine::Roster { may: may.clone(), on_call: on_call.clone() };
            if !self.orders.give(Order::Agent(word)) {
                return None;
            }
            told.may = Some((may, on_call));
        }
        // Whoever never published a plan has no roster to miss anybody by.
        let planned = in_force.plan(now.date()).is_some();
        if planned {
            self.announce(in_force, &schedule, now, told);
            self.gap(in_force, &schedule, now, told);
        }
        self.publish(in_force, &schedule, now, planned);
        let midnight = Minute::on(plus_days(now.date(), 1), 0);
        Some(schedule.next_turn(&in_force.roster, now).map_or(midnight, |turn| turn.min(midnight)))
    }

    /// Tells leads once of each hand-over that both have not signed in time, and how many there were; the minute at which the next is due.
    async fn handovers(&self, told: &mut Told) -> Option<Minute> {
        let now_ms = self.clock.wall_ms();
        let asked = signed_turns(&self.desk, &self.db, &self.zone, now_ms, COUNTED);
        // Without its database it is told when that is back.
        let turns = timeout(DB_PATIENCE, asked).await.ok()?.ok()?;
        let overdue = || turns.iter().filter(|turn| turn.overdue);
        let samples = vec![Sample::gauge(
            "hotline_roster_handovers_unsigned",
            "Hand-overs of the last 31 days that both leads had not signed in time",
            overdue().count() as u64,
        )];
        self.board.publish("handovers", samples);
        // The last day's that still is unsigned; older ones are history.
        let fresh = |turn: &&SignedTurn| turn.due_at.is_some_and(|due| now_ms - due < DAY_MS);
        for turn in overdue().filter(|turn| turn.into.is_none()).filter(fresh) {
            if told.unsigned.insert(turn.change.at) {
                let note = turn.change.at.to_string().into();
                self.orders.give(Order::Agent(ToEngine::HandoverUnsigned { note }));
            }
        }
        told.unsigned.retain(|at| now_ms - roster_wall_ms(*at, &self.zone) < 2 * DAY_MS);
        let due = turns.iter().filter_map(|turn| turn.due_at).filter(|due| *due >= now_ms).min()?;
        Some(roster_minute(due, &self.zone).plus(1))
    }

    /// Worked out anew at midnight and after a change; whoever has other shifts then is told.
    fn schedule(&self, in_force: &InForce, now: Minute, changed: bool, told: &mut Told) -> Arc<Schedule> {
        let today = now.date();
        match &told.schedule {
            Some((day, schedule)) if *day == today && !changed => return Arc::clone(schedule),
            _ => {}
        }
        let new = in_force.roster.schedule(today, plus_days(today, AHEAD), in_force.calendar());
        let new = Arc::new(new);
        if let Some((day, before)) = told.schedule.replace((today, Arc::clone(&new)))
            && day == today
        {
            for person in new.changed_since(&before, now) {
                self.say(person, "changed", String::new());
            }
        }
        new
    }

    fn may(&self, in_force: &InForce, schedule: &Schedule, now: Minute) -> BTreeMap<Arc<str>, Turn> {
        let turn = |turned: Turned| {
            let span = turned.from.zip(turned.to);
            Turn { span: span.map(|(from, to)| (self.ms(from), self.ms(to))) }
        };
        let may = schedule.may_be_ready(&in_force.roster, now).into_iter();
        may.map(|(person, turned)| (person, turn(turned))).collect()
    }

    fn announce(&self, in_force: &InForce, schedule: &Schedule, now: Minute, told: &mut Told) {
        // After a start nothing older than an announcement's own time is told.
        let after = told.upto.unwrap_or(now.plus(-ANNOUNCED));
        for notice in schedule.notices(&in_force.roster, after, now) {
            self.say(PersonId::clone(&notice.duty.person), notice.word.label(), words(in_force, notice.duty));
        }
        told.upto = Some(after.max(now));
    }

    fn gap(&self, in_force: &InForce, schedule: &Schedule, now: Minute, told: &mut Told) {
        let gap = schedule.nobody_within(&in_force.roster, now, GAP_AHEAD);
        let begun = gap.as_ref().is_some_and(|gap| gap.from <= now);
        let known = |gap: &Gap| match told.gap {
            // One that has begun is one as long as it lasts.
            Some((_, true)) => begun,
            Some((from, false)) => !begun && gap.from == from,
            None => false,
        };
        if let Some(gap) = gap.as_ref().filter(|gap| !known(gap)) {
            tracing::warn!(from = %gap.from, "nobody is on shift by the roster");
            self.orders.give(Order::Agent(ToEngine::RosterGap { note: gap.from.to_string().into() }));
        }
        told.gap = gap.map(|gap| (gap.from, begun));
    }

    fn say(&self, agent: PersonId, code: &'static str, note: String) {
        self.orders.give(Order::Agent(ToEngine::RosterNotice { agent, code, note: note.into() }));
    }

    fn publish(&self, in_force: &InForce, schedule: &Schedule, now: Minute, planned: bool) {
        let on = |kind| schedule.at(now).filter(|duty| duty.kind == kind).count() as u64;
        let agents = schedule.who(now).into_iter();
        let agents =
            agents.filter(|id| in_force.roster.people.get(*id).is_some_and(|p| !p.lead)).count() as u64;
        let gauge = |what: &str, n| {
            Sample::gauge("hotline_roster", "What the published plan says of this minute", n)
                .by("what", what.to_owned())
        };
        let samples = vec![
            gauge("agents", agents),
            gauge("on_call", on(Kind::OnCall)),
            gauge("binds", u64::from(in_force.files.binds)),
            gauge("planned", u64::from(planned)),
        ];
        self.board.publish("roster", samples);
    }

    fn ms(&self, minute: Minute) -> i64 {
        roster_wall_ms(minute, &self.zone)
    }
}

/// `早班 08:00–16:00`.
fn words(in_force: &InForce, duty: &Duty) -> String {
    let name = in_force.roster.shifts.get(&duty.shift).map_or(&*duty.shift, |shift| &*shift.name);
    format!("{name} {}–{}", OfDay(duty.from.of_day()), OfDay(duty.to.of_day()))
}
