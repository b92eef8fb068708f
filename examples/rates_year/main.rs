//! 三率两度 of a year of tickets that lived by the rules: the program's numbers beside pandas', and how long a page takes.
//!
//! `cargo run --release --example rates_year -- [tickets] [url]`, 271,400 in an empty SQLite file by default. Prints how many numbers
//! there are and how many differ, the time of the numbers of a year and of a month by unit, of the tickets behind one, of publishing a
//! month and of its corrections: median, 95th percentile, worst.

mod year;

use hotline::store::{Behind, Db, OpenOptions, Page, Published, Scope, Source};
use hotline::ticket::indicators::Indicator;
use std::time::Instant;
use year::Failure;

const ASKS: u32 = 40;
const SEED: u64 = 2_026;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let tickets: u64 = args.next().map_or(Ok(271_400), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| format!("sqlite://{}/hotline.db", dir.path().display()));
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(
        tickets,
        &url,
        &dir.path().join("events.csv"),
    ))
}

async fn run(tickets: u64, url: &str, csv_at: &std::path::Path) -> Result<(), Failure> {
    let db = Db::open(url, OpenOptions::default()).await?;
    db.migrate().await?;
    let begun = Instant::now();
    let events = year::fill(url, csv_at, tickets, SEED).await?;
    let kind = url.split(':').next().unwrap_or_default();
    println!(
        "{tickets} tickets, {events} events, {kind}: lived and filled in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let (first, second) = (year::first(&db).await?, year::second(csv_at)?);
    let differ = first.iter().filter(|line| !second.contains(line)).count()
        + second.iter().filter(|line| !first.contains(line)).count();
    println!("{} numbers by the program, {} by pandas, {differ} differ", first.len(), second.len());
    if differ > 0 || first.is_empty() {
        return Err("the two computations differ".into());
    }

    let periods = year::periods()?;
    let (Some((_, november)), Some((_, whole))) = (periods.get(10), periods.last()) else {
        return Err("no periods".into());
    };
    let page = Page::default();
    let mut took = Vec::new();
    for _ in 0..ASKS {
        let begun = Instant::now();
        db.indicators(&Source::Now(*whole), &Scope::All).await?;
        took.push(begun.elapsed());
    }
    tell("numbers of the year by unit", &mut took);
    for _ in 0..ASKS {
        let begun = Instant::now();
        db.indicators(&Source::Now(*november), &Scope::All).await?;
        took.push(begun.elapsed());
    }
    tell("numbers of a month by unit", &mut took);
    for _ in 0..ASKS {
        let begun = Instant::now();
        let source = Source::Now(*whole);
        let all = Scope::All;
        db.behind_indicator(Indicator::OnTime, &source, Some("rl"), Behind::Short, &all, &page).await?;
        took.push(begun.elapsed());
    }
    tell("tickets behind one", &mut took);
    let begun = Instant::now();
    let new = Published {
        id: "p-year".into(),
        title: "2026".into(),
        period: *whole,
        at: whole.to,
        by: "office".into(),
        tickets: 0,
    };
    let published = db.publish_period(&new).await?;
    println!("publishing the year: {} tickets in {:.2} s", published.tickets, begun.elapsed().as_secs_f64());
    let told = Source::Published(published.id.clone());
    if db.indicators(&told, &Scope::All).await? != db.indicators(&Source::Now(*whole), &Scope::All).await? {
        return Err("what was published is not what was told".into());
    }
    for _ in 0..ASKS {
        let begun = Instant::now();
        db.indicators(&told, &Scope::All).await?;
        took.push(begun.elapsed());
    }
    tell("published numbers of the year", &mut took);
    for _ in 0..ASKS / 4 {
        let begun = Instant::now();
        db.corrections(&published, &Scope::All, &page).await?;
        took.push(begun.elapsed());
    }
    tell("corrections of the year", &mut took);
    db.close().await;
    Ok(())
}

fn tell(what: &str, took: &mut Vec<std::time::Duration>) {
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: median {:.1} ms, p95 {:.1} ms, worst {:.1} ms", at(0.5), at(0.95), at(1.0));
    took.clear();
}
