//! The desk's HTTP: `/api/v1`, the panel's files, health and metrics.
//!
//! ```text
//!  socket ─▶ serve (limits, time-outs) ─▶ router (headers, body size, problems) ─▶ <noun>/<verb>.rs ─▶ store, EngineHandle
//! ```
//!
//! - `router.rs` lists every route once; the OpenAPI document is compared with it in a test.
//! - `<noun>/<verb>.rs` holds one handler and what only it needs. `wire.rs` holds what goes over the wire: these structs are
//!   nobody's inside, and are converted by hand.
//! - `guard.rs` finds out who asks; handlers ask [`crate::auth::may`] and nothing else about rights.
//! - Errors are problem documents (RFC 9457), made in `problem.rs`; `count.rs` counts them by their code.
//!
//! The rule that always holds: the engine is reached through [`EngineHandle`] only, and a call never waits for anything here.
//!
//! To add an endpoint: a file `<noun>/<verb>.rs` with its `utoipa::path`, a line in `router.rs`, a line in `openapi.rs`, an
//! action in `auth` if none fits; the tests name what is missing.
mod callbacks;
mod calls;
mod city;
mod count;
mod cti;
mod district;
mod engine;
mod floor;
mod flows;
mod guard;
mod handle;
mod ids;
mod indicators;
mod input;
mod kb;
mod leader;
mod looks;
mod numbers;
mod openapi;
mod ops;
mod outbox;
mod panel;
mod paper;
mod phone;
mod problem;
mod public;
mod recordings;
mod roster;
mod router;
mod serve;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod tickets;
mod users;
mod wire;
mod works;

pub use city::CityDoor;
pub use count::Counts;
pub use handle::{EngineAway, EngineHandle, EngineStatus, LiveCall, MetricsSource, Phase};
pub use openapi::document;
pub use phone::{DemoPhone, PhoneCall, PhoneRefused, PhoneState};
pub use public::PublicLimits;
pub use roster::{
    InForce, RosterDesk, RosterFiles, SignedTurn, minute as roster_minute, signed_turns,
    wall_ms as roster_wall_ms,
};
pub use router::{router, routes};
pub use serve::{ServeLimits, serve};
pub use state::{Api, ApiLimits, ApiParts};
pub use works::{
    FlowFault, FlowFile, FlowKept, FlowShelf, PromptShelf, PromptSound, PutPrompt, QueueSetting,
    TrunkSetting, Works, text_hash,
};
