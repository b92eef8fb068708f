//! A flow as a picture: mermaid and dot for whoever lays it out himself, SVG laid out here.
//!
//! Nodes of a subflow stand in a box of their own. Ways that lead to the same node are one arrow with all their outcomes on it.

mod layers;
mod svg;

use super::Flow;
use super::flow::{Kind, Node, NodeIx};
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mermaid,
    Dot,
    Svg,
}

/// The picture as text.
pub fn draw(flow: &Flow, format: Format) -> String {
    let graph = Graph::of(flow);
    match format {
        Format::Mermaid => mermaid(&graph),
        Format::Dot => dot(&graph),
        Format::Svg => svg::draw(&graph),
    }
}

/// What a node is to the caller; decides its colour and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Says,
    Asks,
    Decides,
    People,
    Keeps,
    Ends,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Says => "says",
            Self::Asks => "asks",
            Self::Decides => "decides",
            Self::People => "people",
            Self::Keeps => "keeps",
            Self::Ends => "ends",
        }
    }
    /// Fill and line.
    const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Says => ("#eef4ff", "#5b7fbf"),
            Self::Asks => ("#fff6e0", "#b98a1d"),
            Self::Decides => ("#f3f3f3", "#777777"),
            Self::People => ("#e5f6ea", "#2f8a4e"),
            Self::Keeps => ("#f3ebfb", "#7d55a8"),
            Self::Ends => ("#fbe9e7", "#b5483a"),
        }
    }
}

struct Drawn {
    /// The name in the flow.
    name: String,
    /// The subflow's call it stands in, empty for the flow's own.
    group: String,
    kind: &'static str,
    /// The beginning of what is heard, or what it works on.
    note: String,
    class: Class,
}

struct Arrow {
    from: usize,
    to: usize,
    label: String,
}

struct Graph {
    title: String,
    start: usize,
    nodes: Vec<Drawn>,
    arrows: Vec<Arrow>,
}

impl Graph {
    fn of(flow: &Flow) -> Self {
        // The implied nodes are everybody's and would only make a star of the picture.
        let shown: Vec<NodeIx> =
            (0..flow.nodes.len() as NodeIx).filter(|ix| !flow.node(*ix).implied).collect();
        let place: BTreeMap<NodeIx, usize> = shown.iter().enumerate().map(|(n, ix)| (*ix, n)).collect();
        let nodes = shown.iter().map(|ix| drawn(flow, flow.node(*ix))).collect();
        let mut labels: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
        for (from, ix) in shown.iter().enumerate() {
            let node = flow.node(*ix);
            let keys = node.keys.iter().map(|(key, to)| (key.to_string(), *to));
            let outs = node.outs.iter().map(|out| (out.outcome.to_string(), out.to));
            for (label, to) in keys.chain(outs) {
                if let Some(to) = place.get(&to) {
                    labels.entry((from, *to)).or_default().push(label);
                }
            }
        }
        let arrows = labels
            .into_iter()
            .map(|((from, to), labels)| Arrow { from, to, label: labels.join(" ") })
            .collect();
        let title = format!("{} {}", flow.file(), flow.version());
        Self { title, start: place.get(&flow.start).copied().unwrap_or(0), nodes, arrows }
    }

    /// The calls of subflows, each with its nodes; the flow's own first.
    fn groups(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (n, node) in self.nodes.iter().enumerate() {
            groups.entry(&node.group).or_default().push(n);
        }
        groups
    }
}

fn drawn(flow: &Flow, node: &Node) -> Drawn {
    let (kind, class) = match &node.kind {
        Kind::Play { .. } => ("play", Class::Says),
        Kind::Set { .. } => ("set", Class::Decides),
        Kind::Menu { .. } => ("menu", Class::Asks),
        Kind::Collect(_) => ("collect", Class::Asks),
        Kind::Branch { .. } => ("branch", Class::Decides),
        Kind::Lookup { .. } => ("lookup", Class::Decides),
        Kind::Queue(_) => ("queue", Class::People),
        Kind::Dial { .. } => ("dial", Class::People),
        Kind::Voicemail { .. } => ("voicemail", Class::Keeps),
        Kind::Callback { .. } => ("callback", Class::Keeps),
        Kind::Survey { .. } => ("survey", Class::Asks),
        Kind::Hangup { .. } => ("hangup", Class::Ends),
    };
    let group = node.name.rsplit_once('/').map_or("", |(group, _)| group).to_owned();
    Drawn { name: node.name.to_string(), group, kind, note: shorten(&note(flow, node), 16), class }
}

