//! What starts in which order, reload, drain, stop. All channels between rooms are made here and nowhere else.
//!
//! ```text
//!  data folder locked ─▶ sockets bound ─▶ prompts, flows, calendar read ─▶ journal opened and folded ─▶ engine thread, media workers
//!        ─▶ run.json, SIP served ─▶ database (retried for ever) ─▶ projector, lookups, HTTP
//! ```
//!
//! The rule that always holds: a call is answered as soon as the journal is open; nothing of the desk is waited for.

mod agents;
mod assets;
mod binder;
mod build;
mod clock;
mod demo;
mod demo_phone;
mod desk;
mod desk_thread;
mod due;
mod engine_thread;
mod keeping;
mod kernel;
mod lock;
mod metrics;
mod old_numbers;
mod outbox;
mod reload;
mod rostering;
mod samples;
mod serve;
mod sessions;
mod sockets;
mod urging;
mod voice;
mod works;

pub use assets::{AssetError, Assets, book, calendar, flow_files, flows, kept, load as load_assets, roster};
pub use build::{demo_nets, zone};
pub use lock::{DataDirError, DataLock, take as take_data};
pub use serve::{Options, RUN_JSON, ServeError, serve};
pub use sockets::BindError;
