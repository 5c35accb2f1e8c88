//! Proof that what arrived is what was sent.
//!
//! A file is cut into blocks of 1 MiB. The hash of a block is the chaining value
//! of its BLAKE3 subtree at its offset, so blocks can be hashed in any order and by
//! both sides independently; and the root that [`tree::root`] computes from the
//! hashes of all blocks **is** the plain BLAKE3 of the file, which `b3sum` confirms
//! without any knowledge of blocks.

#![warn(missing_docs)]

pub mod block;
pub mod proof;
pub mod tree;

pub use block::{BlockHash, BlockHasher, Root};
pub use proof::{Challenge, Proof};

/// Length of a block in bytes; the last block of a file may be shorter.
pub const BLOCK: u64 = 1024 * 1024;

/// How many blocks a file of `size` bytes has. An empty file has none.
pub fn blocks(size: u64) -> u64 {
    size.div_ceil(BLOCK)
}

/// The length in bytes of block `index` of a file of `size` bytes; 0 past its end.
pub fn block_len(index: u64, size: u64) -> u64 {
    size.saturating_sub(index.saturating_mul(BLOCK)).min(BLOCK)
}