fn note(flow: &Flow, node: &Node) -> String {
    match &node.kind {
        Kind::Branch { on, .. } => match on {
            super::flow::On::Var(name) => format!("${name}"),
            other => format!("{other:?}").to_lowercase(),
        },
        Kind::Lookup { what, .. } => what.to_string(),
        Kind::Queue(queue) => queue.queue.to_string(),
        Kind::Callback { queue, .. } => queue.to_string(),
        Kind::Set { values } => {
            values.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ")
        }
        kind => {
            let speeches = kind.speeches();
            let names = speeches.first().map(|speech| speech.names.as_slice()).unwrap_or_default();
            let texts: Vec<&str> = names.iter().map(|name| flow.book.text(name)).collect();
            let text = texts.concat();
            if text.is_empty() { names.join(", ") } else { text }
        }
    }
}

/// At most so many characters, the last an ellipsis.
fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TD\n");
    // Writing to a String cannot fail.
    let escape = |text: &str| text.replace('"', "#quot;").replace(['[', ']', '{', '}'], " ");
    let _ = writeln!(out, "  %% {}", graph.title);
    let _ = writeln!(out, "  start([INVITE]) --> n{}", graph.start);
    for (group, nodes) in graph.groups() {
        if !group.is_empty() {
            let _ = writeln!(out, "  subgraph \"{}\"", escape(group));
        }
        for n in nodes {
            let node = &graph.nodes[n];
            let (open, close) = match node.class {
                Class::Decides => ("{{", "}}"),
                Class::Asks => ("[/", "/]"),
                Class::People => ("([", "])"),
                Class::Ends => ("((", "))"),
                Class::Says | Class::Keeps => ("[", "]"),
            };
            let label = format!("{}<br/>{} {}", escape(&node.name), node.kind, escape(&node.note));
            let _ = writeln!(out, "  n{n}{open}\"{}\"{close}:::{}", label.trim_end(), node.class.name());
        }
        if !group.is_empty() {
            out.push_str("  end\n");
        }
    }
    for arrow in &graph.arrows {
        let _ = writeln!(out, "  n{} -->|\"{}\"| n{}", arrow.from, escape(&arrow.label), arrow.to);
    }
    for class in [Class::Says, Class::Asks, Class::Decides, Class::People, Class::Keeps, Class::Ends] {
        let (fill, line) = class.colours();
        let _ = writeln!(out, "  classDef {} fill:{fill},stroke:{line}", class.name());
    }
    out
}

fn dot(graph: &Graph) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from(
        "digraph flow {\n  node [shape=box style=\"rounded,filled\" fontname=\"sans-serif\"];\n",
    );
    let _ = writeln!(out, "  label=\"{}\";", escape(&graph.title));
    let _ = writeln!(out, "  start [label=\"INVITE\" shape=oval];\n  start -> n{};", graph.start);
    for (i, (group, nodes)) in graph.groups().into_iter().enumerate() {
        if !group.is_empty() {
            let _ = writeln!(out, "  subgraph cluster_{i} {{ label=\"{}\";", escape(group));
        }
        for n in nodes {
            let node = &graph.nodes[n];
            let (fill, line) = node.class.colours();
            let label = format!("{}\\n{} {}", escape(&node.name), node.kind, escape(&node.note));
            let _ = writeln!(
                out,
                "  n{n} [label=\"{}\" fillcolor=\"{fill}\" color=\"{line}\"];",
                label.trim_end()
            );
        }
        if !group.is_empty() {
            out.push_str("  }\n");
        }
    }
    for arrow in &graph.arrows {
        let _ = writeln!(out, "  n{} -> n{} [label=\"{}\"];", arrow.from, arrow.to, escape(&arrow.label));
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests;
