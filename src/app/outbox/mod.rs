//! Sends what the outbox holds: takes what is due under a lease, hands it to the sender of its kind, records what came of it.
//!
//! ```text
//!  take (lease) ─▶ test mode? ─▶ held
//!       ▲              └─▶ send, in so many milliseconds ─▶ record
//!       └── the lease ends ◀── killed here ──┘   the same id goes out again: receivers know it by that
//! ```
//!
//! What follows a try is decided in [`crate::outbox`]. A new kind is a new file with a [`Sender`], and a line in [`senders`].
mod city;
mod http;
mod mail;
mod sms;
#[cfg(test)]
mod tests;
mod webhook;

use crate::app::metrics::Sample;
use crate::config::{Config, OutboxMode};
use crate::outbox::{Gate, Kind, Limits, Mode, Outcome, State, Trying, Why, after, gate};
use crate::store::{Db, Letter, Recorded, StoreError};
use crate::ticket::cycle::Tables;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How often it is looked: a text may be so much late.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is counted what there is.
const COUNT: Duration = Duration::from_secs(5);
/// A lease is longer than a try by this much: what came of it has to be written down.
const RECORDING_MS: i64 = 12_000;
/// How often a record is tried while the database is away, and the pause between.
const RECORD_TRIES: u32 = 4;
const RECORD_PAUSE: Duration = Duration::from_secs(1);
/// Leads hear of dead letters at most this often; the figures have them all.
const ALARM: Duration = Duration::from_secs(300);
/// Sends get this long to end when the server stops.
const STOPPING: Duration = Duration::from_secs(5);

/// Sends one kind.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Where this would go, as the allow list of test mode names it. `None`: nowhere the configuration knows.
    fn address(&self, letter: &Letter) -> Option<String>;
    /// One try. What takes too long is cut off; then it counts as not sent, and the receiver may have it all the same.
    async fn send(&self, letter: &Letter, address: &str) -> Outcome;
}

pub type Senders = BTreeMap<Kind, Arc<dyn Sender>>;

/// The senders of this configuration.
pub fn senders(config: &Config) -> Result<Senders, BadSender> {
    let outbox = &config.outbox;
    let client = http::client(Duration::from_millis(outbox.timeout_ms.into()))?;
    let sms: Arc<dyn Sender> = Arc::new(sms::Sms::new(client.clone(), outbox.sms.clone()));
    let mail: Arc<dyn Sender> = Arc::new(mail::Mail::new(outbox)?);
    let webhook: Arc<dyn Sender> = Arc::new(webhook::Webhook::new(client.clone(), outbox.units.clone()));
    let city: Arc<dyn Sender> = Arc::new(city::City::new(client, config.city.clone()));
    Ok([(Kind::Sms, sms), (Kind::Mail, mail), (Kind::Webhook, webhook), (Kind::City, city)].into())
}

/// Why nothing can be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum BadSender {
    #[error("outbox: the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error("outbox.smtp: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("outbox.smtp.from: {0}")]
    From(#[from] lettre::address::AddressError),
}

/// How it sends.
#[derive(Clone, Debug)]
pub struct Rules {
    pub mode: Mode,
    pub allow: Vec<String>,
    pub concurrent: usize,
    pub timeout: Duration,
    pub limits: Limits,
}

impl Rules {
    pub fn of(config: &Config) -> Self {
        let outbox = &config.outbox;
        Self {
            mode: match outbox.mode {
                OutboxMode::Test => Mode::Test,
                OutboxMode::Live => Mode::Live,
            },
            allow: outbox.allow.clone(),
            concurrent: outbox.concurrent as usize,
            timeout: Duration::from_millis(outbox.timeout_ms.into()),
            limits: Limits {
                tries: outbox.tries,
                first_ms: u64::from(outbox.retry_first_s) * 1000,
                longest_ms: u64::from(outbox.retry_longest_s) * 1000,
            },
        }
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX / 2) + RECORDING_MS
    }
}

