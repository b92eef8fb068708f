//! The knowledge base (domain reference 1.4): what an entry says, how it gets to the agents, whether it may be quoted, and how it is
//! found while somebody talks. Pure.
//!
//! ```text
//!          submit            approve              publish
//!  draft ─────────▶ unit_review ─────▶ office_review ─────▶ published ──retire──▶ retired
//!    ▲                  │ return            │ return            │                    │
//!    └──────────────────┴───────────────────┘◀──────change──────┴────────────────────┘
//! ```
//!
//! The stage is that of the newest version. The *live* one, which agents read, stays as it was until the next is published, so a
//! change under way takes no answer from the desk.
//!
//! ```text
//!  texts ──Index::build──▶ Index ──search(query, words)──▶ hits, best first
//! ```
//!
//! The rules that always hold: nobody approves or publishes what he wrote himself; what contradicts itself or another entry is not
//! published; what is past its review date, in doubt or not in force is shown and never quoted ([`standing`]).
//!
//! To add a step: a variant of [`Step`], its arm in `life.rs`, its row in the table of the test. To add synonyms: `district/kb-words.json`.
mod entry;
mod index;
mod life;
mod seed;
mod term;
mod words;

pub use entry::{ANSWER_MAX, Confidence, Fault, QUESTIONS_MAX, Text, is_entry_id};
pub use index::{Doc, Hit, Index, QUERY_MAX};
pub use life::{Conflict, Entry, Refusal, Stage, Stale, Standing, Step, obstacles, standing, step};
pub use seed::{Seed, shipped};
pub use term::{due, without_numbers};
pub use words::{Words, plain};
