//! The one search box over many tickets: numbers, telephones, two to six characters of text, while five writers change tickets.
//!
//! `cargo run --release --example ticket_search -- [tickets] [url]`, an empty SQLite file by default. Rows are written
//! past the program, their terms by it. Prints the time to fill and to index, and for each kind of question the median, 95th percentile
//! and worst of 500.

use hotline::store::{Db, NewTicket, OpenOptions, Scope, TicketSearch};
use hotline::ticket::number::check_digit;
use hotline::ticket::search::read;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

const ASKS: usize = 500;
const WRITERS: u32 = 5;
const WHERE: [&str; 15] = [
    "建功南里",
    "白纸坊街",
    "右安门内大街",
    "自新路",
    "半步桥",
    "樱桃园",
    "里仁街",
    "南菜园",
    "虎坊路",
    "陶然亭路",
    "牛街",
    "广内大街",
    "德胜门外",
    "阜成门",
    "金融街",
];
const WHAT: [&str; 16] = [
    "暖气不热",
    "室温只有十五度",
    "井盖破损",
    "路灯不亮",
    "占道经营",
    "夜间施工噪声",
    "电梯故障停运",
    "垃圾清运不及时",
    "水管漏水",
    "油烟扰民",
    "电动自行车充电",
    "违法建设",
    "停车秩序混乱",
    "幼儿园报名",
    "医保报销",
    "公租房补贴",
];
const SAYS: [&str; 8] = [
    "希望尽快处理",
    "已经反映三次",
    "家中有老人",
    "请回电说明",
    "影响出行",
    "邻居也有同样问题",
    "物业说不归他们管",
    "昨天晚上开始的",
];

/// What is asked the n-th time.
type Question<'a> = Box<dyn Fn(u64) -> String + 'a>;

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

/// Spread over its range, the same each time.
fn pick(n: u64, salt: u64, of: usize) -> usize {
    let mixed = (n.wrapping_add(salt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 33) as usize % of
}

fn no(n: u64) -> String {
    let stem = format!("{:06}{:05}", 200_101 + n / 100_000, n % 100_000);
    format!("{stem}{}", check_digit(&stem))
}

async fn run(tickets: u64, url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let db = Db::open(url, OpenOptions::default()).await?;
    db.migrate().await?;
    let begun = Instant::now();
    fill(url, tickets).await?;
    let filled = begun.elapsed();
    let mut after = (i64::MIN, String::new());
    while let Some(last) = db.index_tickets(&after).await? {
        after = last;
    }
    let kind = url.split(':').next().unwrap_or_default();
    println!(
        "{tickets} tickets, {kind}: filled in {:.1} s, indexed in {:.1} s",
        filled.as_secs_f64(),
        (begun.elapsed() - filled).as_secs_f64()
    );
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| tokio::spawn(write(db.clone(), w, Arc::clone(&stop), Arc::clone(&written))))
        .collect();
    let begun = Instant::now();
    let texts: Vec<Vec<char>> = WHAT.iter().chain(&WHERE).map(|text| text.chars().collect()).collect();
    let kinds: [(&str, Question<'_>); 4] = [
        ("number", Box::new(|n| no(n * 7_919 % tickets))),
        ("telephone", Box::new(|n| format!("138{:08}", n * 104_729 % (tickets / 10).max(1)))),
        ("2 characters", Box::new(|n| part(&texts, n, 2))),
        ("3 to 6 characters", Box::new(|n| part(&texts, n, 3 + pick(n, 5, 4)))),
    ];
    for (name, question) in kinds {
        let (mut took, mut hits) = (Vec::with_capacity(ASKS), 0);
        for n in 0..ASKS as u64 {
            let Some(sought) = read(&question(n)) else { continue };
            let search = TicketSearch { sought, all: true, callers: true, scope: Scope::All, limit: 50 };
            let begun = Instant::now();
            hits += db.search_tickets(&search).await?.len();
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
        println!(
            "{name}: median {:.2} ms, p95 {:.2} ms, worst {:.2} ms, {hits} found",
            at(0.5),
            at(0.95),
            at(1.0)
        );
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await??;
    }
    let written = f64::from(written.load(Ordering::Relaxed));
    println!("{WRITERS} writers beside it: {:.0} tickets a second", written / begun.elapsed().as_secs_f64());
    db.close().await;
    Ok(())
}

/// So many characters out of the middle of what people say.
fn part(texts: &[Vec<char>], n: u64, long: usize) -> String {
    let text = &texts[pick(n, 1, texts.len())];
    let long = long.min(text.len());
    let from = pick(n, 2, text.len() - long + 1);
    text[from..from + long].iter().collect()
}

async fn write(
    db: Db,
    writer: u32,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU32>,
) -> Result<(), hotline::store::StoreError> {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let stem = format!("99{writer:02}{n:07}");
        let new = NewTicket {
            id: format!("w-{writer}-{n}"),
            no: format!("{stem}{}", check_digit(&stem)),
            code: "123456".into(),
            state: "accepted".into(),
            channel: "web".into(),
            kind: "help".into(),
            category: "030101".into(),
            urgency: "L".into(),
            title: "暖气不热".into(),
            content: "三号楼暖气不热，希望尽快处理".into(),
            secrecy: "normal".into(),
            created_at: 1_800_000_000_000 + i64::from(n),
            actor: "system".into(),
            ..NewTicket::default()
        };
        db.add_ticket(&new).await?;
        written.fetch_add(1, Ordering::Relaxed);
        n += 1;
    }
    Ok(())
}

/// Many rows in a statement: their histories are not what is measured.
async fn fill(url: &str, tickets: u64) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(url).await?;
    let blob = if url.starts_with("sqlite") { "zeroblob(32)" } else { "decode('', 'hex')" };
    let mut tx = pool.begin().await?;
    for from in (0..tickets).step_by(500) {
        let mut sql = "INSERT INTO tickets (id, no, state, channel, category, title, content, brief, caller, secrecy, created_at, events, head) VALUES ".to_owned();
        for n in from..(from + 500).min(tickets) {
            let (at, what) = (WHERE[pick(n, 1, WHERE.len())], WHAT[pick(n, 2, WHAT.len())]);
            let (says, more) = (SAYS[pick(n, 3, SAYS.len())], SAYS[pick(n, 4, SAYS.len())]);
            let _ = write!(
                sql,
                "{}('t-{n}', '{}', 'closed', 'phone', '030101', '{at}{what}', '{at}{n}号楼，{what}，{says}，{more}。', '居民反映{what}，{says}', \
                 '138{:08}', 'normal', {}, 1, {blob})",
                if n == from { "" } else { ", " },
                no(n),
                n % (tickets / 10).max(1),
                1_700_000_000_000 + n as i64 * 1000,
            );
        }
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    pool.close().await;
    Ok(())
}
