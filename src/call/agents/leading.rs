//! 一把手接听: while a department's session is open, its head is on the line, and a recorder listens and writes.
//!
//! ```text
//!   told ──▶ waits for its time ──▶ open: the head serves QUEUE with the skill leader:<unit>, nobody else does
//!                                     └─ over: everybody is what the directory says, whoever waits there goes on by his flow
//! ```
//!
//! Sessions are data that the desk tells, whole. The head's call is an ordinary one: what is special is who may take it, that the
//! recorder is on it from its first word, and that its ticket is his to write.

use super::orders::Done;
use super::party::Role;
use super::seam::{AgentEvent, LeaderSession, Refused, SessionCard};
use crate::acd::{AgentId, AgentSpec};
use crate::base::{CallId, Personal, Time};
use crate::call::engine::{Effect, Engine};
use crate::call::fact::{Fact, QueueOutcome};
use crate::call::live::Call;
use crate::ivr::seam::QueueNews;
use std::sync::Arc;

/// The queue by which flows reach the head of the session that is open.
pub(in crate::call) const QUEUE: &str = "leader";
/// Sessions kept; the desk tells those of the next days.
const MOST: usize = 100;

/// What a session means to one call.
#[derive(Clone, Debug)]
pub(in crate::call) struct OnSession {
    pub session: Arc<LeaderSession>,
    /// The head has taken it.
    pub taken: bool,
    /// Who writes its ticket in the head's place: the recorder, from the moment he is on the call.
    pub writer: Option<AgentId>,
}

impl Call {
    /// He writes the ticket of this call although another has taken it.
    pub(super) fn is_written_by(&self, agent: AgentId) -> bool {
        self.session.as_ref().and_then(|on| on.writer) == Some(agent)
    }

    /// The ticket is his to finish.
    pub(super) fn ticket_is_of(&self, agent: AgentId) -> bool {
        match self.session.as_ref().and_then(|on| on.writer) {
            Some(writer) => writer == agent,
            None => self.agent == Some(agent),
        }
    }

    pub(super) fn session_card(&self, to: Option<AgentId>) -> Option<SessionCard> {
        let on = self.session.as_ref()?;
        let is = |name: &str| to.is_some_and(|to| to.as_str() == name);
        let part = match on.session.recorder.as_deref() {
            _ if is(&on.session.seat) => "leader",
            Some(recorder) if is(recorder) => "recorder",
            _ => "agent",
        };
        let (id, unit) = (Arc::clone(&on.session.id), Arc::clone(&on.session.unit));
        let recorder = on.writer.map(|writer| Arc::from(writer.as_str()));
        let listens = to.and_then(|to| self.party_of(to)).is_some_and(|party| !party.role.is_heard());
        Some(SessionCard { id, unit, part, listens, recorder })
    }
}

impl Engine {
    pub(super) fn set_sessions(&mut self, now: Time, sessions: Vec<LeaderSession>, out: &mut Vec<Effect>) {
        self.desk.sessions = sessions.into_iter().take(MOST).map(Arc::new).collect();
        self.turn_sessions(now, out);
    }

    /// Opens and closes sessions by the wall clock.
    pub(in crate::call) fn turn_sessions(&mut self, now: Time, out: &mut Vec<Effect>) {
        let wall_ms = self.wall.at(now);
        let open = self.desk.sessions.iter().find(|s| (s.from_ms..s.to_ms).contains(&wall_ms)).cloned();
        if open == self.desk.session {
            return;
        }
        self.desk.session = open;
        self.set_agents(now);
        self.head_is_gone(now, out);
    }

    /// The directory as it is while a session is open: the head serves his line and no other, the recorder none, and nobody else the head's.
    pub(super) fn agents_in_force(&self) -> Vec<AgentSpec> {
        let mut agents = self.config.agents.clone();
        let session = self.desk.session.as_deref();
        for spec in &mut agents {
            spec.queues.retain(|queue| **queue != *QUEUE);
            let Some(session) = session else { continue };
            if spec.id.as_str() == &*session.seat {
                spec.queues = vec![Arc::from(QUEUE)];
                spec.skills.insert(skill(session), 1);
                spec.lead = false;
            } else if session.recorder.as_deref() == Some(spec.id.as_str()) {
                spec.queues.clear();
                spec.lead = false;
            }
        }
        agents
    }

    /// Whoever is in an open session works now, whatever the roster says.
    pub(super) fn in_session(&self, agent: AgentId) -> bool {
        self.desk.session.as_deref().is_some_and(|session| {
            agent.as_str() == &*session.seat || session.recorder.as_deref() == Some(agent.as_str())
        })
    }

    /// The unit whose head takes callers now.
    pub(in crate::call) fn head_on_line(&self) -> Option<Arc<str>> {
        let session = self.desk.session.as_deref()?;
        (self.acd.staff(QUEUE).staffed > 0).then(|| Arc::clone(&session.unit))
    }

