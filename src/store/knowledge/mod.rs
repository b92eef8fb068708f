//! The knowledge base as rows. How an entry gets on, and whether it may be quoted, is `knowledge`'s to say.
mod correction;
mod entry;
mod notice;
mod quote;
mod search;
mod unit;
mod wording;

pub use correction::{KbAnswered, KbCorrection};
pub use entry::{KB_MOST, KbEntry, KbEvent, KbFilter, KbLive, KbOutcome, KbVersion, KbWish};
pub use notice::KbNotice;
pub use quote::{KbQuote, KbQuoted, QUOTED};
pub use search::{KbGap, KbSearch};
pub use unit::KbUnit;
pub use wording::KbWording;

use super::error::StoreError;

/// A row's id, sortable by its time.
fn row_id(prefix: &str, at: i64) -> Result<String, StoreError> {
    super::roster_id(prefix, at)
}
