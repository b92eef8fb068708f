//! Other hotlines beside ours: the words we exchange with the city's 12345, and what becomes of a message from it.
//!
//! ```text
//!  the city                                     us
//!  order ─────── signed ──────▶ read ─▶ one ticket, however often it comes      (store)
//!  decision, visit, points ───▶ read ─▶ once into the history, beside our own
//!        ◀──── sign, feedback, result, return, extension, exclusion, transfer ── outbox
//! ```
//!
//! The rules that always hold:
//!
//! - The city's number is one ticket. What is sent again is answered as it was before.
//! - The city's deadlines are kept as they came; a ticket's own clocks are only earlier ([`crate::ticket::cycle::CityOrder`]).
//! - What the city found out by its own callbacks, and what it takes off, is never added to our rates.
//! - Nothing here waits or reads a clock: a signature is judged by the time it is handed.
//!
//! To add a message to the city: a variant of [`Word`] and its arm in [`outgoing`]. To add one from the city: a variant of
//! [`News`], its arm in [`Message::read`], and what it does in `store/city.rs`.
mod message;
mod order;
mod out;
mod sign;

pub use message::{Given, Message, News};
pub use order::{GivenOrder, Order};
pub use out::{Outgoing, Word, outgoing};
pub use sign::{SIGNATURE, Unsigned, sign, verify};

use crate::ticket::life::{Refusal, Why};

/// Longest number of the city's, and of its messages.
pub const NO_MAX: usize = 40;

/// A number as machines write them: letters, digits, dashes.
fn is_no(text: &str) -> bool {
    (1..=NO_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// All that is wrong with what came.
#[derive(Debug, Default)]
struct Wrong(Vec<Refusal>);

impl Wrong {
    fn tell(&mut self, field: &'static str, why: Why, message: impl Into<String>) {
        self.0.push(Refusal { field, why, message: message.into() });
    }

    /// A text without space around it; `None` when there is nothing.
    fn text(&mut self, field: &'static str, given: Option<String>, most: usize) -> Option<String> {
        let text = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        if text.chars().count() > most {
            self.tell(field, Why::TooLong, format!("{field}: at most {most} characters"));
        }
        Some(text)
    }

    fn code(
        &mut self,
        field: &'static str,
        given: Option<String>,
        known: &dyn Fn(&str) -> bool,
    ) -> Option<String> {
        let code = self.text(field, given, NO_MAX)?;
        if !known(&code) {
            self.tell(field, Why::UnknownCode, format!("{field}: no such code here"));
        }
        Some(code)
    }
}
