//! The desk's side of the process: database, projector, lookups, HTTP, signals. Everything here may be slow or away; calls go on.

use super::agents;
use super::build::Bound;
use super::clock::Clock;
use super::demo;
use super::demo_phone;
use super::desk::{Door, PhaseCell, ReloadRequest, answer_lookups};
use super::due::Due;
use super::engine_thread::{Lookup, Order, Orders};
use super::keeping::Keeping;
use super::kernel;
use super::metrics::{Board, Sample};
use super::old_numbers;
use super::outbox;
use super::reload::Reloader;
use super::rostering::Rostering;
use super::serve::ServeError;
use super::sessions;
use super::urging::Urging;
use super::works::{InForce, Shop};
use crate::api::{self, Api, ApiLimits, ApiParts, CityDoor, Phase, PublicLimits, RosterDesk, ServeLimits};
use crate::base::CallId;
use crate::base::reach::Reachable;
use crate::call::agents::seam::{FromEngine, ToEngine};
use crate::call::{Reply, Request, TicketSaved};
use crate::config::{self, Config};
use crate::journal;
use crate::store::projector::{Projector, ProjectorGauge};
use crate::store::{Db, OpenOptions, Scope};
use crate::ticket::cycle::Tables;
use crate::ticket::district::District;
use crate::ticket::rules::RuleBook;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

pub struct Desk {
    pub config: Config,
    pub demo: bool,
    pub zone: jiff::tz::TimeZone,
    pub clock: Clock,
    pub orders: Orders,
    pub board: Board,
    pub news: Arc<journal::News>,
    /// Told after each group of facts that is on disk.
    pub durable: Arc<Notify>,
    pub questions: mpsc::Receiver<Lookup>,
    /// The engine's words for agents.
    pub from_engine: mpsc::Receiver<FromEngine>,
    pub boot: u32,
    /// Callbacks that were open at the start, and their tickets.
    pub promised: Vec<CallId>,
    /// Queues that agents serve.
    pub queues: Vec<Arc<str>>,
    pub http: TcpListener,
    pub http_at: SocketAddr,
    pub sip_at: Bound,
    pub reloader: Reloader,
    pub roster: Arc<RosterDesk>,
    pub shop: Shop,
    pub pushes: Arc<crate::outbox::Book>,
    pub senders: outbox::Senders,
}

/// How often the end of the drain is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// Closing legs get this long after the last call: recordings and figures are still to come.
const CLOSING: Duration = Duration::from_secs(6);
/// Reloads that may wait.
const RELOADS: usize = 4;
const DIRECTORY_WAIT: Duration = Duration::from_secs(2);
const DB_RETRY: Duration = Duration::from_millis(500);
const ASKS: Duration = Duration::from_secs(2);

