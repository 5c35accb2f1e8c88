//! Where the bytes go: the traits to implement, and their implementation on disk.
//!
//! A developer who mounts Longhaul in an app of their own can give it a [`Storage`]
//! of theirs. Storage knows nothing of sockets, nor of what a block or a client is.

#![warn(missing_docs)]

// pub mod disk;
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
    /// The name is taken: try another.
    #[error("the name is taken")]
    Exists,
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
            Self::Exists | Self::UnsafePath | Self::Io { .. } => Trouble::Storage,
        }
    }
}

/// A place for files.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Opens the unfinished upload `id` of `size` bytes for writing, new or resumed.
    /// From then on writers of `id` with an older epoch are refused.
    async fn open(
        &self,
        id: FileId,
        size: u64,
        epoch: Epoch,
    ) -> Result<Box<dyn UploadWriter>, StorageError>;

    /// The unfinished uploads that have bytes here.
    async fn parts(&self) -> Result<Vec<FileId>, StorageError>;

    /// Deletes the bytes of an unfinished upload, if there are any.
    async fn discard(&self, id: FileId) -> Result<(), StorageError>;

    /// The length in bytes of the file at `path`; `None` if there is none.
    async fn len(&self, path: &str) -> Result<Option<u64>, StorageError>;

    /// Reads the bytes `range` of the file at `path`, in pieces.
    async fn read(
        &self,
        path: &str,
        range: std::ops::Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError>;

    /// Gives a file another path, durably; [`StorageError::Exists`] if it is taken.
    async fn rename(&self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Deletes a file, durably; it is no error if it is gone already.
    async fn remove(&self, path: &str) -> Result<(), StorageError>;
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
/// Dropping a writer ends it without a trace: what was synced stays for a later one.
#[async_trait]
pub trait UploadWriter: Send {
    /// What it writes.
    fn meta(&self) -> Meta;

    /// Writes `pieces` one after the other, the first at `offset`.
    async fn write(&mut self, offset: u64, pieces: Vec<Bytes>) -> Result<(), StorageError>;

    /// Makes everything that was written durable.
    async fn sync(&mut self) -> Result<(), StorageError>;

    /// Puts the complete and synced upload under its final `path`, durably. Never
    /// replaces a file: [`StorageError::Exists`] asks for another path.
    async fn seal(&mut self, path: &str) -> Result<(), StorageError>;

    /// Deletes what was written.
    async fn abort(&mut self) -> Result<(), StorageError>;
}
