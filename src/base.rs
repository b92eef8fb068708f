//! Words every room shares: time, identifiers, deadlines, counters.

pub mod reach;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A moment on the engine's own monotone clock, in nanoseconds since the process started.
///
/// Plain data, so an input log can be written down and replayed. Only drivers read a real clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(u64::MAX);
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// How long after `earlier` this is; zero when it is before.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1000)
    }
}

/// The earlier of two optional moments.
pub fn soonest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// When each of many things is next due, in order. The deadline itself lives in the thing's state; this only mirrors it.
///
/// Every operation costs the logarithm of the number of deadlines.
#[derive(Debug)]
pub struct Deadlines<K>(BTreeSet<(Time, K)>);

impl<K: Ord + Copy> Deadlines<K> {
    /// Tells the mirror that `key`'s deadline was `before` and is `after` now.
    pub fn moved(&mut self, key: K, before: Option<Time>, after: Option<Time>) {
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.0.remove(&(at, key));
        }
        if let Some(at) = after {
            self.0.insert((at, key));
        }
    }
    pub fn soonest(&self) -> Option<Time> {
        self.0.first().map(|(at, _)| *at)
    }
    /// The first thing due by `now`. It stays until its state changes and [`Deadlines::moved`] says so.
    pub fn due(&self, now: Time) -> Option<K> {
        self.0.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key)
    }
    /// Everything that has a deadline, soonest first.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(_, key)| *key)
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

/// An enum without data whose words are all known: one side of a state table.
pub trait Closed: Copy + Eq + fmt::Debug + 'static {
    const ALL: &'static [Self];
    /// Its place in [`Closed::ALL`].
    fn index(self) -> usize;
}

