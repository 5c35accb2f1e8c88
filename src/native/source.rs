//! A file to be sent, and how it is read.
//!
//! The invariant: bytes are given only of a file that is as it was when it was found.
//! Whoever writes to it meanwhile changes its stamp, which is compared after each read.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::buffer::spare_capacity;
use rustix::io::{pread, retry_on_intr};
use serde::{Deserialize, Serialize};

use crate::protocol::block::{Block, Buffer};
use crate::protocol::manifest::Manifest;
use crate::protocol::sender::ReadError;
use crate::verify::{BLOCK, block_len};

/// By what a file is recognised as unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its length in bytes.
    pub size: u64,
    /// Its last modification: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
}

impl Stamp {
    /// The stamp of a file with this metadata.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A file to be sent, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is: an absolute path.
    pub file: PathBuf,
    /// The path it is sent under, `/` between its parts.
    pub path: String,
    /// What it was like.
    pub stamp: Stamp,
}

impl Source {
    /// What the server is told of it.
    pub fn manifest(&self) -> Manifest {
        let (seconds, nanos) = self.stamp.modified;
        let kind = mime_guess::from_path(&self.path).first_raw();
        Manifest {
            path: self.path.clone(),
            size: self.stamp.size,
            modified: Some(
                seconds
                    .saturating_mul(1000)
                    .saturating_add(nanos / 1_000_000),
            ),
            media_type: kind.unwrap_or_default().to_owned(),
        }
    }
}

/// Reads one source, which is opened once.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    file: Mutex<Option<Arc<File>>>,
}

/// Why a file could not be read, with what the system said.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not as it was found.
    #[error("it was changed while it was being sent")]
    Changed,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl Fault {
    /// It as the sender knows it.
    pub fn kind(&self) -> ReadError {
        match self {
            Self::Changed => ReadError::Changed,
            Self::Unreadable(_) => ReadError::Vanished,
        }
    }
}

impl Reader {
    /// A reader of `source`, which is not opened yet.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            file: Mutex::new(None),
        }
    }

    /// Reads a block, and hashes it. Blocks.
    pub fn read(&self, index: u64) -> Result<Block, Fault> {
        let file = self.open()?;
        let size = self.source.stamp.size;
        let mut buffer = Buffer::new(block_len(index, size));
        while buffer.left() > 0 {
            let offset = index * BLOCK + buffer.bytes().len() as u64;
            let read = || pread(&file, spare_capacity(buffer.vec()), offset);
            if retry_on_intr(read).map_err(io::Error::from)? == 0 {
                return Err(Fault::Changed);
            }
        }
        if Stamp::of(&file.metadata()?) != self.source.stamp {
            return Err(Fault::Changed);
        }
        Ok(buffer.hash(index, size))
    }

    fn open(&self) -> io::Result<Arc<File>> {
        let mut place = self.file.lock();
        if let Some(file) = &*place {
            return Ok(file.clone());
        }
        let file = Arc::new(File::open(&self.source.file)?);
        *place = Some(file.clone());
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    fn source(dir: &tempfile::TempDir, content: &[u8]) -> Source {
        let file = dir.path().join("a.png");
        std::fs::write(&file, content).unwrap();
        let stamp = Stamp::of(&std::fs::metadata(&file).unwrap());
        Source {
            file,
            path: "folder/a.png".into(),
            stamp,
        }
    }

    #[test]
    fn a_file_is_read_in_blocks_and_described() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(&dir, b"hello");
        let manifest = source.manifest();
        assert_eq!(manifest.name(), "a.png");
        assert_eq!((manifest.size, &*manifest.media_type), (5, "image/png"));
        assert!(manifest.modified.unwrap() > 1_700_000_000_000);
        let reader = Reader::new(source.clone());
        let hello = Block::of(0, 5, b"hello").next().unwrap();
        assert_eq!(reader.read(0).unwrap(), hello);
        // It is open: that its name is gone does not matter.
        std::fs::remove_file(&source.file).unwrap();
        assert_eq!(reader.read(0).unwrap(), hello);
        let late = Reader::new(source).read(0).unwrap_err();
        assert_eq!(late.kind(), ReadError::Vanished);
    }

    #[test]
    fn a_file_that_was_written_to_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let source = source(&dir, b"hello");
        let reader = Reader::new(source.clone());
        reader.read(0).unwrap();
        let mut file = File::options().append(true).open(&source.file).unwrap();
        file.write_all(b" world").unwrap();
        assert!(matches!(reader.read(0), Err(Fault::Changed)));
        file.set_len(3).unwrap();
        assert!(matches!(reader.read(0), Err(Fault::Changed)));
    }
}
