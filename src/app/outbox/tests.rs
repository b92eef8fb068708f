//! The driver against receivers that do what receivers do: a small HTTP server, a small SMTP server, and none.

use super::{Driver, Rules, Senders, http, senders};
use crate::config::Config;
use crate::outbox::{ALL, Kind, Limits, Mode, State};
use crate::outbox::{Book, SHIPPED, Settings, Units};
use crate::store::tests::{level, on_both, tables};
use crate::store::{Db, NewTicket, OutboxFilter, OutboxRow, Page, TicketAct};
use crate::ticket::cycle::{Hand, Step, Who, Wish};
use crate::ticket::number::check_digit;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// 2026-11-23 09:00 in Beijing.
const NINE: i64 = 1_795_395_600_000;
const MINUTE: i64 = 60_000;

#[derive(Clone, Debug, Default, PartialEq)]
struct Got {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// How a receiver answers one request.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Status, headers, body.
    Says(u16, &'static str, &'static str),
    /// Takes it in and says nothing.
    Silent,
    /// Takes it in and hangs up.
    HangsUp,
}

const FINE: Way = Way::Says(200, "", "{\"code\":0,\"data\":{\"id\":\"gw-7\"}}");

/// A receiver that answers as it is told, the last way for ever.
#[derive(Clone)]
struct Receiver {
    at: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    ways: Arc<Mutex<VecDeque<Way>>>,
    more: Arc<Notify>,
}

impl Receiver {
    async fn start(ways: &[Way]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            at: listener.local_addr().unwrap(),
            got: Arc::default(),
            ways: Arc::new(Mutex::new(ways.iter().copied().collect())),
            more: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        receiver
    }

