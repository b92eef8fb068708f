//! The model of a flow: nodes, what each does, and where its outcomes lead. Made by the reader, never changed after.

use super::book::{Book, How, Part};
use super::seam::HangUpWhy;
use crate::base::DayKind;
use std::fmt;
use std::sync::Arc;

/// A node's place in [`Flow::nodes`].
pub(super) type NodeIx = u16;

/// A flow with the flows it uses set into it. Shared by every walk through it.
pub struct Flow {
    pub(super) file: Arc<str>,
    /// All files of the set, by the number in [`At::file`].
    pub(super) files: Arc<[Arc<str>]>,
    pub(super) version: Arc<str>,
    pub(super) hash: u64,
    /// The texts it was read from.
    pub(super) bundle: Arc<str>,
    pub(super) start: NodeIx,
    pub(super) nodes: Vec<Node>,
    /// Where a walk goes that cannot go on: people first, and a message when people cannot be asked.
    pub(super) person: NodeIx,
    pub(super) message: NodeIx,
    pub(super) book: Arc<Book>,
}

impl Flow {
    /// Name of the file, as in `main.toml`.
    pub fn file(&self) -> &str {
        &self.file
    }
    /// The author's own name for this version.
    pub fn version(&self) -> &str {
        &self.version
    }
    /// Of the content: two flows with one hash decide alike.
    pub fn hash(&self) -> u64 {
        self.hash
    }
    /// Everything it was read from in one text; [`super::FlowSet::from_bundle`] reads it back.
    pub fn bundle(&self) -> &str {
        &self.bundle
    }
    /// The queues its nodes name, each once.
    pub fn queues(&self) -> impl Iterator<Item = Arc<str>> {
        let mut names: Vec<Arc<str>> =
            self.nodes.iter().filter_map(|node| node.kind.queue().cloned()).collect();
        names.sort();
        names.dedup();
        names.into_iter()
    }
    /// The names of its nodes, in the file's order.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.name)
    }
    /// The file a node was written in.
    pub(super) fn file_of(&self, node: &Node) -> Arc<str> {
        self.files.get(usize::from(node.at.file)).map_or_else(|| Arc::clone(&self.file), Arc::clone)
    }
    /// The key that moves a caller up to `priority` in a queue node.
    pub(super) fn raised_by(&self, node: &str, priority: u8) -> Option<char> {
        let node = self.nodes.iter().find(|known| *known.name == *node)?;
        let Kind::Queue(queue) = &node.kind else { return None };
        queue.raise.iter().find(|(_, raised)| *raised == priority).map(|(key, _)| *key)
    }
    pub(super) fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[usize::from(ix)]
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({} {} {:016x})", self.file, self.version, self.hash)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: Arc<str>,
    /// Added by the reader, not written by the author.
    pub implied: bool,
    /// File and place of the node's header.
    pub at: At,
    pub kind: Kind,
    /// Outcomes other than keys, and where they lead.
    pub outs: Vec<Out>,
    pub keys: Vec<(char, NodeIx)>,
    /// Keys that work although nothing the caller hears names them.
    pub silent: Vec<char>,
}

/// Which file of the set, and the offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct At {
    pub file: u16,
    pub offset: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Out {
    pub outcome: Arc<str>,
    pub to: NodeIx,
}

impl Node {
    pub fn out(&self, outcome: &str) -> Option<NodeIx> {
        self.outs.iter().find(|out| *out.outcome == *outcome).map(|out| out.to)
    }
    pub fn key(&self, key: char) -> Option<NodeIx> {
        self.keys.iter().find(|(c, _)| *c == key).map(|(_, to)| *to)
    }
    /// All that can follow.
    pub fn targets(&self) -> impl Iterator<Item = NodeIx> {
        self.outs.iter().map(|out| out.to).chain(self.keys.iter().map(|(_, to)| *to))
    }
}

/// What is said: the names as the author wrote them, and the pieces they are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Speech {
    pub names: Vec<Arc<str>>,
    pub parts: Vec<Part>,
}

impl Speech {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
    pub fn vars(&self) -> impl Iterator<Item = &Arc<str>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Say { var, how } if *how != How::Text => Some(var),
            _ => None,
        })
    }
}

/// A value that is written, or taken from a variable (`$name`).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(Arc<str>),
    Var(Arc<str>),
}

