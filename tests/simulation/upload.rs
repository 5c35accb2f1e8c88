//! One upload that a session holds: carries out the jobs of its stream in the order of
//! `server::upload`, one step of the disk or the registry at a time. Between any two of
//! them, and in the middle of one, the server may end.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use longhaul::protocol::StreamId;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::receiver::Opening;
use longhaul::protocol::trouble::Trouble;
use longhaul::registry::{Claim, Epoch, Found, RegistryError};
use longhaul::storage::{self, StorageError, name};
use longhaul::verify::{BLOCK, BlockHash, BlockHasher, Root, block_len};

use super::boot;
use super::disk::Writer;
use super::server::{Control, Holder, bytes};
use super::world::{Event, World};

/// How many bytes are hashed and written at once.
const BATCH: u64 = BLOCK;
/// How long a holder may take for its last writes.
const EVICTION: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub enum Job {
    Settle(bool),
    Write(u64, Bytes),
    Commit(Vec<(u64, BlockHash)>),
    Seal(Root),
    Release,
    Abort,
}

#[derive(Debug)]
pub enum Outcome {
    Opened(Opening),
    Written(u64, Vec<(u64, BlockHash)>),
    Committed,
    Sealed(FileId, String, Root),
    Released,
    Aborted,
    Failed(Trouble),
}

/// A step that takes time.
#[derive(Clone, Debug)]
pub enum Stage {
    Match,
    Adopt(FileId, Epoch),
    Begin,
    Find(Token),
    Evict(FileId, Trouble),
    Hold(FileId),
    Open,
    Settle,
    Idle,
    Write(u64, Vec<Bytes>),
    Sync(Vec<(u64, BlockHash)>),
    Record(Vec<(u64, BlockHash)>),
    Sealing(Root, String),
    Place(Root, String),
    Finish(Root, String),
    End,
    Abort,
    Discard(FileId),
}

/// What follows a step.
enum Next {
    Do(Stage),
    Report(Outcome, Stage),
    Over(Outcome),
}

#[derive(Debug)]
pub struct Task {
    pub session: u64,
    stream: StreamId,
    manifest: Manifest,
    pub jobs: VecDeque<Job>,
    stage: Stage,
    /// Counts its steps: an answer to an earlier one means nothing.
    stamp: u64,
    token: Token,
    pub claim: Option<Claim>,
    writer: Option<Writer>,
    hasher: Option<BlockHasher>,
    /// What was offered to its client, until it proves to have the same bytes or not.
    offer: Option<(FileId, Epoch)>,
    /// Whether all that is durable came from another device.
    foreign: bool,
    /// Whether its session is gone.
    orphan: bool,
}

impl Task {
    pub fn new(session: u64, stream: StreamId, manifest: Manifest) -> Self {
        Self {
            session,
            stream,
            manifest,
            jobs: VecDeque::new(),
            stage: Stage::Idle,
            stamp: 0,
            token: Token::from_bytes([0; 16]),
            claim: None,
            writer: None,
            hasher: None,
            offer: None,
            foreign: false,
            orphan: false,
        }
    }

    /// Ends an upload on behalf of nobody who is connected.
    pub fn canceller(id: FileId) -> Self {
        let manifest = Manifest {
            path: id.to_string(),
            size: 0,
            modified: None,
            media_type: String::new(),
        };
        let mut task = Self::new(0, StreamId(0), manifest);
        task.orphan = true;
        task
    }

    /// How many frames it has not yet written.
    pub fn frames(&self) -> usize {
        let in_hand = match &self.stage {
            Stage::Write(_, pieces) => pieces.len(),
            _ => 0,
        };
        let waiting = self.jobs.iter().filter(|job| matches!(job, Job::Write(..)));
        in_hand + waiting.count()
    }

    /// Bytes of the step that is being carried out.
    pub fn in_hand(&self) -> u64 {
        match &self.stage {
            Stage::Write(_, pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            _ => 0,
        }
    }

    /// Whether it does something now.
    pub fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    fn size(&self) -> u64 {
        self.manifest.size
    }
}

impl World {
    /// Hands a task something to do.
    pub fn give(&mut self, number: u64, job: Job) {
        if !self.server.tasks.contains_key(&number) {
            // It has ended and said why; that comes next.
            return;
        }
        if let Job::Write(_, payload) = &job {
            self.server.waiting += payload.len() as u64;
            self.check_memory();
        }
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        task.jobs.push_back(job);
        self.work(number);
    }

