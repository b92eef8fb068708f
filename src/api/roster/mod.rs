//! The roster: shifts and coverage, requests and their decisions, the sheet for the next shift, required seats.
mod ask;
mod decide;
mod desk;
mod handover;
mod notices;
mod plan;
mod requests;
mod show;
mod sign;
pub mod wire;

pub use ask::{__path_ask, ask};
pub use decide::{__path_decide, decide};
pub use desk::{InForce, RosterDesk, RosterFiles, minute, wall_ms};
pub use handover::{__path_handover, handover};
pub use notices::{__path_add_notice, __path_read_notice, add_notice, read_notice};
pub use plan::{__path_plan, plan};
pub use requests::{__path_requests, requests};
pub use show::{__path_show, show};
pub use sign::{__path_handovers, __path_sign, __path_signed_sheet, handovers, sign, signed_sheet};
pub use sign::{SignedTurn, signed_turns};

use super::input::Fields;
use super::problem::Problem;
use super::state::Api;
use crate::roster::request::{Turn, Wish};
use crate::store::{RosterNotice, RosterRequest};
use jiff::civil::Date;
use wire::{RosterNoticeView, RosterRequestEvent, RosterRequestView, RosterTurn};

/// Takes a date of the query.
fn date_field(fields: &mut Fields, name: &str) -> Result<Option<Date>, Problem> {
    let read = |text: String| text.parse();
    let date = fields.take(name).map(read).transpose();
    date.map_err(|_| Problem::bad_request(format!("{name}: a date such as 2026-11-26")))
}

fn notice_view(api: &Api, notice: RosterNotice) -> RosterNoticeView {
    RosterNoticeView {
        at: api.time(notice.at),
        until: api.time(notice.until),
        id: notice.id,
        by: notice.by,
        text: notice.text,
        read_by: notice.read.into_iter().map(|(who, _)| who).collect(),
    }
}

/// `None`: a row that this version cannot read.
fn view_of(api: &Api, row: &RosterRequest) -> Option<RosterRequestView> {
    let request = desk::request_of(row, &api.parts.zone)?;
    let turn = |turn: &Turn| RosterTurn {
        person: turn.person.to_string(),
        date: turn.date.to_string(),
        shift: turn.shift.to_string(),
    };
    let mut view = RosterRequestView {
        id: row.id.clone(),
        asked_at: api.time(row.asked_at),
        asker: row.asker.clone(),
        other: row.other.clone(),
        kind: String::new(),
        mine: None,
        theirs: None,
        from: None,
        to: None,
        cover: None,
        stage: row.stage.clone(),
        version: row.version,
        events: Vec::new(),
    };
    match &request.wish {
        Wish::Swap { mine, theirs } => {
            view.kind = "swap".to_owned();
            (view.mine, view.theirs) = (Some(turn(mine)), Some(turn(theirs)));
        }
        Wish::Leave { from, to, cover, .. } => {
            view.kind = "leave".to_owned();
            (view.from, view.to) = (Some(from.to_string()), Some(to.to_string()));
            view.cover = cover.as_deref().map(str::to_owned);
        }
    }
    let event = |event: &crate::store::RosterEvent| RosterRequestEvent {
        at: api.time(event.at),
        stage: event.stage.clone(),
        by: event.by.clone(),
        reason: event.why.clone(),
    };
    view.events = row.events.iter().map(event).collect();
    Some(view)
}
