//! Five hundred agents' pages and three hundred callers in line, against the real server, on this machine.
//!
//! `cargo build --release && cargo run --release --example cti_load -- [pages] [callers]`
//!
//! The server is `hotline serve` in a process of its own. Of the pages, which are real websockets signed in over HTTP and watching the
//! floor as the panel does (from nine offices' addresses), three in ten take calls with a desk phone (registered by SIP with digest, answering hands free, with
//! voice); the others are logged in with a browser whose sound is never proven, and change their reason now and then. Callers dial by
//! SIP, with voice both ways. Clock and cores are shared by the server and this load, so the figures hold this program's time too.
//!
//! Prints figures beside what was asked. Ends with a failure when something did not work, never because of a time.

// The telephone of the tests; what it can do beside messages is not needed here.
#[path = "../../tests/it/support/caller.rs"]
#[expect(dead_code, reason = "a test's telephone: only its messages are used here")]
mod caller;
#[path = "../../tests/it/support/level.rs"]
#[expect(dead_code, reason = "belongs to the telephone")]
mod level;

mod bad;
mod figures;
mod lines;
mod pages;
mod server;
mod wire;

use figures::{Figure, Kind, Spread, Usage};
use lines::Lines;
use pages::{Job, Order, Page, Shared};
use server::Server;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};

type Failure = Box<dyn Error>;

/// Pages in ten that take calls.
const WORKING: usize = 3;
const FILL_PER_S: usize = 20;
/// A page that has not taken so many of them stands still.
const ORDERS: usize = 64;
const WORK: Duration = Duration::from_secs(40);
const QUIET: Duration = Duration::from_secs(20);

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let pages = args.next().map_or(Ok(500), |text| text.parse())?;
    let callers = args.next().map_or(Ok(300), |text| text.parse())?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(run(pages, callers))
}

/// A stretch of the day, with what the server used in it.
struct Phase {
    name: String,
    usage: (f64, Vec<(String, f64)>),
    resident_kib: u64,
}

struct Load {
    server: Server,
    shared: Arc<Shared>,
    orders: Vec<mpsc::Sender<Order>>,
    phases: Vec<Phase>,
    working: usize,
}

async fn run(pages: usize, callers: usize) -> Result<(), Failure> {
    let working = pages * WORKING / 10;
    let name = |n: usize| format!("{}", 10_001 + n);
    let phones: Vec<String> = (0..working).map(|n| format!("p{}", name(n))).collect();
    let users: Vec<(String, &str)> =
        (0..pages + bad::ALL).map(|n| (name(n), if n % 50 == 49 { "lead" } else { "agent" })).collect();
    let server = Server::start(&users, &phones).await?;
    let lines = Lines::open(server.udp)?;
    let shared = Arc::new(Shared {
        at: server.http,
        lines,
        phase: AtomicUsize::new(usize::MAX),
        quiet: AtomicBool::new(false),
        live: AtomicUsize::new(0),
        logged_in: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
        gaps: AtomicUsize::new(0),
        cuts: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        figures: Mutex::default(),
        trouble: Mutex::default(),
    });
    let names: Vec<String> = users.iter().map(|(name, _)| name.clone()).collect();
    let begun = Instant::now();
    let tokens = sign_in(server.http, &names).await?;
    println!("{} sign-ins over HTTP in {:.1} s", tokens.len(), begun.elapsed().as_secs_f64());
    for phone in &phones {
        shared.lines.register(phone);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut load = Load { server, shared, orders: Vec::new(), phases: Vec::new(), working };
    load.until("the desk phones are registered", |load| load.shared.lines.registered() >= working).await?;
    let mut tasks = Vec::new();
    for (n, token) in tokens.iter().take(pages).enumerate() {
        let (orders, ordered) = mpsc::channel(ORDERS);
        load.orders.push(orders);
        let job = phones.get(n).map_or(Job::Restless, |phone| Job::Calls { phone: phone.clone() });
        let page = Page::new(Arc::clone(&load.shared), name(n), token.clone(), job, n as u64 * 2_654_435_761);
        tasks.push(tokio::spawn(page.run(ordered)));
    }
    load.day(pages, callers, &tokens[pages..]).await?;
    load.tell_all(Order::Stop);
    for task in tasks {
        task.await?;
    }
    load.report(pages, callers).await
}

async fn sign_in(at: std::net::SocketAddr, names: &[String]) -> Result<Vec<String>, Failure> {
    let client = reqwest::Client::new();
    // Hashing is the server's work and memory: a few at a time, as people come.
    let few = Arc::new(Semaphore::new(4));
    let mut tasks = Vec::new();
    for name in names {
        let (client, few, name) = (client.clone(), Arc::clone(&few), name.clone());
        tasks.push(tokio::spawn(async move {
            let _one = few.acquire_owned().await?;
            pages::sign_in(&client, at, &name).await
        }));
    }
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await?.map_err(|e| e.to_string())?);
    }
    Ok(tokens)
}

