//! Media legs and phones of agents and outside numbers: leased beside the citizen's, opened, bridged, closed.

use super::desk::Safe;
use super::party::{Party, Role, Who};
use super::seam::{Device, FromEngine};
use crate::acd::AgentId;
use crate::base::{CallId, LegId, Personal, Time};
use crate::call::Limits;
use crate::call::counters::Count;
use crate::call::engine::{Effect, Engine, LEG_CLOSE_LIMIT};
use crate::call::fact::{Fact, PartyJoined};
use crate::call::live::{Closing, Leg};
use crate::call::reach::News;
use crate::call::sip_news::session_of;
use crate::media::seam::{BridgeId, Codec, Order, Session};
use crate::sip::seam::{DialogEnd, DialogId, Direction, LocalMedia, NegotiatedMedia, PeerId, PeerKind};
use rand_chacha::rand_core::Rng;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Everybody on one call, listeners too.
pub(super) const PARTIES_MAX: usize = 10;

impl Engine {
    /// A leg on the citizen's worker: whoever shall hear each other is served by one.
    fn lease_beside(&mut self, id: CallId) -> Option<Leg> {
        let call = self.calls.get(&id)?;
        if call.parties.len() >= PARTIES_MAX {
            self.counters.add(Count::PartyRefused);
            return None;
        }
        let Some(port) = self.ports.lease_on(call.leg.port.worker) else {
            self.counters.add(Count::RefusedNoPort);
            return None;
        };
        let leg = Leg { id: LegId(self.next_leg), port, ssrc: self.rng.next_u32(), open: false };
        self.next_leg += 1;
        Some(leg)
    }

    fn add_party(&mut self, id: CallId, party: Party) {
        self.by_leg.insert(party.leg.id, id);
        if let Some(dialog) = party.dialog {
            self.by_dialog.insert(dialog, id);
        }
        self.touched.push(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.parties.push(party);
        }
    }

    /// Where this end of a leg takes RTP.
    fn address_of(&self, leg: &Leg) -> SocketAddr {
        SocketAddr::new(self.config.media_addr, leg.port.port)
    }

    /// The agent is among the talkers, or listens, with the device he has. False: he cannot be reached.
    pub(super) fn seat_joins(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        role: Role,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(seat) = self.desk.seats.get_mut(&agent) else { return false };
        seat.call = Some(id);
        match seat.device.clone() {
            None => false,
            Some(Device::Phone(name)) => {
                let rung = self.calls.get(&id).is_some_and(|call| call.party_of(agent).is_some());
                if !rung {
                    return self.ring(now, id, agent, &name, role, true);
                }
                self.party_up(now, id, |party| party.agent() == Some(agent), out);
                true
            }
            Some(Device::Browser) => {
                let Some(relay) = seat.relay else { return false };
                let Some(mut leg) = self.lease_beside(id) else { return false };
                leg.open = true;
                let session = Box::new(browser_session(relay));
                let (leg_id, worker) = (leg.id, leg.port.worker);
                let (port, ssrc) = (leg.port.port, leg.ssrc);
                let ours = SocketAddr::new(self.config.media_local, leg.port.port);
                out.push(Effect::Media { worker, order: Order::Open { leg: leg_id, port, ssrc, session } });
                let who = self.who(agent);
                self.add_party(id, Party::new(who, role, leg, None, false));
                if let Some(seat) = self.desk.seats.get(&agent) {
                    let word = FromEngine::Relay { agent: Arc::clone(&seat.name), worker: Some(ours) };
                    self.desk.words.push(word);
                }
                self.party_up(now, id, |party| party.leg.id == leg_id, out);
                true
            }
        }
    }

    /// A desk phone is rung for a call that was offered to its agent.
    pub(super) fn ring_phone(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        name: &Arc<str>,
        auto: bool,
    ) -> bool {
        self.ring(now, id, agent, name, Role::Talk, auto)
    }

    fn ring(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        name: &Arc<str>,
        role: Role,
        auto: bool,
    ) -> bool {
        let Some(peer) = self.phone(name) else { return false };
        let headers = match auto {
            // What the common phones understand: answer at once, hands free.
            true => vec![
                ("Call-Info", "<sip:hotline>;answer-after=0".to_owned()),
                ("Alert-Info", "<http://hotline>;info=alert-autoanswer;delay=0".to_owned()),
            ],
            false => Vec::new(),
        };
        let from = self.calls.get(&id).map(|call| call.number.clone()).filter(|number| is_dialable(number));
        let from = from.unwrap_or_else(|| self.own_number());
        self.invite_party(now, id, peer, name, &from, headers, Who::Agent(agent), role, false)
    }

