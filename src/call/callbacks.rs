//! Callbacks that are still promised, folded from the facts: the engine has the same ones in line, and a start takes them from here.

use super::fact::Fact;
use crate::acd::Needs;
use crate::base::{CallId, Personal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A promise that a start finds in the journal. The number is with the request's own fact, sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenCallback {
    /// Position of the request.
    pub seq: u64,
    /// Wall time of the citizen's entry into line; zero: it was not written.
    pub entered_ms: i64,
    pub priority: u8,
    /// Tries that have begun.
    pub tries: u8,
    /// Wall time before which he is not dialled again.
    pub next_ms: i64,
    /// A try has begun and no end of it was told.
    pub dialled: bool,
    /// The queue it was moved to; `None`: it is in the one it was asked for.
    pub queue: Option<String>,
}

/// The open callbacks of one journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackFold(pub BTreeMap<CallId, OpenCallback>);

impl CallbackFold {
    pub fn fold(&mut self, seq: u64, fact: &Fact) {
        match fact {
            Fact::CallbackRequested { call, priority, entered_ms, .. } => {
                let open = OpenCallback {
                    seq,
                    entered_ms: *entered_ms,
                    priority: *priority,
                    ..OpenCallback::default()
                };
                self.0.insert(*call, open);
            }
            Fact::CallbackTried { call, nth, .. } => self.change(*call, |open| {
                (open.tries, open.dialled) = (*nth, true);
            }),
            Fact::CallbackTryEnded { call, next_ms, .. } => self.change(*call, |open| {
                (open.next_ms, open.dialled) = (*next_ms, false);
            }),
            Fact::CallbackMoved { call, queue } => {
                self.change(*call, |open| open.queue = Some(queue.clone()))
            }
            Fact::CallbackOver { call, .. } => drop(self.0.remove(call)),
            _ => {}
        }
    }

    fn change(&mut self, call: CallId, change: impl FnOnce(&mut OpenCallback)) {
        if let Some(open) = self.0.get_mut(&call) {
            change(open);
        }
    }
}

/// A promise as it goes back in line after a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoredCallback {
    pub call: CallId,
    pub number: Personal,
    pub queue: Arc<str>,
    pub needs: Needs,
    /// The ticket's number and look-up code, where they were drawn with the request.
    pub ticket: Option<(Arc<str>, Arc<str>)>,
    /// Wall time of the request.
    pub asked_ms: i64,
    pub open: OpenCallback,
}
