//! IVR: what a flow says, and one caller's walk through it. Knows prompts, digits and queues; knows nothing of SIP or files.
pub mod seam;
