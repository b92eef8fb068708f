//! Agents' pages: each signs in over HTTP, opens its websocket, watches the floor as the panel does, and works.

use super::figures::{Figure, Kind};
use super::lines::Lines;
use super::server::PASSWORD;
use super::wire::{CLOSE, PING, TEXT, Wire};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

type Failure = Box<dyn Error + Send + Sync>;

/// What a page does all day.
#[derive(Clone, Debug)]
pub enum Job {
    /// Takes calls with a desk phone.
    Calls { phone: String },
    /// Logged in with a browser whose sound is never proven; says another reason now and then.
    Restless,
}

/// What the load asks of pages.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Login,
    /// To work: who takes calls is ready, the others change their reasons.
    Ready,
    /// The line breaks and the page comes back, with its number or asking for a snapshot.
    ComeBack {
        resume: bool,
    },
    Stop,
}

/// What all pages share.
pub struct Shared {
    pub at: SocketAddr,
    pub lines: Lines,
    /// The phase figures belong to; `usize::MAX`: none.
    pub phase: AtomicUsize,
    /// Citizens meet free agents: offers are measured from their arrival.
    pub quiet: AtomicBool,
    pub live: AtomicUsize,
    pub logged_in: AtomicUsize,
    /// Answered calls.
    pub answered: AtomicUsize,
    pub gaps: AtomicUsize,
    /// Sockets that the server closed.
    pub cuts: AtomicUsize,
    pub bytes: AtomicUsize,
    pub figures: Mutex<Vec<Figure>>,
    pub trouble: Mutex<Vec<String>>,
}

impl Shared {
    pub fn complain(&self, what: String) {
        self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(what);
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    seq: Option<u64>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    re: Option<Cow<'a, str>>,
    ok: Option<bool>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Default, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    caller: Option<Cow<'a, str>>,
    #[serde(borrow)]
    call: Option<Cow<'a, str>>,
    resume: Option<u64>,
    resumed: Option<bool>,
}

/// A generator that needs nothing.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn between(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        Duration::from_millis(least_ms + self.roll(most_ms - least_ms))
    }
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// How long a frame with this `at` was under way, µs. Both clocks are this machine's; `at` is cut to the millisecond, in China's time.
fn under_way(at: &str, now: i64) -> Option<i64> {
    const DAY: i64 = 86_400_000_000;
    let part = |from: usize, to: usize| at.get(from..to)?.parse::<i64>().ok();
    let seconds = part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?;
    let sent = (seconds * 1000 + part(20, 23)?) * 1000;
    let now = (now + 8 * 3_600_000_000) % DAY;
    Some((now - sent + DAY / 2).rem_euclid(DAY) - DAY / 2)
}

/// The frames there are most of, read without a parser: number, `at`, and whom it is about (`None`: a queue).
fn common(text: &str) -> Option<(u64, &str, Option<&str>)> {
    let (seq, rest) = text.strip_prefix("{\"seq\":")?.split_once(",\"event\":\"")?;
    let (event, rest) = rest.split_once("\",\"at\":\"")?;
    let (at, rest) = rest.split_once("\",\"data\":{")?;
    let about = match event {
        "queue.stats" => None,
        "agent.state" => Some(rest.strip_prefix("\"agent\":\"")?.split('"').next()?),
        _ => return None,
    };
    Some((seq.parse().ok()?, at, about))
}

pub async fn sign_in(client: &reqwest::Client, at: SocketAddr, name: &str) -> Result<String, Failure> {
    let body = json!({"username": name, "password": PASSWORD});
    let answer = client.post(format!("http://{at}/api/v1/session")).json(&body).send().await?;
    let status = answer.status();
    let body: Value = answer.json().await?;
    body["token"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("sign-in of {name}: {status} {body}").into())
}

/// What an agent does next, and when.
#[derive(Clone, Debug)]
enum Next {
    HangUp,
    FinishWrapUp,
    Fidget,
}

pub struct Page {
    shared: Arc<Shared>,
    name: String,
    token: String,
    job: Job,
    dice: Dice,
    seq: Option<u64>,
    next_id: u64,
    asked: HashMap<String, (&'static str, Instant)>,
    due: Option<(Instant, Next)>,
    /// Wants calls, and said so at this moment.
    free_since: Option<Instant>,
    state: String,
    figures: Vec<Figure>,
}

enum Came {
    Stop,
    Back { resume: bool },
}

/// What a frame means to the line.
#[derive(PartialEq, Eq)]
enum Heard {
    Event,
    /// The page has where to go on from.
    Whole,
    /// So too, and the floor has to be watched anew.
    Snapshot,
}

impl Page {
    pub fn new(shared: Arc<Shared>, name: String, token: String, job: Job, seed: u64) -> Self {
        Self {
            shared,
            name,
            token,
            job,
            dice: Dice(seed | 1),
            seq: None,
            next_id: 0,
            asked: HashMap::new(),
            due: None,
            free_since: None,
            state: String::new(),
            figures: Vec::new(),
        }
    }

