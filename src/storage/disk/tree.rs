//! The folder of files: everything below it is reached one folder at a time, and no
//! symbolic link is followed, so nothing that is done here happens outside of it.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fstat, fsync, linkat, mkdirat, openat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::failed;
use crate::storage::{StorageError, name};

/// How often a move is tried again because a folder was deleted under it.
const ATTEMPTS: usize = 8;

/// The folder of files.
#[derive(Debug)]
pub(super) struct Tree(OwnedFd);

/// A file that was moved into the tree, but not yet durably.
#[derive(Debug)]
pub(super) struct Placed {
    /// Folders whose entries changed.
    changed: Vec<OwnedFd>,
}

impl Placed {
    /// Makes the move durable on the side of the tree.
    pub fn sync(self) -> Result<(), StorageError> {
        // The innermost first: a folder appears when what is in it is there.
        for folder in self.changed.iter().rev() {
            fsync(folder).map_err(failed("sync", "a folder"))?;
        }
        Ok(())
    }
}

impl Tree {
    pub fn new(root: OwnedFd) -> Self {
        Self(root)
    }

    /// The length of the file at `path`.
    pub fn len(&self, path: &str) -> Result<Option<u64>, StorageError> {
        match self.parent(path) {
            Ok((folder, name)) => len_at(folder.as_fd(), name, path),
            Err(StorageError::Missing) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The length of the file at `path`, whose name is durable then.
    pub fn confirm(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let (folders, name) = match self.parents(path) {
            Err(StorageError::Missing) => return Ok(None),
            other => other?,
        };
        let last = folders.last().map_or(self.0.as_fd(), AsFd::as_fd);
        let len = len_at(last, name, path)?;
        if len.is_some() {
            for folder in folders.iter().rev() {
                fsync(folder).map_err(failed("sync", "a folder"))?;
            }
            fsync(&self.0).map_err(failed("sync", "the folder of files"))?;
        }
        Ok(len)
    }

    /// Opens the file at `path` for reading.
    pub fn open_file(&self, path: &str) -> Result<File, StorageError> {
        let (folder, name) = self.parent(path)?;
        // Not blocking, or a named pipe that somebody left there would hold us.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = openat(&folder, name, flags, Mode::empty()).map_err(missing("open", path))?;
        let stat = fstat(&file).map_err(failed("examine", path))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            _ => Err(StorageError::Missing),
        }
    }

    /// Moves `name` in the folder `from` to `path`, creating folders, replacing nothing.
    pub fn place(
        &self,
        from: BorrowedFd<'_>,
        from_name: &str,
        path: &str,
    ) -> Result<Placed, StorageError> {
        let (_, _) = split(path)?;
        for _ in 0..ATTEMPTS {
            let mut changed = Vec::new();
            let (folder, name) = match self.make_parent(path, &mut changed) {
                Err(Errno::NOENT) => continue,
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(self.taken(path)),
                other => other.map_err(failed("create the folders of", path))?,
            };
            match move_new(from, from_name, folder.as_fd(), name) {
                Ok(()) => {
                    changed.push(folder);
                    return Ok(Placed { changed });
                }
                Err(Errno::EXIST) => return Err(self.taken(path)),
                // Either what is to be moved is gone, or the folder was deleted since.
                Err(Errno::NOENT) => {
                    let from = statat(from, from_name, AtFlags::SYMLINK_NOFOLLOW);
                    if from.err() == Some(Errno::NOENT) {
                        self.prune(path).ok();
                        return Err(StorageError::Missing);
                    }
                }
                Err(e) => {
                    self.prune(path).ok();
                    return Err(failed("move a file to", path)(e));
                }
            }
        }
        Err(failed("keep the folders of", path)(Errno::NOENT))
    }

    /// Gives a file another path.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        let (folder, name) = self.parent(from)?;
        if len_at(folder.as_fd(), name, from)?.is_none() {
            return Err(StorageError::Missing);
        }
        if from == to {
            return Ok(());
        }
        self.place(folder.as_fd(), name, to)?.sync()?;
        fsync(&folder).map_err(failed("sync the folder of", from))?;
        self.prune(from)
    }

    /// Moves the file at `path` out of the tree, to `name` in the folder `to`.
    pub fn take(&self, path: &str, to: BorrowedFd<'_>, to_name: &str) -> Result<(), StorageError> {
        let (folder, name) = self.parent(path)?;
        if len_at(folder.as_fd(), name, path)?.is_none() {
            return Err(StorageError::Missing);
        }
        move_new(folder.as_fd(), name, to, to_name).map_err(missing("take away", path))
    }

    /// Makes durable that the file at `path` was taken, and deletes the folders that are
    /// empty then.
    pub fn left(&self, path: &str) -> Result<(), StorageError> {
        match self.parent(path) {
            Ok((folder, _)) => fsync(&folder).map_err(failed("sync the folder of", path))?,
            Err(StorageError::Missing) => {}
            Err(e) => return Err(e),
        }
        self.prune(path)
    }

