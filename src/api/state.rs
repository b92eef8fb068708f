//! What every handler may reach.

use super::city::CityDoor;
use super::count::Counts;
use super::handle::{EngineHandle, MetricsSource};
use super::input::BODY_MAX;
use super::kb::Shelf;
use super::looks::Looks;
use super::phone::DemoPhone;
use super::public::{self, PublicLimits};
use super::roster::RosterDesk;
use super::works::Works;
use crate::auth::SESSION_LIFE_MS;
use crate::auth::attempts::{self, Attempts};
use crate::cti::CtiHandle;
use crate::store::{Access, Db, StoreError};
use crate::ticket::cycle::Tables;
use crate::ticket::district::District;
use crate::ticket::rules::RuleBook;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Semaphore;

/// Password hashings at once; the others wait.
const HASHINGS: usize = 2;
/// Exports made at once: each holds a page of tickets, and one of the database's connections at times.
const EXPORTS: usize = 3;
/// Citizens whose photos come in at once; the others are asked to try again.
const PUBLIC_BODIES: usize = 4;

/// What `app` gives.
pub struct ApiParts {
    pub db: Db,
    pub engine: Arc<dyn EngineHandle>,
    pub metrics: Arc<dyn MetricsSource>,
    /// What the machine runs with.
    pub works: Arc<dyn Works>,
    /// The agents' websockets; `None`: no calls desk here.
    pub cti: Option<CtiHandle>,
    /// The demonstration's telephones; `None`: their page is not there.
    pub phone: Option<Arc<dyn DemoPhone>>,
    /// Plans, people and what was approved of them.
    pub roster: Arc<RosterDesk>,
    /// Folder of recordings: `<32 hex digits>.wav`, directly or in folders one level down.
    pub recordings: PathBuf,
    /// Folder of citizens' pictures: `<32 hex digits>.jpg`.
    pub pictures: PathBuf,
    pub zone: jiff::tz::TimeZone,
    /// Wall clock, milliseconds since 1970 (`--now` moves it).
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Origins besides our own that may write with a cookie (`https://desk.example`).
    pub origins: Vec<String>,
    /// We are reached by TLS: cookies are `Secure`.
    pub https: bool,
    /// The city's 12345; `None`: nothing comes from there.
    pub city: Option<CityDoor>,
}

/// What the configuration may change.
#[derive(Clone, Copy, Debug)]
pub struct ApiLimits {
    /// A sign-in's longest life, milliseconds.
    pub session_ms: i64,
    /// Largest body of a request, bytes; never over 2 MiB.
    pub body_max: usize,
    /// Wrong passwords for one name before it has to wait.
    pub sign_in_tries: u32,
    /// Most rows of an export.
    pub export_rows: u32,
    /// Started with `--demo`.
    pub demo: bool,
    /// Of the citizens' page.
    pub public: PublicLimits,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            session_ms: SESSION_LIFE_MS,
            body_max: BODY_MAX,
            sign_in_tries: attempts::PER_USER,
            export_rows: 100_000,
            demo: false,
            public: PublicLimits::default(),
        }
    }
}

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

pub struct Inner {
    pub parts: ApiParts,
    pub limits: ApiLimits,
    pub hashing: Semaphore,
    pub counts: Arc<Counts>,
    pub district: Arc<District>,
    pub rules: Arc<RuleBook>,
    /// What agents read, with its index.
    pub kb: Shelf,
    /// Held by who replaces a flow or a prompt.
    pub uploading: tokio::sync::Mutex<()>,
    attempts: Mutex<Attempts>,
    /// Bodies with photos that are read at once.
    pub public_bodies: Semaphore,
    /// Exports that are made at once.
    pub exports: Arc<Semaphore>,
    public: Mutex<public::Limits>,
    looks: Mutex<Looks>,
}

impl Api {
    pub fn new(parts: ApiParts) -> Self {
        Self::with_limits(parts, ApiLimits::default())
    }

    pub fn with_limits(parts: ApiParts, mut limits: ApiLimits) -> Self {
        limits.body_max = limits.body_max.min(BODY_MAX);
        let attempts = Mutex::new(Attempts::new(limits.sign_in_tries));
        let (hashing, counts) = (Semaphore::new(HASHINGS), Arc::default());
        let (district, rules) = (Arc::new(District::shipped()), Arc::new(RuleBook::shipped()));
        Self(Arc::new(Inner {
            parts,
            limits,
            hashing,
            counts,
            district,
            kb: Shelf::default(),
            rules,
            uploading: tokio::sync::Mutex::default(),
            attempts,
            public_bodies: Semaphore::new(PUBLIC_BODIES),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            public: Mutex::default(),
            looks: Mutex::default(),
        }))
    }

    pub fn db(&self) -> &Db {
        &self.0.parts.db
    }

    pub fn now(&self) -> i64 {
        (self.0.parts.clock)()
    }

    /// What decisions about tickets are made by, now.
    pub fn tables(&self) -> Tables {
        Tables {
            district: Arc::clone(&self.district),
            rules: Arc::clone(&self.rules),
            calendar: self.parts.works.calendar(),
            zone: self.parts.zone.clone(),
        }
    }

    /// As with sign-ins: plain data behind it.
    pub(super) fn public_limits(&self) -> MutexGuard<'_, public::Limits> {
        self.0.public.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes down who looked at which lists, and at whose lines of them, unless that was written down of late.
    pub(super) async fn log_looks(&self, mut lines: Vec<Access>) -> Result<(), StoreError> {
        {
            // As with sign-ins: plain data behind it.
            let mut looks = self.0.looks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            lines.retain(|line| {
                let what = [line.action.as_str(), line.subject.as_str()].join(" ");
                looks.is_new(&line.user, &what, line.at)
            });
        }
        if lines.is_empty() { Ok(()) } else { self.db().log_accesses(&lines).await }
    }

    /// Plain data behind it: a thread that panicked holding it left nothing half done.
    pub(super) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.0.attempts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Date and time of the configured zone.
    pub fn civil(&self, ms: i64) -> Option<jiff::civil::DateTime> {
        let at = jiff::Timestamp::from_millisecond(ms).ok()?;
        Some(at.to_zoned_datetime(self.0.parts.zone.clone()).datetime())
    }

    /// Today's date there.
    pub fn today(&self) -> jiff::civil::Date {
        self.civil(self.now()).map(jiff::civil::DateTime::date).unwrap_or_default()
    }

    /// When today began there.
    pub fn midnight(&self) -> i64 {
        let now = jiff::Timestamp::from_millisecond(self.now()).unwrap_or_default();
        let start = now.to_zoned_datetime(self.0.parts.zone.clone()).start_of_day();
        start.map_or(0, |start| start.timestamp().as_millisecond())
    }

    /// RFC 3339 with the offset of the configured zone.
    pub fn time(&self, ms: i64) -> String {
        match jiff::Timestamp::from_millisecond(ms) {
            Ok(at) => at
                .to_zoned_datetime(self.0.parts.zone.clone())
                .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
                .to_string(),
            Err(_) => "0001-01-01T00:00:00.000+00:00".to_owned(),
        }
    }
}

impl std::ops::Deref for Api {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
