//! A walk's input, journaled with the trail it left; and the same words back again for replay.

use super::fact::{Step, StepInput, StepTrail, StepWorld};
use crate::base::{CallId, Digit, Personal};
use crate::ivr::seam::{DialEnd, Input, LookupResult, QueueNews, Stored, Trail, World};
use std::sync::Arc;

/// What stands in the journal for a key pressed in a sensitive node; two stars, so that it is not the star key.
pub const MASKED: &str = "**";

pub fn step(call: CallId, input: &Input, sensitive: bool, world: &World, trail: &[Trail]) -> Step {
    let world = StepWorld {
        utc_offset_s: world.utc_offset_s,
        day: world.day,
        switches: world.switches.iter().map(ToString::to_string).collect(),
        ahead: world.ahead,
        wait_ms: world.wait_ms,
        staffed: world.staffed,
        free: world.free,
        leader: world.leader.as_ref().map(ToString::to_string),
    };
    Step { call, input: to_fact(input, sensitive), world, trail: trail.iter().map(trail_to_fact).collect() }
}

fn to_fact(input: &Input, sensitive: bool) -> StepInput {
    match input {
        Input::Begin => StepInput::Begin,
        Input::PlayFinished => StepInput::PlayFinished,
        Input::Digit(_) if sensitive => StepInput::Digit(Personal::new(MASKED)),
        Input::Digit(digit) => StepInput::Digit(Personal::new(digit.as_char())),
        Input::Timeout => StepInput::Timeout,
        Input::LookupDone(LookupResult::Found(values)) => StepInput::LookupFound(
            values.iter().map(|(name, value)| (name.to_string(), Personal::new(&**value))).collect(),
        ),
        Input::LookupDone(LookupResult::None) => StepInput::LookupNone,
        Input::LookupDone(LookupResult::Failed) => StepInput::LookupFailed,
        Input::Queue(QueueNews::Waiting) => StepInput::QueueWaiting,
        Input::Queue(QueueNews::Full) => StepInput::QueueFull,
        Input::Queue(QueueNews::NoStaff) => StepInput::QueueNoStaff,
        Input::Queue(QueueNews::TimedOut) => StepInput::QueueTimedOut,
        Input::Queue(QueueNews::Answered) => StepInput::QueueAnswered,
        Input::Dial(DialEnd::Answered) => StepInput::DialAnswered,
        Input::Dial(DialEnd::Busy) => StepInput::DialBusy,
        Input::Dial(DialEnd::NoAnswer) => StepInput::DialNoAnswer,
        Input::Dial(DialEnd::Failed) => StepInput::DialFailed,
        Input::MessageStored(Stored::Number { no, code }) => {
            StepInput::MessageStored { no: no.to_string(), code: Personal::new(&**code) }
        }
        Input::MessageStored(Stored::Failed) => StepInput::MessageFailed,
        Input::CallbackStored(Stored::Number { no, code }) => {
            StepInput::CallbackStored { no: no.to_string(), code: Personal::new(&**code) }
        }
        Input::CallbackStored(Stored::Failed) => StepInput::CallbackFailed,
        Input::Returned => StepInput::Returned,
        Input::Silent => StepInput::Silent,
        Input::SensitiveOutcome(outcome) => StepInput::SensitiveOutcome(outcome.to_string()),
    }
}

/// The input as the walk got it. `None` for a masked digit: its node's outcome takes its place.
pub fn from_fact(input: &StepInput) -> Option<Input> {
    let number =
        |no: &str, code: &Personal| Stored::Number { no: Arc::from(no), code: Arc::from(code.reveal()) };
    Some(match input {
        StepInput::Begin => Input::Begin,
        StepInput::PlayFinished => Input::PlayFinished,
        StepInput::Digit(key) if key.reveal() == MASKED => return None,
        StepInput::Digit(key) => Input::Digit(key.reveal().chars().next().and_then(Digit::from_char)?),
        StepInput::Timeout => Input::Timeout,
        StepInput::LookupFound(values) => Input::LookupDone(LookupResult::Found(
            values
                .iter()
                .map(|(name, value)| (Arc::from(name.as_str()), Arc::from(value.reveal())))
                .collect(),
        )),
        StepInput::LookupNone => Input::LookupDone(LookupResult::None),
        StepInput::LookupFailed => Input::LookupDone(LookupResult::Failed),
        StepInput::QueueWaiting => Input::Queue(QueueNews::Waiting),
        StepInput::QueueFull => Input::Queue(QueueNews::Full),
        StepInput::QueueNoStaff => Input::Queue(QueueNews::NoStaff),
        StepInput::QueueTimedOut => Input::Queue(QueueNews::TimedOut),
        StepInput::QueueAnswered => Input::Queue(QueueNews::Answered),
        StepInput::DialAnswered => Input::Dial(DialEnd::Answered),
        StepInput::DialBusy => Input::Dial(DialEnd::Busy),
        StepInput::DialNoAnswer => Input::Dial(DialEnd::NoAnswer),
        StepInput::DialFailed => Input::Dial(DialEnd::Failed),
        StepInput::MessageStored { no, code } => Input::MessageStored(number(no, code)),
        StepInput::MessageFailed => Input::MessageStored(Stored::Failed),
        StepInput::CallbackStored { no, code } => Input::CallbackStored(number(no, code)),
        StepInput::CallbackFailed => Input::CallbackStored(Stored::Failed),
        StepInput::Returned => Input::Returned,
        StepInput::Silent => Input::Silent,
        StepInput::SensitiveOutcome(outcome) => Input::SensitiveOutcome(Arc::from(outcome.as_str())),
    })
}

pub fn trail_to_fact(trail: &Trail) -> StepTrail {
    match trail {
        Trail::Entered(node) => StepTrail::Entered(node.to_string()),
        Trail::Left { node, outcome } => {
            StepTrail::Left { node: node.to_string(), outcome: outcome.to_string() }
        }
        Trail::Prompt(name) => StepTrail::Prompt(name.to_string()),
    }
}
