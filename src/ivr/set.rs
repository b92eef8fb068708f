//! Flows that use each other: read together, each with its subflows set into it, checked together.
//!
//! A subflow is set in at each place that calls it: its nodes stand there as `caller/node`, its ways back (`"@done"`) lead where the
//! caller's `returns` say. So a walk needs no stack, and the linter sees the whole graph.

use super::book::Book;
use super::flow::{At, Flow, Kind, Node, NodeIx, Out, Queue};
use super::lint;
use super::problem::{Lines, Problem, Problems, hint};
use super::read::{self, Draft, DraftKind, DraftNode, by_name};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most nodes of a flow with its subflows set in.
const SET_IN_MAX: usize = 4_000;
/// Deepest nesting of subflows.
const DEPTH_MAX: usize = 8;
/// Lines of a kept text: which file follows, and before all files the prompts that are more than a clip.
pub(super) const BUNDLE_MARK: &str = "#=== file: ";
const PROMPT_MARK: &str = "#=== prompt: ";
/// Most calls of subflows in a flow.
const CALLS_MAX: usize = 1_000;

/// All flows of a folder, by name without `.toml`.
#[derive(Clone, Debug, Default)]
pub struct FlowSet {
    flows: BTreeMap<String, Arc<Flow>>,
}

struct File {
    name: String,
    text: String,
    lines: Lines,
    draft: Draft,
}

impl FlowSet {
    /// A text as one flow by itself, its sounds not looked at; the entry of the fuzzer.
    pub fn read(text: &str) -> Result<Arc<Flow>, Problems> {
        Self::single("flow.toml", text)
    }

    /// One flow by itself, its sounds not looked at.
    pub fn single(name: &str, text: &str) -> Result<Arc<Flow>, Problems> {
        Self::one(vec![(name.to_owned(), text.to_owned())], &Arc::new(Book::open()))
    }

    /// The first file as a flow; of the others only those it uses, by whatever way.
    pub fn one(mut files: Vec<(String, String)>, book: &Arc<Book>) -> Result<Arc<Flow>, Problems> {
        let first = files.first().map(|(name, _)| stem(name).to_owned()).unwrap_or_default();
        let used = used(&files, book);
        files.retain(|(name, _)| used.contains(stem(name)));
        let set = Self::load(files, book)?;
        let nothing = || {
            Problems(vec![Problem {
                file: first.clone(),
                line: 1,
                column: 1,
                what: "there is no flow".into(),
            }])
        };
        set.get(&first).ok_or_else(nothing)
    }

    /// Reads a kept text back; see [`Flow::bundle`]. The sounds are not looked at: they were when it was loaded.
    pub fn from_bundle(bundle: &str) -> Result<Arc<Flow>, Problems> {
        let mut files: Vec<(String, String)> = Vec::new();
        let mut prompts = Vec::new();
        for line in bundle.split_inclusive('\n') {
            match (line.strip_prefix(BUNDLE_MARK), files.last_mut()) {
                (Some(name), _) => files.push((name.trim_end().to_owned(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => prompts.extend(line.strip_prefix(PROMPT_MARK).map(str::trim_end)),
            }
        }
        Self::one(files, &Arc::new(Book::open_with(prompts.into_iter())))
    }

    /// Reads and checks files (name, text) together. All of them, or every problem.
    pub fn load(files: Vec<(String, String)>, book: &Arc<Book>) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut read_files: Vec<File> = Vec::with_capacity(files.len());
        for (n, (name, text)) in files.into_iter().enumerate() {
            let number = u16::try_from(n).unwrap_or(u16::MAX);
            let draft = read::read(&name, number, &text, book, &mut problems);
            let lines = Lines::of(&text);
            read_files.push(File { name, text, lines, draft });
        }
        let mut set = Self::default();
        let sound = problems.is_empty();
        for n in 0..read_files.len() {
            let mut told = Vec::new();
            // Judged as a whole only when it is whole: else everything behind a hole is told as unreachable.
            let flow = Building::build(&read_files, n, book, &mut told);
            // A draft with holes in it only repeats what has been told.
            let whole = told.is_empty();
            if sound || told.iter().all(|(_, what)| what.contains("there is no")) {
                problems.extend(told.into_iter().map(|(at, what)| problem(&read_files, at, what)));
            }
            let Some(flow) = flow.filter(|_| sound && whole) else { continue };
            // A part may look at what its callers have set, if it says so.
            let takes: &[Arc<str>] =
                if is_part(&read_files[n].draft) { &read_files[n].draft.takes } else { &[] };
            let told = lint::lint(&flow, takes);
            problems.extend(told.into_iter().map(|(at, what)| problem(&read_files, at, what)));
            set.flows.insert(stem(&read_files[n].name).to_owned(), Arc::new(flow));
        }
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(set) } else { Err(Problems(problems)) }
    }

    pub fn get(&self, name: &str) -> Option<Arc<Flow>> {
        self.flows.get(name).cloned()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.flows.keys().map(String::as_str)
    }

    pub fn flows(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows.values()
    }
}

/// A file that leads back somewhere is a part of others.
fn is_part(draft: &Draft) -> bool {
    draft.nodes.iter().any(|node| {
        node.outs
            .iter()
            .map(|(_, to, _)| to)
            .chain(node.keys.iter().map(|(_, to, _)| to))
            .any(|to| to.starts_with('@'))
    })
}

/// The first file and those it uses.
fn used(files: &[(String, String)], book: &Book) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut todo: Vec<String> = files.first().map(|(name, _)| stem(name).to_owned()).into_iter().collect();
    while let Some(next) = todo.pop() {
        let found = files.iter().find(|(name, _)| stem(name) == next);
        if let Some((name, text)) = found.filter(|_| used.insert(next)) {
            let draft = read::read(name, 0, text, book, &mut Vec::new());
            todo.extend(draft.nodes.into_iter().filter_map(|node| match node.what {
                DraftKind::Subflow { flow, .. } => Some(flow),
                DraftKind::Own(_) => None,
            }));
        }
    }
    used
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".toml").unwrap_or(name)
}