    /// A phone of that name with a contact.
    pub(super) fn phone(&self, name: &str) -> Option<PeerId> {
        let at = self.config.ua.peers.iter().position(|p| p.kind == PeerKind::Phone && *p.name == *name)?;
        let peer = PeerId(u16::try_from(at).ok()?);
        self.desk.phones.get(&peer).is_some_and(|contacts| *contacts > 0).then_some(peer)
    }

    /// The number that others see when we call: the hotline's own.
    pub(super) fn own_number(&self) -> String {
        self.config.ua.numbers.first().map_or_else(|| "12341".to_owned(), |number| number.to_string())
    }

    #[expect(clippy::too_many_arguments, reason = "one INVITE, each part with its own name")]
    pub(super) fn invite_party(
        &mut self,
        now: Time,
        id: CallId,
        peer: PeerId,
        to: &str,
        from: &str,
        headers: Vec<(&'static str, String)>,
        who: Who,
        role: Role,
        consult: bool,
    ) -> bool {
        let Some(leg) = self.lease_beside(id) else { return false };
        let sdp_session = self.rng.next_u64() >> 2;
        let codecs = self.config.ua.codecs.clone();
        let media = LocalMedia { addr: self.address_of(&leg), codecs, sdp_session };
        let invited = self.sip(|ua, sip| ua.invite(now, peer, to, from, media, &headers, sip));
        match invited {
            Ok(dialog) => {
                self.add_party(id, Party::new(who, role, leg, Some(dialog), consult));
                true
            }
            Err(_) => {
                self.ports.give_back(leg.port.port);
                self.counters.add(Count::PhoneUnreachable);
                false
            }
        }
    }

    /// Offer/answer of a party's dialog: its leg opens, or changes.
    pub(in crate::call) fn party_media(
        &mut self,
        now: Time,
        id: CallId,
        dialog: DialogId,
        media: &NegotiatedMedia,
        out: &mut Vec<Effect>,
    ) {
        let peers = self.config.ua.peers.iter();
        let nets = peers.filter(|peer| peer.kind == PeerKind::Trunk).find(|peer| {
            media.remote.is_some_and(|remote| peer.media_nets.iter().any(|net| net.contains(remote.ip())))
        });
        let nets = nets.map_or_else(|| Arc::from([]), |peer| Arc::clone(&peer.media_nets));
        let limits = &self.config.limits;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.parties.iter_mut().find(|party| party.dialog == Some(dialog)) else { return };
        let session = Box::new(session_of(media, nets));
        let (leg, worker) = (party.leg.id, party.leg.port.worker);
        let held = media.held_by_peer || media.direction == Direction::Inactive;
        let was_held = std::mem::replace(&mut party.held, held);
        let was_open = std::mem::replace(&mut party.leg.open, true);
        if was_open {
            out.push(Effect::Media { worker, order: Order::Update { leg, session } });
        } else {
            let (port, ssrc) = (party.leg.port.port, party.leg.ssrc);
            out.push(Effect::Media { worker, order: Order::Open { leg, port, ssrc, session } });
        }
        if party.up && (!was_open || was_held != held) {
            out.push(watch(limits, party));
        }
        let agent = party.agent().filter(|_| party.up && was_held != held);
        self.rebridge(id, out);
        if let Some(agent) = agent {
            self.phone_holds(now, id, agent, held, out);
        }
    }

    /// A party is on the call from now on.
    pub(super) fn party_up(
        &mut self,
        now: Time,
        id: CallId,
        which: impl Fn(&Party) -> bool,
        out: &mut Vec<Effect>,
    ) {
        let limits = &self.config.limits;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.parties.iter_mut().find(|party| !party.up && which(party)) else { return };
        party.up = true;
        let (leg, worker) = (party.leg.id, party.leg.port.worker);
        let number = match &party.who {
            Who::Number(number) => Personal::new(&**number),
            Who::Agent(_) => Personal::default(),
        };
        let joined = PartyJoined {
            call: id,
            party: leg.0,
            role: party.label().to_owned(),
            agent: party.agent().map(|agent| agent.to_string()).unwrap_or_default(),
            number,
            port: party.leg.port.port,
            worker,
            ssrc: party.leg.ssrc,
        };
        // A phone's leg opens by what was agreed, which is told after its answer.
        if party.leg.open {
            out.push(watch(limits, party));
        }
        self.note(now, Fact::PartyJoined(Box::new(joined)), out);
        self.rebridge(id, out);
    }

    /// Who hears whom, told to the worker as a whole; repeating it changes nothing.
    pub(in crate::call) fn rebridge(&mut self, id: CallId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let members = call.matrix();
        if members.is_empty() && !call.bridged {
            return;
        }
        call.bridged = !members.is_empty();
        let (bridge, worker) = (BridgeId(call.leg.id.0), call.leg.port.worker);
        out.push(Effect::Media { worker, order: Order::Bridge { bridge, members: members.into() } });
    }

    /// The party is gone: its dialog ends, its leg closes. Returns it.
    pub(super) fn drop_party_at(
        &mut self,
        now: Time,
        id: CallId,
        at: usize,
        why: &str,
        out: &mut Vec<Effect>,
    ) -> Option<Party> {
        let call = self.calls.get_mut(&id)?;
        let party = call.parties.remove(at);
        if party.agent().is_some() && party.agent() == call.asking {
            call.asking = None;
        }
        self.touched.push(id);
        self.by_leg.remove(&party.leg.id);
        if let Some(dialog) = party.dialog
            && self.by_dialog.remove(&dialog).is_some()
        {
            let reason = Some(("Q.850", 16, "normal clearing"));
            self.sip(|ua, sip| ua.hang_up(now, dialog, reason, sip));
        }
        if let Some(seat) = party.agent().and_then(|agent| self.desk.seats.get(&agent))
            && party.dialog.is_none()
        {
            let agent = Arc::clone(&seat.name);
            self.desk.words.push(FromEngine::Relay { agent, worker: None });
        }
        if party.up {
            let fact = Fact::PartyLeft { call: id, party: party.leg.id.0, why: why.to_owned() };
            self.note(now, fact, out);
        }
        self.rebridge(id, out);
        if party.leg.open {
            let (leg, worker) = (party.leg.id, party.leg.port.worker);
            out.push(Effect::Media { worker, order: Order::Close { leg } });
            let until = now + LEG_CLOSE_LIMIT;
            self.closing_deadlines.moved(leg, None, Some(until));
            let closing = Closing { call: id, until, ticket: None, arrived_ms: 0, party: true };
            self.closing.insert(leg, closing);
        } else {
            self.ports.give_back(party.leg.port.port);
        }
        Some(party)
    }

    /// The agent's leg on this call goes, if he has one.
    pub(super) fn drop_party(
        &mut self,
        now: Time,
        id: CallId,
        agent: AgentId,
        why: &str,
        out: &mut Vec<Effect>,
    ) -> bool {
        let at = self
            .calls
            .get(&id)
            .and_then(|call| call.parties.iter().position(|party| party.agent() == Some(agent)));
        at.is_some_and(|at| self.drop_party_at(now, id, at, why, out).is_some())
    }

    /// 200 of a phone or outside number that we called.
    pub(in crate::call) fn party_answered(
        &mut self,
        now: Time,
        id: CallId,
        dialog: DialogId,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(party) = call.parties.iter().find(|party| party.dialog == Some(dialog)) else { return };
        let (agent, who) = (party.agent(), party.who.name());
        match agent.and_then(|agent| self.desk.offer_of(agent)) {
            Some((offer, open)) if open.call == id => {
                if self.answer_offer(now, offer).is_err() {
                    self.counters.add(Count::Stale);
                }
            }
            _ if agent.is_some() || self.outsider_answers(now, id, dialog, out) => {
                self.joins(now, id, dialog, agent, &who, out);
            }
            _ => self.counters.add(Count::Stale),
        }
    }

    /// A party's dialog has ended by itself.
    pub(in crate::call) fn party_ended(
        &mut self,
        now: Time,
        id: CallId,
        dialog: DialogId,
        why: DialogEnd,
        out: &mut Vec<Effect>,
    ) {
        self.by_dialog.remove(&dialog);
        let Some(call) = self.calls.get(&id) else { return };
        let Some(at) = call.parties.iter().position(|party| party.dialog == Some(dialog)) else { return };
        let (agent, up) = (call.parties[at].agent(), call.parties[at].up);
        // Whoever dialled, and is the only one there.
        let dials = |agent| call.outbound && call.agent == Some(agent) && !call.is_attended_but(agent);
        let dialling = agent.is_some_and(dials);
        self.took(id, News::PartyGone);
        let offer = agent.and_then(|agent| self.desk.offer_of(agent)).filter(|(_, open)| open.call == id);
        match (agent, offer) {
            (Some(_), Some((offer, _))) => {
                let _ = self.acd_fact(|acd, actions| match why {
                    // Busy here, do not disturb, decline.
                    DialogEnd::Failed { status: 486 | 480 | 600 | 603 } => acd.declined(now, offer, actions),
                    _ => acd.device_failed(now, offer, actions),
                });
                let how = match why {
                    DialogEnd::Failed { status: 486 | 480 | 600 | 603 } => crate::acd::Ending::Declined,
                    _ => crate::acd::Ending::DeviceFailed,
                };
                self.offer_over(now, offer, how, out);
            }
            (Some(agent), None) if up => {
                // A phone that is out of reach has not hung up: in a crisis that is another matter.
                let by_hand = matches!(why, DialogEnd::Bye { .. });
                self.leaves(now, id, agent, if by_hand { "hung_up" } else { "lost" }, out);
            }
            // He has dialled, and his own phone does not come up: nobody is to be rung for nobody.
            (Some(agent), None) if dialling => self.leaves(now, id, agent, "unreachable", out),
            (Some(agent), None) => self.not_reached(now, id, agent, out),
            (None, _) if !up && self.is_connecting(id) => self.not_connected(now, id, at, why, out),
            (None, _) => self.outsider_gone(now, id, at, end_label(why), out),
        }
    }

    /// A leg of a party has fallen silent: nothing comes from an agent's browser or phone.
    pub(in crate::call) fn party_silent(&mut self, now: Time, id: CallId, leg: LegId, out: &mut Vec<Effect>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.party_on(leg) else { return };
        let agent = party.agent();
        self.counters.add(Count::PartySilent);
        self.took(id, News::PartySilent);
        match agent {
            Some(agent) => self.lost(now, id, agent, out),
            None => {
                let at = self.calls.get(&id).and_then(|c| c.parties.iter().position(|p| p.leg.id == leg));
                if let Some(at) = at {
                    self.outsider_gone(now, id, at, "silent", out);
                }
            }
        }
    }

    /// What the desk's tables say of a call that is gone.
    pub(super) fn forget_safe(&mut self, id: CallId) {
        self.desk.safe.retain(|(_, what)| *what != Safe::Number(id));
    }
}

/// How long a party may be silent. A browser sends all the time and is soon missed; telephones may keep quiet while nobody speaks, and
/// are missed as late as a citizen's; whoever holds us never is.
fn watch(limits: &Limits, party: &Party) -> Effect {
    let limit = match party.dialog {
        _ if party.held => Duration::ZERO,
        None => limits.party_silence,
        Some(_) => limits.media_silence,
    };
    let after_ms = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    let (leg, worker) = (party.leg.id, party.leg.port.worker);
    Effect::Media { worker, order: Order::WatchSilence { leg, after_ms } }
}

/// A browser's relay speaks A-law from one address; the stranger's filter is in front of it.
fn browser_session(relay: SocketAddr) -> Session {
    Session {
        remote: Some(relay),
        remote_rtcp: None,
        codec: Codec::Pcma,
        send_pt: 8,
        recv_pt: 8,
        event_pt: None,
        send_event_pt: None,
        may_send: true,
        may_receive: true,
        symmetric: false,
        media_nets: Arc::from([]),
    }
}

fn end_label(why: DialogEnd) -> &'static str {
    match why {
        DialogEnd::Failed { status: 486 | 600 } => "busy",
        DialogEnd::Failed { status: 408 | 480 } => "no_answer",
        DialogEnd::Failed { .. } => "failed",
        _ => "hung_up",
    }
}

pub(super) fn is_dialable(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#')
}
