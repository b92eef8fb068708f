//! `hotline city-sim`: plays the city's 12345 for tests and trials. It sends orders, takes what we push, rules on what is asked, calls
//! citizens back in its own way, and fails in every way it is told to.

use super::Failure;
use crate::channels::{SIGNATURE, Word, sign, verify};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What it sends without a file.
const SAMPLE: &str = include_str!("city_orders.json");
/// Pushes it remembers; more are refused.
const PUSHES_MAX: usize = 10_000;
/// Orders taken from a file or by hand.
const ORDERS_MAX: usize = 10_000;
/// What was not answered is sent again, so often and so far apart.
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(500);
const ANSWER: Duration = Duration::from_secs(5);
/// A slow answer takes this long, unless we are gone before.
const SLOW: Duration = Duration::from_secs(120);
/// A signature's time may be so far from ours, seconds.
const WINDOW_S: i64 = 300;

#[derive(clap::Args, Clone)]
pub struct Args {
    /// Where it takes pushes ([city] url of the hotline), and shows under /seen what it has seen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:12345")]
    listen: SocketAddr,
    /// The hotline whose city it is, like http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    hotline: String,
    /// The secret of both ([city] secret).
    #[arg(long, env = "HOTLINE__CITY__SECRET", hide_env_values = true)]
    secret: String,
    /// Orders to send: a JSON list of what POST /api/v1/city/orders takes; a deadline may be "+5d" or "+2h". Without it: a sample.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Send no order by itself; POST /orders makes it send one.
    #[arg(long, conflicts_with = "orders")]
    wait: bool,
    /// Refuse these (return, extension, exclusion, transfer); all others are granted.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', value_parser = asking)]
    refuse: Vec<Word>,
    /// Never rule on these.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', value_parser = asking)]
    silent: Vec<Word>,
    /// Answer 500 to the first N tries of each push of this kind, and take nothing: result=1.
    #[arg(long, value_name = "WORD=N", value_parser = fault)]
    fail: Vec<(Word, u32)>,
    /// Then take it, and break off the answer N times.
    #[arg(long, value_name = "WORD=N", value_parser = fault)]
    lose: Vec<(Word, u32)>,
    /// Then take it, and not answer in time N times.
    #[arg(long, value_name = "WORD=N", value_parser = fault)]
    slow: Vec<(Word, u32)>,
    /// Send each order and message so many times at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    again: u32,
    /// After a result: call the citizen back, and tell that he is satisfied.
    #[arg(long)]
    visit: bool,
    /// After a result: take off so many points.
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    points: Option<f64>,
}

fn word(text: &str) -> Result<Word, String> {
    let known = || Word::ALL.iter().map(|word| word.label()).collect::<Vec<_>>().join(", ");
    Word::read(text).ok_or_else(|| format!("one of {}", known()))
}

fn asking(text: &str) -> Result<Word, String> {
    word(text)
        .ok()
        .filter(|word| word.asks())
        .ok_or_else(|| "return, extension, exclusion or transfer".to_owned())
}

fn fault(text: &str) -> Result<(Word, u32), String> {
    let (name, n) = text.split_once('=').ok_or("a word and a number, like result=1")?;
    Ok((word(name)?, n.parse().map_err(|_| "a word and a number, like result=1")?))
}

/// A push as it was taken.
struct Push {
    word: Word,
    body: Json,
    /// Times it came, and of those, times it was taken.
    tries: u32,
    taken: u32,
}

/// What it knows; gone when it ends.
#[derive(Default)]
struct World {
    /// The hotline's numbers by ours, with how often each answer came.
    orders: BTreeMap<String, Vec<Json>>,
    pushes: BTreeMap<String, Push>,
    messages: Vec<Json>,
    receipts: u64,
}

struct Sim {
    args: Args,
    client: reqwest::Client,
    world: Mutex<World>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let orders = orders(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::new)?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().map_err(Failure::new)?;
        let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(Failure::new)?;
        let at = listener.local_addr().map_err(Failure::new)?;
        println!("{}", json!({"listening": at.to_string()}));
        let sim = Arc::new(Sim { args: args.clone(), client, world: Mutex::default() });
        for order in orders {
            tokio::spawn(Arc::clone(&sim).order(order));
        }
        let router = Router::new()
            .route("/seen", get(seen))
            .route("/orders", post(by_hand))
            .fallback(post(push))
            .with_state(sim);
        axum::serve(listener, router).await.map_err(Failure::new)
    })
}