fn problem(files: &[File], at: At, what: String) -> Problem {
    let file = files.get(usize::from(at.file));
    let (line, column) = file.map_or((1, 1), |file| file.lines.place(&file.text, at.offset as usize));
    Problem { file: file.map(|file| file.name.clone()).unwrap_or_default(), line, column, what }
}

type Told = Vec<(At, String)>;

/// One flow on its way from drafts to nodes.
struct Building<'a> {
    files: &'a [File],
    nodes: Vec<Node>,
    used: BTreeSet<usize>,
    told: &'a mut Told,
    full: bool,
    calls: usize,
}

impl<'a> Building<'a> {
    fn build(files: &'a [File], entry: usize, book: &Arc<Book>, told: &'a mut Told) -> Option<Flow> {
        let mut building =
            Building { files, nodes: Vec::new(), used: BTreeSet::new(), told, full: false, calls: 0 };
        let ends = building.implied(entry);
        let draft = &files[entry].draft;
        let (start, at) = draft.start.clone()?;
        let indices = building.set_in(entry, "", &BTreeMap::new(), ends, &mut vec![entry])?;
        let start = match indices.get(start.as_str()) {
            Some(start) => *start,
            None => {
                let offer = hint(&start, draft.nodes.iter().map(|node| &*node.name));
                building.told.push((at, format!("flow.start: there is no node \"{start}\"{offer}")));
                return None;
            }
        };
        let bundle = bundle(files, entry, &building.used, &prompts(&building.nodes, book));
        let hash = Sha256::digest(bundle.as_bytes())
            .iter()
            .take(8)
            .fold(0, |hash, byte| (hash << 8) | u64::from(*byte));
        let nodes = building.nodes;
        // The author's own line for people, where there is one; the implied one asks for nothing and never ends.
        let person = nodes
            .iter()
            .position(|node| !node.implied && matches!(node.kind, Kind::Queue(_)))
            .map_or(ends.0, |n| n as NodeIx);
        let message = nodes
            .iter()
            .position(|node| !node.implied && matches!(node.kind, Kind::Voicemail { .. }))
            .map_or(ends.1, |n| n as NodeIx);
        Some(Flow {
            file: Arc::from(files[entry].name.as_str()),
            files: files.iter().map(|file| Arc::from(file.name.as_str())).collect(),
            version: Arc::from(draft.version.as_str()),
            hash,
            bundle: Arc::from(bundle),
            start,
            nodes,
            person,
            message,
            book: Arc::clone(book),
        })
    }

