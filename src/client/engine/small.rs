//! Small files are read many at a time: to a browser a read costs the same whatever it reads,
//! and one of several files put together is one read.
//!
//! Few such reads are under way; what is wanted meanwhile is read with the next one.

use wasm_bindgen_futures::spawn_local;

use super::{Engine, Inner, now};
use crate::client::source;
use crate::port::Key;
use crate::protocol::manifest::SMALL;

/// How many reads may be under way: one that hangs does not hold up all others.
const READS: usize = 3;

/// What is to be read.
#[derive(Default)]
pub(super) struct SmallReads {
    wanted: Vec<(Key, u64)>,
    under_way: usize,
}

impl Inner {
    /// Puts a slice of an upload aside, to be read with others, if it is a small file.
    pub(super) fn read_later(&mut self, key: Key, slice: u64, size: u64) -> bool {
        let small = size <= SMALL;
        if small {
            self.small.wanted.push((key, slice));
        }
        small
    }

    /// Begins to read what was put aside.
    pub(super) fn read_small(&mut self, engine: &Engine) {
        if self.small.wanted.is_empty() || self.small.under_way >= READS {
            return;
        }
        self.small.under_way += 1;
        let (mut slices, mut files) = (Vec::new(), Vec::new());
        for (key, slice) in std::mem::take(&mut self.small.wanted) {
            if let Some(source) = self.sources.get(key) {
                slices.push((key, slice));
                files.push(source.file.clone());
            }
        }
        let (engine, hasher) = (engine.clone(), self.hasher.clone());
        spawn_local(async move {
            let read = source::read_whole(&files, &hasher).await;
            engine.event(|inner| {
                inner.small.under_way -= 1;
                for ((key, slice), block) in slices.into_iter().zip(read) {
                    inner.client.sender.read(key, slice, block, now());
                }
            });
        });
    }
}
