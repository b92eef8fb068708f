//! 语音催签, carried out: whoever is to be telephoned says `ticket::cycle::urging`; the engine dials; the ticket's history has each attempt once.

use super::clock::Clock;
use super::desk::Door;
use super::metrics::{Board, Sample};
use super::works::InForce;
use crate::base::CallId;
use crate::call::agents::seam::Refused;
use crate::call::agents::urging::VoiceUrge;
use crate::store::{Db, DutyNumber, OpenUrge, StoreError};
use crate::ticket::cycle::urging::{self, Ladder};
use crate::ticket::cycle::{Tables, Ticket};
use crate::ticket::district::District;
use crate::ticket::duty::DutyBook;
use crate::ticket::rules::RuleBook;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// Tickets looked at in one go.
const STRIDE: u32 = 64;
/// Attempts under way: as many as the engine dials at once.
const MOST: usize = 4;
/// An attempt whose call has not come to the tables by then was never dialled, in milliseconds.
const LOST_MS: i64 = 60_000;

pub struct Urging {
    pub db: Db,
    pub door: Arc<Door>,
    pub live: InForce,
    pub zone: TimeZone,
    pub clock: Clock,
    pub board: Board,
}

impl Urging {
    /// Until the process ends. A database that is away is asked again.
    pub async fn run(self) {
        let (district, rules) = (Arc::new(District::shipped()), Arc::new(RuleBook::shipped()));
        let book = DutyBook::shipped();
        let mut ended: BTreeMap<String, u64> = BTreeMap::new();
        loop {
            let tables = Tables {
                district: Arc::clone(&district),
                rules: Arc::clone(&rules),
                calendar: Arc::clone(&self.live.get().calendar),
                zone: self.zone.clone(),
            };
            if let Err(error) = self.look(&tables, &book, &mut ended).await {
                tracing::debug!(%error, "voice urging");
            }
            sleep(LOOK).await;
        }
    }

    async fn look(
        &self,
        tables: &Tables,
        book: &DutyBook,
        ended: &mut BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        let open = self.db.open_urges().await?;
        let mut busy: Vec<String> = Vec::new();
        for urge in open {
            if let Some(result) = self.follow(&urge).await? {
                self.end(&urge, result, tables, ended).await?;
            } else {
                busy.push(urge.number);
            }
        }
        let (Some(ladder), now) = (self.ladder(), self.clock.wall_ms()) else { return Ok(()) };
        let mut duty: Option<Vec<DutyNumber>> = None;
        for (id, ticket) in self.db.tickets_to_urge(STRIDE).await? {
            if busy.len() >= MOST {
                break;
            }
            let Some(rung) = urging::next(&ticket, now, &ladder) else { continue };
            let rows = match &mut duty {
                Some(rows) => rows,
                none => none.insert(self.db.duty_numbers().await?),
            };
            let lead = ticket.lead.as_deref().unwrap_or_default();
            let reached = book.reach(rung, lead, |unit| self.manned(rows, unit, now));
            let (unit, number) = reached.unwrap_or_else(|| (lead.to_owned(), String::new()));
            if busy.contains(&number) {
                // Somebody is just telling them of another.
                continue;
            }
            let urge = OpenUrge {
                id: attempt(&id, &ticket),
                ticket: id,
                unit,
                rung: rung.to_owned(),
                number,
                begun_at: now,
            };
            if self.db.begin_urge(&urge).await? {
                match self.dial(&urge, &ticket, tables).await {
                    None => busy.push(urge.number),
                    Some(result) => self.end(&urge, result, tables, ended).await?,
                }
            }
        }
        Ok(())
    }

    /// As it is configured now; `None`: switched off.
    fn ladder(&self) -> Option<Ladder> {
        let live = self.live.get();
        let set = &live.config.ticket;
        set.voice_urging.then(|| Ladder {
            after_ms: i64::from(set.urge_after_s) * 1000,
            rounds: set.urge_rounds as usize,
            pause_ms: i64::from(set.urge_pause_s) * 1000,
            signs: set.urge_signs,
        })
    }

    /// A unit's numbers that somebody answers now, in their order.
    fn manned(&self, rows: &[DutyNumber], unit: &str, now: i64) -> Vec<String> {
        let Some(local) = crate::ticket::clock::civil(now, &self.zone) else { return Vec::new() };
        let calendar = Arc::clone(&self.live.get().calendar);
        let there =
            |row: &&DutyNumber| row.unit == unit && row.hours().covers(local, |date| calendar.day_kind(date));
        rows.iter().filter(there).map(|row| row.number.clone()).collect()
    }

    /// What came of it already; `None`: it rings.
    async fn dial(&self, urge: &OpenUrge, ticket: &Ticket, tables: &Tables) -> Option<&'static str> {
        if urge.number.is_empty() {
            return Some("no_number");
        }
        let clips = urging::spoken(ticket, &tables.district);
        let wish = VoiceUrge { attempt: urge.id.clone(), number: urge.number.clone(), clips };
        match self.door.voice_urge(wish).await {
            // The engine said nothing in time: the call comes to the tables, or it was never made.
            Ok(Ok(_)) | Err(_) => None,
            Ok(Err(Refused::TargetBusy)) => Some("busy"),
            Ok(Err(Refused::NotAllowed | Refused::NumberRefused)) => Some("not_allowed"),
            Ok(Err(_)) => Some("failed"),
        }
    }

    /// How far an attempt is; its result when it is over.
    async fn follow(&self, urge: &OpenUrge) -> Result<Option<&'static str>, StoreError> {
        let Some(call) = self.db.urge_call(&urge.id).await? else {
            let lost = self.clock.wall_ms().saturating_sub(urge.begun_at) > LOST_MS;
            return Ok(lost.then_some(urging::CUT));
        };
        if call.result.is_none()
            && !self.db.urge_is_needed(urge).await?
            && let Ok(id) = call.call.parse::<CallId>()
        {
            // Signed, or given to another: no reason to ring any longer.
            let _ = self.door.urge_over(id).await;
        }
        Ok(call.result)
    }

    async fn end(
        &self,
        urge: &OpenUrge,
        result: &str,
        tables: &Tables,
        ended: &mut BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        // Switched off meanwhile: what is under way is told all the same.
        let off = Ladder { after_ms: 0, rounds: 0, pause_ms: 0, signs: false };
        let ladder = self.ladder().unwrap_or(off);
        if self.db.end_urge(urge, result, self.clock.wall_ms(), (&ladder, tables)).await? {
            *ended.entry(result.to_owned()).or_default() += 1;
            let samples = ended.iter().map(|(result, n)| {
                Sample::counter(
                    "hotline_voice_urge_total",
                    "Attempts to tell a unit by telephone, by result",
                    *n,
                )
                .by("result", result)
            });
            self.board.publish("urging", samples.collect());
        }
        Ok(())
    }
}

/// The same for one rung of one dispatch: made twice, it is one.
fn attempt(id: &str, ticket: &Ticket) -> String {
    format!("{id}/{}/{}", ticket.state_at, ticket.voice.len())
}
