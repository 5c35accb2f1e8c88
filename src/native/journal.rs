//! What outlives the process: a small file for each upload, where the system has the
//! state of programs.
//!
//! The invariants: a record is read whole or not at all, since it is replaced by a
//! rename; only whoever holds its lock changes it, so no two processes send the same
//! file to the same server; and nobody else may read it, for it holds the secret that
//! continues the upload.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::source::{Source, Stamp};
use crate::protocol::sender::Record;

/// How long a record stays that nobody takes up: longer than servers keep uploads.
const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// Why the journal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process holds the entry.
    #[error("another process is sending this file")]
    Busy,
    /// There is no place for it.
    #[error("neither XDG_STATE_HOME nor HOME says where it belongs")]
    Homeless,
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
}

/// The journal of a user.
#[derive(Clone, Debug)]
pub struct Journal(PathBuf);

/// What an entry says.
#[derive(Debug)]
pub enum Kept {
    /// Nothing: this file was not sent before, or was stored.
    Nothing,
    /// The file, as it is now, was being sent.
    Same(Record),
    /// It was being sent as it was then; it is another now.
    Changed(Record),
}

/// One file's entry, for as long as this process holds it.
#[derive(Debug)]
pub struct Entry {
    page: Page,
    path: PathBuf,
    _lock: Lock,
}

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    server: String,
    file: String,
    stamp: Stamp,
    upload: Option<Record>,
}

