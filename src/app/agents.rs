//! The agents' side of the process: their sessions, the browsers' audio, and the directory the engine is told of.

use super::build::{self, Bound};
use super::clock::Clock;
use super::engine_thread::{Order, Orders};
use super::metrics::{Board, Sample};
use crate::acd::{AgentId, AgentSpec};
use crate::auth::Role;
use crate::base::reach;
use crate::call::agents::seam::{self as words, AgentCommand, FromEngine, SessionEpoch, ToEngine};
use crate::config::Config;
use crate::cti::{
    self, CtiHandle, FromMedia, HubConfig, HubLimits, MediaCommand, MediaDoor, MediaEvent, MediaRefused,
    Microphone, ToMedia,
};
use crate::rtc::{self, RtcError, RtcHandle};
use crate::store::{Db, Scope};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// Words on their way to the engine, and to the sessions.
const WORDS: usize = 1_024;
/// How long dialling waits for what the ticket says of its citizen.
const DIAL_ASKS: Duration = Duration::from_secs(2);
/// How often the directory of agents is read again.
const DIRECTORY: Duration = Duration::from_secs(2);

/// What time it is here, and who carries the pages' sound.
#[derive(Clone)]
pub struct Local {
    pub zone: jiff::tz::TimeZone,
    pub clock: Clock,
    pub voice: Handle,
}

/// Starts what agents need; must be called inside the runtime.
pub fn start(
    config: &Config,
    boot: u32,
    local: Local,
    sip_at: &Bound,
    orders: &Orders,
    board: Board,
    from_engine: mpsc::Receiver<FromEngine>,
    db: Db,
) -> CtiHandle {
    let (to_engine, said) = mpsc::channel(WORDS);
    let (to_hub, hub_hears) = mpsc::channel(WORDS);
    let (news, path_news) = mpsc::channel(WORDS);
    let (to_media, asked) = mpsc::channel(WORDS);
    let (to_page, from_media) = mpsc::channel(WORDS);
    let rooms = rtc::start_on(local.voice.clone(), audio(config, sip_at), news);
    let guard = DialGuard { db, local: local.clone(), to_hub: to_hub.clone() };
    let Local { zone, clock, .. } = local;
    tokio::spawn(carry(said, orders.clone(), guard));
    tokio::spawn(sort(from_engine, to_hub, rooms.clone()));
    tokio::spawn(paths(path_news, orders.clone()));
    tokio::spawn(serve_pages(asked, to_page, rooms.clone(), clock));
    tokio::spawn(publish(rooms, board));
    let hub = HubConfig { limits: limits(config), zone, clock: Arc::new(move || clock.wall_ms()), boot };
    cti::start(hub, to_engine, hub_hears, Some(MediaDoor { to: to_media, from: from_media }))
}

fn limits(config: &Config) -> HubLimits {
    let cti = &config.cti;
    let mut limits = HubLimits {
        heartbeat: Duration::from_millis(cti.heartbeat_ms.into()),
        outgoing: cti.outgoing as usize,
        sessions: cti.sessions as usize,
        recheck: Duration::from_secs(cti.recheck_s.into()),
        ..HubLimits::default()
    };
    limits.stream.events = cti.history_events as usize;
    limits.stream.bytes = cti.history_kib as usize * 1024;
    limits.stream.sessions = cti.pages_per_agent as usize;
    limits
}

/// What stands between an agent's dialling from a ticket and the engine, which knows no tickets: whoever wants text only, or to
/// be called at certain hours, is not called otherwise.
#[derive(Clone)]
struct DialGuard {
    db: Db,
    local: Local,
    to_hub: mpsc::Sender<FromEngine>,
}

impl DialGuard {
    async fn may_call(&self, ticket: &str) -> Result<(), words::Refused> {
        let asked = tokio::time::timeout(DIAL_ASKS, self.db.ticket(ticket, &Scope::All)).await;
        let ticket = match asked {
            Ok(Ok(Some(ticket))) => ticket,
            Ok(Ok(None)) => return Ok(()),
            // Without its database the service still calls people back.
            away => {
                tracing::warn!(away = ?away.map(|answer| answer.err()), "dialling from a ticket that cannot be read");
                return Ok(());
            }
        };
        let at = jiff::Timestamp::from_millisecond(self.local.clock.wall_ms())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let time = at.to_zoned_datetime(self.local.zone.clone()).time();
        let minute = u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        let reachable = reach::Reachable::of(ticket.notify.as_deref(), ticket.safe_time.as_deref());
        reachable.may_call(minute).map_err(|why| match why {
            reach::NoCall::TextOnly => words::Refused::TextOnly,
            reach::NoCall::NotNow => words::Refused::NotNow,
        })
    }
}

