//! Calls: as recorded, and in progress.
mod events;
mod hang_up;
mod list;
mod live;
mod show;
pub use events::{__path_events, events};
pub use hang_up::{__path_hang_up, hang_up};
pub use list::{__path_list, list};
pub use live::{__path_live, live};
pub use show::{__path_show, show};
