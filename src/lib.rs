//! The engine of 12341, a district government's hotline: from the first INVITE to the ticket's verdict.
//!
//! Start with `ARCHITECTURE.md`. Each folder is a room; its `mod.rs` is the front page and the only face others use.
pub mod acd;
#[cfg(feature = "full")]
pub mod api;
#[cfg(feature = "full")]
pub mod app;
#[cfg(feature = "full")]
pub mod auth;
pub mod base;
pub mod call;
pub mod channels;
#[cfg(feature = "full")]
pub mod cli;
pub mod config;
#[cfg(feature = "full")]
pub mod cti;
pub mod ivr;
pub mod journal;
pub mod knowledge;
pub mod media;
#[cfg(feature = "full")]
pub mod net;
pub mod outbox;
pub mod roster;
#[cfg(feature = "full")]
pub mod rtc;
pub mod sip;
#[cfg(feature = "full")]
pub mod store;
pub mod ticket;
