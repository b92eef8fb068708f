#![no_main]
use std::time::Duration;

/// An input is up to 32 messages and the two hours of timers after them: 10 ms a message, as for the readers, would be 320.
const STORY: Duration = Duration::from_millis(50);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hotline_fuzz::judged_within(STORY, hotline_fuzz::targets::ua, bytes));
