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
//!
//! What a record says ([`frame`], [`wire`]) is pure and builds without the rest: the fuzzer reads there what a disk may hold.

#[cfg(feature = "full")]
mod disk;
pub mod frame;
#[cfg(feature = "full")]
mod keys;
#[cfg(feature = "full")]
mod open;
#[cfg(feature = "full")]
mod reader;
mod seal;
#[doc(hidden)]
pub mod wire;
#[cfg(feature = "full")]
mod writer;

#[cfg(all(test, feature = "full"))]
mod tests;

#[cfg(feature = "full")]
pub use disk::{Disk, RealDisk};
#[cfg(feature = "full")]
pub use keys::erase;
#[cfg(feature = "full")]
pub use open::{Damage, OpenError, Options, Recovered, expire};
#[cfg(feature = "full")]
pub use reader::{ReadError, Reader};
#[cfg(feature = "full")]
pub use writer::{Journal, News};