    /// Deletes the folders above `path` that are empty, the innermost first.
    fn prune(&self, path: &str) -> Result<(), StorageError> {
        let mut path = path;
        while let Some((folder, _)) = path.rsplit_once('/') {
            path = folder;
            match self.parent(path) {
                Ok((above, name)) => match unlinkat(&above, name, AtFlags::REMOVEDIR) {
                    Ok(()) => fsync(&above).map_err(failed("sync the folder of", path))?,
                    Err(Errno::NOENT) => {}
                    // It is in use, or not ours to delete; the file is gone all the same.
                    Err(_) => return Ok(()),
                },
                Err(StorageError::Missing) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// The open folder of `path`, and the last part of it.
    fn parent<'p>(&self, path: &'p str) -> Result<(OwnedFd, &'p str), StorageError> {
        let (mut folders, name) = self.parents(path)?;
        match folders.pop() {
            Some(folder) => Ok((folder, name)),
            None => {
                let root = self
                    .0
                    .try_clone()
                    .map_err(failed("open the folder of", path))?;
                Ok((root, name))
            }
        }
    }

    /// All open folders above `path`, the outermost first, without the root.
    fn parents<'p>(&self, path: &'p str) -> Result<(Vec<OwnedFd>, &'p str), StorageError> {
        let (folders, name) = split(path)?;
        let mut opened: Vec<OwnedFd> = Vec::new();
        for part in folders {
            let above = opened.last().map_or(self.0.as_fd(), AsFd::as_fd);
            let folder = open_folder(above, part).map_err(missing("open the folders of", path))?;
            opened.push(folder);
        }
        Ok((opened, name))
    }

    /// As [`Tree::parent`], but creates what is not there; `changed` gets the folders in
    /// which something was created.
    fn make_parent<'p>(
        &self,
        path: &'p str,
        changed: &mut Vec<OwnedFd>,
    ) -> Result<(OwnedFd, &'p str), Errno> {
        let (folders, name) = split(path).map_err(|_| Errno::INVAL)?;
        let clone = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 0);
        let mut folder = clone(self.0.as_fd())?;
        for part in folders {
            let inner = match open_folder(folder.as_fd(), part) {
                Err(Errno::NOENT) => {
                    match mkdirat(&folder, part, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(e) => return Err(e),
                    }
                    // Whoever created it: a file in it needs it.
                    changed.push(clone(folder.as_fd())?);
                    open_folder(folder.as_fd(), part)?
                }
                other => other?,
            };
            folder = inner;
        }
        Ok((folder, name))
    }

    /// Says what is in the way of `path`: a folder that is none, or a file there.
    fn taken(&self, path: &str) -> StorageError {
        let folders = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        let blocked = folders.into_iter().find(|folder| {
            self.parent(folder).is_ok_and(|(above, name)| {
                matches!(
                    open_folder(above.as_fd(), name),
                    Err(Errno::NOTDIR | Errno::LOOP)
                )
            })
        });
        StorageError::Exists {
            taken: blocked.unwrap_or(path).to_owned(),
        }
    }
}

/// Splits a safe path into its folders and its name.
fn split(path: &str) -> Result<(impl Iterator<Item = &str>, &str), StorageError> {
    if !name::is_safe(path) {
        return Err(StorageError::UnsafePath);
    }
    let (folders, name) = name::split_folder(path);
    Ok((folders.split_terminator('/'), name))
}

fn open_folder(above: BorrowedFd<'_>, part: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(above, part, flags, Mode::empty())
}

fn len_at(folder: BorrowedFd<'_>, name: &str, path: &str) -> Result<Option<u64>, StorageError> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            Ok(Some(stat.st_size.unsigned_abs()))
        }
        Ok(_) | Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(failed("examine", path)(e)),
    }
}

/// Moves a file, replacing nothing.
fn move_new(
    from: BorrowedFd<'_>,
    from_name: &str,
    to: BorrowedFd<'_>,
    to_name: &str,
) -> Result<(), Errno> {
    match renameat_with(from, from_name, to, to_name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            move_by_link(from, from_name, to, to_name)
        }
        other => other,
    }
}

/// The same for file systems that cannot do it in one step, such as NFS. A crash in
/// between leaves both names on one file, and the next try then goes on from there.
fn move_by_link(
    from: BorrowedFd<'_>,
    from_name: &str,
    to: BorrowedFd<'_>,
    to_name: &str,
) -> Result<(), Errno> {
    match linkat(from, from_name, to, to_name, AtFlags::empty()) {
        Err(Errno::EXIST) => {
            let a = statat(from, from_name, AtFlags::SYMLINK_NOFOLLOW)?;
            let b = statat(to, to_name, AtFlags::SYMLINK_NOFOLLOW)?;
            if (a.st_dev, a.st_ino) != (b.st_dev, b.st_ino) {
                return Err(Errno::EXIST);
            }
        }
        other => other?,
    }
    unlinkat(from, from_name, AtFlags::empty())
}

/// A path that leads nowhere, or through something that is no folder, is missing.
fn missing(verb: &'static str, path: &str) -> impl FnOnce(Errno) -> StorageError {
    move |e| match e {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO => StorageError::Missing,
        e => failed(verb, path)(e),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_way_without_the_flag_replaces_nothing_and_survives_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let fd = rustix::fs::open(dir.path(), OFlags::RDONLY, Mode::empty()).unwrap();
        let fd = fd.as_fd();
        std::fs::write(at("a"), "a").unwrap();
        std::fs::write(at("b"), "b").unwrap();
        assert_eq!(move_by_link(fd, "a", fd, "b"), Err(Errno::EXIST));
        assert_eq!(move_by_link(fd, "a", fd, "c"), Ok(()));
        assert!(!at("a").exists());
        // As if the power had failed after the link.
        std::fs::hard_link(at("c"), at("d")).unwrap();
        assert_eq!(move_by_link(fd, "c", fd, "d"), Ok(()));
        assert_eq!(std::fs::read(at("d")).unwrap(), b"a");
        assert!(!at("c").exists());
    }
}
