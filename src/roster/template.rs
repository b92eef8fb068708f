//! Patterns that go round: 四班三运转, 四班两运转, 白班+错峰 with a night crew, working days, the on-call list.

use super::Calendar;
use super::model::{Assignment, Kind, PersonId, Place, ShiftCode};
use super::moment::{dates, days_since};
use jiff::civil::Date;

/// How the members of a rotation follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    /// 四班三运转, eight days: 早早中中夜夜休休; four teams.
    FourThree,
    /// 四班两运转, four days: 白夜休休 of 12 h; four teams.
    FourTwo,
    /// 白班+错峰: three teams (8–17, 10–19, 13–22), five days of seven each, spread over the week person by person.
    Staggered,
    /// The night crew beside it: 夜夜休休; two teams.
    NightCrew,
    /// Every working day of the calendar, make-up days with them; one team.
    Workdays,
    /// One team a night, in turn, at home with the telephone.
    OnCall,
}

impl Template {
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::FourThree, "four_three"),
        (Self::FourTwo, "four_two"),
        (Self::Staggered, "staggered"),
        (Self::NightCrew, "night_crew"),
        (Self::Workdays, "workdays"),
        (Self::OnCall, "on_call"),
    ];

    /// How many teams it is made for; `None`: any number.
    pub const fn teams(self) -> Option<usize> {
        match self {
            Self::FourThree | Self::FourTwo => Some(4),
            Self::Staggered => Some(3),
            Self::NightCrew => Some(2),
            Self::Workdays => Some(1),
            Self::OnCall => None,
        }
    }

    /// The shifts it puts people in, unless the rotation names others.
    pub const fn shifts(self) -> &'static [&'static str] {
        match self {
            Self::FourThree => &["early", "late", "night"],
            Self::FourTwo => &["day12", "night12"],
            Self::Staggered => &["s08", "s10", "s13"],
            Self::NightCrew => &["crew"],
            Self::Workdays => &["s08"],
            Self::OnCall => &["call"],
        }
    }

    /// Which of [`Template::shifts`] somebody has, `day` days after the anchor. `None`: off.
    fn turn(self, team: usize, member: usize, teams: usize, day: i64) -> Option<usize> {
        let step = |ahead: usize, cycle: usize| {
            let cycle = i64::try_from(cycle.max(1)).unwrap_or(1);
            usize::try_from((day + i64::try_from(ahead).unwrap_or(0)).rem_euclid(cycle)).unwrap_or(0)
        };
        match self {
            Self::FourThree => match step(team * 2, 8) {
                turn @ 0..6 => Some(turn / 2),
                _ => None,
            },
            Self::FourTwo => Some(step(team, 4)).filter(|turn| *turn < 2),
            Self::Staggered => (step(member, 7) < 5).then_some(team),
            Self::NightCrew => (step(team * 2, 4) < 2).then_some(0),
            Self::Workdays => Some(0),
            Self::OnCall => (step(0, teams) == team).then_some(0),
        }
    }
}

/// Somebody in a rotation, and where he is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: PersonId,
    pub place: Option<Place>,
}

/// A template with its people. It has no end of its own: any range of days can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub template: Template,
    /// The first team's first day.
    pub anchor: Date,
    pub teams: Vec<Vec<Member>>,
    /// As many as the template has.
    pub shifts: Vec<ShiftCode>,
}

impl Rotation {
    /// A rotation with the template's own shifts.
    pub fn new(template: Template, anchor: Date, teams: Vec<Vec<PersonId>>) -> Self {
        let shifts = template.shifts().iter().map(|code| ShiftCode::from(*code)).collect();
        let member = |id| Member { id, place: None };
        let teams = teams.into_iter().map(|team| team.into_iter().map(member).collect()).collect();
        Self { template, anchor, teams, shifts }
    }

    /// The assignments of `[from, to)`, by date.
    pub fn assignments(&self, from: Date, to: Date, calendar: &Calendar) -> Vec<Assignment> {
        let kind = if self.template == Template::OnCall { Kind::OnCall } else { Kind::Work };
        let mut out = Vec::new();
        for date in dates(from, to) {
            if self.template == Template::Workdays && !calendar.is_workday(date) {
                continue;
            }
            let day = days_since(self.anchor, date);
            for (team, members) in self.teams.iter().enumerate() {
                for (n, member) in members.iter().enumerate() {
                    let turn = self.template.turn(team, n, self.teams.len(), day);
                    if let Some(shift) = turn.and_then(|turn| self.shifts.get(turn)) {
                        out.push(Assignment {
                            person: PersonId::clone(&member.id),
                            date,
                            shift: ShiftCode::clone(shift),
                            kind,
                            place: member.place.clone(),
                        });
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn line(template: Template, teams: &[&[&str]], who: &str, days: i64) -> String {
        let teams = teams.iter().map(|team| team.iter().map(|id| PersonId::from(*id)).collect()).collect();
        let rotation = Rotation::new(template, date(2026, 11, 23), teams);
        let to = super::super::moment::plus_days(date(2026, 11, 23), days);
        let all = rotation.assignments(date(2026, 11, 23), to, &Calendar::default());
        let of = |day| all.iter().find(|a| a.date == day && &*a.person == who);
        dates(date(2026, 11, 23), to)
            .map(|day| of(day).map_or("-", |a| &a.shift[..]).to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn the_cycles_are_those_of_the_trade() {
        let four: &[&[&str]] = &[&["a"], &["b"], &["c"], &["d"]];
        assert_eq!(line(Template::FourThree, four, "a", 9), "early early late late night night - - early");
        assert_eq!(line(Template::FourThree, four, "b", 8), "late late night night - - early early");
        assert_eq!(line(Template::FourTwo, four, "a", 5), "day12 night12 - - day12");
        assert_eq!(line(Template::NightCrew, &[&["a"], &["b"]], "b", 4), "- - crew crew");
        assert_eq!(line(Template::Workdays, &[&["a"]], "a", 7), "s08 s08 s08 s08 s08 - -");
        assert_eq!(line(Template::OnCall, &[&["a"], &["b"], &["c"]], "b", 5), "- call - - call");
        assert_eq!(line(Template::Staggered, &[&["a", "b"], &[], &[]], "b", 7), "s08 s08 s08 s08 - - s08");
    }
}
