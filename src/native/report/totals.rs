//! All files of a run together. All numbers come from what the server said.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::native::source::Source;
use crate::protocol::sender::Row;
use crate::units::{Bytes, Span};

/// All files of a run together.
#[derive(Debug, Default)]
pub struct Totals {
    /// How many files there are, and their bytes, without those that failed.
    pub files: usize,
    pub size: u64,
    /// How many are stored, and their bytes.
    stored: usize,
    stored_bytes: u64,
    moving: BTreeMap<usize, Row>,
}

impl Totals {
    pub fn new(sources: &[Source]) -> Self {
        Self {
            files: sources.len(),
            size: sources.iter().map(|source| source.stamp.size).sum(),
            ..Self::default()
        }
    }

    pub fn moved(&mut self, index: usize, row: Row) {
        self.moving.insert(index, row);
    }

    pub fn stored(&mut self, index: usize, size: u64) {
        self.moving.remove(&index);
        self.stored += 1;
        self.stored_bytes += size;
    }

    pub fn failed(&mut self, index: usize, size: u64) {
        self.moving.remove(&index);
        self.files -= 1;
        self.size -= size;
    }

    /// Bytes that the server has received.
    pub fn received(&self) -> u64 {
        self.stored_bytes + self.moving.values().map(|row| row.received).sum::<u64>()
    }

    /// Bytes that the server has made durable.
    pub fn durable(&self) -> u64 {
        self.stored_bytes + self.moving.values().map(|row| row.durable).sum::<u64>()
    }

    /// Bytes per second.
    pub fn rate(&self) -> u64 {
        self.moving.values().map(|row| row.rate).sum()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, files, .. } = self;
        write!(f, "{stored} of {files} files")?;
        let rate = self.rate();
        if let Some(left) = self.size.saturating_sub(self.received()).checked_div(rate) {
            let left = Span(Duration::from_secs(left));
            write!(f, ", {}/s, {left} left", Bytes(rate))?;
        }
        Ok(())
    }
}