/// What it has done since the start.
#[derive(Debug, Default)]
struct Done {
    sent: [AtomicU64; Kind::ALL.len()],
    held: AtomicU64,
    later: AtomicU64,
    dead: AtomicU64,
    /// Sent or tried, and nobody could write it down: it goes out again.
    unrecorded: AtomicU64,
    failures: AtomicU64,
}

/// The driver. Its own words: who it is to the leases, what it is o'clock, whom it tells.
#[derive(Clone)]
pub struct Driver {
    pub db: Db,
    pub rules: Arc<Rules>,
    pub senders: Arc<Senders>,
    /// Wall milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    pub tables: Arc<dyn Fn() -> Tables + Send + Sync>,
    /// Told of a dead letter, by its id.
    pub alarm: Arc<dyn Fn(&str) + Send + Sync>,
    /// Told what there is and what was done.
    pub publish: Arc<dyn Fn(Vec<Sample>) + Send + Sync>,
    by: Arc<str>,
    done: Arc<Done>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("rules", &self.rules).field("by", &self.by).finish_non_exhaustive()
    }
}

impl Driver {
    /// One that tells nobody; the fields say whom it tells.
    pub fn new(
        db: Db,
        rules: Rules,
        senders: Senders,
        tables: Arc<dyn Fn() -> Tables + Send + Sync>,
    ) -> Self {
        Self {
            db,
            rules: Arc::new(rules),
            senders: Arc::new(senders),
            clock: Arc::new(|| jiff::Timestamp::now().as_millisecond()),
            tables,
            alarm: Arc::new(|_| {}),
            publish: Arc::new(|_| {}),
            by: format!("{:016x}", random()).into(),
            done: Arc::default(),
        }
    }