impl Value {
    pub fn var(&self) -> Option<&Arc<str>> {
        match self {
            Self::Var(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

/// What a branch looks at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum On {
    Time,
    Day,
    Caller,
    Called,
    Redirected,
    Trunk,
    Tag,
    Staffed,
    Switch,
    /// The unit whose head is on the line now.
    Leader,
    Var(Arc<str>),
}

/// When a branch's case applies.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum When {
    /// Minutes of the day, from and to (not included); over midnight where `from > to`.
    Between(u16, u16),
    Day(DayKind),
    /// Equal, or beginning so with a `*` at the end.
    Is(Arc<str>),
    Begins(Arc<str>),
    /// Nothing is known: no number, no value.
    Nothing,
    AtLeast(u16),
}

impl When {
    /// Does a stretch of the day have this minute of it?
    pub fn has_minute(&self, minute: u16) -> bool {
        match self {
            Self::Between(from, to) if from < to => (*from..*to).contains(&minute),
            Self::Between(from, to) => minute >= *from || minute < *to,
            _ => false,
        }
    }
}

/// What a waiting caller hears again and again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Again {
    pub speech: Speech,
    pub after_ms: u32,
    /// Zero: once.
    pub every_ms: u32,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// `play` and `say`.
    Play {
        speech: Speech,
        /// A key takes effect when everything has been heard: a notice that must be.
        finish: bool,
    },
    Set {
        values: Vec<(Arc<str>, Value)>,
    },
    Menu {
        speech: Speech,
        wrong: Speech,
        timeout_ms: u32,
        tries: u8,
    },
    Collect(Box<Collect>),
    Branch {
        on: On,
        cases: Vec<(Arc<str>, When)>,
    },
    Lookup {
        what: Arc<str>,
        args: Vec<(Arc<str>, Value)>,
        gives: Vec<Arc<str>>,
        timeout_ms: u32,
        tries: u8,
    },
    Queue(Box<Queue>),
    Dial {
        to: Value,
        timeout_ms: u32,
    },
    Voicemail {
        speech: Speech,
        beep: Speech,
        max_ms: u32,
        silence_ms: u32,
        end: char,
    },
    Callback {
        number: Option<Value>,
        queue: Arc<str>,
    },
    Survey {
        speech: Speech,
        name: Arc<str>,
        answers: Vec<(char, Arc<str>)>,
        timeout_ms: u32,
        tries: u8,
    },
    Hangup {
        speech: Speech,
        why: Option<HangUpWhy>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Collect {
    pub speech: Speech,
    pub wrong: Speech,
    pub var: Arc<str>,
    pub min: u8,
    pub max: u8,
    pub end: Option<char>,
    pub first_ms: u32,
    pub digit_ms: u32,
    pub tries: u8,
    pub sensitive: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub queue: Arc<str>,
    pub priority: u8,
    /// What his agent must be able to do, with the least level of each; sorted by name.
    pub skills: Arc<[(Arc<str>, u8)]>,
    pub music: Option<Arc<str>>,
    /// The key hint, the place and offer, the comfort: each in its own rhythm, the earlier one first when two are due.
    pub announcements: Vec<Again>,
    pub timeout_ms: u32,
    /// How long somebody waits although nobody is there.
    pub no_staff_ms: u32,
    /// Keys that move the caller up and let him wait on.
    pub raise: Vec<(char, u8)>,
}

impl Kind {
    pub const NAMES: &[&str] = &[
        "play",
        "say",
        "set",
        "menu",
        "collect",
        "branch",
        "lookup",
        "queue",
        "dial",
        "voicemail",
        "callback",
        "survey",
        "subflow",
        "hangup",
    ];

    pub fn queue(&self) -> Option<&Arc<str>> {
        match self {
            Self::Queue(queue) => Some(&queue.queue),
            Self::Callback { queue, .. } => Some(queue),
            _ => None,
        }
    }

    /// Everything it may say.
    pub fn speeches(&self) -> Vec<&Speech> {
        match self {
            Self::Play { speech, .. } | Self::Hangup { speech, .. } | Self::Survey { speech, .. } => {
                vec![speech]
            }
            Self::Menu { speech, wrong, .. } => vec![speech, wrong],
            Self::Collect(collect) => vec![&collect.speech, &collect.wrong],
            Self::Queue(queue) => queue.announcements.iter().map(|again| &again.speech).collect(),
            Self::Voicemail { speech, beep, .. } => vec![speech, beep],
            Self::Set { .. }
            | Self::Branch { .. }
            | Self::Lookup { .. }
            | Self::Dial { .. }
            | Self::Callback { .. } => Vec::new(),
        }
    }
}
