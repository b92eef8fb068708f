//! A reader that follows while the writer writes, turns segments, fails and starts again.

use super::disk::Fault;
use super::world::{World, reader};
use crate::call::fact::Stamped;
use std::sync::Arc;

#[test]
fn who_follows_sees_each_record_once_and_in_order() {
    for seed in 0..10 {
        println!("seed {seed}");
        let root = tempfile::tempdir().unwrap();
        let mut world = World::new(seed, seed % 2 == 0);
        world.disk.mirror_to(root.path());
        let mut seen: Vec<Stamped> = Vec::new();
        for _ in 0..5 {
            if !world.boot() {
                world.disk.crash();
                continue;
            }
            let mut follower = reader(root.path(), &world.options).bounded_by(Arc::clone(&world.news));
            let end = 10 + world.draw(20);
            for n in 0..end {
                let group = world.group();
                if n % 4 == 1 {
                    let after = world.draw(4);
                    world.disk.fail_after(after, Fault::Short);
                }
                if n + 1 == end {
                    world.disk.fail_after(1, Fault::PowerCut);
                }
                while !world.commit(&group) && !world.disk.is_off() {}
                let after = seen.last().map_or(0, |last| last.seq);
                follower.read_after(after, 5, &mut seen).unwrap();
                assert!(seen.len() as u64 <= world.acked, "only what is promised");
            }
            let after = seen.last().map_or(0, |last| last.seq);
            follower.read_after(after, 10_000, &mut seen).unwrap();
            assert_eq!(seen.len() as u64, world.acked, "all that is promised");
            assert_eq!(follower.skipped(), 0);
            world.disk.crash();
        }
        for (n, stamped) in seen.iter().enumerate() {
            assert_eq!(stamped.seq, n as u64 + 1);
            assert_eq!(Some(stamped), world.given.get(&stamped.seq));
        }
    }
}
