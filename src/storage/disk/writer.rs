//! Writes one upload into its part.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::fsync;

use super::{Disk, blocking, failed, part_name};
use crate::protocol::id::FileId;
use crate::registry::Epoch;
use crate::storage::lease::Lease;
use crate::storage::{Meta, Opening, StorageError, UploadWriter};

/// [`UploadWriter`] on a disk.
#[derive(Debug)]
pub(super) struct DiskWriter {
    part: Arc<Part>,
    size: u64,
    /// Whether the name and the length of the part may not be durable.
    fresh: bool,
    /// Whether anything was written since the last sync.
    dirty: bool,
    /// Whether a sync failed.
    broken: bool,
}

#[derive(Debug)]
struct Part {
    disk: Disk,
    id: FileId,
    file: File,
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
        let lease = disk.0.leases.take(id, epoch)?;
        let held = lease.hold()?;
        let opened = disk.0.open_part(id, size, opening);
        let (file, fresh) = match opened {
            Err(StorageError::Missing) => {
                disk.0.leases.over(id, held);
                return Err(StorageError::Missing);
            }
            other => other?,
        };
        drop(held);
        let part = Arc::new(Part {
            disk,
            id,
            file,
            lease,
        });
        // A part that nothing is known of may have been created just before a crash.
        let fresh = fresh || opening == Opening::New;
        Ok(Self {
            part,
            size,
            fresh,
            dirty: false,
            broken: false,
        })
    }

    /// Runs what waits for the disk where it may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Part) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.broken {
            let e = io::Error::other("an earlier sync failed");
            return Err(failed("trust", part_name(self.part.id))(e));
        }
        let part = Arc::clone(&self.part);
        blocking(move || work(&part)).await
    }
}

impl Part {
    fn write(&self, mut offset: u64, pieces: &[Bytes]) -> Result<(), StorageError> {
        for piece in pieces {
            let _held = self.lease.hold()?;
            self.file
                .write_all_at(piece, offset)
                .map_err(failed("write", part_name(self.id)))?;
            offset += piece.len() as u64;
        }
        Ok(())
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

    fn seal(&self, path: &str) -> Result<(), StorageError> {
        let disk = &self.disk.0;
        let held = self.lease.hold()?;
        let placed = disk
            .files
            .place(disk.parts.as_fd(), &part_name(self.id), path)?;
        disk.leases.over(self.id, held);
        placed.sync()?;
        fsync(&disk.parts).map_err(failed("sync", "the folder of parts"))
    }

    fn abort(&self) -> Result<(), StorageError> {
        let held = self.lease.hold()?;
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

    async fn write(&mut self, offset: u64, pieces: Vec<Bytes>) -> Result<(), StorageError> {
        self.dirty = true;
        self.run(move |part| part.write(offset, &pieces)).await
    }

    async fn sync(&mut self) -> Result<(), StorageError> {
        let fresh = self.fresh;
        match self.run(move |part| part.sync(fresh)).await {
            Ok(()) => (self.fresh, self.dirty) = (false, false),
            Err(e) => {
                // The kernel forgets what it failed to write: a second sync would
                // succeed and prove nothing.
                self.broken = !matches!(e, StorageError::Superseded);
                return Err(e);
            }
        }
        Ok(())
    }

    async fn seal(&mut self, path: &str) -> Result<(), StorageError> {
        if self.fresh || self.dirty {
            self.sync().await?;
        }
        let path = path.to_owned();
        self.run(move |part| part.seal(&path)).await
    }

    async fn abort(&mut self) -> Result<(), StorageError> {
        self.run(Part::abort).await
    }
}
