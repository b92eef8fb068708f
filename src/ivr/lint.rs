//! What a sound flow keeps to, beyond what its language asks: nobody is lost, nobody goes in circles, nothing is promised that is not there.

use super::book::Part;
use super::flow::{At, Flow, Kind, Node, NodeIx, On, When};
use crate::base::DayKind;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

type Told = Vec<(At, String)>;

/// Everything wrong with a flow whose targets are all known.
pub(super) fn lint(flow: &Flow, takes: &[Arc<str>]) -> Told {
    let mut told = Vec::new();
    let reached = reached(flow);
    unreachable(flow, &reached, &mut told);
    circles(flow, &reached, &mut told);
    bare_ends(flow, &mut told);
    unset_variables(flow, &reached, takes, &mut told);
    for node in flow.nodes.iter().filter(|node| !node.implied) {
        spoken_keys(flow, node, &mut told);
        doubled_keys(node, &mut told);
        hidden_cases(node, &mut told);
        says_nothing(node, &mut told);
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
            told.push((
                node.at,
                format!("node.{}: nothing leads here; lead a way to it, or take it out", node.name),
            ));
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
    let mut edges: Vec<Vec<NodeIx>> = vec![Vec::new(); flow.nodes.len()];
    for ix in reached {
        edges[usize::from(*ix)] = by_itself(flow.node(*ix));
    }
    for mut circle in knots(&edges) {
        circle.sort_unstable();
        let alone = circle.len() == 1 && !edges[usize::from(circle[0])].contains(&circle[0]);
        let Some(first) = circle.iter().copied().find(|ix| !flow.node(*ix).implied).filter(|_| !alone) else {
            continue;
        };
        let way = way_round(first, &circle, &edges);
        let names: Vec<&str> = way.iter().map(|ix| &*flow.node(*ix).name).collect();
        let node = flow.node(first);
        told.push((
            node.at,
            format!(
                "node.{}: goes in a circle without anything the caller does: {}; put a menu, a queue or an end into it",
                node.name,
                names.join(" → ")
            ),
        ));
    }
}

/// One way from a node back to it, inside its knot.
fn way_round(first: NodeIx, knot: &[NodeIx], edges: &[Vec<NodeIx>]) -> Vec<NodeIx> {
    let mut came_from: BTreeMap<NodeIx, NodeIx> = BTreeMap::new();
    let mut todo = VecDeque::from([first]);
    while let Some(at) = todo.pop_front() {
        for to in edges[usize::from(at)].iter().filter(|to| knot.binary_search(to).is_ok()) {
            if *to == first {
                let mut way = vec![first, at];
                while let Some(before) =
                    came_from.get(way.last().unwrap_or(&first)).filter(|_| way.last() != Some(&first))
                {
                    way.push(*before);
                }
                if way.last() != Some(&first) {
                    way.push(first);
                }
                way.reverse();
                return way;
            }
            if !came_from.contains_key(to) {
                came_from.insert(*to, at);
                todo.push_back(*to);
            }
        }
    }
    vec![first]
}

/// Sets of nodes that lead to each other (Tarjan's strongly connected components), without recursion.
fn knots(edges: &[Vec<NodeIx>]) -> Vec<Vec<NodeIx>> {
    const NEW: u32 = u32::MAX;
    let n = edges.len();
    let (mut number, mut low, mut on) = (vec![NEW; n], vec![0_u32; n], vec![false; n]);
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..n {
        if number[root] != NEW {
            continue;
        }
        // A node, and how many of its edges have been followed.
        let mut work = vec![(root, 0_usize)];
        while let Some((at, followed)) = work.pop() {
            if followed == 0 {
                (number[at], low[at], on[at]) = (next, next, true);
                next += 1;
                stack.push(at);
            } else {
                let child = usize::from(edges[at][followed - 1]);
                low[at] = low[at].min(low[child]);
            }
            let mut edge = followed;
            let mut deeper = None;
            while let Some(to) = edges[at].get(edge).map(|to| usize::from(*to)) {
                edge += 1;
                if number[to] == NEW {
                    deeper = Some(to);
                    break;
                }
                if on[to] {
                    low[at] = low[at].min(number[to]);
                }
            }
            if let Some(to) = deeper {
                work.push((at, edge));
                work.push((to, 0));
            } else if low[at] == number[at] {
                let mut knot = Vec::new();
                while let Some(member) = stack.pop() {
                    on[member] = false;
                    knot.push(member as NodeIx);
                    if member == at {
                        break;
                    }
                }
                found.push(knot);
            }
        }
    }
    found
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
                // Waiting in vain is not having been served.
                Kind::Queue(_) => matches!(&*out.outcome, "answered" | "silent"),
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
    &["caller", "caller_tail", "d4", "called", "redirected", "trunk", "ahead", "wait_min", "today", "leader"];

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
fn unset_variables(flow: &Flow, reached: &BTreeSet<NodeIx>, takes: &[Arc<str>], told: &mut Told) {
    // What is surely set on entering each node; `None`: not come to yet.
    let mut sure: BTreeMap<NodeIx, Option<BTreeSet<Arc<str>>>> =
        reached.iter().map(|ix| (*ix, None)).collect();
    sure.insert(flow.start, Some(takes.iter().cloned().collect()));
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
                format!(
                    "node.{}: \"${var}\" is not set on every way that leads here; set it on the others too",
                    node.name
                )
            } else {
                let offer = super::problem::hint(
                    &var,
                    everywhere.iter().map(|name| &**name).chain(GIVEN.iter().copied()),
                );
                format!("node.{}: nothing sets \"${var}\"{offer}", node.name)
            };
            told.push((node.at, what));
        }
        let shown = match &node.kind {
            Kind::Branch { on: On::Var(var), .. } => vec![Arc::clone(var)],
            Kind::Lookup { .. } => Vec::new(),
            _ => reads(node),
        };
        if let Some(var) = shown.iter().find(|var| sensitive.contains(*var)) {
            told.push((
                node.at,
                format!("node.{}: \"${var}\" is sensitive: it may be looked up with, and is not kept for anything else; name it in the args of a lookup", node.name),
            ));
        }
    }
}

