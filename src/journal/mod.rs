//! The append-only file of facts.
