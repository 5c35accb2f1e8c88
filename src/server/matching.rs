//! The same file from another device: an upload that nobody continues is offered to
//! whoever begins one of the same path and size, and given to whoever proves to have its
//! bytes.
//!
//! While a client reads its file to prove that, nothing is held for it. The invariant:
//! a proof counts for the blocks that were there when it was asked for. If somebody took
//! hold of the upload since, it is asked for anew, or is in vain.

use tokio::sync::mpsc::UnboundedReceiver;

use super::upload::{Failure, Job, Outcome};
use super::{Server, random};
use crate::protocol::id::Token;
use crate::protocol::receiver::Opening;
use crate::registry::{Claim, RegistryError};

/// What came of looking for an upload of the same file.
pub enum Matched {
    /// It is held now, by the token that asked.
    Adopted(Claim),
    /// There is none, or it is of another file.
    Nothing,
    /// The stream was left meanwhile.
    Left(Outcome),
}

/// Offers what rests for `path` and `size` until it is proven, refused or left. From then
/// on `token` continues it.
pub async fn settle(
    server: &Server,
    path: &str,
    size: u64,
    token: &Token,
    jobs: &mut UnboundedReceiver<Job>,
    report: &impl Fn(Outcome),
) -> Result<Matched, Failure> {
    while let Some(claim) = resting(server, path, size).await? {
        let Claim {
            upload,
            epoch,
            blocks,
        } = claim;
        let challenge = random()?;
        report(Outcome::Opened(Opening::Matched { challenge, blocks }));
        match jobs.recv().await {
            Some(Job::Settle { proven: true }) => {}
            Some(Job::Settle { proven: false }) => {
                tracing::info!(id = %upload.id, path, "another file of the same name and size");
                return Ok(Matched::Nothing);
            }
            Some(Job::Abort) => return Ok(Matched::Left(Outcome::Aborted)),
            _ => return Ok(Matched::Left(Outcome::Released)),
        }
        if server.hub.is_held(upload.id) {
            continue;
        }
        match server.registry.adopt(upload.id, epoch, token).await {
            Ok(claim) => return Ok(Matched::Adopted(claim)),
            Err(RegistryError::Superseded | RegistryError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Matched::Nothing)
}

/// The upload that nobody holds with the most durable blocks.
async fn resting(server: &Server, path: &str, size: u64) -> Result<Option<Claim>, RegistryError> {
    for id in server.registry.alike(path, size).await? {
        if server.hub.is_held(id) {
            continue;
        }
        match server.registry.peek(id).await {
            Ok(claim) => return Ok(Some(claim)),
            Err(RegistryError::Unknown) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
