//! Official ticket numbers: the date as yyMMdd, a sequence of five digits (seven on a day that needs more), the Luhn digit.
//!
//! Numbers come in blocks that are noted in the journal before the first of them is given, so that a restart begins behind the block.

use jiff::civil::Date;
use std::collections::BTreeMap;
use std::fmt;

/// Numbers reserved at a time where nobody says otherwise.
pub const BLOCK: u32 = 100;
/// The last sequence that five digits hold.
const FIVE_DIGITS: u32 = 99_999;

/// A ticket's official number: 12 digits, 14 on a day that ran out of five-digit sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// yyMMdd of the arrival in the configured zone.
    date: u32,
    sequence: u32,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = if self.sequence > FIVE_DIGITS { 7 } else { 5 };
        let stem = format!("{:06}{:0width$}", self.date, self.sequence);
        write!(f, "{stem}{}", check_digit(&stem))
    }
}

/// What a request for a number gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    Number(Number),
    /// Note this block in the journal, then draw again: it is granted by being noted.
    NeedBlock {
        date: u32,
        from: u32,
        to: u32,
    },
}

#[derive(Clone, Copy, Debug)]
struct Block {
    next: u32,
    /// The last number of the newest noted block.
    to: u32,
}

/// The numbers this process may give, by date.
#[derive(Clone, Debug)]
pub struct Blocks {
    size: u32,
    dates: BTreeMap<u32, Block>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { size: BLOCK, dates: BTreeMap::new() }
    }
}

impl Blocks {
    /// Goes on behind every block the journal knows (date → its last number); what was left of them is a gap.
    pub fn restored(noted: &BTreeMap<u32, u32>, size: u32) -> Self {
        let dates =
            noted.iter().map(|(date, to)| (*date, Block { next: to.saturating_add(1), to: *to })).collect();
        Self { size: size.max(1), dates }
    }

    pub fn draw(&mut self, date: Date) -> Draw {
        let date = year_month_day(date);
        let size = self.size;
        let block = self.dates.entry(date).or_insert(Block { next: 1, to: 0 });
        if block.next > block.to {
            let from = block.to.saturating_add(1);
            *block = Block { next: from, to: from.saturating_add(size - 1) };
            return Draw::NeedBlock { date, from, to: block.to };
        }
        let number = Number { date, sequence: block.next };
        block.next = block.next.saturating_add(1);
        Draw::Number(number)
    }
}

fn year_month_day(date: Date) -> u32 {
    let part = |n: i32| u32::try_from(n).unwrap_or(0);
    part(i32::from(date.year()).rem_euclid(100)) * 10_000
        + part(date.month().into()) * 100
        + part(date.day().into())
}

/// Is this text an official number? Twelve digits or fourteen; the last is the Luhn digit (ISO/IEC 7812-1, annex B).
pub fn is_official(no: &str) -> bool {
    let Some((stem, check)) = no.split_at_checked(no.len().saturating_sub(1)) else { return false };
    matches!(no.len(), 12 | 14)
        && no.bytes().all(|b| b.is_ascii_digit())
        && check_digit(stem).to_string() == check
}

/// The Luhn digit behind these digits; any other character counts as nothing.
pub fn check_digit(stem: &str) -> u32 {
    let sum: u32 = stem
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(i, digit)| match (i % 2, digit * 2) {
            (0, doubled) if doubled > 9 => doubled - 9,
            (0, doubled) => doubled,
            _ => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn draw(blocks: &mut Blocks, noted: &mut BTreeMap<u32, u32>) -> String {
        loop {
            match blocks.draw(date(2026, 11, 23)) {
                Draw::Number(no) => return no.to_string(),
                Draw::NeedBlock { date, from, to } => {
                    assert_eq!(from, noted.get(&date).map_or(1, |last| last + 1), "blocks follow each other");
                    noted.insert(date, to);
                }
            }
        }
    }

    #[test]
    fn numbers_are_official_and_their_block_is_noted_first() {
        let (mut blocks, mut noted) = (Blocks::default(), BTreeMap::new());
        assert_eq!(blocks.draw(date(2026, 11, 23)), Draw::NeedBlock { date: 261_123, from: 1, to: 100 });
        noted.insert(261_123, 100);
        assert_eq!(draw(&mut blocks, &mut noted), "261123000018");
        for _ in 0..500 {
            assert!(is_official(&draw(&mut blocks, &mut noted)));
        }
        assert_eq!(noted[&261_123], 600);
    }

    #[test]
    fn a_restart_leaves_a_gap_and_gives_nothing_twice() {
        let mut seen = std::collections::BTreeSet::new();
        let mut noted = BTreeMap::new();
        for boot in 0..50_u32 {
            let mut blocks = Blocks::restored(&noted, 7 + boot % 3);
            for _ in 0..boot % 20 {
                assert!(seen.insert(draw(&mut blocks, &mut noted)), "boot {boot}");
            }
        }
    }

    #[test]
    fn a_day_that_runs_out_of_five_digits_goes_on_with_seven() {
        let noted = BTreeMap::from([(261_123, 99_998)]);
        let mut blocks = Blocks::restored(&noted, 10);
        let mut noted = noted;
        let last = draw(&mut blocks, &mut noted);
        let next = draw(&mut blocks, &mut noted);
        assert_eq!((last.len(), &last[6..11]), (12, "99999"));
        assert_eq!((next.len(), &next[6..13]), (14, "0100000"));
        assert!(is_official(&last) && is_official(&next));
    }

    #[test]
    fn what_is_no_number_is_told() {
        for bad in ["261123000017", "26112300001", "26112300001x", "", "2611230000170", "二六一一二三"]
        {
            assert!(!is_official(bad), "{bad}");
        }
    }
}
