//! 三率两度 and the 响应率 beside them (domain reference 2.4), of one ticket: what it adds to a numerator, or why it is in no
//! denominator. Sums over many are the store's; it is the same ticket whoever adds it up.
//!
//! The unit's claim and the citizen's verdict are two records: only a 回访 with its four questions counts in the last three.

use super::cycle::{ClockName, State, Ticket};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    /// 按期办结率.
    OnTime,
    /// 反馈率 as the unit says it: a signed reply before the deadline, and a contact with the caller.
    Feedback,
    /// 反馈率 as the caller says it, which is Beijing's 响应率: he was contacted.
    Told,
    /// 合理诉求解决率.
    Solved,
    /// 人民群众满意度, weighed.
    Satisfaction,
    /// 满意率: satisfied and basically satisfied.
    Satisfied,
    /// 办理情况契合度.
    Match,
}

impl Indicator {
    pub const ALL: [Self; 7] = [
        Self::OnTime,
        Self::Feedback,
        Self::Told,
        Self::Solved,
        Self::Satisfaction,
        Self::Satisfied,
        Self::Match,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::Feedback => "feedback",
            Self::Told => "told",
            Self::Solved => "solved",
            Self::Satisfaction => "satisfaction",
            Self::Satisfied => "satisfied",
            Self::Match => "match",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.label() == text)
    }

    /// Approved 不合理诉求 are in none of these.
    pub const fn of_reasonable(self) -> bool {
        matches!(self, Self::Solved | Self::Satisfaction | Self::Satisfied | Self::Match)
    }
}

/// Whether the ticket is in any denominator once its deadline falls into a period: no praise, nothing rejected, withdrawn, merged or
/// handed to the city; what is 挂账 is listed apart.
pub fn counts(ticket: &Ticket) -> bool {
    let apart =
        matches!(ticket.state, State::Rejected | State::Withdrawn | State::Transferred | State::Deferred);
    let elsewhere = ticket.merged_into.is_some() || ticket.city_no.is_some();
    ticket.matter.kind.as_deref() != Some("praise") && !apart && !elsewhere
}

/// Hundredths it adds to the numerator; `None`: no answer, so it is in no denominator.
pub fn value(ticket: &Ticket, indicator: Indicator) -> Option<i64> {
    if !counts(ticket) || (indicator.of_reasonable() && ticket.unreasonable) {
        return None;
    }
    let hit = |yes: bool| if yes { 100 } else { 0 };
    let in_time =
        |name| ticket.clock(name).is_some_and(|clock| clock.met_at.is_some_and(|met| met <= clock.due_at));
    let visit = ticket.visit.as_ref();
    match indicator {
        Indicator::OnTime => Some(hit(in_time(ClockName::Close))),
        Indicator::Feedback => {
            let due = ticket.clock(ClockName::Feedback).map(|clock| clock.due_at);
            let contacted = ticket.contacts.iter().any(|contact| due.is_some_and(|due| contact.at <= due));
            Some(hit(in_time(ClockName::Feedback) && contacted))
        }
        Indicator::Told => visit?.contacted.map(hit),
        Indicator::Solved => match visit?.solved.as_deref()? {
            "yes" => Some(100),
            "partial" => Some(50),
            _ => Some(0),
        },
        Indicator::Satisfaction => match visit?.satisfied.as_deref()? {
            "satisfied" => Some(100),
            "basic" => Some(80),
            _ => Some(0),
        },
        Indicator::Satisfied => visit?.satisfied.as_deref().map(|answer| hit(answer != "not")),
        Indicator::Match => visit?.matches.map(hit),
    }
}
