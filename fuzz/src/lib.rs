//! What the fuzzer's programs share: the targets, and the judge of what one input may cost.

pub mod targets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

/// Time one input may take. Of three tries the best counts: the first may have paid for somebody else's work.
const LONGEST: Duration = Duration::from_millis(10);
/// Memory one input may take at its peak: so many times its length, and a base for tables and the like.
const TIMES: usize = 256;
const BASE: usize = 4 * 1024 * 1024;

/// Runs a target on one input. Panics when it takes too long, takes too much memory, or keeps some.
pub fn judged(target: fn(&[u8]), bytes: &[u8]) {
    judged_within(LONGEST, target, bytes);
}

/// The same for an input that is a story of many: `longest` is for all of it.
pub fn judged_within(longest: Duration, target: fn(&[u8]), bytes: &[u8]) {
    let (spent, cost) = measured(target, bytes);
    assert!(
        cost.peak <= BASE + TIMES * bytes.len(),
        "{} bytes of memory for {} of input",
        cost.peak,
        bytes.len()
    );
    if spent > longest || cost.kept > 0 {
        // What is made once and kept for ever is made now.
        let more = [measured(target, bytes), measured(target, bytes)];
        let best = more.iter().map(|(spent, _)| *spent).min().unwrap_or(spent).min(spent);
        assert!(best <= longest, "{best:?} for {} bytes", bytes.len());
        assert!(more.iter().any(|(_, cost)| cost.kept <= 0), "{} bytes are not given back", cost.kept);
    }
}

#[derive(Clone, Copy)]
struct Cost {
    peak: usize,
    kept: isize,
}

fn measured(target: fn(&[u8]), bytes: &[u8]) -> (Duration, Cost) {
    LIVE.set(0);
    PEAK.set(0);
    let before = cpu();
    target(bytes);
    let spent = cpu().saturating_sub(before);
    (spent, Cost { peak: PEAK.get().unsigned_abs(), kept: LIVE.get() })
}

/// This thread's own time, whatever else the machine does.
fn cpu() -> Duration {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is a valid place for the answer and lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut at) };
    Duration::new(at.tv_sec.unsigned_abs(), u32::try_from(at.tv_nsec).unwrap_or(0))
}

thread_local! {
    /// Bytes of this thread since the count began, and the most there were.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: isize) {
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: everything is the system's; it is only counted beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.realloc(at, layout, size) }
    }
}
