//! Joins the hashes of a file's blocks to the hash of the file.

use blake3::hazmat::{
    ChainingValue, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

use super::{BLOCK, BlockHash, Root, blocks};

/// The BLAKE3 of a file of `size` bytes, from the hashes of all its blocks in order.
/// `None` if there are not exactly as many as the size demands.
pub fn root(hashes: &[BlockHash], size: u64) -> Option<Root> {
    if hashes.len() as u64 != blocks(size) {
        return None;
    }
    Some(Root(match hashes {
        [] => *blake3::hash(&[]).as_bytes(),
        [only] => only.0,
        _ => {
            let (left, right) = split(hashes, size);
            *merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()
        }
    }))
}

/// The chaining values of both halves of a subtree of `size` bytes, more than one
/// block of them.
fn split(hashes: &[BlockHash], size: u64) -> (ChainingValue, ChainingValue) {
    let left = left_subtree_len(size);
    let (a, b) = hashes.split_at((left / BLOCK) as usize);
    (subtree(a, left), subtree(b, size - left))
}

fn subtree(hashes: &[BlockHash], size: u64) -> ChainingValue {
    match hashes {
        [only] => only.0,
        _ => {
            let (left, right) = split(hashes, size);
            merge_subtrees_non_root(&left, &right, Mode::Hash)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verify::{BlockHasher, block, block_len};

    fn content(size: u64) -> Vec<u8> {
        (0..size).map(|i| (i * 31 + i / 251) as u8).collect()
    }

    fn check(size: u64, order: &[usize]) {
        let bytes = content(size);
        let mut hashes = vec![BlockHash([0; 32]); blocks(size) as usize];
        for &index in order {
            let start = index * BLOCK as usize;
            let end = start + block_len(index as u64, size) as usize;
            hashes[index] = block::hash(index as u64, size, &bytes[start..end]);
        }
        let expected = *blake3::hash(&bytes).as_bytes();
        assert_eq!(root(&hashes, size), Some(Root(expected)), "size {size}");
    }

    #[test]
    fn the_root_is_the_blake3_of_the_file_around_every_boundary() {
        for size in [0, 1, 63, 64, 1023, 1024, 1025] {
            check(size, &(0..blocks(size) as usize).collect::<Vec<_>>());
        }
        for whole in 1..=9 {
            for size in [whole * BLOCK - 1, whole * BLOCK, whole * BLOCK + 1] {
                check(size, &(0..blocks(size) as usize).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_wrong_count_of_hashes_has_no_root() {
        assert_eq!(root(&[], 1), None);
        assert_eq!(root(&[BlockHash([0; 32]); 2], BLOCK), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn blocks_may_be_hashed_in_any_order(
            (size, order) in (1..7 * BLOCK).prop_flat_map(|size| {
                let order: Vec<usize> = (0..blocks(size) as usize).collect();
                (Just(size), Just(order).prop_shuffle())
            })
        ) {
            check(size, &order);
        }

        #[test]
        fn a_block_may_be_hashed_in_any_pieces(cuts in prop::collection::vec(0..BLOCK as usize, 0..6)) {
            let size = 3 * BLOCK;
            let bytes = content(BLOCK);
            let mut cuts = cuts;
            cuts.extend([0, BLOCK as usize]);
            cuts.sort_unstable();
            let mut hasher = BlockHasher::new(1, size);
            for pair in cuts.windows(2) {
                hasher.update(&bytes[pair[0]..pair[1]]);
            }
            prop_assert_eq!(hasher.finish(), block::hash(1, size, &bytes));
        }
    }
}
