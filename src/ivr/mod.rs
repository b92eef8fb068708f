//! IVR: what a flow says, and one caller's walk through it. Knows prompts, digits and queues; knows nothing of SIP or files.
//!
//! ```text
//!  flow files ─▶ read ─▶ FlowSet (subflows set in) ─▶ lint ─▶ Flow ──▶ Walk: (now, world, input) → actions, trail
//!                 └────────── problems: file:line:column ──┘
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`seam`] | the words between a walk and whoever carries it out |
//! | `book`, `say` | prompts and what they are made of; numbers and dates in Mandarin |
//! | `flow`, `read`, `lint`, `set` | the language: its model, its reader, what a sound flow keeps to, flows that use each other |
//! | `walk` | the interpreter |
//!
//! The rules that always hold: a walk has an outstanding order, a deadline, or has ended; whatever goes wrong in it leads to a person,
//! never to a hang-up; the same inputs give the same walk, so a call can be walked again from its journal.
//!
//! To add a kind of node: a variant of `flow::Kind`, its fields in `read.rs`, its arms in `walk/steps.rs`, its own ways in `lint.rs`.
mod book;
mod flow;
mod lint;
mod problem;
mod read;
mod say;
pub mod seam;
mod set;
mod walk;

#[cfg(test)]
mod tests;

pub use book::Book;
pub use flow::Flow;
pub use problem::{Problem, Problems, nearest};
pub use set::FlowSet;
pub use walk::Walk;

/// Drawing a flow: mermaid, dot, SVG.
pub mod graph;
/// Walking a flow without a phone; case files and what they cover.
pub mod sim;
