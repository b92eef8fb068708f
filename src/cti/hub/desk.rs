//! What the hub knows and how it moves it on.

use super::{HubConfig, Join, ToHub};
use crate::base::Time;
use crate::call::agents::seam::{
    AgentCommand, AgentEvent, AgentId, AgentState, FromEngine, SessionEpoch, ToEngine,
};
use crate::cti::answers::{Answers, Asked};
use crate::cti::counts::{CtiCounts, Cut};
use crate::cti::floor::Floor;
use crate::cti::media::{FromMedia, MediaCommand, ToMedia};
use crate::cti::out::Out;
use crate::cti::protocol::{Command, Hello, Request, Writer, done, refusal};
use crate::cti::stream::{Attached, Begin, Session, SignIn, Stream};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// A session as the hub holds it.
struct Page {
    agent: AgentId,
    sign_in: SignIn,
    lead: bool,
    out: mpsc::Sender<Out>,
    cut: oneshot::Sender<Cut>,
}

struct Agent {
    stream: Stream,
    answers: Answers,
    /// His place in what everybody is told: see [`Floor`].
    had: u64,
    /// What the engine and the audio were told last.
    present: bool,
    acting: Option<Session>,
}

/// Somebody's answer is due.
enum Due {
    Command { agent: AgentId },
    Snapshot { session: Session },
}

/// The number of what nobody waits for an answer to.
const UNANSWERED: u64 = 0;

pub struct Desk {
    config: HubConfig,
    writer: Writer,
    counts: Arc<CtiCounts>,
    to_engine: mpsc::Sender<ToEngine>,
    to_media: Option<mpsc::Sender<ToMedia>>,
    agents: BTreeMap<AgentId, Agent>,
    pages: BTreeMap<Session, Page>,
    floor: Floor,
    /// When it is handed out next; never sooner after the last time than [`HubLimits::gather`](super::HubLimits).
    floor_at: Instant,
    /// Agents of whom the engine or the audio does not yet know who acts: their queues were full.
    untold: BTreeSet<AgentId>,
    due: BTreeMap<u64, Due>,
    /// The order in which answers are due: each waits equally long.
    deadlines: VecDeque<(Instant, u64)>,
    next_re: u64,
    begun: Instant,
}

impl Desk {
    pub fn new(
        config: HubConfig,
        counts: Arc<CtiCounts>,
        to_engine: mpsc::Sender<ToEngine>,
        to_media: Option<mpsc::Sender<ToMedia>>,
    ) -> Self {
        Self {
            writer: Writer::new(config.zone.clone()),
            config,
            counts,
            to_engine,
            to_media,
            agents: BTreeMap::new(),
            pages: BTreeMap::new(),
            floor: Floor::default(),
            floor_at: Instant::now(),
            untold: BTreeSet::new(),
            due: BTreeMap::new(),
            deadlines: VecDeque::new(),
            next_re: 1,
            begun: Instant::now(),
        }
    }

    pub fn request(&mut self, request: ToHub) {
        match request {
            ToHub::Join(join) => self.join(*join),
            ToHub::Request { session, request, print } => self.command(session, &request, print),
            ToHub::Gone { session } => self.gone(session),
            ToHub::SignedOut { agent, sign_in } => {
                let Some(known) = self.agents.get(&agent) else { return };
                let over: Vec<Session> = known
                    .stream
                    .sessions()
                    .filter(|(_, theirs)| sign_in.is_none_or(|ended| ended == *theirs))
                    .map(|(session, _)| session)
                    .collect();
                for session in over {
                    self.cut(session, Cut::SignedOut);
                }
            }
        }
    }

    pub fn engine(&mut self, said: FromEngine) {
        match said {
            FromEngine::Event { to, wall_ms, event, .. } => {
                let offline = match &event {
                    AgentEvent::State { agent, state, .. } if *agent == to => {
                        Some(*state == AgentState::Offline)
                    }
                    _ => None,
                };
                if let Some(offline) = offline {
                    self.agent(&to).stream.offline = offline;
                }
                let text = self.writer.event(wall_ms, &event);
                self.push(&to, text);
            }
            FromEngine::Floor { to, but, wall_ms, event, .. } => {
                let text = self.writer.event(wall_ms, &event);
                if self.floor.push(&to, but, text) {
                    self.tell_floor();
                }
            }
            FromEngine::Answer { re, result, .. } => self.answer(re, |id| match result {
                Ok(call) => done(id, call),
                Err(why) => refusal(Some(id), why.code(), &why.to_string()),
            }),
            FromEngine::Snapshot { agent, re, wall_ms, snapshot } => {
                let Some(Due::Snapshot { session }) = self.due.remove(&re) else { return };
                // What was said before it is in it.
                self.catch_up(&agent);
                let Some(known) = self.agents.get_mut(&agent) else { return };
                known.stream.offline = snapshot.state == AgentState::Offline;
                if known.stream.snapshot(session) {
                    let seq = known.stream.last();
                    self.counts.snapshots.fetch_add(1, Relaxed);
                    self.give(session, Out::Snapshot { seq, wall_ms, snapshot });
                }
            }
            // Between the engine and the browsers' audio; no page is told.
            FromEngine::Relay { .. } => {}
        }
    }

