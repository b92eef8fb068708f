//! Agents inside the engine: their words ([`seam`]), their seats, their legs, and what they do with calls.
//!
//! ```text
//!   ACD ── Offer ──▶ bound ── on disk ──▶ told (panel, desk phone) ── answer ──▶ Connect ──▶ Talking ──▶ wrap-up
//!                      └─ refused                  └─ rescinded: gone, with its reason
//! ```
//!
//! - [`desk`]: the seats (who is logged in, with what device, whether sound passes), and what waits for the disk.
//! - [`offering`]: what the ACD proposes, and how each offer ends.
//! - [`party`]: legs beside the citizen's, and who hears whom.
//! - [`orders`]: the contract's commands, each answered.
//! - [`special`]: callers for whom the usual way is wrong.
//! - [`rostering`]: who may be ready by the roster.
//! - [`leading`]: sessions in which the head of a department takes calls.
//! - [`restoring`]: what they wanted before a restart.
//! - [`calling_back`]: citizens who wait for a call of ours.
//! - [`connecting`]: what the flow and the waiting line dial by themselves.
//! - [`testing`]: duty numbers dialled to see who is there.
//! - [`urging`]: 语音催签, units told of an urgent ticket by telephone.
//! - [`cards`]: what panels are shown. [`watching`]: to whom the floor is shown.
//!
//! Rules that always hold: whoever is on a call has a party there; an agent is on one call; a call on which nobody is left goes
//! back to its walk; nothing about a call is shown before it is on disk.

pub(super) mod calling_back;
mod cards;
mod connecting;
mod consulting;
pub(super) mod desk;
mod dialling;
pub(in crate::call) mod leading;
mod lines;
mod offering;
mod orders;
pub(super) mod party;
mod restoring;
mod rostering;
pub mod seam;
pub(in crate::call) mod special;
mod supervising;
mod talking;
pub mod testing;
pub mod urging;
mod watching;