    /// Until it is told to stop.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            // Offices of sixty.
            let office = u8::try_from(self.name.parse::<u32>().unwrap_or(0) / 60 % 250).unwrap_or(0);
            let whence = Ipv4Addr::new(127, 0, 1, office + 1);
            let came = match Wire::open(self.shared.at, whence, &self.token, self.seq).await {
                Ok(socket) => self.live(socket, &mut orders).await,
                Err(why) => Err(why),
            };
            match came {
                Ok(Came::Stop) => break,
                Ok(Came::Back { resume }) => self.seq = self.seq.filter(|_| resume),
                Err(why) => {
                    self.shared.cuts.fetch_add(1, Relaxed);
                    self.shared.complain(format!("{}: {why}", self.name));
                    // As the panel: a random pause.
                    tokio::time::sleep(self.dice.between(500, 1_500)).await;
                }
            }
        }
        let mut all = self.shared.figures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.append(&mut self.figures);
    }

    async fn live(&mut self, mut socket: Wire, orders: &mut mpsc::Receiver<Order>) -> Result<Came, Failure> {
        let mut counted = Counted(None);
        loop {
            let due =
                self.due.as_ref().map_or_else(|| Instant::now() + Duration::from_secs(60), |(at, _)| *at);
            tokio::select! {
                order = orders.recv() => match order {
                    None | Some(Order::Stop) => {
                        return Ok(Came::Stop);
                    }
                    Some(Order::ComeBack { resume }) => return Ok(Came::Back { resume }),
                    Some(order) => self.ordered(&mut socket, order).await?,
                },
                () = tokio::time::sleep_until(due.into()) => {
                    if let Some((_, next)) = self.due.take() {
                        self.act(&mut socket, next).await?;
                    }
                }
                more = socket.more() => {
                    if !more? {
                        return Err("the server has closed".into());
                    }
                    self.read(&mut socket, &mut counted).await?;
                }
            }
        }
    }

    /// Whatever has come.
    async fn read(&mut self, socket: &mut Wire, counted: &mut Counted) -> Result<(), Failure> {
        let (now, heard) = (now_us(), Instant::now());
        while let Some((kind, at)) = socket.next() {
            self.shared.bytes.fetch_add(at.len(), Relaxed);
            match kind {
                TEXT => {
                    let what = self.hear(std::str::from_utf8(socket.payload(at))?, now, heard)?;
                    if what != Heard::Event && counted.0.is_none() {
                        *counted = Counted::of(&self.shared);
                    }
                    if what == Heard::Snapshot {
                        self.send(socket, "queue.watch", json!({"queues": ["people"]})).await?;
                    }
                }
                PING => socket.pong().await?,
                CLOSE => {
                    let payload = socket.payload(at);
                    let code = payload.first().zip(payload.get(1)).map(|(a, b)| u16::from_be_bytes([*a, *b]));
                    return Err(format!("closed: {code:?}").into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn send(&mut self, socket: &mut Wire, cmd: &'static str, mut fields: Value) -> Result<(), Failure> {
        self.next_id += 1;
        let id = format!("{}-{}", self.name, self.next_id);
        fields["id"] = json!(id);
        fields["cmd"] = json!(cmd);
        self.asked.insert(id, (cmd, Instant::now()));
        socket.send(&fields.to_string()).await
    }

    async fn ordered(&mut self, socket: &mut Wire, order: Order) -> Result<(), Failure> {
        match (order, &self.job) {
            (Order::Login, Job::Calls { phone }) => {
                let device = json!({"device": phone});
                self.send(socket, "agent.login", device).await?;
            }
            (Order::Login, Job::Restless) => self.send(socket, "agent.login", json!({})).await?,
            (Order::Ready, Job::Calls { .. }) => {
                self.free_since = Some(Instant::now());
                self.send(socket, "agent.ready", json!({})).await?;
            }
            (Order::Ready, Job::Restless) => {
                self.due = Some((Instant::now() + self.dice.between(0, 30_000), Next::Fidget));
            }
            (Order::ComeBack { .. } | Order::Stop, _) => {}
        }
        Ok(())
    }

    async fn act(&mut self, socket: &mut Wire, next: Next) -> Result<(), Failure> {
        match next {
            Next::HangUp => self.send(socket, "call.hangup", json!({})).await?,
            Next::FinishWrapUp => {
                self.free_since = Some(Instant::now());
                self.send(socket, "wrapup.finish", json!({})).await?;
            }
            Next::Fidget => {
                let reason = ["training", "paperwork", "meeting"][self.dice.roll(3) as usize];
                self.send(socket, "agent.not_ready", json!({"reason": reason})).await?;
                self.due = Some((Instant::now() + self.dice.between(15_000, 45_000), Next::Fidget));
            }
        }
        Ok(())
    }

    fn figure(&mut self, kind: Kind, us: i64) {
        let phase = self.shared.phase.load(Relaxed);
        if phase != usize::MAX {
            self.figures.push(Figure { phase, kind, us });
        }
    }

    fn counted(&mut self, seq: u64) {
        if self.seq.is_some_and(|last| seq != last + 1) {
            self.shared.gaps.fetch_add(1, Relaxed);
            self.shared.complain(format!("{}: {seq} after {:?}", self.name, self.seq));
        }
        self.seq = Some(seq);
    }

    fn hear(&mut self, text: &str, now: i64, heard: Instant) -> Result<Heard, Failure> {
        if let Some((seq, at, about)) = common(text)
            && about.is_none_or(|agent| agent != self.name)
        {
            self.counted(seq);
            if let Some(us) = under_way(at, now) {
                self.figure(if about.is_some() { Kind::Floor } else { Kind::Queue }, us);
            }
            return Ok(Heard::Event);
        }
        let frame: Frame<'_> = serde_json::from_str(text)?;
        if let Some(re) = &frame.re {
            self.answered(re, frame.ok == Some(true), text, heard);
            return Ok(Heard::Event);
        }
        let (event, data) = (frame.event.as_deref().unwrap_or_default(), frame.data.unwrap_or_default());
        match (event, frame.seq) {
            ("hello", _) if data.resumed == Some(true) => {
                self.seq = data.resume;
                return Ok(Heard::Whole);
            }
            ("hello" | "heartbeat", _) => return Ok(Heard::Event),
            ("snapshot", seq) => {
                self.seq = seq;
                return Ok(Heard::Snapshot);
            }
            (_, Some(seq)) => self.counted(seq),
            (_, None) => {}
        }
        if let Some(us) = frame.at.as_deref().and_then(|at| under_way(at, now)) {
            self.figure(Kind::Own, us);
        }
        if data.agent.as_deref().is_none_or(|agent| agent == self.name) {
            self.work(event, &data, heard);
        }
        Ok(Heard::Event)
    }

    fn answered(&mut self, re: &str, ok: bool, text: &str, heard: Instant) {
        let Some((cmd, sent)) = self.asked.remove(re) else { return };
        self.figure(Kind::Answer, micros(heard - sent));
        if cmd == "agent.login" && ok {
            self.shared.logged_in.fetch_add(1, Relaxed);
        }
        // A call may end, and wrap-up too, while we ask for it.
        if !ok && !["call.hangup", "wrapup.finish"].contains(&cmd) {
            self.shared.complain(format!("{}: {cmd}: {text}", self.name));
        }
    }

    /// What this agent does about what he is told.
    fn work(&mut self, event: &str, data: &Data<'_>, heard: Instant) {
        let caller = data.caller.as_deref().unwrap_or_default();
        match event {
            "call.offered" => {
                let in_line = self.shared.lines.seen(|seen| seen.in_line.get(caller).copied());
                if self.shared.quiet.load(Relaxed) {
                    if let Some(since) = in_line {
                        self.figure(Kind::Ring, micros(heard.saturating_duration_since(since)));
                    }
                } else if let (Some(since), Some(in_line)) = (self.free_since.take(), in_line)
                    && in_line < since
                {
                    self.figure(Kind::NextOffer, micros(heard - since));
                }
            }
            "call.answered" => {
                self.shared.answered.fetch_add(1, Relaxed);
                let until = heard + self.dice.between(10_000, 25_000);
                // Half of the calls are ended by the citizen.
                if self.dice.roll(2) == 0 {
                    self.shared.lines.hang_up(caller, until);
                } else {
                    self.due = Some((until, Next::HangUp));
                }
            }
            "call.ended" if data.call.is_some() => self.due = None,
            "agent.state" => {
                data.state.as_deref().unwrap_or_default().clone_into(&mut self.state);
                if self.state == "wrap_up" {
                    self.due = Some((heard + self.dice.between(500, 2_000), Next::FinishWrapUp));
                }
            }
            _ => {}
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// A page counted as live as long as this lives.
struct Counted(Option<Arc<Shared>>);

impl Counted {
    fn of(shared: &Arc<Shared>) -> Self {
        shared.live.fetch_add(1, Relaxed);
        Self(Some(Arc::clone(shared)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.live.fetch_sub(1, Relaxed);
        }
    }
}
