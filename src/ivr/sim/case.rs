//! Case files: calls with what is expected of them. One file for each flow, in `ivr-flows/cases/`.
//!
//! ```toml
//! flow = "main"
//!
//! [[case]]
//! name = "nobody is there: a callback is booked"
//! at = "2026-11-25T10:00"            # local time; without: a Wednesday morning
//! keys = "8@people+45, 1"
//! path = ["welcome", "…", "callback/book", "callback/booked"]
//! heard = ["继续等待", "尾号"]
//! end = "callback_booked"
//! ```

use super::{BadKeys, End, Moment, Plan, Press, Story, Waits, run};
use crate::base::{DayKind, Personal};
use crate::ivr::Flow;
use crate::ivr::problem::Lines;
use crate::ivr::seam::{DialEnd, LookupResult};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest case file that is read, bytes.
const FILE_MAX: usize = 512 * 1024;
/// A Wednesday morning that is no holiday.
const ORDINARY: &str = "2026-11-25T10:00";
/// 东八区, where a text has no offset.
const BEIJING_S: i32 = 8 * 3_600;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The flow's file name without `.toml`.
    pub flow: String,
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    pub name: String,
    // --- the call and its world
    pub at: Option<String>,
    pub day: Option<Day>,
    pub switches: Vec<String>,
    /// The unit whose head is on the line; empty: nobody's.
    pub leader: Option<String>,
    /// Empty: no number is known.
    pub caller: Option<String>,
    pub called: Option<String>,
    pub redirected: Option<String>,
    pub trunk: Option<String>,
    pub tags: Vec<String>,
    pub keys: String,
    pub queues: BTreeMap<String, CaseQueue>,
    pub ahead: u32,
    pub wait_min: Option<u32>,
    pub lookups: Vec<Answer>,
    pub dials: Vec<Dialed>,
    pub store_fails: bool,
    pub speaks_s: Option<u32>,
    pub talk_s: Option<u32>,
    #[serde(default)]
    pub silent: bool,
    pub patience_s: Option<u32>,
    // --- what is expected
    /// Nodes entered, in order; "…" stands for any.
    pub path: Vec<String>,
    /// Texts heard, in order.
    pub heard: Vec<String>,
    pub never_heard: Vec<String>,
    /// Values put into the record, the last of each name.
    pub set: BTreeMap<String, String>,
    pub end: String,
    /// Faults are a difference unless they are expected.
    pub faults: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Workday,
    Weekend,
    Holiday,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseQueue {
    pub full: bool,
    pub staffed: Option<u16>,
    pub answer_s: Option<u32>,
    pub let_go_s: Option<u32>,
}

/// `"none"`, `"failed"`, or the values found.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Word(AnswerWord),
    Found(BTreeMap<String, String>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerWord {
    None,
    Failed,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialed {
    Answered,
    Busy,
    NoAnswer,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    #[error("{line}:{column}: {what}")]
    Syntax { line: usize, column: usize, what: String },
    #[error("case \"{case}\": {what}")]
    Case { case: String, what: String },
}

impl CaseFile {
    pub fn read(text: &str) -> Result<Self, CaseError> {
        if text.len() > FILE_MAX {
            let what = format!("the file has {} bytes, at most {FILE_MAX} are read", text.len());
            return Err(CaseError::Syntax { line: 1, column: 1, what });
        }
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = Lines::of(text).place(text, at);
            let what = error.message().lines().collect::<Vec<_>>().join(" ");
            CaseError::Syntax { line, column, what }
        })
    }
}

impl Case {
    fn wrong(&self, what: impl Into<String>) -> CaseError {
        CaseError::Case { case: self.name.clone(), what: what.into() }
    }

    pub fn plan(&self) -> Result<Plan, CaseError> {
        let at = self.at.as_deref().unwrap_or(ORDINARY);
        let moment = Moment::parse(at, BEIJING_S)
            .ok_or_else(|| self.wrong(format!("at = \"{at}\" is no moment like \"2026-11-25T22:30\"")))?;
        let mut plan = Plan::at(moment);
        if let Some(day) = self.day {
            plan.day = match day {
                Day::Workday => DayKind::Workday,
                Day::Weekend => DayKind::Weekend,
                Day::Holiday => DayKind::Holiday,
            };
        }
        plan.switches = self.switches.clone();
        plan.switches.sort();
        plan.leader = self.leader.clone().filter(|unit| !unit.is_empty());
        if let Some(caller) = &self.caller {
            plan.facts.caller = (!caller.is_empty()).then(|| Personal::new(caller.as_str()));
        }
        plan.facts.called = self.called.clone().unwrap_or(plan.facts.called);
        plan.facts.trunk = self.trunk.clone().unwrap_or(plan.facts.trunk);
        plan.facts.redirected_from = self.redirected.clone();
        plan.facts.tags = self.tags.clone();
        plan.keys = Press::read(&self.keys).map_err(|error: BadKeys| self.wrong(error.to_string()))?;
        plan.queues = self.queues.iter().map(|(name, queue)| (name.clone(), queue.waits())).collect();
        (plan.ahead, plan.wait_min) = (self.ahead, self.wait_min);
        plan.lookups = self.lookups.iter().map(Answer::result).collect();
        plan.dials = self.dials.iter().map(|end| end.end()).collect();
        plan.store_fails = self.store_fails;
        plan.speaks_s = self.speaks_s.unwrap_or(plan.speaks_s);
        (plan.talk_s, plan.patience_s) = (self.talk_s, self.patience_s);
        plan.silent = self.silent;
        Ok(plan)
    }