    /// Until `stop` turns true; then what is being sent gets a moment to end.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut sending = JoinSet::new();
        let (mut counted, mut alarmed) = (None::<Instant>, None::<Instant>);
        while !*stop.borrow() {
            while let Some(ended) = sending.try_join_next() {
                self.told(ended, &mut alarmed);
            }
            let free = self.rules.concurrent.saturating_sub(sending.len());
            let more = match self.take(free).await {
                Ok(letters) => {
                    let more = free > 0 && letters.len() == free;
                    for letter in letters {
                        sending.spawn(self.clone().deliver(letter));
                    }
                    more
                }
                Err(error) => {
                    self.done.failures.fetch_add(1, Relaxed);
                    tracing::debug!(%error, "the outbox");
                    false
                }
            };
            if counted.is_none_or(|at| at.elapsed() >= COUNT) {
                counted = Some(Instant::now());
                self.count().await;
            }
            tokio::select! {
                Some(ended) = sending.join_next(), if !sending.is_empty() => self.told(ended, &mut alarmed),
                () = sleep(LOOK), if !more => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        let _ = timeout(STOPPING, async { while sending.join_next().await.is_some() {} }).await;
    }

    async fn take(&self, free: usize) -> Result<Vec<Letter>, StoreError> {
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        self.db.take_letters((self.clock)(), self.rules.lease_ms(), &self.by, limit).await
    }

    /// Tells leads of a dead letter, unless they heard of one a moment ago.
    fn told(&self, ended: Result<Option<String>, tokio::task::JoinError>, alarmed: &mut Option<Instant>) {
        match ended {
            Ok(Some(dead)) if alarmed.is_none_or(|at| at.elapsed() >= ALARM) => {
                *alarmed = Some(Instant::now());
                (self.alarm)(&dead);
            }
            Ok(_) => {}
            Err(error) => {
                self.done.failures.fetch_add(1, Relaxed);
                tracing::error!(%error, "outbox: a sender panicked; its push is sent again");
            }
        }
    }

    /// One push to where it belongs; its id when that is among the dead.
    async fn deliver(self, letter: Letter) -> Option<String> {
        let sender = self.senders.get(&letter.kind).cloned();
        let address = sender.as_ref().and_then(|sender| sender.address(&letter));
        if gate(self.rules.mode, &self.rules.allow, address.as_deref().unwrap_or_default()) == Gate::Hold {
            match self.db.hold_letter(&letter, &self.by).await {
                Ok(_) => self.done.held.fetch_add(1, Relaxed),
                // Its lease ends, and it is held then.
                Err(_) => self.done.failures.fetch_add(1, Relaxed),
            };
            return None;
        }
        let outcome = match (sender, address) {
            (None, _) => Outcome::Never { why: Why::NoSender },
            _ if letter.erased => Outcome::Never { why: Why::Erased },
            _ if letter.until.is_some_and(|until| (self.clock)() > until) => {
                Outcome::Never { why: Why::TooLate }
            }
            (Some(_), None) => Outcome::Never { why: Why::NoAddress },
            (Some(sender), Some(address)) => {
                let sent = timeout(self.rules.timeout, sender.send(&letter, &address)).await;
                sent.unwrap_or(Outcome::Later { why: Why::Timeout, wait_ms: None })
            }
        };
        self.record(&letter, &outcome).await
    }

    async fn record(&self, letter: &Letter, outcome: &Outcome) -> Option<String> {
        let trying = Trying { tries: letter.tries, until: letter.until };
        let dice = u16::try_from(random() % 1000).unwrap_or(0);
        for again in 0..RECORD_TRIES {
            if again > 0 {
                sleep(RECORD_PAUSE).await;
            }
            let now = (self.clock)();
            let next = after(trying, outcome, now, &self.rules.limits, dice);
            match self.db.record_letter(letter, &self.by, outcome, next, now, &(self.tables)()).await {
                Ok(Recorded::Written) => {
                    match next.state {
                        State::Sent => {
                            if let Some(sent) = self.done.sent.get(letter.kind as usize) {
                                sent.fetch_add(1, Relaxed);
                            }
                        }
                        State::Dead => {
                            self.done.dead.fetch_add(1, Relaxed);
                            let why = next.why.map(|why| why.to_string()).unwrap_or_default();
                            tracing::warn!(id = %letter.id, kind = letter.kind.label(), %why, "outbox: a dead letter");
                            return Some(letter.id.clone());
                        }
                        State::Queued | State::Held | State::Discarded => {
                            self.done.later.fetch_add(1, Relaxed);
                        }
                    }
                    return None;
                }
                Ok(Recorded::NotOurs) => return None,
                Err(error) => tracing::debug!(%error, "outbox: a record"),
            }
        }
        self.done.unrecorded.fetch_add(1, Relaxed);
        None
    }

    async fn count(&self) {
        let now = (self.clock)();
        let Ok(counts) = self.db.outbox_counts(now).await else { return };
        let state = |state: State, n| {
            Sample::gauge("hotline_outbox", "Pushes by state", n).by("state", state.label())
        };
        let tried = |result: &'static str, n: &AtomicU64| {
            Sample::counter("hotline_outbox_tries", "What tries came to", n.load(Relaxed))
                .by("result", result)
        };
        let oldest = counts.oldest.map_or(0, |at| u64::try_from((now - at) / 1000).unwrap_or(0));
        let mut samples = vec![
            state(State::Queued, counts.queued),
            state(State::Held, counts.held),
            state(State::Dead, counts.dead),
            Sample::gauge("hotline_outbox_oldest_seconds", "Age of the oldest push that is due", oldest),
        ];
        samples.extend(Kind::ALL.iter().zip(&self.done.sent).map(|(kind, n)| {
            Sample::counter("hotline_outbox_sent", "Pushes the receivers have", n.load(Relaxed))
                .by("kind", kind.label())
        }));
        samples.extend([
            tried("held", &self.done.held),
            tried("later", &self.done.later),
            tried("dead", &self.done.dead),
            tried("unrecorded", &self.done.unrecorded),
            tried("database", &self.done.failures),
        ]);
        (self.publish)(samples);
    }
}

/// For names of leases and for back-off. Two servers with one name would only take each other's failures for their own.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => std::process::id().into(),
    }
}
