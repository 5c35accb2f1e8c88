//! A virtual disk that keeps the promises of `storage::disk` and no others: what was not
//! synced is lost in a power failure, in any order and torn anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;
use longhaul::protocol::id::FileId;
use longhaul::registry::Epoch;
use longhaul::storage::lease::{Lease, Leases};
use longhaul::storage::{Opening, StorageError};

use super::chance::Chance;
use super::extents::Extents;

#[derive(Debug, Default)]
pub struct Disk {
    parts: BTreeMap<FileId, Part>,
    /// The newest epoch with which each part was ever opened.
    newest: BTreeMap<FileId, Epoch>,
    files: BTreeMap<String, Placed>,
    pub leases: Leases,
    pub full: bool,
    /// How many of the next steps fail.
    pub failing: u32,
}

/// An unfinished upload.
#[derive(Debug, Default)]
pub struct Part {
    len: u64,
    /// Whether its name and its length survive a power failure.
    named: bool,
    /// What reading gives, and what is left of it after a power failure.
    view: Extents,
    synced: Extents,
    cached: Vec<(u64, Bytes)>,
    /// Bytes that the disk itself has damaged.
    pub rot: BTreeSet<u64>,
}

/// A file under its final name.
#[derive(Debug)]
pub struct Placed {
    pub id: FileId,
    pub content: Part,
    /// Whether its name survives a power failure.
    named: bool,
}

/// As the writer of `storage::disk`.
#[derive(Debug)]
pub struct Writer {
    pub id: FileId,
    lease: Lease,
    fresh: bool,
    dirty: bool,
    broken: bool,
}

impl Part {
    /// The bytes of a range that survive a power failure, where all of them do.
    pub fn safe(&self, start: u64, end: u64) -> Option<Vec<Bytes>> {
        let pending = |(at, bytes): &(u64, Bytes)| *at < end && at + bytes.len() as u64 > start;
        if !self.named || self.cached.iter().any(pending) {
            return None;
        }
        self.synced.pieces(start, end)
    }

    /// Whether it holds exactly this, but for what the disk itself has damaged.
    pub fn equals(&self, content: &[u8]) -> bool {
        if self.len != content.len() as u64 {
            return false;
        }
        if self.rot.is_empty() {
            return self.view.begins_with(content);
        }
        let Some(pieces) = self.view.pieces(0, self.len) else {
            return false;
        };
        let found = pieces.concat();
        let both = (0..).zip(found.iter().zip(content));
        both.into_iter()
            .all(|(at, (found, wanted))| found == wanted || self.rot.contains(&at))
    }

    /// Whether the disk damaged something in a range.
    pub fn rotten(&self, start: u64, end: u64) -> bool {
        self.rot.range(start..end).next().is_some()
    }

    fn write(&mut self, offset: u64, bytes: Bytes) {
        let end = offset + bytes.len() as u64;
        self.rot.retain(|at| !(offset..end).contains(at));
        self.view.write(offset, bytes.clone());
        self.cached.push((offset, bytes));
    }

    fn sync(&mut self) {
        for (offset, bytes) in self.cached.drain(..) {
            self.synced.write(offset, bytes);
        }
    }

    /// Of what was not synced, anything may have reached the disk, in any order.
    fn lose(&mut self, chance: &mut Chance) {
        let mut cached = std::mem::take(&mut self.cached);
        chance.shuffle(&mut cached);
        for (offset, bytes) in cached {
            let len = bytes.len();
            match chance.below(3) {
                0 => self.synced.write(offset, bytes),
                1 => {
                    let from = chance.index(len);
                    let to = from + chance.index(len - from + 1);
                    if from < to {
                        self.synced
                            .write(offset + from as u64, bytes.slice(from..to));
                    }
                }
                _ => {}
            }
        }
        self.view = self.synced.clone();
    }
}

impl Disk {
    /// As the disk's own `open`.
    pub fn open(
        &mut self,
        id: FileId,
        size: u64,
        epoch: Epoch,
        opening: Opening,
    ) -> Result<Writer, StorageError> {
        let lease = self.leases.take(id, epoch)?;
        let held = lease.hold_alone()?;
        let mut fresh = opening == Opening::New;
        match self.parts.get_mut(&id) {
            Some(part) if part.len == size => {}
            Some(part) if opening == Opening::New => part.len = size,
            None if opening == Opening::New && self.full => return Err(StorageError::Full),
            None if opening == Opening::New => {
                let part = Part {
                    len: size,
                    ..Part::default()
                };
                self.parts.insert(id, part);
                fresh = true;
            }
            _ => {
                self.leases.over(id, held);
                return Err(StorageError::Missing);
            }
        }
        drop(held);
        self.newest.insert(id, epoch);
        Ok(Writer {
            id,
            lease,
            fresh,
            dirty: false,
            broken: false,
        })
    }

    /// Whatever changes something must come from the newest writer.
    fn check_newest(&self, writer: &Writer) {
        let newest = self.newest.get(&writer.id).copied();
        assert_eq!(
            newest,
            Some(writer.lease.epoch()),
            "an older writer of {} changes something",
            writer.id
        );
    }

