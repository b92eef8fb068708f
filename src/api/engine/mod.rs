//! The engine itself: its state, its reload.
mod reload;
mod status;
pub use reload::{__path_reload, reload};
pub use status::{__path_status, status};
