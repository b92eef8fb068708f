//! A desk on one virtual clock: the real engine, citizens and phones that answer at once, a disk and a voice plane that do as told.
//!
//! Everything an input brings about is carried out before the next one; time passes only by [`Room::pass`].

use crate::setup_engine;
use crate::sip::{self, Peer};
use hotline::acd::{AgentId, AgentSpec, Answer, QueueConfig};
use hotline::base::{CallId, LegId, Time};
use hotline::call::agents::seam::*;
use hotline::call::fact::Fact;
use hotline::call::{Effect, Engine, EngineConfig, Input, MediaPort, Reply, Request, Why};
use hotline::ivr::{Book, FlowSet};
use hotline::media::seam::{Event, Member, Order, Piece, PlayId, RecordingId, Stats};
use hotline::sip::seam::{Credentials, Flow, Packet, Peer as PeerFacts, PeerKind};
use hotline::ticket::number::Blocks;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Straight to people; after them one goodbye.
const FLOW: &str = include_str!("flow.toml");
/// The carrier of outside numbers, and the desk phone.
pub const OUTSIDE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 3)), 5060);
pub const PHONE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 4)), 5060);
pub const WALL: i64 = 1_795_000_000_000;

pub struct Room {
    pub engine: Engine,
    pub now: Time,
    /// The disk confirms at once; else what is written waits for [`Room::sync`].
    pub disk: bool,
    written: u64,
    /// Everything told since the last [`Room::forget`].
    pub told: Vec<(Arc<str>, AgentEvent)>,
    pub facts: Vec<Fact>,
    /// All that the last inputs wanted, as text: what a refused command must leave empty.
    pub done: Vec<String>,
    answers: Vec<(u64, Result<Option<CallId>, Refused>)>,
    next_re: u64,
    pub peers: BTreeMap<SocketAddr, Peer>,
    /// Who hears whom, by bridge.
    pub bridges: BTreeMap<u64, Vec<Member>>,
    pub legs: BTreeMap<LegId, Leg>,
    /// What the engine has asked for in this input and the world still has to answer.
    world: VecDeque<World>,
    pub reply: Option<Reply>,
    next_port: u16,
    citizens: u16,
    pub numbers: Vec<String>,
    /// Clips that were played, in order.
    pub played: Vec<u32>,
    /// Sound takes its time, until `finish_playing`.
    pub plays_on: bool,
    playing: Option<(LegId, PlayId)>,
}

enum World {
    Packet(SocketAddr, Vec<u8>),
    Media(Event),
    Ports(usize),
    Durable(u64),
}

/// A leg as the voice plane knows it.
pub struct Leg {
    pub remote: Option<SocketAddr>,
    pub music: bool,
    /// How long it may be silent before that is told; zero: for ever.
    pub silence_ms: u32,
    recording: Option<RecordingId>,
    port: u16,
}

pub fn who(name: &str) -> Arc<str> {
    Arc::from(name)
}

pub fn person(name: &str, queues: &[&str], skills: &[(&str, u8)]) -> AgentSpec {
    AgentSpec {
        id: AgentId::new(name).expect("a short name"),
        skills: skills.iter().map(|(skill, level)| (Arc::from(*skill), *level)).collect(),
        queues: queues.iter().map(|queue| Arc::from(*queue)).collect(),
        lead: name == "boss",
        mobile: None,
    }
}

/// The configuration of a room, to be changed before [`Room::with`].
pub fn config() -> EngineConfig {
    let (mut config, _) = setup_engine::config(1, 0);
    let queue = QueueConfig { answer: Answer::Ring, ..QueueConfig::default() };
    config.queues = ["main", "second"].into_iter().map(|name| (Arc::from(name), queue.clone())).collect();
    config.flow = flow(FLOW);
    (config.dial.trunk, config.dial.allow) = (Some("outside".into()), vec!["139*".into()]);
    config.limits.media_silence = Duration::from_secs(3600);
    config.limits.max_calls_per_caller = 0;
    let peer = |name: &str, kind, at: SocketAddr| PeerFacts {
        name: name.into(),
        kind,
        nets: Vec::new(),
        inbound: (kind == PeerKind::Phone).then(|| Credentials {
            user: name.into(),
            password: sip::PASSWORD.into(),
            realm: None,
        }),
        outbound: None,
        trusted_identity: true,
        target: (kind == PeerKind::Trunk).then_some((at, false)),
        register: None,
        media_nets: Arc::clone(&config.ua.peers[0].media_nets),
    };
    let more = [peer("outside", PeerKind::Trunk, OUTSIDE), peer("desk", PeerKind::Phone, PHONE)];
    config.ua.peers.extend(more);
    config
}

