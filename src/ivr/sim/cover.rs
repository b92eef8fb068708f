//! Which nodes and outcomes a set of stories has taken, counted where the author wrote them: a node of a subflow is one node,
//! whoever calls it.

use super::Story;
use crate::ivr::Flow;
use crate::ivr::flow::Kind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `(file, node, outcome)`; an empty outcome stands for entering the node.
type Row = (Arc<str>, String, String);

#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeMap<Row, u32>);

impl Coverage {
    /// Adds the rows of a flow and its subflows, not taken yet.
    pub fn expect(&mut self, flow: &Flow) {
        for node in flow.nodes.iter().filter(|node| !node.implied) {
            let (file, own) = (flow.file_of(node), own_name(&node.name));
            let mut row = |outcome: String| {
                self.0.entry((Arc::clone(&file), own.clone(), outcome)).or_default();
            };
            row(String::new());
            node.outs.iter().for_each(|out| row(out.outcome.to_string()));
            node.keys.iter().for_each(|(key, _)| row(key.to_string()));
            if let Kind::Queue(queue) = &node.kind {
                queue.raise.iter().for_each(|(key, _)| row(format!("raise {key}")));
            }
        }
    }

    /// Counts what a story took.
    pub fn add(&mut self, flow: &Flow, story: &Story) {
        let mut at = "";
        for line in &story.lines {
            let (name, outcome) = match &line.event {
                super::Event::Entered(node) => {
                    at = node;
                    (&**node, String::new())
                }
                super::Event::Left { node, outcome } => (&**node, outcome.to_string()),
                super::Event::Raised(priority) => match flow.raised_by(at, *priority) {
                    Some(key) => (at, format!("raise {key}")),
                    None => continue,
                },
                _ => continue,
            };
            let Some(node) = flow.nodes.iter().find(|node| *node.name == *name) else { continue };
            let row = (flow.file_of(node), own_name(name), outcome);
            if let Some(count) = self.0.get_mut(&row) {
                *count += 1;
            }
        }
    }

    /// Rows taken, rows there are.
    pub fn count(&self) -> (usize, usize) {
        (self.0.values().filter(|count| **count > 0).count(), self.0.len())
    }

    /// By file: nodes taken of nodes, outcomes taken of outcomes.
    pub fn by_file(&self) -> BTreeMap<&str, [(usize, usize); 2]> {
        let mut files: BTreeMap<&str, [(usize, usize); 2]> = BTreeMap::new();
        for ((file, _, outcome), count) in &self.0 {
            let (taken, all) = &mut files.entry(&**file).or_default()[usize::from(!outcome.is_empty())];
            *all += 1;
            *taken += usize::from(*count > 0);
        }
        files
    }

    /// Rows never taken, `file: node` or `file: node ─outcome→`.
    pub fn missing(&self) -> Vec<String> {
        let show = |(file, node, outcome): &Row| match outcome.as_str() {
            "" => format!("{file}: {node}"),
            outcome => format!("{file}: {node} ─{outcome}→"),
        };
        self.0.iter().filter(|(_, count)| **count == 0).map(|(row, _)| show(row)).collect()
    }
}

/// `status/ask_no` is `ask_no` of its own file.
fn own_name(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
