//! 三率两度 and the 响应率 beside them (domain reference 2.4), of one ticket: what it adds to a numerator, or why it is in no
//! denominator. Sums over many are the store's; it is the same ticket whoever adds it up.
//!
//! The unit's claim and the citizen's verdict are two records: only a 回访 with its four questions counts in the last three. What is
//! not settled yet, an open ticket before its deadline, is in no denominator; what was missed stays missed through a redo.

use super::cycle::{ClockName, State, Ticket};
use std::collections::BTreeMap;

/// What is stored of a ticket by this file's formulas carries this number: tickets of before are counted again after a start.
pub const MEASURE: i64 = 2;

/// Answers to "is it solved", and to "are you satisfied" on the scales of three (without `very…`) and five, best first.
pub const SOLVED: [&str; 3] = ["yes", "partial", "no"];
pub const SATISFIED: [&str; 5] = ["very", "satisfied", "basic", "not", "very_not"];

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Indicator {
    /// 按期办结率.
    OnTime,
    /// 反馈率: a signed reply before the deadline whose result the caller was told, as the unit noted or the caller confirms.
    Feedback,
    /// The unit's claim alone: it noted, before the deadline, that it told the caller the result.
    Claimed,
    /// The caller's answer alone, which is Beijing's 响应率: he was contacted.
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
    pub const ALL: [Self; 8] = [
        Self::OnTime,
        Self::Feedback,
        Self::Claimed,
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
            Self::Claimed => "claimed",
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

/// What an answer is worth, in hundredths: the district's own, a part of its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    solved: BTreeMap<String, i64>,
    satisfied: BTreeMap<String, i64>,
}

impl Weights {
    /// Every answer has a weight between 0 and 100, none more than a better one; and no other word is there.
    pub fn new(solved: BTreeMap<String, i64>, satisfied: BTreeMap<String, i64>) -> Result<Self, String> {
        for (name, weights, answers) in
            [("solved", &solved, &SOLVED[..]), ("satisfied", &satisfied, &SATISFIED[..])]
        {
            if let Some(odd) = weights.keys().find(|word| !answers.contains(&word.as_str())) {
                return Err(format!("weights.{name}.{odd}: answers are {}", answers.join(", ")));
            }
            let mut better = 100;
            for answer in answers {
                let weight = weights.get(*answer).copied();
                better = weight.filter(|weight| (0..=better).contains(weight)).ok_or_else(|| {
                    format!("weights.{name}.{answer}: from 0 to {better}, which the better answer has")
                })?;
            }
        }
        Ok(Self { solved, satisfied })
    }
}

impl Default for Weights {
    /// Of domain reference 2.4.
    fn default() -> Self {
        let of = |words: &[&str], weights: &[i64]| {
            words.iter().map(|word| (*word).to_owned()).zip(weights.iter().copied()).collect()
        };
        Self { solved: of(&SOLVED, &[100, 50, 0]), satisfied: of(&SATISFIED, &[100, 100, 80, 0, 0]) }
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

/// Hundredths it adds to the numerator; `None`: no answer, or none yet, so it is in no denominator.
pub fn value(ticket: &Ticket, indicator: Indicator, weights: &Weights) -> Option<i64> {
    if !counts(ticket) || (indicator.of_reasonable() && ticket.unreasonable) {
        return None;
    }
    let hit = |yes: bool| if yes { 100 } else { 0 };
    // Late, or at its end: nothing changes it any more.
    let settled = |name, in_time: bool| match ticket.was_late(name) {
        true => Some(0),
        false if in_time => Some(100),
        false => (ticket.state == State::Closed).then_some(0),
    };
    let met =
        |name| ticket.clock(name).is_some_and(|clock| clock.met_at.is_some_and(|met| met <= clock.due_at));
    let claimed = || {
        let due = ticket.clock(ClockName::Feedback).map(|clock| clock.due_at);
        ticket.told_at.is_some_and(|told| due.is_some_and(|due| told <= due))
    };
    let visit = ticket.visit.as_ref();
    match indicator {
        Indicator::OnTime => {
            settled(ClockName::Close, ticket.state == State::Closed && met(ClockName::Close))
        }
        Indicator::Feedback => {
            let confirmed = visit.is_some_and(|visit| visit.contacted == Some(true));
            let signed = ticket.reply.as_ref().is_some_and(|reply| reply.signed_at.is_some());
            settled(ClockName::Feedback, signed && met(ClockName::Feedback) && (confirmed || claimed()))
        }
        Indicator::Claimed => settled(ClockName::Feedback, claimed()),
        Indicator::Told => visit?.contacted.map(hit),
        Indicator::Solved => weights.solved.get(visit?.solved.as_deref()?).copied(),
        Indicator::Satisfaction => weights.satisfied.get(visit?.satisfied.as_deref()?).copied(),
        Indicator::Satisfied => {
            let answer = visit?.satisfied.as_deref().filter(|answer| SATISFIED.contains(answer))?;
            Some(hit(!matches!(answer, "not" | "very_not")))
        }
        Indicator::Match => visit?.matches.map(hit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_whole_and_in_order() {
        let of = |pairs: &[(&str, i64)]| {
            pairs.iter().map(|(word, weight)| ((*word).to_owned(), *weight)).collect::<BTreeMap<_, _>>()
        };
        let fine = Weights::default();
        assert_eq!(Weights::new(fine.solved.clone(), fine.satisfied.clone()), Ok(fine.clone()));
        for (solved, wrong) in [
            (of(&[("yes", 100), ("no", 0)]), "weights.solved.partial"),
            (of(&[("yes", 101), ("partial", 50), ("no", 0)]), "weights.solved.yes"),
            (of(&[("yes", 40), ("partial", 50), ("no", 0)]), "weights.solved.partial"),
            (of(&[("yes", 100), ("partial", 50), ("no", 0), ("maybe", 10)]), "weights.solved.maybe"),
        ] {
            let told = Weights::new(solved, fine.satisfied.clone()).unwrap_err();
            assert!(told.starts_with(wrong), "{told}");
        }
    }
}
