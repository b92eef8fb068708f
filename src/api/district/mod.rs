//! The district's codes with the names people see: units, matters.
mod categories;
mod units;
pub use categories::{__path_categories, categories};
pub use units::{__path_units, units};