impl Journal {
    /// The journal in its usual place: `$XDG_STATE_HOME/longhaul`, or
    /// `~/.local/state/longhaul`.
    pub fn open() -> Result<Self, JournalError> {
        let absolute = |name| {
            let path = PathBuf::from(std::env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/state")))
            .ok_or(JournalError::Homeless)?;
        Self::open_at(&state.join("longhaul"))
    }

    /// A journal in this folder.
    pub fn open_at(folder: &Path) -> Result<Self, JournalError> {
        let folder = folder.join("uploads-v1");
        let mut builder = DirBuilder::new();
        let created = builder.recursive(true).mode(0o700).create(&folder);
        created.map_err(failed(&folder))?;
        let journal = Self(folder);
        journal.prune(SystemTime::now() - KEEP)?;
        Ok(journal)
    }

    /// Takes the entry of a file on its way to a server, and reads what it says.
    pub fn claim(&self, server: &Address, source: &Source) -> Result<(Entry, Kept), JournalError> {
        let path = self.place(server, source);
        let lock = Lock::take(&path)?;
        let mut page = Page {
            server: server.to_string(),
            file: source.file.display().to_string(),
            stamp: source.stamp,
            upload: None,
        };
        let kept = match fs::read(&path) {
            // What cannot be understood says nothing.
            Ok(bytes) => match serde_json::from_slice::<Page>(&bytes) {
                Ok(Page {
                    stamp,
                    upload: Some(record),
                    ..
                }) if stamp == page.stamp => Kept::Same(record),
                Ok(Page {
                    upload: Some(record),
                    ..
                }) => Kept::Changed(record),
                _ => Kept::Nothing,
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Kept::Nothing,
            Err(e) => return Err(failed(&path)(e)),
        };
        if let Kept::Same(record) = &kept {
            page.upload = Some(record.clone());
        }
        Ok((
            Entry {
                page,
                path,
                _lock: lock,
            },
            kept,
        ))
    }

    /// Strikes the entry of a file out, unless somebody holds it.
    pub fn strike(&self, server: &Address, source: &Source) -> Result<(), JournalError> {
        let path = self.place(server, source);
        match Lock::take(&path) {
            Ok(_held) => clear(&path),
            Err(JournalError::Busy) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn place(&self, server: &Address, source: &Source) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        let parts = [server.to_string(), source.path.clone()];
        for part in [
            parts[0].as_bytes(),
            source.file.as_os_str().as_bytes(),
            parts[1].as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let name = HEXLOWER.encode(&hasher.finalize().as_bytes()[..16]);
        self.0.join(name).with_extension("json")
    }

    /// Removes what is older than `oldest` and in nobody's hands.
    fn prune(&self, oldest: SystemTime) -> Result<(), JournalError> {
        let failed = failed(&self.0);
        for file in fs::read_dir(&self.0).map_err(&failed)? {
            let file = file.map_err(&failed)?;
            let modified = file.metadata().and_then(|m| m.modified());
            if modified.is_ok_and(|at| at < oldest) {
                let path = file.path().with_extension("json");
                if let Ok(_held) = Lock::take(&path) {
                    clear(&path)?;
                }
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The upload that was written down last.
    pub fn record(&self) -> Option<&Record> {
        self.page.upload.as_ref()
    }

    /// Writes an upload down. A crash leaves the older or the newer record.
    pub fn keep(&mut self, record: Record) -> Result<(), JournalError> {
        self.page.upload = Some(record);
        let new = self.path.with_extension("new");
        let write = || {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&new)?;
            file.write_all(&serde_json::to_vec(&self.page)?)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            let folder = self.path.parent().map(File::open).transpose()?;
            folder.map_or(Ok(()), |folder| folder.sync_all())
        };
        write().map_err(failed(&self.path))
    }

    /// Strikes the upload out; the entry stays held.
    pub fn forget(&mut self) -> Result<(), JournalError> {
        self.page.upload = None;
        clear(&self.path)
    }
}

/// The lock of an entry: a file beside it, gone with the lock.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    _held: File,
}

impl Lock {
    fn take(entry: &Path) -> Result<Self, JournalError> {
        let path = entry.with_extension("lock");
        loop {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(&path).map_err(failed(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(JournalError::Busy),
                Err(TryLockError::Error(e)) => return Err(failed(&path)(e)),
            }
            // Its last holder may have removed the file before it let go of it.
            let held = file.metadata().map_err(failed(&path))?.ino();
            if fs::metadata(&path).is_ok_and(|there| there.ino() == held) {
                return Ok(Self { path, _held: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that stays behind is taken up by the next.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes a record, and one that was not finished.
fn clear(path: &Path) -> Result<(), JournalError> {
    remove(path)?;
    remove(&path.with_extension("new"))
}

fn remove(path: &Path) -> Result<(), JournalError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(path)(e)),
        _ => Ok(()),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::protocol::id::{FileId, Token};

    fn source(size: u64) -> Source {
        Source {
            file: "/home/me/film.mkv".into(),
            path: "film.mkv".into(),
            stamp: Stamp {
                size,
                modified: (7, 8),
            },
        }
    }

    fn record(source: &Source) -> Record {
        Record {
            manifest: source.manifest(),
            token: Token::from_bytes([1; 16]),
            id: FileId::from_bytes([2; 16]),
            paused: false,
            durable: 3,
            order: 0,
        }
    }

    fn server() -> Address {
        "http://127.0.0.1:3000".parse().unwrap()
    }

    #[test]
    fn a_record_is_found_again_for_the_same_file_only() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let film = source(10);
        let (mut entry, kept) = journal.claim(&server(), &film).unwrap();
        assert!(matches!(kept, Kept::Nothing));
        entry.keep(record(&film)).unwrap();
        drop(entry);

        let (entry, kept) = journal.claim(&server(), &film).unwrap();
        assert!(matches!(kept, Kept::Same(r) if r == record(&film)));
        drop(entry);
        let (entry, kept) = journal.claim(&server(), &source(11)).unwrap();
        assert!(matches!(kept, Kept::Changed(r) if r == record(&film)));
        drop(entry);
        let elsewhere = "http://127.0.0.1:3001".parse().unwrap();
        let (_, kept) = journal.claim(&elsewhere, &film).unwrap();
        assert!(matches!(kept, Kept::Nothing));
        journal.strike(&server(), &film).unwrap();
        let (_, kept) = journal.claim(&server(), &film).unwrap();
        assert!(matches!(kept, Kept::Nothing));
    }

    #[test]
    fn an_entry_has_one_holder_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let film = source(10);
        let (mut entry, _) = journal.claim(&server(), &film).unwrap();
        entry.keep(record(&film)).unwrap();
        let other = Journal::open_at(dir.path()).unwrap();
        assert!(matches!(
            other.claim(&server(), &film),
            Err(JournalError::Busy)
        ));
        other.strike(&server(), &film).unwrap();
        assert!(entry.path.exists());
        entry.forget().unwrap();
        drop(entry);
        assert!(other.claim(&server(), &film).is_ok());
        assert_eq!(fs::read_dir(&journal.0).unwrap().count(), 0);
    }

    #[test]
    fn nobody_else_may_read_it_and_what_is_torn_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let film = source(10);
        let (mut entry, _) = journal.claim(&server(), &film).unwrap();
        entry.keep(record(&film)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&entry.path), mode(&journal.0)), (0o600, 0o700));
        fs::write(&entry.path, &fs::read(&entry.path).unwrap()[..40]).unwrap();
        fs::write(entry.path.with_extension("new"), b"half").unwrap();
        drop(entry);
        let (_, kept) = journal.claim(&server(), &film).unwrap();
        assert!(matches!(kept, Kept::Nothing));
        journal.strike(&server(), &film).unwrap();
        assert_eq!(fs::read_dir(&journal.0).unwrap().count(), 0);
    }

    #[test]
    fn what_is_old_and_in_nobodys_hands_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let (film, other) = (
            source(10),
            Source {
                path: "b".into(),
                ..source(1)
            },
        );
        let (mut held, _) = journal.claim(&server(), &film).unwrap();
        held.keep(record(&film)).unwrap();
        let (mut entry, _) = journal.claim(&server(), &other).unwrap();
        entry.keep(record(&other)).unwrap();
        let path = entry.path.clone();
        drop(entry);
        journal.prune(SystemTime::now() - KEEP).unwrap();
        assert!(path.exists());
        journal.prune(SystemTime::now() + KEEP).unwrap();
        assert!(!path.exists() && held.path.exists());
    }
}
