//! The engine of 12341, a district government's hotline: from the first INVITE to the ticket's verdict.
//!
//! Start with `ARCHITECTURE.md`. Each folder is a room; its `mod.rs` is the front page and the only face others use.
pub mod acd;
pub mod base;
pub mod call;
pub mod config;
pub mod ivr;
pub mod media { pub mod seam; }
pub mod roster;
pub mod sip;
pub mod ticket;
