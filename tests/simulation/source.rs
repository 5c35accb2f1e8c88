//! The files that people send, each in every version that it ever had.

use std::sync::OnceLock;

use bytes::Bytes;
use longhaul::protocol::block::Block;
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::sender::ReadError;
use longhaul::verify::{BLOCK, Root, block_len};

use super::chance::Chance;

/// A file on the computer of whoever sends it.
#[derive(Debug)]
pub struct Source {
    pub path: String,
    /// What it holds now is the last one.
    pub versions: Vec<Version>,
    /// Whether it was taken away.
    pub vanished: bool,
}

/// What a file once held.
#[derive(Debug)]
pub struct Version {
    pub content: Bytes,
    pub digest: Root,
}

impl Version {
    fn new(content: Bytes) -> Self {
        let digest = Root(*blake3::hash(&content).as_bytes());
        Self { content, digest }
    }
}

/// A file as it was when it was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    pub source: usize,
    pub version: usize,
}

/// Bytes that repeat nowhere, to cut files from without copying.
fn pool() -> &'static Bytes {
    static POOL: OnceLock<Bytes> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut chance = Chance::new(0);
        let words = (0..1 << 20).flat_map(|_| chance.next().to_le_bytes());
        words.collect::<Vec<u8>>().into()
    })
}

impl Source {
    pub fn new(path: String, size: u64, chance: &mut Chance) -> Self {
        let start = chance.below(pool().len() as u64 - size) as usize;
        Self {
            path,
            versions: vec![Version::new(pool().slice(start..start + size as usize))],
            vanished: false,
        }
    }

    pub fn content(&self) -> &Bytes {
        &self.versions[self.versions.len() - 1].content
    }

    pub fn size(&self) -> u64 {
        self.content().len() as u64
    }

    /// Somebody changes a byte of it.
    pub fn change(&mut self, chance: &mut Chance) {
        let mut bytes = self.content().to_vec();
        if !bytes.is_empty() {
            let at = chance.index(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
        }
        self.versions.push(Version::new(bytes.into()));
    }

    pub fn manifest(&self) -> Manifest {
        Manifest {
            path: self.path.clone(),
            size: self.size(),
            modified: Some(self.versions.len() as i64),
            media_type: String::new(),
        }
    }

    /// Reads a block as a browser does: a file that is not as it was picked cannot be read.
    pub fn read(&self, version: usize, index: u64) -> Result<Block, ReadError> {
        if self.vanished {
            return Err(ReadError::Vanished);
        }
        if version + 1 != self.versions.len() {
            return Err(ReadError::Changed);
        }
        let start = index * BLOCK;
        let end = start + block_len(index, self.size());
        let bytes = &self.content()[start as usize..end as usize];
        Block::of(start, self.size(), bytes)
            .next()
            .ok_or(ReadError::Changed)
    }
}
