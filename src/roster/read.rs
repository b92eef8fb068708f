//! A year's file of holidays and make-up days, read with the place of everything that is wrong in it.

use super::Calendar;
use jiff::civil::Date;
use serde::Deserialize;
use std::fmt;
use toml::Spanned;
use toml::value::Datetime;

/// What is wrong, and where. Shows itself as `file:line:column: what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: Spanned<i16>,
    #[serde(default)]
    holiday: Vec<Holiday>,
    #[serde(default)]
    makeup: Days,
    #[serde(default)]
    statutory: Days,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    from: Spanned<Datetime>,
    to: Spanned<Datetime>,
}

/// A list of days.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Days {
    days: Vec<Spanned<Datetime>>,
}

/// Longest holiday that is believed, days.
const LONGEST: i32 = 31;

/// A file being read, and what is wrong with it so far.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) problems: Vec<Problem>,
}

/// A TOML date without a time.
pub(super) fn date_of(given: &Datetime) -> Option<Date> {
    let day = given.date.filter(|_| given.time.is_none())?;
    Date::new(i16::try_from(day.year).ok()?, i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?).ok()
}

impl File<'_> {
    /// Line and column of a byte offset.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    }

    pub(super) fn tell(&mut self, offset: usize, what: impl fmt::Display) {
        let (line, column) = self.place(offset);
        self.problems.push(Problem { file: self.name.to_owned(), line, column, what: what.to_string() });
    }

    /// What the TOML reader itself refuses.
    pub(super) fn tell_toml(&mut self, error: &toml::de::Error) {
        let what = error.message().lines().collect::<Vec<_>>().join(" ");
        self.tell(error.span().map_or(0, |span| span.start), what);
    }

    fn date(&mut self, given: &Spanned<Datetime>, year: i16) -> Option<Date> {
        match date_of(given.get_ref()) {
            Some(date) if date.year() == year => return Some(date),
            Some(date) => self.tell(given.span().start, format_args!("{date} is not in {year}")),
            None => self.tell(
                given.span().start,
                format_args!("{} is not a date like {year}-10-01", given.get_ref()),
            ),
        }
        None
    }
}

impl Calendar {
    /// Reads year files (name, text). What is wrong is left out of the calendar and told.
    pub fn read(files: &[(String, String)]) -> (Self, Vec<Problem>) {
        let mut calendar = Self::default();
        let mut problems = Vec::new();
        for (name, text) in files {
            let mut file = File { name, text, problems: Vec::new() };
            match toml::from_str::<Year>(text) {
                Ok(year) => calendar.take(&mut file, &year),
                Err(error) => file.tell_toml(&error),
            }
            problems.append(&mut file.problems);
        }
        (calendar, problems)
    }

    fn take(&mut self, file: &mut File<'_>, read: &Year) {
        let year = *read.year.get_ref();
        if !self.years.insert(year) {
            return file
                .tell(read.year.span().start, format_args!("the year {year} is in another file already"));
        }
        for holiday in &read.holiday {
            let (Some(from), Some(to)) = (file.date(&holiday.from, year), file.date(&holiday.to, year))
            else {
                continue;
            };
            let days = from.until(to).map_or(-1, |span| span.get_days());
            if !(0..LONGEST).contains(&days) {
                file.tell(
                    holiday.to.span().start,
                    format_args!("{} ends {days} days after its first", holiday.name),
                );
                continue;
            }
            for day in from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to) {
                self.holidays.insert(day, holiday.name.clone());
            }
        }
        for day in &read.makeup.days {
            let Some(date) = file.date(day, year) else { continue };
            if self.holidays.contains_key(&date) {
                file.tell(day.span().start, format_args!("{date} is a holiday and a make-up day"));
            } else {
                self.makeup.insert(date);
            }
        }
        for day in &read.statutory.days {
            let Some(date) = file.date(day, year) else { continue };
            if self.holidays.contains_key(&date) {
                self.statutory.insert(date);
            } else {
                file.tell(day.span().start, format_args!("{date} is a statutory day and no holiday"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        Calendar::read(&[("2026.toml".to_owned(), text.to_owned())])
            .1
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_problem_has_its_place() {
        let told = problems(
            "year = 2026\n[[holiday]]\nname = \"a\"\nfrom = 2026-01-03\nto = 2026-01-01\n[[holiday]]\nname = \"b\"\nfrom = 2025-01-01\nto = 2026-01-01\n\
             [makeup]\ndays = [2027-01-01]\n",
        );
        assert_eq!(
            told,
            [
                "2026.toml:5:6: a ends -2 days after its first",
                "2026.toml:8:8: 2025-01-01 is not in 2026",
                "2026.toml:11:9: 2027-01-01 is not in 2026",
            ]
        );
        assert!(problems("yaer = 2026\n")[0].starts_with("2026.toml:1:1: unknown field `yaer`"));
    }
}