/// Writes an enum and its [`Closed`].
macro_rules! closed {
    ($(#[$doc:meta])* $name:ident { $($(#[$word:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$word])* $variant),* }
        impl $crate::base::Closed for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use closed;

/// Rows of a state table that cannot be taken: each of these states with each of these inputs, and why.
pub type Impossible<S, I> = (&'static [S], &'static [I], &'static str);

/// How often each row of a state table, the product of its states and its inputs, has been taken.
///
/// Two array steps an event, so it is always counted.
#[derive(Clone, Debug)]
pub struct Reach<S: 'static, I: 'static> {
    counts: Vec<u32>,
    impossible: &'static [Impossible<S, I>],
}

impl<S: Closed, I: Closed> Reach<S, I> {
    pub fn new(impossible: &'static [Impossible<S, I>]) -> Self {
        Self { counts: vec![0; S::ALL.len() * I::ALL.len()], impossible }
    }

    pub fn took(&mut self, state: S, input: I) {
        if let Some(row) = self.counts.get_mut(state.index() * I::ALL.len() + input.index()) {
            *row = row.saturating_add(1);
        }
    }

    /// Every row: state, input, how often, and why it cannot be, if it cannot.
    pub fn rows(&self) -> impl Iterator<Item = (S, I, u32, Option<&'static str>)> + '_ {
        S::ALL.iter().flat_map(|state| I::ALL.iter().map(|input| (*state, *input))).zip(&self.counts).map(
            |((state, input), count)| {
                let why = self
                    .impossible
                    .iter()
                    .find(|(states, inputs, _)| states.contains(&state) && inputs.contains(&input));
                (state, input, *count, why.map(|(.., reason)| *reason))
            },
        )
    }
}

/// The hash of lookup tables whose order never reaches an output. It is fixed, so a day from a seed costs the same each time;
/// keys come from our own counters, but for callers' numbers, whose count a limit bounds.
pub type Seeded = std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>;

/// A call's name for ever: node, boot of that node, counter within the boot. Sorts by age within a node.
///
/// Text form `c-<node>-<boot>-<n>`, fixed width so that text sorts the same way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    pub node: u16,
    pub boot: u32,
    pub n: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c-{:02}-{:05}-{:010}", self.node, self.boot, self.n)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for CallId {
    type Err = NotACallId;
    fn from_str(text: &str) -> Result<Self, NotACallId> {
        let mut parts = text.strip_prefix("c-").ok_or(NotACallId)?.splitn(3, '-');
        let mut next = || parts.next().filter(|p| p.bytes().all(|b| b.is_ascii_digit())).ok_or(NotACallId);
        Ok(Self {
            node: next()?.parse().map_err(|_| NotACallId)?,
            boot: next()?.parse().map_err(|_| NotACallId)?,
            n: next()?.parse().map_err(|_| NotACallId)?,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a call id: expected c-<node>-<boot>-<n>")]
pub struct NotACallId;

/// One media leg of a call (the caller's, later an agent's), unique within a boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

impl fmt::Debug for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leg-{}", self.0)
    }
}

/// One key of a telephone: `0`–`9`, `*`, `#`, `A`–`D`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The RFC 4733 event number: 0–9, 10 `*`, 11 `#`, 12–15 `A`–`D`.
    pub const fn from_event(event: u8) -> Option<Self> {
        match event {
            0..=9 => Some(Self(b'0' + event)),
            10 => Some(Self(b'*')),
            11 => Some(Self(b'#')),
            12..=15 => Some(Self(b'A' + event - 12)),
            _ => None,
        }
    }
    /// Its RFC 4733 event number.
    pub const fn as_event(self) -> u8 {
        match self.0 {
            b'*' => 10,
            b'#' => 11,
            letter @ b'A'..=b'D' => letter - b'A' + 12,
            digit => digit - b'0',
        }
    }
    pub const fn from_char(c: char) -> Option<Self> {
        match c {
            '0'..='9' | '*' | '#' | 'A'..='D' => Some(Self(c as u8)),
            'a'..='d' => Some(Self(c as u8 - 32)),
            _ => None,
        }
    }
    pub const fn as_char(self) -> char {
        self.0 as char
    }
}

impl fmt::Debug for Digit {
    /// Digits can be codes and card numbers: they are never printed by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit(*)")
    }
}

/// What kind of working day a date is, after holidays and make-up days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DayKind {
    /// Monday to Friday, or a weekend day worked in place of another (调休上班).
    #[default]
    Workday,
    Weekend,
    /// A public holiday, also the weekend days inside one.
    Holiday,
}

/// A text that identifies a person (name, number, address, free text). Prints `***`; reading it is explicit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal(String);

impl Personal {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text itself. Every caller of this is a place where a person's data leaves the engine.
    pub fn reveal(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_read_back_and_sort_as_text() {
        let a = CallId { node: 1, boot: 3, n: 9 };
        let b = CallId { node: 1, boot: 3, n: 10 };
        assert_eq!(a.to_string().parse(), Ok(a));
        assert!(a < b && a.to_string() < b.to_string());
        for bad in ["", "c-1-2", "c-1-2-x", "c-1-2-+3", "d-1-2-3", "c-1-2-3-4"] {
            assert_eq!(bad.parse::<CallId>(), Err(NotACallId), "{bad}");
        }
    }

    #[test]
    fn a_row_that_was_taken_is_counted_and_one_that_cannot_be_has_its_reason() {
        closed! { Lamp { Off, On } }
        closed! { Hand { Press, Break } }
        let mut reach = Reach::new(&[(&[Lamp::Off], &[Hand::Break], "it is off")]);
        reach.took(Lamp::On, Hand::Press);
        reach.took(Lamp::On, Hand::Press);
        reach.took(Lamp::Off, Hand::Break);
        let rows: Vec<_> = reach.rows().collect();
        assert_eq!(
            rows,
            [
                (Lamp::Off, Hand::Press, 0, None),
                (Lamp::Off, Hand::Break, 1, Some("it is off")),
                (Lamp::On, Hand::Press, 2, None),
                (Lamp::On, Hand::Break, 0, None),
            ]
        );
    }

    #[test]
    fn digits_and_personal_text_do_not_print_themselves() {
        assert_eq!(
            format!("{:?} {:?}", Digit::from_event(7).unwrap(), Personal::new("12000000001")),
            "Digit(*) ***"
        );
    }
}
