//! Time's own part in the loop: reminders, lateness, escalations, clocks counted again when a calendar came. What is to be done says
//! `ticket::cycle`; here it is only asked again and again.

use super::clock::Clock;
use super::works::InForce;
use crate::roster::Calendar;
use crate::store::{Db, StoreError};
use crate::ticket::cycle::Tables;
use crate::ticket::district::District;
use crate::ticket::rules::RuleBook;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked: a reminder may be so much late.
const LOOK: Duration = Duration::from_secs(1);
/// Tickets looked at in one go; then others may write.
const STRIDE: u32 = 128;
/// Such goes of old tickets before deadlines are looked at again.
const HANDS: usize = 8;

pub struct Due {
    pub db: Db,
    pub live: InForce,
    pub zone: TimeZone,
    pub clock: Clock,
}

impl Due {
    /// Until the process ends. A database that is away is asked again.
    pub async fn run(self) {
        let (district, rules) = (Arc::new(District::shipped()), Arc::new(RuleBook::shipped()));
        // All open tickets are looked through by each calendar once.
        let mut looked: Option<Arc<Calendar>> = None;
        let mut measured = false;
        loop {
            let calendar = Arc::clone(&self.live.get().calendar);
            let tables = Tables {
                district: Arc::clone(&district),
                rules: Arc::clone(&rules),
                calendar: Arc::clone(&calendar),
                zone: self.zone.clone(),
            };
            let known = looked.as_ref().is_some_and(|known| Arc::ptr_eq(known, &calendar));
            let outcome = if known { Ok(()) } else { self.look_through(&tables).await };
            match outcome {
                Ok(()) => looked = Some(calendar),
                Err(error) => tracing::debug!(%error, "open tickets are not looked through yet"),
            }
            if !measured {
                measured = self.measure_again(&tables).await;
            }
            if let Err(error) = self.tick(&tables).await {
                tracing::debug!(%error, "deadlines");
            }
            sleep(LOOK).await;
        }
    }

    async fn tick(&self, tables: &Tables) -> Result<(), StoreError> {
        loop {
            let now = self.clock.wall_ms();
            let ids = self.db.tickets_to_watch(now, STRIDE).await?;
            let mut done = 0;
            for id in &ids {
                match self.db.tick_ticket(id, now, tables).await {
                    Ok(did) => done += u32::from(did),
                    // One that cannot be read holds up no other.
                    Err(StoreError::Corrupt(what)) => tracing::warn!(ticket = %id, %what, "its deadlines"),
                    Err(error) => return Err(error),
                }
            }
            // A full hand of which something was done: there may be more.
            if done < STRIDE {
                return Ok(());
            }
        }
    }

    /// Tickets whose rates an older program counted, some hands at a time; whether none is left.
    async fn measure_again(&self, tables: &Tables) -> bool {
        for _ in 0..HANDS {
            match self.db.measure_again(STRIDE, tables).await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "rates are not counted again yet");
                    return false;
                }
            }
        }
        false
    }

    async fn look_through(&self, tables: &Tables) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let ids = self.db.open_tickets(&after, STRIDE).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after.clone_from(last);
            for id in &ids {
                match self.db.tick_ticket(id, self.clock.wall_ms(), tables).await {
                    Ok(_) => {}
                    Err(StoreError::Corrupt(what)) => tracing::warn!(ticket = %id, %what, "its clocks"),
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
