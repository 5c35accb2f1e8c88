//! Finds the files to send: those that are named, and all that is in named folders.
//!
//! A folder is sent under its own name. Inside it, links to files are followed and
//! links to folders are not, so that it has an end.

use std::collections::HashSet;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::source::{Source, Stamp};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, in the order in which they were named, and folders by name.
    pub sources: Vec<Source>,
    /// What is left out.
    pub skipped: Vec<Skipped>,
}

/// Something in a folder that is not sent.
#[derive(Debug)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why not.
    pub why: Skip,
}

/// Why something in a folder is not sent.
#[derive(Debug, thiserror::Error)]
pub enum Skip {
    /// A link to a folder.
    #[error("links to folders are not followed")]
    Link,
    /// A device, a pipe or a socket.
    #[error("it is neither a file nor a folder")]
    Special,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// Something that was named cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be sent: {why}", path.display())]
pub struct FindError {
    path: PathBuf,
    why: Skip,
}

/// Finds all files below `paths`. Blocks.
pub fn find(paths: &[PathBuf]) -> Result<Found, FindError> {
    let mut walk = Walk::default();
    for path in paths {
        walk.named(path).map_err(|why| FindError {
            path: path.clone(),
            why,
        })?;
    }
    Ok(walk.found)
}

#[derive(Default)]
struct Walk {
    found: Found,
    seen: HashSet<(PathBuf, String)>,
}

impl Walk {
    fn named(&mut self, path: &Path) -> Result<(), Skip> {
        let file = fs::canonicalize(path)?;
        // `.` and `..` have the name of the folder they mean.
        let name = path.file_name().or(file.file_name());
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        let metadata = fs::metadata(&file)?;
        if metadata.is_dir() {
            fs::read_dir(&file)?;
            self.folder(file, name);
            return Ok(());
        }
        self.file(file, name, metadata.file_type())
    }

    /// Takes all that is in a folder and in those below it.
    fn folder(&mut self, folder: PathBuf, name: String) {
        // A stack: what is to come next is last.
        let mut stack = vec![(folder, name)];
        while let Some((path, name)) = stack.pop() {
            match self.look(&path, &name) {
                Ok(children) => stack.extend(children.into_iter().rev()),
                Err(why) => self.found.skipped.push(Skipped { path, why }),
            }
        }
    }

    /// Takes a file, or gives what is in a folder, by name.
    fn look(&mut self, path: &Path, name: &str) -> Result<Vec<(PathBuf, String)>, Skip> {
        let mut kind = fs::symlink_metadata(path)?.file_type();
        if kind.is_symlink() {
            kind = fs::metadata(path)?.file_type();
            if kind.is_dir() {
                return Err(Skip::Link);
            }
        }
        if !kind.is_dir() {
            self.file(path.to_owned(), name.to_owned(), kind)?;
            return Ok(Vec::new());
        }
        let mut children = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let child = entry.file_name();
            let child = child.to_string_lossy();
            let name = match name {
                "" => child.into_owned(),
                folder => format!("{folder}/{child}"),
            };
            children.push((entry.path(), name));
        }
        children.sort();
        Ok(children)
    }

    fn file(&mut self, file: PathBuf, path: String, kind: FileType) -> Result<(), Skip> {
        if !kind.is_file() {
            return Err(Skip::Special);
        }
        rustix::fs::access(&file, Access::READ_OK).map_err(io::Error::from)?;
        let stamp = Stamp::of(&fs::metadata(&file)?);
        // What is named twice is sent once.
        if self.seen.insert((file.clone(), path.clone())) {
            self.found.sources.push(Source { file, path, stamp });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    fn paths(found: &Found) -> Vec<&str> {
        found.sources.iter().map(|s| s.path.as_str()).collect()
    }

    #[test]
    fn folders_are_sent_with_their_tree_and_links_have_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let photos = dir.path().join("photos");
        fs::create_dir_all(photos.join("2024/empty")).unwrap();
        fs::write(photos.join("b.jpg"), b"b").unwrap();
        fs::write(photos.join("2024/a.jpg"), b"aa").unwrap();
        symlink("b.jpg", photos.join("c.jpg")).unwrap();
        symlink("..", photos.join("2024/round")).unwrap();
        symlink("nowhere", photos.join("dangling")).unwrap();
        let film = dir.path().join("film.mkv");
        fs::write(&film, b"film").unwrap();

        let found = find(&[film.clone(), photos.clone(), film, photos.join(".")]).unwrap();
        let wanted = [
            "film.mkv",
            "photos/2024/a.jpg",
            "photos/b.jpg",
            "photos/c.jpg",
        ];
        assert_eq!(paths(&found), wanted);
        assert_eq!(found.sources[1].stamp.size, 2);
        let skipped: Vec<_> = found.skipped.iter().map(|s| s.path.file_name()).collect();
        assert_eq!(
            skipped[..2],
            [Some("round".as_ref()), Some("dangling".as_ref())]
        );
        assert!(matches!(found.skipped[0].why, Skip::Link));

        let found = find(&[photos.join("2024/..")]).unwrap();
        assert_eq!(paths(&found), wanted[1..]);
    }

    #[test]
    fn what_is_named_must_be_there() {
        let missing = find(&["/nowhere/film.mkv".into()]).unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("/nowhere/film.mkv cannot be sent: No such file")
        );
        let special = find(&["/dev/null".into()]).unwrap_err();
        assert!(special.to_string().ends_with("neither a file nor a folder"));
    }
}
