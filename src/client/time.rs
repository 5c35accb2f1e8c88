//! The browser's clock and chance, for machines that have none of their own.

use std::time::Duration;

use wasm_bindgen::prelude::*;

use crate::protocol::Time;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn milliseconds() -> f64;
}

/// The time since the page or worker began. It never jumps.
pub fn now() -> Time {
    Duration::from_secs_f64(milliseconds() / 1e3)
}

/// A random number, to spread tries.
pub fn random() -> u64 {
    // Without a source of chance all tries are as late as they may be.
    getrandom::u64().unwrap_or(u64::MAX)
}
