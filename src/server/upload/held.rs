//! An upload while it is held: what comes is hashed and written, made durable meanwhile,
//! and stored at last.
//!
//! Two writes are under way at once, so that the disk has the next one when it is done
//! with one; and reception goes on during a commit. Outcomes are reported in the order of
//! their jobs, and nothing is under way any more when the upload is sealed, deleted or
//! let go of.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, Either, OptionFuture, ready, try_join};
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::{Failure, Job, Outcome};
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::id::FileId;
use crate::registry::{Claim, RegistryError};
use crate::server::hub::Hold;
use crate::server::metrics::End;
use crate::server::{Server, Share};
use crate::storage::{StorageError, UploadWriter, name};
use crate::verify::{BLOCK, BlockHash, BlockHasher, Root, block, block_len};

/// How many bytes are hashed and written at once.
const BATCH: usize = BLOCK as usize;

/// What is hashed on the spot, in bytes: one frame is hashed sooner than another thread would
/// have begun. More goes to a thread where it holds up nobody.
const SHORT: usize = MAX_PAYLOAD;

/// How many writes may be under way.
const WRITES: usize = 2;

/// An upload that a stream holds.
pub(super) struct Held {
    server: Arc<Server>,
    share: Arc<Share>,
    claim: Claim,
    writer: Arc<dyn UploadWriter>,
    /// Comes from the newest write: the block that it leaves unfinished.
    unfinished: Option<oneshot::Receiver<BlockHasher>>,
    writes: FuturesOrdered<BoxFuture<'static, Result<Outcome, Failure>>>,
    commit: Option<BoxFuture<'static, Result<(), Failure>>>,
    /// Whether all that is durable came from another device.
    foreign: bool,
    _hold: Hold,
}

impl Held {
    pub(super) fn new(
        server: Arc<Server>,
        share: Arc<Share>,
        claim: Claim,
        writer: Box<dyn UploadWriter>,
        foreign: bool,
        hold: Hold,
    ) -> Self {
        Self {
            server,
            share,
            claim,
            writer: writer.into(),
            unfinished: None,
            writes: FuturesOrdered::new(),
            commit: None,
            foreign,
            _hold: hold,
        }
    }

    /// Its name in links.
    pub(super) fn id(&self) -> FileId {
        self.claim.upload.id
    }

    /// Works until the stream is over; the last outcome is returned, not reported.
    pub(super) async fn work(
        &mut self,
        jobs: &mut UnboundedReceiver<Job>,
        report: &impl Fn(Outcome),
    ) -> Result<Outcome, Failure> {
        let worked = self.work_on(jobs, report).await;
        // What failed has nothing to report; but nothing may be under way.
        while self.writes.next().await.is_some() {}
        if let Some(commit) = self.commit.take() {
            let _ = commit.await;
        }
        worked
    }

    async fn work_on(
        &mut self,
        jobs: &mut UnboundedReceiver<Job>,
        report: &impl Fn(Outcome),
    ) -> Result<Outcome, Failure> {
        let mut next = None;
        loop {
            let job = tokio::select! {
                biased;
                Some(written) = self.writes.next() => {
                    report(written?);
                    continue;
                }
                Some(committed) = OptionFuture::from(self.commit.as_mut()) => {
                    self.committed(committed, report)?;
                    continue;
                }
                job = take(&mut next, jobs), if self.writes.len() < WRITES => job,
            };
            match job {
                Some(Job::Write(offset, payload)) => {
                    let mut batch = Batch::new(offset, payload);
                    while let Ok(job) = jobs.try_recv() {
                        if let Err(job) = batch.push(job) {
                            next = Some(job);
                            break;
                        }
                    }
                    self.write(batch);
                }
                Some(Job::Commit(blocks)) => {
                    if let Some(commit) = self.commit.take() {
                        self.committed(commit.await, report)?;
                    }
                    self.commit(blocks);
                }
                Some(Job::Seal(root)) => {
                    self.settle(report).await?;
                    return self.seal(root).await;
                }
                Some(Job::Abort) => {
                    self.settle(report).await?;
                    return match self.foreign {
                        true => Ok(Outcome::Aborted),
                        false => self.abort().await,
                    };
                }
                Some(Job::Release) | None => {
                    self.settle(report).await?;
                    return Ok(Outcome::Released);
                }
                Some(Job::Settle { .. }) => {}
            }
        }
    }

    /// Waits for all that is under way.
    async fn settle(&mut self, report: &impl Fn(Outcome)) -> Result<(), Failure> {
        while let Some(written) = self.writes.next().await {
            report(written?);
        }
        match self.commit.take() {
            Some(commit) => self.committed(commit.await, report),
            None => Ok(()),
        }
    }

