//! What the server remembers: uploads and their durable blocks, leases, files.
//!
//! A registry never runs ahead of the storage: a block is recorded after its bytes
//! were synced, a file after its name was. It may lag behind after a crash, and
//! [`crate::server::recover`] brings both together.

#![warn(missing_docs)]

mod sqlite;

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

pub use self::sqlite::Sqlite;
use crate::api::{DeletedFile, FilePage, FileQuery, StoredFile};
use crate::protocol::id::{FileId, Token};
use crate::protocol::manifest::Manifest;
use crate::protocol::trouble::Trouble;
use crate::verify::{BlockHash, Root};

/// Counts the holders of an upload: only the newest may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// An unfinished upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name in links.
    pub id: FileId,
    /// What its sender said of it; the path as sent.
    pub manifest: Manifest,
    /// Where it shall be stored: the path made safe.
    pub path: String,
    /// When it began, in milliseconds since 1970.
    pub started: i64,
    /// When somebody took hold of it or a block of it became durable last, in
    /// milliseconds since 1970.
    pub touched: i64,
    /// How many bytes of it are durable.
    pub durable: u64,
    /// The path under which it was about to be stored, if it came that far.
    pub sealing: Option<String>,
}

/// An upload that a connection has taken hold of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The upload.
    pub upload: Upload,
    /// The holder's epoch; all earlier holders are refused from now on.
    pub epoch: Epoch,
    /// Its durable blocks, in order.
    pub blocks: Vec<(u64, BlockHash)>,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An upload to continue.
    Upload(FileId),
    /// A file: the upload was finished.
    Stored(StoredFile),
    /// Nothing any more: somebody else proved to have the same bytes and got a token of
    /// their own for this upload, or for the file that it became.
    Replaced(FileId),
}

/// Why the registry did not do it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A newer holder has the upload.
    #[error("a newer connection continues this upload")]
    Superseded,
    /// There is no such upload or file.
    #[error("there is no such upload or file")]
    Unknown,
    /// Another file has that path, or is about to have it.
    #[error("there is already a file of that name")]
    Taken,
    /// There is no room left.
    #[error("the registry's disk is full")]
    Full,
    /// The database failed.
    #[error("the registry failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RegistryError {
    /// What a sender is told of it.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Superseded => Trouble::TakenOver,
            Self::Unknown => Trouble::Ended,
            Self::Full => Trouble::DiskFull,
            Self::Taken | Self::Database(_) => Trouble::Internal,
        }
    }
}

/// Now, in milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis().try_into().unwrap_or(i64::MAX))
}

