//! What a sound flow keeps to, beyond what its language asks: nobody is lost, nobody goes in circles, nothing is promised that is not there.

use super::book::Part;
use super::flow::{At, Flow, Kind, Node, NodeIx};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

type Told = Vec<(At, String)>;

/// Everything wrong with a flow whose targets are all known.
pub(super) fn lint(flow: &Flow) -> Told {
    let mut told = Vec::new();
    let reached = reached(flow);
    unreachable(flow, &reached, &mut told);
    circles(flow, &reached, &mut told);
    bare_ends(flow, &mut told);
    unset_variables(flow, &reached, &mut told);
    for node in flow.nodes.iter().filter(|node| !node.implied) {
        spoken_keys(flow, node, &mut told);
        doubled_keys(node, &mut told);
    }
    told
}

fn reached(flow: &Flow) -> BTreeSet<NodeIx> {
    let mut reached = BTreeSet::from([flow.start]);
    let mut todo = VecDeque::from([flow.start]);
    while let Some(ix) = todo.pop_front() {
        for to in flow.node(ix).targets() {
            if reached.insert(to) {
                todo.push_back(to);
            }
        }
    }
    reached
}

fn unreachable(flow: &Flow, reached: &BTreeSet<NodeIx>, told: &mut Told) {
    for (ix, node) in flow.nodes.iter().enumerate() {
        if !node.implied && !reached.contains(&(ix as NodeIx)) {
            told.push((node.at, format!("node.{}: nothing leads here", node.name)));
        }
    }
}

/// Ways on that nobody chose: the caller pressed nothing, said nothing, and did not wait for people.
fn by_itself(node: &Node) -> Vec<NodeIx> {
    let outs = |names: &[&str]| {
        node.outs.iter().filter(|out| names.contains(&&*out.outcome)).map(|out| out.to).collect::<Vec<_>>()
    };
    match &node.kind {
        Kind::Play { .. } | Kind::Set { .. } => outs(&["next"]),
        Kind::Branch { .. } => {
            node.outs.iter().filter(|out| *out.outcome != *"error").map(|out| out.to).collect()
        }
        Kind::Lookup { .. } => outs(&["found", "none", "failed"]),
        Kind::Menu { .. } | Kind::Collect(_) => outs(&["no_input"]),
        Kind::Queue(queue) if queue.no_staff_ms == 0 => outs(&["full", "no_staff"]),
        Kind::Queue(_) => outs(&["full"]),
        Kind::Dial { .. } => outs(&["busy", "no_answer", "failed"]),
        Kind::Voicemail { .. } => outs(&["failed"]),
        Kind::Callback { .. } => outs(&["failed"]),
        Kind::Survey { .. } => outs(&["done"]),
        Kind::Hangup { .. } => Vec::new(),
    }
}

/// A circle of such ways is told once, at its first node in the file.
fn circles(flow: &Flow, reached: &BTreeSet<NodeIx>, told: &mut Told) {
    // Nodes without a way out of the graph of own ways are peeled off from its ends until only circles, and what leads to them, are left;
    // then from its beginnings.
    let edges: BTreeMap<NodeIx, Vec<NodeIx>> =
        reached.iter().map(|ix| (*ix, by_itself(flow.node(*ix)))).collect();
    let mut left: BTreeSet<NodeIx> = reached.clone();
    loop {
        let before = left.len();
        let has_next = |ix: &NodeIx, left: &BTreeSet<NodeIx>| edges[ix].iter().any(|to| left.contains(to));
        let ends: Vec<NodeIx> = left.iter().copied().filter(|ix| !has_next(ix, &left)).collect();
        left.retain(|ix| !ends.contains(ix));
        let entered: BTreeSet<NodeIx> = left.iter().flat_map(|ix| edges[ix].iter().copied()).collect();
        left.retain(|ix| entered.contains(ix));
        if left.len() == before {
            break;
        }
    }
    while let Some(first) = left.iter().copied().find(|ix| !flow.node(*ix).implied) {
        let mut circle = Vec::new();
        let mut at = first;
        while let Some(to) = edges[&at].iter().copied().find(|to| left.contains(to)) {
            left.remove(&to);
            circle.push(to);
            at = to;
        }
        left.remove(&first);
        let names: Vec<&str> = circle.iter().map(|ix| &*flow.node(*ix).name).collect();
        let node = flow.node(first);
        told.push((
            node.at,
            format!(
                "node.{}: goes in a circle without anything the caller does: {}",
                node.name,
                names.join(" → ")
            ),
        ));
    }
}

