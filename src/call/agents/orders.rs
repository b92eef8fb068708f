//! The contract's commands. Each is carried out or refused with a code; none is silent.

use super::desk::Seat;
use super::party::{Role, Who};
use super::seam::{AgentCommand, Device, Forced, FromEngine, Path, Refused, SessionEpoch, Target, ToEngine};
use crate::acd::{self, AgentId};
use crate::base::{CallId, Digit, Personal, Time};
use crate::call::engine::{Effect, Engine};
use crate::call::fact::Fact;
use crate::call::live::Stage;
use crate::media::seam::{Order, RecordingGap};
use crate::sip::seam::PeerId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) type Done = Result<Option<CallId>, Refused>;

/// One press of the panel's button adds this to wrap-up.
const WRAP_STEP: Duration = Duration::from_secs(60);
const DIGITS_MAX: usize = 32;

impl Engine {
    pub(in crate::call) fn agent_input(&mut self, now: Time, input: ToEngine, out: &mut Vec<Effect>) {
        match input {
            ToEngine::Command { agent, re, command } => {
                let result = match self.seat_of(&agent) {
                    Some(id) => self.command(now, id, command, out),
                    None => Err(Refused::NotLoggedIn),
                };
                self.counters.add(match result {
                    Ok(_) => crate::call::counters::Count::AgentCommands,
                    Err(_) => crate::call::counters::Count::AgentCommandsRefused,
                });
                self.desk.words.push(FromEngine::Answer { agent, re, result });
            }
            ToEngine::Snapshot { agent, re } => {
                let wall_ms = self.wall.at(now);
                // Somebody whom the directory does not know yet is offline, and sees the queues.
                let known = self.seat_of(&agent).and_then(|id| self.snapshot(id));
                let snapshot = known.unwrap_or_else(|| self.stranger(&agent));
                self.desk.words.push(FromEngine::Snapshot { agent, re, wall_ms, snapshot });
            }
            ToEngine::Present { agent, present } => {
                if let Some(id) = self.seat_of(&agent) {
                    self.present(now, id, present, out);
                }
            }
            ToEngine::Path { agent, path, relay } => {
                if let Some(id) = self.seat_of(&agent) {
                    self.path_news(now, id, path, relay, out);
                }
            }
            ToEngine::Roster { .. }
            | ToEngine::RosterNotice { .. }
            | ToEngine::RosterGap { .. }
            | ToEngine::HandoverUnsigned { .. }
            | ToEngine::DeadLetter { .. } => {
                self.roster_input(now, input);
            }
            ToEngine::LeaderSessions(sessions) => self.set_sessions(now, sessions, out),
        }
    }

    fn seat_of(&self, name: &str) -> Option<AgentId> {
        AgentId::new(name).filter(|id| self.desk.seats.contains_key(id))
    }

    /// Seats follow the directory; who is on a call keeps his until it is over.
    pub(in crate::call) fn set_agents(&mut self, now: Time) {
        let agents = self.agents_in_force();
        for (spec, known) in agents.iter().zip(&self.config.agents) {
            let seat = || Seat::new(Arc::from(spec.id.as_str()), known.lead);
            let seat = self.desk.seats.entry(spec.id).or_insert_with(seat);
            seat.lead = known.lead;
            seat.queues.clone_from(&spec.queues);
        }
        let known: BTreeSet<AgentId> = agents.iter().map(|spec| spec.id).collect();
        let (away, watching) = (&mut self.desk.away, &mut self.desk.watching);
        self.desk.seats.retain(|id, seat| {
            let stays = known.contains(id) || seat.call.is_some();
            if !stays {
                away.moved(*id, seat.away_until, None);
                watching.set(&seat.name, BTreeSet::new());
            }
            stays
        });
        self.acd_fact(|acd, actions| acd.set_agents(now, agents.iter().cloned(), actions));
        self.follow_roster(now);
    }

