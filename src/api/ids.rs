//! Names for what is made here: by chance, so that nobody guesses one.

use super::problem::Problem;

/// `prefix` and sixteen hexadecimal digits.
pub fn fresh(prefix: &str) -> Result<String, Problem> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    Ok(format!("{prefix}{:016x}", u64::from_be_bytes(bytes)))
}
