//! What runs for every frame, block or upload, alone: `make bench-hot`.

mod codec;
mod ranges;
mod scheduler;
mod tree;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    codec::bench,
    ranges::bench,
    scheduler::bench,
    tree::bench
);
criterion_main!(benches);
