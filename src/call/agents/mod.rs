//! Agents inside the engine: their words ([`seam`]), their legs, and what they do with calls.

pub mod seam;