    async fn serve(self, stream: tokio::net::TcpStream) {
        let mut stream = BufReader::new(stream);
        loop {
            let Some(got) = request(&mut stream).await else { return };
            self.got.lock().unwrap().push(got);
            let way = {
                let mut ways = self.ways.lock().unwrap();
                if ways.len() > 1 { ways.pop_front().unwrap() } else { ways[0] }
            };
            self.more.notify_waiters();
            match way {
                Way::Says(status, headers, body) => {
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
                Way::Silent => {
                    let _ = stream.read_u8().await;
                    return;
                }
                Way::HangsUp => return,
            }
        }
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn request(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<Got> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
    let mut got = Got { path: line.split(' ').nth(1)?.to_owned(), ..Got::default() };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        got.headers.push((name.to_owned(), value.to_owned()));
    }
    let mut body = vec![0; got.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    got.body = String::from_utf8(body).ok()?;
    Some(got)
}

/// The time all drivers of a test go by.
#[derive(Clone)]
struct World {
    now: Arc<AtomicI64>,
    alarms: Arc<AtomicU64>,
}

impl World {
    fn new() -> Self {
        Self { now: Arc::new(AtomicI64::new(NINE)), alarms: Arc::default() }
    }

    fn driver(&self, db: &Db, config: &Config) -> Driver {
        let rules = Rules {
            timeout: Duration::from_millis(300),
            limits: Limits { tries: 4, first_ms: 10_000, longest_ms: 60_000 },
            ..Rules::of(config)
        };
        let (now, alarms) = (Arc::clone(&self.now), Arc::clone(&self.alarms));
        let mut driver = Driver::new(db.clone(), rules, senders(config).unwrap(), Arc::new(tables));
        driver.clock = Arc::new(move || now.load(SeqCst));
        driver.alarm = Arc::new(move |_| {
            alarms.fetch_add(1, SeqCst);
        });
        driver
    }

    fn later(&self, ms: i64) -> i64 {
        self.now.fetch_add(ms, SeqCst) + ms
    }
}

/// Everything that is due now, tried once.
async fn turn(driver: &Driver) {
    let letters = driver.take(64).await.unwrap();
    futures_util::future::join_all(letters.into_iter().map(|letter| driver.clone().deliver(letter))).await;
}

fn config(text: &str) -> Config {
    Config::from_str_named(text, Path::new("hotline.toml"), std::iter::empty())
        .unwrap_or_else(|p| panic!("{p}"))
}

fn sms_config(mode: &str, at: SocketAddr) -> Config {
    config(&format!(
        "[outbox]\nmode = \"{mode}\"\ntimeout_ms = 300\nmobiles = [\"120000\"]\n\
         [outbox.sms]\nurl = \"http://{at}/send\"\nauthorization = \"Bearer hush\"\naccepted = '\"code\":0'\nreceipt = \"/data/id\"\n\
         body = '{{\"mobile\":\"{{to}}\",\"content\":\"{{text}}\",\"msg_id\":\"{{id}}\"}}'\n"
    ))
}

fn with_book(db: Db) -> Db {
    let settings = Settings {
        city: false,
        zone: tables().zone,
        link: Some("https://12341.example/public/".into()),
        mobiles: vec!["120000".into()],
        units: [(ALL.to_owned(), Units { webhook: true, mail: true })].into(),
    };
    db.with_pushes(Arc::new(Book::read("pushes.toml", SHIPPED).0.with(settings)))
}

/// A ticket that was withdrawn: one SMS.
async fn withdrawn(db: &Db, n: u32) {
    act(db, n, Hand::Agent, Step::Withdraw, Wish { reason: Some("本人撤诉".into()), ..Wish::default() })
        .await;
}

/// A ticket that was dispatched: a webhook and a mail.
async fn dispatched(db: &Db, n: u32) {
    let wish = Wish { lead: Some("rl".into()), brief: Some("室温低".into()), ..Wish::default() };
    act(db, n, Hand::Dispatcher, Step::Dispatch, wish).await;
}

async fn act(db: &Db, n: u32, hand: Hand, step: Step, wish: Wish) {
    let stem = format!("261123{n:05}");
    let id = format!("t-out-{n}");
    let new = NewTicket {
        id: id.clone(),
        no: format!("{stem}{}", check_digit(&stem)),
        code: "483920".into(),
        state: "accepted".into(),
        channel: "web".into(),
        kind: "help".into(),
        category: "030101".into(),
        street: Some("110102019".into()),
        urgency: "U".into(),
        title: "建功南里不热".into(),
        content: "王女士家只有十五度".into(),
        caller: Some("12000000001".into()),
        secrecy: "normal".into(),
        created_at: NINE,
        actor: "system".into(),
        ..NewTicket::default()
    };
    db.add_ticket(&new).await.unwrap();
    let ticket = db.ticket(&id, &crate::store::Scope::All).await.unwrap().unwrap();
    let hands = [hand];
    let act = TicketAct {
        name: &id,
        who: Who { user: "8001", hands: &hands, unit: None },
        at: NINE,
        version: ticket.version,
        step,
        wish: &wish,
    };
    let outcome = db.act_on_ticket(act, &tables()).await.unwrap();
    assert!(matches!(outcome, crate::store::ActOutcome::Done(_)), "{outcome:?}");
}

async fn rows(db: &Db) -> Vec<OutboxRow> {
    let page = Page { limit: 500, after: None };
    db.outbox(&OutboxFilter::default(), &page).await.unwrap().items
}

fn until_all_are(db: &Db, state: State) {
    let look = || {
        let rows = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(rows(db)));
        rows.iter().all(|row| row.state == state).then_some(())
    };
    level::until(state.label(), Duration::from_secs(60), look);
}

async fn only(db: &Db) -> OutboxRow {
    let rows = rows(db).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

#[test]
fn nothing_leaves_the_house_in_test_mode_but_what_is_for_the_allow_list() {
    on_both(|db| async move {
        let db = with_book(db);
        let receiver = Receiver::start(&[FINE]).await;
        let world = World::new();
        let mut config = sms_config("test", receiver.at);
        withdrawn(&db, 1).await;
        dispatched(&db, 2).await;
        let driver = world.driver(&db, &config);
        turn(&driver).await;
        let held = rows(&db).await;
        assert_eq!(held.len(), 3);
        assert!(held.iter().all(|row| row.state == State::Held && row.tries == 0), "{held:?}");
        assert!(
            held.iter().any(|row| row.text.contains("261123000018")),
            "what would have been sent is to be seen"
        );
        assert_eq!(receiver.got(), []);

        config.outbox.allow = vec!["12000000001".into()];
        withdrawn(&db, 3).await;
        turn(&world.driver(&db, &config)).await;
        let got = receiver.got();
        assert_eq!(got.len(), 1);
        assert!(got[0].body.contains("12000000001"), "{}", got[0].body);
        assert_eq!(rows(&db).await.iter().filter(|row| row.state == State::Sent).count(), 1);
    });
}

#[test]
fn an_sms_goes_by_the_template_with_its_key_and_no_word_about_anybody() {
    on_both(|db| async move {
        let db = with_book(db);
        let receiver = Receiver::start(&[FINE]).await;
        let world = World::new();
        withdrawn(&db, 1).await;
        turn(&world.driver(&db, &sms_config("live", receiver.at))).await;
        let got = receiver.got();
        let [got] = &got[..] else { panic!("{got:?}") };
        let row = only(&db).await;
        assert_eq!((got.path.as_str(), got.header("authorization")), ("/send", "Bearer hush"));
        assert_eq!(got.header("idempotency-key"), row.id);
        let body: serde_json::Value = serde_json::from_str(&got.body).unwrap();
        assert_eq!(
            (body["mobile"].as_str(), body["msg_id"].as_str()),
            (Some("12000000001"), Some(row.id.as_str()))
        );
        let text = body["content"].as_str().unwrap();
        assert!(text.starts_with("【西城12341】编号261123000018"), "{text}");
        for personal in ["王", "建功", "不热", "十五度", "12000000001", "撤诉"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        assert_eq!((row.state, row.receipt.as_deref(), row.tries), (State::Sent, Some("gw-7"), 1));
    });
}

#[test]
fn what_fails_is_tried_again_and_later_each_time_until_it_is_dead() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let receiver =
            Receiver::start(&[Way::Says(500, "", ""), Way::Silent, Way::HangsUp, Way::Says(503, "", "")])
                .await;
        let config = sms_config("live", receiver.at);
        let driver = world.driver(&db, &config);
        withdrawn(&db, 1).await;
        let mut seen = Vec::new();
        for wait in [0, 10_000, 20_000, 40_000] {
            if wait > 0 {
                // Between three quarters and all of the wait: not before, and then it is.
                world.later(wait * 3 / 4 - 1);
                turn(&driver).await;
                assert_eq!(receiver.got().len(), seen.len(), "not before its time: {wait}");
                world.later(wait / 4 + 1);
            }
            turn(&driver).await;
            let row = only(&db).await;
            seen.push((row.state, row.tries, row.reason.unwrap_or_default()));
        }
        let word = |text: &str| text.to_owned();
        assert_eq!(
            seen,
            [
                (State::Queued, 1, word("status_500")),
                (State::Queued, 2, word("timeout")),
                (State::Queued, 3, word("unreachable")),
                (State::Dead, 4, word("status_503")),
            ]
        );
        let got = receiver.got();
        assert_eq!(got.len(), 4);
        assert!(got.iter().all(|one| one.header("idempotency-key") == got[0].header("idempotency-key")));
        world.later(3_600_000);
        turn(&driver).await;
        assert_eq!(receiver.got().len(), 4, "the dead stay dead");
    });
}

#[test]
fn each_answer_of_a_receiver_means_what_it_means() {
    on_both(|db| async move {
        let db = with_book(db);
        let rows: &[(Way, State, &str, i64)] = &[
            (Way::Says(429, "Retry-After: 50\r\n", ""), State::Queued, "status_429", 50_000),
            (Way::Says(429, "Retry-After: 86400\r\n", ""), State::Queued, "status_429", 120_000),
            (Way::Says(400, "", ""), State::Dead, "status_400", 0),
            (Way::Says(404, "", ""), State::Dead, "status_404", 0),
            (Way::Says(302, "Location: http://127.0.0.1:1/\r\n", ""), State::Dead, "status_302", 0),
            (Way::Says(401, "", ""), State::Queued, "status_401", 10_000),
            (Way::Says(200, "", "{\"code\":17}"), State::Queued, "broken", 10_000),
            (FINE, State::Sent, "", 0),
        ];
        for (n, (way, state, reason, wait)) in (1..).zip(rows) {
            let world = World::new();
            let receiver = Receiver::start(&[*way]).await;
            withdrawn(&db, n).await;
            turn(&world.driver(&db, &sms_config("live", receiver.at))).await;
            let ticket = format!("t-out-{n}");
            let all = self::rows(&db).await;
            let row = all.into_iter().find(|row| row.ticket.as_deref() == Some(&*ticket)).unwrap();
            assert_eq!((row.state, row.reason.as_deref().unwrap_or_default()), (*state, *reason), "{way:?}");
            let waits = row.due_at - NINE;
            let least = if *wait == 10_000 { 7_500 } else { *wait };
            assert!((least..=*wait).contains(&waits), "{way:?}: {waits}");
            // Nobody looks at it again in this test.
            gone(&db, &row.id).await;
        }
        // Nobody listens there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let world = World::new();
        withdrawn(&db, 90).await;
        turn(&world.driver(&db, &sms_config("live", nobody))).await;
        let row =
            self::rows(&db).await.into_iter().find(|row| row.ticket.as_deref() == Some("t-out-90")).unwrap();
        assert_eq!((row.state, row.reason.as_deref()), (State::Queued, Some("unreachable")));
        gone(&db, &row.id).await;
        // Live, and no gateway at all.
        withdrawn(&db, 91).await;
        turn(&world.driver(&db, &config("[outbox]\nmode = \"live\"\n"))).await;
        let row =
            self::rows(&db).await.into_iter().find(|row| row.ticket.as_deref() == Some("t-out-91")).unwrap();
        assert_eq!((row.state, row.reason.as_deref()), (State::Dead, Some("no_address")));
        // Too late to be of use.
        withdrawn(&db, 92).await;
        let receiver = Receiver::start(&[FINE]).await;
        world.later(4_320 * MINUTE + 1);
        turn(&world.driver(&db, &sms_config("live", receiver.at))).await;
        let row =
            self::rows(&db).await.into_iter().find(|row| row.ticket.as_deref() == Some("t-out-92")).unwrap();
        assert_eq!(
            (row.state, row.reason.as_deref(), receiver.got().len()),
            (State::Dead, Some("too_late"), 0)
        );
    });
}

async fn gone(db: &Db, id: &str) {
    let _ = db.ask_outbox(id, crate::outbox::Asked::Discard, "admin", "test", NINE).await.unwrap();
}

#[test]
fn a_kill_between_sending_and_recording_sends_again_under_the_same_key() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let receiver = Receiver::start(&[Way::Silent, FINE]).await;
        let config = sms_config("live", receiver.at);
        withdrawn(&db, 1).await;
        let mut first = world.driver(&db, &config);
        // Long enough that it is the kill that ends it.
        first.rules = Arc::new(Rules { timeout: Duration::from_secs(600), ..(*first.rules).clone() });
        first.senders = Arc::new(patient(&config));
        let (_stop, stops) = watch::channel(false);
        let arrived = receiver.more.notified();
        let running = tokio::spawn(first.run(stops));
        arrived.await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(only(&db).await.state, State::Queued, "nobody has written down what came of it");

