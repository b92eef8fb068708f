//! The desk's tables, in SQLite (embedded) or PostgreSQL (by URL).
//!
//! ```text
//!  journal ──facts──▶ projector ──one transaction──▶ calls, call_events, tickets (drafts), flows, cursor
//!  people  ──HTTP───▶ api ───────────────────────▶ users, sessions, access_log, tickets' own edits
//! ```
//!
//! The rules that always hold:
//!
//! - The journal is the truth about calls: the tables about them can be dropped and filled again from it.
//! - The database is the truth about tickets, users, sessions. A ticket's row is the fold of its history, and the
//!   history is a hash chain ([`Db::verify`] walks it).
//! - Values are bound, never written into SQL; fields that can be filtered by are closed enums.
//! - Nothing here is on the path of a call. A database that is slow or away slows the desk only.
//!
//! To add a table or column: a new numbered file in *both* folders of `migrations/` (they only add within a version), and
//! a line in the story test that runs on both.
mod access;
mod act;
mod backup;
mod call;
mod callback;
mod chain;
mod city;
mod code;
mod db;
pub mod demo;
mod erase;
mod error;
mod export;
mod floor;
mod flow;
pub mod fold;
mod handover;
mod import;
mod indicators;
mod knowledge;
mod leader;
mod linking;
mod new_ticket;
mod numbers;
mod outbox;
mod page;
mod paper;
pub mod projector;
mod published;
mod retention;
mod reveal;
mod roster;
mod save_ticket;
mod search;
mod setting;
mod sql;
#[cfg(test)]
pub(crate) mod tests;
mod ticket;
mod urging;
mod user;
mod verify;

pub use access::Access;
pub use act::{ActOutcome, CITIZEN, TicketAct};
pub use backup::{RestoreError, restore_postgres, restore_sqlite};
pub use call::{Call, CallEvent, CallField, CallFilter};
pub use city::{CityLine, CityOutcome, CityReceipt};
pub use code::same;
pub use db::{Db, Dialect, Durability, OpenOptions, without_password};
pub use erase::{Erased, Person};
pub use error::{OpenError, StoreError};
pub use export::Export;
pub use floor::{Fared, FaredCounts, HALF_HOUR_MS, Topic};
pub use flow::FlowVersion;
pub use handover::HandoverSignature;
pub use import::Imported;
pub use indicators::{Behind, Counted, Measured, Period, Source};
pub use knowledge::{
    KB_MOST, KbAnswered, KbCorrection, KbEntry, KbEvent, KbFilter, KbGap, KbLive, KbNotice, KbOutcome,
    KbQuote, KbQuoted, KbSearch, KbUnit, KbVersion, KbWish, KbWording, QUOTED,
};
pub use leader::{LeaderSession, SessionCall, SessionSaved, SessionTicket};
pub use linking::{Link, LinkOutcome, Similar, SimilarTo, Split};
pub use new_ticket::{Attachment, NewTicket, WebMessage, WebReceipt};
pub use numbers::{Carried, Dialled, DutyNumber, DutyTest, LegacyNumber, SYSTEM, ServiceNumber};
pub use outbox::{AskOutcome, Letter, OutboxCounts, OutboxFilter, OutboxRow, Recorded};
pub use page::{Cursor, LIMIT, LIMIT_MAX, NotACursor, Page, Paged};
pub use paper::{MissingSheets, NewPaper, PAPER, PaperSheet};
pub use published::{Correction, Published, Stand};
pub use retention::{Expired, months_before};
pub use reveal::Contact;
pub use roster::{
    RosterApproval, RosterApproved, RosterChanges, RosterDay, RosterEvent, RosterNotice, RosterRequest,
    RosterSaved, roster_id,
};
pub use save_ticket::{SaveOutcome, TicketChange};
pub use search::TicketSearch;
pub use ticket::{
    BoxCount, NoStatus, Scope, StatusAnswer, Survey, Ticket, TicketEvent, TicketField, TicketFilter,
    TicketOrder, TicketStatus,
};
pub use urging::{OpenUrge, UrgeCall};
pub use user::{SessionRow, USER_NAME_RULE, User, WORK_RULE, Work, is_user_name, is_work};
pub use verify::VerifyReport;