    /// The session of a task is gone: what it was given is still done.
    pub fn orphan(&mut self, number: u64) {
        if let Some(task) = self.server.tasks.get_mut(&number) {
            task.orphan = true;
            self.work(number);
        }
    }

    /// Takes up the next job, if the task is idle.
    fn work(&mut self, number: u64) {
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        if !matches!(task.stage, Stage::Idle) {
            return;
        }
        if let Some((id, epoch)) = task.offer {
            let stage = match task.jobs.pop_front() {
                Some(Job::Settle(true)) => Stage::Adopt(id, epoch),
                Some(Job::Settle(false)) => Stage::Begin,
                Some(Job::Abort) => return self.over(number, Outcome::Aborted),
                None if !task.orphan => return,
                _ => return self.over(number, Outcome::Released),
            };
            task.offer = None;
            return self.proceed(number, stage);
        }
        let stage = match task.jobs.pop_front() {
            Some(Job::Write(offset, payload)) => {
                let mut end = offset + payload.len() as u64;
                let mut pieces = vec![payload];
                while let Some(Job::Write(at, payload)) = task.jobs.front()
                    && *at == end
                    && end - offset + payload.len() as u64 <= BATCH
                {
                    end += payload.len() as u64;
                    pieces.push(payload.clone());
                    task.jobs.pop_front();
                }
                Stage::Write(offset, pieces)
            }
            Some(Job::Commit(blocks)) => Stage::Sync(blocks),
            Some(Job::Seal(root)) => {
                let path = task.claim.as_ref().map(|claim| claim.upload.path.clone());
                Stage::Sealing(root, path.unwrap_or_default())
            }
            Some(Job::Abort) if task.foreign => return self.over(number, Outcome::Aborted),
            Some(Job::Abort) => Stage::End,
            Some(Job::Settle(_)) => return self.work(number),
            Some(Job::Release) => return self.over(number, Outcome::Released),
            None if task.orphan => return self.over(number, Outcome::Released),
            None => return,
        };
        self.proceed(number, stage);
    }

    /// Begins a step.
    pub fn proceed(&mut self, number: u64, stage: Stage) {
        let mut latency = self.latency(&stage);
        if let Stage::Evict(id, trouble) = &stage {
            let holder = self.server.holders.get(id).copied();
            let holder = holder.filter(|h| self.server.alive.contains_key(&h.session));
            if let Some(holder) = holder {
                let expel = Control::Expel(holder.stream, trouble.clone());
                self.control(holder.session, expel);
                latency = EVICTION;
            }
        }
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        task.stamp += 1;
        task.stage = stage;
        let done = Event::Done(number, task.stamp);
        self.at(self.now + latency, done);
        self.server.steps += 1;
        self.step_begun();
    }

    fn latency(&mut self, stage: &Stage) -> Duration {
        let base = match stage {
            Stage::Idle | Stage::Evict(..) => Duration::from_micros(1),
            Stage::Match | Stage::Find(_) | Stage::Open | Stage::Settle => self.plan.disk / 8,
            Stage::Write(..) => self.plan.disk / 4,
            _ => self.plan.disk,
        };
        let usual = self.chance.span(base, base * 4);
        let bytes = matches!(stage, Stage::Write(..) | Stage::Sync(_) | Stage::Place(..));
        if self.server.books_are_fast && !bytes {
            return usual;
        }
        let wait = self.server.hangs_until.saturating_sub(self.now);
        let slow = usual * self.server.slowness;
        wait + slow.min(Duration::from_secs(20))
    }

