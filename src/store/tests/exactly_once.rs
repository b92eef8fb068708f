//! Whatever fails at a commit, the tables end the same.

use super::facts::{Book, call};
use super::{level, on_both, sqlite};
use crate::call::EndReason;
use crate::call::fact::Stamped;
use crate::store::projector::{CommitFault, FactSource, Projector, SourceError};
use crate::store::{CallFilter, Db, OpenOptions, Page, TicketFilter};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// All that people could read, as text. Hashes are left out: each run has its own keys.
async fn everything(db: &Db) -> String {
    let page = Page { limit: 500, after: None };
    let mut calls = db.calls(&CallFilter::default(), &page).await.unwrap().items;
    // Positions of a row's last fact depend on nothing but the facts.
    calls.sort_by(|a, b| a.record.id.cmp(&b.record.id));
    let tickets = db.tickets(&TicketFilter::default(), &page).await.unwrap().items;
    let mut text = format!("{calls:#?}\n{tickets:#?}\n{:#?}\n", db.flow_versions().await.unwrap());
    text.push_str(&format!("{:#?}\n", db.duty_tests("rl-day", 100).await.unwrap()));
    text.push_str(&format!("{:#?}\n", db.session_calls("ls-7").await.unwrap()));
    for call in &calls {
        text.push_str(&format!("{:?}\n", db.call_events(&call.record.id).await.unwrap()));
    }
    for ticket in &tickets {
        for event in db.ticket_events(&ticket.id).await.unwrap() {
            text.push_str(&format!("{} {} {:?} {:?}\n", event.n, event.kind, event.payload, event.personal));
        }
    }
    text
}

/// Projects the book in batches of `size`, with a fault at the commits that `faults` names.
async fn project(db: &Db, book: &Book, size: usize, faults: impl Fn(usize) -> Option<CommitFault>) {
    let mut projector = Projector::new(db.clone(), 1);
    let mut tries = 0;
    loop {
        let after = projector.position().await.unwrap();
        let facts: Vec<_> = book.0.iter().filter(|f| f.seq > after).take(size).cloned().collect();
        if facts.is_empty() {
            return;
        }
        projector.fault = faults(tries);
        let failed = projector.fault.is_some();
        assert_eq!(projector.apply(&facts).await.is_err(), failed);
        tries += 1;
        assert!(tries < 1_000);
    }
}

#[tokio::test]
async fn the_tables_are_the_same_whichever_commit_fails_and_however() {
    let mut book = Book::morning();
    book.dial_test(call(11), "12000071001", true, EndReason::FlowEnded, 0)
        .dial_test(call(12), "12000071001", false, EndReason::CalleeBusy, 486)
        .arrived(call(13), "12000000013")
        .taken(call(13), "8004", "261123000034")
        .of_session(call(13), "ls-7")
        .ended(call(13), EndReason::CallerHungUp);
    let plain = {
        let dir = tempfile::tempdir().unwrap();
        let db = sqlite(dir.path()).await;
        project(&db, &book, book.0.len(), |_| None).await;
        everything(&db).await
    };
    assert!(plain.contains("message_left") && plain.contains("restarted"));
    assert_eq!(plain.matches("sip_status: 486,").count(), 1, "each test once");
    assert_eq!(plain.matches(" tagged ").count(), 1, "and each tag");
    for size in [1, 3, 7] {
        for every in [2, 3] {
            let dir = tempfile::tempdir().unwrap();
            let db = sqlite(dir.path()).await;
            let faults = |n: usize| match n % (2 * every) {
                0 => Some(CommitFault::Lost),
                k if k == every => Some(CommitFault::Unanswered),
                _ => None,
            };
            project(&db, &book, size, faults).await;
            assert_eq!(everything(&db).await, plain, "batches of {size}, a fault at every {every}th");
            let report = db.verify().await.unwrap();
            assert!(report.is_clean(), "{:?}", report.problems);
            db.close().await;
        }
    }
}

#[test]
fn the_running_projector_ends_with_its_journal_on_both_databases() {
    on_both(|db| async move {
        let (stop, stops) = watch::channel(false);
        let projector = Projector::new(db.clone(), 1);
        let gauge = projector.gauge();
        let book = Book::morning();
        let last = book.0.len() as u64;
        let running = tokio::spawn(projector.run(book, Arc::new(Notify::new()), stops));
        stop.send(true).unwrap();
        running.await.unwrap();
        assert_eq!(gauge.cursor.load(Relaxed), last);
        assert!(db.call(&call(1).to_string()).await.unwrap().is_some());
        assert!(db.verify().await.unwrap().is_clean());
    });
}

#[tokio::test]
async fn a_second_projector_of_the_same_node_writes_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let db = sqlite(dir.path()).await;
    let book = Book::morning();
    let (mut one, mut two) = (Projector::new(db.clone(), 1), Projector::new(db.clone(), 1));
    assert_eq!((one.position().await.unwrap(), two.position().await.unwrap()), (0, 0));
    one.apply(&book.0).await.unwrap();
    assert!(two.apply(&book.0).await.is_err(), "its cursor is an old one");
    two.apply(&book.0).await.unwrap();
    let events = db.call_events(&call(1).to_string()).await.unwrap().unwrap();
    assert_eq!(
        events.len(),
        book.0.iter().filter(|f| crate::store::fold::call_of(&f.fact) == Some(call(1))).count()
    );
}

/// A journal that grows: what was written so far, a little at a time.
struct Trickle(Book);

impl FactSource for Trickle {
    fn read_after(&mut self, after: u64, _: usize, out: &mut Vec<Stamped>) -> Result<(), SourceError> {
        self.0.read_after(after, 20, out)
    }
}

#[test]
fn a_database_that_goes_away_has_everything_once_when_it_is_back() {
    let Some(mut server) = super::postgres::Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut book = Book::default();
    book.booted(1);
    for n in 1..=2_000 {
        book.arrived(call(n), "12000000001").ended(call(n), EndReason::CallerCancelled);
    }
    let last = book.0.len() as u64;
    let _entered = runtime.enter();
    let db = runtime.block_on(Db::open(&server.url(), OpenOptions::default())).unwrap();
    let projector = Projector::new(db.clone(), 1);
    let gauge = projector.gauge();
    let (stop, stops) = watch::channel(false);
    let running = runtime.spawn(projector.run(Trickle(book), Arc::new(Notify::new()), stops));
    let minute = Duration::from_secs(60);
    level::until("the first batches", minute, || (gauge.cursor.load(Relaxed) > 100).then_some(()));
    server.stop();
    level::until("a batch that fails", minute, || (gauge.failures.load(Relaxed) > 0).then_some(()));
    assert!(gauge.cursor.load(Relaxed) < last, "it went away in the middle");
    server.resume();
    level::until_equal("the journal's end", minute, last, || gauge.cursor.load(Relaxed));
    stop.send(true).unwrap();
    runtime.block_on(async {
        running.await.unwrap();
        let report = db.verify().await.unwrap();
        assert!(report.is_clean(), "{:?}", report.problems);
        assert_eq!((report.calls, report.tickets, report.events), (2_000, 2_000, 4_000));
        db.close().await;
    });
}
