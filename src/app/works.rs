//! What the desk may ask of the configuration in force and the files beside it.

use super::build;
use crate::api::Works;
use crate::base::DayKind;
use crate::call::DialRules;
use crate::config::Config;
use crate::ivr::Book;
use crate::media::Prompts;
use crate::roster::Calendar;
use std::sync::{Arc, PoisonError, RwLock};

/// What is in force; a reload makes another.
pub struct Live {
    pub config: Config,
    pub calendar: Arc<Calendar>,
    pub dial: DialRules,
    pub queues: Vec<(Arc<str>, crate::acd::QueueConfig)>,
}

impl Live {
    pub fn new(config: &Config, assets: &super::Assets) -> Self {
        Self {
            config: config.clone(),
            calendar: Arc::clone(&assets.calendar),
            dial: build::dial_rules(config),
            queues: build::queues(config, &assets.entry),
        }
    }
}

/// The one in force, told by a start and by reloads.
#[derive(Clone)]
pub struct InForce(Arc<RwLock<Arc<Live>>>);

impl InForce {
    pub fn new(live: Live) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(live))))
    }
    pub fn get(&self) -> Arc<Live> {
        // Swapped whole: whoever panicked left nothing half done.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    pub fn set(&self, live: Live) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }
}

/// The desk's door to all of it.
pub struct Shop {
    pub live: InForce,
    /// The prompts calls hear, which are those of the start.
    pub prompts: Arc<Prompts>,
    pub book: Arc<Book>,
}

impl Works for Shop {
    fn dialable(&self, number: &str) -> bool {
        self.live.get().dial.allows(number)
    }

    fn rings(&self, number: &str) -> bool {
        let live = self.live.get();
        live.config.sip.number == number || live.config.sip.legacy_numbers.iter().any(|old| old == number)
    }

    fn day_kind(&self, date: jiff::civil::Date) -> DayKind {
        self.live.get().calendar.day_kind(date)
    }

    fn has_queue(&self, name: &str) -> bool {
        self.live.get().queues.iter().any(|(known, _)| &**known == name)
    }

    fn has_prompt(&self, name: &str) -> bool {
        self.book.has(name)
    }
}
