//! One upload that a session holds: carries out, in order, what the receiver decided
//! about one stream, and reports what came of it.
//!
//! It is a task of its own, so that a slow disk holds up nobody else. Whatever
//! happens, it ends by itself once its stream is over, and lets the upload go.

mod held;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use self::held::Held;
use super::hub::ControlSender;
use super::matching::{self, Matched};
use super::metrics::{Beginning, End};
use super::recover::{self, RecoverError};
use super::{Server, Share, random};
use crate::protocol::StreamId;
use crate::protocol::id::{FileId, Token};
use crate::protocol::manifest::Manifest;
use crate::protocol::receiver::Opening;
use crate::protocol::trouble::Trouble;
use crate::registry::{Claim, Found, RegistryError};
use crate::storage::{self, StorageError, name};
use crate::verify::{BlockHash, Proof, Root};

/// Something to do for a stream.
#[derive(Debug)]
pub enum Job {
    /// Continue the upload that was offered, if its blocks were proven; else begin one.
    Settle {
        /// Whether they were.
        proven: bool,
    },
    /// Hash and write.
    Write(u64, Bytes),
    /// Sync, then record.
    Commit(Vec<(u64, BlockHash)>),
    /// Store under the final name.
    Seal(Root),
    /// Let go.
    Release,
    /// Delete.
    Abort,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The upload is held now, and is this one; or it is stored, or gone; or another is
    /// offered, and [`Job::Settle`] comes next.
    Opened(Opening),
    /// Something was written, which completed these blocks.
    Written {
        /// How many jobs that were.
        frames: usize,
        /// How many bytes.
        bytes: u64,
        /// The blocks.
        hashes: Vec<(u64, BlockHash)>,
    },
    /// The blocks are durable.
    Committed,
    /// The file is stored.
    Sealed(FileId, String, Root),
    /// The upload was let go.
    Released,
    /// The upload was deleted.
    Aborted,
    /// It cannot go on; it was let go.
    Failed(Trouble),
}

/// Where a stream's outcomes go.
pub type Outcomes = UnboundedSender<(StreamId, Outcome)>;

