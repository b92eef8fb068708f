//! Callbacks: who waits for one, who was reached, who was given up.
mod list;
pub use list::{__path_list, list};