pub fn flow(text: &str) -> Arc<hotline::ivr::Flow> {
    let manifest = include_str!("../../sounds/manifest.json");
    let book = Arc::new(Book::read(manifest).expect("the manifest is right"));
    FlowSet::one(vec![("desk.toml".into(), text.into())], &book).unwrap_or_else(|why| panic!("{why}"))
}

impl Room {
    /// 8001, 8002 and the lead `boss`, nobody logged in.
    pub fn new() -> Self {
        let people =
            [person("8001", &["main"], &[]), person("8002", &["main"], &[]), person("boss", &[], &[])];
        Self::with(config(), &people)
    }

    pub fn with(config: EngineConfig, people: &[AgentSpec]) -> Self {
        let mut room = Self {
            engine: Engine::new(config, Blocks::default()),
            now: Time::from_millis(1_000),
            disk: true,
            written: 0,
            told: Vec::new(),
            facts: Vec::new(),
            done: Vec::new(),
            answers: Vec::new(),
            next_re: 1,
            peers: BTreeMap::new(),
            bridges: BTreeMap::new(),
            legs: BTreeMap::new(),
            world: VecDeque::new(),
            reply: None,
            next_port: 20_000,
            citizens: 0,
            numbers: Vec::new(),
            played: Vec::new(),
            plays_on: false,
            playing: None,
        };
        room.give(Input::Wall { ms: WALL });
        room.world.push_back(World::Ports(64));
        room.settle();
        room.give(Input::Agents(people.to_vec()));
        room.forget();
        room
    }

    pub fn forget(&mut self) {
        self.told.clear();
        self.facts.clear();
        self.done.clear();
    }

