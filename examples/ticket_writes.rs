//! Changes of tickets while calls arrive: dispatch, signature, contact, reply, its signature, review, verdict, each a transaction of
//! its own, on schedule whether the one before is through or not; beside it the projector writes what calls leave.
//!
//! `cargo run --release --example ticket_writes -- [changes a second] [seconds] [url]`, 200 a second for 30 s in an empty SQLite file
//! by default; 20 calls a second. Prints median, 99th percentile and worst of the time from when a change was due to when it was
//! kept, and what the projector wrote.

#[path = "shared/facts.rs"]
mod facts;

use facts::{FACTS, Load};
use hotline::roster::Calendar;
use hotline::store::projector::Projector;
use hotline::store::{ActOutcome, Db, NewTicket, OpenOptions, TicketAct};
use hotline::ticket::cycle::{Hand, Step, Tables, Who, Wish};
use hotline::ticket::number::check_digit;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify, watch};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CALLS: u64 = 20;
/// 2026-11-23 09:00 in Beijing.
const NINE: i64 = 1_795_395_600_000;

/// The life of each ticket.
fn steps() -> [(Hand, Option<&'static str>, Step, Wish); 7] {
    let text = |text: &str| Some(text.to_owned());
    let d = Wish::default;
    let dispatch =
        Wish { lead: text("rl"), assist: Some(vec!["st019".to_owned()]), brief: text("室温低"), ..d() };
    let contact = Wish { how: text("phone"), what: text("result"), ..d() };
    let reply =
        Wish {
            report: text("已上门调节"), text: text("已修好，室温二十一度"), claim: text("solved"), ..d()
        };
    let verdict = Wish { contacted: Some(true), solved: text("yes"), satisfied: text("satisfied"), ..d() };
    [
        (Hand::Dispatcher, None, Step::Dispatch, dispatch),
        (Hand::Unit, Some("rl"), Step::Sign, d()),
        (Hand::Unit, Some("rl"), Step::Contact, contact),
        (Hand::Unit, Some("rl"), Step::Reply, reply),
        (Hand::Head, Some("rl"), Step::SignReply, d()),
        (Hand::Dispatcher, None, Step::ReviewPass, d()),
        (Hand::Visitor, None, Step::Visit, verdict),
    ]
}

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let rate: u64 = args.next().map_or(Ok(200), |text| text.parse())?;
    let seconds: u64 = args.next().map_or(Ok(30), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| format!("sqlite://{}/hotline.db", dir.path().display()));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(rate, seconds, &url))
}

async fn run(rate: u64, seconds: u64, url: &str) -> Result<(), Failure> {
    let db = Db::open(url, OpenOptions::default()).await?;
    db.migrate().await?;
    let file = ("2026.toml".to_owned(), include_str!("../district/calendar/2026.toml").to_owned());
    let calendar = Arc::new(Calendar::read(&[file]).0);
    let tables = Arc::new(Tables::shipped(calendar, jiff::tz::TimeZone::get("Asia/Shanghai")?));
    let steps = Arc::new(steps());
    let changes = rate * seconds;
    // A ticket is changed once a second, until its life is over.
    let lives = seconds.div_ceil(steps.len() as u64);
    let mut tickets = Vec::new();
    for n in 0..rate * lives {
        let stem = format!("261123{n:05}");
        let new = NewTicket {
            id: format!("t-{n}"),
            no: format!("{stem}{}", check_digit(&stem)),
            code: "123456".into(),
            state: "accepted".into(),
            channel: "web".into(),
            kind: "help".into(),
            category: "030101".into(),
            street: Some("110102019".into()),
            urgency: "L".into(),
            title: "暖气不热".into(),
            content: "三号楼暖气不热，希望尽快处理".into(),
            caller: Some(format!("138{n:08}")),
            secrecy: "normal".into(),
            created_at: NINE,
            actor: "system".into(),
            ..NewTicket::default()
        };
        db.add_ticket(&new).await?;
        // Its version as it was seen last; one change of it after the other.
        tickets.push(Arc::new(Mutex::new(2_i64)));
    }

    let (stop, stops) = watch::channel(false);
    let projector = Projector::new(db.clone(), 1);
    let gauge = projector.gauge();
    let more = Arc::new(Notify::new());
    let calls =
        tokio::spawn(projector.run(Load::new(CALLS * seconds, Some(CALLS)), Arc::clone(&more), stops));
    let begun = Instant::now();
    let mut running = Vec::with_capacity(changes as usize);
    for n in 0..changes {
        let due = begun + Duration::from_secs_f64(n as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        more.notify_one();
        let round = n / rate;
        let (life, step) = (round / steps.len() as u64, (round % steps.len() as u64) as usize);
        let ticket = n % rate + life * rate;
        let (db, tables, steps) = (db.clone(), Arc::clone(&tables), Arc::clone(&steps));
        let version = Arc::clone(tickets.get(ticket as usize).ok_or("no such ticket")?);
        running.push(tokio::spawn(async move {
            let mut version = version.lock().await;
            let (hand, unit, step, wish) = &steps[step];
            let name = format!("t-{ticket}");
            let at = NINE + due.duration_since(begun).as_millis() as i64;
            let hands = [*hand];
            let who = Who { user: "somebody", hands: &hands, unit: *unit };
            let act = TicketAct { name: &name, who, at, version: *version, step: *step, wish };
            match db.act_on_ticket(act, &tables).await? {
                ActOutcome::Done(ticket) => *version = ticket.version,
                other => return Err(format!("{name}: {other:?}").into()),
            }
            Ok::<_, Failure>(due.elapsed())
        }));
    }
    let mut took = Vec::with_capacity(running.len());
    for one in running {
        took.push(one.await??);
    }
    let lasted = begun.elapsed().as_secs_f64();
    let facts = gauge.cursor.load(Ordering::Relaxed);
    let _ = stop.send(true);
    more.notify_one();
    let _ = calls.await;
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let kind = url.split(':').next().unwrap_or_default();
    println!(
        "{kind}: {changes} changes in {lasted:.1} s ({:.0} a second): median {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        changes as f64 / lasted,
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!(
        "beside it {:.0} calls a second were written ({facts} facts)",
        facts as f64 / FACTS as f64 / lasted
    );
    db.close().await;
    Ok(())
}
