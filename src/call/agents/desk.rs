//! The seats: who is logged in, with what device, whether sound passes, and what waits for the disk before it is shown.

use super::party::Role;
use super::seam::{self, AgentEvent, Device, FromEngine, LeaderSession};
use super::urging::Urge;
use super::watching::Watching;
use crate::acd::{self, AgentId, OfferId};
use crate::base::{CallId, Deadlines, Time, soonest};
use crate::call::engine::{Effect, Engine};
use crate::call::intents::LastIntent;
use crate::call::live::Stage;
use crate::sip::seam::{Peer, PeerId, PeerKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

#[derive(Debug)]
pub(in crate::call) struct Seat {
    pub name: seam::AgentId,
    pub lead: bool,
    /// Queues he serves.
    pub queues: Vec<Arc<str>>,
    pub device: Option<Device>,
    /// Counts his log-ins: the newest wins.
    pub epoch: u64,
    /// A page of his is connected.
    pub present: bool,
    /// It was waited for in vain while he was on a call.
    pub page_gone: bool,
    pub path: Option<seam::Path>,
    pub relay: Option<SocketAddr>,
    /// The call he is on, rung for, or listens to.
    pub call: Option<CallId>,
    /// What he was last told he is.
    pub state: acd::AgentState,
    pub since_ms: i64,
    /// Ends of wrap-up and of waiting for a page that went away.
    pub wrap_until: Option<Time>,
    pub wrap_call: Option<(CallId, Time)>,
    pub away_until: Option<Time>,
    pub break_asked: Option<Arc<str>>,
    pub rung: Option<Ring>,
    /// The call whose ticket he has not finished.
    pub unfinished: Option<CallId>,
    /// The beginning of the shift whose log-in is written down already.
    pub came_for: Option<i64>,
    /// Until then a path that dies was dead already when the last call came.
    pub fresh_until: Option<Time>,
    /// He has called for help on this call.
    pub assist: Option<CallId>,
    /// The end of the hour in which he has dialled so many numbers.
    pub dials: (Time, u32),
}

impl Seat {
    pub fn new(name: seam::AgentId, lead: bool) -> Self {
        Self {
            name,
            lead,
            queues: Vec::new(),
            device: None,
            epoch: 0,
            present: false,
            page_gone: false,
            path: None,
            relay: None,
            call: None,
            state: acd::AgentState::Offline,
            since_ms: 0,
            wrap_until: None,
            wrap_call: None,
            away_until: None,
            break_asked: None,
            rung: None,
            unfinished: None,
            came_for: None,
            fresh_until: None,
            assist: None,
            dials: (Time::ZERO, 0),
        }
    }
}

/// A colleague's panel or phone rings for a call that came through no queue.
#[derive(Clone, Copy, Debug)]
pub(in crate::call) struct Ring {
    pub call: CallId,
    pub consult: bool,
    pub until: Time,
}

/// An open offer as the panels know it.
#[derive(Clone, Copy, Debug)]
pub(in crate::call) struct Open {
    pub agent: AgentId,
    pub call: CallId,
    pub answer_by: Time,
    pub auto_answer_at: Option<Time>,
    /// The fact that must be on disk before anybody is told.
    pub seq: u64,
    pub told: bool,
}

/// What becomes of something once it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::call) enum Safe {
    Offer(OfferId),
    /// The ticket's number may be shown to who is on the call.
    Number(CallId),
}