    /// Begins to hash and to write.
    fn write(&mut self, batch: Batch) {
        let Batch {
            offset,
            pieces,
            len,
        } = batch;
        let (size, frames) = (self.claim.upload.manifest.size, pieces.len());
        let (leave, left) = oneshot::channel();
        let before = self.unfinished.replace(left);
        let mut before = before.filter(|_| !offset.is_multiple_of(BLOCK));
        let to_hash: Vec<Bytes> = pieces.iter().cloned().collect();
        let hash = move |mut hasher: Option<BlockHasher>| {
            let hashes = block::hash_pieces(offset, &to_hash, size, &mut hasher);
            if let Some(hasher) = hasher {
                // Nobody may need it any more.
                let _ = leave.send(hasher);
            }
            hashes
        };
        // What the write before leaves unfinished, unless it is still at it.
        let at_hand = match before.as_mut().map(oneshot::Receiver::try_recv) {
            None => Some(None),
            Some(Ok(hasher)) => Some(Some(hasher)),
            Some(Err(_)) => None,
        };
        let hashing = match at_hand {
            Some(hasher) if len <= SHORT && self.writes.is_empty() => {
                Either::Left(ready(Ok(hash(hasher))))
            }
            // The write before began to hash before this one does.
            at_hand => Either::Right(spawn_blocking(move || {
                let left = || before.and_then(|before| before.blocking_recv().ok());
                hash(at_hand.unwrap_or_else(left))
            })),
        };
        let writer = self.writer.clone();
        self.writes.push_back(Box::pin(async move {
            let hashing = async { Ok(hashing.await?) };
            let writing = async { Ok::<_, Failure>(writer.write(offset, pieces.into()).await?) };
            let (hashes, ()) = try_join(hashing, writing).await?;
            Ok(Outcome::Written {
                frames,
                bytes: len as u64,
                hashes,
            })
        }));
    }

    /// Begins to make durable what is written.
    fn commit(&mut self, blocks: Vec<(u64, BlockHash)>) {
        let (id, epoch) = (self.claim.upload.id, self.claim.epoch);
        let size = self.claim.upload.manifest.size;
        let (writer, server) = (self.writer.clone(), self.server.clone());
        let share = self.share.clone();
        self.commit = Some(Box::pin(async move {
            writer.sync().await?;
            server.registry.record(id, epoch, &blocks).await?;
            let bytes = blocks.iter().map(|(block, _)| block_len(*block, size));
            share.made_durable(bytes.sum());
            Ok(())
        }));
    }

    fn committed(
        &mut self,
        committed: Result<(), Failure>,
        report: &impl Fn(Outcome),
    ) -> Result<(), Failure> {
        self.commit = None;
        committed?;
        self.foreign = false;
        report(Outcome::Committed);
        Ok(())
    }

    /// Stores the file under the first name that is free. The name is written down
    /// first, so that after a crash it is known whose file that is.
    async fn seal(&mut self, root: Root) -> Result<Outcome, Failure> {
        let (id, epoch) = (self.claim.upload.id, self.claim.epoch);
        let mut path = self.claim.upload.path.clone();
        loop {
            let taken = match self.server.registry.sealing(id, epoch, Some(&path)).await {
                Ok(()) => match self.writer.seal(&path).await {
                    Ok(()) => break,
                    Err(StorageError::Exists { taken }) => taken,
                    Err(error) => return Err(error.into()),
                },
                Err(RegistryError::Taken) => path.clone(),
                Err(error) => return Err(error.into()),
            };
            path = name::alternative(&path, &taken);
        }
        let file = self.server.registry.finish(id, epoch, &path, root).await?;
        self.server.hub.ended(id, End::Stored);
        tracing::info!(%id, path, size = file.size, digest = %root, "a file is stored");
        Ok(Outcome::Sealed(id, path, root))
    }

    async fn abort(&mut self) -> Result<Outcome, Failure> {
        let (id, epoch) = (self.claim.upload.id, self.claim.epoch);
        // Whoever took it over in the meantime keeps it.
        match self.server.registry.end(id, Some(epoch)).await {
            Ok(_) | Err(RegistryError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
        match self.writer.abort().await {
            Ok(()) | Err(StorageError::Superseded) => {}
            Err(error) => return Err(error.into()),
        }
        self.server.hub.ended(id, End::Cancelled);
        tracing::info!(%id, "an upload was cancelled");
        Ok(Outcome::Aborted)
    }
}

/// The job that was put aside, or the next one.
async fn take(next: &mut Option<Job>, jobs: &mut UnboundedReceiver<Job>) -> Option<Job> {
    match next.take() {
        Some(job) => Some(job),
        None => jobs.recv().await,
    }
}

/// Pieces that follow each other.
struct Batch {
    offset: u64,
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Batch {
    fn new(offset: u64, payload: Bytes) -> Self {
        Self {
            offset,
            len: payload.len(),
            pieces: VecDeque::from([payload]),
        }
    }

    /// Takes a job in, or gives it back if it does not follow.
    fn push(&mut self, job: Job) -> Result<(), Job> {
        match job {
            Job::Write(offset, payload)
                if offset == self.offset + self.len as u64 && self.len + payload.len() <= BATCH =>
            {
                self.len += payload.len();
                self.pieces.push_back(payload);
                Ok(())
            }
            other => Err(other),
        }
    }
}
