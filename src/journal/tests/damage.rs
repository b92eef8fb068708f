//! Bytes that changed or are gone, and keys that were destroyed.

use super::world::{World, read_all, reader};
use crate::call::fact::{Fact, Stamped};
use crate::journal::{Journal, erase};
use std::collections::BTreeSet;

/// A small journal of three segments, closed in order.
fn small() -> World {
    let mut world = World::new(11, false);
    world.options.segment_bytes = 600;
    assert!(world.boot());
    // A start looks at nothing before a checkpoint.
    world.journal.as_mut().unwrap().checkpoint_every = u64::MAX;
    for _ in 0..6 {
        let group = world.group();
        assert!(world.commit(&group));
    }
    world.journal = None;
    world
}

/// Each byte of each segment is changed by `harm` in turn; readers and starts are held to what is left.
fn each_byte(harm: fn(&mut Vec<u8>, usize)) {
    let world = small();
    let (whole, _) = read_all(&world.disk, &world.options);
    let dir = tempfile::tempdir().unwrap();
    world.disk.copy_to(dir.path());
    let real = |path: &std::path::Path| dir.path().join(path.strip_prefix("/").unwrap());
    let mut options = world.options.clone();
    (options.dir, options.keys_dir) = (real(&options.dir), real(&options.keys_dir));
    let segments: Vec<_> = world
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "log"))
        .collect();
    assert!(segments.len() >= 2);
    for (path, bytes) in segments {
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            harm(&mut bad, at);
            std::fs::write(real(&path), &bad).unwrap();
            let mut reader = reader(dir.path(), &world.options);
            let mut found: Vec<Stamped> = Vec::new();
            reader.read_after(0, 10_000, &mut found).unwrap();
            let kept: BTreeSet<u64> = found.iter().map(|stamped| stamped.seq).collect();
            assert!(found.iter().all(|stamped| whole.contains(stamped)), "{} {at}", path.display());
            let missing = whole.len() - found.len();
            // What ends early in the newest segment might still be written.
            let last = kept.last().copied().unwrap_or(0);
            let behind = whole.len() as u64 - last;
            assert_eq!(reader.skipped() + behind, missing as u64, "{} {at}", path.display());
            if bad.len() == bytes.len() {
                assert!(missing <= 1, "{missing} records for one byte at {at} of {}", path.display());
            }
            let opened =
                crate::journal::open::recover(&mut crate::journal::RealDisk::default(), &options).unwrap();
            let told = opened.damage.iter().map(|damage| damage.records).sum::<u64>();
            let torn = opened.damage.iter().any(|damage| damage.torn);
            assert!(missing == 0 || told > 0 || torn || opened.fold.last_seq < whole.len() as u64);
        }
        std::fs::write(real(&path), &bytes).unwrap();
    }
}

#[test]
fn a_changed_byte_costs_one_record_and_is_counted() {
    each_byte(|bytes, at| bytes[at] ^= 0x41);
}

#[test]
fn a_file_cut_anywhere_keeps_what_is_before_the_cut() {
    each_byte(|bytes, at| bytes.truncate(at));
}

#[test]
fn an_erased_call_is_counted_and_its_texts_are_gone() {
    let world = small();
    let (whole, _) = read_all(&world.disk, &world.options);
    let arrived = |all: &[Stamped]| -> Vec<_> {
        let facts = all.iter().filter_map(|stamped| match &stamped.fact {
            Fact::CallArrived(arrived) => Some((arrived.call, arrived.caller.reveal().to_owned())),
            _ => None,
        });
        facts.collect()
    };
    let before = arrived(&whole);
    let gone = before[1].0;
    let mut disk = world.disk.clone();
    erase(&mut disk, &world.options.keys_dir, gone).unwrap();
    world.disk.crash();
    let (after, skipped) = read_all(&world.disk, &world.options);
    assert_eq!((after.len(), skipped), (whole.len(), 0));
    for ((call, old), (_, new)) in before.iter().zip(arrived(&after)) {
        assert!(!old.is_empty());
        assert_eq!(new, if *call == gone { String::new() } else { old.clone() });
    }
    // Nobody's call makes no file, and so no boot.
    let nobody = crate::base::CallId { node: 1, boot: 99, n: 1 };
    let files = world.disk.files().len();
    erase(&mut disk, &world.options.keys_dir, nobody).unwrap();
    assert_eq!(world.disk.files().len(), files);
    assert!(Journal::open_on(disk, world.options.clone(), |_| Ok(())).is_ok());
}

#[test]
fn segments_that_everybody_has_read_go_when_their_time_is_over() {
    use std::time::{Duration, SystemTime};
    let world = small();
    let dir = tempfile::tempdir().unwrap();
    world.disk.copy_to(dir.path());
    let real = |path: &std::path::Path| dir.path().join(path.strip_prefix("/").unwrap());
    let mut options = world.options.clone();
    (options.dir, options.keys_dir) = (real(&options.dir), real(&options.keys_dir));
    let count = || {
        std::fs::read_dir(&options.dir)
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|e| e == "log"))
            .count()
    };
    let dirs = [options.dir.clone()];
    let (all, later) = (count(), SystemTime::now() + Duration::from_secs(60));
    let (whole, _) = read_all(&world.disk, &world.options);
    let last = whole.last().unwrap().seq;
    assert!(all > 3);
    assert_eq!(crate::journal::expire(&dirs, last, SystemTime::UNIX_EPOCH).unwrap(), 0, "all are young");
    assert_eq!(crate::journal::expire(&dirs, 0, later).unwrap(), 0, "nobody has read them");
    assert_eq!(crate::journal::expire(&dirs, last, later).unwrap(), all as u64 - 2);
    assert_eq!(count(), 2);
    let (_, recovered) = Journal::open(options.clone(), 0).unwrap();
    assert_eq!(recovered.next_seq, last + 1, "no position is given twice");
}
