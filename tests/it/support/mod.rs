//! What the tests of the whole program share: a server to start, callers to call it with, and the desk's side to look at.
//!
//! The rule that always holds: **a test waits for a level, with a deadline, and never for a time** ([`level::until`]). What a test
//! starts ends with the value that started it, also when the test fails.

pub mod api;
pub mod audio;
pub mod baresip;
pub mod caller;
pub mod cti;
pub mod desk;
pub mod exchange;
pub mod hall;
pub mod level;
pub mod load;
pub mod page;
pub mod pcap;
pub mod postgres;
pub mod receiver;
pub mod server;
pub mod sipp;
pub mod tone;
pub mod voice;
