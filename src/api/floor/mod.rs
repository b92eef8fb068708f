//! The floor: queues and agents as they stand, and why a caller waited.
mod agents;
mod queues;
mod why;
pub use agents::{__path_agents, agents};
pub use queues::{__path_queues, queues};
pub use why::{__path_why, why};