    fn present(&mut self, now: Time, agent: AgentId, present: bool, out: &mut Vec<Effect>) {
        let patience = now + self.config.limits.agent_away;
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        seat.present = present;
        seat.page_gone &= !present;
        let before = seat.away_until.take();
        let after = (!present && seat.device.is_some()).then_some(patience);
        seat.away_until = after;
        self.desk.away.moved(agent, before, after);
        let browser = self.desk.seats.get(&agent).is_some_and(|s| s.device == Some(Device::Browser));
        if !present && browser {
            // No page, no ears: an offer would ring in an empty room.
            let gone = acd::Path::Deaf(Arc::from("page_gone"));
            let idle = self.desk.seats.get(&agent).is_some_and(|seat| seat.call.is_none())
                || self.desk.offer_of(agent).is_some();
            if idle {
                let _ = self.acd_fact(|acd, actions| acd.path(now, agent, gone, actions));
            }
        } else if present
            && browser
            && self.desk.seats.get(&agent).is_some_and(|seat| seat.path == Some(Path::Proven))
        {
            let _ = self.acd_fact(|acd, actions| acd.path(now, agent, acd::Path::Proven, actions));
        }
        let _ = out;
    }

    /// His call is over: whoever is no agent any more has no phone, and a page that went away meanwhile is waited for from now.
    pub(super) fn gone_meanwhile(&mut self, now: Time, agent: AgentId) {
        let patience = now + self.config.limits.agent_away;
        let known = self.acd.agent_view(agent).is_some();
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
        if !known {
            seat.device = None;
        } else if seat.page_gone && seat.device.is_some() && seat.away_until.is_none() {
            seat.away_until = Some(patience);
            self.desk.away.moved(agent, None, Some(patience));
        }
    }

    /// The page has been away for too long: whoever is idle is logged out.
    pub(super) fn agents_away(&mut self, now: Time) {
        while let Some(agent) = self.desk.away.due(now) {
            let Some(seat) = self.desk.seats.get_mut(&agent) else { return };
            let before = seat.away_until.take();
            self.desk.away.moved(agent, before, None);
            seat.page_gone = true;
            if seat.call.is_none()
                && self.acd_fact(|acd, actions| acd.logout(now, agent, actions)).is_ok()
                && let Some(seat) = self.desk.seats.get_mut(&agent)
            {
                seat.device = None;
            }
        }
    }