fn orders(args: &Args) -> Result<Vec<Json>, Failure> {
    if args.wait {
        return Ok(Vec::new());
    }
    let text = match &args.orders {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?
        }
        None => SAMPLE.to_owned(),
    };
    let list: Vec<Json> = serde_json::from_str(&text).map_err(Failure::new)?;
    if list.len() > ORDERS_MAX {
        return Err(Failure::new(format!("more than {ORDERS_MAX} orders")));
    }
    Ok(list)
}

/// `+5d` and `+2h` from now.
fn moment(text: &str, now: jiff::Timestamp) -> Option<String> {
    let (number, unit) = text.strip_prefix('+')?.split_at_checked(text.len().checked_sub(2)?)?;
    let hours = number.parse::<i64>().ok()?.checked_mul(if unit == "d" { 24 } else { 1 })?;
    let at = now.checked_add(jiff::SignedDuration::from_hours(hours)).ok()?;
    (unit == "d" || unit == "h").then(|| at.to_string())
}

impl Sim {
    fn world(&self) -> MutexGuard<'_, World> {
        // Plain data: whoever panicked holding it left nothing half done.
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sends until somebody answers for good; the answer.
    async fn post(&self, path: &str, body: &Json) -> Option<(u16, Json)> {
        let url = format!("{}/api/v1/city/{path}", self.args.hotline.trim_end_matches('/'));
        let body = body.to_string();
        for _ in 0..TRIES {
            let seconds = jiff::Timestamp::now().as_second();
            let request = self
                .client
                .post(&url)
                .header("Content-Type", "application/json")
                .header(SIGNATURE, sign(&self.args.secret, seconds, body.as_bytes()))
                .body(body.clone());
            if let Ok(answer) = request.send().await {
                let status = answer.status().as_u16();
                // A body that breaks off is no answer.
                if let (Ok(text), true) = (answer.text().await, status < 500) {
                    return Some((status, serde_json::from_str(&text).unwrap_or(Json::String(text))));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    async fn post_all(&self, path: &str, body: &Json) -> Vec<Json> {
        let sends = (0..self.args.again).map(|_| self.post(path, body));
        let told = futures_util::future::join_all(sends).await.into_iter().flatten();
        told.map(|(status, answer)| json!({"status": status, "answer": answer})).collect()
    }

    async fn order(self: Arc<Self>, mut order: Json) {
        let now = jiff::Timestamp::now();
        for (_, at) in order["deadlines"].as_object_mut().into_iter().flatten() {
            if let Some(absolute) = at.as_str().and_then(|text| moment(text, now)) {
                *at = absolute.into();
            }
        }
        let no = order["city_no"].as_str().unwrap_or_default().to_owned();
        let answers = self.post_all("orders", &order).await;
        println!("{}", json!({"order": no, "answers": answers}));
        self.world().orders.entry(no).or_default().extend(answers);
    }

    async fn message(self: Arc<Self>, message: Json) {
        let answers = self.post_all("messages", &message).await;
        println!("{}", json!({"message": message["id"], "kind": message["kind"], "answers": answers}));
        self.world().messages.push(json!({"message": message, "answers": answers}));
    }

    /// What it says because of a push it has taken for the first time.
    fn replies(&self, id: &str, word: Word, body: &Json, n: u64) -> Vec<Json> {
        let city_no = &body["city_no"];
        if word.asks() && !self.args.silent.contains(&word) {
            let granted = !self.args.refuse.contains(&word);
            let reason = if granted { "同意" } else { "不同意，请继续办理" };
            let city_no =
                if word == Word::Transfer { json!(format!("12345SIM{n:06}")) } else { city_no.clone() };
            return vec![
                json!({"id": format!("d-{id}"), "kind": "decision", "city_no": city_no, "about": id,
                "granted": granted, "reason": reason}),
            ];
        }
        let mut messages = Vec::new();
        if word == Word::Result && self.args.visit {
            messages.push(
                json!({"id": format!("v-{id}"), "kind": "visit", "city_no": city_no, "contacted": true,
                "solved": "yes", "satisfied": "satisfied", "reason": "市民表示满意"}),
            );
        }
        if let (Word::Result, Some(points)) = (word, self.args.points) {
            messages.push(
                json!({"id": format!("p-{id}"), "kind": "points", "city_no": city_no, "points": points,
                "reason": "按市级考核扣分"}),
            );
        }
        messages
    }
}

fn told(status: StatusCode, body: &Json) -> Response {
    (status, axum::Json(body.clone())).into_response()
}

/// Something the hotline tells it.
async fn push(State(sim): State<Arc<Sim>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let now = jiff::Timestamp::now().as_second();
    if let Err(why) = verify(&sim.args.secret, header, &body, now, WINDOW_S) {
        return told(StatusCode::UNAUTHORIZED, &json!({"error": why.to_string()}));
    }
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    let (id, word) = (body["id"].as_str(), body["word"].as_str().and_then(Word::read));
    let (Some(id), Some(word)) = (id.map(str::to_owned), word) else {
        return told(StatusCode::BAD_REQUEST, &json!({"error": "id and word are needed"}));
    };
    let of =
        |faults: &[(Word, u32)]| faults.iter().filter(|(one, _)| *one == word).map(|(_, n)| n).sum::<u32>();
    let (fail, lose, slow) = (of(&sim.args.fail), of(&sim.args.lose), of(&sim.args.slow));
    let (tries, replies, receipt) = {
        let mut world = sim.world();
        if world.pushes.len() >= PUSHES_MAX && !world.pushes.contains_key(&id) {
            return told(StatusCode::SERVICE_UNAVAILABLE, &json!({"error": "full"}));
        }
        world.receipts += 1;
        let n = world.receipts;
        let entry = world.pushes.entry(id.clone()).or_insert_with(|| Push {
            word,
            body: body.clone(),
            tries: 0,
            taken: 0,
        });
        entry.tries += 1;
        let tries = entry.tries;
        if tries > fail {
            entry.taken += 1;
        }
        let first = entry.taken == 1 && tries > fail;
        let replies = if first { sim.replies(&id, word, &body, n) } else { Vec::new() };
        (tries, replies, format!("R-{id}"))
    };
    println!("{}", json!({"push": id, "word": word.label(), "city_no": body["city_no"], "try": tries}));
    if tries <= fail {
        return told(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "told to fail"}));
    }
    for reply in replies {
        tokio::spawn(Arc::clone(&sim).message(reply));
    }
    if tries <= fail + lose {
        // The head promises more than ever comes.
        let broken = futures_util::stream::iter([
            Ok(Bytes::from_static(b"{\"receipt\"")),
            Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe)),
        ]);
        return Response::new(Body::from_stream(broken));
    }
    if tries <= fail + lose + slow {
        tokio::time::sleep(SLOW).await;
    }
    told(StatusCode::OK, &json!({"receipt": receipt}))
}

