//! Waiting for something to be so.

use std::time::{Duration, Instant};

/// Between two looks. This is the only place where a test lets time pass.
const BETWEEN: Duration = Duration::from_millis(10);

/// Looks again and again until `look` gives a value; fails the test, with what was waited for, when `deadline` has passed.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(begun.elapsed() < deadline, "after {deadline:?} still not: {what}");
        std::thread::park_timeout(BETWEEN);
    }
}

/// The same for a figure: the failure tells the last one seen.
#[track_caller]
pub fn until_equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    deadline: Duration,
    want: T,
    mut look: impl FnMut() -> T,
) {
    let begun = Instant::now();
    loop {
        let seen = look();
        if seen == want {
            return;
        }
        assert!(begun.elapsed() < deadline, "{what}: wanted {want:?}, after {deadline:?} it is {seen:?}");
        std::thread::park_timeout(BETWEEN);
    }
}