/// The server's memory. Every change is durable when its call returns.
#[async_trait]
pub trait Registry: Send + Sync + 'static {
    /// Remembers a new upload and gives its first holder the epoch 1. The token is
    /// kept only as a hash.
    async fn begin(
        &self,
        id: FileId,
        token: &Token,
        manifest: &Manifest,
        path: &str,
    ) -> Result<Claim, RegistryError>;

    /// What the token stands for; `None` if it is not known.
    async fn find(&self, token: &Token) -> Result<Option<Found>, RegistryError>;

    /// Records blocks as durable.
    async fn record(
        &self,
        id: FileId,
        epoch: Epoch,
        blocks: &[(u64, BlockHash)],
    ) -> Result<(), RegistryError>;

    /// Writes down that the upload is about to be stored under `path`; `None` takes it
    /// back. [`RegistryError::Taken`] if a file has that path, or will have it: then
    /// [`crate::storage::name::alternative`] is the next to try.
    async fn sealing(
        &self,
        id: FileId,
        epoch: Epoch,
        path: Option<&str>,
    ) -> Result<(), RegistryError>;

    /// Turns the upload into a file under `path`; its blocks are forgotten, its token
    /// still stands for the file. Returns the file also if that was done before.
    async fn finish(
        &self,
        id: FileId,
        epoch: Epoch,
        path: &str,
        root: Root,
    ) -> Result<StoredFile, RegistryError>;

    /// Forgets an unfinished upload, for the holder with this epoch or, without one,
    /// whoever holds it; whether there was one.
    async fn end(&self, id: FileId, holder: Option<Epoch>) -> Result<bool, RegistryError>;

    /// One unfinished upload.
    async fn upload(&self, id: FileId) -> Result<Option<Upload>, RegistryError>;

    /// All unfinished uploads, the oldest first.
    async fn uploads(&self) -> Result<Vec<Upload>, RegistryError>;

    /// Takes hold of an upload with the next epoch, without its token: the caller has
    /// found it before, or is the server itself after a crash.
    async fn hold(&self, id: FileId) -> Result<Claim, RegistryError>;

    /// The unfinished uploads to `path` of a file of `size` bytes with at least one
    /// durable block; the one with the most of them first.
    async fn alike(&self, path: &str, size: u64) -> Result<Vec<FileId>, RegistryError>;

    /// What [`Registry::hold`] would give, but for the epoch, which is that of the last
    /// holder.
    async fn peek(&self, id: FileId) -> Result<Claim, RegistryError>;

    /// Takes hold as [`Registry::hold`] does, for somebody who proved to have the blocks,
    /// if nobody took hold since `epoch`. From now on `token` stands for the upload, and
    /// what stood for it is [`Found::Replaced`].
    async fn adopt(&self, id: FileId, epoch: Epoch, token: &Token) -> Result<Claim, RegistryError>;

    /// A page of the files.
    async fn files(&self, query: &FileQuery) -> Result<FilePage, RegistryError>;

    /// One file.
    async fn file(&self, id: FileId) -> Result<Option<StoredFile>, RegistryError>;

    /// Writes down that a file is about to be moved to `path`; `None` takes it back.
    /// [`RegistryError::Taken`] if another file has that path, or will have it.
    async fn moving(&self, id: FileId, path: Option<&str>) -> Result<(), RegistryError>;

    /// All files that were about to be moved, and whereto.
    async fn moves(&self) -> Result<Vec<(StoredFile, String)>, RegistryError>;

    /// Changes the path of a file that was moved.
    async fn rename(&self, id: FileId, path: &str) -> Result<(), RegistryError>;

    /// Forgets a file at once and for good; whether there was one.
    async fn delete(&self, id: FileId) -> Result<bool, RegistryError>;

    /// Writes down that a file is about to be put aside, or that it stays after all.
    async fn leaving(&self, id: FileId, leaving: bool) -> Result<(), RegistryError>;

    /// All files that were about to be put aside.
    async fn leavings(&self) -> Result<Vec<StoredFile>, RegistryError>;

    /// A file was put aside: it is listed no more, another may have its path, and its
    /// token stands for nothing.
    async fn put_aside(&self, id: FileId) -> Result<(), RegistryError>;

    /// All files that were put aside, the latest first.
    async fn deleted(&self) -> Result<Vec<DeletedFile>, RegistryError>;

    /// Writes down that what was put aside is about to come back under `path`; `None`
    /// takes it back. [`RegistryError::Taken`] if a file has that path, or will have it:
    /// then [`crate::storage::name::alternative`] is the next to try.
    async fn returning(&self, id: FileId, path: Option<&str>) -> Result<(), RegistryError>;

    /// All files that were about to come back, and whereto.
    async fn returns(&self) -> Result<Vec<(StoredFile, String)>, RegistryError>;

    /// What was put aside is a file again, under `path`. Returns the file also if that
    /// was done before.
    async fn bring_back(&self, id: FileId, path: &str) -> Result<StoredFile, RegistryError>;

    /// Forgets for good what was put aside, unless it is about to come back; whether
    /// there was something to forget.
    async fn forget(&self, id: FileId) -> Result<bool, RegistryError>;
}
