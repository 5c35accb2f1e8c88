//! What each step of an upload does once it is done, and what it leaves behind where the
//! server ends in the middle of it.

use longhaul::protocol::id::FileId;
use longhaul::protocol::receiver::Opening;
use longhaul::protocol::trouble::Trouble;
use longhaul::registry::{Found, RegistryError};
use longhaul::storage::{self, StorageError, name};
use longhaul::verify::block;

use super::boot;
use super::server::{Holder, bytes};
use super::upload::{Next, Outcome, Stage, Task};
use super::world::World;

impl World {
    /// What a step does, once it is done.
    pub fn perform(&mut self, number: u64, task: &mut Task, stage: Stage) -> Result<Next, Trouble> {
        let next = match stage {
            Stage::Idle => Next::Do(Stage::Idle),
            Stage::Match | Stage::Adopt(..) => return self.perform_matching(task, stage),
            Stage::Begin => {
                let id = FileId::from_bytes(bytes(self.server.fresh()));
                let path = name::safe(&task.manifest.path);
                let books = &mut self.server.books;
                match books.begin(id, task.token, &task.manifest, &path) {
                    // Over another connection it has just begun.
                    Err(RegistryError::Taken) => Next::Do(Stage::Find),
                    claim => {
                        task.claim = Some(claim.map_err(lost)?);
                        Next::Do(Stage::Open)
                    }
                }
            }
            Stage::Find => {
                let begins = match task.matching {
                    true => Stage::Match,
                    false => Stage::Begin,
                };
                match self.server.books.find(task.token) {
                    None | Some(Found::Replaced(_)) if !task.begun => Next::Do(begins),
                    None => Next::Over(Outcome::Opened(Opening::Gone)),
                    Some(Found::Stored(file)) => Next::Over(Outcome::Opened(Opening::Stored {
                        id: file.id,
                        path: file.path,
                        root: file.digest,
                    })),
                    Some(Found::Replaced(id)) => {
                        let held = self.server.holders.contains_key(&id);
                        let rests = self.server.books.upload(id).is_some() && !held;
                        Next::Over(match rests {
                            true => Outcome::Opened(Opening::Gone),
                            false => Outcome::Failed(Trouble::Elsewhere),
                        })
                    }
                    Some(Found::Upload(id)) => Next::Do(Stage::Evict(id, Trouble::TakenOver)),
                }
            }
            Stage::Evict(id, Trouble::Ended) => {
                self.server.books.end(id, None).map_err(lost)?;
                Next::Do(Stage::Discard(id))
            }
            Stage::Evict(id, _) => Next::Do(Stage::Hold(id)),
            Stage::Hold(id) => {
                let claim = match self.server.books.hold(id) {
                    Err(RegistryError::Unknown) => return Ok(Next::Do(Stage::Find)),
                    other => other.map_err(lost)?,
                };
                if claim.upload.manifest.size != task.size() {
                    return Err(Trouble::Different);
                }
                task.claim = Some(claim);
                Next::Do(Stage::Open)
            }
            Stage::Open => return self.open_part(number, task),
            Stage::Settle => return self.settle(task),
            Stage::Write(offset, pieces) => {
                let len = pieces.iter().map(|piece| piece.len() as u64).sum();
                self.server.waiting -= len;
                let writer = task.writer.as_mut().ok_or(Trouble::Internal)?;
                let written = self.server.disk.write(writer, offset, &pieces);
                written.map_err(failed)?;
                let hashes = block::hash_pieces(offset, &pieces, task.size(), &mut task.hasher);
                Next::Report(Outcome::Written(len, hashes), Stage::Idle)
            }
            Stage::Sync(blocks) => {
                let writer = task.writer.as_mut().ok_or(Trouble::Internal)?;
                let synced = self.server.disk.sync(writer, &mut self.chance);
                synced.map_err(failed)?;
                Next::Do(Stage::Record(blocks))
            }
            Stage::Record(blocks) => {
                let claim = task.claim.as_ref().ok_or(Trouble::Internal)?;
                let (id, epoch) = (claim.upload.id, claim.epoch);
                let recorded = self.server.books.record(id, epoch, &blocks);
                recorded.map_err(lost)?;
                task.foreign = false;
                self.check_recorded(id, epoch, &blocks);
                Next::Report(Outcome::Committed, Stage::Idle)
            }
            other => return self.perform_end(task, other),
        };
        Ok(next)
    }

