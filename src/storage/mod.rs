//! Where the bytes go: the traits to implement, and their implementation on disk.
//!
//! A developer who mounts Longhaul in an app of their own can give it a [`Storage`]
//! of theirs. Storage knows nothing of sockets, nor of what a block or a client is.

#![warn(missing_docs)]

pub mod disk;
pub mod lease;
pub mod name;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::protocol::id::FileId;
use crate::protocol::trouble::Trouble;
use crate::registry::Epoch;

/// Why storage did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no room left.
    #[error("the disk is full")]
    Full,
    /// The path is taken: try [`name::alternative`].
    #[error("{taken:?} is taken")]
    Exists {
        /// The path itself, or the folder above it in whose place there is a file.
        taken: String,
    },
    /// There is no such part or file.
    #[error("there is no such file")]
    Missing,
    /// A writer with a newer epoch has the upload.
    #[error("a newer writer has this upload")]
    Superseded,
    /// The path is not one that [`name::safe`] gives.
    #[error("the path is not safe")]
    UnsafePath,
    /// Reading or writing failed.
    #[error("{action}: {source}")]
    Io {
        /// What was tried, and on what.
        action: String,
        /// What came of it.
        source: std::io::Error,
    },
}

impl StorageError {
    /// What its sender is told of it.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Full => Trouble::DiskFull,
            Self::Superseded => Trouble::TakenOver,
            Self::Missing => Trouble::Ended,
            Self::Exists { .. } | Self::UnsafePath | Self::Io { .. } => Trouble::Storage,
        }
    }
}

/// What an upload is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing of it is durable: it may not be there yet.
    New,
    /// Something of it is durable: it is an error if it is not there.
    Resumed,
}

/// A place for files.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Opens the unfinished upload `id` of `size` bytes for writing. From then on
    /// writers of `id` with an older epoch are refused.
    ///
    /// [`StorageError::Missing`] if it is to be resumed and its bytes are gone: then it
    /// was ended, or put under its final name by an older writer.
    async fn open(
        &self,
        id: FileId,
        size: u64,
        epoch: Epoch,
        opening: Opening,
    ) -> Result<Box<dyn UploadWriter>, StorageError>;

    /// The unfinished uploads that have bytes here.
    async fn parts(&self) -> Result<Vec<FileId>, StorageError>;

    /// Deletes the bytes of an unfinished upload, if there are any. Its writers are
    /// refused from then on.
    async fn discard(&self, id: FileId) -> Result<(), StorageError>;

    /// The length in bytes of the file at `path`; `None` if there is none.
    async fn len(&self, path: &str) -> Result<Option<u64>, StorageError>;

    /// As [`Storage::len`], but first makes sure that the name is durable: after a
    /// crash, a name that is seen need not be.
    async fn confirm(&self, path: &str) -> Result<Option<u64>, StorageError> {
        self.len(path).await
    }

    /// Reads the bytes `range` of the file at `path`, in pieces.
    async fn read(
        &self,
        path: &str,
        range: std::ops::Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError>;

    /// Gives a file another path, durably. Never replaces a file:
    /// [`StorageError::Exists`] if the path is taken.
    async fn rename(&self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Puts the file at `path` aside under the name `id`, durably: nobody sees it any
    /// more. Folders that are empty then are deleted.
    async fn set_aside(&self, path: &str, id: FileId) -> Result<(), StorageError>;

    /// Gives what was put aside as `id` a path again, durably. Never replaces a file:
    /// [`StorageError::Exists`] if the path is taken. [`StorageError::Missing`] if
    /// nothing was put aside as `id`.
    async fn bring_back(&self, id: FileId, path: &str) -> Result<(), StorageError>;

    /// What was put aside; durably, also after a crash.
    async fn aside(&self) -> Result<Vec<FileId>, StorageError>;

    /// Deletes for good what was put aside as `id`, if there is anything.
    async fn destroy(&self, id: FileId) -> Result<(), StorageError>;
}

/// What a writer can say of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Which upload it writes.
    pub id: FileId,
    /// The length of the whole file in bytes.
    pub size: u64,
    /// Its epoch.
    pub epoch: Epoch,
}

/// Takes the bytes of one upload, as LiveView's `UploadWriter`, but at any offset and
/// with a moment at which they are durable.
///
/// Writes and syncs may be under way together; nobody writes the same bytes twice at once.
/// Dropping a writer ends it without a trace: what was synced stays for a later one.
/// A writer whose upload has a newer one, or was discarded, gets
/// [`StorageError::Superseded`] from everything.
#[async_trait]
pub trait UploadWriter: Send + Sync {
    /// What it writes.
    fn meta(&self) -> Meta;

    /// Writes `pieces` one after the other, the first at `offset`.
    async fn write(&self, offset: u64, pieces: Vec<Bytes>) -> Result<(), StorageError>;

    /// Makes durable everything whose write was answered before. If that fails, nothing
    /// is known of what was written since the last time, and the writer is of no more
    /// use: open another, and write that again.
    async fn sync(&self) -> Result<(), StorageError>;

    /// Puts the complete upload under its final `path`, durably; what is not synced is
    /// synced first. Never replaces a file: [`StorageError::Exists`] asks for another
    /// path. Nothing else is under way.
    async fn seal(&self, path: &str) -> Result<(), StorageError>;

    /// Deletes what was written. Nothing else is under way.
    async fn abort(&self) -> Result<(), StorageError>;
}
