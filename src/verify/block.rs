//! The hash of one block, and of a whole file.

use blake3::Hasher;
use blake3::hazmat::HasherExt;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BLOCK, block_len};

/// The hash of one block at its place in its file.
///
/// Of a file of a single block it is the BLAKE3 of the file itself: that block is
/// the root of its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlockHash(pub [u8; 32]);

/// The BLAKE3 of a whole file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root(pub [u8; 32]);

impl std::fmt::Display for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Root({self})")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: 64 hexadecimal digits are expected")]
pub struct RootError;

impl std::str::FromStr for Root {
    type Err = RootError;

    fn from_str(text: &str) -> Result<Self, RootError> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| RootError)?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.to_string().serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// Hashes one block, its bytes given in order and in pieces of any length.
#[derive(Clone, Debug)]
pub struct BlockHasher {
    hasher: Hasher,
    whole: bool,
}

impl BlockHasher {
    /// Begins block `index` of a file of `size` bytes.
    pub fn new(index: u64, size: u64) -> Self {
        let mut hasher = Hasher::new();
        let whole = size <= BLOCK;
        if !whole {
            hasher.set_input_offset(index * BLOCK);
        }
        Self { hasher, whole }
    }

    /// Adds the block's next bytes. A block has no more than [`BLOCK`] of them.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The hash of what was added.
    pub fn finish(&self) -> BlockHash {
        BlockHash(if self.whole {
            *self.hasher.finalize().as_bytes()
        } else {
            self.hasher.finalize_non_root()
        })
    }
}

/// Hashes a whole block at once.
pub fn hash(index: u64, size: u64, bytes: &[u8]) -> BlockHash {
    let mut hasher = BlockHasher::new(index, size);
    hasher.update(bytes);
    hasher.finish()
}

/// Hashes pieces of a file of `size` bytes that follow each other from `offset` on, each
/// of them within one block. Gives the blocks that they complete; the one that they leave
/// unfinished goes on in `hasher`.
pub fn hash_pieces(
    mut offset: u64,
    pieces: &[Bytes],
    size: u64,
    hasher: &mut Option<BlockHasher>,
) -> Vec<(u64, BlockHash)> {
    let mut hashes = Vec::new();
    for piece in pieces {
        let block = offset / BLOCK;
        let mut current = match hasher.take() {
            Some(hasher) if !offset.is_multiple_of(BLOCK) => hasher,
            _ => BlockHasher::new(block, size),
        };
        current.update(piece);
        offset += piece.len() as u64;
        if offset == block * BLOCK + block_len(block, size) {
            hashes.push((block, current.finish()));
        } else {
            *hasher = Some(current);
        }
    }
    hashes
}