    pub fn media(&mut self, said: FromMedia) {
        match said {
            FromMedia::Answer { re, result, .. } => self.answer(re, |id| match result {
                Ok(()) => done(id, None),
                Err(why) => refusal(Some(id), why.code(), &why.to_string()),
            }),
            FromMedia::Event { agent, epoch, wall_ms, event } => {
                let text = self.writer.media(wall_ms, epoch.0, &event);
                self.push(&agent, text);
            }
        }
    }

    /// Tells again what found a full queue, and ends waits that were too long.
    pub fn tick(&mut self) {
        for agent in std::mem::take(&mut self.untold) {
            self.tell(&agent);
        }
        let now = Instant::now();
        while let Some((_, re)) = self.deadlines.pop_front_if(|(at, _)| *at <= now) {
            match self.due.remove(&re) {
                None => {}
                Some(Due::Snapshot { session }) => {
                    self.counts.unanswered.fetch_add(1, Relaxed);
                    self.cut(session, Cut::NoSnapshot);
                }
                Some(Due::Command { agent }) => {
                    self.counts.unanswered.fetch_add(1, Relaxed);
                    self.settle(&agent, re, |id| {
                        let what = "no answer came in time; whether it was done is not known";
                        refusal(Some(id), "no_answer", what)
                    });
                }
            }
        }
    }