#[derive(Debug, Default)]
pub(in crate::call) struct Desk {
    pub seats: BTreeMap<AgentId, Seat>,
    pub offers: BTreeMap<OfferId, Open>,
    /// The same by agent: each has one at most.
    pub offered: BTreeMap<AgentId, OfferId>,
    /// Who is rung for which call that came through no queue.
    pub rings: BTreeMap<CallId, BTreeSet<AgentId>>,
    pub watching: Watching,
    /// Contacts of each desk phone.
    pub phones: BTreeMap<PeerId, usize>,
    pub safe: BTreeSet<(u64, Safe)>,
    pub away: Deadlines<AgentId>,
    /// When colleagues have let it ring for too long.
    pub ringing: Deadlines<AgentId>,
    /// When offers answer themselves.
    pub auto: Deadlines<OfferId>,
    /// Queues whose numbers changed since they were last sent, and when they are sent again.
    pub stirred: BTreeSet<Arc<str>>,
    pub send_stats_at: Option<Time>,
    pub words: Vec<FromEngine>,
    /// Who may be ready by the roster; `None`: it does not bind.
    pub may: Option<BTreeMap<AgentId, seam::Turn>>,
    /// Sessions in which the head of a department takes calls, and the one that is open.
    pub sessions: Vec<Arc<LeaderSession>>,
    pub session: Option<Arc<LeaderSession>>,
    /// Duty numbers that are being tried out.
    pub tests: BTreeSet<CallId>,
    /// Units that are told of an urgent ticket by telephone.
    pub urges: BTreeMap<CallId, Urge>,
    /// Leads have been told that codes are guessed, and hear of it again after this.
    pub guessed_until: Option<Time>,
    /// What those wanted before the start who have not logged in since, and how long that counts.
    pub wanted: BTreeMap<AgentId, LastIntent>,
    pub wanted_until: Time,
}

impl Desk {
    /// The agent's offer, if one is open.
    pub fn offer_of(&self, agent: AgentId) -> Option<(OfferId, Open)> {
        let offer = *self.offered.get(&agent)?;
        Some((offer, *self.offers.get(&offer)?))
    }

    /// Who is rung for this call.
    pub fn rung_for(&self, call: CallId) -> impl Iterator<Item = AgentId> + '_ {
        self.rings.get(&call).into_iter().flatten().copied()
    }

    /// A reload numbers the peers anew: contacts stay with the phone of that name.
    pub fn renumber_phones(&mut self, before: &[Peer], after: &[Peer]) {
        let new = |id: PeerId| {
            let was = before.get(usize::from(id.0))?;
            let at = after.iter().position(|is| is.kind == PeerKind::Phone && is.name == was.name)?;
            u16::try_from(at).ok().map(PeerId)
        };
        let phones = std::mem::take(&mut self.phones);
        self.phones = phones.into_iter().filter_map(|(id, contacts)| Some((new(id)?, contacts))).collect();
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let own = soonest(self.away.soonest(), self.auto.soonest());
        soonest(soonest(own, self.ringing.soonest()), self.send_stats_at)
    }
}

impl Engine {
    pub(in crate::call) fn desk_due(&mut self, now: Time, out: &mut Vec<Effect>) {
        self.agents_away(now);
        self.auto_answers(now);
        self.rings_over(now, out);
        self.send_stats(now);
    }

    /// What waited for the disk and is there now.
    pub(in crate::call) fn desk_safe(&mut self, now: Time, out: &mut Vec<Effect>) {
        while let Some(&(seq, what)) = self.desk.safe.first()
            && seq <= self.durable
        {
            self.desk.safe.pop_first();
            match what {
                Safe::Offer(offer) => self.offer_is_safe(now, offer, out),
                Safe::Number(call) => self.number_is_safe(now, call),
            }
        }
    }

