//! What holds for the numbers agents pass citizens on to: emergency codes, duty by day and hour, the monthly dial test.

use crate::base::DayKind;
use jiff::civil::{Date, DateTime};

/// A duty number that was never tested, or not for a calendar month: the 26th to the 26th is one, also to the last of a shorter month.
pub fn test_overdue(tested_on: Option<Date>, today: Date) -> bool {
    let due = |on: Date| on.checked_add(jiff::Span::new().months(1));
    tested_on.is_none_or(|on| due(on).is_ok_and(|due| due < today))
}

/// How a dial test may end.
pub const TEST_RESULTS: [&str; 5] = ["answered", "busy", "no_answer", "wrong_number", "failed"];

/// Days by their names on the wire.
pub const DAYS: [(&str, DayKind); 3] =
    [("workday", DayKind::Workday), ("weekend", DayKind::Weekend), ("holiday", DayKind::Holiday)];

pub fn day(name: &str) -> Option<DayKind> {
    DAYS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// A number of 2 to 20 digits, as it is dialled.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (2..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `HH:MM` as minutes of the day; `24:00` is the day's end.
pub fn minutes(text: &str) -> Option<u16> {
    let (h, m) = text.split_once(':')?;
    let two = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (h, m) = (two(h)?, two(m)?);
    ((h < 24 && m < 60) || (h == 24 && m == 0)).then_some(h * 60 + m)
}

pub fn hours(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// When a duty number is manned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyHours {
    /// The days on which it begins.
    pub days: Vec<DayKind>,
    /// Minutes of the day.
    pub from: u16,
    /// At or before `from`: on the next day.
    pub to: u16,
}

impl DutyHours {
    /// Is somebody there at this local time? `kind` knows holidays and make-up days. A night belongs to the day it began on.
    pub fn covers(&self, at: DateTime, kind: impl Fn(Date) -> DayKind) -> bool {
        let minute = u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0);
        let begins_on = |date: Date| self.days.contains(&kind(date));
        if self.from < self.to {
            return (self.from..self.to).contains(&minute) && begins_on(at.date());
        }
        (minute >= self.from && begins_on(at.date()))
            || (minute < self.to && at.date().yesterday().is_ok_and(begins_on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::reach::{EMERGENCY, is_emergency};
    use jiff::civil::date;

    /// 2026-10-10 is a Saturday worked in place of another, 2026-10-01 a holiday.
    fn kind(day: Date) -> DayKind {
        match (day.month(), day.day()) {
            (10, 1..=7) => DayKind::Holiday,
            (10, 10) => DayKind::Workday,
            _ if day.weekday().to_monday_one_offset() > 5 => DayKind::Weekend,
            _ => DayKind::Workday,
        }
    }

    #[test]
    fn office_hours_follow_the_calendar_and_not_the_name_of_the_day() {
        let office = DutyHours { days: vec![DayKind::Workday], from: 9 * 60, to: 17 * 60 + 30 };
        for (at, covered) in [
            (date(2026, 10, 9).at(9, 0, 0, 0), true),
            (date(2026, 10, 9).at(8, 59, 59, 0), false),
            (date(2026, 10, 9).at(17, 30, 0, 0), false),
            (date(2026, 10, 10).at(10, 0, 0, 0), true),
            (date(2026, 10, 11).at(10, 0, 0, 0), false),
            (date(2026, 10, 1).at(10, 0, 0, 0), false),
        ] {
            assert_eq!(office.covers(at, kind), covered, "{at}");
        }
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let night = DutyHours { days: vec![DayKind::Workday], from: 17 * 60 + 30, to: 9 * 60 };
        for (at, covered) in [
            (date(2026, 10, 9).at(17, 30, 0, 0), true),
            (date(2026, 10, 11).at(3, 0, 0, 0), true),
            (date(2026, 10, 12).at(3, 0, 0, 0), false),
            (date(2026, 10, 12).at(9, 0, 0, 0), false),
            (date(2026, 10, 8).at(3, 0, 0, 0), false),
        ] {
            assert_eq!(night.covers(at, kind), covered, "{at}");
        }
        let whole = DutyHours { days: vec![DayKind::Holiday], from: 0, to: 0 };
        assert!(whole.covers(date(2026, 10, 1).at(0, 0, 0, 0), kind));
        assert!(whole.covers(date(2026, 10, 7).at(23, 59, 0, 0), kind));
        assert!(!whole.covers(date(2026, 10, 8).at(0, 0, 0, 0), kind));
    }

    #[test]
    fn hours_are_read_as_people_write_them_and_nothing_else_is() {
        for (text, want) in [("00:00", Some(0)), ("09:05", Some(545)), ("24:00", Some(1440)), ("24:01", None)]
        {
            assert_eq!(minutes(text), want, "{text}");
            assert!(want.is_none_or(|m| hours(m) == text));
        }
        for text in ["9:00", "0900", "12:60", "", ":", "+1:00", "１２:００"] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }

    #[test]
    fn emergency_codes_are_whole_numbers() {
        assert!(EMERGENCY.iter().all(|code| is_emergency(code) && is_number(code)));
        assert!(["1100", "0110", "11", "110 "].iter().all(|other| !is_emergency(other)));
        assert!(["", "1", "12a", "110*", "+", "123456789012345678901"].iter().all(|text| !is_number(text)));
    }

    #[test]
    fn a_test_is_overdue_after_a_month_and_when_there_was_none() {
        assert!(test_overdue(None, date(2026, 11, 26)));
        for (tested, today, overdue) in [
            (date(2026, 10, 26), date(2026, 11, 26), false),
            (date(2026, 10, 26), date(2026, 11, 27), true),
            (date(2026, 10, 31), date(2026, 11, 30), false),
            (date(2026, 10, 31), date(2026, 12, 1), true),
            (date(2027, 1, 31), date(2027, 2, 28), false),
            (date(2027, 1, 31), date(2027, 3, 1), true),
        ] {
            assert_eq!(test_overdue(Some(tested), today), overdue, "{tested} {today}");
        }
    }
}