        let second = world.driver(&db, &config);
        turn(&second).await;
        assert_eq!(receiver.got().len(), 1, "whoever had it may still be at it");
        world.later(600_000 + super::RECORDING_MS + 1);
        turn(&second).await;
        let got = receiver.got();
        assert_eq!(got.len(), 2);
        assert_eq!(got[0], got[1], "the receiver can tell that it is the same");
        let row = only(&db).await;
        assert_eq!((row.state, row.tries), (State::Sent, 2));
        assert_eq!(got[0].header("idempotency-key"), row.id);
    });
}

/// Senders whose client waits.
fn patient(config: &Config) -> Senders {
    let client = http::client(Duration::from_secs(600)).unwrap();
    let sms: Arc<dyn super::Sender> = Arc::new(super::sms::Sms::new(client, config.outbox.sms.clone()));
    [(Kind::Sms, sms)].into()
}

#[test]
fn the_running_driver_sends_all_of_it_and_never_more_at_once_than_it_may() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let receiver = Receiver::start(&[FINE]).await;
        let mut config = sms_config("live", receiver.at);
        config.outbox.concurrent = 3;
        for n in 1..=20 {
            withdrawn(&db, n).await;
        }
        let published = Arc::new(Mutex::new(Vec::new()));
        let driver = |world: &World| {
            let mut driver = world.driver(&db, &config);
            let published = Arc::clone(&published);
            driver.publish = Arc::new(move |samples| *published.lock().unwrap() = samples);
            driver
        };
        // Two servers at one database.
        let (stop, stops) = watch::channel(false);
        let running =
            [tokio::spawn(driver(&world).run(stops.clone())), tokio::spawn(driver(&world).run(stops))];
        until_all_are(&db, State::Sent);
        stop.send(true).unwrap();
        for one in running {
            one.await.unwrap();
        }
        let got = receiver.got();
        let mut keys: Vec<_> = got.iter().map(|one| one.header("idempotency-key").to_owned()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((got.len(), keys.len()), (20, 20), "each once");
        let samples = published.lock().unwrap().clone();
        let names: Vec<_> = samples.iter().map(|sample| sample.name).collect();
        for name in
            ["hotline_outbox", "hotline_outbox_oldest_seconds", "hotline_outbox_sent", "hotline_outbox_tries"]
        {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
    });
}

