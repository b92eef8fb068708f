//! The interface as a client meets it: the real router behind the real accept loop, on both databases.

mod attacks;
mod city;
mod cti;
mod exporting;
mod knowledge;
mod leader;
mod linking;
mod looping;
mod numbers;
mod outbox;
mod paper;
mod public;
mod reading;
mod roster;
mod saving;
mod signing_in;
mod uploading;
mod works;

use super::{
    Api, ApiParts, Counts, EngineAway, EngineHandle, EngineStatus, LiveCall, MetricsSource, Phase,
    ServeLimits, router, serve,
};
use crate::auth::{Role, password};
use crate::base::CallId;
use crate::call::agents::seam::Refused;
use crate::call::agents::testing::DialTest;
use crate::cti::CtiHandle;
use crate::store::projector::Projector;
use crate::store::tests::facts::{Book, NINE};
use crate::store::{Db, User, demo};
use futures_util::future::BoxFuture;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;

pub const PASSWORD: &str = "demo-12341";
/// What the city signs with.
pub const CITY_SECRET: &str = "city and district";

/// An engine with one call in progress, which can be hung up, and reloads that may be refused.
pub struct OneCall {
    pub up: Mutex<bool>,
    pub phase: Mutex<Phase>,
    pub reload: Mutex<Result<(), Vec<String>>>,
    /// What the engine was told of tickets.
    pub tickets: Mutex<Vec<(CallId, bool, String)>>,
    /// Dial tests it was asked for.
    pub tests: Mutex<Vec<DialTest>>,
    /// Numbers drawn by the desk.
    pub drawn: Mutex<u32>,
    /// Times that leads were told of guessed codes.
    pub guessed: Mutex<u32>,
}

pub const LIVE: CallId = CallId { node: 1, boot: 2, n: 1 };

impl EngineHandle for OneCall {
    fn live_calls(&self) -> BoxFuture<'_, Result<Vec<LiveCall>, EngineAway>> {
        let call = LiveCall {
            id: LIVE.to_string(),
            caller: Some("12000000005".into()),
            called: "12341".into(),
            trunk: "carrier".into(),
            state: "ivr".into(),
            queue: None,
            agent: None,
            started_at: NINE,
            answered_at: Some(NINE + 20),
            path: vec!["welcome".into()],
            codec: Some("PCMA".into()),
        };
        let up = *self.up.lock().unwrap();
        Box::pin(async move { Ok(if up { vec![call] } else { Vec::new() }) })
    }
    fn status(&self) -> EngineStatus {
        let phase = *self.phase.lock().unwrap();
        EngineStatus { phase, sip: true, journal: true, media: true, live_calls: 1 }
    }
    fn hang_up(&self, call: CallId) -> BoxFuture<'_, Result<bool, EngineAway>> {
        let was_up = call == LIVE && std::mem::take(&mut *self.up.lock().unwrap());
        Box::pin(async move { Ok(was_up) })
    }
    fn floor(&self) -> BoxFuture<'_, Result<crate::call::Floor, EngineAway>> {
        Box::pin(async { Ok(floor()) })
    }
    fn ticket_saved(
        &self,
        call: CallId,
        saved: crate::call::TicketSaved,
    ) -> BoxFuture<'_, Result<(), EngineAway>> {
        self.tickets.lock().unwrap().push((call, saved.done, saved.state));
        Box::pin(async { Ok(()) })
    }
    fn why(&self, call: CallId) -> BoxFuture<'_, Result<Option<crate::call::Why>, EngineAway>> {
        let why = (call == LIVE).then(why);
        Box::pin(async move { Ok(why) })
    }
    fn dial_test(&self, test: DialTest) -> BoxFuture<'_, Result<Result<CallId, Refused>, EngineAway>> {
        // As the engine's own rules: one of a number at a time.
        let mut tests = self.tests.lock().unwrap();
        let begun = match tests.iter().any(|one| one.number == test.number) {
            true => Err(Refused::TargetBusy),
            false => Ok(CallId { node: 1, boot: 1, n: 70 + tests.len() as u64 }),
        };
        tests.push(test);
        Box::pin(async move { Ok(begun) })
    }
    fn codes_guessed(&self) -> BoxFuture<'_, ()> {
        *self.guessed.lock().unwrap() += 1;
        Box::pin(async {})
    }
    fn draw_number(&self) -> BoxFuture<'_, Result<(String, String), EngineAway>> {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn += 1;
        let stem = format!("261123{:05}", 50_000 + *drawn);
        let number = format!("{stem}{}", crate::ticket::number::check_digit(&stem));
        Box::pin(async move { Ok((number, "654321".to_owned())) })
    }
    fn peers(&self) -> BoxFuture<'_, Result<Vec<crate::call::PeerState>, EngineAway>> {
        Box::pin(async { Ok(works::peers()) })
    }
    fn reload(&self) -> BoxFuture<'_, Result<Result<(), Vec<String>>, EngineAway>> {
        let outcome = self.reload.lock().unwrap().clone();
        Box::pin(async move { Ok(outcome) })
    }
}