    /// The nodes every flow has for what nobody thought of: a line for people, a message, an end.
    fn implied(&mut self, entry: usize) -> (NodeIx, NodeIx) {
        let own = &self.files[entry].draft.nodes;
        let queue = own.iter().find_map(|node| match &node.what {
            DraftKind::Own(kind) => kind.queue().cloned(),
            DraftKind::Subflow { .. } => None,
        });
        let queue = queue.unwrap_or_else(|| Arc::from("main"));
        let (person, message, end) = (0, 1, 2);
        let out = |outcome: &str, to| Out { outcome: Arc::from(outcome), to };
        let node = |name: &str, kind, outs| Node {
            name: Arc::from(name),
            implied: true,
            at: At::default(),
            kind,
            outs,
            keys: Vec::new(),
            silent: Vec::new(),
        };
        let waiting = Queue {
            queue,
            priority: 0,
            skills: Arc::from([]),
            music: Some(Arc::from("moh/hold")),
            announcements: Vec::new(),
            timeout_ms: 600_000,
            no_staff_ms: 60_000,
            raise: Vec::new(),
        };
        let voicemail = Kind::Voicemail {
            speech: said(&["voicemail"]),
            beep: said(&["tones/beep"]),
            max_ms: 180_000,
            silence_ms: 6_000,
            end: '#',
        };
        let to_message = ["timeout", "full", "no_staff"].map(|outcome| out(outcome, message)).to_vec();
        self.nodes.push(node("@person", Kind::Queue(Box::new(waiting)), to_message));
        self.nodes.push(node("@message", voicemail, vec![out("done", end), out("failed", end)]));
        self.nodes.push(node("@end", Kind::Hangup { speech: said(&["goodbye"]), why: None }, Vec::new()));
        (person, message)
    }

    /// Sets file `n` in under `prefix`; `back` is where its ways back lead. Gives its nodes by their own names.
    fn set_in(
        &mut self,
        n: usize,
        prefix: &str,
        back: &BTreeMap<String, NodeIx>,
        ends: (NodeIx, NodeIx),
        path: &mut Vec<usize>,
    ) -> Option<BTreeMap<String, NodeIx>> {
        self.used.insert(n);
        let draft = &self.files[n].draft;
        self.calls += 1;
        if self.nodes.len() + draft.nodes.len() > SET_IN_MAX || self.calls > CALLS_MAX {
            if !std::mem::replace(&mut self.full, true) {
                self.told
                    .push((At::default(), format!("more than {SET_IN_MAX} nodes with all subflows set in")));
            }
            return None;
        }
        // First every own node has its place; a subflow's place is that of its first node.
        let mut indices = BTreeMap::new();
        let mut own: Vec<(NodeIx, &DraftNode)> = Vec::new();
        for node in &draft.nodes {
            if let DraftKind::Own(kind) = &node.what {
                let ix = self.nodes.len() as NodeIx;
                let name = if prefix.is_empty() {
                    Arc::clone(&node.name)
                } else {
                    Arc::from(format!("{prefix}{}", node.name))
                };
                self.nodes.push(Node {
                    name,
                    implied: false,
                    at: node.at,
                    kind: kind.clone(),
                    outs: Vec::new(),
                    keys: Vec::new(),
                    silent: node.silent.clone(),
                });
                indices.insert(node.name.to_string(), ix);
                own.push((ix, node));
            }
        }
        let calls: Vec<&DraftNode> =
            draft.nodes.iter().filter(|node| matches!(node.what, DraftKind::Subflow { .. })).collect();
        // A subflow may lead back to another subflow: those that lead to known places are set in first.
        let mut waiting = calls;
        while !waiting.is_empty() {
            let known = |to: &str| {
                to.starts_with('@')
                    || indices.contains_key(to)
                    || !draft.nodes.iter().any(|node| *node.name == *to)
            };
            let ready = waiting.iter().position(|node| node.outs.iter().all(|(_, to, _)| known(to)));
            let node = waiting.remove(ready.unwrap_or(0));
            if ready.is_none() {
                self.told.push((node.at, format!("node.{}: subflows lead back to each other in a circle; let one lead to a node of its own", node.name)));
            }
            let first = self.call(n, node, prefix, &indices, back, ends, path);
            indices.insert(node.name.to_string(), first.unwrap_or(ends.0));
        }
        for (ix, node) in own {
            let outs = node
                .outs
                .iter()
                .filter_map(|(outcome, to, at)| {
                    Some(Out { outcome: Arc::clone(outcome), to: self.target(n, to, *at, &indices, back)? })
                })
                .collect();
            let keys = node
                .keys
                .iter()
                .filter_map(|(key, to, at)| Some((*key, self.target(n, to, *at, &indices, back)?)))
                .collect();
            let set = &mut self.nodes[usize::from(ix)];
            (set.outs, set.keys) = (outs, keys);
        }
        Some(indices)
    }

