//! The wire: frames read into requests, the engine's words written as frames. Pure.
//!
//! Names, fields and limits are those of the published schema; a test holds every written frame against it.
mod command;
mod frame;
#[cfg(test)]
mod tests;
mod view;

#[cfg(test)]
pub use command::names;
pub use command::{Command, Request, Unread, read};
pub use frame::{Hello, Writer, done, numbered, refusal};

pub const SUBPROTOCOL: &str = "hotline.cti.v1";
/// Of the frames; a change that breaks a client makes it 2 and another subprotocol.
pub const PROTOCOL: u32 = 1;
/// JSON Schema 2020-12 of all frames, both ways.
pub const SCHEMA: &str = include_str!("schema.json");
