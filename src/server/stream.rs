//! What a session knows of one of its streams: its task, and since when its blocks wait to
//! become durable.

use std::collections::{HashMap, VecDeque};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::upload::Job;
use crate::protocol::id::FileId;
use crate::verify::{BLOCK, BlockHash};

/// A stream and its task.
pub struct Stream {
    /// What the task has to do.
    pub jobs: mpsc::UnboundedSender<Job>,
    /// How many frames it has not yet written.
    pub frames: usize,
    /// The upload that it holds.
    pub id: Option<FileId>,
    /// Length of the file in bytes.
    size: u64,
    /// When the last byte of each block came that is in no commit yet.
    whole: HashMap<u64, Instant>,
    /// The first of these moments, for each commit under way.
    committing: VecDeque<Instant>,
}

impl Stream {
    /// A stream of a file of `size` bytes, whose task takes `jobs`.
    pub fn new(jobs: mpsc::UnboundedSender<Job>, size: u64) -> Self {
        Self {
            jobs,
            frames: 0,
            id: None,
            size,
            whole: HashMap::new(),
            committing: VecDeque::new(),
        }
    }

    /// A frame of `len` bytes that arrived at `heard` is to be written.
    pub fn writes(&mut self, offset: u64, len: usize, heard: Instant) {
        self.frames += 1;
        let end = offset + len as u64;
        if end.is_multiple_of(BLOCK) || end == self.size {
            self.whole.insert(offset / BLOCK, heard);
        }
    }

    /// These blocks are to be made durable.
    pub fn commits(&mut self, blocks: &[(u64, BlockHash)]) {
        let whole = blocks.iter().filter_map(|(b, _)| self.whole.remove(b));
        let first = whole.min().unwrap_or_else(Instant::now);
        self.committing.push_back(first);
    }

    /// The first of the commits under way was carried out: when its first block was there.
    pub fn committed(&mut self) -> Option<Instant> {
        self.committing.pop_front()
    }
}
