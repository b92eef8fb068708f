//! Tags, branches, Call-IDs and back-off times: unpredictable outside, the same again for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

/// 64 random bits that name a tag or a branch; written as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u64);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 16];
        f.write_str(self.hex(&mut text))
    }
}
impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Mark {
    /// Reads back exactly what `Display` writes; any other text is not ours.
    pub fn read(text: &str) -> Option<Self> {
        let ours = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if ours { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
    pub fn hex(self, into: &mut [u8; 16]) -> &str {
        for (i, byte) in into.iter_mut().enumerate() {
            let digit = (self.0 >> (60 - 4 * i) & 15) as usize;
            *byte = b"0123456789abcdef"[digit];
        }
        std::str::from_utf8(into).unwrap_or("") // Hex digits are always UTF-8.
    }
}

impl Chance {
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }
    pub fn mark(&mut self) -> Mark {
        Mark(self.0.next_u64())
    }
    pub fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.0.fill_bytes(&mut key);
        key
    }
    /// A moment between `from` and `to`, in steps of 10 ms as RFC 3261 §14.1 wants.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let steps =
            u64::try_from((to.saturating_sub(from)).as_millis() / 10).unwrap_or(u64::MAX).saturating_add(1);
        from + Duration::from_millis(self.0.next_u64() % steps * 10)
    }
    pub fn up_to(&mut self, n: u32) -> u32 {
        (self.0.next_u64() % u64::from(n.max(1))) as u32 // Less than n: fits.
    }
    pub fn hasher(&mut self) -> Keyed {
        Keyed(self.0.next_u64(), self.0.next_u64())
    }
}

/// A hasher whose key comes from our seed: peers cannot aim for collisions, and a run can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Keyed(u64, u64);

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;
    fn build_hasher(&self) -> KeyedHasher {
        #[expect(deprecated, reason = "the only keyed SipHash of std; its successor hides the key")]
        KeyedHasher(std::hash::SipHasher::new_with_keys(self.0, self.1))
    }
}

#[derive(Debug)]
#[expect(deprecated, reason = "see Keyed")]
pub struct KeyedHasher(std::hash::SipHasher);

impl Hasher for KeyedHasher {
    fn finish(&self) -> u64 {
        self.0.finish()
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back_and_only_they_do() {
        let mut a = Chance::new([7; 32]);
        let mut b = Chance::new([7; 32]);
        for _ in 0..100 {
            let mark = a.mark();
            assert_eq!(mark, b.mark());
            assert_eq!(Mark::read(&mark.to_string()), Some(mark));
        }
        for bad in
            ["", "0123", "00000000000000000", "00000000000000G0", "0000000000000A00", "+000000000000001"]
        {
            assert_eq!(Mark::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn waits_stay_in_their_band() {
        let mut chance = Chance::new([1; 32]);
        for _ in 0..1000 {
            let wait = chance.between(Duration::from_millis(2100), Duration::from_millis(4000));
            assert!((2100..=4000).contains(&wait.as_millis()) && wait.as_millis().is_multiple_of(10));
        }
    }
}
