//! The append-only file of facts: framed, checksummed, flushed in groups, read back after a crash.
//!
//! ```text
//!  engine ─ring─▶ Journal::run (thread) ─▶ encode ─▶ segment ─▶ one fsync a group ─▶ News.durable ─▶ engine, projector
//!                                                       │ fails
//!                                                       └─▶ never synced again: the group goes to a new segment (spare folder first),
//!                                                           or nothing is durable any more and the alarm is up
//!  projector, command line ◀─ Reader: any position, while the file grows
//! ```
//!
//! A segment is `<first position>-<try>.log`: 16 bytes of head, then frames ([`frame`]). Positions only grow; a record that stands twice
//! (the second time behind a failed flush) counts once. What identifies a person is ciphertext under the call's own key ([`keys`]);
//! destroying the key erases the person and leaves every checksum whole.
//!
//! The rule that always holds: a position is told as durable only after an fsync that covers it has succeeded.
//!
//! To add a fact: a variant in `call::fact`, a number and both directions in `wire.rs`. Fields are only added at the end.
mod disk;
pub mod frame;
mod keys;
mod open;
mod reader;
mod wire;
mod writer;

#[cfg(test)]
mod tests;

pub use disk::{Disk, RealDisk};
pub use keys::erase;
pub use open::{Damage, OpenError, Options, Recovered};
pub use reader::{ReadError, Reader};
pub use writer::{Journal, News};
