//! Legs beside the citizen's, and who hears whom.

use crate::acd::AgentId;
use crate::base::{LegId, Time};
use crate::call::live::{Call, Leg};
use crate::media::seam::Member;
use crate::sip::seam::DialogId;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Agent(AgentId),
    /// An outside number as it was dialled.
    Number(Arc<str>),
}

impl Who {
    pub fn name(&self) -> Arc<str> {
        match self {
            Self::Agent(agent) => Arc::from(agent.as_str()),
            Self::Number(number) => Arc::clone(number),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Talk,
    /// Hears all, is heard by nobody.
    Listen,
    /// Hears all, is heard by agents only.
    Whisper,
    /// A lead among the talkers.
    Barge,
}

impl Role {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Talk => "agent",
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
        }
    }
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Talk | Self::Barge)
    }
}

#[derive(Debug)]
pub struct Party {
    pub who: Who,
    pub role: Role,
    pub leg: Leg,
    /// A desk phone's or an outside number's; a browser has none.
    pub dialog: Option<DialogId>,
    /// Answered: among the others.
    pub up: bool,
    /// Set aside while the others talk.
    pub aside: bool,
    /// Asked by an agent while the citizen is set aside.
    pub consult: bool,
    /// It holds us: it may send nothing.
    pub held: bool,
    /// Nothing comes from the agent any more: until then his place is kept for him.
    pub away_until: Option<Time>,
}

impl Party {
    pub fn new(who: Who, role: Role, leg: Leg, dialog: Option<DialogId>, consult: bool) -> Self {
        Self { who, role, leg, dialog, up: false, aside: false, consult, held: false, away_until: None }
    }
    /// On the call, and one whom the citizen hears.
    pub fn speaks(&self) -> bool {
        self.up && self.role.is_heard()
    }
    pub fn agent(&self) -> Option<AgentId> {
        match self.who {
            Who::Agent(agent) => Some(agent),
            Who::Number(_) => None,
        }
    }
    /// What its `PartyJoined` says.
    pub fn label(&self) -> &'static str {
        match (&self.who, self.role) {
            (Who::Number(_), _) => "outside",
            (_, role) => role.label(),
        }
    }
    fn sounds(&self) -> bool {
        self.up && self.leg.open && !self.aside
    }
}

/// A leg of the matrix.
struct Side {
    leg: LegId,
    role: Role,
    agent: bool,
    apart: bool,
}

impl Side {
    /// Listeners hear those who ask and those who go on; a whisper reaches every agent.
    fn reaches(&self, ear: &Self) -> bool {
        match self.role {
            Role::Whisper => ear.agent,
            role => role.is_heard() && (self.apart == ear.apart || !ear.role.is_heard()),
        }
    }
}

impl Call {
    pub fn party_of(&self, agent: AgentId) -> Option<&Party> {
        self.parties.iter().find(|party| party.agent() == Some(agent))
    }
    pub fn party_of_mut(&mut self, agent: AgentId) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.agent() == Some(agent))
    }
    pub fn party_on(&mut self, leg: LegId) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.leg.id == leg)
    }
    /// Somebody the citizen can speak with is on the call, or is being rung for it.
    pub fn is_attended(&self) -> bool {
        self.parties.iter().any(|party| party.role.is_heard())
    }
    /// The same, leaving one out.
    pub fn is_attended_but(&self, agent: AgentId) -> bool {
        self.parties.iter().any(|party| party.role.is_heard() && party.agent() != Some(agent))
    }
    /// Who asks, or is asked: they hear each other and none of those who go on without them.
    fn is_apart(&self, party: &Party) -> bool {
        self.asking.is_some() && (party.consult || party.agent() == self.asking)
    }
    /// Somebody is there and speaks with the citizen while an agent has turned away to ask.
    pub fn has_company(&self) -> bool {
        let there = |party: &&Party| party.speaks() && party.away_until.is_none();
        self.parties.iter().filter(there).any(|party| !self.is_apart(party))
    }
    /// Whoever has the call when this one goes: an agent who is there rather than one who is lost, in the talk rather than asked aside.
    pub fn next_agent(&self, but: Option<AgentId>) -> Option<AgentId> {
        let others = self.parties.iter().filter(|party| party.speaks() && party.agent() != but);
        let order = |party: &&Party| (party.away_until.is_some(), party.consult, party.role != Role::Talk);
        others.filter(|party| party.agent().is_some()).min_by_key(order).and_then(Party::agent)
    }
    /// Who speaks with whom: the citizen first, then the parties in their order. Fewer than two: nobody is bridged.
    pub fn matrix(&self) -> Vec<Member> {
        let mut sides = Vec::with_capacity(self.parties.len() + 1);
        if self.leg.open && !self.aside {
            sides.push(Side { leg: self.leg.id, role: Role::Talk, agent: false, apart: false });
        }
        sides.extend(self.parties.iter().filter(|party| party.sounds()).map(|party| Side {
            leg: party.leg.id,
            role: party.role,
            agent: party.agent().is_some(),
            apart: self.is_apart(party),
        }));
        if sides.len() < 2 {
            return Vec::new();
        }
        let hears = |listener: usize| {
            let mut bits = 0;
            for (n, side) in sides.iter().enumerate() {
                if n != listener && side.reaches(&sides[listener]) {
                    bits |= 1 << n;
                }
            }
            bits
        };
        sides.iter().enumerate().map(|(n, side)| Member { leg: side.leg, hears: hears(n) }).collect()
    }
}
