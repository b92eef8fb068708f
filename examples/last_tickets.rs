//! A caller's last three tickets among many: what the panel asks for while the call still rings.
//!
//! `cargo run --release --example last_tickets -- [tickets] [url]`, an empty SQLite file by default. The rows are written past the
//! program; each caller has ten tickets. Prints the time to fill, and the median, 99th percentile and worst of a thousand questions.

use hotline::store::{Db, OpenOptions, Page, TicketField, TicketFilter};
use std::time::Instant;

const ASKS: u64 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let tickets: u64 = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| format!("sqlite://{}/hotline.db", dir.path().display()));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(tickets, &url))
}

async fn run(tickets: u64, url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let db = Db::open(url, OpenOptions::default()).await?;
    db.migrate().await?;
    let begun = Instant::now();
    fill(url, tickets).await?;
    println!(
        "{tickets} tickets in {:.1} s, {}",
        begun.elapsed().as_secs_f64(),
        url.split(':').next().unwrap_or_default()
    );
    let callers = (tickets / 10).max(1);
    let mut took: Vec<f64> = Vec::new();
    for n in 0..ASKS {
        // Spread over all of them, none twice.
        let caller = format!("138{:08}", n * 7_919 % callers);
        let filter = TicketFilter {
            fields: vec![(TicketField::Caller, caller)],
            numbered: Some(true),
            ..TicketFilter::default()
        };
        let page = Page { limit: 4, ..Page::default() };
        let begun = Instant::now();
        let found = db.tickets(&filter, &page).await?.items;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        assert_eq!(found.len(), 4, "of ten the last four");
    }
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "a caller's last tickets: median {:.2} ms, p99 {:.2} ms, worst {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    db.close().await;
    Ok(())
}

/// Rows in one statement: their histories are not what is measured.
async fn fill(url: &str, tickets: u64) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(url).await?;
    let sqlite = url.starts_with("sqlite");
    let (numbers, blob, text) = match sqlite {
        true => (
            format!(
                "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < {tickets}) "
            ),
            "zeroblob(32)",
            "printf('%08d', n / 10)",
        ),
        false => (String::new(), "decode('', 'hex')", "lpad((n / 10)::text, 8, '0')"),
    };
    let from = if sqlite { "g".to_owned() } else { format!("generate_series(0, {}) AS g(n)", tickets - 1) };
    let statement = format!(
        "{numbers}INSERT INTO tickets (id, no, state, channel, category, title, content, caller, secrecy, created_at, events, head) \
         SELECT 't-' || n, CAST(900000000000 + n AS TEXT), 'closed', 'phone', '030101', '供暖', '室温只有十五度', '138' || {text}, 'normal', \
         1700000000000 + n * 1000, 1, {blob} FROM {from}"
    );
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
    pool.close().await;
    Ok(())
}
