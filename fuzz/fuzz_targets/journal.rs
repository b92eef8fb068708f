#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hotline_fuzz::judged(hotline_fuzz::targets::journal, bytes));