#[test]
fn a_dead_letter_is_told_to_the_leads() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let receiver = Receiver::start(&[Way::Says(400, "", "")]).await;
        for n in 1..=5 {
            withdrawn(&db, n).await;
        }
        let (stop, stops) = watch::channel(false);
        let running = tokio::spawn(world.driver(&db, &sms_config("live", receiver.at)).run(stops));
        until_all_are(&db, State::Dead);
        level::until("an alarm", Duration::from_secs(60), || (world.alarms.load(SeqCst) > 0).then_some(()));
        stop.send(true).unwrap();
        running.await.unwrap();
        assert_eq!(world.alarms.load(SeqCst), 1, "one for a cause, not one for each");
    });
}

#[test]
fn a_webhook_is_signed_and_names_nobody() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let receiver = Receiver::start(&[Way::Says(204, "", "")]).await;
        let config = config(&format!(
            "[outbox]\nmode = \"live\"\n[outbox.unit.rl]\nwebhook = \"http://{}/hook\"\nsecret = \"pepper\"\n",
            receiver.at
        ));
        dispatched(&db, 1).await;
        turn(&world.driver(&db, &config)).await;
        let got = receiver.got();
        let [got] = &got[..] else { panic!("{got:?}") };
        let body: serde_json::Value = serde_json::from_str(&got.body).unwrap();
        let row = rows(&db).await.into_iter().find(|row| row.kind == Kind::Webhook).unwrap();
        assert_eq!((row.state, got.header("idempotency-key")), (State::Sent, row.id.as_str()));
        let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["at", "due_at", "event", "id", "ticket", "unit", "urgency"]);
        assert_eq!((body["event"].as_str(), body["urgency"].as_str()), (Some("dispatch"), Some("U")));
        assert!(
            !got.body.contains("12000000001") && !got.body.contains("王") && !got.body.contains("建功"),
            "{}",
            got.body
        );
        let (time, given) = got.header("hotline-signature").split_once(",v1=").unwrap();
        assert_eq!(given, hmac("pepper", &format!("{}.{}", time.trim_start_matches("t="), got.body)));
    });
}