    /// Walks the case; the story, and how it differs from what is expected.
    pub fn run(&self, flow: &Arc<Flow>) -> Result<(Story, Vec<String>), CaseError> {
        let story = run(flow, &self.plan()?);
        let differences = self.differences(&story);
        Ok((story, differences))
    }

    fn differences(&self, story: &Story) -> Vec<String> {
        let mut told = Vec::new();
        let path = story.path();
        if !self.path.is_empty() && !matches_path(&self.path, &path) {
            told.push(format!("path is {path:?}, not {:?}", self.path));
        }
        let whole: String = story.heard().flat_map(|said| [said, "\n"]).collect();
        let mut rest = whole.as_str();
        for text in &self.heard {
            match rest.find(text.as_str()) {
                Some(at) => rest = &rest[at + text.len()..],
                None => {
                    told.push(format!("\"{text}\" was not heard, or not in this order"));
                    break;
                }
            }
        }
        for text in
            self.never_heard.iter().filter(|text| story.heard().any(|said| said.contains(text.as_str())))
        {
            told.push(format!("\"{text}\" was heard"));
        }
        let set: BTreeMap<&str, &str> = story.set().into_iter().collect();
        for (name, value) in
            self.set.iter().filter(|(name, value)| set.get(name.as_str()) != Some(&value.as_str()))
        {
            told.push(format!("{name} is {:?}, not \"{value}\"", set.get(name.as_str())));
        }
        let end = story.end.as_ref().map_or("endless", End::name);
        if end != self.end {
            told.push(format!("it ends with \"{end}\", not \"{}\"", self.end));
        }
        let faults = story.faults();
        if faults.len() != self.faults.unwrap_or(0) {
            told.push(format!("faults: {faults:?}"));
        }
        if story.keys_left > 0 {
            told.push(format!("{} keys of its script were never pressed", story.keys_left));
        }
        told
    }
}

impl CaseQueue {
    fn waits(&self) -> Waits {
        // Somebody who answers is there.
        let staffed = self.staffed.unwrap_or(u16::from(self.answer_s.is_some() || self.let_go_s.is_some()));
        Waits { full: self.full, staffed, answer_s: self.answer_s, let_go_s: self.let_go_s }
    }
}

impl Answer {
    fn result(&self) -> LookupResult {
        match self {
            Self::Word(AnswerWord::None) => LookupResult::None,
            Self::Word(AnswerWord::Failed) => LookupResult::Failed,
            Self::Found(values) => LookupResult::Found(
                values
                    .iter()
                    .map(|(name, value)| (Arc::from(name.as_str()), Arc::from(value.as_str())))
                    .collect(),
            ),
        }
    }
}

impl Dialed {
    const fn end(self) -> DialEnd {
        match self {
            Self::Answered => DialEnd::Answered,
            Self::Busy => DialEnd::Busy,
            Self::NoAnswer => DialEnd::NoAnswer,
            Self::Failed => DialEnd::Failed,
        }
    }
}

/// "…" stands for any number of nodes.
fn matches_path(want: &[String], path: &[&str]) -> bool {
    match want.split_first() {
        None => path.is_empty(),
        Some((gap, rest)) if gap == "…" || gap == "..." => {
            (0..=path.len()).any(|skip| matches_path(rest, &path[skip..]))
        }
        Some((node, rest)) => {
            path.split_first().is_some_and(|(first, path)| first == node && matches_path(rest, path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_with_gaps() {
        let want = |nodes: &[&str]| nodes.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let path = ["a", "b", "c", "d"];
        for good in [&["a", "b", "c", "d"][..], &["…", "d"], &["a", "…"], &["a", "…", "c", "d"], &["…"]]
        {
            assert!(matches_path(&want(good), &path), "{good:?}");
        }
        for bad in [&["a", "b", "c"][..], &["…", "c"], &["b", "…"], &[]] {
            assert!(!matches_path(&want(bad), &path), "{bad:?}");
        }
    }

    #[test]
    fn a_slip_in_a_case_file_is_told_with_its_place() {
        let error = CaseFile::read("flow = \"main\"\n\n[[case]]\nnmae = \"x\"\n").unwrap_err().to_string();
        assert!(error.starts_with("4:1: ") && error.contains("nmae"), "{error}");
    }
}
