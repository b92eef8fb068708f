//! The engine: the one owner of every live call.
mod end;
pub mod fact;
pub use end::{EndReason, Fault};
