//! A machine that dials the demonstration's numbers only, with one holiday week.

use crate::api::Works;
use crate::base::DayKind;
use crate::store::demo;
use jiff::civil::{Date, date};

pub struct Plain;

impl Works for Plain {
    fn dialable(&self, number: &str) -> bool {
        number.starts_with(demo::DIALS)
    }
    fn rings(&self, number: &str) -> bool {
        ["12341", demo::LEGACY, "12000096342"].contains(&number)
    }
    fn day_kind(&self, day: Date) -> DayKind {
        match day {
            day if (date(2026, 10, 1)..=date(2026, 10, 7)).contains(&day) => DayKind::Holiday,
            day if day.weekday().to_monday_one_offset() > 5 => DayKind::Weekend,
            _ => DayKind::Workday,
        }
    }
    fn has_queue(&self, name: &str) -> bool {
        ["main", "business"].contains(&name)
    }
    fn has_prompt(&self, name: &str) -> bool {
        ["welcome", "welcome_short"].contains(&name)
    }
}
