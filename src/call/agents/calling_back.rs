//! Callbacks: the citizen has hung up and his place waits in line. An agent takes it first, then the citizen is dialled.
//!
//! ```text
//!   booked ── his call ends ──▶ in line ──▶ offered ──▶ dialled ── answered ──▶ over: reached
//!                                  ▲                       │
//!                                  └── rests, place kept ──┴─ busy, no answer, refused … ── last try ──▶ over: given up
//! ```
//!
//! What is in here and what the facts say is open are the same ([`crate::call::callbacks::CallbackFold`]).

use super::desk::Open;
use super::dialling::Cause;
use super::seam::{AgentEvent, CallCard, CallbackCard, Direction, Refused};
use crate::acd::{AgentId, Ending, Enter, Entered, Kind, Needs, OfferId};
use crate::base::reach::is_emergency;
use crate::base::reach::{NoCall, Reachable};
use crate::base::{CallId, Time};
use crate::call::EndReason;
use crate::call::callbacks::RestoredCallback;
use crate::call::counters::Count;
use crate::call::engine::{Effect, Engine};
use crate::call::fact::Fact;
use crate::call::live::Stage;
use std::sync::Arc;
use std::time::Duration;

/// A promise to call back, by the call in which it was asked for.
#[derive(Clone, Debug)]
pub(in crate::call) struct Callback {
    pub number: String,
    pub queue: Arc<str>,
    pub priority: u8,
    pub needs: Needs,
    /// Wall time of the citizen's entry into line, and of his request.
    pub entered_ms: i64,
    pub asked_ms: i64,
    pub ticket: Option<(Arc<str>, Arc<str>)>,
    /// Tries that have begun.
    pub tries: u8,
    /// The call that dials him now.
    pub dialled: Option<CallId>,
    /// As his ticket says.
    pub reachable: Reachable,
}

impl Engine {
    /// What a caller types, or is shown as, may be anybody's: never an emergency code or ourselves, and only what `[dial]` opens.
    pub(in crate::call) fn may_be_called_back(&self, number: &str) -> bool {
        let ours = self.config.ua.numbers.iter().any(|own| **own == *number);
        !number.is_empty()
            && !ours
            && !is_emergency(number)
            && self.outside(number) != Err(Refused::NumberRefused)
    }

    /// A callback at this number is open, or asked for in a call that goes on. Looks through them all, at most `max_callbacks`, and
    /// through the calls, when one is asked for.
    pub(in crate::call) fn is_promised(&self, number: &str) -> bool {
        let asked = self.order.iter().filter_map(|id| self.calls.get(id)?.callback.as_ref());
        self.callbacks.values().chain(asked).any(|callback| callback.number == *number)
    }

    /// The call in which it was asked for is over: its place goes on without it.
    pub(in crate::call) fn callback_waits(
        &mut self,
        now: Time,
        of: CallId,
        callback: Callback,
        rest_until: Option<Time>,
        restored: bool,
        out: &mut Vec<Effect>,
    ) {
        let number = callback.number.clone();
        let enter = Enter {
            entered: Some(self.wall.moment(callback.entered_ms)),
            kind: Kind::Callback,
            needs: callback.needs.clone(),
            tries: callback.tries,
            rest_until,
            restored,
            ..Enter::new(of, Arc::clone(&callback.queue), callback.priority)
        };
        self.callbacks.insert(of, callback);
        match self.outside(&number) {
            Err(Refused::NumberRefused) => return self.callback_over(now, of, "number_refused", out),
            Err(_) => return self.callback_over(now, of, "no_line", out),
            Ok(_) => {}
        }
        if self.draining {
            // It stays promised: the next start has it in line.
            return;
        }
        let queue = Arc::clone(&enter.queue);
        match self.acd_fact(|acd, said| acd.enter(now, enter, said)) {
            Entered::Waiting { .. } => self.stir(now, &queue),
            Entered::Full => self.callback_over(now, of, "full", out),
            Entered::Unknown => self.callback_over(now, of, "no_queue", out),
        }
    }

    /// The ticket of the call in which it was asked for was saved: whom nobody may call is not called, and nobody too early.
    pub(in crate::call) fn reachable(
        &mut self,
        now: Time,
        of: CallId,
        reachable: Reachable,
        out: &mut Vec<Effect>,
    ) {
        if let Some(call) = self.calls.get_mut(&of) {
            call.reachable = reachable;
            return;
        }
        let Some(callback) = self.callbacks.get_mut(&of) else { return };
        let was = std::mem::replace(&mut callback.reachable, reachable);
        if callback.dialled.is_some() || was == reachable {
            return;
        }
        if !self.callback_is_late(now, of, now, out) && was != Reachable::Always {
            // What he rested for does not hold any more; the gap between two tries does.
            self.callback_rests(now, of, None, out);
        }
    }

