//! Proof of having the bytes of some blocks, which shows nothing of them.
//!
//! Only the hashes go in, so neither side reads a byte for it that it has hashed; and
//! only somebody who has the bytes knows them. The challenge, drawn anew each time,
//! keeps a proof from being used twice.

use serde::{Deserialize, Serialize};

use super::{BLOCK, BlockHash};

/// What a proof answers: random, and never used again.
pub type Challenge = [u8; 32];

/// The answer to a [`Challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof([u8; 32]);

impl Proof {
    /// The proof of having these blocks, given with their numbers and in order: the
    /// BLAKE3 of all of it, keyed with the challenge.
    pub fn new(challenge: &Challenge, blocks: impl IntoIterator<Item = (u64, BlockHash)>) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(challenge);
        for (block, hash) in blocks {
            hasher.update(&block.to_le_bytes()).update(&hash.0);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// Whether a proof can be asked for of a file of `size` bytes: the hash of a single
    /// block is the digest of its file, which whoever sees the file's page knows.
    pub fn is_possible(size: u64) -> bool {
        size > BLOCK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_the_challenge_and_on_every_block_and_its_place() {
        let hashes = [BlockHash([1; 32]), BlockHash([2; 32])];
        let proof = Proof::new(&[0; 32], [(3, hashes[0]), (4, hashes[1])]);
        assert_eq!(
            proof,
            Proof::new(&[0; 32], [(3, hashes[0]), (4, hashes[1])])
        );
        for other in [
            Proof::new(&[1; 32], [(3, hashes[0]), (4, hashes[1])]),
            Proof::new(&[0; 32], [(3, hashes[1]), (4, hashes[0])]),
            Proof::new(&[0; 32], [(3, hashes[0]), (5, hashes[1])]),
            Proof::new(&[0; 32], [(3, hashes[0])]),
            Proof::new(&[0; 32], []),
        ] {
            assert_ne!(proof, other);
        }
    }
}
