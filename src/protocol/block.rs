//! A block of a file on its way from where it was read to the socket.
//!
//! Its bytes are put in place once, behind room for the header of a frame. A frame is cut
//! by writing its header over what stands before it, which was sent: nothing is copied.

use std::ops::Range;

use super::StreamId;
use super::frame::{self, DATA_HEADER, Number};
use crate::verify::{BLOCK, BlockHash, block};

/// Where the bytes of a block are put.
#[derive(Debug)]
pub struct Buffer {
    vec: Vec<u8>,
    end: usize,
}

impl Buffer {
    /// Room for so many bytes.
    pub fn new(len: u64) -> Self {
        let end = DATA_HEADER + len as usize;
        let mut vec = Vec::with_capacity(end);
        vec.resize(DATA_HEADER, 0);
        Self { vec, end }
    }

    /// How many bytes are missing.
    pub fn left(&self) -> usize {
        self.end.saturating_sub(self.vec.len())
    }

    /// The bytes that are there.
    pub fn bytes(&self) -> &[u8] {
        let end = self.end.min(self.vec.len());
        self.vec.get(DATA_HEADER..end).unwrap_or_default()
    }

    /// For whoever adds bytes at its end. What is too much is dropped.
    pub fn vec(&mut self) -> &mut Vec<u8> {
        &mut self.vec
    }

    /// The block, once they are there, where their hash is known.
    pub fn hashed(mut self, hash: BlockHash) -> Block {
        self.vec.truncate(self.end);
        Block {
            buffer: self.vec,
            hash,
        }
    }

    /// The same, of block `index` of a file of `size` bytes.
    pub fn hash(self, index: u64, size: u64) -> Block {
        let hash = block::hash(index, size, self.bytes());
        self.hashed(hash)
    }
}

/// A block that was read, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    buffer: Vec<u8>,
    hash: BlockHash,
}

impl Block {
    /// The blocks of a piece of a file of `size` bytes that begins at `offset`, where a
    /// block begins.
    pub fn of(offset: u64, size: u64, piece: &[u8]) -> impl Iterator<Item = Self> {
        (offset / BLOCK..)
            .zip(piece.chunks(BLOCK as usize))
            .map(move |(index, bytes)| {
                let mut buffer = Buffer::new(bytes.len() as u64);
                buffer.vec().extend_from_slice(bytes);
                buffer.hash(index, size)
            })
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.buffer.len().saturating_sub(DATA_HEADER) as u64
    }

    /// Whether it has none; a file has no such block.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its hash.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }
}

/// A block that is cut into frames.
#[derive(Debug)]
pub struct Cutting {
    index: u64,
    block: Block,
    /// Up to where it was cut.
    cut: usize,
    frame: Range<usize>,
}

impl Cutting {
    /// Begins with block `index`.
    pub fn new(index: u64, block: Block) -> Self {
        Self {
            index,
            block,
            cut: 0,
            frame: 0..0,
        }
    }

    /// How many bytes are left.
    pub fn left(&self) -> u64 {
        self.block.len() - self.cut as u64
    }

    /// Cuts the next frame, of at most so many bytes; how many it has.
    pub fn next(&mut self, stream: StreamId, most: u64, number: Option<Number>) -> u64 {
        let len = self.left().min(most);
        let start = self.cut;
        self.cut += len as usize;
        self.frame = start..self.cut + DATA_HEADER;
        let header = frame::data_header(stream, self.index * BLOCK + start as u64, number);
        self.block.buffer[start..start + DATA_HEADER].copy_from_slice(&header);
        len
    }

    /// The frame that was cut last.
    pub fn frame(&self) -> &[u8] {
        &self.block.buffer[self.frame.clone()]
    }

    /// Which block it is, and its hash.
    pub fn hash(&self) -> (u64, BlockHash) {
        (self.index, self.block.hash)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::protocol::frame::encode_data;

    #[test]
    fn frames_are_cut_from_a_block_in_its_place() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let offset = 2 * BLOCK;
        let size = offset + bytes.len() as u64;
        let mut blocks = Block::of(offset, size, &bytes);
        let mut cutting = Cutting::new(2, blocks.next().unwrap());
        assert_eq!(blocks.next(), None);
        assert_eq!(cutting.hash(), (2, block::hash(2, size, &bytes)));
        let mut at = 0;
        for most in [1, 7, 16, 40_000, 16_000, 1_000_000] {
            let piece = &bytes[at..bytes.len().min(at + most)];
            assert_eq!(
                cutting.next(StreamId(5), most as u64, None),
                piece.len() as u64
            );
            let frame = encode_data(StreamId(5), offset + at as u64, piece);
            assert_eq!(cutting.frame(), frame);
            at += piece.len();
        }
        assert_eq!(cutting.left(), 0);
    }
}
