//! The machine or the program goes down at any operation.

use super::disk::Fault;
use super::world::World;

/// One seed: several lives, each ended at some operation.
fn lives(seed: u64) -> u64 {
    println!("seed {seed}");
    let mut world = World::new(seed, seed.is_multiple_of(3));
    let mut ends = 0;
    while ends < 10 {
        let after = world.draw(120);
        world.disk.fail_after(after, Fault::PowerCut);
        if world.boot() {
            world.check_read();
            loop {
                let group = world.group();
                if !world.commit(&group) {
                    break;
                }
            }
        }
        assert!(world.disk.is_off(), "nothing but the end stops it");
        world.journal = None;
        ends += 1;
        match world.draw(3) {
            0 => world.disk.kill(),
            _ => world.disk.crash(),
        }
    }
    assert!(world.boot());
    world.check_read();
    ends
}

/// A hundred crashes, or with `HOTLINE_PROVE` a thousand.
#[test]
fn crashes_lose_nothing_promised_and_give_no_number_twice() {
    let seeds = if std::env::var_os("HOTLINE_PROVE").is_some() { 100 } else { 10 };
    let ends: u64 = (0..seeds).map(lives).sum();
    assert_eq!(ends, 10 * seeds);
}
