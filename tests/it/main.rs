//! The program from outside: one binary, one file for each subject.
mod floors;
mod tidy;
