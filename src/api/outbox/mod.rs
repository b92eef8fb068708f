//! What was sent outside, what would have been, and what could not be.
mod ask;
mod list;
mod wire;
pub use ask::{__path_discard, __path_retry, discard, retry};
pub use list::{__path_list, list};