/// HMAC by its definition (RFC 2104), so that it is not compared with itself.
fn hmac(key: &str, text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key.bytes()) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A mail server that answers DATA as it is told.
async fn mail_server(answers: Vec<&'static str>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&mails);
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((stream, _)) = listener.accept().await {
            let Some(answer) = answers.next() else { return };
            let mut stream = BufReader::new(stream);
            let mut mail = String::new();
            let mut say = "220 relay\r\n";
            loop {
                if stream.write_all(say.as_bytes()).await.is_err() {
                    break;
                }
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    break;
                }
                mail.push_str(&line);
                say = match line.get(..4).unwrap_or_default() {
                    "EHLO" => "250-relay\r\n250 8BITMIME\r\n",
                    "DATA" => {
                        stream.write_all(b"354 go on\r\n").await.unwrap();
                        while !mail.ends_with("\r\n.\r\n") {
                            let mut line = String::new();
                            stream.read_line(&mut line).await.unwrap();
                            mail.push_str(&line);
                        }
                        kept.lock().unwrap().push(mail.clone());
                        answer
                    }
                    "QUIT" => "221 bye\r\n",
                    _ => "250 fine\r\n",
                };
            }
        }
    });
    (at, mails)
}

#[test]
fn a_mail_is_tried_again_by_the_servers_word_and_always_has_the_same_id() {
    on_both(|db| async move {
        let db = with_book(db);
        let world = World::new();
        let (at, mails) = mail_server(vec!["451 later\r\n", "250 taken\r\n", "550 no such office\r\n"]).await;
        let config = config(&format!(
            "[outbox]\nmode = \"live\"\ntimeout_ms = 5000\n[outbox.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"12341@hotline.example.cn\"\n[outbox.unit.rl]\nmail = \"rl@unit.example.cn\"\n",
            at.port()
        ));
        let mut driver = world.driver(&db, &config);
        driver.rules = Arc::new(Rules { timeout: Duration::from_secs(60), ..(*driver.rules).clone() });
        let mail = async |db: &Db, n: u32| {
            let ticket = format!("t-out-{n}");
            let all = rows(db).await.into_iter();
            all.filter(|row| row.kind == Kind::Mail)
                .find(|row| row.ticket.as_deref() == Some(&*ticket))
                .unwrap()
        };
        dispatched(&db, 1).await;
        turn(&driver).await;
        let row = mail(&db, 1).await;
        assert_eq!((row.state, row.reason.as_deref()), (State::Queued, Some("status_451")));
        world.later(10_000);
        turn(&driver).await;
        assert_eq!(mail(&db, 1).await.state, State::Sent);
        dispatched(&db, 2).await;
        turn(&driver).await;
        let row = mail(&db, 2).await;
        assert_eq!((row.state, row.reason.as_deref()), (State::Dead, Some("status_550")));

        let mails = mails.lock().unwrap().clone();
        let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned();
        assert_eq!(mails.len(), 3);
        assert_eq!(id(&mails[0]), id(&mails[1]), "a mail server knows a repetition by it");
        assert_ne!(id(&mails[1]), id(&mails[2]));
        assert!(mails[0].contains("To: rl@unit.example.cn"), "{}", mails[0]);
        assert!(mails.iter().all(|mail| !mail.contains("12000000001")));
    });
}

#[test]
fn live_means_live_only_where_it_is_written() {
    let mode = |text: &str| Rules::of(&config(text)).mode;
    assert_eq!((mode(""), mode("[outbox]\nmode = \"live\"\n")), (Mode::Test, Mode::Live));
}
