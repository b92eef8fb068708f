//! The law and the house's rules as data: limits with their source, and whether somebody may answer for a breach.

use super::moment::DAY;
use std::collections::BTreeMap;

macro_rules! codes {
    ($($variant:ident $label:literal $zh:literal,)*) => {
        /// What can be wrong with a plan.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($variant,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in files, on the wire and in lists.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// Its name on a page.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)* }
            }
        }
    };
}

codes! {
    Nobody "nobody" "无人在岗",
    Seats "seats" "坐席不足",
    Lead "lead" "无班长",
    OnCall "on_call" "无备班",
    Skill "skill" "技能不足",
    Forecast "forecast" "低于预测需要",
    DailyHours "daily_hours" "日工时超限",
    WeeklyHours "weekly_hours" "周工时超限",
    Overtime "overtime" "加班超限",
    YearlyHours "yearly_hours" "年工时超限",
    Averaging "averaging" "缺综合工时批准",
    Rest "rest" "班间休息不足",
    NightsRunning "nights_running" "连续夜班超限",
    DayOff "day_off" "无周休日",
    MinorNight "minor_night" "未成年人夜班",
    PregnantNight "pregnant_night" "孕期夜班",
    NursingNight "nursing_night" "哺乳期夜班",
    StatutoryDay "statutory_day" "法定节假日",
    CalendarMissing "calendar_missing" "缺年度日历",
    UnknownPerson "unknown_person" "人员不存在",
    UnknownShift "unknown_shift" "班次不存在",
    NotInService "not_in_service" "不在职",
    Twice "twice" "同时两班",
    OnLeave "on_leave" "休假又上班",
    OutsidePlan "outside_plan" "在计划之外",
    Approval "approval" "批准无效",
}

impl Code {
    pub fn read(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.label() == label)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The plan is not published with it.
    Blocks,
    Warns,
}

/// One rule as `rules.toml` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub severity: Severity,
    /// Nobody may answer for a breach.
    pub law: bool,
    /// In the rule's own unit; see [`Rules`].
    pub limit: Option<i64>,
    pub source: String,
    /// `G`: from the guidance of the domain; `P`: from practice or a law to be checked by a person; `I`: our own.
    pub mark: char,
}

/// All rules, and what night means. A code without a rule in the files has [`Rules::default`]'s.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    pub rules: BTreeMap<Code, Rule>,
    /// Night work is work between these, minutes after midnight; the end is in the next morning.
    pub night_from: i64,
    pub night_to: i64,
    /// A shift with at least so many minutes of the night is a night shift where nights are counted.
    pub night_counts_from: i64,
    /// Log-in may be so many minutes early, log-out so many late, without anybody's leave.
    pub early_login: i64,
    /// A hand-over that is not signed by both so long after the next shift's beginning is counted; 0: none is.
    pub handover: i64,
    pub late_logout: i64,
}

impl Default for Rules {
    fn default() -> Self {
        let rule = |code: &Code| {
            let law = !matches!(
                code,
                Code::Nobody
                    | Code::Seats
                    | Code::Lead
                    | Code::OnCall
                    | Code::Skill
                    | Code::Forecast
                    | Code::Rest
                    | Code::NightsRunning
                    | Code::DayOff
                    | Code::StatutoryDay
                    | Code::CalendarMissing
            );
            let warns = matches!(code, Code::StatutoryDay | Code::CalendarMissing | Code::DayOff);
            let severity = if warns { Severity::Warns } else { Severity::Blocks };
            (*code, Rule { severity, law, limit: None, source: String::new(), mark: 'I' })
        };
        Self {
            rules: Code::ALL.iter().map(rule).collect(),
            night_from: 22 * 60,
            night_to: 6 * 60,
            night_counts_from: 3 * 60,
            early_login: 30,
            handover: 30,
            late_logout: 60,
        }
    }
}

impl Rules {
    pub fn severity(&self, code: Code) -> Severity {
        self.rules.get(&code).map_or(Severity::Blocks, |rule| rule.severity)
    }

    pub fn law(&self, code: Code) -> bool {
        self.rules.get(&code).is_none_or(|rule| rule.law)
    }

    /// The limit in the files, or the one known without them. Hours for hours, days for nights and days running.
    pub fn limit(&self, code: Code) -> i64 {
        self.rules.get(&code).and_then(|rule| rule.limit).unwrap_or(match code {
            Code::DailyHours => 8,
            Code::Averaging => 12,
            Code::WeeklyHours => 40,
            Code::Overtime => 36,
            Code::Rest => 11,
            Code::NightsRunning => 7,
            Code::DayOff => 6,
            Code::StatutoryDay => 300,
            Code::MinorNight => 18,
            Code::PregnantNight => 7,
            _ => 0,
        })
    }

    /// Minutes of the night inside a stretch of one duty, told in minutes after its date's midnight.
    pub fn night_minutes(&self, start: i64, end: i64) -> i64 {
        // The night before, of the date, and of the next date: a duty reaches at most that far.
        (-1..=2)
            .map(|day| {
                let from = day * DAY + self.night_from;
                let to = (day + 1) * DAY + self.night_to;
                (end.min(to) - start.max(from)).max(0)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::read(code.label()), Some(*code));
            assert!(!code.zh().is_empty());
        }
        assert_eq!(Code::read("naps"), None);
    }

    #[test]
    fn the_night_is_from_ten_to_six() {
        let rules = Rules::default();
        let night = |from: i64, to: i64| rules.night_minutes(from * 60, to * 60) / 60;
        assert_eq!(night(8, 16), 0);
        assert_eq!(night(16, 24), 2);
        assert_eq!(night(24, 32), 6);
        assert_eq!(night(0, 8), 6, "the night that began the day before");
        assert_eq!(night(22, 32), 8);
        assert_eq!(night(13, 22), 0);
        assert_eq!(night(20, 32), 8);
    }
}
