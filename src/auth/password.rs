//! Passwords: argon2id with the crate's parameters (19 MiB, two passes: OWASP's first choice), kept as PHC strings.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

/// Shortest password taken.
pub const SHORTEST: usize = 10;
/// Longer ones are refused, so that hashing costs the same for everybody.
pub const LONGEST: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST} bytes")]
    TooLong,
    #[error("hashing failed: {0}")]
    Hashing(String),
}

/// Hashes with a fresh salt. About 30 ms of one core and 19 MiB: never on a thread that serves others.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| PasswordError::Hashing(e.to_string()))?.to_string())
}

/// Whether the password is the hashed one. With `None` (no such user) it works as long and says no.
pub fn verify(password: &str, kept: Option<&str>) -> bool {
    /// Nobody's password; what it costs to try is what a real one costs.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.len() > LONGEST {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    let same = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    same && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_against_its_hash_only() {
        let kept = hash("demo-12341").unwrap();
        assert!(kept.starts_with("$argon2id$"));
        assert!(verify("demo-12341", Some(&kept)));
        assert!(!verify("demo-12342", Some(&kept)));
        assert!(!verify("demo-12341", None));
        assert!(!verify("demo-12341", Some("not a hash")));
        assert_ne!(kept, hash("demo-12341").unwrap(), "each has its own salt");
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_a_hash_of_full_cost() {
        let begin = std::time::Instant::now();
        assert!(!verify("whatever-it-is", None));
        let unknown = begin.elapsed();
        assert!(unknown > std::time::Duration::from_millis(1), "it was not hashed: {unknown:?}");
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(hash("123456789"), Err(PasswordError::TooShort));
        assert_eq!(hash(&"x".repeat(257)), Err(PasswordError::TooLong));
        assert!(!verify(&"x".repeat(100_000), None));
    }
}
