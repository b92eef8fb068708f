//! Stories, tables and whole days.

mod callbacks;
mod day;
mod dice;
mod faults;
mod month;
mod stories;
mod table;
mod whys;

use super::*;
use std::time::Duration;

pub(super) fn call(n: u64) -> CallId {
    CallId { node: 1, boot: 1, n }
}

pub(super) fn at(s: u64) -> Time {
    Time::from_millis(s * 1_000)
}

pub(super) fn name(text: &str) -> AgentId {
    AgentId::new(text).expect("a short name")
}

pub(super) fn person(id: &str, queues: &[&str], skills: &[(&str, u8)]) -> AgentSpec {
    AgentSpec {
        id: name(id),
        skills: skills.iter().map(|(skill, level)| (Arc::from(*skill), *level)).collect(),
        queues: queues.iter().map(|queue| Arc::from(*queue)).collect(),
        lead: false,
        mobile: None,
    }
}

pub(super) fn needs(skills: &[(&str, u8)]) -> Needs {
    Needs::new(skills.iter().map(|(skill, level)| (Arc::from(*skill), *level)))
}

/// One room and everything it said, with invariants asked after each fact.
pub(super) struct Room {
    pub acd: Acd,
    pub now: Time,
    pub said: Vec<Action>,
}

impl Room {
    pub fn new(queue: QueueConfig, people: &[AgentSpec]) -> Self {
        Self::with(AcdConfig::default(), &[("main", queue)], people)
    }

    pub fn with(config: AcdConfig, queues: &[(&str, QueueConfig)], people: &[AgentSpec]) -> Self {
        let queues: Vec<_> = queues.iter().map(|(name, queue)| (Arc::from(*name), queue.clone())).collect();
        let mut room = Self { acd: Acd::with_config(config, queues), now: Time::ZERO, said: Vec::new() };
        let people = people.to_vec();
        room.tell(|acd, now, out| assert_eq!(acd.set_agents(now, people, out), 0));
        room
    }

    /// Everybody logged in, heard and ready, a second after each other.
    pub fn staffed(mut self) -> Self {
        let ids: Vec<AgentId> = self.acd.agents().collect();
        for id in ids {
            self.work(id);
            self.now = self.now + Duration::from_secs(1);
        }
        self.said.clear();
        self
    }

    pub fn work(&mut self, id: AgentId) {
        self.tell(|acd, now, out| acd.login(now, id, 1, out)).expect("logs in");
        self.tell(|acd, now, out| acd.path(now, id, Path::Proven, out)).expect("is heard");
        self.tell(|acd, now, out| acd.ready(now, id, out)).expect("is ready");
    }

    pub fn tell<R>(&mut self, fact: impl FnOnce(&mut Acd, Time, &mut Vec<Action>) -> R) -> R {
        let result = fact(&mut self.acd, self.now, &mut self.said);
        self.acd.assert_invariants();
        result
    }

    /// Time passes, with everything that falls due.
    pub fn pass(&mut self, s: u64) {
        let until = self.now + Duration::from_secs(s);
        while let Some(due) = self.acd.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.tell(|acd, now, out| acd.handle_timeout(now, out));
        }
        self.now = until;
    }

    pub fn enter(&mut self, enter: Enter) -> Entered {
        self.tell(|acd, now, out| acd.enter(now, enter, out))
    }

    pub fn calls(&mut self, n: u64) -> Entered {
        self.enter(Enter::new(call(n), "main", 0))
    }

    /// Offers made since the last look: who, for whom.
    pub fn offers(&mut self) -> Vec<(OfferId, AgentId, CallId)> {
        let found = self.said.iter().filter_map(|action| match action {
            Action::Offer { offer, agent, call, .. } => Some((*offer, *agent, *call)),
            _ => None,
        });
        let found = found.collect();
        self.said.clear();
        found
    }

    pub fn one_offer(&mut self) -> (OfferId, AgentId, CallId) {
        let offers = self.offers();
        assert_eq!(offers.len(), 1, "{offers:?}");
        offers[0]
    }

    pub fn answer(&mut self, offer: OfferId) {
        self.acd.bound(offer).expect("bound");
        self.tell(|acd, now, out| acd.answered(now, offer, out)).expect("answered");
    }

    /// Bound and then left to ring out.
    pub fn ring_out(&mut self, offer: OfferId) {
        self.acd.bound(offer).expect("bound");
        self.said.clear();
        self.pass(self.acd.config().ring.as_secs());
    }

    pub fn state(&self, id: &str) -> &'static str {
        self.acd.agent_view(name(id)).expect("in the directory").state.code()
    }
}
