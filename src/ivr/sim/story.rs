//! What happened on a simulated call, line by line.

use super::why_name;
use crate::ivr::seam::{HangUpWhy, LookupResult, QueueNews};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Story {
    pub lines: Vec<Line>,
    /// Always there once the walk has been run.
    pub end: Option<End>,
    /// Keys of the script that were never pressed.
    pub keys_left: usize,
}

#[derive(Clone, Debug)]
pub struct Line {
    /// Milliseconds after the answer.
    pub at_ms: u64,
    pub event: Event,
}

#[derive(Clone, Debug)]
pub enum Event {
    Entered(Arc<str>),
    Left {
        node: Arc<str>,
        outcome: Arc<str>,
    },
    /// The prompts by name, what they say, and how long.
    Heard {
        prompts: Vec<Arc<str>>,
        text: String,
        ms: u32,
    },
    Music(Arc<str>),
    Key(char),
    Joined {
        queue: Arc<str>,
        priority: u8,
    },
    Raised(u8),
    LeftQueue,
    Queue(QueueNews),
    Dialed(Arc<str>),
    Records,
    Callback {
        number: Arc<str>,
        queue: Arc<str>,
    },
    LookedUp {
        kind: Arc<str>,
        result: LookupResult,
    },
    Set {
        name: Arc<str>,
        value: Arc<str>,
    },
    Sensitive(bool),
    Fault {
        node: Arc<str>,
        what: Arc<str>,
    },
    HungUp(HangUpWhy),
    CallerHungUp,
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    HungUp(HangUpWhy),
    CallerHungUp,
    /// With an agent.
    Talking,
    /// Still in this queue, or at this node.
    Waiting(String),
    /// The walk asked for nothing and had no deadline: a fault of the interpreter.
    Stuck,
    /// It did not stop to go on: a fault of the flow or of the interpreter.
    Endless,
}

impl End {
    /// As a case file writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HungUp(why) => why_name(*why),
            Self::CallerHungUp => "hung_up",
            Self::Talking => "talking",
            Self::Waiting(_) => "waiting",
            Self::Stuck => "stuck",
            Self::Endless => "endless",
        }
    }
}

impl Story {
    /// The nodes entered, in order.
    pub fn path(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter_map(|line| match &line.event {
                Event::Entered(node) => Some(&**node),
                _ => None,
            })
            .collect()
    }
    /// The outcomes by which nodes were left.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match &line.event {
            Event::Left { node, outcome } => Some((&**node, &**outcome)),
            _ => None,
        })
    }
    /// Everything heard, each prompt in one text.
    pub fn heard(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match &line.event {
            Event::Heard { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }
    /// Faults of the walk, `node: what`.
    pub fn faults(&self) -> Vec<String> {
        let fault = |line: &Line| match &line.event {
            Event::Fault { node, what } => Some(format!("{node}: {what}")),
            _ => None,
        };
        self.lines.iter().filter_map(fault).collect()
    }
    /// Values put into the call's record.
    pub fn set(&self) -> Vec<(&str, &str)> {
        self.lines
            .iter()
            .filter_map(|line| match &line.event {
                Event::Set { name, value } => Some((&**name, &**value)),
                _ => None,
            })
            .collect()
    }
    /// Milliseconds from the answer to the end.
    pub fn took_ms(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.at_ms)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, tenth) = (self.at_ms / 1_000, self.at_ms % 1_000 / 100);
        write!(f, "{:>3}:{:02}.{tenth}  {}", s / 60, s % 60, self.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entered(node) => write!(f, "▶ {node}"),
            Self::Left { node, outcome } => write!(f, "  {node} ─{outcome}→"),
            Self::Heard { prompts, text, ms } => {
                let names = prompts.join(", ");
                write!(f, "  “{text}” ({}.{} s{}{names})", ms / 1_000, ms % 1_000 / 100, sep(&names))
            }
            Self::Music(name) => write!(f, "  music {name}"),
            Self::Key(key) => write!(f, "  key {key}"),
            Self::Joined { queue, priority: 0 } => write!(f, "  joins the queue {queue}"),
            Self::Joined { queue, priority } => {
                write!(f, "  joins the queue {queue} with priority {priority}")
            }
            Self::Raised(priority) => write!(f, "  moves up to priority {priority}"),
            Self::LeftQueue => f.write_str("  leaves the queue"),
            Self::Queue(QueueNews::Waiting) => f.write_str("  waits for people"),
            Self::Queue(QueueNews::NoStaff) => f.write_str("  waits; nobody is on the roster"),
            Self::Queue(QueueNews::Full) => f.write_str("  the queue is full"),
            Self::Queue(QueueNews::TimedOut) => f.write_str("  the queue's longest wait has passed"),
            Self::Queue(QueueNews::Answered) => f.write_str("  an agent answers"),
            Self::Dialed(to) => write!(f, "  dials {to}"),
            Self::Records => f.write_str("  records a message"),
            Self::Callback { number, queue } => write!(f, "  asks to be called back at {number} by {queue}"),
            Self::LookedUp { kind, result } => match result {
                LookupResult::Found(values) => {
                    let values: Vec<_> =
                        values.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    write!(f, "  {kind}: {}", values.join(" "))
                }
                LookupResult::None => write!(f, "  {kind}: nothing found"),
                LookupResult::Failed => write!(f, "  {kind}: no answer"),
            },
            Self::Set { name, value } => write!(f, "  {name} = {value}"),
            Self::Sensitive(true) => f.write_str("  (not recorded from here)"),
            Self::Sensitive(false) => f.write_str("  (recorded again)"),
            Self::Fault { node, what } => write!(f, "! fault in {node}: {what}"),
            Self::HungUp(why) => write!(f, "■ hangs up: {}", why_name(*why)),
            Self::CallerHungUp => f.write_str("■ the caller hangs up"),
        }
    }
}

const fn sep(names: &str) -> &'static str {
    if names.is_empty() { "" } else { ": " }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(queue) => write!(f, "waiting in {queue}"),
            other => f.write_str(other.name()),
        }
    }
}
