//! CTI: the agents' websocket. What a panel asks and is told, from the frame to the engine's words and back.
//!
//! ```text
//!  browser ◀═ frames ═▶ session (one task a socket) ─ requests ─▶ hub (one task) ─ ToEngine ─▶ engine
//!                              ▲                                   │  └─ ToMedia ─▶ browsers' audio
//!                              └──── bounded queue of frames ──────┘◀─ FromEngine, FromMedia ──┘
//! ```
//!
//! - `protocol` (pure) reads command frames and writes all others; its structs are converted by hand and are nobody's inside.
//!   `schema.json` beside it is what is published.
//! - `stream` (pure) is one agent's stream: numbers, the ring of past events, who acts and who watches. `answers` (pure)
//!   carries each command out once. `floor` (pure) gathers what everybody is told. `media` holds the words to the browsers' audio.
//! - `hub` owns all streams; `session` is one websocket. Both only move things.
//!
//! The rules that always hold: each session sees an agent's events in order, each once, after the snapshot or resume point it
//! was given; every command is answered; one session of an agent acts; nobody waits for a slow reader.
//!
//! To add a command: a variant in the engine's words, a row in `protocol/command.rs`, an entry in `schema.json`, a row in the
//! table of the tests. To add an event: a variant, its struct in `protocol/view.rs`, an entry in `schema.json`.
mod answers;
mod counts;
mod floor;
mod hub;
mod media;
mod out;
mod protocol;
mod session;
mod stream;
#[cfg(test)]
mod tests;

pub use counts::CtiCounts;
pub use hub::{CtiHandle, HubConfig, HubLimits, MediaDoor, Who, first_seq, start};
pub use media::{FromMedia, MediaCommand, MediaEvent, MediaRefused, Microphone, ToMedia};
pub use protocol::{SCHEMA, SUBPROTOCOL};
pub use session::{Check, Opening, READ_MAX, Standing, run};
