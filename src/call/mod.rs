//! The engine: the one owner of every live call. SIP, walks and queues meet here and nowhere else.
//!
//! A driver feeds [`Input`]s (facts) and carries out [`Effect`]s (orders). The engine never waits, never reads a clock, never touches a
//! socket: a whole day of calls fits in a test, and the same inputs give the same effects, byte for byte.
//!
//! ```text
//!             INVITE                    200
//!   (nobody) ───────▶ Arriving ──────────────▶ Walking ⇄ Queued
//!                        │                    ⇅   │
//!                        │        Message, Saving, Looking (an order is out, a deadline runs)
//!                        ▼                        ▼
//!                      ended ◀──────────────── ended   exactly once, with a reason and whose fault it was
//! ```
//!
//! What always holds after every input: a call is in one stage, has an owner and a next deadline; its dialog, its leg and its queue
//! place point back at it; a port is free, leased to one leg, or resting. [`Engine::assert_invariants`] says so in tests.
//!
//! Cost: an event touches the calls it names and the heads of ordered sets; nothing scans calls.
//!
//! To add something a call can do: a variant of [`Input`] or [`Effect`], an arm in `handle`, a fact in [`fact`], a line in the fold,
//! and a story in the tests.

pub mod agents;
pub mod callbacks;
mod caller;
mod config;
mod counters;
mod end;
mod engine;
pub mod fact;
pub mod fold;
pub mod intents;
mod legacy;
mod live;
mod media_news;
mod ports;
mod rates;
mod reach;
pub mod replay;
mod request;
mod sip_news;
mod steps;
mod walking;

pub use config::{DialRules, EngineConfig, Limits};
pub use counters::{Count, Counters};
pub use end::{EndReason, Fault};
pub use engine::{Effect, Engine, Input};
pub use legacy::{LegacyNumber, MOST as LEGACY_MOST};
pub use ports::MediaPort;
pub use reach::{News, Place};
pub use request::{Chosen, Floor, Kept, LiveCall, PeerState, Reply, Request, Status, TicketSaved, Why};
