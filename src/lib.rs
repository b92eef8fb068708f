pub mod base;
pub mod media { pub mod seam; }
pub mod sip;