async fn carry(mut words: mpsc::Receiver<ToEngine>, orders: Orders, guard: DialGuard) {
    while let Some(word) = words.recv().await {
        if let ToEngine::Command { agent, re, command: AgentCommand::Dial { ticket: Some(ticket), .. } } =
            &word
        {
            let (guard, orders) = (guard.clone(), orders.clone());
            let (agent, re, ticket) = (Arc::clone(agent), *re, Arc::clone(ticket));
            // A task of its own: a slow database holds up nobody's other commands.
            tokio::spawn(async move {
                match guard.may_call(&ticket).await {
                    Ok(()) => drop(orders.give(Order::Agent(word))),
                    Err(why) => {
                        let answer = FromEngine::Answer { agent, re, result: Err(why) };
                        let _ = guard.to_hub.send(answer).await;
                    }
                }
            });
            continue;
        }
        // The engine's inbox is full only when it stands still; a command is then answered by the hub's own patience.
        if !orders.give(Order::Agent(word)) {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Browsers reach us where callers' voice does; on loopback where nothing else is configured.
pub(super) fn audio(config: &Config, sip_at: &Bound) -> rtc::Config {
    let (_, bind) = build::media_address(config, sip_at);
    let (first, last) = config.media.browser_ports();
    rtc::Config {
        address: if bind.is_unspecified() && config.http.listen.ip().is_loopback() {
            config.http.listen.ip()
        } else {
            bind
        },
        ports: first..=last,
        agents: usize::from(last.saturating_sub(first)) / 2 + 1,
        limits: rtc::Limits::default(),
    }
}

/// What is known of each browser's sound, to the engine.
async fn paths(mut news: mpsc::Receiver<rtc::News>, orders: Orders) {
    while let Some(rtc::News { agent, path, relay }) = news.recv().await {
        let path = match path {
            rtc::Path::Proven => words::Path::Proven,
            rtc::Path::Deaf(why) => words::Path::Deaf(match why {
                rtc::Deafness::NotSetUp => words::Deafness::NotSetUp,
                rtc::Deafness::IceFailed => words::Deafness::IceFailed,
                rtc::Deafness::NothingHeard => words::Deafness::NothingHeard,
                rtc::Deafness::NotConfirmed => words::Deafness::NotConfirmed,
                rtc::Deafness::NoMicrophone => words::Deafness::NoMicrophone,
            }),
        };
        orders.give(Order::Agent(ToEngine::Path { agent, path, relay }));
    }
}

/// Pages' media commands. Each offer is answered by a task of its own: a slow one holds up nobody.
async fn serve_pages(
    mut asked: mpsc::Receiver<ToMedia>,
    to_page: mpsc::Sender<FromMedia>,
    rooms: RtcHandle,
    clock: Clock,
) {
    while let Some(words) = asked.recv().await {
        let ToMedia::Command { agent, epoch, re, command } = words else { continue };
        match command {
            MediaCommand::Offer { sdp } => {
                let (rooms, to_page) = (rooms.clone(), to_page.clone());
                tokio::spawn(async move {
                    let answer = rooms.offer(&agent, &sdp).await;
                    answer_offer(&to_page, agent, epoch, re, answer, clock).await;
                });
            }
            // The page offers anew by itself; nothing has to be prepared for it.
            MediaCommand::Restart => tell(&to_page, agent, re, Ok(())).await,
            MediaCommand::Candidate { .. } => {
                let taken = rooms.candidate(&agent);
                tell(&to_page, agent, re, taken).await;
            }
            MediaCommand::Microphone { state } => {
                let state = match state {
                    Microphone::Live => rtc::Microphone::Live,
                    Microphone::Muted => rtc::Microphone::Muted,
                    Microphone::Ended => rtc::Microphone::Ended,
                    Microphone::Denied => rtc::Microphone::Denied,
                };
                let taken = rooms.microphone(&agent, state);
                tell(&to_page, agent, re, taken).await;
            }
            // Nobody waits for its answer.
            MediaCommand::Probe { received } => drop(rooms.probe_echo(&agent, received)),
        }
    }
}

async fn answer_offer(
    to_page: &mpsc::Sender<FromMedia>,
    agent: Arc<str>,
    epoch: SessionEpoch,
    re: u64,
    answer: Result<String, RtcError>,
    clock: Clock,
) {
    match answer {
        Ok(sdp) => {
            tell(to_page, Arc::clone(&agent), re, Ok(())).await;
            let event = MediaEvent::Answer { sdp: sdp.into() };
            let _ = to_page.send(FromMedia::Event { agent, epoch, wall_ms: clock.wall_ms(), event }).await;
        }
        Err(why) => {
            tracing::debug!(%why, "an agent's offer");
            tell(to_page, agent, re, Err(why)).await;
        }
    }
}

async fn tell(to_page: &mpsc::Sender<FromMedia>, agent: Arc<str>, re: u64, result: Result<(), RtcError>) {
    let result = result.map_err(|why| match why {
        RtcError::BadOffer(_) | RtcError::NoPcma => MediaRefused::BadOffer,
        RtcError::NoSuchAgent => MediaRefused::NoOffer,
        RtcError::NoAddress | RtcError::NoPort => MediaRefused::NoPort,
        RtcError::TooMany | RtcError::Busy | RtcError::Ending | RtcError::NoRandom => MediaRefused::Limit,
    });
    let _ = to_page.send(FromMedia::Answer { agent, re, result }).await;
}

async fn publish(rooms: RtcHandle, board: Board) {
    loop {
        let (agents, ports) = rooms.gauges();
        let mut samples = vec![
            Sample::gauge("hotline_rtc_agents", "Agents' browsers with an audio connection", agents as u64),
            Sample::gauge("hotline_rtc_ports_left", "UDP ports left for browsers", ports as u64),
        ];
        samples.extend(rooms.counters().read().into_iter().map(|(what, n)| {
            Sample::counter("hotline_rtc_total", "What the browsers' audio counted", n)
                .by("what", what.to_owned())
        }));
        board.publish("rtc", samples);
        sleep(Duration::from_millis(250)).await;
    }
}

async fn sort(
    mut from_engine: mpsc::Receiver<FromEngine>,
    to_hub: mpsc::Sender<FromEngine>,
    rooms: RtcHandle,
) {
    while let Some(word) = from_engine.recv().await {
        match word {
            // A relay that is gone meanwhile needs no word.
            FromEngine::Relay { agent, worker } => drop(rooms.relay(&agent, worker)),
            word => {
                if to_hub.send(word).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Tells the engine who can be an agent, again whenever that changes. `first` hears of the first time.
pub async fn directory(db: Db, queues: Vec<Arc<str>>, orders: Orders, first: oneshot::Sender<()>) {
    let (mut told, mut first) = (None, Some(first));
    loop {
        match db.users().await {
            Ok(users) => {
                let agents: Vec<AgentSpec> = users
                    .iter()
                    .filter(|user| !user.disabled)
                    .filter_map(|user| {
                        let lead = user.roles.iter().any(|role| role == Role::Lead.label());
                        let agent = lead || user.roles.iter().any(|role| role == Role::Agent.label());
                        let id = AgentId::new(&user.name).filter(|_| agent)?;
                        let all = || if lead { Vec::new() } else { queues.clone() };
                        let named = user.work.queues.as_ref();
                        Some(AgentSpec {
                            id,
                            skills: user
                                .work
                                .skills
                                .iter()
                                .map(|(s, level)| (s.as_str().into(), *level))
                                .collect(),
                            queues: named
                                .map_or_else(all, |named| named.iter().map(|q| q.as_str().into()).collect()),
                            lead,
                            mobile: user.work.mobile.as_deref().map(Arc::from),
                        })
                    })
                    .collect();
                if told.as_ref() != Some(&agents) && orders.give(Order::Agents(agents.clone())) {
                    told = Some(agents);
                    if let Some(first) = first.take() {
                        // Who did not want to wait longer is gone.
                        let _ = first.send(());
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "directory of agents"),
        }
        sleep(DIRECTORY).await;
    }
}
