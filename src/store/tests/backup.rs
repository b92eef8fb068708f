//! A copy taken while others write is whole, and goes back into its place.

use super::acting::{accepted, whole};
use super::{on_both, postgres, sqlite};
use crate::store::{Db, OpenOptions, RestoreError, Scope, restore_postgres, restore_sqlite};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Writes tickets until it is told to stop; how many there are.
fn writer(db: &Db, stop: &Arc<AtomicBool>, from: u32) -> (Arc<AtomicU32>, tokio::task::JoinHandle<()>) {
    let (written, db, stop) = (Arc::new(AtomicU32::new(0)), db.clone(), Arc::clone(stop));
    let count = Arc::clone(&written);
    let task = tokio::spawn(async move {
        while !stop.load(Relaxed) {
            accepted(&db, from + count.load(Relaxed)).await;
            count.fetch_add(1, Relaxed);
        }
    });
    (written, task)
}

async fn copy(db: &Db, to: &std::path::Path) {
    whole(db, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (written, task) = writer(db, &stop, 100);
    while written.load(Relaxed) < 5 {
        tokio::task::yield_now().await;
    }
    db.backup(to).await.unwrap();
    let then = written.load(Relaxed);
    // Others went on: the copy held up nobody.
    while written.load(Relaxed) < then + 5 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Relaxed);
    task.await.unwrap();
}

#[test]
fn a_copy_taken_while_others_write_is_whole_and_goes_back_on_sqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let db = sqlite(dir.path()).await;
        let (place, to) = (dir.path().join("desk.db"), dir.path().join("copy.db"));
        copy(&db, &to).await;
        assert!(db.backup(&to).await.is_err(), "a copy that is there is not written over");
        let last = accepted(&db, 99_000).await;
        db.close().await;
        let kept = restore_sqlite(&to, &place, 7).await.unwrap().unwrap();
        assert_eq!(kept, dir.path().join("desk.db.before-7"));
        let url = format!("sqlite://{}", place.display());
        let back = Db::open(&url, OpenOptions::default()).await.unwrap();
        let report = back.verify().await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        assert!(report.tickets > 5, "{}", report.tickets);
        assert_eq!(back.ticket("t-act-1", &Scope::All).await.unwrap().unwrap().state, "closed");
        assert_eq!(
            back.ticket(&last.id, &Scope::All).await.unwrap(),
            None,
            "as it was when the copy was made"
        );
        back.close().await;
        // What was there before is kept.
        let url = format!("sqlite://{}", kept.display());
        let before = Db::open(&url, OpenOptions::default()).await.unwrap();
        assert!(before.ticket(&last.id, &Scope::All).await.unwrap().is_some());
        before.close().await;
        // What is not whole changes nothing.
        let torn = dir.path().join("torn.db");
        let bytes = std::fs::read(&to).unwrap();
        std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
        let was = std::fs::read(&place).unwrap();
        assert!(restore_sqlite(&torn, &place, 8).await.is_err());
        assert_eq!(std::fs::read(&place).unwrap(), was);
        assert!(!dir.path().join("desk.db.before-8").exists());
        assert!(!dir.path().join("desk.db.restoring").exists());
    });
}

#[test]
fn a_copy_taken_while_others_write_is_whole_and_goes_back_on_postgres() {
    let Some(server) = postgres::Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&server.url(), OpenOptions::default()).await.unwrap();
        db.migrate().await.unwrap();
        let to = dir.path().join("copy.dump");
        copy(&db, &to).await;
        let last = accepted(&db, 99_000).await;
        db.close().await;
        restore_postgres(&to, &server.url()).await.unwrap();
        let back = Db::open(&server.url(), OpenOptions::default()).await.unwrap();
        assert_eq!(back.verify().await.unwrap().problems, Vec::<String>::new());
        assert_eq!(back.ticket("t-act-1", &Scope::All).await.unwrap().unwrap().state, "closed");
        assert_eq!(back.ticket(&last.id, &Scope::All).await.unwrap(), None);
        let nothing = restore_postgres(&dir.path().join("none"), &server.url()).await;
        assert!(matches!(nothing, Err(RestoreError::Store(_))), "{nothing:?}");
        back.close().await;
    });
}

#[test]
fn a_copy_whose_history_was_changed_is_not_taken() {
    on_both(|db| async move {
        if db.path().is_none() {
            return;
        }
        whole(&db, 1).await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("copy.db");
        db.backup(&to).await.unwrap();
        let copy = Db::open(&format!("sqlite://{}", to.display()), OpenOptions::default()).await.unwrap();
        let mut conn = copy.writing().await.unwrap();
        sqlx::query("UPDATE tickets SET events = events - 1").execute(&mut *conn).await.unwrap();
        drop(conn);
        copy.close().await;
        let told = restore_sqlite(&to, &dir.path().join("new.db"), 1).await;
        assert!(
            matches!(&told, Err(RestoreError::Broken(text)) if text.starts_with("ticket t-act-1:")),
            "{told:?}"
        );
        assert!(!dir.path().join("new.db").exists());
    });
}
