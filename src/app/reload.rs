//! Reload: everything is read and checked again; then it is swapped whole, or not at all.
//!
//! Calls in progress finish on the flow they began with. Sockets, folders, threads and the prompts are those of the start; a change
//! there is told and waits for the next start.

use super::assets;
use super::build::{self, Bound};
use super::engine_thread::{Order, Orders};
use super::works::{InForce, Live};
use crate::api::RosterDesk;
use crate::config::Config;
use crate::ivr::Book;
use crate::media::Prompts;
use crate::media::seam::ClipId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Reloader {
    pub again: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
    pub bound: Bound,
    pub boot: u32,
    pub prompts: Arc<Prompts>,
    pub clips: Arc<BTreeMap<Arc<str>, ClipId>>,
    pub book: Arc<Book>,
    pub data: PathBuf,
    pub orders: Orders,
    pub roster: Arc<RosterDesk>,
    /// The demonstration has a roster of its own.
    pub demo: bool,
    /// What the desk takes to be in force.
    pub live: InForce,
}

impl Reloader {
    /// Reads, checks, swaps. The problems when nothing was swapped, a line each.
    pub fn reload(&self) -> Result<(), Vec<String>> {
        let outcome = self.try_reload();
        match &outcome {
            Ok(()) => tracing::info!("reloaded"),
            Err(problems) => {
                for problem in problems {
                    tracing::warn!(%problem, "reload refused: the old version stays in force");
                }
                let reason = problems.join("\n");
                self.orders.give(Order::FlowRefused { file: file_of(&reason), reason });
            }
        }
        outcome
    }

    fn try_reload(&self) -> Result<(), Vec<String>> {
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let config = (self.again)().map_err(lines)?;
        let (calendar, mut problems) = assets::calendar(&config);
        let (roster, told) = assets::roster(&config);
        problems.extend(told);
        // Told here too, so that a check and a reload say the same; what is sent changes with the next start.
        let (pushes, told) = assets::pushes(&config);
        problems.extend(told);
        let files = assets::roster_files(&config, roster.clone(), calendar.clone());
        let flows = assets::flows(&config, &self.book);
        let (flows, entry) = match flows {
            Ok(found) if problems.is_empty() => found,
            Ok(_) => return Err(problems),
            Err(told) => {
                problems.extend(told.0);
                return Err(problems);
            }
        };
        assets::keep(&self.data, &entry)
            .map_err(|error| vec![format!("{}: the flow cannot be kept: {error}", self.data.display())])?;
        let loaded = assets::Assets {
            prompts: Arc::clone(&self.prompts),
            clips: Arc::clone(&self.clips),
            book: Arc::clone(&self.book),
            calendar: Arc::new(calendar),
            roster: Arc::new(roster),
            flows,
            entry: Arc::clone(&entry),
            pushes: Arc::new(pushes),
        };
        // The engine keeps its place in the journal and its seed; only what may change is taken over.
        let engine =
            build::engine_config(&config, &self.bound, &loaded, build::zone(&config), self.boot, 0, [0; 32]);
        let given =
            self.orders.give(Order::Reconfigure(Box::new(engine))) && self.orders.give(Order::Flow(entry));
        if !given {
            return Err(vec!["the engine is too busy to reload; try again".to_owned()]);
        }
        if !self.demo {
            self.roster.replace(files);
        }
        self.live.set(Live::new(&config, &loaded));
        Ok(())
    }
}

/// The file that the first problem names.
fn file_of(reason: &str) -> String {
    reason.split_once(':').map_or("", |(file, _)| file).rsplit('/').next().unwrap_or_default().to_owned()
}
