//! Old numbers that still ring here: who dialled one hears its greeting first, and stands in the line it leads to with its skill.
//!
//! The table is data that the desk tells, whole. Its queue takes the place of the first one the flow names; whoever then chooses
//! another by a key is where he wants to be. Its skill stays with the call, unless nobody in a queue has it.

use super::counters::Count;
use super::engine::{Effect, Engine};
use super::fact::Fact;
use crate::acd::Needs;
use crate::base::{CallId, Personal, Time};
use crate::ivr::seam::Input;
use crate::media::seam::{Order, Piece, PlayId};
use std::sync::Arc;
use std::time::Duration;

/// Rows taken of a table.
pub const MOST: usize = 1_000;
/// The flow begins after this at the latest, should the greeting's end not be told.
const GREETING_MAX: Duration = Duration::from_secs(60);

/// An old number and where it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegacyNumber {
    pub number: Arc<str>,
    pub unit: Option<Arc<str>>,
    pub queue: Option<Arc<str>>,
    pub skill: Option<Arc<str>>,
    /// A prompt's name.
    pub greeting: Option<Arc<str>>,
    /// Wall time at which its last day is over.
    pub until_ms: Option<i64>,
}

/// What it still means to one call.
#[derive(Debug)]
pub(super) struct Way {
    queue: Option<Arc<str>>,
    skill: Option<Arc<str>>,
    greeting: Option<Arc<str>>,
    /// The greeting is heard, until then at most.
    pub greeted_by: Option<Time>,
}

impl Engine {
    pub(super) fn set_legacy(&mut self, table: Vec<LegacyNumber>) {
        self.legacy = table.into_iter().take(MOST).map(|row| (Arc::clone(&row.number), row)).collect();
    }

    /// The number in the request, else the one the call was diverted from.
    pub(super) fn legacy_dialled(
        &mut self,
        now: Time,
        id: CallId,
        called: &str,
        redirected: Option<&str>,
        out: &mut Vec<Effect>,
    ) {
        let row = self.legacy.get(called).or_else(|| self.legacy.get(redirected?)).cloned();
        let Some(row) = row else { return };
        if row.until_ms.is_some_and(|until| until <= self.wall.at(now)) {
            return self.counters.add(Count::LegacyExpired);
        }
        self.counters.add(Count::LegacyCalls);
        let mut set = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), Personal::new(value));
            self.note(now, Fact::ValueSet { call: id, name, value }, out);
        };
        set("dialled", &row.number);
        if let Some(unit) = &row.unit {
            set("dialled_unit", unit);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            let LegacyNumber { queue, skill, greeting, .. } = row;
            call.legacy = Some(Box::new(Way { queue, skill, greeting, greeted_by: None }));
        }
    }

    /// The flow begins, after the old number's greeting where there is one.
    pub(super) fn begin_walk(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        let greeting = self.calls.get_mut(&id).and_then(|call| call.legacy.as_mut()?.greeting.take());
        let Some(clip) = greeting.and_then(|name| self.clip(&name)) else {
            return self.todo.push_back((id, Input::Begin));
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(way) = &mut call.legacy {
            way.greeted_by = Some(now + GREETING_MAX);
        }
        call.play = PlayId(call.play.0.wrapping_add(1));
        let (leg, worker, play) = (call.leg.id, call.leg.port.worker, call.play);
        self.touched.push(id);
        let pieces = Box::from([Piece::Clip(clip)]);
        out.push(Effect::Media { worker, order: Order::Play { leg, play, pieces } });
    }

    /// It was heard, or a key wants the flow at once: the key is no answer to anything yet. False: no greeting is heard.
    pub(super) fn greeting_over(&mut self, id: CallId) -> bool {
        let way = self.calls.get_mut(&id).and_then(|call| call.legacy.as_mut());
        let heard = way.is_some_and(|way| way.greeted_by.take().is_some());
        if heard {
            self.touched.push(id);
            self.todo.push_back((id, Input::Begin));
        }
        heard
    }

    /// Where the flow's queue and skills become the old number's.
    pub(super) fn by_legacy(&mut self, id: CallId, queue: &str, needs: Needs) -> (Arc<str>, Needs) {
        let way = self.calls.get_mut(&id).and_then(|call| call.legacy.as_mut());
        let Some(way) = way else { return (Arc::from(queue), needs) };
        let (first, skill) = (way.queue.take(), way.skill.clone());
        let known = first.filter(|first| self.config.queues.iter().any(|(name, _)| name == first));
        let queue = known.unwrap_or_else(|| Arc::from(queue));
        let own = needs.iter().map(|(skill, level)| (Arc::from(skill), level));
        let with = skill.map(|skill| Needs::new(own.chain([(skill, 1)])));
        let with = with.filter(|with| self.acd.can_serve(&queue, with));
        (queue, with.unwrap_or(needs))
    }
}
