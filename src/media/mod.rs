//! Media: everything between a UDP datagram and a sound, 50 times a second for every call.
//!
//! ```text
//!            Order                                            Event
//!  engine ──────────▶ worker::WorkerHandle ══ ring ══▶ ┌──────────────────┐ ══ ring ══▶ engine
//!                                                      │ worker (thread)  │
//!  sockets ── recvmmsg ──▶ leg: source → stats → playout│ 20 slots of 1 ms │── sendto ──▶ sockets
//!                              → events, tones          │                  │
//!                          leg: playlist → rtp ─────────│                  │── Frame ══ ring ══▶ recorder (thread) ──▶ WAV
//!                                                      └──────────────────┘
//! ```
//!
//! Everything but `worker`, `recorder` and `load` is pure: a leg ([`leg::Leg`]) is given datagrams and the time, and says
//! what to send, to record and to tell. The worker only carries bytes between legs and sockets.
//!
//! Legs of a worker that hear each other are a bridge ([`bridge`]): received together, mixed, sent together.
//! ```text
//!  leg a: playout → live ─┐            ┌─▶ playlist, else mix ─▶ rtp :leg a
//!  leg b: playout → live ─┼─▶ mixer ───┼─▶ playlist, else mix ─▶ rtp :leg b
//!  leg c: playout → live ─┘            └─▶ playlist, else mix ─▶ rtp :leg c
//! ```
//!
//! A leg's life: `Open` → a frame every 20 ms whatever happens (prompt, others' voices, background or silence) → `Close` → its port rests for
//! a second, then `PortFree`.
//!
//! Rules that always hold:
//! - Sound goes to one address, which proved itself or was named by SDP; a stranger's packets change nothing but a counter.
//! - No allocation, lock, file or log line on a worker's thread once it runs.
//! - Every ring is bounded: a lost event is counted and told, a lost frame becomes a listed gap, a lost order is refused to the engine.
//!
//! To add an order: [`seam::Order`], its arm in `worker::run`, a method of `leg::Leg`. To add a codec: [`seam::Codec`],
//! [`g711`] beside it, and a column in [`prompts`].
//!
//! For fuzzing, from bytes alone: [`rtp::read`], [`rtcp::read`], [`events::read`] and [`events::Events`], [`wav::read`],
//! [`leg::Leg::packet`].

pub mod activity;
pub mod bridge;
pub mod digits;
pub mod events;
pub mod g711;
pub mod leg;
pub mod live;
#[cfg(feature = "full")]
pub mod load;
pub mod mixer;
pub mod mos;
pub mod playlist;
pub mod playout;
pub mod prompts;
#[cfg(feature = "full")]
pub mod recorder;
#[cfg(feature = "full")]
mod resample;
pub mod rtcp;
pub mod rtp;
pub mod seam;
pub mod source;
pub mod stats;
pub mod take;
pub mod tones;
pub mod wav;
#[cfg(feature = "full")]
pub mod worker;

pub use prompts::Prompts;
