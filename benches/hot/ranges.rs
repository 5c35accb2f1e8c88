//! The blocks of a large file as a set: as they arrive in order, and with gaps everywhere.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use longhaul::protocol::ranges::RangeSet;

/// As many as a file of 100 GiB has.
const BLOCKS: u64 = 100 * 1024;

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ranges");
    group.bench_function("insert 100 GiB in order", |bencher| {
        bencher.iter(|| {
            let mut set = RangeSet::new();
            for block in 0..BLOCKS {
                set.insert(block..block + 1);
            }
            set
        });
    });

    // Every other block, which is the worst there is.
    let mut gaps = RangeSet::new();
    for block in (0..BLOCKS).step_by(2) {
        gaps.insert(block..block + 1);
    }
    group.bench_function("look into 51,200 ranges", |bencher| {
        bencher.iter(|| black_box(&gaps).contains(black_box(BLOCKS / 3)));
    });
    group.bench_function("close one of 51,199 gaps", |bencher| {
        let gap = BLOCKS / 2 + 1;
        bencher.iter_batched(
            || gaps.clone(),
            |mut set| {
                set.insert(gap..gap + 1);
                set
            },
            BatchSize::LargeInput,
        );
    });
    let half = RangeSet::full(0..BLOCKS / 2);
    group.bench_function("what is missing after half", |bencher| {
        bencher.iter(|| black_box(&half).complement(0..BLOCKS));
    });
    group.finish();
}