/// A call ends with a person, a message, a request, an answered question or a goodbye; not in the middle of nothing.
fn bare_ends(flow: &Flow, told: &mut Told) {
    // What has been: nothing worth an end yet, or something.
    let mut seen = BTreeSet::from([(flow.start, false)]);
    let mut todo = VecDeque::from([(flow.start, false)]);
    let mut bare = BTreeSet::new();
    while let Some((ix, kept)) = todo.pop_front() {
        let node = flow.node(ix);
        if let Kind::Hangup { speech, .. } = &node.kind
            && speech.is_empty()
            && !kept
            && !node.implied
        {
            bare.insert(ix);
        }
        let mut go = |to: NodeIx, kept: bool| {
            if seen.insert((to, kept)) {
                todo.push_back((to, kept));
            }
        };
        for out in &node.outs {
            let now = match &node.kind {
                // Said last: a goodbye, or what the caller needs to know.
                Kind::Play { .. } => true,
                Kind::Queue(_) => true,
                Kind::Voicemail { .. } | Kind::Callback { .. } | Kind::Survey { .. } => {
                    *out.outcome == *"done"
                }
                Kind::Dial { .. } => *out.outcome == *"answered",
                Kind::Set { .. } | Kind::Branch { .. } => kept,
                Kind::Menu { .. } | Kind::Collect(_) | Kind::Lookup { .. } | Kind::Hangup { .. } => false,
            };
            go(out.to, now);
        }
        for (_, to) in &node.keys {
            go(*to, false);
        }
    }
    for ix in bare {
        let node = flow.node(ix);
        told.push((
            node.at,
            format!(
                "node.{}: a way leads here without a person, a message or a goodbye; let it say \"goodbye\"",
                node.name
            ),
        ));
    }
}

/// Known of every call before its flow begins, or given while it waits.
const GIVEN: &[&str] =
    &["caller", "caller_tail", "d4", "called", "redirected", "trunk", "ahead", "wait_min", "today"];

fn sets(node: &Node, outcome: &str) -> Vec<Arc<str>> {
    match &node.kind {
        Kind::Set { values } => values.iter().map(|(name, _)| Arc::clone(name)).collect(),
        Kind::Collect(collect) if outcome == "done" => vec![Arc::clone(&collect.var)],
        Kind::Lookup { gives, .. } if outcome == "found" => gives.clone(),
        Kind::Voicemail { .. } | Kind::Callback { .. } if outcome == "done" => {
            vec!["no".into(), "code".into()]
        }
        Kind::Survey { name, .. } => vec![Arc::clone(name)],
        _ => Vec::new(),
    }
}

fn reads(node: &Node) -> Vec<Arc<str>> {
    let mut vars: Vec<Arc<str>> =
        node.kind.speeches().into_iter().flat_map(|speech| speech.vars().cloned()).collect();
    match &node.kind {
        Kind::Set { values } => vars.extend(values.iter().filter_map(|(_, value)| value.var().cloned())),
        Kind::Lookup { args, .. } => vars.extend(args.iter().filter_map(|(_, value)| value.var().cloned())),
        Kind::Callback { number: Some(number), .. } => vars.extend(number.var().cloned()),
        Kind::Dial { to, .. } => vars.extend(to.var().cloned()),
        _ => {}
    }
    vars
}