    fn call(
        &mut self,
        n: usize,
        node: &DraftNode,
        prefix: &str,
        indices: &BTreeMap<String, NodeIx>,
        back: &BTreeMap<String, NodeIx>,
        ends: (NodeIx, NodeIx),
        path: &mut Vec<usize>,
    ) -> Option<NodeIx> {
        let DraftKind::Subflow { flow, at } = &node.what else { return None };
        let Some(called) = self.files.iter().position(|file| stem(&file.name) == flow) else {
            let mut offer = hint(flow, self.files.iter().map(|file| stem(&file.name)));
            if offer.is_empty() {
                offer = format!("; put {flow}.toml beside this file");
            }
            self.told.push((*at, format!("node.{}.flow: there is no flow \"{flow}\"{offer}", node.name)));
            return None;
        };
        if path.contains(&called) {
            self.told.push((
                *at,
                format!("node.{}.flow: \"{flow}\" calls itself by this way, without an end; lead back with \"@name\" instead", node.name),
            ));
            return None;
        }
        if path.len() >= DEPTH_MAX {
            self.told
                .push((*at, format!("node.{}.flow: flows are nested deeper than {DEPTH_MAX}", node.name)));
            return None;
        }
        let mut ways = BTreeMap::new();
        for (outcome, to, at) in &node.outs {
            if let Some(to) = self.target(n, to, *at, indices, back) {
                ways.insert(outcome.to_string(), to);
            }
        }
        self.check_ways(called, node, &ways);
        path.push(called);
        let inner = self.set_in(called, &format!("{prefix}{}/", node.name), &ways, ends, path);
        path.pop();
        let start = self.files[called].draft.start.as_ref()?;
        inner?.get(start.0.as_str()).copied()
    }

    /// Every way back has a place to lead to, and every place is led to.
    fn check_ways(&mut self, called: usize, node: &DraftNode, ways: &BTreeMap<String, NodeIx>) {
        let draft = &self.files[called].draft;
        let targets = draft.nodes.iter().flat_map(|node| {
            node.outs.iter().map(|(_, to, _)| to).chain(node.keys.iter().map(|(_, to, _)| to))
        });
        let used: BTreeSet<&str> = targets.filter_map(|to| to.strip_prefix('@')).collect();
        for way in used.iter().filter(|way| !ways.contains_key(**way)) {
            self.told.push((
                node.at,
                format!(
                    "node.{}.returns has no \"{way}\", by which {} comes back; write {way} = with the name of a node",
                    node.name, self.files[called].name
                ),
            ));
        }
        for (way, _, at) in &node.outs {
            if **way != *"error" && !used.contains(&**way) {
                let offer = hint(way, used.iter().copied());
                self.told.push((
                    *at,
                    format!(
                        "node.{}.returns: {} never comes back by \"{way}\"{offer}; take it out, or lead there by \"@{way}\"",
                        node.name, self.files[called].name
                    ),
                ));
            }
        }
    }

    fn target(
        &mut self,
        n: usize,
        to: &str,
        at: At,
        indices: &BTreeMap<String, NodeIx>,
        back: &BTreeMap<String, NodeIx>,
    ) -> Option<NodeIx> {
        if let Some(way) = to.strip_prefix('@') {
            // Alone, or where the caller forgot it (told there): to people.
            return Some(back.get(way).copied().unwrap_or(0));
        }
        if let Some(ix) = indices.get(to) {
            return Some(*ix);
        }
        let names = by_name(&self.files[n].draft);
        if names.contains_key(to) {
            return Some(0); // A subflow of the circle that was told.
        }
        let offer = hint(to, names.keys().copied());
        self.told.push((at, format!("there is no node \"{to}\"{offer}")));
        None
    }
}

fn said(names: &[&str]) -> super::flow::Speech {
    let names: Vec<Arc<str>> = names.iter().map(|name| Arc::from(*name)).collect();
    let parts = names.iter().map(|name| super::book::Part::Clip(Arc::clone(name))).collect();
    super::flow::Speech { names, parts }
}

/// What a walk needs to know of the prompts to decide as it did: whether they can be said.
fn prompts(nodes: &[Node], book: &Book) -> BTreeSet<String> {
    let said = nodes.iter().flat_map(|node| node.kind.speeches());
    said.flat_map(|speech| &speech.names).filter_map(|name| book.kept(name)).collect()
}

/// The entry's text first, then those of its subflows by name.
fn bundle(files: &[File], entry: usize, used: &BTreeSet<usize>, prompts: &BTreeSet<String>) -> String {
    let mut out: String = prompts.iter().map(|line| format!("{PROMPT_MARK}{line}\n")).collect();
    let others = used.iter().filter(|n| **n != entry);
    for n in std::iter::once(&entry).chain(others) {
        let file = &files[*n];
        out.push_str(BUNDLE_MARK);
        out.push_str(&file.name);
        out.push('\n');
        out.push_str(&file.text);
        if !file.text.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}
