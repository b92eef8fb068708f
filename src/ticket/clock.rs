//! Times to be kept: how a span of one family of calendars is counted from a receipt. Milliseconds since 1970 in and out.

use crate::roster::{Calendar, OfficeHours, plus_days};
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// What counts as time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Every hour of every day.
    Clock,
    /// Days of work with make-up days; hours are office hours, days end at the office's closing.
    Work,
    /// Calendar days, which end at 24:00; hours are hours.
    Days,
}

/// So much time of a family: days, or minutes when there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub family: Family,
    #[serde(default)]
    pub minutes: u32,
    #[serde(default)]
    pub days: u32,
}

/// Longest span a rule may name, in minutes: ten years.
const MINUTES_MAX: u32 = 10 * 366 * 24 * 60;

impl Span {
    /// `30m`, `2h`, `5d`.
    pub fn read(family: Family, text: &str) -> Option<Self> {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let n: u32 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
        let (minutes, days) = match unit {
            "m" => (n, 0),
            "h" => (n.checked_mul(60)?, 0),
            "d" => (0, n),
            _ => return None,
        };
        (n > 0 && minutes <= MINUTES_MAX && days <= MINUTES_MAX / 1440).then_some(Self {
            family,
            minutes,
            days,
        })
    }

    /// This share of it, rounded up.
    pub fn share(self, percent: u32) -> Self {
        let part = |n: u32| u32::try_from((u64::from(n) * u64::from(percent)).div_ceil(100)).unwrap_or(n);
        Self { minutes: part(self.minutes), days: part(self.days), ..self }
    }

    /// Whole days of it, for limits that are told in days.
    pub const fn whole_days(self) -> u32 {
        if self.days > 0 { self.days } else { self.minutes / 1440 }
    }
}

/// A time to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Counted Monday to Friday in a year without a calendar: shown as such and counted again when there is one.
    pub unsure: bool,
}

/// `span` after `from`, and `extra` days of work on top (an extension).
pub fn due(
    from: i64,
    span: Span,
    extra: u32,
    office: OfficeHours,
    calendar: &Calendar,
    zone: &TimeZone,
) -> Due {
    let Some(start) = civil(from, zone) else { return Due { at: from, unsure: false } };
    let (base, mut unsure) = match (span.family, span.days) {
        (Family::Work, 0) => {
            let reckoned = calendar.add_office_minutes(start, span.minutes, office);
            (ms(reckoned.value, zone), reckoned.unsure.is_some())
        }
        (Family::Work, days) => {
            let reckoned = calendar.add_workdays(start.date(), days);
            (ms(reckoned.value.to_datetime(office.to), zone), reckoned.unsure.is_some())
        }
        (Family::Days, days) if days > 0 => {
            let end = plus_days(start.date(), i64::from(days) + 1).to_datetime(Time::midnight());
            (ms(end, zone), false)
        }
        (Family::Clock | Family::Days, days) => {
            let minutes = i64::from(span.minutes) + i64::from(days) * 1440;
            (from.saturating_add(minutes * 60_000), false)
        }
    };
    if extra == 0 {
        return Due { at: base, unsure };
    }
    // The day a span ended on; 24:00 belongs to the day before it.
    let Some(end) = civil(base - 1, zone) else { return Due { at: base, unsure } };
    let later = calendar.add_workdays(end.date(), extra);
    unsure |= later.unsure.is_some();
    let at = match span.family {
        Family::Work => later.value.to_datetime(office.to),
        Family::Days => plus_days(later.value, 1).to_datetime(Time::midnight()),
        Family::Clock => later.value.to_datetime(civil(base, zone).unwrap_or(end).time()),
    };
    Due { at: ms(at, zone), unsure }
}

/// The end of the day that `at` is in.
pub fn end_of_day(at: i64, zone: &TimeZone) -> i64 {
    civil(at, zone).map_or(at, |day| ms(plus_days(day.date(), 1).to_datetime(Time::midnight()), zone))
}

pub fn civil(at: i64, zone: &TimeZone) -> Option<DateTime> {
    Some(zone.to_datetime(jiff::Timestamp::from_millisecond(at).ok()?))
}

/// Times outside the calendar's years stand still at its end.
fn ms(at: DateTime, zone: &TimeZone) -> i64 {
    zone.to_timestamp(at).map_or(i64::MAX, jiff::Timestamp::as_millisecond)
}
