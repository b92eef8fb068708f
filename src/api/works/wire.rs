//! Trunks, phones, queues' settings, flows and prompts on the wire.

use super::{FlowFault, FlowShelf, PromptSound};
use serde::Serialize;
use utoipa::ToSchema;

/// A trunk: what is configured, whether we are registered there, what it carried today. No secrets.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trunk {
    pub name: String,
    /// Addresses and ranges that are it.
    pub peers: Vec<String>,
    /// Where our own calls to it go.
    pub target: Option<String>,
    /// `udp`, `tcp`.
    #[schema(value_type = String)]
    pub transport: &'static str,
    /// It must show us a password.
    pub asks_password: bool,
    pub trusted_identity: bool,
    /// Agents' outgoing calls take it.
    pub outgoing: bool,
    pub max_calls: usize,
    pub max_cps: u32,
    /// We keep a registration there; whether it stands now.
    pub registers: bool,
    pub registered: Option<bool>,
    /// Among the newest 500 calls in progress.
    pub live_calls: usize,
    pub calls_today: i64,
    pub answered_today: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrunkList {
    pub items: Vec<Trunk>,
    pub next: Option<String>,
}

/// A desk phone that may register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Phone {
    pub name: String,
    pub registered: bool,
    /// Places where it rings.
    pub contacts: usize,
    /// Who is logged in with it.
    pub agent: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhoneList {
    pub items: Vec<Phone>,
    pub next: Option<String>,
}

/// A queue's settings; `/api/v1/queues` tells how it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueSettings {
    pub name: String,
    /// `auto`, `ring`.
    #[schema(value_type = String)]
    pub answer: &'static str,
    pub max_waiting: usize,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueSettingsList {
    pub items: Vec<QueueSettings>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowFile {
    /// Without `.toml`.
    pub name: String,
    /// From the folder; else it is the program's own.
    pub in_folder: bool,
    pub bytes: usize,
    /// 16 hexadecimal digits of the text.
    pub hash: String,
    /// A call begins with it.
    pub entry: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowFileList {
    pub items: Vec<FlowFile>,
    pub next: Option<String>,
    pub folder: String,
    /// The folder is there; without it flows are the program's own and nothing can be uploaded.
    pub writable: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowText {
    pub name: String,
    pub hash: String,
    pub text: String,
    /// Kept when they were replaced, newest first.
    pub versions: Vec<FlowVersionKept>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowVersionKept {
    pub hash: String,
    pub at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowProblem {
    pub file: String,
    /// From 1; 0 when it is about no place.
    pub line: usize,
    pub column: usize,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlowChecked {
    pub ok: bool,
    pub problems: Vec<FlowProblem>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Prompt {
    pub name: String,
    /// What it says; empty for tones and music.
    pub text: String,
    pub ms: u32,
    /// Of what is not silence, RMS, decibels below full scale.
    pub level_dbfs: f32,
    pub peak_dbfs: f32,
    pub in_folder: bool,
    /// Uploaded since the start: heard from the next start on.
    pub waiting: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptList {
    pub items: Vec<Prompt>,
    pub next: Option<String>,
    pub folder: String,
    pub writable: bool,
}

impl FlowProblem {
    pub fn of(fault: FlowFault) -> Self {
        Self { file: fault.file, line: fault.line, column: fault.column, message: fault.what }
    }
    pub fn line(&self) -> String {
        if self.line == 0 {
            return format!("{}: {}", self.file, self.message);
        }
        format!("{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl FlowFileList {
    pub fn of(shelf: FlowShelf) -> Self {
        let items = shelf.files.into_iter().map(|file| FlowFile {
            entry: file.name == shelf.entry,
            name: file.name,
            in_folder: file.in_folder,
            bytes: file.bytes,
            hash: file.hash,
        });
        Self { items: items.collect(), next: None, folder: shelf.folder, writable: shelf.writable }
    }
}

impl Prompt {
    pub fn of(sound: PromptSound) -> Self {
        let tenth = |db: f32| (db * 10.0).round() / 10.0;
        Self {
            name: sound.name,
            text: sound.text,
            ms: sound.ms,
            level_dbfs: tenth(sound.level_dbfs),
            peak_dbfs: tenth(sound.peak_dbfs),
            in_folder: sound.in_folder,
            waiting: sound.waiting,
        }
    }
}
