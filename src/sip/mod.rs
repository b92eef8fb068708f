//! SIP: reading, transactions, dialogs, offer/answer and the user agent that owns them. Pure: bytes, commands and the
//! time go in; bytes, facts and the next moment come out.
//!
//! | module | subject |
//! |---|---|
//! | [`seam`] | the words between the user agent and its owner |
//! | [`stream`], [`message`], [`header`], [`method`], [`multipart`] | reading, with limits |
//! | [`sdp`], [`offer_answer`], [`digest`] | what messages carry |
//! | [`transaction`] | the four machines of RFC 3261 §17 |
//! | [`ua`] | the user agent: dialogs and everything above |
pub mod digest;
pub mod header;
pub mod message;
pub mod method;
pub mod multipart;
pub mod offer_answer;
pub mod sdp;
pub mod seam;
pub mod stream;
pub mod transaction;
pub mod ua;

pub use seam::UaConfig;
pub use ua::Ua;