    /// The steps that end an upload.
    fn perform_end(&mut self, task: &mut Task, stage: Stage) -> Result<Next, Trouble> {
        if let Stage::Discard(id) = stage {
            // What cannot be deleted now is deleted at the next start.
            let _ = self.server.disk.discard(id);
            return Ok(Next::Over(Outcome::Aborted));
        }
        let claim = task.claim.as_ref().ok_or(Trouble::Internal)?;
        let (id, epoch) = (claim.upload.id, claim.epoch);
        let writer = task.writer.as_mut().ok_or(Trouble::Internal)?;
        Ok(match stage {
            Stage::Sealing(root, path) => match self.server.books.sealing(id, epoch, Some(&path)) {
                Ok(()) => Next::Do(Stage::Place(root, path)),
                Err(RegistryError::Taken) => {
                    Next::Do(Stage::Sealing(root, name::alternative(&path, &path)))
                }
                Err(error) => return Err(lost(error)),
            },
            Stage::Place(root, path) => {
                match self.server.disk.seal(writer, &path, true, &mut self.chance) {
                    Ok(()) => Next::Do(Stage::Finish(root, path)),
                    Err(StorageError::Exists { taken }) => {
                        Next::Do(Stage::Sealing(root, name::alternative(&path, &taken)))
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
            Stage::Finish(root, path) => {
                let file = self.server.books.finish(id, epoch, &path, root);
                file.map_err(lost)?;
                self.check_stored(id);
                Next::Over(Outcome::Sealed(id, path, root))
            }
            Stage::End => {
                match self.server.books.end(id, Some(epoch)) {
                    Ok(_) => self.checks.ended(id, task.token),
                    Err(RegistryError::Unknown) => {}
                    Err(error) => return Err(lost(error)),
                }
                Next::Do(Stage::Abort)
            }
            _ => {
                match self.server.disk.abort(writer) {
                    Ok(()) | Err(StorageError::Superseded) => {}
                    Err(error) => return Err(failed(error)),
                }
                Next::Over(Outcome::Aborted)
            }
        })
    }

    fn open_part(&mut self, number: u64, task: &mut Task) -> Result<Next, Trouble> {
        let claim = task.claim.as_ref().ok_or(Trouble::Internal)?;
        let (id, upload) = (claim.upload.id, &claim.upload);
        let way = if claim.blocks.is_empty() && upload.sealing.is_none() {
            storage::Opening::New
        } else {
            storage::Opening::Resumed
        };
        let opened = self.server.disk.open(id, task.size(), claim.epoch, way);
        task.writer = match opened {
            Err(StorageError::Missing) => return Ok(Next::Do(Stage::Settle)),
            other => Some(other.map_err(failed)?),
        };
        let holder = Holder {
            epoch: claim.epoch,
            session: task.session,
            stream: task.stream,
            task: number,
        };
        let before = self.server.holders.get(&id);
        if before.is_none_or(|before| before.epoch < claim.epoch) {
            self.server.holders.insert(id, holder);
        }
        let opening = Opening::Granted {
            id,
            blocks: claim.blocks.clone(),
        };
        Ok(Next::Report(Outcome::Opened(opening), Stage::Idle))
    }

    /// The real decision about an upload whose part is not there.
    fn settle(&mut self, task: &Task) -> Result<Next, Trouble> {
        let claim = task.claim.as_ref().ok_or(Trouble::Internal)?;
        let id = claim.upload.id;
        let server = &mut self.server;
        if let Some(file) = boot::settle(&mut server.disk, &mut server.books, claim)? {
            self.check_stored(id);
            return Ok(Next::Over(Outcome::Opened(Opening::Stored {
                id,
                path: file.path,
                root: file.digest,
            })));
        }
        self.check_abandoned(id);
        Ok(Next::Over(Outcome::Opened(Opening::Gone)))
    }

    /// As `server::matching`: offers what rests, and gives it to whoever proves to have
    /// the same bytes.
    fn perform_matching(&mut self, task: &mut Task, stage: Stage) -> Result<Next, Trouble> {
        let held = |world: &Self, id: &FileId| world.server.holders.contains_key(id);
        if let Stage::Adopt(id, epoch) = stage {
            if held(self, &id) {
                return Ok(Next::Do(Stage::Match));
            }
            return match self.server.books.adopt(id, epoch, task.token) {
                Ok(claim) => {
                    task.foreign = true;
                    task.claim = Some(claim);
                    Ok(Next::Do(Stage::Open))
                }
                Err(RegistryError::Superseded | RegistryError::Unknown) => {
                    Ok(Next::Do(Stage::Match))
                }
                Err(error) => Err(lost(error)),
            };
        }
        let alike = self
            .server
            .books
            .alike(&name::safe(&task.manifest.path), task.size());
        let resting = alike.into_iter().find(|id| !held(self, id));
        let Some(claim) = resting.and_then(|id| self.server.books.claim(id).ok()) else {
            return Ok(Next::Do(Stage::Begin));
        };
        task.offer = Some((claim.upload.id, claim.epoch));
        let mut challenge = [0; 32];
        challenge[..16].copy_from_slice(&bytes(self.server.fresh()));
        let blocks = claim.blocks;
        let offered = Outcome::Opened(Opening::Matched { challenge, blocks });
        Ok(Next::Report(offered, Stage::Idle))
    }

    /// The server ends in the middle of a step: it happened, in part or not at all.
    pub fn break_off(&mut self, number: u64, mut task: Task) {
        match std::mem::replace(&mut task.stage, Stage::Idle) {
            Stage::Write(offset, mut pieces) => {
                pieces.truncate(self.chance.index(pieces.len() + 1));
                if let Some(writer) = &mut task.writer {
                    let _ = self.server.disk.write(writer, offset, &pieces);
                }
            }
            Stage::Place(_, path) if self.chance.percent(50) => {
                let durable = self.chance.percent(50);
                if let Some(writer) = &mut task.writer {
                    let disk = &mut self.server.disk;
                    let _ = disk.seal(writer, &path, durable, &mut self.chance);
                }
            }
            Stage::Place(..) => {}
            stage => {
                if self.chance.percent(50) {
                    let _ = self.perform(number, &mut task, stage);
                }
            }
        }
    }
}

fn lost(error: RegistryError) -> Trouble {
    error.trouble()
}

fn failed(error: StorageError) -> Trouble {
    error.trouble()
}
