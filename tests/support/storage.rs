//! A disk with a fault, for the writers of one epoch.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use longhaul::protocol::id::FileId;
use longhaul::registry::Epoch;
use longhaul::storage::disk::Disk;
use longhaul::storage::{Meta, Opening, Storage, StorageError, UploadWriter};
use tokio::sync::Semaphore;

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// Every write takes a permit, and waits while there is none.
    Stuck(Arc<Semaphore>),
    /// Storing under the final name takes a permit, and waits while there is none.
    StuckSeal(Arc<Semaphore>),
    /// Every write panics.
    Panics,
}

/// A disk whose writers of the first epoch have a fault.
pub struct Faulty {
    pub disk: Disk,
    pub fault: Fault,
}

struct FaultyWriter {
    writer: Box<dyn UploadWriter>,
    fault: Option<Fault>,
}

#[async_trait]
impl Storage for Faulty {
    async fn open(
        &self,
        id: FileId,
        size: u64,
        epoch: Epoch,
        opening: Opening,
    ) -> Result<Box<dyn UploadWriter>, StorageError> {
        let writer = self.disk.open(id, size, epoch, opening).await?;
        let fault = (epoch == Epoch(1)).then(|| self.fault.clone());
        Ok(Box::new(FaultyWriter { writer, fault }))
    }

    async fn parts(&self) -> Result<Vec<FileId>, StorageError> {
        self.disk.parts().await
    }

    async fn discard(&self, id: FileId) -> Result<(), StorageError> {
        self.disk.discard(id).await
    }

    async fn len(&self, path: &str) -> Result<Option<u64>, StorageError> {
        self.disk.len(path).await
    }

    async fn read(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError> {
        self.disk.read(path, range).await
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.disk.rename(from, to).await
    }

    async fn set_aside(&self, path: &str, id: FileId) -> Result<(), StorageError> {
        self.disk.set_aside(path, id).await
    }

    async fn bring_back(&self, id: FileId, path: &str) -> Result<(), StorageError> {
        self.disk.bring_back(id, path).await
    }

    async fn aside(&self) -> Result<Vec<FileId>, StorageError> {
        self.disk.aside().await
    }

    async fn destroy(&self, id: FileId) -> Result<(), StorageError> {
        self.disk.destroy(id).await
    }
}

#[async_trait]
impl UploadWriter for FaultyWriter {
    fn meta(&self) -> Meta {
        self.writer.meta()
    }

    async fn write(&self, offset: u64, pieces: Vec<Bytes>) -> Result<(), StorageError> {
        match &self.fault {
            Some(Fault::Stuck(permits)) => permits.acquire().await.unwrap().forget(),
            Some(Fault::Panics) => panic!("the writer has a fault"),
            Some(Fault::StuckSeal(_)) | None => {}
        }
        self.writer.write(offset, pieces).await
    }

    async fn sync(&self) -> Result<(), StorageError> {
        self.writer.sync().await
    }

    async fn seal(&self, path: &str) -> Result<(), StorageError> {
        if let Some(Fault::StuckSeal(permits)) = &self.fault {
            permits.acquire().await.unwrap().forget();
        }
        self.writer.seal(path).await
    }

    async fn abort(&self) -> Result<(), StorageError> {
        self.writer.abort().await
    }
}
