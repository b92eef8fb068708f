//! Terms of those who keep the knowledge, and what of a search may be kept.

use crate::roster::{Calendar, OfficeHours, Reckoned};
use jiff::civil::DateTime;

/// Working days in which a correction is answered and a change of policy is carried through (domain reference 1.4, row 34).
const WORKDAYS: u32 = 1;

/// The close of the working day after `received` (domain reference 2.3: working days end when offices close).
pub fn due(calendar: &Calendar, received: DateTime) -> Reckoned<DateTime> {
    let day = calendar.add_workdays(received.date(), WORKDAYS);
    Reckoned { value: day.value.to_datetime(OfficeHours::default().to), unsure: day.unsure }
}

/// Long numbers (phones, identity cards) are somebody's: five digits and more become `#`. What services are called by stays.
pub fn without_numbers(text: &str) -> String {
    const SERVICES: [&str; 10] =
        ["12341", "12345", "12315", "12333", "12328", "12369", "96069", "96116", "95598", "96777"];
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_digit() => digits.push(c),
            other => {
                let kept = digits.len() < 5 || SERVICES.contains(&digits.as_str());
                out.push_str(if kept { &digits } else { "#" });
                digits.clear();
                out.extend(other);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_correction_is_due_when_offices_close_on_the_next_working_day() {
        let file = ("2026.toml".to_owned(), include_str!("../../district/calendar/2026.toml").to_owned());
        let calendar = Calendar::read(&[file]).0;
        // Domain reference 2.3, vectors of +1.
        for (received, day) in [
            (date(2026, 2, 13), date(2026, 2, 14)),
            (date(2026, 4, 30), date(2026, 5, 6)),
            (date(2026, 9, 18), date(2026, 9, 20)),
            (date(2026, 9, 30), date(2026, 10, 8)),
            (date(2026, 11, 27), date(2026, 11, 30)),
        ] {
            let got = due(&calendar, received.at(23, 10, 0, 0));
            assert_eq!((got.value, got.unsure), (day.at(17, 30, 0, 0), None), "{received}");
        }
        assert_eq!(due(&calendar, date(2026, 12, 31).at(9, 0, 0, 0)).unsure, Some(2027));
    }

    #[test]
    fn numbers_of_people_are_not_kept() {
        assert_eq!(without_numbers("我的电话13800000000，打12345没用"), "我的电话#，打12345没用");
        assert_eq!(without_numbers("室温15度 2026年"), "室温15度 2026年");
        assert_eq!(without_numbers("110101199001011234"), "#");
    }
}