/// An order by hand.
async fn by_hand(State(sim): State<Arc<Sim>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Json>(&body) {
        Ok(order) if sim.world().orders.len() < ORDERS_MAX => {
            tokio::spawn(sim.order(order));
            told(StatusCode::ACCEPTED, &json!({}))
        }
        _ => told(StatusCode::BAD_REQUEST, &json!({"error": "an order"})),
    }
}

/// All it has seen.
async fn seen(State(sim): State<Arc<Sim>>) -> axum::Json<Json> {
    let world = sim.world();
    let push = |(id, push): (&String, &Push)| {
        json!({"id": id, "word": push.word.label(), "city_no": push.body["city_no"], "tries": push.tries,
            "taken": push.taken, "body": push.body})
    };
    let pushes: Vec<Json> = world.pushes.iter().map(push).collect();
    axum::Json(json!({"orders": world.orders, "pushes": pushes, "messages": world.messages}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::{GivenOrder, Order};
    use crate::ticket::cycle::ClockName;
    use crate::ticket::district::District;

    #[test]
    fn deadlines_may_count_from_now() {
        let now = "2026-12-03T09:05:00Z".parse().unwrap();
        assert_eq!(moment("+5d", now).as_deref(), Some("2026-12-08T09:05:00Z"));
        assert_eq!(moment("+2h", now).as_deref(), Some("2026-12-03T11:05:00Z"));
        for other in ["", "+", "5d", "+5m", "+xd", "2026-12-08T09:05:00Z", "+天"] {
            assert_eq!(moment(other, now), None, "{other}");
        }
    }

    #[test]
    fn faults_and_words_are_read_or_told() {
        assert_eq!(fault("result=2"), Ok((Word::Result, 2)));
        assert!(fault("result").is_err() && fault("dance=1").is_err() && fault("sign=x").is_err());
        assert_eq!(asking("return"), Ok(Word::Return));
        assert!(asking("sign").is_err(), "nobody rules on that");
    }

    #[test]
    fn the_sample_are_orders() {
        let list: Vec<Json> = serde_json::from_str(SAMPLE).unwrap();
        assert!(list.len() >= 3);
        for order in list {
            let text = |name: &str| order[name].as_str().map(str::to_owned);
            let given = GivenOrder {
                city_no: text("city_no").unwrap(),
                kind: text("type"),
                category: text("category"),
                street: text("street"),
                content: text("content"),
                number: text("number"),
                secrecy: text("secrecy"),
                callback: text("callback"),
                due: vec![(ClockName::Close, 1)],
                ..GivenOrder::default()
            };
            Order::read(given, &District::shipped(), true, 0).unwrap();
        }
    }
}
