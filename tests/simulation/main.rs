//! The simulator: real senders, connections and receivers over a virtual network, clock,
//! disk and registry, all from one seed. Whatever goes wrong, what is stored is what was
//! sent, what was acknowledged is never lost, and everything comes to its end.
//!
//! ```text
//! make soak SEEDS=100000              so many seeds, or until it is stopped
//! SEED=4711 cargo test --features ssr --test simulation nothing -- --nocapture
//!                                     one, and all that happens in it
//! ```
//!
//! The same seed is always the same run. One that failed is kept in `seeds.txt`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod books;
mod boot;
mod chance;
mod checks;
mod client;
mod disk;
mod end;
mod engine;
mod extents;
mod faults;
mod network;
mod people;
mod plan;
mod runner;
mod server;
mod session;
mod source;
mod steps;
mod upload;
mod world;

use std::time::{SystemTime, UNIX_EPOCH};

use self::runner::{number, run_all};

/// How many seeds a test run tries.
const SEEDS: u64 = 5000;

#[test]
fn nothing_is_lost_on_five_thousand_bad_days() {
    match number("SEED") {
        Some(seed) => drop(world::run(seed, true)),
        None => run_all(0..number("SEEDS").unwrap_or(SEEDS), false),
    }
}

#[test]
fn seeds_that_failed_once_do_not_fail_again() {
    let lines = include_str!("seeds.txt").lines();
    let seeds = lines.filter(|line| !line.starts_with('#'));
    let seeds = seeds.map(|line| line.split(' ').next().unwrap().parse().unwrap());
    run_all(seeds.collect::<Vec<u64>>(), false);
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..30 {
        assert_eq!(
            world::run(seed, false),
            world::run(seed, false),
            "seed {seed}"
        );
    }
}

#[test]
#[ignore = "runs until it is stopped, or for SEEDS seeds from FROM on"]
fn soak() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let from = number("FROM").unwrap_or(now.as_secs() << 24);
    let end = number("SEEDS").map_or(u64::MAX, |seeds| from + seeds);
    run_all(from..end, true);
}
