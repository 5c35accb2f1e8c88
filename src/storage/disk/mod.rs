//! Files on a disk: plain files with their own names, in a folder a person can look
//! into.
//!
//! ```text
//! data/
//!   lock             held while a server uses this folder
//!   files/           what arrived, under its own name
//!   parts/{id}.part  what is arriving, sparse and of full length from the beginning
//!   deleted/{id}     what was deleted and can still be taken back
//! ```
//!
//! The invariant: a file is under `files/` only when it is complete and on the disk.
//! It comes there by one atomic rename that never replaces anything, after its bytes
//! were synced, and before the folders around it are. A crash therefore leaves either
//! the part or the file, never both and never half of one.

mod buffer;
mod flush;
mod tree;
mod writer;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, flock, fsync, ftruncate, openat, unlinkat,
};
use rustix::io::Errno;

use self::buffer::Buffers;
use self::flush::Flusher;
use self::tree::Tree;
use self::writer::DiskWriter;
use super::lease::Leases;
use super::{Opening, Storage, StorageError, UploadWriter};
use crate::protocol::id::FileId;
use crate::registry::Epoch;

/// How many bytes are read from a file at once.
const PIECE: u64 = 256 * 1024;

/// How the name of a part ends.
const PART: &str = ".part";

/// [`Storage`] in a folder on a local disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Tree,
    parts: OwnedFd,
    deleted: OwnedFd,
    leases: Leases,
    buffers: Arc<Buffers>,
    flusher: Flusher,
    /// Locked for as long as it is open.
    _lock: File,
}

impl Disk {
    /// Opens the folder `data`, creating it if need be. An error if another server
    /// uses it.
    pub fn open(data: &Path) -> Result<Self, StorageError> {
        let files = data.join("files");
        let [parts, deleted] = ["parts", "deleted"].map(|name| data.join(name));
        std::fs::create_dir_all(&files).map_err(failed("create", files.display()))?;
        for hidden in [&parts, &deleted] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(hidden)
                .map_err(failed("create", hidden.display()))?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(data.join("lock"))
            .map_err(failed("open", data.join("lock").display()))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            Errno::WOULDBLOCK => StorageError::Io {
                action: format!("use {}", data.display()),
                source: io::Error::other("another Longhaul is running with this folder"),
            },
            e => failed("lock", data.display())(e),
        })?;
        let open = |path: &Path| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::open(path, flags, Mode::empty()).map_err(failed("open", path.display()))
        };
        fsync(open(data)?).map_err(failed("sync", data.display()))?;
        Ok(Self(Arc::new(Inner {
            files: Tree::new(open(&files)?),
            parts: open(&parts)?,
            deleted: open(&deleted)?,
            leases: Leases::default(),
            flusher: Flusher::default(),
            buffers: Arc::default(),
            _lock: lock,
        })))
    }

    /// Runs what waits for the disk where it may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let inner = Arc::clone(&self.0);
        blocking(move || work(&inner)).await
    }
}

impl Inner {
    fn open_part(
        &self,
        id: FileId,
        size: u64,
        opening: Opening,
    ) -> Result<(File, bool), StorageError> {
        let name = part_name(id);
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match openat(&self.parts, &name, flags, Mode::empty()) {
            Ok(file) => {
                let file = File::from(file);
                let len = file.metadata().map_err(failed("examine", &name))?.len();
                if len == size {
                    return Ok((file, false));
                }
                if opening == Opening::Resumed {
                    tracing::warn!(%id, len, size, "a part does not have its length any more");
                    return Err(StorageError::Missing);
                }
                ftruncate(&file, size).map_err(failed("set the length of", &name))?;
                Ok((file, true))
            }
            Err(Errno::NOENT) if opening == Opening::Resumed => Err(StorageError::Missing),
            Err(Errno::NOENT) => {
                // The umask decides who may read it later; until then its folder is closed.
                let mode = Mode::from_raw_mode(0o666);
                let file = openat(
                    &self.parts,
                    &name,
                    flags | OFlags::CREATE | OFlags::EXCL,
                    mode,
                )
                .map_err(failed("create", &name))?;
                ftruncate(&file, size).map_err(failed("set the length of", &name))?;
                Ok((File::from(file), true))
            }
            Err(e) => Err(failed("open", &name)(e)),
        }
    }

