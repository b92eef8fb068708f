//! Every operation of a run fails once, in every way. Nothing promised is lost, and what cannot be promised is not.

use super::disk::{FAULTS, Fault};
use super::world::World;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

/// A run with a fault at the operation after `n` others. False: the run has no such operation.
fn run(n: u64, fault: Fault, spare: bool) -> bool {
    let mut world = World::new(7, spare);
    world.disk.fail_after(n, fault);
    if !world.boot() {
        // It said so; the next start, on a disk that works again, is like any other.
        assert!(!world.disk.fault_waits());
        assert!(world.boot(), "one fault does not stop it for long");
    }
    for _ in 0..12 {
        let group = world.group();
        if !world.commit(&group) {
            assert!(world.news.failing.load(Relaxed), "the alarm is up");
            assert!(world.commit(&group), "one fault does not stop it for long");
        }
        assert!(!world.news.failing.load(Relaxed));
    }
    let come = !world.disk.fault_waits();
    world.check_read();
    world.disk.crash();
    assert!(world.boot());
    world.check_read();
    come
}

#[test]
fn each_operation_fails_in_each_way_and_nothing_promised_is_lost() {
    for spare in [false, true] {
        for fault in FAULTS {
            let reach = (0..).take_while(|n| {
                println!("operation {n}, {fault:?}, spare {spare}");
                run(*n, fault, spare)
            });
            assert!(reach.count() > 40, "a run has more operations");
        }
    }
}

#[test]
fn with_its_folder_gone_for_good_it_goes_on_in_the_spare_one() {
    let mut world = World::new(3, true);
    assert!(world.boot());
    world.disk.break_folder(Some(Path::new("/data/journal")));
    for _ in 0..20 {
        let group = world.group();
        assert!(world.commit(&group));
    }
    world.disk.break_folder(None);
    world.disk.crash();
    assert!(world.boot());
    world.check_read();
}

#[test]
fn without_any_folder_it_says_so_and_promises_nothing_until_one_is_back() {
    let mut world = World::new(4, false);
    assert!(world.boot());
    let before = world.acked;
    world.disk.break_folder(Some(Path::new("/data")));
    let group = world.group();
    for _ in 0..5 {
        assert!(!world.commit(&group));
        assert!(world.news.failing.load(Relaxed));
        assert_eq!(world.acked, before);
    }
    world.disk.break_folder(None);
    assert!(world.commit(&group));
    world.disk.crash();
    assert!(world.boot());
    world.check_read();
}
