//! Tickets: their official numbers, the district's codes they may carry, and what may become of a draft. What their later
//! events mean (dispatch, clocks, indicators) joins this room with the ticket loop. Pure.
//!
//! The rule that always holds: a number is given once, also across restarts. Gaps are allowed, reuse never.
pub mod district;
pub mod life;
pub mod number;
pub mod numbers;
