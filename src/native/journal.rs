//! What outlives the process: a row for each upload in a small database, where the system
//! has the state of programs, and beside it the locks of the files that are being sent.
//!
//! The invariants: what was written is on the disk, however the machine ends, and many
//! changes share the flush for that; only whoever holds its lock changes a row, so no two
//! processes send the same file to the same server; and nobody else may read it, for it
//! holds the secret that continues the upload. The lock of a row is a byte of one file,
//! for files that come and go slow a file system down.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::source::{Source, Stamp};
use crate::protocol::sender::Record;

/// How long a record stays that nobody takes up: longer than servers keep uploads.
const KEEP: Duration = Duration::from_secs(30 * 86_400);
/// How long other processes may have the database.
const PATIENCE: Duration = Duration::from_secs(10);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS uploads (
    place TEXT PRIMARY KEY,
    page  TEXT NOT NULL,
    kept  INTEGER NOT NULL
) STRICT, WITHOUT ROWID";

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
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// A byte for each row, which no other process can lock while this one does; and which
    /// of them this one does.
    locks: File,
    held: Mutex<HashSet<i64>>,
    rows: Mutex<Connection>,
}

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
    place: Place,
    _lock: Lock,
}

/// A change of an entry, which is made together with others.
#[derive(Debug)]
pub struct Change {
    place: Place,
    /// What is written down; nothing, if it is struck out.
    page: Option<String>,
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
        let folder = folder.join("uploads-v2");
        let mut builder = DirBuilder::new();
        let created = builder.recursive(true).mode(0o700).create(&folder);
        created.map_err(failed(&folder))?;
        let path = folder.join("journal.db");
        private(&path).map_err(failed(&path))?;
        let connect = || {
            let rows = Connection::open(&path)?;
            rows.busy_timeout(PATIENCE)?;
            // Not the faster log, which needs memory that all machines of a network share.
            rows.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))?;
            rows.pragma_update(None, "synchronous", "FULL")?;
            rows.execute(TABLE, [])?;
            Ok(Mutex::new(rows))
        };
        let rows = connect().map_err(broken(&folder))?;
        let path = folder.join("locks");
        let locks = private(&path).map_err(failed(&path))?;
        let journal = Self(Arc::new(Inner {
            folder,
            locks,
            held: Mutex::default(),
            rows,
        }));
        journal.prune(SystemTime::now() - KEEP)?;
        Ok(journal)
    }

    /// Takes the entry of a file on its way to a server, and reads what it says.
    pub fn claim(&self, server: &Address, source: &Source) -> Result<(Entry, Kept), JournalError> {
        let place = Place::of(server, source);
        let lock = self.lock(&place)?;
        let mut page = Page {
            server: server.to_string(),
            file: source.file.display().to_string(),
            stamp: source.stamp,
            upload: None,
        };
        let written = self.page(&place)?;
        // What cannot be understood says nothing.
        let written = written.and_then(|text| serde_json::from_str::<Page>(&text).ok());
        let kept = match written {
            Some(Page {
                stamp,
                upload: Some(record),
                ..
            }) if stamp == page.stamp => Kept::Same(record),
            Some(Page {
                upload: Some(record),
                ..
            }) => Kept::Changed(record),
            _ => Kept::Nothing,
        };
        if let Kept::Same(record) = &kept {
            page.upload = Some(record.clone());
        }
        let entry = Entry {
            page,
            place,
            _lock: lock,
        };
        Ok((entry, kept))
    }

    /// Makes changes, all or none of them; they are on the disk when this returns.
    pub fn write(&self, changes: &[Change]) -> Result<(), JournalError> {
        if changes.is_empty() {
            return Ok(());
        }
        let now = seconds(SystemTime::now());
        let write = || {
            let mut rows = self.0.rows.lock();
            let transaction = rows.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for Change { place, page } in changes {
                match page {
                    Some(page) => transaction
                        .prepare_cached("INSERT OR REPLACE INTO uploads VALUES (?1, ?2, ?3)")?
                        .execute((&place.0, page, now))?,
                    None => transaction
                        .prepare_cached("DELETE FROM uploads WHERE place = ?1")?
                        .execute([&place.0])?,
                };
            }
            transaction.commit()
        };
        write().map_err(broken(&self.0.folder))
    }

    /// Strikes the entries of files out, except those that somebody holds.
    pub fn strike(&self, server: &Address, sources: &[Source]) -> Result<(), JournalError> {
        self.strike_out(sources.iter().map(|source| Place::of(server, source)))
    }

    /// How many uploads are written down.
    pub fn count(&self) -> Result<usize, JournalError> {
        let rows = self.0.rows.lock();
        let count = rows.query_row("SELECT COUNT(*) FROM uploads", [], |row| row.get(0));
        count.map_err(broken(&self.0.folder))
    }

    fn lock(&self, place: &Place) -> Result<Lock, JournalError> {
        let byte = place.byte();
        let mut held = self.0.held.lock();
        if held.contains(&byte) {
            return Err(JournalError::Busy);
        }
        match lock(&self.0.locks, byte, libc::F_WRLCK) {
            Ok(()) => held.insert(byte),
            Err(Errno::EAGAIN | Errno::EACCES) => return Err(JournalError::Busy),
            Err(error) => return Err(failed(&self.0.folder)(error.into())),
        };
        Ok(Lock {
            journal: self.clone(),
            byte,
        })
    }

    fn page(&self, place: &Place) -> Result<Option<String>, JournalError> {
        let rows = self.0.rows.lock();
        let read = || {
            rows.prepare_cached("SELECT page FROM uploads WHERE place = ?1")?
                .query_row([&place.0], |row| row.get(0))
                .optional()
        };
        read().map_err(broken(&self.0.folder))
    }

    fn strike_out(&self, places: impl Iterator<Item = Place>) -> Result<(), JournalError> {
        let mut changes = Vec::new();
        for place in places {
            match self.lock(&place) {
                Ok(_free) => changes.push(Change { place, page: None }),
                Err(JournalError::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        self.write(&changes)
    }

    /// Removes what is older than `oldest` and in nobody's hands.
    fn prune(&self, oldest: SystemTime) -> Result<(), JournalError> {
        let read = || {
            let rows = self.0.rows.lock();
            let mut old = rows.prepare_cached("SELECT place FROM uploads WHERE kept < ?1")?;
            let old = old.query_map([seconds(oldest)], |row| Ok(Place(row.get(0)?)))?;
            old.collect::<rusqlite::Result<Vec<Place>>>()
        };
        let old = read().map_err(broken(&self.0.folder))?;
        self.strike_out(old.into_iter())
    }
}

impl Entry {
    /// Writes an upload down.
    pub fn keep(&mut self, record: Record) -> Change {
        self.page.upload = Some(record);
        Change {
            place: self.place.clone(),
            page: serde_json::to_string(&self.page).ok(),
        }
    }

    /// Strikes the upload out; the entry stays held.
    pub fn forget(&mut self) -> Change {
        self.page.upload = None;
        Change {
            place: self.place.clone(),
            page: None,
        }
    }
}

/// The name of the entry of a file on its way to a server.
#[derive(Clone, Debug)]
struct Place(String);

impl Place {
    fn of(server: &Address, source: &Source) -> Self {
        let mut hasher = blake3::Hasher::new();
        let server = server.to_string();
        for part in [
            server.as_bytes(),
            source.file.as_os_str().as_bytes(),
            source.path.as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(HEXLOWER.encode(&hasher.finalize().as_bytes()[..16]))
    }

    /// Which byte is its lock.
    fn byte(&self) -> i64 {
        let hash = blake3::hash(self.0.as_bytes());
        let (first, _) = hash.as_bytes().split_at(8);
        first
            .iter()
            .fold(0, |byte, &next| byte << 7 | i64::from(next & 0x7f))
    }
}

/// The lock of an entry, which the system also ends with the process.
#[derive(Debug)]
struct Lock {
    journal: Journal,
    byte: i64,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = self.journal.0.held.lock();
        held.remove(&self.byte);
        // What cannot be let go of is free when the process ends.
        let _ = lock(&self.journal.0.locks, self.byte, libc::F_UNLCK);
    }
}

/// Takes or ends a lock of this open file, which no other open file can have meanwhile.
fn lock(file: &File, byte: i64, kind: libc::c_int) -> Result<(), Errno> {
    let range = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&range)).map(|_| ())
}