    /// The call is over: everybody beside the citizen goes too.
    pub(in crate::call) fn parties_go(
        &mut self,
        now: Time,
        id: CallId,
        why: &'static str,
        out: &mut Vec<Effect>,
    ) {
        self.forget_safe(id);
        let ringing: Vec<AgentId> = match self.calls.get(&id) {
            Some(call) if matches!(call.stage, Stage::Talking { .. }) => self.desk.rung_for(id).collect(),
            _ => Vec::new(),
        };
        for agent in ringing {
            self.stop_ringing(agent);
            self.drop_party(now, id, agent, "caller_left", out);
            if let Some(seat) = self.desk.seats.get_mut(&agent) {
                seat.call = None;
            }
            let _ = self.acd_fact(|acd, actions| acd.idle(now, agent, actions));
            self.tell(now, agent, AgentEvent::Rescinded { call: id, why: "caller_left" });
        }
        while let Some(party) = self.calls.get(&id).and_then(|call| call.parties.last()) {
            let (agent, role, up) = (party.agent(), party.role, party.up);
            let last = self.calls.get(&id).map_or(0, |call| call.parties.len()).saturating_sub(1);
            if self.drop_party_at(now, id, last, why, out).is_none() {
                return;
            }
            // Whoever dialled is free too when his own phone has not come up yet. A callback's place is not his to give up.
            let dialled = self.calls.get(&id).is_some_and(|c| {
                c.outbound && matches!(c.stage, Stage::Dialing { .. } | Stage::Talking { .. })
            });
            match agent {
                Some(agent) if up => self.freed(now, id, agent, role, why),
                Some(agent) if dialled => {
                    let back = self.calls.get(&id).is_some_and(|call| call.calls_back.is_some());
                    self.freed(now, id, agent, if back { Role::Talk } else { Role::Listen }, why);
                }
                _ => {}
            }
        }
    }

    /// What must hold of the seats after every input.
    pub(in crate::call) fn assert_desk(&self) {
        for (call, rung) in &self.desk.rings {
            let on = |agent| self.desk.seats.get(agent).and_then(|seat| seat.rung).map(|ring| ring.call);
            assert!(!rung.is_empty() && rung.iter().all(|agent| on(agent) == Some(*call)), "rung for {call}");
        }
        let offered = self.desk.offers.iter().map(|(offer, open)| (open.agent, *offer));
        assert_eq!(offered.collect::<BTreeMap<_, _>>(), self.desk.offered, "who is offered a call");
        for (id, seat) in &self.desk.seats {
            let Some(on) = seat.call else {
                assert!(seat.rung.is_none(), "{id} is rung for no call");
                continue;
            };
            assert!(
                seat.rung.is_none_or(|ring| self.desk.rung_for(ring.call).any(|a| a == *id)),
                "{id} is rung"
            );
            let call = self.calls.get(&on);
            assert!(call.is_some() || self.callbacks.contains_key(&on), "{id} is on {on}, which is gone");
            let there = call.is_some_and(|call| call.party_of(*id).is_some());
            let offered = self.desk.offers.values().any(|open| open.agent == *id && open.call == on);
            assert!(there || offered || seat.rung.is_some(), "{id} has no part in {on}");
        }
        for call in self.order.iter().filter_map(|id| self.calls.get(id)) {
            let id = call.id;
            let talking = matches!(call.stage, Stage::Talking { .. } | Stage::Dialing { .. });
            for agent in call.parties.iter().filter_map(|party| party.agent()) {
                let on = self.desk.seats.get(&agent).and_then(|seat| seat.call);
                assert_eq!(on, Some(id), "{agent} has a leg there");
            }
            let up = call.parties.iter().any(|party| party.up);
            assert!(talking || !up, "{id} has parties while {:?}", call.stage);
            assert!(!call.aside || talking, "{id} is set aside by nobody");
            let asker = call.asking.and_then(|asker| call.party_of(asker));
            assert_eq!(call.asking.is_some(), asker.is_some_and(|p| p.up && p.role.is_heard()), "{id} asker");
            let asked = call.parties.iter().any(|party| party.up && party.consult);
            assert!(!asked || asker.is_some(), "{id}: asked by nobody");
        }
        for (offer, open) in &self.desk.offers {
            assert_eq!(self.acd.offer_of(*offer), Some((open.agent, open.call)), "{offer:?}");
            assert_eq!(open.told, !self.desk.safe.contains(&(open.seq, Safe::Offer(*offer))), "{offer:?}");
        }
    }
}