    /// The part again, for writing past the page cache; `None` where the file system does
    /// not do that.
    fn open_direct(&self, id: FileId) -> Option<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECT;
        let file = openat(&self.parts, part_name(id), flags, Mode::empty());
        file.map(File::from).ok()
    }

    fn remove_part(&self, id: FileId) -> Result<(), StorageError> {
        let name = part_name(id);
        match unlinkat(&self.parts, &name, AtFlags::empty()) {
            Ok(()) => fsync(&self.parts).map_err(failed("sync", "the folder of parts")),
            Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(failed("delete", &name)(e)),
        }
    }

    fn parts(&self) -> Result<Vec<FileId>, StorageError> {
        ids_in(&self.parts, "parts", PART)
    }

    fn set_aside(&self, path: &str, id: FileId) -> Result<(), StorageError> {
        self.files
            .take(path, self.deleted.as_fd(), &id.to_string())?;
        fsync(&self.deleted).map_err(failed("sync", "the folder of what was deleted"))?;
        self.files.left(path)
    }

    fn bring_back(&self, id: FileId, path: &str) -> Result<(), StorageError> {
        let placed = self
            .files
            .place(self.deleted.as_fd(), &id.to_string(), path)?;
        placed.sync()?;
        fsync(&self.deleted).map_err(failed("sync", "the folder of what was deleted"))
    }

    fn destroy(&self, id: FileId) -> Result<(), StorageError> {
        let name = id.to_string();
        match unlinkat(&self.deleted, &name, AtFlags::empty()) {
            // If it is there again after a crash, nobody knows it, and the start deletes it.
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(failed("delete", &name)(e)),
        }
    }
}

/// The ids for which there are files in a folder, whose names have this ending.
fn ids_in(folder: &OwnedFd, what: &str, ending: &str) -> Result<Vec<FileId>, StorageError> {
    let entries = rustix::fs::Dir::read_from(folder).map_err(failed("list", what))?;
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", what))?;
        let name = entry.file_name().to_string_lossy();
        match name.strip_suffix(ending).map(str::parse) {
            Some(Ok(id)) => ids.push(id),
            _ if name == "." || name == ".." => {}
            _ => tracing::warn!(%name, what, "this does not belong here; it is left alone"),
        }
    }
    Ok(ids)
}

#[async_trait]
impl Storage for Disk {
    async fn open(
        &self,
        id: FileId,
        size: u64,
        epoch: Epoch,
        opening: Opening,
    ) -> Result<Box<dyn UploadWriter>, StorageError> {
        let disk = self.clone();
        let writer = blocking(move || DiskWriter::open(disk, id, size, epoch, opening)).await?;
        Ok(Box::new(writer))
    }

    async fn parts(&self) -> Result<Vec<FileId>, StorageError> {
        self.run(Inner::parts).await
    }

    async fn discard(&self, id: FileId) -> Result<(), StorageError> {
        self.run(move |inner| inner.leases.end(id, || inner.remove_part(id)))
            .await
    }

    async fn len(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let path = path.to_owned();
        self.run(move |inner| inner.files.len(&path)).await
    }

    async fn confirm(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let path = path.to_owned();
        self.run(move |inner| inner.files.confirm(&path)).await
    }

    async fn read(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError> {
        let path = path.to_owned();
        let file = self.run(move |inner| inner.files.open_file(&path)).await?;
        let start = (Arc::new(file), range);
        Ok(stream::try_unfold(start, |(file, mut range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let (of, within) = (Arc::clone(&file), range.clone());
            let piece = blocking(move || read_piece(&of, &within)).await?;
            range.start += piece.len() as u64;
            Ok(Some((piece, (file, range))))
        })
        .boxed())
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(move |inner| inner.files.rename(&from, &to)).await
    }

    async fn set_aside(&self, path: &str, id: FileId) -> Result<(), StorageError> {
        let path = path.to_owned();
        self.run(move |inner| inner.set_aside(&path, id)).await
    }

    async fn bring_back(&self, id: FileId, path: &str) -> Result<(), StorageError> {
        let path = path.to_owned();
        self.run(move |inner| inner.bring_back(id, &path)).await
    }

    async fn aside(&self) -> Result<Vec<FileId>, StorageError> {
        self.run(|inner| {
            fsync(&inner.deleted).map_err(failed("sync", "the folder of what was deleted"))?;
            ids_in(&inner.deleted, "deleted", "")
        })
        .await
    }

    async fn destroy(&self, id: FileId) -> Result<(), StorageError> {
        self.run(move |inner| inner.destroy(id)).await
    }
}

/// Reads the beginning of `range`, one byte at least.
fn read_piece(file: &File, range: &Range<u64>) -> Result<Bytes, StorageError> {
    let mut piece = Vec::with_capacity((range.end - range.start).min(PIECE) as usize);
    loop {
        let spare = rustix::buffer::spare_capacity(&mut piece);
        match rustix::io::pread(file, spare, range.start) {
            Ok(0) => {
                let short = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(failed("read", "a file to its end")(short));
            }
            Ok(_) => return Ok(piece.into()),
            Err(Errno::INTR) => {}
            Err(e) => return Err(failed("read", "a file")(e)),
        }
    }
}

fn part_name(id: FileId) -> String {
    format!("{id}{PART}")
}

/// Makes the error of a system call one of ours.
fn failed<E: Into<io::Error>>(
    verb: &str,
    what: impl std::fmt::Display,
) -> impl FnOnce(E) -> StorageError {
    move |source| {
        let source = source.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::Full,
            _ => StorageError::Io {
                action: format!("could not {verb} {what}"),
                source,
            },
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(failed("finish", "what was begun")(io::Error::other(e))))
}

#[cfg(test)]
mod tests;
