//! Wall time of a roster: minutes of the district's own clock, which has no summer time.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time, date};
use std::fmt;

/// Minutes of a day.
pub const DAY: i64 = 24 * 60;

/// A minute of local wall time, counted from 1970-01-01 00:00. Plain data: nothing here reads a clock.
///
/// China has had one offset and no summer time since 1991, so local minutes are an even ruler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub i64);

const EPOCH: Date = date(1970, 1, 1);

impl Minute {
    /// `minutes` after midnight of `day`; more than a day's reaches into the next.
    pub fn on(day: Date, minutes: i64) -> Self {
        Self(days_since(EPOCH, day) * DAY + minutes)
    }

    pub fn of(at: DateTime) -> Self {
        Self::on(at.date(), i64::from(at.hour()) * 60 + i64::from(at.minute()))
    }

    /// The day it is in. Times outside the calendar's years are told as its last day.
    pub fn date(self) -> Date {
        plus_days(EPOCH, self.0.div_euclid(DAY))
    }

    /// Minutes since midnight.
    pub const fn of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    pub const fn plus(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }

    pub fn to_datetime(self) -> DateTime {
        let minutes = i32::try_from(self.of_day()).unwrap_or(0);
        let time = Time::midnight().wrapping_add(Span::new().minutes(minutes));
        self.date().to_datetime(time)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date(), Clock(self.of_day()))
    }
}

/// Minutes after midnight, shown as `08:30`; a shift's end may be `32:00`, eight in the next morning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(pub i64);

impl Clock {
    /// Reads `8:30`, `08:30`, `24:00`, up to `48:00`.
    pub fn read(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |part: &str| {
            let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok()).flatten()
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let all = hours * 60 + minutes;
        (minutes < 60 && all <= 2 * DAY).then_some(Self(all))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Days from `a` to `b`, negative when `b` is before.
pub fn days_since(a: Date, b: Date) -> i64 {
    a.until(b).map_or(0, |span| i64::from(span.get_days()))
}

/// The date `days` later, held inside the calendar's years.
pub fn plus_days(day: Date, days: i64) -> Date {
    let end = if days < 0 { Date::MIN } else { Date::MAX };
    Span::new().try_days(days).ok().and_then(|span| day.checked_add(span).ok()).unwrap_or(end)
}

/// Every date of `[from, to)`.
pub fn dates(from: Date, to: Date) -> impl Iterator<Item = Date> {
    from.series(Span::new().days(1)).take_while(move |day| *day < to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_dates_are_the_same_ruler() {
        let leap = Minute::on(date(2028, 2, 28), 25 * 60);
        assert_eq!(leap.to_string(), "2028-02-29 01:00");
        assert_eq!(Minute::on(date(2028, 2, 29), DAY).date(), date(2028, 3, 1));
        assert_eq!(Minute::on(date(2026, 12, 31), 32 * 60).to_string(), "2027-01-01 08:00");
        assert_eq!(Minute::of(date(2026, 11, 26).at(8, 30, 59, 0)).of_day(), 510);
        assert_eq!(Minute::on(date(2026, 11, 26), 510).to_datetime(), date(2026, 11, 26).at(8, 30, 0, 0));
        assert_eq!(dates(date(2026, 12, 30), date(2027, 1, 2)).count(), 3);
        assert_eq!(Minute::on(date(1969, 12, 31), 60).of_day(), 60);
    }

    #[test]
    fn clocks_are_read_strictly() {
        assert_eq!(Clock::read("8:30"), Some(Clock(510)));
        assert_eq!(Clock::read("32:00").map(|c| c.to_string()), Some("32:00".into()));
        for bad in ["", "8", "08:60", "48:01", "-1:00", "8:+1", "008:00", "８:00"] {
            assert_eq!(Clock::read(bad), None, "{bad}");
        }
    }
}
