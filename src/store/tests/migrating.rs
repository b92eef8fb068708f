//! Every version of the tables that was ever in the tree, with rows as that version had them, comes up to the newest with all of it there.

use super::super::chain::{self, Tail};
use super::super::db::{Dialect, Durability, POSTGRES, SQLITE};
use super::super::sql::{Sql, insert_rows};
use super::facts::NINE;
use super::postgres;
use crate::store::{Db, OpenOptions, Scope};
use serde_json::json;
use sqlx::Row as _;
use sqlx::migrate::Migrator;

/// Rows that came with a version, in the tables as they were then: the version, the row, and how to see that it is there.
const ROWS: &[(i64, &str, &str)] = &[
    (
        1,
        "INSERT INTO calls (id, sip_call_id, direction, called, trunk, state, started_at, flow_file, flow_version, detail) VALUES \
         ('c-01-00001-0000000001', 's', 'inbound', '12341', 'carrier', 'ended', 1, 'main.toml', '1', '{}')",
        "SELECT COUNT(*) FROM calls WHERE trunk = 'carrier'",
    ),
    (
        1,
        "INSERT INTO call_tickets (call_id, ticket_id) VALUES ('c-01-00001-0000000001', 't-01-00001-0000000001')",
        "SELECT COUNT(*) FROM call_tickets",
    ),
    (
        1,
        "INSERT INTO users (name, display, password, disabled, created_at) VALUES ('lead', 'L', 'x', 0, 1)",
        "SELECT COUNT(*) FROM users WHERE name = 'lead'",
    ),
    (
        1,
        "INSERT INTO access_log (id, at, user_name, source, action, subject, outcome) VALUES ('a', 1, 'lead', 's', 'x', 'y', 'z')",
        "SELECT COUNT(*) FROM access_log",
    ),
    (
        3,
        "UPDATE users SET mobile = '12000000009' WHERE name = 'lead'",
        "SELECT COUNT(*) FROM users WHERE mobile = '12000000009'",
    ),
    (
        4,
        "INSERT INTO roster_notices (id, at, until, by_user, text) VALUES ('n', 1, 2, 'lead', '必读')",
        "SELECT COUNT(*) FROM roster_notices",
    ),
    (
        5,
        "INSERT INTO callbacks (call_id, queue, state, asked_at) VALUES ('c-01-00001-0000000001', 'main', 'reached', 1)",
        "SELECT COUNT(*) FROM callbacks",
    ),
    (
        6,
        "INSERT INTO legacy_numbers (number, changed_at, changed_by) VALUES ('88881234', 1, 'lead')",
        "SELECT COUNT(*) FROM legacy_numbers WHERE number = '88881234'",
    ),
    (
        7,
        "UPDATE tickets SET special = 'elderly' WHERE id = 't-01-00001-0000000001'",
        "SELECT COUNT(*) FROM tickets WHERE special = 'elderly'",
    ),
    (
        8,
        "UPDATE tickets SET brief = '转办' WHERE id = 't-01-00001-0000000001'",
        "SELECT COUNT(*) FROM tickets WHERE brief = '转办'",
    ),
    (
        9,
        "INSERT INTO handover_signatures (turn, n, part, at, by_user, sheet) VALUES ('2026-11-23T09:00', 1, 'out', 1, 'lead', '{}')",
        "SELECT COUNT(*) FROM handover_signatures",
    ),
    (
        10,
        "INSERT INTO kb_searches (id, at, by_user, q, found) VALUES ('q', 1, '8001', '供热', 0)",
        "SELECT COUNT(*) FROM kb_searches",
    ),
    (
        11,
        "UPDATE tickets SET complained_unit = 'rl' WHERE id = 't-01-00001-0000000001'",
        "SELECT COUNT(*) FROM tickets WHERE complained_unit = 'rl'",
    ),
    (
        12,
        "INSERT INTO outbox (id, key, kind, subject, payload, state, tries, created_at, due_at, lease_until, contact) VALUES \
         ('o', 'k', 'webhook', 's', '{}', 'sent', 1, 1, 1, 0, 0)",
        "SELECT COUNT(*) FROM outbox",
    ),
    (
        13,
        "INSERT INTO attachments (id, ticket_id, bytes, width, height, at, by_whom) VALUES \
         ('p', 't-01-00001-0000000001', 1, 1, 1, 1, 'citizen')",
        "SELECT COUNT(*) FROM attachments",
    ),
    (
        15,
        "INSERT INTO voice_urges (id, ticket_id, unit, rung, number, begun_at, result) VALUES \
         ('u', 't-01-00001-0000000001', 'rl', 'duty', '12000000008', 1, 'busy')",
        "SELECT COUNT(*) FROM voice_urges",
    ),
    (
        19,
        "INSERT INTO exports (id, at, by_user, source, format, filter) VALUES ('x', 1, 'lead', 's', 'csv', '')",
        "SELECT COUNT(*) FROM exports",
    ),
];

