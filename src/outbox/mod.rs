//! The outbox: what the hotline sends to people and machines outside, and what becomes of it.
//!
//! ```text
//!  an event ──Book::pushes──▶ rows, in the event's own transaction        (store)
//!                               │
//!            queued ◀───────────┘                          held   in test mode, unless on the allow list
//!              │  ▲ back-off                                 ▲
//!              ▼  │                                          │
//!            a try ──▶ sent │ dead ──somebody tries again──▶ queued
//!                            └──somebody gives up──▶ discarded
//! ```
//!
//! The rules that always hold:
//!
//! - A push exists exactly if its event does, once: its key is the event's.
//! - **No name, no number, no address and no free text goes into a text.** What a template may name is the closed list
//!   [`Field`], and none of it is about a person.
//! - Nothing here sends, reads a clock or draws a number: what is tried when is a function of [`life`].
//!
//! To add a text: a table in `district/pushes.toml` and a line of `[[send]]`. To add a kind: a word in [`Kind`] and a
//! sender beside the others in `app/outbox`.
mod book;
mod life;
mod push;

pub use book::{ALL, About, Book, Field, SHIPPED, Settings, Units, plain, with_code};
pub use life::{Asked, Gate, Limits, Mode, Next, NotNow, Outcome, State, Trying, Why, after, asked, gate};
pub use push::{Kind, Push, To};
