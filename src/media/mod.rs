//! Media: frames, G.711, digits, prompts, recording. Only `worker` and `recorder` touch sockets, clocks and files.
pub mod seam;
