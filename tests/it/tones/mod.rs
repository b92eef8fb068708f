//! Who hears whom, by the whole server over real sockets (issue 4, rows 6, 7, 11, 14).
//!
//! Each party sends a tone of its own, and what each received is measured: what it shall hear is there, and no tone of anybody
//! else, at this table or another.

mod cells;
mod deaf;
mod recorded;
mod table;

use crate::support::server::Server;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::{Room, Table};

/// Tables at once: each its own citizen, agents and outside numbers.
const TABLES: usize = 3;
/// To people, and after them a goodbye.
const FLOW: &str = include_str!("../flows/people.toml");

#[test]
fn every_pair_hears_whom_it_should_and_nobody_else() {
    let room = Room::open(TABLES, FLOW);
    let cells = cells::all();
    let names: BTreeSet<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    assert_eq!(names.len(), cells.len(), "each cell has its own name");
    let only = std::env::var("CELL").ok();
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let (next, failed, heard) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for n in 0..TABLES {
            let (room, cells, next, failed, heard, passed) = (&room, &cells, &next, &failed, &heard, &passed);
            scope.spawn(move || {
                let mut table = Table::sit(room, n);
                if n == 0 {
                    // A measure that finds everything right proves nothing.
                    let blind = table.play("in b; L whisper b; wrong C:bL b:CL L:bC");
                    assert!(blind.is_ok(), "{:?}", blind.err());
                    table.clear();
                }
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !wanted(&cell.name) {
                        continue;
                    }
                    match table.play(&cell.script) {
                        Ok(told) => {
                            heard.fetch_add(told.judged, Ordering::Relaxed);
                            passed.fetch_add(1, Ordering::Relaxed);
                            println!(
                                "{}: {} ({} ms to settle at most)",
                                cell.name, cell.script, told.slowest
                            );
                        }
                        Err(why) => failed.lock().expect("whole").push(format!("{}: {why}", cell.name)),
                    }
                    table.clear();
                }
            });
        }
    });
    let failed = failed.into_inner().expect("whole");
    assert!(failed.is_empty(), "{} of {} cells:\n{}", failed.len(), cells.len(), failed.join("\n"));
    let passed = passed.into_inner();
    println!("{passed} cells, {} judgements of who hears whom", heard.into_inner());
    if only.is_none() {
        assert!(passed >= 40, "{passed} cells");
        room.server.assert_replays(passed);
    }
    let server: &Server = &room.server;
    server.assert_clean();
}