    /// At `when` he may not be called: his place rests until he may, or nobody calls at all. False: he may.
    pub(in crate::call) fn callback_is_late(
        &mut self,
        now: Time,
        of: CallId,
        when: Time,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(callback) = self.callbacks.get(&of) else { return false };
        let reachable = callback.reachable;
        let minute = self.minute_of_day(when);
        match (reachable.may_call(minute), reachable.opens_in(minute)) {
            (Ok(()), _) => return false,
            (Err(NoCall::TextOnly), _) | (Err(NoCall::NotNow), None) => {
                self.callback_over(now, of, "text_only", out);
            }
            (Err(NoCall::NotNow), Some(minutes)) => {
                let opens = when + Duration::from_secs(u64::from(minutes) * 60);
                self.callback_rests(now, of, Some(opens), out);
            }
        }
        true
    }

    /// His place in line anew, at rest until then.
    fn callback_rests(&mut self, now: Time, of: CallId, until: Option<Time>, out: &mut Vec<Effect>) {
        self.acd_fact(|acd, said| acd.callback_dropped(now, of, said));
        if let Some(callback) = self.callbacks.remove(&of) {
            self.callback_waits(now, of, callback, until, false, out);
        }
    }

    fn minute_of_day(&self, at: Time) -> u16 {
        let local = jiff::Timestamp::from_millisecond(self.wall.at(at))
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned_datetime(self.config.timezone.clone());
        u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs())
    }

    /// What the journal says is still promised, at a start.
    pub(in crate::call) fn restore_callbacks(
        &mut self,
        now: Time,
        restored: Vec<RestoredCallback>,
        out: &mut Vec<Effect>,
    ) {
        for RestoredCallback { call, number, queue, needs, ticket, asked_ms, open } in restored {
            if self.callbacks.contains_key(&call) {
                continue;
            }
            let lost = number.is_empty();
            let entered_ms = if open.entered_ms > 0 { open.entered_ms } else { asked_ms };
            let callback = Callback {
                number: number.reveal().to_owned(),
                queue,
                priority: open.priority,
                needs,
                entered_ms,
                asked_ms,
                ticket,
                tries: open.tries,
                dialled: None,
                reachable: Reachable::Always,
            };
            if open.dialled {
                let fact = Fact::CallbackTryEnded {
                    call,
                    nth: open.tries,
                    outcome: "cut".to_owned(),
                    next_ms: self.wall.at(now),
                };
                self.note(now, fact, out);
            }
            if lost {
                // Whose record is damaged, or whose key is gone: nobody can call him, and nobody is left to believe that we will.
                self.callbacks.insert(call, callback);
                self.callback_over(now, call, "lost", out);
                continue;
            }
            if usize::from(open.tries) > self.acd.config().callback_gaps.len() {
                self.callbacks.insert(call, callback);
                self.callback_over(now, call, "given_up", out);
                continue;
            }
            let wait_ms = u64::try_from(open.next_ms - self.wall.at(now)).unwrap_or(0);
            let rest = (wait_ms > 0).then(|| now + Duration::from_millis(wait_ms));
            self.callback_waits(now, call, callback, rest, true, out);
        }
    }

    /// It is promised no more. Whoever was not reached by his own doing needs eyes.
    pub(in crate::call) fn callback_over(
        &mut self,
        now: Time,
        of: CallId,
        why: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let Some(callback) = self.callbacks.remove(&of) else { return };
        self.acd_fact(|acd, said| acd.callback_dropped(now, of, said));
        self.note(now, Fact::CallbackOver { call: of, why: why.to_owned() }, out);
        self.stir(now, &callback.queue);
        match why {
            "reached" => self.counters.add(Count::CallbacksReached),
            "withdrawn" => {}
            _ => {
                self.counters.add(Count::CallbacksGivenUp);
                self.alarm(now, "callback_given_up", Some(of), None, why);
            }
        }
    }

    /// The ACD has no place for it any more: the tries are used up, or it took too long.
    pub(super) fn callback_given_up(&mut self, now: Time, of: CallId, out: &mut Vec<Effect>) {
        let tries = self.callbacks.get(&of).map_or(0, |callback| usize::from(callback.tries));
        let spent = tries > self.acd.config().callback_gaps.len();
        self.callback_over(now, of, if spent { "given_up" } else { "too_late" }, out);
    }

    /// He speaks with somebody after all, before his call was over.
    pub(super) fn callback_withdrawn(&mut self, now: Time, id: CallId, out: &mut Vec<Effect>) {
        if self.calls.get_mut(&id).and_then(|call| call.callback.take()).is_some() {
            self.note(now, Fact::CallbackOver { call: id, why: "withdrawn".to_owned() }, out);
        }
    }

    /// SIGTERM: nobody is offered one any more; the next start has them in line.
    pub(in crate::call) fn callbacks_rest(&mut self, now: Time) {
        let waiting: Vec<CallId> =
            self.callbacks.iter().filter(|(_, c)| c.dialled.is_none()).map(|(of, _)| *of).collect();
        for of in waiting {
            self.acd_fact(|acd, said| acd.callback_dropped(now, of, said));
        }
    }

    /// May this callback be offered to anybody now?
    pub(super) fn callback_is_free(&self, of: CallId) -> bool {
        !self.draining && self.callbacks.get(&of).is_some_and(|callback| callback.dialled.is_none())
    }

    /// The agent has taken it: the citizen's phone rings, and with it the agent's, where he has one. Where that cannot be, his panel stops
    /// ringing all the same.
    pub(super) fn call_back(
        &mut self,
        now: Time,
        offer: OfferId,
        agent: AgentId,
        of: CallId,
        out: &mut Vec<Effect>,
    ) {
        self.offer_over(now, offer, Ending::Answered, out);
        if let Some(seat) = self.desk.seats.get_mut(&agent) {
            seat.call = None;
        }
        // His safe time may have ended while he waited.
        if self.callback_is_late(now, of, now, out) {
            return self.tell(now, agent, AgentEvent::Rescinded { call: of, why: "not_now" });
        }
        let Some(callback) = self.callbacks.get_mut(&of) else {
            self.acd_fact(|acd, said| acd.callback_dropped(now, of, said));
            return self.tell(now, agent, AgentEvent::Rescinded { call: of, why: "failed" });
        };
        callback.tries = callback.tries.saturating_add(1);
        let (number, nth) = (callback.number.clone(), callback.tries);
        let ticket = callback.ticket.as_ref().map(|(no, _)| Arc::clone(no));
        self.counters.add(Count::CallbacksTried);
        if self.outside(&number) == Err(Refused::NumberRefused) {
            self.callback_over(now, of, "number_refused", out);
            return self.tell(now, agent, AgentEvent::Rescinded { call: of, why: "failed" });
        }
        let begun = self.next_call;
        let dialled = self.dial_for(now, agent, &number, ticket, Cause::Callback(of), out);
        if let Some(card) = dialled.ok().flatten().and_then(|id| self.card(id, Some(agent))) {
            return self.tell(now, agent, AgentEvent::Answered { card });
        }
        if self.next_call == begun {
            // No call could be begun: the try counts all the same, or it would be tried for ever.
            let fact = Fact::CallbackTried { call: of, nth, agent: agent.to_string(), by: of };
            self.note(now, fact, out);
            self.callback_try_over(now, of, "failed", out);
        }
        self.tell(now, agent, AgentEvent::Rescinded { call: of, why: "failed" });
    }

    /// The call that dials him exists.
    pub(super) fn callback_dialled(
        &mut self,
        now: Time,
        of: CallId,
        agent: AgentId,
        by: CallId,
        out: &mut Vec<Effect>,
    ) {
        let Some(callback) = self.callbacks.get_mut(&of) else { return };
        callback.dialled = Some(by);
        let nth = callback.tries;
        self.note(now, Fact::CallbackTried { call: of, nth, agent: agent.to_string(), by }, out);
    }

    /// Is this call the try of that callback which is still to show what comes of it?
    pub(in crate::call) fn is_tried_by(&self, of: CallId, by: CallId) -> bool {
        self.callbacks.get(&of).is_some_and(|callback| callback.dialled == Some(by))
    }

    /// The citizen has answered and an agent is there: both were needed, in either order.
    pub(super) fn reached(&mut self, now: Time, by: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get(&by).filter(|call| matches!(call.stage, Stage::Talking { .. }))
        else {
            return;
        };
        let Some(of) = call.calls_back.filter(|of| self.is_tried_by(*of, by)) else { return };
        let Some(callback) = self.callbacks.get(&of) else { return };
        let (nth, outcome) = (callback.tries, "answered".to_owned());
        let _ = self.acd_fact(|acd, said| acd.callback_reached(now, of, by, said));
        self.note(now, Fact::CallbackTryEnded { call: of, nth, outcome, next_ms: 0 }, out);
        self.callback_over(now, of, "reached", out);
    }

    /// He was not reached: the agent is free, and the place rests until the next try.
    pub(in crate::call) fn callback_try_over(
        &mut self,
        now: Time,
        of: CallId,
        outcome: &'static str,
        out: &mut Vec<Effect>,
    ) {
        let Some(callback) = self.callbacks.get_mut(&of) else { return };
        callback.dialled = None;
        let nth = callback.tries;
        let queue = Arc::clone(&callback.queue);
        let _ = self.acd_fact(|acd, said| acd.callback_failed(now, of, said));
        let kept = self.acd.callback_tries(of).is_some();
        let next = self.acd.callback_rests_until(of);
        let next_ms = next.map_or(0, |at| self.wall.at(at));
        let fact = Fact::CallbackTryEnded { call: of, nth, outcome: outcome.to_owned(), next_ms };
        self.note(now, fact, out);
        if self.draining {
            self.acd_fact(|acd, said| acd.callback_dropped(now, of, said));
        } else if !kept {
            // It was the last try, or there is no room for its place any more.
            self.callback_over(now, of, "given_up", out);
        } else if let Some(next) = next {
            self.callback_is_late(now, of, next, out);
        }
        self.stir(now, &queue);
    }

    /// What is shown of a callback that is offered: who it is for, what he asked for, and that he is to be asked who he is.
    pub(super) fn callback_card(&self, of: CallId) -> Option<Box<CallCard>> {
        let callback = self.callbacks.get(&of)?;
        Some(Box::new(CallCard {
            call: of,
            direction: Direction::Outbound,
            queue: Some(Arc::clone(&callback.queue)),
            caller: Arc::from(callback.number.as_str()),
            called: Arc::from(self.own_number()),
            ticket_no: callback.ticket.as_ref().map(|(no, _)| Arc::clone(no)),
            ticket_code: None,
            state: "offered",
            arrived_ms: callback.asked_ms,
            queued_ms: Some(callback.entered_ms),
            answered_ms: None,
            path: Vec::new(),
            urgent: false,
            recording_paused: false,
            others: Vec::new(),
            session: None,
            callback: Some(CallbackCard { of, asked_ms: callback.asked_ms, tries: callback.tries }),
        }))
    }

    /// The card of an open offer, whichever kind it is.
    pub(super) fn offer_card(&self, open: &Open) -> Option<Box<CallCard>> {
        self.card(open.call, Some(open.agent)).or_else(|| self.callback_card(open.call))
    }

    /// What is open by what is here: for the comparison with the facts.
    pub(in crate::call) fn open_callbacks(&self) -> Vec<(CallId, u8, bool)> {
        let booked =
            self.order.iter().filter_map(|id| self.calls.get(id)).filter(|call| call.callback.is_some());
        let mut open: Vec<_> = booked.map(|call| (call.id, 0, false)).collect();
        open.extend(self.callbacks.iter().map(|(of, c)| (*of, c.tries, c.dialled.is_some())));
        open.sort_unstable();
        open
    }

    /// What must hold of callbacks after every input.
    pub(in crate::call) fn assert_callbacks(&self) {
        for (of, callback) in &self.callbacks {
            assert!(!self.calls.contains_key(of), "{of} waits for its callback while it is live");
            if let Some(by) = callback.dialled {
                let call = self.calls.get(&by);
                assert_eq!(call.and_then(|call| call.calls_back), Some(*of), "{of} is dialled by nobody");
            } else if !self.draining {
                let served = self.acd.callback_tries(*of);
                assert!(served.is_some(), "{of} is promised and has no place");
            }
        }
    }
}

/// What a try's end is called.
pub(in crate::call) const fn outcome(reason: EndReason) -> &'static str {
    match reason {
        EndReason::CalleeBusy => "busy",
        EndReason::CalleeNoAnswer => "no_answer",
        EndReason::CalleeRefused => "refused",
        EndReason::CalleeUnknown => "wrong",
        EndReason::AgentHungUp | EndReason::ForcedByStaff => "cancelled",
        _ => "failed",
    }
}
