//! `hotline serve`: from a configuration to a running server, and back down in order.

use super::assets::{self, AssetError};
use super::binder::Binder;
use super::build::{self, Bound};
use super::clock::Clock;
use super::desk_thread::{self, Desk};
use super::engine_thread::{Driver, Parts};
use super::kernel;
use super::lock::{self, DataDirError, DataLock};
use super::metrics::Board;
use super::outbox;
use super::reload::Reloader;
use super::sockets::{self, BindError};
use super::voice::Voice;
use super::works::{InForce, Live, Shop};
use crate::acd::Needs;
use crate::api::RosterDesk;
use crate::call::callbacks::RestoredCallback;
use crate::call::fact::Fact;
use crate::call::{Engine, Input};
use crate::config::Config;
use crate::journal::{self, Journal, News, Recovered};
use crate::media::source::Local;
use crate::media::{recorder, worker};
use crate::net::{Net, TcpLimits};
use crate::ticket::number::Blocks;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// What `hotline serve` was told.
pub struct Options {
    pub config: Config,
    /// Reads the configuration again for a reload: every problem in one text.
    pub again: Box<dyn Fn() -> Result<Config, String> + Send + Sync>,
    pub demo: bool,
    /// `--now`: how far the wall clock is moved, milliseconds.
    pub wall_shift_ms: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Assets(#[from] AssetError),
    #[error(transparent)]
    Outbox(#[from] outbox::BadSender),
    #[error("journal: {0}")]
    Journal(#[from] journal::OpenError),
    #[error("database: {0}")]
    Database(#[from] crate::store::OpenError),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
}

impl ServeError {
    pub(super) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Facts between the engine and the journal; the engine keeps more while this is full.
const FACTS: usize = 65_536;
/// Questions of walks to the database that may wait.
const LOOKUPS: usize = 1_024;
/// Words for agents on their way to the sessions.
const AGENT_WORDS: usize = 16_384;

/// Every socket of the control plane, bound before anything is promised.
struct Listening {
    udp: Vec<UdpSocket>,
    tcp: Vec<TcpListener>,
    http: TcpListener,
    bound: Bound,
    http_at: SocketAddr,
}

/// Runs until SIGTERM has been carried out. Returns once everything is on disk.
pub fn serve(options: Options) -> Result<(), ServeError> {
    kernel::no_huge_pages();
    let config = &options.config;
    check_files(config);
    let lock = lock::take(&config.data)?;
    let listening = listen(config)?;
    let bound = listening.bound.clone();
    let zone = build::zone(config);
    let read_at = std::time::SystemTime::now();
    let assets = assets::load(config)?;
    let senders = outbox::senders(config)?;
    let clock = Clock::start(options.wall_shift_ms);

    let (journal, recovered) = Journal::open(journal_options(config), clock.wall_ms())?;
    report(&recovered);
    let news = Arc::new(News::starting_at(recovered.next_seq));
    let (facts, from_engine) = crossbeam_channel::bounded(FACTS);
    let (lookups, questions) = tokio::sync::mpsc::channel(LOOKUPS);
    let (agents, from_agents) = tokio::sync::mpsc::channel(AGENT_WORDS);
    let board = Board::default();

    let engine_config = build::engine_config(
        config,
        &bound,
        &assets,
        zone.clone(),
        recovered.boot,
        recovered.next_seq,
        seed()?,
    );
    let queues = engine_config.queues.iter().map(|(name, _)| Arc::clone(name)).collect();
    let numbers = Blocks::restored(&recovered.number_blocks, config.ticket.number_block);
    let engine = Engine::new(engine_config, numbers);
    let net =
        Net::new(listening.udp, listening.tcp, tcp_limits(config)).map_err(ServeError::io("SIP sockets"))?;
    let (voice, recorder) = start_voice(config, &bound, &assets, clock, net.waker())?;
    let parts = Parts {
        engine,
        net,
        voice,
        clock,
        facts,
        news: Arc::clone(&news),
        lookups,
        agents,
        board: board.clone(),
    };
    let (mut driver, orders) = Driver::new(parts);
    driver.give(Input::Wall { ms: clock.wall_ms() });
    driver.give(Input::Boot {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: build::config_hash(config),
    });
    driver.give(Input::LostByRestart(recovered.unended.clone()));
    let restored = promised(config, &recovered);
    let promised = restored.iter().map(|one| one.call).collect();
    driver.give(Input::RestoreCallbacks(restored));
    driver.give(Input::RestoreIntents(recovered.intents.clone()));
    assets::keep(&config.data, &assets.entry).map_err(ServeError::io("keeping the flow"))?;

    let durable = Arc::new(tokio::sync::Notify::new());
    let journal =
        start_journal(journal, from_engine, &news, orders.waker(), Arc::clone(&durable), board.clone())?;
    let engine = spawn("engine", move || {
        kernel::short_turns();
        if let Err(error) = driver.run() {
            tracing::error!(%error, "the engine's thread has ended");
        }
    })?;

    write_run_json(config, &bound, listening.http_at)?;
    let files = assets::roster_files(config, (*assets.roster).clone(), (*assets.calendar).clone());
    let files = if options.demo { assets::demo_files(files, clock.wall_ms(), &zone) } else { files };
    let roster = Arc::new(RosterDesk::new(files));
    let live = InForce::new(Live::new(config, &assets));
    let reloader = Reloader {
        roster: Arc::clone(&roster),
        demo: options.demo,
        again: options.again,
        bound: bound.clone(),
        boot: recovered.boot,
        prompts: Arc::clone(&assets.prompts),
        clips: Arc::clone(&assets.clips),
        book: Arc::clone(&assets.book),
        data: config.data.clone(),
        orders: orders.clone(),
        live: live.clone(),
    };
    let shop =
        Shop { live, prompts: Arc::clone(&assets.prompts), book: Arc::clone(&assets.book), started: read_at };
    let desk = Desk {
        config: options.config.clone(),
        demo: options.demo,
        zone,
        clock,
        orders: orders.clone(),
        promised,
        board,
        news,
        durable,
        questions,
        from_engine: from_agents,
        boot: recovered.boot,
        queues,
        http: listening.http,
        http_at: listening.http_at,
        sip_at: bound,
        reloader,
        roster,
        shop,
        pushes: Arc::clone(&assets.pushes),
        senders,
    };
    let served = desk_thread::run(desk, || {
        // The engine is the only sender of facts, so the journal ends when everything it was given is on disk.
        let _ = engine.join();
        let _ = journal.join();
        recorder.stop();
    });
    let _ = std::fs::remove_file(options.config.data.join(RUN_JSON));
    drop::<DataLock>(lock);
    served
}

fn listen(config: &Config) -> Result<Listening, ServeError> {
    let udp: Vec<UdpSocket> =
        config.sip.udp.iter().map(|addr| sockets::udp("sip.udp", *addr)).collect::<Result<_, _>>()?;
    let tcp: Vec<TcpListener> =
        config.sip.tcp.iter().map(|addr| sockets::tcp("sip.tcp", *addr)).collect::<Result<_, _>>()?;
    let http = sockets::tcp("http.listen", config.http.listen)?;
    let at = ServeError::io("bound address");
    let bound = Bound {
        udp: udp.iter().map(UdpSocket::local_addr).collect::<Result<_, _>>().map_err(at)?,
        tcp: tcp.first().map(TcpListener::local_addr).transpose().map_err(ServeError::io("bound address"))?,
    };
    let http_at = http.local_addr().map_err(ServeError::io("bound address"))?;
    Ok(Listening { udp, tcp, http, bound, http_at })
}

fn tcp_limits(config: &Config) -> TcpLimits {
    TcpLimits {
        connections: config.sip.tcp_max_connections,
        per_source: config.sip.tcp_max_per_source,
        ..TcpLimits::default()
    }
}

fn journal_options(config: &Config) -> journal::Options {
    journal::Options {
        node: config.node,
        dir: config.journal.dir.clone(),
        spare_dir: config.journal.spare_dir.clone(),
        keys_dir: config.data.join("keys"),
        segment_bytes: u64::from(config.journal.segment_mib) << 20,
        reserve_bytes: u64::from(config.journal.reserve_mib) << 20,
        commit: std::time::Duration::from_millis(config.journal.commit_ms.into()),
    }
}

/// The engine's one source of randomness.
fn seed() -> Result<[u8; 32], ServeError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| ServeError::Io {
        what: "random numbers",
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(seed)
}

/// Callbacks that were in line when the last process went away. Their numbers are in the requests' own facts; one whose key is gone, or
/// whose request is damaged, cannot be called: it comes without a number.
fn promised(config: &Config, recovered: &Recovered) -> Vec<RestoredCallback> {
    let options = journal_options(config);
    let mut reader =
        journal::Reader::open(&options.dir, &options.keys_dir).and_spare(options.spare_dir.as_deref());
    let mut open: Vec<_> = recovered.callbacks.0.iter().collect();
    open.sort_by_key(|(_, open)| open.seq);
    let mut restored = Vec::with_capacity(open.len());
    for (call, open) in open {
        let mut facts = Vec::new();
        // The number is drawn right after the request, where it was not drawn before.
        if let Err(error) = reader.read_after(open.seq.saturating_sub(1), 4, &mut facts) {
            tracing::error!(%error, %call, "a callback is lost: its request cannot be read");
            facts.clear();
        }
        let drawn = facts.iter().find_map(|stamped| match &stamped.fact {
            Fact::NumberDrawn { call: of, no, code } if of == call => {
                Some((Arc::from(no.as_str()), Arc::from(code.reveal())))
            }
            _ => None,
        });
        let asked = facts.into_iter().next().and_then(|first| match first.fact {
            Fact::CallbackRequested { call: of, number, queue, skills, .. } if of == *call => {
                Some((number, queue, skills, first.wall_ms))
            }
            _ => None,
        });
        // One without a number is over at once, and said to be: a promise does not vanish.
        let (number, asked_in, skills, asked_ms) = asked.unwrap_or_default();
        let queue = Arc::from(open.queue.as_deref().unwrap_or(&asked_in));
        restored.push(RestoredCallback {
            call: *call,
            number,
            queue,
            needs: Needs::new(skills.into_iter().map(|(skill, level)| (Arc::from(skill), level))),
            ticket: drawn,
            asked_ms,
            open: open.clone(),
        });
    }
    restored
}

fn report(recovered: &Recovered) {
    for problem in &recovered.damage {
        tracing::warn!(%problem, "journal");
    }
    tracing::info!(
        boot = recovered.boot,
        next = recovered.next_seq,
        unended = recovered.unended.len(),
        "journal opened"
    );
}

fn start_voice(
    config: &Config,
    bound: &Bound,
    assets: &super::Assets,
    clock: Clock,
    waker: Arc<mio::Waker>,
) -> Result<(Voice, recorder::RecorderHandle), ServeError> {
    let threads = match config.media.threads {
        0 => thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(1).max(1)),
        n => n,
    };
    let wake = || -> Box<dyn Fn() + Send> {
        let waker = Arc::clone(&waker);
        Box::new(move || drop(waker.wake()))
    };
    let (recorder, doors) =
        recorder::start(&config.recording.dir, threads, wake()).map_err(ServeError::io("recordings"))?;
    let (_, bind) = build::media_address(config, bound);
    let local = Local { bound: bind, ports: config.media.voice_ports() };
    let mut workers = Vec::with_capacity(threads);
    for (n, door) in doors.into_iter().enumerate() {
        let start = worker::Start {
            name: format!("media-{n}"),
            prompts: Arc::clone(&assets.prompts),
            recorder: door,
            clock: Box::new(move || clock.now()),
            waker: wake(),
            realtime: config.media.realtime,
            local: local.clone(),
            legs: config.limits.max_calls / threads + 64,
        };
        workers.push(worker::start(start).map_err(ServeError::io("media worker"))?);
    }
    let binder =
        Binder::start(bind, config.media.voice_ports(), wake()).map_err(ServeError::io("media ports"))?;
    Ok((Voice::new(workers, binder), recorder))
}

fn start_journal(
    journal: Journal,
    facts: crossbeam_channel::Receiver<Box<crate::call::fact::Stamped>>,
    news: &Arc<News>,
    engine: Arc<mio::Waker>,
    durable: Arc<tokio::sync::Notify>,
    board: Board,
) -> Result<JoinHandle<()>, ServeError> {
    let news = Arc::clone(news);
    spawn("journal", move || {
        kernel::short_turns();
        let told = Arc::clone(&news);
        journal.run(facts, &news, move || {
            let _ = engine.wake();
            durable.notify_one();
            board.publish("journal", super::samples::journal(&told));
        });
    })
}

/// Open files apart from two for each leg: the database, recordings, pages, listeners.
const OTHER_FILES: u64 = 1_000;

fn check_files(config: &Config) {
    let (may, needs) = (kernel::more_files(), config.limits.max_calls as u64 * 2 + OTHER_FILES);
    if may < needs {
        tracing::warn!(may, needs, "open files: fewer calls than max_calls will find a port");
    }
}

fn spawn(name: &'static str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServeError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(ServeError::io(name))
}

/// Where a running server's addresses stand, in its data folder.
pub const RUN_JSON: &str = "run.json";

/// Written whole or not at all: who waits for it reads all of it.
fn write_run_json(config: &Config, bound: &Bound, http: SocketAddr) -> Result<(), ServeError> {
    let run = serde_json::json!({
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "udp": bound.udp,
        "tcp": bound.tcp,
        "http": http,
    });
    let path = config.data.join(RUN_JSON);
    write_whole(&path, run.to_string().as_bytes()).map_err(ServeError::io("run.json"))
}

/// Through a neighbour's name, so that a reader never sees half of it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CallId;
    use crate::call::callbacks::{CallbackFold, OpenCallback};

    #[test]
    fn a_promise_whose_record_cannot_be_read_is_restored_without_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        (config.data, config.journal.dir) = (dir.path().to_owned(), dir.path().join("journal"));
        let call = CallId { node: 1, boot: 1, n: 1 };
        let open =
            OpenCallback { seq: 7, tries: 1, queue: Some("second".to_owned()), ..OpenCallback::default() };
        let recovered = Recovered {
            boot: 2,
            next_seq: 9,
            number_blocks: Default::default(),
            unended: Vec::new(),
            callbacks: CallbackFold([(call, open.clone())].into()),
            intents: Default::default(),
            damage: Vec::new(),
        };
        let restored = promised(&config, &recovered);
        assert_eq!(restored.len(), 1, "it does not vanish");
        assert!(restored[0].number.is_empty());
        assert_eq!((restored[0].call, &*restored[0].queue, &restored[0].open), (call, "second", &open));
    }
}
