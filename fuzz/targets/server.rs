#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| longhaul::targets::server::run(bytes));
