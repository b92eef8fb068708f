//! Who somebody is and what he may do. No tables and no requests: the desk's HTTP and the agents' socket both ask here.
//!
//! - [`may`] is the one place where rights are decided; its table test lists every role and action.
//! - [`password`]: argon2id. [`token`]: 128 random bits, kept only as their hash. [`session_state`]: twelve hours, half
//!   an hour idle. [`attempts`]: how often somebody may be wrong.
//!
//! The rule that always holds: what is not in the table is refused.
//!
//! To add an action: a variant of [`Action`], a row in `may`'s table and in its test; the compiler names the rest.
pub mod attempts;
mod may;
pub mod origin;
pub mod password;
mod role;
pub mod token;

pub use may::{Action, Decision, OFFICE_UNIT, Refusal, Resource, hand, may};
pub use role::{Role, RoleSet, UnknownRole};

/// A session's longest life, and how long it may rest, in milliseconds.
pub const SESSION_LIFE_MS: i64 = 12 * 3_600_000;
pub const SESSION_IDLE_MS: i64 = 30 * 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    Good,
    /// It has rested too long, or is over its life.
    Over,
}

/// Whether a session still counts. Times in milliseconds since 1970.
pub const fn session_state(seen_at: i64, expires_at: i64, now: i64) -> SessionState {
    if now >= expires_at || now >= seen_at.saturating_add(SESSION_IDLE_MS) {
        SessionState::Over
    } else {
        SessionState::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_by_age_and_by_rest() {
        let begun = 1_000;
        let end = begun + SESSION_LIFE_MS;
        assert_eq!(session_state(begun, end, begun), SessionState::Good);
        assert_eq!(session_state(begun, end, begun + SESSION_IDLE_MS - 1), SessionState::Good);
        assert_eq!(session_state(begun, end, begun + SESSION_IDLE_MS), SessionState::Over);
        assert_eq!(session_state(end - 1, end, end - 1), SessionState::Good);
        assert_eq!(session_state(end - 1, end, end), SessionState::Over);
    }
}
