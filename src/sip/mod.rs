//! SIP: reading, transactions, dialogs, offer/answer and the user agent that owns them. Pure.
pub mod seam;
pub mod transaction;