    pub fn give(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.engine.handle(self.now, input, &mut out);
        self.take(out);
        self.settle();
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effect(effect);
        }
    }

    /// Until nothing follows any more.
    fn settle(&mut self) {
        let mut steps = 0;
        while let Some(next) = self.world.pop_front() {
            steps += 1;
            assert!(steps < 10_000, "it never comes to rest");
            let mut out = Vec::new();
            match next {
                World::Packet(from, bytes) => {
                    let flow = Flow::Udp { socket: 0, peer: from };
                    self.engine.handle(self.now, Input::Packet(Packet { flow, bytes: &bytes }), &mut out);
                }
                World::Media(event) => self.engine.handle(self.now, Input::Media(event), &mut out),
                World::Durable(upto) => self.engine.handle(self.now, Input::Durable { upto }, &mut out),
                World::Ports(count) => {
                    let port = |i: usize| MediaPort { port: self.next_port + 2 * i as u16, worker: 0 };
                    let ports = (0..count).map(port).collect();
                    self.next_port += 2 * count as u16;
                    self.engine.handle(self.now, Input::Ports(ports), &mut out);
                }
            }
            self.take(out);
        }
        self.engine.assert_invariants();
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Agent(word) => match *word {
                FromEngine::Answer { re, result, .. } => return self.answers.push((re, result)),
                FromEngine::Event { to, event, .. } => self.told.push((to, event)),
                FromEngine::Floor { to, but, event, .. } => {
                    let told = to.iter().filter(|who| Some(*who) != but.as_ref());
                    self.told.extend(told.map(|who| (Arc::clone(who), event.clone())));
                }
                FromEngine::Snapshot { .. } | FromEngine::Relay { .. } => {}
            },
            Effect::Send(transmit) => {
                let at = transmit.flow.peer();
                let peer = self.peers.entry(at).or_insert_with(|| Peer::new(at));
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                let said = peer.hear(&text);
                self.done.push(format!("sip {}", text.lines().next().unwrap_or_default()));
                return self.world.extend(said.into_iter().map(|bytes| World::Packet(at, bytes)));
            }
            Effect::Media { order, .. } => self.order(order),
            Effect::Fact(stamped) => {
                self.written = stamped.seq;
                if let Fact::NumberDrawn { no, .. } = &stamped.fact {
                    self.numbers.push(no.clone());
                }
                self.done.push(format!("fact {:?}", stamped.fact));
                self.facts.push(stamped.fact);
                if self.disk {
                    self.world.push_back(World::Durable(self.written));
                }
                return;
            }
            Effect::BindPorts { count } => return self.world.push_back(World::Ports(count)),
            Effect::Reply { reply, .. } => {
                self.reply = Some(reply);
                return;
            }
            Effect::Close(_) | Effect::Lookup { .. } => {}
        }
        self.done.push("told or ordered".into());
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Open { leg, port, session, .. } => {
                let fresh =
                    Leg { remote: session.remote, music: false, silence_ms: 0, recording: None, port };
                assert!(self.legs.insert(leg, fresh).is_none(), "a leg is opened once");
            }
            Order::Record { leg, recording } => {
                self.legs.get_mut(&leg).expect("open").recording = Some(recording);
            }
            Order::Background { leg, clip } => {
                self.legs.get_mut(&leg).expect("open").music = clip.is_some();
            }
            Order::WatchSilence { leg, after_ms } => {
                self.legs.get_mut(&leg).expect("open").silence_ms = after_ms;
            }
            Order::Bridge { bridge, members } => {
                assert!(members.iter().all(|member| self.legs.contains_key(&member.leg)), "a leg is missing");
                self.bridges.insert(bridge.0, members.into_vec());
            }
            Order::Play { leg, play, pieces } => {
                self.played.extend(pieces.iter().filter_map(|piece| match piece {
                    Piece::Clip(clip) => Some(clip.0),
                    Piece::Pause(_) => None,
                }));
                if self.plays_on {
                    self.playing = Some((leg, play));
                } else {
                    self.world.push_back(World::Media(Event::Finished { leg, play }));
                }
            }
            Order::Close { leg } => {
                let gone = self.legs.remove(&leg).expect("a closed leg was open");
                if let Some(recording) = gone.recording {
                    let event =
                        Event::RecordingEnded { leg, recording, length_ms: 1, gaps_ms: 0, failed: false };
                    self.world.push_back(World::Media(event));
                }
                let stats = Box::new(Stats::default());
                self.world.push_back(World::Media(Event::Closed { leg, stats }));
                self.world.push_back(World::Media(Event::PortFree { port: gone.port }));
            }
            _ => {}
        }
    }

    /// What plays last comes to its end.
    pub fn finish_playing(&mut self) {
        self.plays_on = false;
        let (leg, play) = self.playing.take().expect("something plays");
        self.give(Input::Media(Event::Finished { leg, play }));
    }

    /// The disk has everything that was written.
    pub fn sync(&mut self) {
        self.give(Input::Durable { upto: self.written });
    }

    /// Time passes, with everything that falls due.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some((due, _)) = self.engine.poll_timeout().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            let mut out = Vec::new();
            self.engine.handle_timeout(self.now, &mut out);
            self.take(out);
            self.settle();
        }
        self.now = until;
    }

    // --- agents ----------------------------------------------------------------------------------------------

    /// One command; it is answered exactly once, at once.
    pub fn ask(&mut self, agent: &str, command: AgentCommand) -> Result<Option<CallId>, Refused> {
        let re = self.next_re;
        self.next_re += 1;
        self.give(Input::Agent(ToEngine::Command { agent: who(agent), re, command: command.clone() }));
        let answers = std::mem::take(&mut self.answers);
        assert_eq!(answers.len(), 1, "{agent}: {command:?} has {answers:?}");
        assert_eq!(answers[0].0, re, "{command:?} has another's answer");
        answers[0].1
    }

    #[track_caller]
    pub fn order_of(&mut self, agent: &str, command: AgentCommand) {
        let shown = format!("{agent}: {command:?}");
        self.ask(agent, command).unwrap_or_else(|why| panic!("{shown}: {}", why.code()));
    }

    pub fn path(&mut self, agent: &str, path: Path) {
        let relay = relay(agent);
        self.give(Input::Agent(ToEngine::Path { agent: who(agent), path, relay: Some(relay) }));
    }

    pub fn present(&mut self, agent: &str, present: bool) {
        self.give(Input::Agent(ToEngine::Present { agent: who(agent), present }));
    }

    pub fn log_in(&mut self, agent: &str) {
        self.path(agent, Path::Proven);
        self.order_of(agent, AgentCommand::Login { device: Device::Browser });
    }

    pub fn ready(&mut self, agent: &str) {
        self.log_in(agent);
        self.order_of(agent, AgentCommand::Ready);
    }

    /// With the desk phone, which has registered.
    pub fn ready_at_phone(&mut self, agent: &str) {
        self.register();
        self.order_of(agent, AgentCommand::Login { device: Device::Phone(who("desk")) });
        self.order_of(agent, AgentCommand::Ready);
    }

    pub fn register(&mut self) {
        self.peer_says(PHONE, Peer::register);
        assert!(self.peers[&PHONE].registered, "the phone is registered");
    }

    /// As the wall shows him.
    pub fn seat(&mut self, agent: &str) -> Colleague {
        let Reply::Floor(floor) = self.request(Request::Floor) else { panic!("no floor") };
        floor.agents.into_iter().find(|seat| &*seat.agent == agent).expect("in the directory")
    }

    pub fn state(&mut self, agent: &str) -> String {
        match self.seat(agent).state {
            AgentState::Offline => "offline".into(),
            AgentState::NotReady { reason } => format!("not_ready {reason}"),
            AgentState::Ready => "ready".into(),
            AgentState::Offered => "offered".into(),
            AgentState::OnCall => "on_call".into(),
            AgentState::WrapUp { .. } => "wrap_up".into(),
            AgentState::NotResponding => "not_responding".into(),
        }
    }

    /// Events of one kind to this agent since the last [`Room::forget`].
    pub fn heard(&self, agent: &str, fits: impl Fn(&AgentEvent) -> bool) -> usize {
        self.told.iter().filter(|(to, event)| &**to == agent && fits(event)).count()
    }

    // --- citizens and phones ---------------------------------------------------------------------------------

    /// Somebody dials 12341. His address.
    pub fn citizen(&mut self) -> SocketAddr {
        self.citizens = (self.citizens + 1) % 1_000;
        let at = SocketAddr::from(([127, 0, 0, 2], 10_000 + self.citizens));
        self.peer_says(at, Peer::dial);
        at
    }

    /// What this peer says now.
    pub fn peer_says(&mut self, at: SocketAddr, what: impl FnOnce(&mut Peer) -> Vec<Vec<u8>>) {
        let peer = self.peers.entry(at).or_insert_with(|| Peer::new(at));
        let said = what(peer);
        self.world.extend(said.into_iter().map(|bytes| World::Packet(at, bytes)));
        self.settle();
    }

    /// The newest live call.
    pub fn call(&mut self) -> CallId {
        self.calls()[0].id
    }

    /// The live call of this citizen.
    pub fn call_of(&mut self, at: SocketAddr) -> CallId {
        let number = format!("120{:08}", at.port());
        let found = self.calls().into_iter().find(|call| call.caller.reveal() == number);
        found.expect("a live call of his").id
    }

    pub fn calls(&mut self) -> Vec<hotline::call::LiveCall> {
        match self.request(Request::LiveCalls { limit: 100 }) {
            Reply::LiveCalls(calls) => calls,
            other => panic!("{other:?}"),
        }
    }

    pub fn why(&mut self, call: CallId) -> Why {
        match self.request(Request::Why { call }) {
            Reply::Why(Some(why)) => *why,
            other => panic!("{other:?}"),
        }
    }

    pub fn request(&mut self, request: Request) -> Reply {
        self.give(Input::Request { id: 1, request });
        self.reply.take().expect("a reply")
    }

    /// Does sound pass from `from` to `to`? By the address each sends from.
    pub fn hears(&self, to: SocketAddr, from: SocketAddr) -> bool {
        let leg =
            |at: SocketAddr| self.legs.iter().find(|(_, leg)| leg.remote == Some(at)).map(|(id, _)| *id);
        let (Some(to), Some(from)) = (leg(to), leg(from)) else { return false };
        self.bridges.values().any(|members| {
            let place = |leg| members.iter().position(|member| member.leg == leg);
            matches!((place(to), place(from)), (Some(to), Some(from)) if members[to].hears & (1 << from) != 0)
        })
    }

    /// Ports that are leased and not of a leg that lives: none may be left when everybody has gone.
    pub fn assert_rest(&mut self) {
        self.pass(40_000);
        assert_eq!(self.engine.live_calls(), 0, "live calls");
        assert_eq!((self.engine.closing_legs(), self.engine.ports_leased()), (0, 0), "legs and ports");
        let live = self.engine.ua().live();
        assert_eq!((live.transactions, live.dialogs), (0, 0), "SIP still has state");
        let unique: BTreeSet<&String> = self.numbers.iter().collect();
        assert_eq!(unique.len(), self.numbers.len(), "a number twice");
    }
}

/// Where an agent's browser is heard.
pub fn relay(agent: &str) -> SocketAddr {
    let n = agent.bytes().fold(0_u16, |n, b| (n * 7 + u16::from(b)) % 5_000);
    SocketAddr::from(([127, 0, 0, 1], 60_000 + n))
}