    fn command(&mut self, now: Time, agent: AgentId, command: AgentCommand, out: &mut Vec<Effect>) -> Done {
        let logged_in = self.desk.seats.get(&agent).is_some_and(|seat| seat.device.is_some());
        let free = matches!(command, AgentCommand::Login { .. } | AgentCommand::QueueWatch { .. });
        let lead_only = matches!(command, AgentCommand::ForceState { .. });
        if !logged_in && !free && !lead_only {
            return Err(Refused::NotLoggedIn);
        }
        match command {
            AgentCommand::Login { device } => {
                let done = self.log_in(now, agent, device);
                if done.is_ok() && !logged_in {
                    self.came(now, agent, out);
                }
                done
            }
            AgentCommand::Logout => {
                self.acd_fact(|acd, actions| acd.logout(now, agent, actions)).map_err(refused)?;
                self.went(now, agent, out);
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.device = None;
                    let before = seat.away_until.take();
                    self.desk.away.moved(agent, before, None);
                }
                Ok(None)
            }
            AgentCommand::Ready => {
                // Whose desk phone had lost its sound says with it that he hears again.
                if self.desk.seats.get(&agent).is_some_and(|s| matches!(s.device, Some(Device::Phone(_)))) {
                    self.tell_path(now, agent);
                }
                self.acd_fact(|acd, actions| acd.ready(now, agent, actions)).map_err(refused)?;
                Ok(None)
            }
            AgentCommand::NotReady { reason } => {
                self.acd_fact(|acd, actions| acd.not_ready(now, agent, &reason, actions)).map_err(refused)?;
                Ok(None)
            }
            AgentCommand::BreakRequest { reason } => {
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.break_asked = Some(Arc::clone(&reason));
                }
                let asked = self.acd_fact(|acd, actions| acd.break_request(now, agent, &reason, actions));
                if asked.is_err()
                    && let Some(seat) = self.desk.seats.get_mut(&agent)
                {
                    seat.break_asked = None;
                }
                asked.map_err(refused)?;
                Ok(None)
            }
            AgentCommand::BreakWithdraw => {
                self.acd_fact(|acd, actions| acd.break_withdraw(now, agent, actions)).map_err(refused)?;
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.break_asked = None;
                }
                Ok(None)
            }
            AgentCommand::Answer { call } => self.answer_by_hand(now, agent, call, out),
            AgentCommand::Reject { call } => self.reject_by_hand(now, agent, call, out),
            AgentCommand::HangUp { call } => {
                let id = self.his_call(agent, call)?;
                self.hang_up_by_hand(now, agent, id, out);
                Ok(Some(id))
            }
            AgentCommand::Hold { call } => {
                let id = self.his_talk(agent, call)?;
                self.not_asked(agent, id)?;
                if self.is_set_aside(id) {
                    return Err(Refused::WrongState);
                }
                self.set_aside(now, id, true, out);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.by_hand = true;
                }
                Ok(Some(id))
            }
            AgentCommand::Retrieve { call } => {
                let id = self.his_talk(agent, call)?;
                self.not_asked(agent, id)?;
                if !self.is_set_aside(id) {
                    return Err(Refused::WrongState);
                }
                if self.asks(id) {
                    self.end_consult(now, id, out);
                }
                self.turns_back(now, id, out);
                Ok(Some(id))
            }
            AgentCommand::Dtmf { call, digits } => self.dtmf(agent, call, &digits, out),
            AgentCommand::Dial { number, ticket } => self.dial(now, agent, &number, ticket, out),
            AgentCommand::Consult { call, to } => self.consult(now, agent, call, &to, out),
            AgentCommand::Transfer { call, to: Some(to) } => self.blind(now, agent, call, &to, out),
            AgentCommand::Transfer { call, to: None } => self.attended(now, agent, call, out),
            AgentCommand::Conference { call, to } => self.conference(now, agent, call, to.as_ref(), out),
            AgentCommand::Complete { call } => {
                let id = self.his_talk(agent, call)?;
                let other = |p: &super::party::Party| p.up && p.role.is_heard() && p.agent() != Some(agent);
                // Whoever leaves the citizen alone hangs up, and says so.
                if !self.calls.get(&id).is_some_and(|call| call.parties.iter().any(other)) {
                    return Err(Refused::WrongState);
                }
                if self.not_asked(agent, id).is_ok() {
                    self.turns_back(now, id, out);
                }
                self.leaves(now, id, agent, "completed", out);
                Ok(Some(id))
            }
            AgentCommand::WrapUpFinish => {
                self.acd_fact(|acd, actions| acd.wrap_finish(now, agent, actions)).map_err(refused)?;
                Ok(None)
            }
            AgentCommand::WrapUpExtend => {
                self.acd_fact(|acd, actions| acd.wrap_extend(now, agent, WRAP_STEP, actions))
                    .map_err(refused)?;
                Ok(None)
            }
            AgentCommand::RecordingPause { call } => self.pause_recording(now, agent, call, true, out),
            AgentCommand::RecordingResume { call } => self.pause_recording(now, agent, call, false, out),
            AgentCommand::Listen { agent: of } => self.supervise(now, agent, &of, Role::Listen, out),
            AgentCommand::Whisper { agent: of } => self.supervise(now, agent, &of, Role::Whisper, out),
            AgentCommand::Barge { agent: of } => self.supervise(now, agent, &of, Role::Barge, out),
            AgentCommand::TakeOver { agent: of } => self.take_over(now, agent, &of, out),
            AgentCommand::ForceState { agent: of, state } => self.force(now, agent, &of, state, out),
            AgentCommand::AssistRequest { call, note } => {
                let id = self.his_talk(agent, call)?;
                if let Some(seat) = self.desk.seats.get_mut(&agent) {
                    seat.assist = Some(id);
                }
                self.note_on_call(now, id, agent, "assist", &note, out);
                self.alarm(now, "assist", Some(id), Some(agent), &note);
                Ok(Some(id))
            }
            AgentCommand::AssistCancel => {
                let asked = self.desk.seats.get_mut(&agent).and_then(|seat| seat.assist.take());
                let id = asked.ok_or(Refused::WrongState)?;
                self.alarm(now, "assist_over", Some(id), Some(agent), "");
                Ok(Some(id))
            }
            AgentCommand::CrisisRaise { call } => {
                let id = self.his_talk(agent, call)?;
                self.raise_crisis(now, id, agent, out)
            }
            AgentCommand::Mark { call, special } => self.mark(now, agent, call, special, out),
            AgentCommand::QueueWatch { queues } => {
                let known = |name: &Arc<str>| self.config.queues.iter().any(|(queue, _)| queue == name);
                if !queues.iter().all(known) {
                    return Err(Refused::NoSuchTarget);
                }
                for queue in &queues {
                    self.stir(now, queue);
                }
                if let Some(seat) = self.desk.seats.get(&agent) {
                    self.desk.watching.set(&seat.name, queues.into_iter().collect());
                }
                Ok(None)
            }
        }
    }

    fn log_in(&mut self, now: Time, agent: AgentId, device: Device) -> Done {
        if let Device::Phone(name) = &device {
            let known =
                |p: &crate::sip::seam::Peer| p.kind == crate::sip::seam::PeerKind::Phone && *p.name == **name;
            if !self.config.ua.peers.iter().any(known) {
                return Err(Refused::NoSuchTarget);
            }
            // It rings for one of them, and the other would be rung for nothing.
            let other = |(id, seat): (&AgentId, &Seat)| *id != agent && seat.device.as_ref() == Some(&device);
            if self.desk.seats.iter().any(other) {
                return Err(Refused::TargetBusy);
            }
        }
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return Err(Refused::NotLoggedIn) };
        if seat.call.is_some() && seat.device.as_ref() != Some(&device) {
            return Err(Refused::WrongState);
        }
        let back = seat.device.is_none();
        seat.epoch += 1;
        seat.present = true;
        let epoch = SessionEpoch(seat.epoch);
        seat.device = Some(device);
        let before = seat.away_until.take();
        self.desk.away.moved(agent, before, None);
        self.acd_fact(|acd, actions| acd.login(now, agent, epoch.0, actions)).map_err(refused)?;
        self.tell_path(now, agent);
        if back {
            self.as_before(now, agent);
        }
        Ok(None)
    }

    /// What is known of his ears, told to the ACD again: a log-in asks for a proof anew.
    fn tell_path(&mut self, now: Time, agent: AgentId) {
        let Some(seat) = self.desk.seats.get(&agent) else { return };
        let path = match (&seat.device, seat.path) {
            (Some(Device::Phone(name)), _) => match self.phone(name) {
                Some(_) => acd::Path::Proven,
                None => acd::Path::Deaf(Arc::from("phone_away")),
            },
            (Some(Device::Browser), Some(Path::Proven)) => acd::Path::Proven,
            _ => return,
        };
        let _ = self.acd_fact(|acd, actions| acd.path(now, agent, path, actions));
    }

    /// A desk phone's contact came or went.
    pub(in crate::call) fn phone_news(&mut self, now: Time, peer: PeerId, contacts: usize) {
        self.desk.phones.insert(peer, contacts);
        let Some(name) = self.config.ua.peers.get(usize::from(peer.0)).map(|peer| Arc::clone(&peer.name))
        else {
            return;
        };
        let holder = self.desk.seats.iter().find(|(_, seat)| match &seat.device {
            Some(Device::Phone(phone)) => *phone == name,
            _ => false,
        });
        if let Some(agent) = holder.map(|(id, _)| *id) {
            self.tell_path(now, agent);
        }
    }

    /// The call he names, or his only one; whatever he does on it.
    fn his_call(&self, agent: AgentId, named: Option<CallId>) -> Result<CallId, Refused> {
        let his = self.desk.seats.get(&agent).and_then(|seat| seat.call).ok_or(Refused::NoSuchCall)?;
        // What he has not been told of yet is not his.
        if self.desk.offer_of(agent).is_some_and(|(_, open)| !open.told) {
            return Err(Refused::NoSuchCall);
        }
        if named.is_some_and(|named| named != his) { Err(Refused::NoSuchCall) } else { Ok(his) }
    }

    /// The same, where he is among the talkers.
    pub(super) fn his_talk(&self, agent: AgentId, named: Option<CallId>) -> Result<CallId, Refused> {
        let id = self.his_call(agent, named)?;
        let call = self.calls.get(&id).ok_or(Refused::NoSuchCall)?;
        let talks = call.party_of(agent).is_some_and(|party| party.up && party.role.is_heard());
        match (&call.stage, talks) {
            (Stage::Talking { .. }, true) => Ok(id),
            _ => Err(Refused::WrongState),
        }
    }

    /// Setting the citizen aside is for whoever asks, not for whom he asks, nor for those who go on without them.
    pub(super) fn not_asked(&self, agent: AgentId, id: CallId) -> Result<(), Refused> {
        let Some(call) = self.calls.get(&id) else { return Err(Refused::NoSuchCall) };
        let asked = call.party_of(agent).is_some_and(|party| party.consult);
        let asking = call.asking.is_some_and(|asker| asker != agent);
        if asked || asking { Err(Refused::WrongState) } else { Ok(()) }
    }

    /// The citizen hears music, or goes on with others while somebody asks.
    fn is_set_aside(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.aside || call.asking.is_some())
    }

    /// Sound passes between us and the agent, as far as is known: his browser's path is proven, or his phone has registered.
    pub(super) fn has_ears(&self, agent: AgentId) -> bool {
        let Some(seat) = self.desk.seats.get(&agent) else { return false };
        match &seat.device {
            Some(Device::Phone(name)) => self.phone(name).is_some(),
            Some(Device::Browser) => seat.path == Some(Path::Proven) && seat.relay.is_some(),
            None => false,
        }
    }

    fn answer_by_hand(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        out: &mut Vec<Effect>,
    ) -> Done {
        if let Some((offer, open)) = self.desk.offer_of(agent).filter(|(_, open)| open.told) {
            if named.is_some_and(|named| named != open.call) {
                return Err(Refused::NotOffered);
            }
            let phone =
                matches!(self.desk.seats.get(&agent).map(|s| &s.device), Some(Some(Device::Phone(_))));
            if phone && !self.callbacks.contains_key(&open.call) {
                // The handset is the answer.
                return Err(Refused::WrongState);
            }
            self.answer_offer(now, offer).map_err(refused)?;
            return Ok(Some(open.call));
        }
        let ringing = self.desk.seats.get(&agent).and_then(|seat| seat.rung).ok_or(Refused::NotOffered)?;
        if named.is_some_and(|named| named != ringing.call) {
            return Err(Refused::NotOffered);
        }
        self.answer_ring(now, agent, ringing, out)
    }

    fn reject_by_hand(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        out: &mut Vec<Effect>,
    ) -> Done {
        if let Some((offer, open)) = self.desk.offer_of(agent).filter(|(_, open)| open.told) {
            if named.is_some_and(|named| named != open.call) {
                return Err(Refused::NotOffered);
            }
            self.acd_fact(|acd, actions| acd.declined(now, offer, actions)).map_err(refused)?;
            self.offer_over(now, offer, acd::Ending::Declined, out);
            return Ok(Some(open.call));
        }
        let ringing = self.desk.seats.get(&agent).and_then(|seat| seat.rung).ok_or(Refused::NotOffered)?;
        if named.is_some_and(|named| named != ringing.call) {
            return Err(Refused::NotOffered);
        }
        self.not_reached(now, ringing.call, agent, out);
        Ok(Some(ringing.call))
    }

    fn hang_up_by_hand(&mut self, now: Time, agent: AgentId, id: CallId, out: &mut Vec<Effect>) {
        let asks = self.calls.get(&id).is_some_and(|call| call.asking == Some(agent)) && self.asks(id);
        if asks {
            // For whoever asks, hanging up ends the question, not the citizen's call.
            self.end_consult(now, id, out);
        } else if let Some((offer, _)) = self.desk.offer_of(agent) {
            let _ = self.acd_fact(|acd, actions| acd.declined(now, offer, actions));
            self.offer_over(now, offer, acd::Ending::Declined, out);
        } else if self.desk.seats.get(&agent).is_some_and(|seat| seat.rung.is_some()) {
            self.not_reached(now, id, agent, out);
        } else {
            self.leaves(now, id, agent, "hung_up", out);
        }
    }

    fn dtmf(&mut self, agent: AgentId, named: Option<CallId>, digits: &str, out: &mut Vec<Effect>) -> Done {
        let id = self.his_talk(agent, named)?;
        let keys: Option<Box<[Digit]>> = digits.chars().map(Digit::from_char).collect();
        let keys =
            keys.filter(|keys| (1..=DIGITS_MAX).contains(&keys.len())).ok_or(Refused::NumberRefused)?;
        let Some(call) = self.calls.get(&id) else { return Err(Refused::NoSuchCall) };
        // An outside party on the line is the one with the menu; without one it is whoever was dialled.
        let outside = call.parties.iter().find(|party| matches!(party.who, Who::Number(_)) && party.up);
        let leg = outside.map_or(call.leg.id, |party| party.leg.id);
        let worker = call.leg.port.worker;
        out.push(Effect::Media { worker, order: Order::Digits { leg, digits: keys } });
        Ok(Some(id))
    }

    fn pause_recording(
        &mut self,
        now: Time,
        agent: AgentId,
        named: Option<CallId>,
        on: bool,
        out: &mut Vec<Effect>,
    ) -> Done {
        let id = self.his_talk(agent, named)?;
        let Some(call) = self.calls.get_mut(&id) else { return Err(Refused::NoSuchCall) };
        if call.recording.is_none() || call.recording_paused == on {
            return Err(Refused::WrongState);
        }
        call.recording_paused = on;
        let (leg, worker) = (call.leg.id, call.leg.port.worker);
        let why = RecordingGap::Paused;
        out.push(Effect::Media { worker, order: Order::RecordGap { leg, why, on } });
        self.note(now, Fact::RecordingPaused { call: id, on, why: agent.to_string() }, out);
        Ok(Some(id))
    }

    pub(super) fn note_on_call(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        kind: &str,
        note: &str,
        out: &mut Vec<Effect>,
    ) {
        let fact = Fact::CallNoted {
            call: id,
            agent: agent.to_string(),
            kind: kind.to_owned(),
            note: Personal::new(note),
        };
        self.note(now, fact, out);
    }

    fn force(&mut self, now: Time, lead: AgentId, of: &str, state: Forced, out: &mut Vec<Effect>) -> Done {
        let of = self.led(lead, of)?;
        let (works, goes) = (state == Forced::Ready, state == Forced::Offline);
        let state = match state {
            Forced::Ready => acd::Forced::Ready,
            Forced::NotReady { reason } => acd::Forced::NotReady(reason),
            Forced::Offline => acd::Forced::Offline,
        };
        self.acd_fact(|acd, actions| acd.force_state(now, of, state, actions)).map_err(refused)?;
        if works {
            self.let_work(now, of, lead, out);
        }
        if goes && let Some(seat) = self.desk.seats.get_mut(&of) {
            seat.device = None;
            let before = seat.away_until.take();
            self.desk.away.moved(of, before, None);
        }
        Ok(None)
    }

    /// An agent whom this lead may look after.
    pub(super) fn led(&self, lead: AgentId, of: &str) -> Result<AgentId, Refused> {
        if !self.desk.seats.get(&lead).is_some_and(|seat| seat.lead) {
            return Err(Refused::NotAllowed);
        }
        self.seat_of(of).filter(|of| *of != lead).ok_or(Refused::NoSuchTarget)
    }

    /// Where a target is one of our own people.
    pub(super) fn colleague(&self, target: &Target) -> Option<AgentId> {
        match target {
            Target::Agent(name) => self.seat_of(name),
            _ => None,
        }
    }
}

pub(super) fn refused(why: acd::Refused) -> Refused {
    match why {
        acd::Refused::UnknownAgent | acd::Refused::NotLoggedIn | acd::Refused::StaleEpoch => {
            Refused::NotLoggedIn
        }
        acd::Refused::OffShift => Refused::NotOnRoster,
        acd::Refused::NotOffered => Refused::NotOffered,
        acd::Refused::TicketUnfinished => Refused::TicketUnfinished,
        acd::Refused::AtCap | acd::Refused::Full => Refused::Limit,
        acd::Refused::UnknownCall | acd::Refused::NotOnCall => Refused::NoSuchCall,
        acd::Refused::OnCall
        | acd::Refused::NotBound
        | acd::Refused::AlreadyBound
        | acd::Refused::NotInWrapUp
        | acd::Refused::NoBreak
        | acd::Refused::AlreadyAsked
        | acd::Refused::NotACallback => Refused::WrongState,
    }
}
