//! The life of a ticket after its acceptance: who may do what in which state, the clocks, and the fold of its history.
//!
//! ```text
//!            ┌─ clarification ◀─┐                     ┌─ extension_review ─┐
//!            ▼                  │   ┌─ return_review ─┤  joint_review      │
//!  accepted ─┴─dispatch▶ dispatched ┴─sign▶ handling ◀┴─ deferred  staged ─┘
//!   │  ▲ transferred              ▲            │ reply
//!   │  └── force ─────────────────┘            ▼            pass                visit
//!   ├─▶ rejected  withdrawn  closed(merged)   replied ─sign_reply▶ ─▶ awaiting_visit ─▶ visited ─▶ closed
//!                                 redo ◀──────────────────────────────────────┘   ◀──── (≤ 7 days) ┘
//! ```
//!
//! - [`step`] is the only way in: what somebody does, checked against [`TABLE`](table), becomes events or refusals.
//! - [`Ticket::fold`] is the only way a ticket changes: events carry everything it needs, so that it looks at no rule and no calendar.
//! - [`due`] says what time itself does: reminders, lateness, an escalation, clocks counted again.
//!
//! A ticket from the city ([`City`]) keeps the city's clocks unchanged, and ours may only be earlier; one that the city takes back stays
//! `transferred` and is over.
//!
//! The rules that always hold: an open ticket has an owner and a next deadline; the citizen's clock begins with the acceptance and
//! never pauses; how long each owner had it adds up to the time it was there.
//!
//! To add an action: a variant of [`Step`], a row in `table.rs`, its arm in `step.rs` (what is checked) and `fold.rs` (what changes),
//! and its row in the second table of the test, which was written apart from this one.
mod city;
mod due;
mod fold;
mod model;
mod step;
mod table;
#[cfg(test)]
pub(crate) mod tests;
pub mod urging;

pub use city::{City, CityAsk, CityOrder, CityWish, answered};
pub use due::{due, watch_at};
pub use model::{
    Clock, ClockName, Deferred, Event, Extension, Forced, Hand, Held, Light, Matter, Owner, Reply, Return,
    Said, Staged, State, Step, Sub, Supervised, Tables, Ticket, Visit, VisitTry, VoiceTry, Who, Wish,
};
pub use step::{allowed, open, open_for_city, step};
pub use table::{Stand, permits, stand, steps};
