//! Days and hours of work, with holidays and make-up days (domain reference 2.3).

use crate::base::DayKind;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time, Weekday, time};
use std::collections::{BTreeMap, BTreeSet};

/// When an office works on a working day, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfficeHours {
    pub from: Time,
    pub to: Time,
}

impl Default for OfficeHours {
    /// 09:00 to 17:30 (domain reference 2.3, row N).
    fn default() -> Self {
        Self { from: time(9, 0, 0, 0), to: time(17, 30, 0, 0) }
    }
}

/// A time that was counted, and the first year whose calendar was missing for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reckoned<T> {
    pub value: T,
    /// Counted Monday to Friday there, because no file says more: show it, do not rely on it.
    pub unsure: Option<i16>,
}

/// Holidays and make-up days of the years that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    pub(super) years: BTreeSet<i16>,
    pub(super) holidays: BTreeMap<Date, String>,
    pub(super) makeup: BTreeSet<Date>,
    pub(super) statutory: BTreeSet<Date>,
}

impl Calendar {
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// The years that have a file, ascending.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().copied()
    }

    pub fn day_kind(&self, date: Date) -> DayKind {
        if self.makeup.contains(&date) {
            DayKind::Workday
        } else if self.holidays.contains_key(&date) {
            DayKind::Holiday
        } else if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            DayKind::Weekend
        } else {
            DayKind::Workday
        }
    }

    pub fn is_workday(&self, date: Date) -> bool {
        self.day_kind(date) == DayKind::Workday
    }

    pub fn holiday(&self, date: Date) -> Option<&str> {
        self.holidays.get(&date).map(String::as_str)
    }

    /// 法定节假日 in the narrow sense: the days whose work is paid threefold. The rest of a holiday is weekend days moved together.
    pub fn is_statutory(&self, date: Date) -> bool {
        self.statutory.contains(&date)
    }

    /// The date `days` working days after `date`, which is not counted itself.
    pub fn add_workdays(&self, date: Date, days: u32) -> Reckoned<Date> {
        let (mut at, mut left, mut unsure) = (date, days, None);
        while left > 0 {
            let Ok(next) = at.tomorrow() else { break };
            at = next;
            if unsure.is_none() && !self.knows(at.year()) {
                unsure = Some(at.year());
            }
            left -= u32::from(self.is_workday(at));
        }
        Reckoned { value: at, unsure }
    }

    /// The time `minutes` of office hours after `from`. What comes in outside them counts from the next opening.
    pub fn add_office_minutes(&self, from: DateTime, minutes: u32, hours: OfficeHours) -> Reckoned<DateTime> {
        let (mut at, mut left, mut unsure) = (from, i64::from(minutes), None);
        loop {
            let day = at.date();
            if unsure.is_none() && !self.knows(day.year()) {
                unsure = Some(day.year());
            }
            let (opens, closes) = (day.to_datetime(hours.from), day.to_datetime(hours.to));
            if self.is_workday(day) && at < closes && opens < closes {
                let begin = at.max(opens);
                let room = begin.duration_until(closes).as_mins();
                if left <= room {
                    let value = begin.checked_add(SignedDuration::from_mins(left)).unwrap_or(closes);
                    return Reckoned { value, unsure };
                }
                left -= room;
            }
            match day.tomorrow() {
                Ok(next) => at = next.to_datetime(Time::midnight()),
                Err(_) => return Reckoned { value: at, unsure },
            }
        }
    }

    /// Working days of a year.
    pub fn workdays_in(&self, year: i16) -> u32 {
        let Ok(first) = Date::new(year, 1, 1) else { return 0 };
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| day.year() == year);
        u32::try_from(days.filter(|day| self.is_workday(*day)).count()).unwrap_or(0)
    }

    /// Working days of `[from, to)`.
    pub fn workdays_between(&self, from: Date, to: Date) -> u32 {
        u32::try_from(super::moment::dates(from, to).filter(|day| self.is_workday(*day)).count()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn calendar() -> Calendar {
        let file = ("2026.toml".to_owned(), include_str!("../../district/calendar/2026.toml").to_owned());
        let (calendar, problems) = Calendar::read(&[file]);
        assert!(problems.is_empty(), "{problems:?}");
        calendar
    }

    #[test]
    fn the_year_2026_has_248_working_days() {
        assert_eq!(calendar().workdays_in(2026), 248);
    }

    #[test]
    fn working_days_are_counted_over_holidays_and_make_up_days() {
        let calendar = calendar();
        // Domain reference 2.3: received, one working day later, five later.
        for (received, one, five) in [
            ((2, 13), (2, 14), (2, 27)),
            ((2, 16), (2, 24), (2, 28)),
            ((4, 30), (5, 6), (5, 11)),
            ((9, 18), (9, 20), (9, 24)),
            ((9, 30), (10, 8), (10, 13)),
        ] {
            let day = |(month, day): (i8, i8)| date(2026, month, day);
            let after = |n| Reckoned { value: day(if n == 1 { one } else { five }), unsure: None };
            assert_eq!(calendar.add_workdays(day(received), 1), after(1), "{received:?} + 1");
            assert_eq!(calendar.add_workdays(day(received), 5), after(5), "{received:?} + 5");
        }
    }

    #[test]
    fn a_year_without_a_file_is_told() {
        let calendar = calendar();
        assert_eq!(
            calendar.add_workdays(date(2026, 12, 28), 1),
            Reckoned { value: date(2026, 12, 29), unsure: None }
        );
        assert_eq!(calendar.add_workdays(date(2026, 12, 28), 5).unsure, Some(2027));
        assert_eq!(Calendar::default().day_kind(date(2026, 10, 1)), DayKind::Workday);
    }

    #[test]
    fn days_have_their_kind() {
        let calendar = calendar();
        assert_eq!(calendar.statutory.len(), 13, "the law names thirteen days");
        assert!(calendar.statutory.iter().all(|day| calendar.holiday(*day).is_some()));
        assert_eq!(calendar.day_kind(date(2026, 2, 14)), DayKind::Workday, "a make-up Saturday");
        assert_eq!(calendar.day_kind(date(2026, 2, 21)), DayKind::Holiday, "a Saturday inside a holiday");
        assert_eq!(calendar.day_kind(date(2026, 11, 28)), DayKind::Weekend);
        assert_eq!(calendar.holiday(date(2026, 10, 3)), Some("国庆节"));
    }

    #[test]
    fn office_hours_are_counted_while_the_office_is_open() {
        let calendar = calendar();
        let add = |from: DateTime, minutes| {
            calendar.add_office_minutes(from, minutes, OfficeHours::default()).value
        };
        assert_eq!(add(date(2026, 11, 23).at(9, 30, 0, 0), 120), date(2026, 11, 23).at(11, 30, 0, 0));
        assert_eq!(add(date(2026, 11, 23).at(17, 0, 0, 0), 120), date(2026, 11, 24).at(10, 30, 0, 0));
        assert_eq!(
            add(date(2026, 11, 27).at(20, 0, 0, 0), 60),
            date(2026, 11, 30).at(10, 0, 0, 0),
            "over a weekend"
        );
        assert_eq!(
            add(date(2026, 9, 30).at(17, 30, 0, 0), 1),
            date(2026, 10, 8).at(9, 1, 0, 0),
            "over a holiday"
        );
        assert_eq!(
            add(date(2026, 9, 20).at(8, 0, 0, 0), 60),
            date(2026, 9, 20).at(10, 0, 0, 0),
            "a make-up Sunday"
        );
    }
}
