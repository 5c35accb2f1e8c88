//! Writes one upload into its part.
//!
//! Much at once goes past the page cache, straight to the disk: a page cache that fills
//! with what nobody reads costs more than the copying, and is written out later at once,
//! when a sync waits for it. The rest, ends of files and small pieces, goes through it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::fsync;

use super::buffer::{Buffer, CAPACITY, PAGE};
use super::tree::Placed;
use super::{Disk, blocking, failed, part_name};
use crate::protocol::id::FileId;
use crate::registry::Epoch;
use crate::storage::lease::Lease;
use crate::storage::{Meta, Opening, StorageError, UploadWriter};

/// How many bytes are worth a write past the page cache.
const LEAST_DIRECT: usize = 64 * 1024;

/// [`UploadWriter`] on a disk.
#[derive(Debug)]
pub(super) struct DiskWriter {
    part: Arc<Part>,
    size: u64,
    /// Whether the name and the length of the part may not be durable.
    fresh: AtomicBool,
    /// Whether anything was written since the last sync.
    dirty: AtomicBool,
    /// Whether a sync failed.
    broken: AtomicBool,
    /// How many flushes had failed when all that was written was durable last.
    failures: AtomicU64,
}

#[derive(Debug)]
struct Part {
    disk: Disk,
    id: FileId,
    file: File,
    /// The same file, past the page cache.
    direct: Option<File>,
    lease: Lease,
}

impl DiskWriter {
    pub fn open(
        disk: Disk,
        id: FileId,
        size: u64,
        epoch: Epoch,
        opening: Opening,
    ) -> Result<Self, StorageError> {
        let failures = disk.0.flusher.failures();
        let lease = disk.0.leases.take(id, epoch)?;
        let held = lease.hold_alone()?;
        let opened = disk.0.open_part(id, size, opening);
        let (file, fresh) = match opened {
            Err(StorageError::Missing) => {
                disk.0.leases.over(id, held);
                return Err(StorageError::Missing);
            }
            other => other?,
        };
        let worth = size >= LEAST_DIRECT as u64;
        let direct = worth.then(|| disk.0.open_direct(id)).flatten();
        drop(held);
        let part = Arc::new(Part {
            disk,
            id,
            file,
            direct,
            lease,
        });
        Ok(Self {
            part,
            size,
            // A part that nothing is known of may have been created just before a crash.
            fresh: (fresh || opening == Opening::New).into(),
            dirty: false.into(),
            broken: false.into(),
            failures: failures.into(),
        })
    }

    /// Runs what waits for the disk where it may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Part) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.trust()?;
        let part = Arc::clone(&self.part);
        blocking(move || work(&part)).await
    }

    /// Makes what was written durable, by `alone` where few others want that too.
    async fn flush(
        &self,
        alone: impl FnOnce(&Part) -> Result<(), StorageError> + Send + 'static,
    ) -> Result<(), StorageError> {
        let disk = &self.part.disk;
        let waiting = disk.0.flusher.wait();
        if waiting.is_crowd() {
            self.trust()?;
            return disk.flush(self.failures.load(Ordering::Acquire)).await;
        }
        let failures = disk.0.flusher.failures();
        self.run(alone).await?;
        self.failures.store(failures, Ordering::Release);
        Ok(())
    }

    fn trust(&self) -> Result<(), StorageError> {
        if self.broken.load(Ordering::Acquire) {
            let e = io::Error::other("an earlier sync failed");
            return Err(failed("trust", part_name(self.part.id))(e));
        }
        Ok(())
    }

    /// A buffer for these pieces, if they can go past the page cache.
    async fn buffer(&self, offset: u64, pieces: &[Bytes]) -> Option<Buffer> {
        let len: usize = pieces.iter().map(Bytes::len).sum();
        let direct = self.part.direct.is_some()
            && offset.is_multiple_of(PAGE as u64)
            && (LEAST_DIRECT..=CAPACITY).contains(&len);
        match direct {
            true => self.part.disk.0.buffers.take().await,
            false => None,
        }
    }
}