/// A menu says its keys, and has the keys it says; a queue has the keys its announcements say, and may have more.
fn spoken_keys(flow: &Flow, node: &Node, told: &mut Told) {
    let own = node.keys.iter().map(|(key, _)| *key);
    let keys: Vec<char> = match &node.kind {
        Kind::Menu { .. } => own.collect(),
        Kind::Survey { answers, .. } => answers.iter().map(|(key, _)| *key).collect(),
        Kind::Queue(queue) => own.chain(queue.raise.iter().map(|(key, _)| *key)).collect(),
        _ => return,
    };
    let speeches = node.kind.speeches();
    // A menu's second speech is about wrong keys, not about its own.
    let speeches = if matches!(node.kind, Kind::Menu { .. }) { &speeches[..1] } else { &speeches[..] };
    let text: String = speeches.iter().map(|speech| written(flow, speech)).collect();
    if flow.book.is_open() || text.is_empty() {
        return;
    }
    let spoken = keys_in(&text);
    let asks = !matches!(node.kind, Kind::Queue(_));
    for key in keys.iter().filter(|key| asks && !spoken.contains(key) && !node.silent.contains(key)) {
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
            format!("node.{}: the prompt offers key {key}, and no such key leads anywhere; lead it somewhere, or take it out of the prompt", node.name),
        ));
    }
}

/// What a speech says, as far as it is written down anywhere.
fn written(flow: &Flow, speech: &super::flow::Speech) -> String {
    let names = speech.names.iter().map(|name| flow.book.text(name));
    let clips = speech.parts.iter().filter_map(|part| match part {
        Part::Clip(name) => flow.book.clip_text(name),
        _ => None,
    });
    names.chain(clips).collect()
}

/// A case that an earlier one has taken already.
fn hidden_cases(node: &Node, told: &mut Told) {
    let Kind::Branch { on, cases } = &node.kind else { return };
    for (n, (name, case)) in cases.iter().enumerate() {
        if let Some((by, _)) = cases[..n].iter().find(|(_, earlier)| covers(earlier, case)) {
            told.push((
                node.at,
                format!("node.{}: case \"{name}\" is never taken, \"{by}\" stands before it; put the narrower one first", node.name),
            ));
        }
    }
    let all_days = [DayKind::Workday, DayKind::Weekend, DayKind::Holiday];
    if *on == On::Day && all_days.iter().all(|day| cases.iter().any(|(_, case)| *case == When::Day(*day))) {
        told.push((
            node.at,
            format!("node.{}: every day has its case, so \"else\" is never taken; leave out the case that leads where it does", node.name),
        ));
    }
}

fn covers(earlier: &When, later: &When) -> bool {
    match (earlier, later) {
        (When::Begins(begin), When::Is(text) | When::Begins(text)) => text.starts_with(&**begin),
        (When::AtLeast(few), When::AtLeast(many)) => few <= many,
        (When::Between(..), When::Between(..)) => {
            (0..24 * 60).all(|minute| !later.has_minute(minute) || earlier.has_minute(minute))
        }
        (earlier, later) => earlier == later,
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
                format!(
                    "node.{}: key {key} both leads away and moves up in the line; let it do one of the two",
                    node.name
                ),
            ));
        }
    }
}

fn says_nothing(node: &Node, told: &mut Told) {
    if let Kind::Play { speech, .. } = &node.kind
        && speech.is_empty()
    {
        told.push((node.at, format!("node.{}: says nothing", node.name)));
    }
}
