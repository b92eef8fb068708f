//! 三率两度 of a year of tickets that lived by the rules are what pandas makes of their events, to the digit.

#[path = "../../examples/rates_year/year.rs"]
mod year;

use hotline::store::{Db, OpenOptions};

const TICKETS: u64 = 20_000;

#[test]
fn a_year_of_rates_equals_a_second_computation() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(2_026);
    println!("SEED={seed}");
    let dir = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/hotline.db", dir.path().display());
    let csv = dir.path().join("events.csv");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let first = runtime.block_on(async {
        let db = Db::open(&url, OpenOptions::default()).await.expect("a database");
        db.migrate().await.expect("its tables");
        year::fill(&url, &csv, TICKETS, seed).await.expect("a year");
        let first = year::first(&db).await.expect("its rates");
        db.close().await;
        first
    });
    let second = year::second(&csv).expect("pandas");
    assert!(first.len() > 500, "{}", first.len());
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one, other, "SEED={seed}");
    }
    assert_eq!(first.len(), second.len(), "SEED={seed}");
}
