//! The floor: queues and agents as they stand, how the day goes, and why a caller waited.
mod agents;
mod day;
mod queues;
mod why;
pub use agents::{__path_agents, agents};
pub use day::{__path_day, day};
pub use queues::{__path_queues, queues};
pub use why::{__path_why, why};