/// Opens a file that is for nobody else, and creates it where it is not there.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

fn broken(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError {
    move |error| failed(path)(io::Error::other(error))
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

    use std::fs;
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
            id: Some(FileId::from_bytes([2; 16])),
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
        journal.write(&[entry.keep(record(&film))]).unwrap();
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
        journal
            .strike(&server(), std::slice::from_ref(&film))
            .unwrap();
        let (_, kept) = journal.claim(&server(), &film).unwrap();
        assert!(matches!(kept, Kept::Nothing));
    }

    #[test]
    fn an_entry_has_one_holder_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let film = source(10);
        let (mut entry, _) = journal.claim(&server(), &film).unwrap();
        journal.write(&[entry.keep(record(&film))]).unwrap();
        let other = Journal::open_at(dir.path()).unwrap();
        assert!(matches!(
            other.claim(&server(), &film),
            Err(JournalError::Busy)
        ));
        other
            .strike(&server(), std::slice::from_ref(&film))
            .unwrap();
        assert_eq!(other.count().unwrap(), 1);
        journal.write(&[entry.forget()]).unwrap();
        drop(entry);
        assert!(other.claim(&server(), &film).is_ok());
        assert_eq!(other.count().unwrap(), 0);
    }

    #[test]
    fn nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open_at(dir.path()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = &journal.0.folder;
        let modes = (mode(folder), mode(&folder.join("journal.db")));
        assert_eq!(modes, (0o700, 0o600));
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
        let (mut entry, _) = journal.claim(&server(), &other).unwrap();
        let changes = [held.keep(record(&film)), entry.keep(record(&other))];
        journal.write(&changes).unwrap();
        drop(entry);
        journal.prune(SystemTime::now() - KEEP).unwrap();
        assert_eq!(journal.count().unwrap(), 2);
        journal.prune(SystemTime::now() + KEEP).unwrap();
        assert_eq!(journal.count().unwrap(), 1);
        let (_, kept) = journal.claim(&server(), &other).unwrap();
        assert!(matches!(kept, Kept::Nothing));
    }
}
