//! The city's 12345: what it sends us, signed, and what it said, for the office.
mod exchange;
mod messages;
mod orders;
mod signed;
mod wire;
pub use exchange::{__path_exchange, exchange};
pub use messages::{__path_list, __path_take, list, take};
pub use orders::{__path_order, order};
pub use signed::CityDoor;
