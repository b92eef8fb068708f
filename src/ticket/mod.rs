//! Tickets: their official numbers. What their events mean (life cycle, clocks, indicators) joins this room with the ticket loop. Pure.
//!
//! The rule that always holds: a number is given once, also across restarts. Gaps are allowed, reuse never.
pub mod number;
