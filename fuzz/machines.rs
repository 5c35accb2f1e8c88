//! The machines of Longhaul and what they are tried with, and nothing else of it.

extern crate self as longhaul;

#[path = "../src/protocol/mod.rs"]
pub mod protocol;
#[path = "../tests/fuzz/targets/mod.rs"]
pub mod targets;
#[path = "../src/units.rs"]
pub mod units;
#[path = "../src/verify/mod.rs"]
pub mod verify;
