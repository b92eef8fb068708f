//! Agents of a day: they answer, ignore, refuse, talk, set aside, ask, hand on, vanish, come back, and a lead looks after them.

use hotline::acd::{AgentId, AgentSpec};
use hotline::base::{CallId, Time};
use hotline::call::agents::seam::{
    AgentCommand, AgentEvent, AgentState, Deafness, Device, FromEngine, Path, Special, Target, ToEngine,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The ports of the agents' relays begin here; callers' are far below.
pub const RELAYS: u16 = 60_000;

pub struct Crew {
    rng: ChaCha8Rng,
    names: Vec<Arc<str>>,
    next_re: u64,
    /// Answers that are still to come.
    asked: BTreeSet<u64>,
    /// Who has which call, by what was told.
    pub talking: BTreeMap<Arc<str>, CallId>,
    offered: BTreeMap<Arc<str>, CallId>,
    pub answered: u64,
    pub refusals: u64,
    pub alarms: u64,
}

pub type Words = Vec<(Duration, ToEngine)>;

impl Crew {
    /// `n` agents and one lead.
    pub fn new(n: usize, seed: u64) -> Self {
        let mut names: Vec<Arc<str>> = (0..n).map(|i| Arc::from(format!("8{:03}", i + 1))).collect();
        names.push("lead".into());
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xa9e7),
            names,
            next_re: 1,
            asked: BTreeSet::new(),
            talking: BTreeMap::new(),
            offered: BTreeMap::new(),
            answered: 0,
            refusals: 0,
            alarms: 0,
        }
    }

    pub fn specs(&self, queues: &[Arc<str>]) -> Vec<AgentSpec> {
        let spec = |name: &Arc<str>| {
            let lead = &**name == "lead";
            let queues = if lead { Vec::new() } else { queues.to_vec() };
            let id = AgentId::new(name).expect("a name");
            AgentSpec { id, skills: BTreeMap::new(), queues, lead, mobile: None }
        };
        self.names.iter().map(spec).collect()
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.next_u64() % below
    }
    fn ms(&mut self, below: u64) -> Duration {
        Duration::from_millis(1 + self.draw(below))
    }

    fn command(&mut self, agent: &Arc<str>, command: AgentCommand) -> ToEngine {
        self.next_re += 1;
        ToEngine::Command { agent: Arc::clone(agent), re: self.next_re, command }
    }

    fn path(&self, agent: &Arc<str>, path: Path) -> ToEngine {
        let n = self.names.iter().position(|name| name == agent).unwrap_or_default();
        let relay = SocketAddr::from(([127, 0, 0, 1], RELAYS + n as u16));
        ToEngine::Path { agent: Arc::clone(agent), path, relay: Some(relay) }
    }

    pub fn size(&self) -> usize {
        self.names.len()
    }

    /// Everybody comes to work.
    pub fn begin(&mut self) -> Words {
        let mut words = Vec::new();
        for agent in self.names.clone() {
            let at = self.ms(60_000);
            words.push((at, self.path(&agent, Path::Proven)));
            words.push((
                at + Duration::from_millis(1),
                self.command(&agent, AgentCommand::Login { device: Device::Browser }),
            ));
            words.push((at + Duration::from_millis(2), self.command(&agent, AgentCommand::Ready)));
            if &*agent == "lead" {
                let queues = vec!["main".into(), "business".into()];
                words.push((
                    at + Duration::from_millis(3),
                    self.command(&agent, AgentCommand::QueueWatch { queues }),
                ));
            }
        }
        words
    }

    pub fn hear(&mut self, _now: Time, word: &FromEngine) -> Words {
        match word {
            FromEngine::Answer { re, result, .. } => {
                assert!(self.asked.remove(re), "an answer nobody waits for, or a second one");
                self.refusals += u64::from(result.is_err());
                Vec::new()
            }
            FromEngine::Event { to, event, .. } => self.event(&Arc::clone(to), event),
            FromEngine::Floor { to, but, event, .. } => {
                let told = to.iter().filter(|who| Some(*who) != but.as_ref());
                told.flat_map(|who| self.event(who, event)).collect()
            }
            FromEngine::Snapshot { .. } | FromEngine::Relay { .. } => Vec::new(),
        }
    }

    /// This command is on its way: an answer must come.
    pub fn says(&mut self, re: u64) {
        self.asked.insert(re);
    }

    /// Every command has been answered.
    pub fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    fn event(&mut self, me: &Arc<str>, event: &AgentEvent) -> Words {
        match event {
            AgentEvent::Offered { card, .. } => {
                let call = card.call;
                assert!(self.offered.insert(Arc::clone(me), call).is_none(), "{me} has two offers");
                self.offer(me, call)
            }
            AgentEvent::Rescinded { call, .. } => {
                if self.offered.get(me) == Some(call) {
                    self.offered.remove(me);
                }
                Vec::new()
            }
            AgentEvent::Answered { card } => {
                self.answered += 1;
                self.offered.remove(me);
                let first = self.talking.insert(Arc::clone(me), card.call) != Some(card.call);
                if first { self.talk(me, card.call) } else { Vec::new() }
            }
            AgentEvent::Ended { call, .. } => {
                if self.talking.get(me) == Some(call) {
                    self.talking.remove(me);
                }
                match self.draw(5) {
                    0 => Vec::new(),
                    4 => {
                        let number = format!("1200000{:04}", self.draw(9_999)).into();
                        let (a, b) = (self.ms(20_000), self.ms(20_000));
                        let mut words = vec![
                            (a, self.command(me, AgentCommand::WrapUpFinish)),
                            (a + b, self.command(me, AgentCommand::Dial { number, ticket: None })),
                        ];
                        // A colleague listens to the ringing too; sometimes the dialling one gives it up.
                        if self.draw(2) == 0 {
                            let (to, soon) = (Some(self.other(me)), self.ms(3_000));
                            words.push((
                                a + b + soon,
                                self.command(me, AgentCommand::Conference { call: None, to }),
                            ));
                        }
                        if self.draw(4) == 0 {
                            let soon = self.ms(10_000);
                            words.push((a + b + soon, self.command(me, AgentCommand::HangUp { call: None })));
                        }
                        words
                    }
                    1 => {
                        let (a, b) = (self.ms(5_000), self.ms(60_000));
                        vec![
                            (a, self.command(me, AgentCommand::WrapUpExtend)),
                            (a + b, self.command(me, AgentCommand::WrapUpFinish)),
                        ]
                    }
                    _ => vec![(self.ms(20_000), self.command(me, AgentCommand::WrapUpFinish))],
                }
            }
            AgentEvent::State { agent, state, .. } if agent == me => match state {
                AgentState::NotResponding | AgentState::NotReady { .. } => {
                    vec![(self.ms(30_000), self.command(me, AgentCommand::Ready))]
                }
                AgentState::Offline => {
                    let at = self.ms(60_000);
                    vec![
                        (at, self.path(me, Path::Proven)),
                        (at, self.command(me, AgentCommand::Login { device: Device::Browser })),
                        (at, self.command(me, AgentCommand::Ready)),
                    ]
                }
                _ => Vec::new(),
            },
            AgentEvent::Alarm { .. } => {
                self.alarms += 1;
                let agents: Vec<_> = self.talking.keys().filter(|agent| *agent != me).cloned().collect();
                if agents.is_empty() {
                    return Vec::new();
                }
                let agent = Arc::clone(&agents[self.draw(agents.len() as u64) as usize]);
                let look = match self.draw(4) {
                    0 => AgentCommand::Listen { agent: Arc::clone(&agent) },
                    1 => AgentCommand::Whisper { agent: Arc::clone(&agent) },
                    2 => AgentCommand::Barge { agent: Arc::clone(&agent) },
                    _ => AgentCommand::TakeOver { agent: Arc::clone(&agent) },
                };
                let (a, b, c) = (self.ms(3_000), self.ms(20_000), self.ms(20_000));
                vec![
                    (a, self.command(me, look)),
                    (a + b, self.command(me, AgentCommand::Barge { agent })),
                    (a + b + c, self.command(me, AgentCommand::HangUp { call: None })),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn offer(&mut self, me: &Arc<str>, call: CallId) -> Words {
        let soon = self.ms(6_000);
        let answer = |crew: &mut Self| crew.command(me, AgentCommand::Answer { call: Some(call) });
        match self.draw(20) {
            0 | 1 => vec![(soon, self.command(me, AgentCommand::Reject { call: Some(call) }))],
            2 => Vec::new(),
            3 => {
                let back = self.ms(40_000);
                vec![
                    (soon, self.path(me, Path::Deaf(Deafness::IceFailed))),
                    (soon + back, self.path(me, Path::Proven)),
                ]
            }
            4 => vec![
                (soon, answer(self)),
                (soon, answer(self)),
                (soon, self.command(me, AgentCommand::HangUp { call: None })),
            ],
            5 => vec![
                (soon, self.command(me, AgentCommand::NotReady { reason: "tea".into() })),
                (2 * soon, answer(self)),
            ],
            6 => {
                let agent = Arc::clone(me);
                vec![
                    (soon, ToEngine::Present { agent: Arc::clone(&agent), present: false }),
                    (soon + self.ms(60_000), ToEngine::Present { agent, present: true }),
                ]
            }
            _ => vec![(soon, answer(self))],
        }
    }

    fn other(&mut self, me: &Arc<str>) -> Target {
        let n = self.draw(self.names.len() as u64) as usize;
        let other = &self.names[n];
        Target::Agent(if other == me { "nobody".into() } else { Arc::clone(other) })
    }

    fn talk(&mut self, me: &Arc<str>, call: CallId) -> Words {
        let call = Some(call);
        let (a, b, c, long) = (self.ms(20_000), self.ms(30_000), self.ms(30_000), self.ms(300_000));
        let hang_up = |crew: &mut Self| crew.command(me, AgentCommand::HangUp { call });
        match self.draw(18) {
            0 => vec![
                (a, self.command(me, AgentCommand::Hold { call })),
                (a + b, self.command(me, AgentCommand::Retrieve { call })),
                (a + b + c, hang_up(self)),
            ],
            1 | 2 => {
                let to = self.other(me);
                let then = match self.draw(4) {
                    0 => AgentCommand::Transfer { call, to: None },
                    1 => AgentCommand::Conference { call, to: None },
                    2 => AgentCommand::Retrieve { call },
                    _ => AgentCommand::HangUp { call },
                };
                vec![
                    (a, self.command(me, AgentCommand::Consult { call, to })),
                    (a + b, self.command(me, then)),
                    (a + b + c, self.command(me, AgentCommand::Complete { call })),
                    (a + b + c + c, hang_up(self)),
                ]
            }
            3 => {
                let to = self.other(me);
                vec![
                    (a, self.command(me, AgentCommand::Transfer { call, to: Some(to) })),
                    (a + b, hang_up(self)),
                ]
            }
            4 => {
                let to = Some(Target::Queue(["main", "english", "nowhere"][self.draw(3) as usize].into()));
                vec![(a, self.command(me, AgentCommand::Transfer { call, to })), (a + b, hang_up(self))]
            }
            5 => {
                let outside = Target::Number(format!("1200000{:04}", self.draw(9_999)).into());
                let to = Some(if self.draw(2) == 0 { outside } else { self.other(me) });
                vec![(a, self.command(me, AgentCommand::Conference { call, to })), (a + long, hang_up(self))]
            }
            6 => {
                let back = self.ms(15_000);
                vec![
                    (a, self.path(me, Path::Deaf(Deafness::NothingHeard))),
                    (a + back, self.path(me, Path::Proven)),
                    (a + back + b, hang_up(self)),
                ]
            }
            7 => {
                let back = Duration::from_secs(21) + self.ms(60_000);
                vec![
                    (a, self.path(me, Path::Deaf(Deafness::IceFailed))),
                    (a + back, self.path(me, Path::Proven)),
                ]
            }
            8 => vec![
                (a, self.command(me, AgentCommand::AssistRequest { call, note: "请班长".into() })),
                (a + long, hang_up(self)),
            ],
            9 => vec![
                (a, self.command(me, AgentCommand::CrisisRaise { call })),
                (a + b, self.command(me, AgentCommand::Hold { call })),
                (a + b + c, hang_up(self)),
            ],
            10 => vec![
                (a, self.command(me, AgentCommand::RecordingPause { call })),
                (a + b, self.command(me, AgentCommand::RecordingResume { call })),
                (a + b + c, self.command(me, AgentCommand::Dtmf { call, digits: "12#".into() })),
                (a + long, hang_up(self)),
            ],
            // Talks until the citizen has had enough.
            11 => Vec::new(),
            12 | 13 => {
                let special = [
                    Special::Suicide,
                    Special::Silent,
                    Special::Emergency,
                    Special::Minor,
                    Special::Violence,
                    Special::Deaf,
                    Special::Foreign,
                ][self.draw(7) as usize];
                let mut words = vec![(a, self.command(me, AgentCommand::Mark { call, special }))];
                // Else the citizen breaks it off, and what is urgent is dialled again.
                if self.draw(2) == 0 {
                    words.push((a + long, hang_up(self)));
                }
                words
            }
            _ => vec![(a + b, hang_up(self))],
        }
    }
}