    pub fn stop(&mut self) {
        for page in std::mem::take(&mut self.pages).into_values() {
            let _ = page.cut.send(Cut::Stopping);
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.begun.elapsed()
    }

    fn agent(&mut self, name: &AgentId) -> &mut Agent {
        let base = super::first_seq(self.config.boot);
        self.agents.entry(Arc::clone(name)).or_insert_with(|| Agent {
            stream: Stream::new(base),
            answers: Answers::default(),
            had: 0,
            present: false,
            acting: None,
        })
    }

    fn join(&mut self, join: Join) {
        let Join { session, who, resume, watch, out, cut } = join;
        let (now, limits, wall_ms) = (self.now(), self.config.limits, (self.config.clock)());
        let agent = Arc::clone(&who.agent);
        let stream = &mut self.agent(&agent).stream;
        let attached = stream.attach(now, session, who.sign_in, resume, watch, &limits.stream);
        if attached == Attached::Crowded {
            let _ = cut.send(Cut::Crowded);
            return;
        }
        let page = Page { agent: Arc::clone(&agent), sign_in: who.sign_in, lead: who.lead, out, cut };
        self.pages.insert(session, page);
        if attached == Attached::TookOver {
            self.taken_over(&agent, session, wall_ms);
        }
        self.tell(&agent);
        let stream = &mut self.agent(&agent).stream;
        let begin = stream.begin(session);
        let resumed = matches!(begin, Some(Begin::Resumed { .. }));
        let hello = Hello {
            protocol: Hello::PROTOCOL,
            heartbeat_ms: u64::try_from(limits.heartbeat.as_millis()).unwrap_or(u64::MAX),
            agent: &who.agent,
            display: &who.display,
            lead: who.lead,
            session,
            acting: stream.acting() == Some(session),
            resume: resume.filter(|_| resumed).unwrap_or(stream.last()),
            resumed,
        };
        let frame = self.writer.hello(wall_ms, &hello);
        self.send(session, frame);
        match begin {
            None => {}
            Some(Begin::Resumed { first, events }) => {
                self.counts.resumed.fetch_add(1, Relaxed);
                self.give(session, Out::Events { first, texts: events });
            }
            Some(Begin::Snapshot) => {
                let re = self.due(Due::Snapshot { session });
                if self.to_engine.try_send(ToEngine::Snapshot { agent, re }).is_err() {
                    self.due.remove(&re);
                    self.counts.unanswered.fetch_add(1, Relaxed);
                    self.cut(session, Cut::NoSnapshot);
                }
            }
        }
    }

    fn taken_over(&mut self, agent: &AgentId, session: Session, wall_ms: i64) {
        self.counts.taken_over.fetch_add(1, Relaxed);
        let text = self.writer.taken_over(wall_ms, session);
        self.push(agent, text);
    }

    fn command(&mut self, session: Session, request: &Request, print: u64) {
        // A session that was cut a moment ago may still have asked.
        let Some(page) = self.pages.get(&session) else { return };
        let (agent, sign_in, lead) = (Arc::clone(&page.agent), page.sign_in, page.lead);
        self.counts.commands.fetch_add(1, Relaxed);
        let refuse = |desk: &mut Self, code, message| {
            desk.counts.refused.fetch_add(1, Relaxed);
            desk.send(session, refusal(Some(&request.id), code, message));
        };
        let (now, limits, re) = (self.now(), self.config.limits, self.next_re);
        if request.command.is_supervision() && !lead {
            return refuse(self, "not_allowed", "your role may not do this");
        }
        // Some come each second: their answers are not kept, or they would push others' out.
        if let Command::Media(probe @ MediaCommand::Probe { .. }) = &request.command {
            if self.agent(&agent).stream.acting() != Some(session) {
                return refuse(self, "watching", "another sign-in acts for this agent; take over first");
            }
            let (epoch, command) = (SessionEpoch(session), probe.clone());
            let words = ToMedia::Command { agent, epoch, re: UNANSWERED, command };
            return match self.ask_media(words) {
                Some((code, message)) => refuse(self, code, message),
                None => self.send(session, done(&request.id, None)),
            };
        }
        // Before the session's standing: a page that acted when it asked is told what came of it.
        let asked = self.agent(&agent).answers.ask(
            (sign_in, Arc::clone(&request.id)),
            print,
            session,
            re,
            limits.pending,
        );
        match asked {
            Asked::New => {}
            Asked::Waiting => {
                self.counts.repeated.fetch_add(1, Relaxed);
                return;
            }
            Asked::Known(answer) => {
                self.counts.repeated.fetch_add(1, Relaxed);
                return self.send(session, answer);
            }
            Asked::Reused => return refuse(self, "id_reused", "this id was another command's"),
            Asked::Full => return refuse(self, "limit", "too many commands wait for their answers"),
        }
        let stream = &mut self.agent(&agent).stream;
        let attached = match request.command {
            Command::Login { take_over, .. } => stream.claim(now, session, take_over, &limits.stream),
            _ => (stream.acting() == Some(session)).then_some(Attached::Acting),
        };
        let Some(attached) = attached else {
            self.agent(&agent).answers.forget(re);
            return refuse(self, "watching", "another sign-in acts for this agent; take over first");
        };
        if attached == Attached::TookOver {
            self.taken_over(&agent, session, (self.config.clock)());
        }
        self.tell(&agent);
        let agent_command = |command: &AgentCommand| ToEngine::Command {
            agent: Arc::clone(&agent),
            re,
            command: command.clone(),
        };
        let full = match &request.command {
            Command::Login { device, .. } => {
                self.ask_engine(agent_command(&AgentCommand::Login { device: device.clone() }))
            }
            Command::Agent(command) => self.ask_engine(agent_command(command)),
            Command::Media(command) => {
                let (agent, epoch) = (Arc::clone(&agent), SessionEpoch(session));
                self.ask_media(ToMedia::Command { agent, epoch, re, command: command.clone() })
            }
        };
        if let Some((code, message)) = full {
            self.agent(&agent).answers.forget(re);
            return refuse(self, code, message);
        }
        self.due(Due::Command { agent });
    }

    fn ask_engine(&self, words: ToEngine) -> Option<(&'static str, &'static str)> {
        let full = self.to_engine.try_send(words).is_err();
        full.then_some(("busy", "the engine takes no more now; nothing was done"))
    }

    fn ask_media(&self, words: ToMedia) -> Option<(&'static str, &'static str)> {
        match self.to_media.as_ref().map(|to| to.try_send(words)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(_))) => {
                Some(("busy", "the browsers' audio takes no more now; nothing was done"))
            }
            Some(Err(TrySendError::Closed(_))) | None => {
                Some(("no_media", "there is no audio for browsers here"))
            }
        }
    }

    /// Uses up the next number; its answer is due in time.
    fn due(&mut self, what: Due) -> u64 {
        let re = self.next_re;
        self.next_re += 1;
        self.due.insert(re, what);
        self.deadlines.push_back((Instant::now() + self.config.limits.patience, re));
        re
    }

    fn answer(&mut self, re: u64, frame: impl FnOnce(&str) -> Arc<str>) {
        if let Some(Due::Command { agent }) = self.due.remove(&re) {
            self.settle(&agent, re, frame);
        }
    }

    fn settle(&mut self, agent: &AgentId, re: u64, frame: impl FnOnce(&str) -> Arc<str>) {
        let keep = self.config.limits.answers;
        let Some(known) = self.agents.get_mut(agent) else { return };
        let Some((waiting, answer)) = known.answers.done(re, keep, frame) else { return };
        for session in waiting {
            self.send(session, Arc::clone(&answer));
        }
    }

    pub const fn has_floor(&self) -> bool {
        !self.floor.is_empty()
    }

    /// When what was gathered goes out: at once after a quiet time.
    pub const fn floor_at(&self) -> Instant {
        self.floor_at
    }

    /// Everybody gets his share of what was gathered.
    pub fn tell_floor(&mut self) {
        self.floor_at = Instant::now() + self.config.limits.gather;
        let agents = &self.agents;
        for (name, share) in self.floor.take(|name| agents.get(name).map_or(0, |agent| agent.had)) {
            self.push_all(&name, share);
        }
    }

    /// His share now, so that what he is told next comes after it.
    fn catch_up(&mut self, name: &AgentId) {
        if self.floor.is_empty() {
            return;
        }
        let had = self.agent(name).had;
        let (share, end) = (self.floor.share(had, name), self.floor.end());
        self.agent(name).had = end;
        if !share.is_empty() {
            self.push_all(name, share);
        }
    }

    /// An event of his own.
    fn push(&mut self, agent: &AgentId, text: Arc<str>) {
        self.catch_up(agent);
        self.push_all(agent, [text].into());
    }

    /// `texts`: at least one.
    fn push_all(&mut self, agent: &AgentId, texts: Arc<[Arc<str>]>) {
        let limits = self.config.limits.stream;
        self.counts.events.fetch_add(texts.len() as u64, Relaxed);
        let stream = &mut self.agent(agent).stream;
        let first = stream.last() + 1;
        for text in texts.iter() {
            stream.push(&limits, Arc::clone(text));
        }
        let live: Vec<Session> = stream.live().collect();
        for session in live {
            self.give(session, Out::Events { first, texts: Arc::clone(&texts) });
        }
    }

    fn send(&mut self, session: Session, frame: Arc<str>) {
        self.give(session, Out::Frame(frame));
    }

    fn give(&mut self, session: Session, out: Out) {
        let Some(page) = self.pages.get(&session) else { return };
        match page.out.try_send(out) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.cut(session, Cut::Slow),
            Err(TrySendError::Closed(_)) => self.gone(session),
        }
    }

    /// The engine and the audio are told who acts, unless they know.
    fn tell(&mut self, name: &AgentId) {
        let Some(agent) = self.agents.get_mut(name) else { return };
        let (acting, mut told) = (agent.stream.acting(), true);
        if agent.acting != acting {
            let epoch = acting.map(SessionEpoch);
            match self
                .to_media
                .as_ref()
                .map(|to| to.try_send(ToMedia::Acting { agent: Arc::clone(name), epoch }))
            {
                Some(Err(TrySendError::Full(_))) => told = false,
                _ => agent.acting = acting,
            }
        }
        if agent.present != acting.is_some() {
            let present = ToEngine::Present { agent: Arc::clone(name), present: acting.is_some() };
            match self.to_engine.try_send(present) {
                Err(TrySendError::Full(_)) => told = false,
                _ => agent.present = acting.is_some(),
            }
        }
        if !told {
            self.untold.insert(Arc::clone(name));
        }
    }

    fn cut(&mut self, session: Session, why: Cut) {
        let Some(page) = self.pages.remove(&session) else { return };
        let _ = page.cut.send(why);
        self.left(&page.agent, session);
    }

    fn gone(&mut self, session: Session) {
        if let Some(page) = self.pages.remove(&session) {
            self.left(&page.agent, session);
        }
    }

    fn left(&mut self, name: &AgentId, session: Session) {
        let now = self.now();
        if let Some(agent) = self.agents.get_mut(name)
            && agent.stream.detach(now, session)
        {
            self.tell(name);
        }
    }
}