/// Why a stream ends early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error("{0}")]
    Trouble(Trouble),
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("a task of the server broke down: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

impl Failure {
    fn trouble(&self) -> Trouble {
        match self {
            Self::Storage(error) => error.trouble(),
            Self::Registry(error) => error.trouble(),
            Self::Recover(error) => error.trouble(),
            Self::Trouble(trouble) => trouble.clone(),
            Self::Random(_) | Self::Broken(_) => Trouble::Internal,
        }
    }
}

/// What a stream was opened with.
#[derive(Debug)]
pub struct Request {
    /// The stream.
    pub stream: StreamId,
    /// The file.
    pub manifest: Manifest,
    /// What continues it.
    pub token: Token,
    /// Whether the client was told before that it is there.
    pub begun: bool,
    /// Whether its client can prove what it has.
    pub verify: bool,
}

/// Runs one stream from its `Open` to its end. Whatever breaks down on the way, a
/// [`UploadWriter`] for one, ends this stream only. The share is given back after all that
/// was to be written.
pub async fn run(
    share: Arc<Share>,
    request: Request,
    session: ControlSender,
    mut jobs: UnboundedReceiver<Job>,
    outcomes: Outcomes,
) {
    let stream = request.stream;
    // A session that is gone needs no answers.
    let report = |outcome| _ = outcomes.send((stream, outcome));
    // The upload is free before its client hears of it.
    let work = work(&share, request, session, &mut jobs, &report);
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    report(outcome.unwrap_or_else(|_| {
        tracing::error!("the task of an upload broke down");
        Outcome::Failed(Trouble::Internal)
    }));
}

/// Opens and works until the stream is over; the last outcome is returned, not reported.
async fn work(
    share: &Arc<Share>,
    request: Request,
    session: ControlSender,
    jobs: &mut UnboundedReceiver<Job>,
    report: &impl Fn(Outcome),
) -> Outcome {
    match open(share, request, session, jobs, report).await {
        Ok(Opened::Held(opening, mut held)) => {
            report(Outcome::Opened(opening));
            held.work(jobs, report).await.unwrap_or_else(|failure| {
                let trouble = failure.trouble();
                tracing::warn!(id = %held.id(), error = %failure, "an upload stopped");
                Outcome::Failed(trouble)
            })
        }
        Ok(Opened::Not(outcome)) => outcome,
        Err(failure) => {
            tracing::warn!(error = %failure, "an upload could not be opened");
            Outcome::Failed(failure.trouble())
        }
    }
}

enum Opened {
    Held(Opening, Box<Held>),
    Not(Outcome),
}

async fn open(
    share: &Arc<Share>,
    request: Request,
    session: ControlSender,
    jobs: &mut UnboundedReceiver<Job>,
    report: &impl Fn(Outcome),
) -> Result<Opened, Failure> {
    let server = &share.server;
    let Request {
        stream,
        manifest,
        token,
        begun,
        verify,
    } = request;
    let not = |opening| Ok(Opened::Not(Outcome::Opened(opening)));
    let (path, size) = (name::safe(&manifest.path), manifest.size);
    let (beginning, claim) = loop {
        match known(server, &token, begun, size).await? {
            Known::Held(claim) => break (Beginning::Resumed, claim),
            Known::Not(outcome) => return Ok(Opened::Not(outcome)),
            Known::Nothing if begun => return not(Opening::Gone),
            Known::Nothing => {}
        }
        let matched = if verify && Proof::is_possible(size) {
            matching::settle(server, &path, size, &token, jobs, report).await?
        } else {
            Matched::Nothing
        };
        match matched {
            Matched::Adopted(claim) => {
                let (id, durable) = (claim.upload.id, claim.upload.durable);
                tracing::info!(%id, path, durable, size, "another device continues an upload");
                break (Beginning::Adopted, claim);
            }
            Matched::Left(outcome) => return Ok(Opened::Not(outcome)),
            Matched::Nothing => {}
        }
        let id = FileId::from_bytes(random()?);
        match server.registry.begin(id, &token, &manifest, &path).await {
            // Over another connection it has just begun.
            Err(RegistryError::Taken) => {}
            claim => {
                let claim = claim?;
                tracing::info!(%id, path, size, "an upload begins");
                break (Beginning::Begun, claim);
            }
        }
    };
    let id = claim.upload.id;
    // Before its first block is durable, a crash may have taken the file away.
    let way = if claim.blocks.is_empty() && claim.upload.sealing.is_none() {
        storage::Opening::New
    } else {
        storage::Opening::Resumed
    };
    let opened = server.storage.open(id, manifest.size, claim.epoch, way);
    let writer = match opened.await {
        Err(StorageError::Missing) => return not(missing(server, &claim).await?),
        other => other?,
    };
    server.hub.enter(&claim.upload);
    let hold = server.hub.hold(id, claim.epoch, session, stream);
    server.metrics.upload_held(beginning);
    let opening = Opening::Granted {
        id,
        blocks: claim.blocks.clone(),
    };
    let foreign = beginning == Beginning::Adopted;
    let held = Held::new(server.clone(), share.clone(), claim, writer, foreign, hold);
    Ok(Opened::Held(opening, Box::new(held)))
}

/// What there is of a token.
enum Known {
    Held(Claim),
    /// There is nothing to hold, and this is why.
    Not(Outcome),
    Nothing,
}

/// Takes hold of the upload that a token continues.
async fn known(server: &Server, token: &Token, begun: bool, size: u64) -> Result<Known, Failure> {
    loop {
        let id = match server.registry.find(token).await? {
            None => return Ok(Known::Nothing),
            Some(Found::Stored(file)) => {
                let (id, path, root) = (file.id, file.path, file.digest);
                return Ok(Known::Not(Outcome::Opened(Opening::Stored {
                    id,
                    path,
                    root,
                })));
            }
            Some(Found::Replaced(_)) if !begun => return Ok(Known::Nothing),
            Some(Found::Replaced(id)) => {
                // While nobody continues it, whoever had it may prove to have its bytes.
                let rests = server.registry.upload(id).await?.is_some() && !server.hub.is_held(id);
                return Ok(match rests {
                    true => Known::Nothing,
                    false => Known::Not(Outcome::Failed(Trouble::Elsewhere)),
                });
            }
            Some(Found::Upload(id)) => id,
        };
        server.hub.evict(id, Trouble::TakenOver).await;
        let claim = match server.registry.hold(id).await {
            // Its holder has just stored it, or somebody ended it: the token says which.
            Err(RegistryError::Unknown) => continue,
            other => other?,
        };
        if claim.upload.manifest.size != size {
            return Err(Failure::Trouble(Trouble::Different));
        }
        let durable = claim.upload.durable;
        tracing::info!(%id, durable, size, "an upload continues");
        return Ok(Known::Held(claim));
    }
}

/// What its client is told of an upload whose bytes are not where they were.
async fn missing(server: &Server, claim: &Claim) -> Result<Opening, Failure> {
    let id = claim.upload.id;
    let settled = recover::settle(&*server.registry, &*server.storage, claim).await?;
    let (end, opening) = match settled {
        Some(file) => {
            let (path, root) = (file.path, file.digest);
            (End::Stored, Opening::Stored { id, path, root })
        }
        None => (End::Lost, Opening::Gone),
    };
    server.hub.ended(id, end);
    Ok(opening)
}
