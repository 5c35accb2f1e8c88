//! The hash of a block, and the root of many.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use longhaul::verify::{BLOCK, BlockHash, block, tree};

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree");
    let bytes = vec![7; BLOCK as usize];
    group.throughput(Throughput::Bytes(BLOCK));
    group.bench_function("hash a block", |bencher| {
        bencher.iter(|| block::hash(1, 2 * BLOCK, black_box(&bytes)));
    });

    for gib in [1, 100] {
        let blocks = gib << 10;
        let hashes = vec![BlockHash([7; 32]); blocks as usize];
        group.throughput(Throughput::Elements(blocks));
        group.bench_function(format!("the root of {gib} GiB"), |bencher| {
            bencher.iter(|| tree::root(black_box(&hashes), blocks * BLOCK));
        });
    }
    group.finish();
}
