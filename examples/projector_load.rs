//! How fast the projector fills an empty SQLite file, and what it costs in processor time.
//!
//! `cargo run --release --example projector_load -- [calls] [url]`. Calls have eight facts each and overlap, as on a
//! signalling-only load. Prints facts and calls a second, processor time per fact, and the file's bytes per call.

#[path = "shared/facts.rs"]
mod facts;

use facts::{FACTS, Load};
use hotline::store::projector::Projector;
use hotline::store::{Db, OpenOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

fn processor_s() -> f64 {
    // SAFETY: rusage is plain numbers, filled by the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let s = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    s(usage.ru_utime) + s(usage.ru_stime)
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let calls: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("load.db");
    let url = args.next().unwrap_or_else(|| format!("sqlite://{}", file.display()));
    let db = Db::open(&url, OpenOptions::default()).await.expect("open the database");
    db.migrate().await.expect("make the tables");

    let (stop, stops) = watch::channel(false);
    let projector = Projector::new(db.clone(), 1);
    let gauge = projector.gauge();
    let load = Load::new(calls, None);
    let (began, cpu) = (Instant::now(), processor_s());
    let running = tokio::spawn(projector.run(load, Arc::new(Notify::new()), stops));
    let facts = calls * FACTS;
    while gauge.cursor.load(std::sync::atomic::Ordering::Relaxed) < facts {
        assert!(!running.is_finished(), "the projector ended early");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), processor_s() - cpu);
    let _ = stop.send(true);
    let _ = running.await;
    db.close().await;
    let bytes = std::fs::metadata(&file).map_or(0, |meta| meta.len());
    println!(
        "{calls} calls, {facts} facts in {wall:.2} s: {:.0} facts/s, {:.0} calls/s",
        facts as f64 / wall,
        calls as f64 / wall
    );
    println!(
        "processor {cpu:.2} s: {:.1} us per fact, {:.0} us per call",
        cpu * 1e6 / facts as f64,
        cpu * 1e6 / calls as f64
    );
    println!("{} bytes per call in the file", bytes / calls.max(1));
}