impl Load {
    fn tell_all(&self, order: Order) {
        for page in &self.orders {
            page.try_send(order).expect("a page takes its orders");
        }
    }

    async fn until(&self, what: &str, so: impl Fn(&Self) -> bool) -> Result<Duration, Failure> {
        let begun = Instant::now();
        while !so(self) {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err(format!("after a minute still not: {what}; {}", self.trouble()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(begun.elapsed())
    }

    fn trouble(&self) -> String {
        let all = self.shared.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        format!("{} complaints, the first: {:?}", all.len(), &all[..all.len().min(5)])
    }

    /// Figures from now on belong to this phase, until the work is done.
    async fn phase(
        &mut self,
        name: &str,
        work: impl AsyncFnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let before = Usage::of(self.server.pid())?;
        self.shared.phase.store(self.phases.len(), Relaxed);
        let (begun, answered) = (Instant::now(), self.shared.answered.load(Relaxed));
        self.shared.lines.seen(|seen| seen.pickups.clear());
        work(self).await?;
        let after = Usage::of(self.server.pid())?;
        self.shared.phase.store(usize::MAX, Relaxed);
        let phase = self.phases.len();
        let pickups = self.shared.lines.seen(|seen| std::mem::take(&mut seen.pickups));
        let mut figures = self.shared.figures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        figures.extend(pickups.iter().map(|(_, took)| Figure {
            phase,
            kind: Kind::Pickup,
            us: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        }));
        drop(figures);
        let answered = self.shared.answered.load(Relaxed) - answered;
        let name = format!("{name} ({:.0} s, {answered} calls answered)", begun.elapsed().as_secs_f64());
        self.phases.push(Phase { name, usage: after.since(&before), resident_kib: after.resident_kib });
        Ok(())
    }

    async fn day(&mut self, pages: usize, callers: usize, bad: &[String]) -> Result<(), Failure> {
        let all_live = |load: &Self| load.shared.live.load(Relaxed) == pages;
        let took = self.until("all pages are live", all_live).await?;
        println!("{pages} pages live {:.2} s after they opened at once", took.as_secs_f64());
        self.phase("all log in at once", async |load| {
            load.tell_all(Order::Login);
            let all = |load: &Self| load.shared.logged_in.load(Relaxed) >= pages;
            let took = load.until("all are logged in", all).await?;
            println!("{pages} log-ins at once, each told to {pages}: {:.2} s", took.as_secs_f64());
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(())
        })
        .await?;
        for resume in [true, false] {
            let what = if resume { "with resume" } else { "for a snapshot" };
            self.phase(&format!("all come back at once {what}"), async |load| {
                load.tell_all(Order::ComeBack { resume });
                tokio::time::sleep(Duration::from_millis(20)).await;
                let took = load.until("all pages are back", all_live).await?;
                println!("{pages} pages back at once {what}: {:.2} s", took.as_secs_f64());
                Ok(())
            })
            .await?;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        self.phase("callers enter, nobody is ready", async |load| load.fill(callers).await).await?;
        self.phase("a line of callers, agents at work", async |load| {
            load.tell_all(Order::Ready);
            load.keep(callers, WORK).await
        })
        .await?;
        let (over, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(bad::Seen::default()));
        let mut clients = bad::unleash(self.server.http, bad, &over, &seen);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.phase("the same beside bad clients", async |load| load.keep(callers, WORK).await).await?;
        over.store(true, Relaxed);
        while clients.join_next().await.is_some() {}
        println!(
            "bad clients: {} sockets in {} hands, {} frames, {} close frames seen",
            bad::ALL,
            ["fuzzed", "too fast or large", "half-open", "not reading"].join(", "),
            seen.sent.load(Relaxed),
            seen.closed.load(Relaxed)
        );
        self.shared.lines.everybody_hangs_up();
        self.until("the lines are empty", |load| load.shared.lines.calls() == 0).await?;
        tokio::time::sleep(Duration::from_secs(4)).await;
        self.shared.quiet.store(true, Relaxed);
        self.shared.lines.seen(|seen| (seen.in_line.clear(), seen.rung.clear()));
        let free = self.working;
        self.phase("free agents, a caller now and then", async |load| {
            let begun = Instant::now();
            while begun.elapsed() < QUIET {
                // Never more than there are agents for.
                if load.shared.lines.calls() < free / 2 {
                    load.shared.lines.call()?;
                }
                tokio::time::sleep(Duration::from_millis(170)).await;
            }
            Ok(())
        })
        .await
    }

    async fn fill(&self, callers: usize) -> Result<(), Failure> {
        for _ in 0..callers {
            self.shared.lines.call()?;
            tokio::time::sleep(Duration::from_secs(1) / u32::try_from(FILL_PER_S)?).await;
        }
        self.until("all callers are in line", |load| load.shared.lines.calls() == callers).await?;
        Ok(())
    }

    /// As many in line all the time: for each one that was answered another calls.
    async fn keep(&self, callers: usize, time: Duration) -> Result<(), Failure> {
        let (begun, before) = (Instant::now(), self.shared.answered.load(Relaxed));
        let mut more = 0;
        while begun.elapsed() < time {
            let answered = self.shared.answered.load(Relaxed) - before;
            if more < answered {
                more += 1;
                self.shared.lines.call()?;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if self.shared.lines.calls() < callers / 2 {
            return Err(format!("only {} calls are left", self.shared.lines.calls()).into());
        }
        Ok(())
    }

    async fn report(&self, pages: usize, callers: usize) -> Result<(), Failure> {
        let shared = &self.shared;
        let mut figures = shared.figures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        // Both maps are of the last phase alone.
        let phase = self.phases.len() - 1;
        shared.lines.seen(|seen| {
            for (number, rung) in &seen.rung {
                if let Some(since) = seen.in_line.get(number) {
                    let took = rung.saturating_duration_since(*since).as_micros();
                    let us = i64::try_from(took).unwrap_or(i64::MAX);
                    figures.push(Figure { phase, kind: Kind::PhoneRing, us });
                }
            }
        });
        println!(
            "\n{pages} pages ({} take calls by desk phone), {callers} callers in line; milliseconds",
            self.working
        );
        println!("{:<44} {:>8} {:>9} {:>9} {:>9} {:>6}", "", "count", "p50", "p99", "worst", "asked");
        let everything = [Kind::Own, Kind::Floor, Kind::Queue];
        for (n, phase) in self.phases.iter().enumerate() {
            println!("{}", phase.name);
            let asked = match n {
                4 => Some(100.0),
                5 => Some(50.0),
                _ => None,
            };
            let rows: [(&str, &[Kind], Option<f64>); 8] = [
                ("all events, engine to page", &everything, asked.or(Some(100.0).filter(|_| n > 2))),
                ("  about oneself", &[Kind::Own], None),
                ("  about colleagues", &[Kind::Floor], None),
                ("command to answer", &[Kind::Answer], None),
                ("free to the next call's offer", &[Kind::NextOffer], None),
                ("caller in line to call.offered", &[Kind::Ring], Some(300.0)),
                ("caller in line to the desk phone's INVITE", &[Kind::PhoneRing], Some(300.0)),
                ("INVITE to 200", &[Kind::Pickup], None),
            ];
            for (what, kinds, asked) in rows {
                let spread = Spread::of(&figures, n, kinds);
                if spread.len() == 0 {
                    continue;
                }
                let asked = asked.map_or(String::new(), |ms| format!("{ms:.0}"));
                println!(
                    "  {what:<42} {:>8} {:>9.1} {:>9.1} {:>9.1} {asked:>6}",
                    spread.len(),
                    spread.at(0.5),
                    spread.at(0.99),
                    spread.at(1.0)
                );
            }
            let by: Vec<String> = phase.usage.1.iter().map(|(name, p)| format!("{name} {p:.1}")).collect();
            println!(
                "  the server: {:.1} % of a core ({}), {} MiB resident",
                phase.usage.0,
                by.join(", "),
                phase.resident_kib / 1024
            );
        }
        let lost = self.server.metric("hotline_agent_words_lost").await?;
        let (gaps, cuts) = (shared.gaps.load(Relaxed), shared.cuts.load(Relaxed));
        let refused = shared.lines.refused();
        println!(
            "{:.1} MB to good pages; words lost {lost}, gaps {gaps}, good pages cut {cuts}, calls refused {refused}",
            shared.bytes.load(Relaxed) as f64 / 1e6
        );
        for reason in ["too_fast", "binary", "too_big", "broken", "silent", "slow"] {
            let name = format!("hotline_cti_cuts_total{{reason=\"{reason}\"}}");
            print!("cut {reason}: {}  ", self.server.metric(&name).await?);
        }
        println!();
        if lost > 0.0 || gaps + cuts + refused > 0 {
            return Err(self.trouble().into());
        }
        Ok(())
    }
}