impl Part {
    fn write(&self, mut offset: u64, pieces: &[Bytes]) -> Result<(), StorageError> {
        for piece in pieces {
            self.write_to(&self.file, piece, offset)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// Writes whole pages past the page cache, and the rest through it.
    fn write_direct(
        &self,
        offset: u64,
        pieces: &[Bytes],
        mut buffer: Buffer,
    ) -> Result<(), StorageError> {
        let bytes = buffer.fill(pieces);
        let (pages, rest) = bytes.split_at(bytes.len() - bytes.len() % PAGE);
        let direct = self.direct.as_ref().unwrap_or(&self.file);
        self.write_to(direct, pages, offset)?;
        self.write_to(&self.file, rest, offset + pages.len() as u64)
    }

    fn write_to(&self, file: &File, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        let _held = self.lease.hold()?;
        file.write_all_at(bytes, offset)
            .map_err(failed("write", part_name(self.id)))
    }

    fn sync(&self, fresh: bool) -> Result<(), StorageError> {
        drop(self.lease.hold()?);
        let name = || part_name(self.id);
        if fresh {
            self.file.sync_all().map_err(failed("sync", name()))?;
            fsync(&self.disk.0.parts).map_err(failed("sync", "the folder of parts"))
        } else {
            self.file.sync_data().map_err(failed("sync", name()))
        }
    }

    fn place(&self, path: &str) -> Result<Placed, StorageError> {
        let disk = &self.disk.0;
        let held = self.lease.hold_alone()?;
        let placed = disk
            .files
            .place(disk.parts.as_fd(), &part_name(self.id), path)?;
        disk.leases.over(self.id, held);
        Ok(placed)
    }

    fn abort(&self) -> Result<(), StorageError> {
        let held = self.lease.hold_alone()?;
        self.disk.0.remove_part(self.id)?;
        self.disk.0.leases.over(self.id, held);
        Ok(())
    }
}

#[async_trait]
impl UploadWriter for DiskWriter {
    fn meta(&self) -> Meta {
        Meta {
            id: self.part.id,
            size: self.size,
            epoch: self.part.lease.epoch(),
        }
    }

    async fn write(&self, offset: u64, pieces: Vec<Bytes>) -> Result<(), StorageError> {
        let written = match self.buffer(offset, &pieces).await {
            Some(buffer) => {
                let write = move |part: &Part| part.write_direct(offset, &pieces, buffer);
                self.run(write).await
            }
            None => self.run(move |part| part.write(offset, &pieces)).await,
        };
        self.dirty.store(true, Ordering::Release);
        written
    }

    async fn sync(&self) -> Result<(), StorageError> {
        let fresh = self.fresh.load(Ordering::Acquire);
        self.dirty.store(false, Ordering::Release);
        match self.flush(move |part| part.sync(fresh)).await {
            Ok(()) => self.fresh.store(false, Ordering::Release),
            Err(e) => {
                // The kernel forgets what it failed to write: a second sync would
                // succeed and prove nothing.
                let broken = !matches!(e, StorageError::Superseded);
                self.broken.store(broken, Ordering::Release);
                return Err(e);
            }
        }
        Ok(())
    }

    async fn seal(&self, path: &str) -> Result<(), StorageError> {
        if self.fresh.load(Ordering::Acquire) || self.dirty.load(Ordering::Acquire) {
            self.sync().await?;
        }
        let path = path.to_owned();
        let placed = self.run(move |part| part.place(&path)).await?;
        self.flush(move |part| {
            placed.sync()?;
            fsync(&part.disk.0.parts).map_err(failed("sync", "the folder of parts"))
        })
        .await
    }

    async fn abort(&self) -> Result<(), StorageError> {
        self.run(Part::abort).await
    }
}