    fn fails(&mut self, writer: &Writer) -> Result<(), StorageError> {
        if writer.broken {
            return Err(broken());
        }
        if self.failing > 0 {
            self.failing -= 1;
            return Err(broken());
        }
        Ok(())
    }

    /// Writes pieces one after the other; a full disk takes the first half of them.
    pub fn write(
        &mut self,
        writer: &mut Writer,
        mut offset: u64,
        pieces: &[Bytes],
    ) -> Result<(), StorageError> {
        writer.dirty = true;
        self.fails(writer)?;
        let taken = if self.full {
            pieces.len() / 2
        } else {
            pieces.len()
        };
        for piece in &pieces[..taken] {
            let _held = writer.lease.hold()?;
            self.check_newest(writer);
            let part = self.parts.get_mut(&writer.id).ok_or_else(broken)?;
            part.write(offset, piece.clone());
            offset += piece.len() as u64;
        }
        if self.full {
            return Err(StorageError::Full);
        }
        Ok(())
    }

    pub fn sync(&mut self, writer: &mut Writer, chance: &mut Chance) -> Result<(), StorageError> {
        drop(writer.lease.hold()?);
        let failure = self.fails(writer);
        let part = self.parts.get_mut(&writer.id).ok_or_else(broken)?;
        if let Err(error) = failure {
            // The kernel forgets what it failed to write.
            part.lose(chance);
            writer.broken = true;
            return Err(error);
        }
        part.sync();
        part.named |= writer.fresh;
        (writer.fresh, writer.dirty) = (false, false);
        Ok(())
    }

    /// Moves a part to its final name; `durable` says whether the folders were synced.
    pub fn seal(
        &mut self,
        writer: &mut Writer,
        path: &str,
        durable: bool,
        chance: &mut Chance,
    ) -> Result<(), StorageError> {
        if writer.fresh || writer.dirty {
            self.sync(writer, chance)?;
        }
        let held = writer.lease.hold_alone()?;
        self.check_newest(writer);
        if self.files.contains_key(path) {
            let taken = path.to_owned();
            return Err(StorageError::Exists { taken });
        }
        let content = self.parts.remove(&writer.id).ok_or(StorageError::Missing)?;
        let placed = Placed {
            id: writer.id,
            content,
            named: durable,
        };
        self.files.insert(path.to_owned(), placed);
        self.leases.over(writer.id, held);
        Ok(())
    }

    pub fn abort(&mut self, writer: &Writer) -> Result<(), StorageError> {
        let held = writer.lease.hold_alone()?;
        self.check_newest(writer);
        self.parts.remove(&writer.id);
        self.leases.over(writer.id, held);
        Ok(())
    }

    pub fn discard(&mut self, id: FileId) -> Result<(), StorageError> {
        let parts = &mut self.parts;
        self.leases.end(id, || {
            parts.remove(&id);
            Ok(())
        })
    }

    /// The length of a file, its name being durable from now on.
    pub fn confirm(&mut self, path: &str) -> Option<u64> {
        let placed = self.files.get_mut(path)?;
        placed.named = true;
        Some(placed.content.len)
    }

    pub fn part(&self, id: FileId) -> Option<&Part> {
        self.parts.get(&id)
    }

    pub fn part_ids(&self) -> Vec<FileId> {
        self.parts.keys().copied().collect()
    }

    pub fn file(&self, path: &str) -> Option<&Placed> {
        self.files.get(path)
    }

    /// The server was killed: its leases are gone, what it wrote is not.
    pub fn killed(&mut self) {
        self.leases = Leases::default();
    }

    /// The power failed: what was not synced is anybody's guess.
    pub fn powerless(&mut self, chance: &mut Chance) {
        self.killed();
        let mut gone = Vec::new();
        for (&id, part) in &mut self.parts {
            part.lose(chance);
            if !part.named {
                match chance.below(3) {
                    0 => gone.push(id),
                    1 => *part = Part::default(),
                    _ => {}
                }
            }
        }
        for id in gone {
            self.parts.remove(&id);
        }
        let unsure = self.files.iter().filter(|(_, placed)| !placed.named);
        let unsure: Vec<String> = unsure.map(|(path, _)| path.clone()).collect();
        for path in unsure {
            if chance.percent(50)
                && let Some(placed) = self.files.remove(&path)
            {
                self.parts.insert(placed.id, placed.content);
            } else if let Some(placed) = self.files.get_mut(&path) {
                placed.named = true;
            }
        }
    }

    /// A bit turns over somewhere in an unfinished upload.
    pub fn rot(&mut self, chance: &mut Chance) -> Option<(FileId, u64)> {
        let ids = self.part_ids();
        let id = chance.pick(&ids)?;
        let part = self.parts.get_mut(&id)?;
        let offset = chance.below(part.view.end().max(1));
        let bit = chance.below(8) as u8;
        if !part.view.flip(offset, bit) {
            return None;
        }
        if !part.synced.flip(offset, bit) {
            let flipped = part.view.pieces(offset, offset + 1)?.concat();
            part.cached.push((offset, flipped.into()));
        }
        part.rot.insert(offset);
        Some((id, offset))
    }
}

fn broken() -> StorageError {
    StorageError::Io {
        action: "could not do it".into(),
        source: io::Error::other("a fault of the disk"),
    }
}
