//! Tickets: their official numbers, the district's codes they may carry, what may become of a draft ([`life`]), and their life after
//! the acceptance ([`cycle`]) by the district's [`rules`] and [`clock`]s. Pure.
//!
//! The rule that always holds: a number is given once, also across restarts. Gaps are allowed, reuse never.
pub mod clock;
pub mod cycle;
pub mod district;
pub mod duty;
pub mod indicators;
pub mod life;
pub mod number;
pub mod numbers;
pub mod old;
pub mod paper;
pub mod rules;
pub mod search;
