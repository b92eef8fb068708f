//! Pushes on the wire.

use crate::api::state::Api;
use crate::store::OutboxRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A push to a person or a machine. Nothing in it tells who the person is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutboxItem {
    pub id: String,
    /// `sms mail webhook city`.
    pub kind: &'static str,
    /// `queued held sent dead discarded`; `held`: test mode, it would have been sent.
    pub state: &'static str,
    /// The ticket's id and official number.
    pub ticket: Option<String>,
    pub no: Option<String>,
    /// Which text, or what a machine is told.
    pub subject: String,
    /// The unit's code, or the last four digits of a number; `null` once that is erased.
    pub to: Option<String>,
    /// What is sent; its look-up code is hidden.
    pub text: String,
    pub tries: u32,
    pub created_at: String,
    /// When it is tried next.
    pub due_at: Option<String>,
    /// Later it is not sent any more.
    pub until: Option<String>,
    /// Why the last try failed: `unreachable timeout status_<n> broken no_address bad_address no_sender erased too_late`, or `joined` with the other tickets' of its call.
    pub reason: Option<String>,
    /// The receiver's own number for it.
    pub receipt: Option<String>,
    pub done_at: Option<String>,
    /// Who tried again or gave up last, and why.
    pub by: Option<String>,
    pub by_reason: Option<String>,
}

impl OutboxItem {
    pub fn of(api: &Api, row: OutboxRow) -> Self {
        let waits = row.state == crate::outbox::State::Queued;
        Self {
            id: row.id,
            kind: row.kind.label(),
            state: row.state.label(),
            ticket: row.ticket,
            no: row.no,
            subject: row.subject,
            to: row.to,
            text: row.text,
            tries: row.tries,
            created_at: api.time(row.created_at),
            due_at: waits.then(|| api.time(row.due_at)),
            until: row.until.map(|at| api.time(at)),
            reason: row.reason,
            receipt: row.receipt,
            done_at: row.done_at.map(|at| api.time(at)),
            by: row.by_user,
            by_reason: row.by_reason,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutboxList {
    pub items: Vec<OutboxItem>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboxWish {
    /// Why; for whoever looks at it later.
    pub reason: String,
}
