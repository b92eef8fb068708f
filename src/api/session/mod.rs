//! Signing in and out.
mod show;
mod sign_in;
mod sign_out;
pub use show::{__path_show, show};
pub use sign_in::{__path_sign_in, sign_in};
pub use sign_out::{__path_sign_out, sign_out};
