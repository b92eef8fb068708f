//! The demonstration's roster: the shipped files, begun in the week before any day, so that the present is always covered.

use super::model::{PersonId, Roster, Status};
use super::moment::plus_days;
use super::read::Problem;
use jiff::civil::Date;

/// The shipped files, as `district/roster` has them.
const FILES: [(&str, &str); 5] = [
    ("rules.toml", include_str!("../../district/roster/rules.toml")),
    ("shifts.toml", include_str!("../../district/roster/shifts.toml")),
    ("people.toml", include_str!("../../district/roster/people.toml")),
    ("plans.toml", include_str!("../../district/roster/plans.toml")),
    ("forecast.toml", include_str!("../../district/roster/forecast.toml")),
];

/// Who may sign in at a demonstration and is on shift whenever he does.
const ALWAYS: [&str; 5] = ["8001", "8002", "8003", "8004", "lead"];

/// The shipped roster with its three plans from the Monday before last on; the published one has [`ALWAYS`] on shift at every minute,
/// beside the turns they have. The problems are empty unless the shipped files are broken.
pub fn demo_roster(today: Date) -> (Roster, Vec<Problem>) {
    let files: Vec<_> = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let (mut roster, problems) = Roster::read(&files);
    let from = plus_days(today, -7 - i64::from(today.weekday().to_monday_zero_offset()));
    for plan in &mut roster.plans {
        (plan.from, plan.to) = (from, None);
        plan.rotations.iter_mut().for_each(|rotation| rotation.anchor = from);
        if plan.status == Status::Published {
            plan.always = ALWAYS.into_iter().map(PersonId::from).collect();
        }
    }
    (roster, problems)
}
