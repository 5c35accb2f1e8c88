//! Makes what was written durable, for many at once.
//!
//! To make one small file durable takes a file system as long as to make a hundred: it
//! writes its log, and waits for the disk. So while it is busy with that, those who want
//! it too wait, and then one `syncfs` serves them all. Where there are few, each syncs its
//! own file, for `syncfs` also writes what others have written.
//!
//! The invariant: who is told that all is durable came before the flush began. A `syncfs`
//! that failed says so once, and not whose bytes are lost: so whoever had written before
//! it, and had not been told, is told that it failed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::fs::syncfs;

use super::{Disk, blocking, failed};
use crate::storage::StorageError;

/// How many may sync their own files at the same time.
const FEW: usize = 2;

/// Who waits for the disk, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    waiting: AtomicUsize,
    begun: AtomicU64,
    failures: AtomicU64,
    /// The last flush that ended; held while one is under way.
    ended: tokio::sync::Mutex<u64>,
}

/// One that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    flusher: &'a Flusher,
    others: usize,
}

impl Flusher {
    /// Someone wants something durable.
    pub fn wait(&self) -> Waiting<'_> {
        let others = self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            flusher: self,
            others,
        }
    }

    /// Counts the flushes.
    #[cfg(test)]
    pub fn flushes(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Counts the flushes that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }
}

impl Waiting<'_> {
    /// Whether so many wait that they had better share one flush.
    pub fn is_crowd(&self) -> bool {
        self.others >= FEW
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.flusher.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Disk {
    /// Makes all durable that was written before this was called, together with what
    /// others wait for. An error if that failed since there were so many `failures`.
    pub(super) async fn flush(&self, failures: u64) -> Result<(), StorageError> {
        let flusher = &self.0.flusher;
        let before = flusher.begun.load(Ordering::SeqCst);
        let mut ended = flusher.ended.lock().await;
        if *ended <= before {
            let number = flusher.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let disk = self.clone();
            let flushed = blocking(move || {
                let synced = syncfs(&disk.0.parts);
                if synced.is_err() {
                    disk.0.flusher.failures.fetch_add(1, Ordering::AcqRel);
                }
                synced.map_err(failed("sync", "the disk"))
            });
            flushed.await?;
            *ended = number;
        }
        drop(ended);
        if flusher.failures() != failures {
            let lost = std::io::Error::other("what was written before may be lost");
            return Err(failed("sync", "the disk")(lost));
        }
        Ok(())
    }
}
