//! The start of the server after a crash: the real recovery, over the virtual disk and
//! registry. It may be cut short by the next crash.

use std::future::{Future, pending};
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use longhaul::api::{DeletedFile, FilePage, FileQuery, StoredFile};
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::trouble::Trouble;
use longhaul::registry::{Claim, Epoch, Found, Registry, RegistryError, Upload};
use longhaul::server::recover;
use longhaul::storage::{Opening, Storage, StorageError, UploadWriter};
use longhaul::verify::{BlockHash, Root};
use parking_lot::Mutex;

use super::books::Books;
use super::disk::Disk;

/// Disk and registry while the server's own code has them.
struct House {
    disk: Mutex<Disk>,
    books: Mutex<Books>,
    /// How many more changes are made before the power fails.
    fuse: AtomicU32,
}

/// Brings both together; whether it came to an end before the power failed, `fuse`
/// changes from now, or the disk was full.
pub fn recover(disk: &mut Disk, books: &mut Books, fuse: u32) -> bool {
    let outcome = within(disk, books, fuse, async |house: &House| {
        recover::recover(house, house, None).await
    });
    match outcome {
        Some(Ok(_)) => true,
        Some(Err(_)) if books.full => false,
        Some(Err(error)) => panic!("the server does not start: {error}"),
        None => false,
    }
}

/// What became of an upload whose part is not there.
pub fn settle(
    disk: &mut Disk,
    books: &mut Books,
    claim: &Claim,
) -> Result<Option<StoredFile>, Trouble> {
    let outcome = within(disk, books, u32::MAX, async |house: &House| {
        recover::settle(house, house, claim).await
    });
    match outcome {
        Some(outcome) => outcome.map_err(|error| error.trouble()),
        None => Ok(None),
    }
}

/// Lends disk and registry to the server's own code; `None` if it did not finish.
fn within<T>(
    disk: &mut Disk,
    books: &mut Books,
    fuse: u32,
    work: impl AsyncFnOnce(&House) -> T,
) -> Option<T> {
    let house = House {
        disk: Mutex::new(std::mem::take(disk)),
        books: Mutex::new(std::mem::take(books)),
        fuse: AtomicU32::new(fuse),
    };
    let outcome = {
        let mut working = pin!(work(&house));
        match working
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    };
    *disk = house.disk.into_inner();
    *books = house.books.into_inner();
    outcome
}

