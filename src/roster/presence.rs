//! The plan and the truth: who may be ready, and who came early, late or not at all.

use super::model::{Kind, PersonId, Roster, ShiftCode};
use super::moment::Minute;
use super::schedule::Schedule;
use jiff::civil::Date;

/// How a moment stands to somebody's shifts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    OnShift {
        shift: Option<ShiftCode>,
        until: Option<Minute>,
    },
    /// Minutes before a shift, within what is allowed without asking.
    Early {
        shift: ShiftCode,
        minutes: i64,
    },
    /// Minutes after a shift, within what is allowed without asking.
    Late {
        shift: ShiftCode,
        minutes: i64,
    },
    OffShift,
}

impl Presence {
    /// May he be `ready` without a lead's word? What isn't plainly on shift is recorded.
    pub const fn may_be_ready(&self) -> bool {
        !matches!(self, Self::OffShift)
    }
}

/// From log-in to log-out; still there when without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    pub login: Minute,
    pub logout: Option<Minute>,
}

/// One shift as it was worked. Minutes; early and late are never negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adherence {
    pub person: PersonId,
    pub date: Date,
    pub shift: ShiftCode,
    pub planned: i64,
    /// Minutes logged in during the shift.
    pub present: i64,
    pub came_early: i64,
    pub came_late: i64,
    pub left_early: i64,
    pub left_late: i64,
    /// Nobody logged in at all.
    pub absent: bool,
}

impl Schedule {
    /// How `at` stands to this person's shifts.
    pub fn presence(&self, roster: &Roster, person: &str, at: Minute) -> Presence {
        if let Some(duty) = self.shift_at(person, at) {
            return Presence::OnShift { shift: Some(ShiftCode::clone(&duty.shift)), until: Some(duty.to) };
        }
        if self.is_always_on(person) {
            return Presence::OnShift { shift: None, until: None };
        }
        let early = at.plus(roster.rules.early_login);
        if let Some(duty) = self.shift_at(person, early).filter(|duty| duty.from > at) {
            return Presence::Early { shift: ShiftCode::clone(&duty.shift), minutes: duty.from.0 - at.0 };
        }
        // The shift's last minute is the one before its end.
        let late = at.plus(-roster.rules.late_logout);
        let running = [late, late.plus(roster.rules.late_logout / 2)];
        match running.into_iter().find_map(|then| self.shift_at(person, then)) {
            Some(duty) => Presence::Late { shift: ShiftCode::clone(&duty.shift), minutes: at.0 - duty.to.0 },
            None => Presence::OffShift,
        }
    }

    /// A person's shifts that begin in `[from, to)` against when he was logged in. A log-in belongs to the shift it is nearest to.
    pub fn adherence(&self, person: &str, sessions: &[Session], from: Minute, to: Minute) -> Vec<Adherence> {
        let duties: Vec<_> = self
            .of_person(person)
            .filter(|duty| matches!(duty.kind, Kind::Work | Kind::Training))
            .filter(|duty| from <= duty.from && duty.from < to)
            .collect();
        let mut out = Vec::with_capacity(duties.len());
        for (n, duty) in duties.iter().enumerate() {
            // Halfway to the neighbours: before it, a log-in is the last shift's.
            let before = n.checked_sub(1).and_then(|n| duties.get(n));
            let begins = before.map_or(i64::MIN, |b| i64::midpoint(b.to.0, duty.from.0));
            let ends = duties.get(n + 1).map_or(i64::MAX, |next| i64::midpoint(duty.to.0, next.from.0));
            let theirs: Vec<(i64, i64)> = sessions
                .iter()
                .map(|s| (s.login.0.max(begins), s.logout.map_or(to.0.max(duty.to.0), |end| end.0).min(ends)))
                .filter(|(login, logout)| login < logout && *login < duty.to.0 && duty.from.0 < *logout)
                .collect();
            let first = theirs.iter().map(|s| s.0).min();
            let last = theirs.iter().map(|s| s.1).max();
            let planned = duty.to.0 - duty.from.0;
            out.push(Adherence {
                person: PersonId::clone(&duty.person),
                date: duty.date,
                shift: ShiftCode::clone(&duty.shift),
                planned,
                present: covered(&theirs, duty.from.0, duty.to.0),
                came_early: first.map_or(0, |at| (duty.from.0 - at).max(0)),
                came_late: first.map_or(0, |at| (at - duty.from.0).max(0)),
                left_early: last.map_or(0, |at| (duty.to.0 - at).max(0)),
                left_late: last.map_or(0, |at| (at - duty.to.0).max(0)),
                absent: theirs.is_empty(),
            });
        }
        out
    }
}

/// Minutes of `[from, to)` that at least one stretch covers.
fn covered(stretches: &[(i64, i64)], from: i64, to: i64) -> i64 {
    let mut sorted = stretches.to_vec();
    sorted.sort_unstable();
    let (mut at, mut sum) = (from, 0);
    for (begin, end) in sorted {
        let (begin, end) = (begin.max(at), end.min(to));
        sum += (end - begin).max(0);
        at = at.max(end);
    }
    sum
}