fn floor() -> crate::call::Floor {
    use crate::call::agents::seam::{AgentState, Colleague, Device, QueueStats};
    crate::call::Floor {
        queues: vec![QueueStats {
            queue: "main".into(),
            waiting: 2,
            longest_since_ms: Some(NINE),
            stated_ms: Some(120_000),
            staffed: 3,
            free: 0,
            talking: 2,
            wrap_up: 1,
            callbacks: 4,
        }],
        agents: vec![Colleague {
            agent: "8001".into(),
            state: AgentState::NotReady { reason: "meal".into() },
            since_ms: NINE,
            device: Some(Device::Browser),
            call: None,
        }],
    }
}

fn why() -> crate::call::Why {
    use crate::call::{Chosen, Kept, Why};
    let waited =
        vec![Kept { from_ms: NINE, to_ms: NINE + 41_000, cause: "all_talking", agent: None, served: None }];
    let chosen = vec![Chosen {
        at_ms: NINE + 41_000,
        agent: "8003".into(),
        rule: "longest_idle",
        free: 2,
        considered: vec!["8003".into(), "8001".into()],
    }];
    Why { waited, chosen }
}

impl MetricsSource for OneCall {
    fn text(&self) -> String {
        "hotline_live_calls 1\n# EOF\n".into()
    }
}

/// A desk that is being served.
pub struct Desk {
    pub db: Db,
    pub engine: Arc<OneCall>,
    pub url: String,
    pub dir: tempfile::TempDir,
    /// Milliseconds the desk's clock is ahead of nine o'clock.
    pub later: Arc<AtomicI64>,
    pub counts: Arc<Counts>,
    pub roster: Arc<super::RosterDesk>,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// The demonstration's roster as of the desk's morning.
fn demo_files() -> super::RosterFiles {
    let today = jiff::Timestamp::from_millisecond(NINE).unwrap();
    let today = today.to_zoned_datetime(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date();
    let (roster, problems) = crate::roster::demo_roster(today);
    assert!(problems.is_empty(), "{problems:?}");
    let text = include_str!("../../../district/calendar/2026.toml").to_owned();
    let (calendar, _) = crate::roster::Calendar::read(&[("2026.toml".to_owned(), text)]);
    super::RosterFiles { roster, calendar, binds: true }
}

/// One hash for all users of all tests: hashing is slow on purpose.
fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| password::hash(PASSWORD).unwrap())
}

impl Desk {
    /// A morning of calls, the demo's tickets, and a user for each role, named like it.
    pub async fn open(db: Db) -> Self {
        let mut projector = Projector::new(db.clone(), 1);
        if projector.position().await.unwrap() == 0 {
            projector.apply(&Book::morning().0).await.unwrap();
            demo::fill(&db, NINE, &crate::store::tests::tables(), || {
                Ok::<_, std::convert::Infallible>(password_hash().to_owned())
            })
            .await
            .unwrap();
            for role in Role::ALL {
                let user = User {
                    name: format!("as-{}", role.label().replace('_', "-")),
                    display: role.label().into(),
                    unit: matches!(role, Role::Unit | Role::UnitHead).then(|| "rl".into()),
                    roles: vec![role.label().into()],
                    disabled: false,
                    created_at: NINE,
                    work: crate::store::Work::default(),
                };
                db.add_user(&user, password_hash()).await.unwrap();
            }
        }
        Self::serve(db, ServeLimits::default()).await
    }

