//! What the machine runs with: dial rules, calendar, trunks and phones, flows, prompts. `app` implements [`Works`].
mod check_flow;
mod flow;
mod flow_files;
mod phones;
mod prompt;
mod prompts;
mod put_flow;
mod put_prompt;
mod queue_settings;
mod trunks;
mod wire;
pub use check_flow::{__path_check_flow, check_flow};
pub use flow::{__path_flow, flow};
pub use flow_files::{__path_flow_files, flow_files};
pub use phones::{__path_phones, phones};
pub use prompt::{__path_prompt, prompt};
pub use prompts::{__path_prompts, prompts};
pub use put_flow::{__path_put_flow, hash as text_hash, put_flow};
pub use put_prompt::{__path_put_prompt, put_prompt};
pub use queue_settings::{__path_queue_settings, queue_settings};
pub use trunks::{__path_trunks, trunks};

use super::guard::Person;
use super::problem::Problem;
use super::state::Api;
use crate::auth::Action;
use crate::base::DayKind;
use crate::roster::Calendar;
use crate::store::Access;
use jiff::civil::Date;
use std::sync::Arc;

/// The configuration in force and the files beside it, as the desk may ask for them. What says "slowly" reads or writes files:
/// ask it off the async threads.
pub trait Works: Send + Sync + 'static {
    /// May an agent dial this number (`[dial]`)?
    fn dialable(&self, number: &str) -> bool;
    /// Is a call to this number answered here (`[sip] number`, `legacy_numbers`)?
    fn rings(&self, number: &str) -> bool;
    /// After holidays and make-up days.
    fn day_kind(&self, date: Date) -> DayKind;
    /// The one in force: a reload may have brought another year.
    fn calendar(&self) -> Arc<Calendar>;
    fn has_queue(&self, name: &str) -> bool;
    fn has_prompt(&self, name: &str) -> bool;
    fn trunks(&self) -> Vec<TrunkSetting>;
    /// Names of the desk phones.
    fn phones(&self) -> Vec<String>;
    fn queues(&self) -> Vec<QueueSetting>;
    /// Slowly. Every flow file in force: those of the folder over those of the binary.
    fn flows(&self) -> Result<FlowShelf, Vec<String>>;
    /// Slowly. A file's text, or that of a version kept by its hash.
    fn flow(&self, name: &str, hash: Option<&str>) -> Option<String>;
    /// Slowly. Versions kept, newest first.
    fn flow_versions(&self, name: &str) -> Vec<FlowKept>;
    /// Slowly. What would be wrong with the whole set if this file said this.
    fn check_flow(&self, name: &str, text: &str) -> Vec<FlowFault>;
    /// Slowly. Keeps what was there, writes the file whole; what was in the folder before.
    fn put_flow(&self, name: &str, text: &str) -> Result<Option<String>, Vec<String>>;
    /// Slowly. Undoes [`Works::put_flow`].
    fn put_back_flow(&self, name: &str, before: Option<&str>) -> Result<(), Vec<String>>;
    /// Slowly. Every sound there is.
    fn prompts(&self) -> PromptShelf;
    /// Slowly. A sound's file.
    fn prompt(&self, name: &str) -> Option<Vec<u8>>;
    /// Slowly. Checks a WAV file and puts it in the folder of sounds.
    fn put_prompt(&self, name: &str, wav: &[u8]) -> Result<PromptSound, PutPrompt>;
}

/// A trunk as it is configured; no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkSetting {
    pub name: String,
    pub peers: Vec<String>,
    pub target: Option<String>,
    pub transport: &'static str,
    /// It must show us a password.
    pub asks_password: bool,
    /// We keep a registration there.
    pub registers: bool,
    pub trusted_identity: bool,
    /// Calls at once and new calls a second; 0 is no limit.
    pub max_calls: usize,
    pub max_cps: u32,
    /// Agents' outgoing calls take it.
    pub outgoing: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueSetting {
    pub name: String,
    /// `auto`, `ring`.
    pub answer: &'static str,
    pub max_waiting: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowShelf {
    pub folder: String,
    /// The folder is there, so files can be written into it.
    pub writable: bool,
    /// The one a call begins with.
    pub entry: String,
    pub files: Vec<FlowFile>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowFile {
    /// Without `.toml`.
    pub name: String,
    /// From the folder; else from the binary.
    pub in_folder: bool,
    pub bytes: usize,
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowKept {
    pub hash: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Line and column from 1; 0 when it is about no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFault {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub what: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptShelf {
    pub folder: String,
    pub writable: bool,
    pub sounds: Vec<PromptSound>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptSound {
    pub name: String,
    pub text: String,
    pub ms: u32,
    /// Of what is not silence, RMS, and of the loudest sample; decibels below full scale.
    pub level_dbfs: f32,
    pub peak_dbfs: f32,
    pub in_folder: bool,
    /// Newer than the start: heard from the next start on.
    pub waiting: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutPrompt {
    /// No sound has this name.
    Unknown,
    Refused(Vec<String>),
}

/// Letters that mean nothing in a path.
fn is_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(fine) && !name.starts_with('.') && !name.contains("..")
}

/// A flow is named in TOML and typed by people.
fn is_flow(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    (1..=40).contains(&name.len()) && name.bytes().all(fine) && !name.starts_with('-')
}

/// Asks off the async threads.
async fn slowly<T: Send + 'static>(
    api: &Api,
    ask: impl FnOnce(&dyn Works) -> T + Send + 'static,
) -> Result<T, Problem> {
    let works = Arc::clone(&api.parts.works);
    tokio::task::spawn_blocking(move || ask(&*works)).await.map_err(|_| Problem::internal())
}

/// Notes what was uploaded, by whom, and whether it was taken.
async fn log(api: &Api, person: &Person, subject: String, outcome: &str) -> Result<(), Problem> {
    let access = Access {
        at: api.now(),
        user: person.name.clone(),
        source: person.source.clone(),
        action: Action::ManageWorks.label().to_owned(),
        subject,
        outcome: outcome.to_owned(),
    };
    Ok(api.db().log_access(&access).await?)
}
