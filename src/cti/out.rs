//! What waits for a page's line: written out only there, by the page's own task.

use super::protocol::{Writer, numbered};
use crate::call::agents::seam::Snapshot;
use std::sync::Arc;

/// One message of the hub to a page.
#[derive(Debug)]
pub enum Out {
    Frame(Arc<str>),
    /// Events one after the other, the first with this number; their texts are shared with other pages.
    Events {
        first: u64,
        texts: Arc<[Arc<str>]>,
    },
    /// With five hundred colleagues a snapshot is long: it is no work for the task that serves all pages.
    Snapshot {
        seq: u64,
        wall_ms: i64,
        snapshot: Box<Snapshot>,
    },
}

impl Out {
    /// Its frames' texts, in order.
    pub fn frames(&self, writer: &Writer) -> impl Iterator<Item = String> {
        let (whole, first, texts) = match self {
            Self::Frame(text) => (Some(text.to_string()), 0, &[][..]),
            Self::Events { first, texts } => (None, *first, &**texts),
            Self::Snapshot { seq, wall_ms, snapshot } => {
                (Some(writer.snapshot(*seq, *wall_ms, snapshot).to_string()), 0, &[][..])
            }
        };
        whole.into_iter().chain((first..).zip(texts).map(|(seq, text)| numbered(seq, text)))
    }
}
