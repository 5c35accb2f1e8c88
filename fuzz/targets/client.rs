#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| longhaul::targets::client::run(bytes));