    /// A step came to its end.
    pub fn done(&mut self, number: u64, stamp: u64) {
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        if task.stamp != stamp {
            return;
        }
        let stage = std::mem::replace(&mut task.stage, Stage::Idle);
        let Some(mut task) = self.server.tasks.remove(&number) else {
            return;
        };
        let next = self.perform(number, &mut task, stage);
        self.server.tasks.insert(number, task);
        match next {
            Ok(Next::Do(stage)) => self.proceed(number, stage),
            Ok(Next::Report(outcome, Stage::Idle)) => {
                self.report(number, outcome);
                self.work(number);
            }
            Ok(Next::Report(outcome, stage)) => {
                self.report(number, outcome);
                self.proceed(number, stage);
            }
            Ok(Next::Over(outcome)) => self.over(number, outcome),
            Err(trouble) => self.over(number, Outcome::Failed(trouble)),
        }
    }

    /// A task ends: it lets go before its client hears of it.
    fn over(&mut self, number: u64, outcome: Outcome) {
        self.report(number, outcome);
        let Some(task) = self.server.tasks.remove(&number) else {
            return;
        };
        self.drop_jobs(&task);
        let held = task.claim.as_ref().map(|claim| claim.upload.id);
        self.server.let_go(number);
        self.server.give_back(task.session);
        // Whoever waits for that goes on.
        let waiting =
            self.server.tasks.iter().filter(
                |(_, other)| matches!(&other.stage, Stage::Evict(id, _) if Some(*id) == held),
            );
        let waiting: Vec<_> = waiting.map(|(n, other)| (*n, other.stamp)).collect();
        for (other, stamp) in waiting {
            let delay = self.moment();
            self.at(self.now + delay, Event::Done(other, stamp));
        }
    }

    fn report(&mut self, number: u64, outcome: Outcome) {
        let Some(task) = self.server.tasks.get(&number) else {
            return;
        };
        let (session, stream) = (task.session, task.stream);
        let delay = self.moment();
        let Some(last) = self.server.alive.get_mut(&session) else {
            return;
        };
        let at = (self.now + delay).max(*last + Duration::from_nanos(1));
        *last = at;
        self.at(at, Event::Outcome(session, stream, outcome));
    }

    /// What a step does, once it is done.
    fn perform(&mut self, number: u64, task: &mut Task, stage: Stage) -> Result<Next, Trouble> {
        let next = match stage {
            Stage::Idle => Next::Do(Stage::Idle),
            Stage::Match | Stage::Adopt(..) => return self.perform_matching(task, stage),
            Stage::Begin => {
                let fresh = self.server.fresh();
                task.token = Token::from_bytes(bytes(fresh));
                let id = FileId::from_bytes(bytes(fresh));
                let path = name::safe(&task.manifest.path);
                let books = &mut self.server.books;
                let claim = books.begin(id, task.token, &task.manifest, &path);
                task.claim = Some(claim.map_err(lost)?);
                Next::Do(Stage::Open)
            }
            Stage::Find(token) => {
                task.token = token;
                match self.server.books.find(token) {
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
                    Err(RegistryError::Unknown) => return Ok(Next::Do(Stage::Find(task.token))),
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
                let hashes = hash(offset, &pieces, task.size(), &mut task.hasher);
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
                    Ok(_) => self.checks.ended(id),
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
            token: task.token,
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
        let ended = self.server.books.end(id, Some(claim.epoch));
        ended.map_err(lost)?;
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
            let token = Token::from_bytes(bytes(self.server.fresh()));
            return match self.server.books.adopt(id, epoch, token) {
                Ok(claim) => {
                    (task.token, task.foreign) = (token, true);
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

/// As in `server::upload`: hashes pieces of which each lies within one block.
fn hash(
    mut offset: u64,
    pieces: &[Bytes],
    size: u64,
    hasher: &mut Option<BlockHasher>,
) -> Vec<(u64, BlockHash)> {
    let mut hashes = Vec::new();
    for piece in pieces {
        let block = offset / BLOCK;
        let mut current = match hasher.take() {
            Some(hasher) if !offset.is_multiple_of(BLOCK) => hasher,
            _ => BlockHasher::new(block, size),
        };
        current.update(piece);
        offset += piece.len() as u64;
        if offset == block * BLOCK + block_len(block, size) {
            hashes.push((block, current.finish()));
        } else {
            *hasher = Some(current);
        }
    }
    hashes
}