    pub async fn serve(db: Db, limits: ServeLimits) -> Self {
        Self::serve_as(db, limits, false).await
    }

    /// `https`: as behind a proxy that ends TLS.
    pub async fn serve_as(db: Db, limits: ServeLimits, https: bool) -> Self {
        Self::serve_with(db, limits, https, None).await
    }

    /// With the agents' websockets.
    pub async fn serve_with(db: Db, limits: ServeLimits, https: bool, cti: Option<CtiHandle>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let later = Arc::new(AtomicI64::new(0));
        let engine = Arc::new(OneCall {
            up: Mutex::new(true),
            phase: Mutex::new(Phase::Serving),
            reload: Mutex::new(Ok(())),
            tickets: Mutex::default(),
            tests: Mutex::default(),
            drawn: Mutex::default(),
            guessed: Mutex::default(),
        });
        let clock = Arc::clone(&later);
        let roster = Arc::new(super::RosterDesk::new(demo_files()));
        let parts = ApiParts {
            phone: None,
            cti,
            roster: Arc::clone(&roster),
            db: db.clone(),
            engine: Arc::<OneCall>::clone(&engine),
            metrics: Arc::<OneCall>::clone(&engine),
            works: Arc::new(works::Plain::default()),
            recordings: dir.path().to_owned(),
            pictures: dir.path().join("pictures"),
            zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
            clock: Arc::new(move || NINE + clock.load(Relaxed)),
            origins: Vec::new(),
            city: Some(crate::api::CityDoor { secret: CITY_SECRET.to_owned(), window_s: 300 }),
            https,
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stops) = watch::channel(false);
        let api = Api::new(parts);
        let counts = Arc::clone(&api.counts);
        let served = tokio::spawn(serve(listener, router(api), Arc::clone(&counts), limits, stops));
        Self { db, engine, url, dir, later, counts, roster, stop, served }
    }

    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        static CLIENT: OnceLock<Client> = OnceLock::new();
        // Each test has a runtime of its own: connections are not kept from one to the next.
        let client = CLIENT.get_or_init(|| Client::builder().pool_max_idle_per_host(0).build().unwrap());
        client.request(method, [self.url.as_str(), path].concat())
    }

    /// Signs in and gives the bearer token.
    pub async fn token(&self, name: &str) -> String {
        let (status, body) = self.sign_in(name, PASSWORD).await;
        assert_eq!(status, StatusCode::OK, "{name}: {body}");
        body["token"].as_str().unwrap().to_owned()
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> (StatusCode, Json) {
        let body = json!({"username": name, "password": password}).to_string();
        let request =
            self.ask(Method::POST, "/api/v1/session").header("content-type", "application/json").body(body);
        answer(request).await
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Json) {
        answer(self.ask(Method::GET, path).bearer_auth(token)).await
    }

    pub async fn close(self) {
        self.stop.send(true).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

pub async fn answer(request: RequestBuilder) -> (StatusCode, Json) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let body =
        if text.is_empty() { Json::Null } else { serde_json::from_str(&text).unwrap_or(Json::String(text)) };
    (status, body)
}

/// Tells the story to a desk on each database.
pub fn on_both<F: Future<Output = Desk>>(story: impl Fn(Desk) -> F) {
    crate::store::tests::on_both(|db| async {
        let desk = story(Desk::open(db).await).await;
        desk.close().await;
    });
}

/// On SQLite only, for what has nothing to do with the database.
pub fn on_sqlite<F: Future<Output = Desk>>(story: impl Fn(Desk) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let db = crate::store::tests::sqlite(dir.path()).await;
        let desk = story(Desk::open(db.clone()).await).await;
        desk.close().await;
        db.close().await;
    });
}