impl House {
    /// Before each change: the power may fail here, and then nothing more happens.
    async fn burn(&self) {
        if self.fuse.load(Ordering::Relaxed) == 0 {
            pending::<()>().await;
        }
        self.fuse.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Registry for House {
    async fn begin(
        &self,
        id: FileId,
        token: &Token,
        manifest: &Manifest,
        path: &str,
    ) -> Result<Claim, RegistryError> {
        self.books.lock().begin(id, *token, manifest, path)
    }

    async fn find(&self, token: &Token) -> Result<Option<Found>, RegistryError> {
        Ok(self.books.lock().find(*token))
    }

    async fn record(
        &self,
        id: FileId,
        epoch: Epoch,
        blocks: &[(u64, BlockHash)],
    ) -> Result<(), RegistryError> {
        self.books.lock().record(id, epoch, blocks)
    }

    async fn sealing(
        &self,
        id: FileId,
        epoch: Epoch,
        path: Option<&str>,
    ) -> Result<(), RegistryError> {
        self.burn().await;
        self.books.lock().sealing(id, epoch, path)
    }

    async fn finish(
        &self,
        id: FileId,
        epoch: Epoch,
        path: &str,
        root: Root,
    ) -> Result<StoredFile, RegistryError> {
        self.burn().await;
        self.books.lock().finish(id, epoch, path, root)
    }

    async fn end(&self, id: FileId, holder: Option<Epoch>) -> Result<bool, RegistryError> {
        self.burn().await;
        self.books.lock().end(id, holder)
    }

    async fn upload(&self, id: FileId) -> Result<Option<Upload>, RegistryError> {
        let uploads = self.books.lock().uploads();
        Ok(uploads.into_iter().find(|upload| upload.id == id))
    }

    async fn uploads(&self) -> Result<Vec<Upload>, RegistryError> {
        Ok(self.books.lock().uploads())
    }

    async fn hold(&self, id: FileId) -> Result<Claim, RegistryError> {
        self.burn().await;
        self.books.lock().hold(id)
    }

    async fn alike(&self, path: &str, size: u64) -> Result<Vec<FileId>, RegistryError> {
        Ok(self.books.lock().alike(path, size))
    }

    async fn peek(&self, id: FileId) -> Result<Claim, RegistryError> {
        self.books.lock().claim(id)
    }

    async fn adopt(&self, id: FileId, epoch: Epoch, token: &Token) -> Result<Claim, RegistryError> {
        self.books.lock().adopt(id, epoch, *token)
    }

    async fn files(&self, _: &FileQuery) -> Result<FilePage, RegistryError> {
        Ok(FilePage::default())
    }

    async fn file(&self, id: FileId) -> Result<Option<StoredFile>, RegistryError> {
        Ok(self.books.lock().file(id).cloned())
    }

    async fn moving(&self, _: FileId, _: Option<&str>) -> Result<(), RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn moves(&self) -> Result<Vec<(StoredFile, String)>, RegistryError> {
        Ok(Vec::new())
    }

    async fn rename(&self, _: FileId, _: &str) -> Result<(), RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn delete(&self, _: FileId) -> Result<bool, RegistryError> {
        Ok(false)
    }

    async fn leaving(&self, _: FileId, _: bool) -> Result<(), RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn leavings(&self) -> Result<Vec<StoredFile>, RegistryError> {
        Ok(Vec::new())
    }

    async fn put_aside(&self, _: FileId) -> Result<(), RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn deleted(&self) -> Result<Vec<DeletedFile>, RegistryError> {
        Ok(Vec::new())
    }

    async fn returning(&self, _: FileId, _: Option<&str>) -> Result<(), RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn returns(&self) -> Result<Vec<(StoredFile, String)>, RegistryError> {
        Ok(Vec::new())
    }

    async fn bring_back(&self, _: FileId, _: &str) -> Result<StoredFile, RegistryError> {
        Err(RegistryError::Unknown)
    }

    async fn forget(&self, _: FileId) -> Result<bool, RegistryError> {
        Ok(false)
    }
}

#[async_trait]
impl Storage for House {
    async fn open(
        &self,
        _: FileId,
        _: u64,
        _: Epoch,
        _: Opening,
    ) -> Result<Box<dyn UploadWriter>, StorageError> {
        Err(StorageError::Missing)
    }

    async fn parts(&self) -> Result<Vec<FileId>, StorageError> {
        Ok(self.disk.lock().part_ids())
    }

    async fn discard(&self, id: FileId) -> Result<(), StorageError> {
        self.burn().await;
        self.disk.lock().discard(id)
    }

    async fn len(&self, path: &str) -> Result<Option<u64>, StorageError> {
        self.confirm(path).await
    }

    async fn confirm(&self, path: &str) -> Result<Option<u64>, StorageError> {
        Ok(self.disk.lock().confirm(path))
    }

    async fn read(
        &self,
        _: &str,
        _: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError> {
        Err(StorageError::Missing)
    }

    async fn rename(&self, _: &str, _: &str) -> Result<(), StorageError> {
        Err(StorageError::Missing)
    }

    // Nobody deletes files here.

    async fn set_aside(&self, _: &str, _: FileId) -> Result<(), StorageError> {
        Err(StorageError::Missing)
    }

    async fn bring_back(&self, _: FileId, _: &str) -> Result<(), StorageError> {
        Err(StorageError::Missing)
    }

    async fn aside(&self) -> Result<Vec<FileId>, StorageError> {
        Ok(Vec::new())
    }

    async fn destroy(&self, _: FileId) -> Result<(), StorageError> {
        Ok(())
    }
}
