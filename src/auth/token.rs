//! Session tokens: 128 random bits as 32 hex digits, stored only as their SHA-256.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// A secret that somebody holds to be himself. Prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandom(String);

impl Token {
    pub fn fresh() -> Result<Self, NoRandom> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| NoRandom(e.to_string()))?;
        Ok(Self(hex(&bytes)))
    }

    /// Reads what a client sent; anything that could not be a token is `None`.
    pub fn read(text: &str) -> Option<Self> {
        let fine = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        fine.then(|| Self(text.to_owned()))
    }

    /// For the one who holds it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What a page of ours sends along with writes by cookie. It can be made from the token only.
    pub fn csrf(&self) -> String {
        let mut sha = Sha256::new();
        sha.update(b"csrf:");
        sha.update(self.0.as_bytes());
        hex(&sha.finalize()[..16])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        // Writing into a String cannot fail.
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_read_back_and_do_not_print() {
        let (a, b) = (Token::fresh().unwrap(), Token::fresh().unwrap());
        assert_ne!(a, b);
        assert_eq!(Token::read(a.reveal()), Some(a.clone()));
        assert_eq!(format!("{a:?}"), "***");
        assert_ne!(a.csrf(), a.reveal());
        for bad in ["", "x", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcde'"] {
            assert_eq!(Token::read(bad), None, "{bad}");
        }
    }
}
