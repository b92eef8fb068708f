//! Recordings, by id only.
mod play;
pub use play::{__path_play, play};
