#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| deploykit_fuzz::checks::rate_limit_headers::check(data));
