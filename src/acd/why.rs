//! Why a caller waited and why an agent was chosen, in words a lead can check.
//!
//! What holds a line up is written once for all its callers; a caller keeps only what is his own. Both are cut to size, and what
//! is cut off says so ([`Cause::NotKept`]). The intervals of a wait meet end to end and cover it exactly.

use super::agent::Standing;
use super::config::Strategy;
use super::lines::{Counts, IdleKey};
use super::words::AgentId;
use crate::base::{CallId, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// What kept a caller waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody on the roster now serves the queue.
    NoAgentOnRoster,
    NobodyLoggedIn,
    /// People serve the queue, none of those logged in has the skills.
    SkillMissing,
    AllTalking,
    AllWrappingUp,
    /// All who fit are on a break or, in part, not ready or not responding; most on a break.
    AllOnBreak,
    AllNotReady,
    NotResponding,
    DeafPath,
    /// All talking, and the last who became free took somebody of higher priority.
    HigherPriorityFirst {
        agent: AgentId,
        served: CallId,
    },
    BeingOffered(AgentId),
    /// A callback's pause between two tries.
    BetweenTries,
    /// Older than what is kept.
    NotKept,
}

impl Cause {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAgentOnRoster => "no_agent_on_roster",
            Self::NobodyLoggedIn => "nobody_logged_in",
            Self::SkillMissing => "skill_missing",
            Self::AllTalking => "all_talking",
            Self::AllWrappingUp => "all_wrapping_up",
            Self::AllOnBreak => "all_on_break",
            Self::AllNotReady => "all_not_ready",
            Self::NotResponding => "not_responding",
            Self::DeafPath => "deaf_path",
            Self::HigherPriorityFirst { .. } => "higher_priority_first",
            Self::BeingOffered(_) => "being_offered",
            Self::BetweenTries => "between_tries",
            Self::NotKept => "not_kept",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub from: Time,
    pub to: Time,
    pub cause: Cause,
}

/// Why this agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub agent: AgentId,
    pub call: CallId,
    pub at: Time,
    pub queue: Arc<str>,
    pub rule: Rule,
    /// Free and fit at that moment.
    pub free: usize,
    /// The first of them in order, the chosen one among them unless another rule than the strategy chose.
    pub considered: Vec<IdleKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Strategy(Strategy),
    /// He knows the caller.
    Sticky,
    /// The last agent on shift did not answer.
    Lead,
}

/// The cause that holds for a line's callers as long as nobody is free for them.
pub(super) fn cause(queue: &Counts, line: &Counts) -> Cause {
    use Standing::*;
    if queue.all() == queue.of(Absent) {
        return Cause::NoAgentOnRoster;
    }
    if queue.present() == 0 {
        return Cause::NobodyLoggedIn;
    }
    if line.present() == 0 {
        return Cause::SkillMissing;
    }
    let (talking, wrapping) = (line.of(Talking) + line.of(Offered), line.of(Wrapping));
    if talking + wrapping > 0 {
        return if wrapping > talking { Cause::AllWrappingUp } else { Cause::AllTalking };
    }
    let away = [
        (line.of(OnBreak), Cause::AllOnBreak),
        (line.of(NotResponding), Cause::NotResponding),
        (line.of(Deaf), Cause::DeafPath),
        (line.of(NotReady), Cause::AllNotReady),
    ];
    // Of equals the first: a break can be ended by a word.
    away.into_iter().rev().max_by_key(|(n, _)| *n).map_or(Cause::AllNotReady, |(_, cause)| cause)
}

/// What happened to a line, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// Everything before this is cut off.
    kept_from: Time,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    /// What holds from here on.
    cause: Cause,
    /// An agent who fits took somebody of this priority.
    took: Option<(u8, AgentId, CallId)>,
}

impl Log {
    /// The line begins to be written after a time without callers.
    pub fn restart(&mut self, now: Time, cause: Cause) {
        self.entries.clear();
        self.kept_from = now;
        self.entries.push_back(Entry { at: now, cause, took: None });
    }

    pub fn cause(&mut self, now: Time, cause: Cause, keep: usize) {
        match self.entries.back_mut() {
            Some(last) if last.cause == cause => {}
            Some(last) if last.at == now => last.cause = cause,
            _ => self.push(Entry { at: now, cause, took: None }, keep),
        }
    }

    pub fn took(&mut self, now: Time, priority: u8, agent: AgentId, call: CallId, keep: usize) {
        if let Some(last) = self.entries.back() {
            let cause = last.cause;
            self.push(Entry { at: now, cause, took: Some((priority, agent, call)) }, keep);
        }
    }

    fn push(&mut self, entry: Entry, keep: usize) {
        self.entries.push_back(entry);
        while self.entries.len() > keep.max(2) {
            self.entries.pop_front();
            self.kept_from = self.entries.front().map_or(entry.at, |first| first.at);
        }
    }

    /// What held up a caller of `priority` from one moment to another.
    pub fn between(&self, from: Time, to: Time, priority: u8, into: &mut Vec<Interval>) {
        let mut at = from;
        if from < self.kept_from {
            at = self.kept_from.min(to);
            push(into, Interval { from, to: at, cause: Cause::NotKept });
        }
        // The entry that holds at `at`, and all after it.
        let first = self.entries.partition_point(|entry| entry.at <= at).saturating_sub(1);
        let mut passed = None;
        let mut rest = self.entries.range(first.min(self.entries.len())..).peekable();
        while let Some(entry) = rest.next() {
            if entry.at >= to && at >= to {
                break;
            }
            if entry.at >= from
                && let Some((theirs, agent, served)) = entry.took
            {
                passed = (theirs > priority).then_some(Cause::HigherPriorityFirst { agent, served });
            }
            let until = rest.peek().map_or(to, |next| next.at.min(to));
            let busy = matches!(entry.cause, Cause::AllTalking | Cause::AllWrappingUp);
            let cause = passed.filter(|_| busy).unwrap_or(entry.cause);
            push(into, Interval { from: at, to: until, cause });
            at = at.max(until);
        }
        push(into, Interval { from: at, to, cause: Cause::NotKept });
    }
}

/// Joins what belongs together and leaves out what has no length.
pub(super) fn push(into: &mut Vec<Interval>, next: Interval) {
    if next.to <= next.from {
        return;
    }
    match into.last_mut() {
        Some(last) if last.cause == next.cause && last.to == next.from => last.to = next.to,
        _ => into.push(next),
    }
}

/// Keeps at most `keep` intervals: the oldest two become one, with the cause of the longer.
pub(super) fn shorten(intervals: &mut Vec<Interval>, keep: usize) {
    while intervals.len() > keep.max(1) {
        let first = intervals.remove(0);
        let second = &mut intervals[0];
        if first.to.since(first.from) > second.to.since(second.from) {
            second.cause = first.cause;
        }
        second.from = first.from;
    }
}
