//! The roster: shifts and coverage, requests and their decisions, the sheet for the next shift, required seats.
mod desk;
pub use desk::{InForce, RosterDesk, RosterFiles, minute, wall_ms};