/// Runs the desk until a signal has ended the server. `rest` waits for the engine's and the journal's threads.
pub fn run(desk: Desk, rest: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("desk")
        .enable_all()
        .build()
        .map_err(ServeError::io("desk"))?;
    // The pages' sound has a thread of its own: a packet waits for no table, and the kernel wakes it ahead of the desk.
    let voice = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("voice")
        .on_thread_start(kernel::short_turns)
        .enable_all()
        .build()
        .map_err(ServeError::io("voice"))?;
    let served = runtime.block_on(serve(desk, voice.handle().clone(), rest));
    runtime.shutdown_timeout(Duration::from_secs(2));
    voice.shutdown_timeout(Duration::from_secs(2));
    served
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

struct Signals {
    term: Signal,
    interrupt: Signal,
    hup: Signal,
}

impl Signals {
    fn new() -> Result<Self, ServeError> {
        let on = |kind| signal(kind).map_err(ServeError::io("signals"));
        Ok(Self {
            term: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hup: on(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hup.recv() => Asked::Reload,
        }
    }

    async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}

async fn serve(desk: Desk, voice: Handle, rest: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
    let mut signals = Signals::new()?;
    let phase = PhaseCell::default();
    let (reloads, asked) = mpsc::channel::<ReloadRequest>(RELOADS);
    let (stop_http, http_stops) = watch::channel(false);
    let (stop_projector, projector_stops) = watch::channel(false);
    let orders = desk.orders.clone();

    let db = Db::open(&desk.config.database.url(), OpenOptions::default()).await?;
    let db = db.with_pushes(Arc::clone(&desk.pushes));
    if desk.demo {
        let calendar = Arc::clone(&desk.shop.live.get().calendar);
        fill_demo(&db, desk.clock, &Tables::shipped(calendar, desk.zone.clone())).await;
    }
    let clock = desk.clock;
    let wall: Arc<dyn Fn() -> i64 + Send + Sync> = Arc::new(move || clock.wall_ms());
    let projector = Projector::new(db.clone(), desk.config.node);
    tokio::spawn(publish_projector(projector.gauge(), desk.board.clone()));
    let keeping = Keeping::new(&desk.config, db.clone(), desk.zone.clone(), desk.clock, projector.gauge());
    let keeping = tokio::spawn(keeping.run(desk.board.clone()));
    let source = journal::Reader::open(&desk.config.journal.dir, &desk.config.data.join("keys"))
        .and_spare(desk.config.journal.spare_dir.as_deref())
        .bounded_by(Arc::clone(&desk.news));
    let projecting = tokio::spawn(projector.run(source, Arc::clone(&desk.durable), projector_stops));
    tokio::spawn(tell_reachable(db.clone(), orders.clone(), desk.promised));
    tokio::spawn(answer_lookups(db.clone(), desk.questions, orders.clone(), Arc::clone(&wall)));
    let reloading = tokio::spawn(answer_reloads(Arc::new(desk.reloader), asked));

    let door = Arc::new(Door {
        orders: orders.clone(),
        board: desk.board.clone(),
        phase: phase.clone(),
        reloads: reloads.clone(),
    });
    let cti = agents::start(
        &desk.config,
        desk.boot,
        agents::Local { zone: desk.zone.clone(), clock: desk.clock, voice },
        &desk.sip_at,
        &orders,
        desk.board.clone(),
        desk.from_engine,
        db.clone(),
    );
    let rostering = Rostering {
        desk: Arc::clone(&desk.roster),
        db: db.clone(),
        orders: orders.clone(),
        zone: desk.zone.clone(),
        clock: desk.clock,
        board: desk.board.clone(),
    };
    let rostering = tokio::spawn(rostering.run());
    let (stop_outbox, outbox_stops) = watch::channel(false);
    let tables = tables(desk.shop.live.clone(), desk.zone.clone());
    let mut outbox = outbox::Driver::new(db.clone(), outbox::Rules::of(&desk.config), desk.senders, tables);
    outbox.clock = Arc::clone(&wall);
    outbox.alarm = dead_letters(orders.clone());
    outbox.publish = published(desk.board.clone());
    let outbox = tokio::spawn(outbox.run(outbox_stops));
    let due =
        Due { db: db.clone(), live: desk.shop.live.clone(), zone: desk.zone.clone(), clock: desk.clock };
    let due = tokio::spawn(due.run());
    let urging = Urging {
        db: db.clone(),
        door: Arc::clone(&door),
        live: desk.shop.live.clone(),
        zone: desk.zone.clone(),
        clock: desk.clock,
        board: desk.board.clone(),
    };
    let urging = tokio::spawn(urging.run());
    tokio::spawn(index_tickets(db.clone()));
    let old_numbers = tokio::spawn(old_numbers::tell(db.clone(), desk.zone.clone(), orders.clone()));
    let sessions = tokio::spawn(sessions::tell(db.clone(), desk.zone.clone(), desk.clock, orders.clone()));
    let (first, known) = oneshot::channel();
    let directory = tokio::spawn(agents::directory(db.clone(), desk.queues, orders.clone(), first));
    let phone =
        if desk.demo { demo_phone::start(&desk.config, &desk.sip_at, desk.board.clone()) } else { None };
    let parts = ApiParts {
        phone,
        cti: Some(cti),
        roster: desk.roster,
        db: db.clone(),
        engine: Arc::<Door>::clone(&door),
        metrics: door,
        works: Arc::new(desk.shop),
        recordings: desk.config.recording.dir.clone(),
        pictures: desk.config.data.join("pictures"),
        zone: desk.zone.clone(),
        clock: wall,
        origins: desk.config.http.origins.clone(),
        https: desk.config.http.https,
        city: city_door(&desk.config.city),
    };
    let limits = ApiLimits {
        session_ms: i64::from(desk.config.http.session_s) * 1000,
        body_max: desk.config.http.max_body_kib as usize * 1024,
        sign_in_tries: desk.config.http.sign_in_tries,
        export_rows: desk.config.ticket.export_rows,
        demo: desk.demo,
        public: public_limits(&desk.config.public),
    };
    let api = Api::with_limits(parts, limits);
    let counts = Arc::clone(&api.counts);
    // Pages that waited for a restart come at once: who may work here is known by then, or the database is away.
    let _ = timeout(DIRECTORY_WAIT, known).await;
    let http =
        tokio::spawn(api::serve(desk.http, api::router(api), counts, ServeLimits::default(), http_stops));
    phase.set(Phase::Serving);
    if desk.demo {
        demo::tell(&desk.config, &desk.sip_at, desk.http_at);
    }

    while signals.next().await == Asked::Reload {
        let (to, _) = oneshot::channel();
        if reloads.try_send(to).is_err() {
            tracing::warn!("reload: too many are waiting; this one is dropped");
        }
    }
    phase.set(Phase::Draining);
    tracing::info!("draining");
    drain(&orders, &mut signals, Duration::from_secs(desk.config.limits.drain_s.into())).await;
    orders.give(Order::Stop);
    // A database task thread: it only waits for the two threads.
    let _ = tokio::task::spawn_blocking(rest).await;
    let _ = stop_projector.send(true);
    desk.durable.notify_one();
    let _ = timeout(Duration::from_secs(15), projecting).await;
    let _ = stop_http.send(true);
    let _ = timeout(Duration::from_secs(10), http).await;
    // What was just written still gets its try with the next start; what is being sent may end.
    let _ = stop_outbox.send(true);
    let _ = timeout(Duration::from_secs(6), outbox).await;
    reloading.abort();
    keeping.abort();
    directory.abort();
    old_numbers.abort();
    sessions.abort();
    rostering.abort();
    due.abort();
    urging.abort();
    db.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Until nobody is on the line, the limit has passed, or a second signal came; then what is left is ended.
async fn drain(orders: &Orders, signals: &mut Signals, limit: Duration) {
    orders.give(Order::Drain);
    let until = Instant::now() + limit;
    while live(orders).await.is_none_or(|(calls, _)| calls > 0) && Instant::now() < until {
        tokio::select! {
            () = signals.stop() => break,
            () = sleep(LOOK) => {}
        }
    }
    orders.give(Order::EndAll);
    let until = Instant::now() + CLOSING;
    while live(orders).await.is_none_or(|(_, closing)| closing > 0) && Instant::now() < until {
        sleep(LOOK).await;
    }
}

/// Live calls and closing legs; `None` when the engine does not answer.
async fn live(orders: &Orders) -> Option<(usize, usize)> {
    let (to, answer) = oneshot::channel();
    if !orders.give(Order::Request(Request::Status, to)) {
        return None;
    }
    match timeout(Duration::from_secs(1), answer).await {
        Ok(Ok(Reply::Status(status))) => Some((status.live_calls, status.closing_legs)),
        _ => None,
    }
}

async fn answer_reloads(reloader: Arc<super::reload::Reloader>, mut asked: mpsc::Receiver<ReloadRequest>) {
    while let Some(answer) = asked.recv().await {
        let reloader = Arc::clone(&reloader);
        let outcome = tokio::task::spawn_blocking(move || reloader.reload()).await;
        // Nobody waits for the answer of a signal's reload.
        let _ = answer.send(outcome.unwrap_or_else(|error| Err(vec![error.to_string()])));
    }
}

/// What tickets are judged by now.
fn tables(live: InForce, zone: jiff::tz::TimeZone) -> Arc<dyn Fn() -> Tables + Send + Sync> {
    let (district, rules) = (Arc::new(District::shipped()), Arc::new(RuleBook::shipped()));
    Arc::new(move || Tables {
        district: Arc::clone(&district),
        rules: Arc::clone(&rules),
        calendar: Arc::clone(&live.get().calendar),
        zone: zone.clone(),
    })
}

fn dead_letters(orders: Orders) -> Arc<dyn Fn(&str) + Send + Sync> {
    Arc::new(move |id| {
        orders.give(Order::Agent(ToEngine::DeadLetter { note: id.into() }));
    })
}

fn published(board: Board) -> Arc<dyn Fn(Vec<Sample>) + Send + Sync> {
    Arc::new(move |samples| board.publish("outbox", samples))
}

/// The demonstration's users and tickets; tried until the database takes them.
async fn fill_demo(db: &Db, clock: Clock, tables: &Tables) {
    loop {
        let hash = || crate::auth::password::hash(crate::store::demo::PASSWORD);
        let filled = match db.migrate().await {
            Ok(()) => crate::store::demo::fill(db, clock.wall_ms(), tables, hash).await,
            Err(error) => Err(error),
        };
        match filled {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "demo data"),
        }
        sleep(DB_RETRY).await;
    }
}

/// By which the city's 12345 is known; without a secret it has no door.
fn city_door(of: &config::City) -> Option<CityDoor> {
    let secret = of.secret.as_ref()?.reveal().to_owned();
    Some(CityDoor { secret, window_s: of.window_s.into() })
}

fn public_limits(of: &config::Public) -> PublicLimits {
    PublicLimits {
        enabled: of.enabled,
        messages: of.messages_per_hour,
        wrong: of.wrong_per_hour,
        acts: of.acts_per_hour,
        photos: of.photos as usize,
        photo_bytes: (of.photo_mib as usize) << 20,
    }
}

/// Tickets from before there was a search can be found too, a moment after the start.
async fn index_tickets(db: Db) {
    let mut after = (i64::MIN, String::new());
    loop {
        match db.index_tickets(&after).await {
            Ok(Some(last)) => after = last,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "tickets that cannot be found yet");
                sleep(DB_RETRY).await;
            }
        }
    }
}

/// What the tickets of open callbacks say of calling: the engine forgot it with the last process.
async fn tell_reachable(db: Db, orders: Orders, promised: Vec<CallId>) {
    for call in promised {
        let name = call.to_string();
        let ticket = loop {
            match timeout(ASKS, db.ticket(&name, &Scope::All)).await {
                Ok(Ok(ticket)) => break ticket,
                Ok(Err(_)) | Err(_) => sleep(DB_RETRY).await,
            }
        };
        let Some(ticket) = ticket else { continue };
        let reachable = Reachable::of(ticket.notify.as_deref(), ticket.safe_time.as_deref());
        let saved =
            TicketSaved { done: ticket.state != "draft", opened: false, state: ticket.state, reachable };
        loop {
            let (answer, told) = oneshot::channel();
            if orders.give(Order::Request(Request::TicketSaved { call, saved: saved.clone() }, answer)) {
                let _ = told.await;
                break;
            }
            sleep(DB_RETRY).await;
        }
    }
}

async fn publish_projector(gauge: Arc<ProjectorGauge>, board: Board) {
    loop {
        board.publish("projector", super::samples::projector(&gauge));
        sleep(Duration::from_millis(250)).await;
    }
}