/// A closed ticket with two lines, written by the columns of the first version.
async fn ticket(db: &Db) {
    let id = "t-01-00001-0000000001";
    let mut tail = Tail::fresh().unwrap();
    let created = json!({"call": "c-01-00001-0000000001", "channel": "phone"});
    let said = json!({"caller": "12000000001"});
    let links = vec![
        tail.append(id, NINE, "created", "system", &created, Some(&said)),
        tail.append(id, NINE + 1, "closed", "user:8001", &json!({"by": "answered"}), None),
    ];
    let mut tx = db.begin(Durability::Full).await.unwrap();
    let head = "INSERT INTO tickets (id, no, state, channel, title, content, caller, secrecy, created_at, seal_key, events, head)";
    let row = vec![
        id.into(),
        "261123000018".into(),
        "closed".into(),
        "phone".into(),
        "暖气不热".into(),
        "十五度".into(),
        "12000000001".into(),
        "normal".into(),
        NINE.into(),
        tail.key.clone().into(),
        tail.n.into(),
        tail.head.clone().into(),
    ];
    insert_rows(&mut tx, head, vec![row], "").await.unwrap();
    insert_rows(&mut tx, chain::INSERT, links, "").await.unwrap();
    tx.commit().await.unwrap();
}

async fn run(db: &Db, text: &'static str) {
    let mut tx = db.begin(Durability::Full).await.unwrap();
    Sql::new(text).run(&mut tx).await.unwrap_or_else(|e| panic!("{text}: {e}"));
    tx.commit().await.unwrap();
}

/// From the tables of `version` to the newest.
async fn comes_up(db: &Db, version: i64) {
    let all = match db.dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    let first: Vec<_> = all.iter().filter(|one| one.version <= version).cloned().collect();
    let old = Migrator { migrations: first.into(), ..Migrator::DEFAULT };
    let mut conn = db.writing().await.unwrap();
    old.run_direct(None, &mut *conn, false).await.unwrap();
    drop(conn);
    ticket(db).await;
    let rows: Vec<_> = ROWS.iter().filter(|(since, ..)| *since <= version).collect();
    for (_, insert, _) in &rows {
        run(db, insert).await;
    }
    db.migrate().await.unwrap_or_else(|e| panic!("from {version}: {e}"));
    assert_eq!(db.verify().await.unwrap().problems, Vec::<String>::new(), "from {version}");
    let seen = db.ticket("261123000018", &Scope::All).await.unwrap().unwrap();
    assert_eq!((seen.title.as_deref(), seen.version), (Some("暖气不热"), 2), "from {version}");
    let events = db.ticket_events(&seen.id).await.unwrap();
    assert_eq!(events[0].personal, Some(json!({"caller": "12000000001"})), "from {version}");
    for (since, insert, count) in rows {
        let row = Sql::new(count).read_one(&db.read).await.unwrap().unwrap();
        let n: i64 = row.try_get(0).unwrap();
        assert_eq!(n, 1, "from {version}, of {since}: {insert}");
    }
    // What it lacked is made: it can be found now.
    let mut after = (i64::MIN, String::new());
    while let Some(next) = db.index_tickets(&after).await.unwrap() {
        after = next;
    }
    let row = Sql::new("SELECT COUNT(*) FROM ticket_search").read_one(&db.read).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64, _>(0).unwrap(), 1, "from {version}");
}

fn versions(all: &Migrator) -> Vec<i64> {
    all.iter().map(|one| one.version).collect()
}

#[test]
fn every_version_of_the_tables_comes_up_to_the_newest() {
    assert_eq!(versions(&SQLITE), versions(&POSTGRES), "both databases have the same versions");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for version in versions(&SQLITE) {
            let dir = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", dir.path().join("desk.db").display());
            let db = Db::open(&url, OpenOptions::default()).await.unwrap();
            comes_up(&db, version).await;
            db.close().await;
        }
    });
    let Some(server) = postgres::Postgres::start() else { return };
    runtime.block_on(async {
        for version in versions(&POSTGRES) {
            let db = Db::open(&server.url(), OpenOptions::default()).await.unwrap();
            let name = format!("from_{version}");
            let mut conn = db.writing().await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&mut *conn)
                .await
                .unwrap();
            drop(conn);
            db.close().await;
            let url = [server.url().strip_suffix("hotline").unwrap(), &name].concat();
            let db = Db::open(&url, OpenOptions::default()).await.unwrap();
            comes_up(&db, version).await;
            db.close().await;
        }
    });
}
