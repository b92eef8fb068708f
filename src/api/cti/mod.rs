//! The agents' websocket: who may open it, and its schema. Everything else is in [`crate::cti`].
mod open;
mod schema;
pub use open::{__path_open, open};
pub use schema::{__path_schema, schema};
