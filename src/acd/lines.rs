//! Queues, and in each the lines of callers with the same need of skills.
//!
//! A line knows its callers and its free agents, each in the order in which they are served, so that neither a caller nor an agent
//! ever searches for the other: a caller looks at one line, an agent at the first of each of his.

use super::agent::{Face, Standing};
use super::config::{QueueConfig, Strategy};
use super::estimate::Estimator;
use super::ranks::{Rank, Ranks};
use super::why::Log;
use super::words::{AgentId, Needs};
use crate::base::{CallId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) type LineId = u32;

#[derive(Debug)]
pub(super) struct Queue {
    pub config: QueueConfig,
    /// Everybody in line, those in an open offer too.
    pub ranks: Ranks,
    /// The same people by the moment they came.
    pub arrivals: BTreeSet<(Time, CallId)>,
    /// Callbacks in line or resting between tries.
    pub callbacks: usize,
    pub live: usize,
    pub lines: BTreeMap<Needs, LineId>,
    /// Those of its lines that have places.
    pub busy: BTreeSet<LineId>,
    pub agents: BTreeSet<AgentId>,
    pub counts: Counts,
    pub estimator: Estimator,
}

impl Queue {
    pub fn new(config: QueueConfig) -> Self {
        Self {
            config,
            ranks: Ranks::default(),
            arrivals: BTreeSet::new(),
            callbacks: 0,
            live: 0,
            lines: BTreeMap::new(),
            busy: BTreeSet::new(),
            agents: BTreeSet::new(),
            counts: Counts::default(),
            estimator: Estimator::default(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Line {
    pub queue: Arc<str>,
    pub needs: Needs,
    pub strategy: Strategy,
    /// Callers who are offered to nobody, first served first.
    pub waiting: BTreeSet<Rank>,
    /// Free agents who fit, first chosen first.
    pub idle: BTreeSet<IdleKey>,
    /// Agents who fit.
    pub counts: Counts,
    /// Places that belong here, in whatever state.
    pub places: usize,
    pub log: Log,
    /// Counts the times an agent who fits stopped serving: an estimate may grow after that.
    pub drops: u32,
}

impl Line {
    pub fn new(queue: Arc<str>, needs: Needs, strategy: Strategy) -> Self {
        Self {
            queue,
            needs,
            strategy,
            waiting: BTreeSet::new(),
            idle: BTreeSet::new(),
            counts: Counts::default(),
            places: 0,
            log: Log::default(),
            drops: 0,
        }
    }

    pub fn key(&self, agent: AgentId, level: u16, face: &Face) -> IdleKey {
        let first = match self.strategy {
            Strategy::LongestIdle | Strategy::RingAll { .. } => 0,
            Strategy::FewestCalls => face.handled,
            Strategy::SkillFirst => u64::from(u16::MAX - level),
        };
        IdleKey { first, idle_since: face.idle_since, agent }
    }
}

/// Where an agent stands among the free: by the strategy's own measure, then by longest idle, then by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdleKey {
    /// Calls answered, or levels short of the highest; 0 where only idleness counts.
    pub first: u64,
    pub idle_since: Time,
    pub agent: AgentId,
}

/// How many agents stand how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Counts([u16; Standing::COUNT]);

impl Counts {
    pub fn add(&mut self, standing: Standing) {
        self.0[standing as usize] += 1;
    }
    pub fn sub(&mut self, standing: Standing) {
        self.0[standing as usize] -= 1;
    }
    pub fn of(&self, standing: Standing) -> u16 {
        self.0[standing as usize]
    }
    pub fn staffed(&self) -> u16 {
        use Standing::*;
        [Free, Offered, Talking, Wrapping].into_iter().map(|s| self.of(s)).sum()
    }
    pub fn all(&self) -> u16 {
        self.0.iter().sum()
    }
    /// Logged in, or on a call that outlived the session.
    pub fn present(&self) -> u16 {
        self.all() - self.of(Standing::Absent) - self.of(Standing::Offline)
    }
}