/// A variable must be set on every way to where it is used; a branch may look at one that is not.
fn unset_variables(flow: &Flow, reached: &BTreeSet<NodeIx>, told: &mut Told) {
    // What is surely set on entering each node; `None`: not come to yet.
    let mut sure: BTreeMap<NodeIx, Option<BTreeSet<Arc<str>>>> =
        reached.iter().map(|ix| (*ix, None)).collect();
    sure.insert(flow.start, Some(BTreeSet::new()));
    let mut todo = VecDeque::from([flow.start]);
    let mut sensitive = BTreeSet::new();
    while let Some(ix) = todo.pop_front() {
        let node = flow.node(ix);
        if let Kind::Collect(collect) = &node.kind
            && collect.sensitive
        {
            sensitive.insert(Arc::clone(&collect.var));
        }
        let here = sure.get(&ix).cloned().flatten().unwrap_or_default();
        let outs = node.outs.iter().map(|out| (out.to, sets(node, &out.outcome)));
        for (to, new) in outs.chain(node.keys.iter().map(|(_, to)| (*to, Vec::new()))) {
            let mut after = here.clone();
            after.extend(new);
            let known = sure.entry(to).or_default();
            let merged = known
                .as_ref()
                .map_or_else(|| after.clone(), |known| known.intersection(&after).cloned().collect());
            if known.as_ref() != Some(&merged) {
                *known = Some(merged);
                todo.push_back(to);
            }
        }
    }
    let everywhere: BTreeSet<Arc<str>> = reached
        .iter()
        .flat_map(|ix| {
            flow.node(*ix).outs.iter().flat_map(|out| sets(flow.node(*ix), &out.outcome)).collect::<Vec<_>>()
        })
        .collect();
    for ix in reached {
        let node = flow.node(*ix);
        let here = sure.get(ix).cloned().flatten().unwrap_or_default();
        for var in reads(node).into_iter().filter(|_| !node.implied) {
            if GIVEN.contains(&&*var) || here.contains(&var) {
                continue;
            }
            let what = if everywhere.contains(&var) {
                format!("node.{}: \"${var}\" is not set on every way that leads here", node.name)
            } else {
                let offer = super::problem::hint(
                    &var,
                    everywhere.iter().map(|name| &**name).chain(GIVEN.iter().copied()),
                );
                format!("node.{}: nothing sets \"${var}\"{offer}", node.name)
            };
            told.push((node.at, what));
        }
        for speech in node.kind.speeches() {
            if let Some(var) = speech.vars().find(|var| sensitive.contains(*var)) {
                told.push((
                    node.at,
                    format!(
                        "node.{}: \"${var}\" is sensitive and would be read aloud into the recording",
                        node.name
                    ),
                ));
            }
        }
    }
}

/// A menu says its keys, and has the keys it says.
fn spoken_keys(flow: &Flow, node: &Node, told: &mut Told) {
    let (speech, keys): (_, Vec<char>) = match &node.kind {
        Kind::Menu { speech, .. } => (speech, node.keys.iter().map(|(key, _)| *key).collect()),
        Kind::Survey { speech, answers, .. } => (speech, answers.iter().map(|(key, _)| *key).collect()),
        _ => return,
    };
    if flow.book.is_open() {
        return;
    }
    let texts: String = speech
        .names
        .iter()
        .map(|name| flow.book.text(name))
        .chain(speech.parts.iter().filter_map(|part| match part {
            Part::Clip(name) => flow.book.clip_text(name),
            _ => None,
        }))
        .collect();
    if texts.is_empty() {
        return;
    }
    let spoken = keys_in(&texts);
    for key in keys.iter().filter(|key| !spoken.contains(key) && !node.silent.contains(key)) {
        told.push((
            node.at,
            format!(
                "node.{}: key {key} works and is never spoken; say it, or list it as silent = [\"{key}\"]",
                node.name
            ),
        ));
    }
    for key in spoken.iter().filter(|key| !keys.contains(key)) {
        told.push((
            node.at,
            format!("node.{}: the prompt offers key {key}, and no such key leads anywhere", node.name),
        ));
    }
}

/// The keys a text offers: 按1, 按一, 按井号, press 9.
fn keys_in(text: &str) -> BTreeSet<char> {
    const READ: &[(&str, char)] = &[
        ("零", '0'),
        ("一", '1'),
        ("幺", '1'),
        ("二", '2'),
        ("三", '3'),
        ("四", '4'),
        ("五", '5'),
        ("六", '6'),
        ("七", '7'),
        ("八", '8'),
        ("九", '9'),
        ("井号", '#'),
        ("星号", '*'),
        ("zero", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
    ];
    let mut keys = BTreeSet::new();
    for mark in ["按", "press "] {
        for (at, _) in text.match_indices(mark) {
            let rest = text[at + mark.len()..].trim_start();
            let first = rest.chars().next();
            if let Some(digit) = first.filter(|c| c.is_ascii_digit() || matches!(c, '#' | '*')) {
                keys.insert(digit);
            } else if let Some((_, key)) = READ.iter().find(|(word, _)| rest.starts_with(word)) {
                keys.insert(*key);
            }
        }
    }
    keys
}

/// A key that leads away and moves up at once, or ends digits it is one of.
fn doubled_keys(node: &Node, told: &mut Told) {
    if let Kind::Queue(queue) = &node.kind {
        for (key, _) in queue.raise.iter().filter(|(key, _)| node.key(*key).is_some()) {
            told.push((
                node.at,
                format!("node.{}: key {key} both leads away and moves up in the line", node.name),
            ));
        }
    }
    if let Kind::Play { speech } = &node.kind
        && speech.is_empty()
        && node.keys.is_empty()
    {
        told.push((node.at, format!("node.{}: says nothing", node.name)));
    }
}