    /// A caller asks for the head: the skill he needs. In another line he keeps the place he has by his arrival.
    pub(in crate::call) fn asks_for_head(
        &mut self,
        now: Time,
        id: CallId,
        queue: &str,
        out: &mut Vec<Effect>,
    ) -> Option<Arc<str>> {
        let session = self.desk.session.clone().filter(|_| queue == QUEUE)?;
        let call = self.calls.get_mut(&id)?;
        if call.session.as_ref().is_none_or(|on| on.session.id != session.id) {
            let on = OnSession { session: Arc::clone(&session), taken: false, writer: None };
            call.session = Some(Box::new(on));
            self.note_session(now, id, "leader_asked", &session.id, out);
        }
        Some(skill(&session))
    }

    fn note_session(&mut self, now: Time, id: CallId, kind: &str, session: &str, out: &mut Vec<Effect>) {
        let (agent, kind) = (String::new(), kind.to_owned());
        self.note(now, Fact::CallNoted { call: id, agent, kind, note: Personal::new(session) }, out);
    }

    /// The head takes nobody more: whoever waits for him goes on by his flow, to a person.
    pub(super) fn head_is_gone(&mut self, now: Time, out: &mut Vec<Effect>) {
        if self.acd.staff(QUEUE).staffed > 0 {
            return;
        }
        let waits = |call: &CallId| self.acd.queue_of(*call).is_some_and(|queue| **queue == *QUEUE);
        let waiting: Vec<CallId> = self.acd.calls_waiting().filter(waits).collect();
        for call in waiting {
            // One who is promised a callback there has hung up: his promise stays.
            if self.calls.contains_key(&call) {
                self.acd_fact(|acd, said| acd.leave(now, call, said));
                self.left_queue(now, call, QueueOutcome::TimedOut, QueueNews::TimedOut, out);
            }
        }
    }

    /// The head has the call: the recorder is on it too, heard by nobody.
    pub(super) fn head_answers(&mut self, now: Time, id: CallId, agent: AgentId, out: &mut Vec<Effect>) {
        let Some(on) = self.calls.get_mut(&id).and_then(|call| call.session.as_mut()) else { return };
        // Whoever takes it in the head's place writes his own ticket.
        on.writer = None;
        if *on.session.seat != *agent.as_str() {
            return;
        }
        let (session, again) = (Arc::clone(&on.session), std::mem::replace(&mut on.taken, true));
        if !again {
            self.note_session(now, id, "leader_session", &session.id, out);
        }
        let Some(recorder) = session.recorder.as_deref().and_then(AgentId::new) else { return };
        if !self.recorder_joins(now, id, agent, recorder, out) {
            self.alarm(now, "recorder_missing", Some(id), Some(recorder), "");
        }
    }

    fn recorder_joins(
        &mut self,
        now: Time,
        id: CallId,
        head: AgentId,
        recorder: AgentId,
        out: &mut Vec<Effect>,
    ) -> bool {
        let free = self.desk.seats.get(&recorder).is_some_and(|seat| seat.call.is_none());
        if !free
            || !self.has_ears(recorder)
            || self.acd_fact(|acd, actions| acd.busy(now, recorder, id, actions)).is_err()
        {
            return false;
        }
        if !self.seat_joins(now, id, recorder, Role::Listen, out) {
            if let Some(seat) = self.desk.seats.get_mut(&recorder) {
                seat.call = None;
            }
            let _ = self.acd_fact(|acd, actions| acd.idle(now, recorder, actions));
            return false;
        }
        if let Some(on) = self.calls.get_mut(&id).and_then(|call| call.session.as_mut()) {
            on.writer = Some(recorder);
        }
        let (agent, kind) = (recorder.to_string(), "recorder".to_owned());
        self.note(now, Fact::CallNoted { call: id, agent, kind, note: Personal::default() }, out);
        let by: Arc<str> = Arc::from(recorder.as_str());
        self.tell(now, head, AgentEvent::Monitored { call: id, by, how: Role::Listen.label() });
        if let Some(card) = self.card(id, Some(recorder)) {
            self.tell(now, recorder, AgentEvent::Answered { card });
        }
        true
    }

    /// 转记录员: whoever has listened speaks with the citizen now, and the head is free. `None`: he is not the recorder of this call.
    pub(super) fn hand_to_recorder(
        &mut self,
        now: Time,
        id: CallId,
        from: AgentId,
        to: AgentId,
        out: &mut Vec<Effect>,
    ) -> Option<Done> {
        let call = self.calls.get_mut(&id)?;
        if !call.is_written_by(to) {
            return None;
        }
        let party = call.party_of_mut(to).filter(|party| party.role == Role::Listen)?;
        if !party.up {
            return Some(Err(Refused::TargetBusy));
        }
        party.role = Role::Talk;
        call.agent = Some(to);
        let (agent, kind) = (to.to_string(), "recorder_talks".to_owned());
        self.note(now, Fact::CallNoted { call: id, agent, kind, note: Personal::default() }, out);
        self.set_aside(now, id, false, out);
        self.leaves(now, id, from, "transferred", out);
        self.rebridge(id, out);
        if let Some(card) = self.card(id, Some(to)) {
            self.tell(now, to, AgentEvent::Answered { card });
        }
        Some(Ok(Some(id)))
    }
}

fn skill(session: &LeaderSession) -> Arc<str> {
    Arc::from(format!("leader:{}", session.unit))
}
