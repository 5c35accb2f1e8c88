//! Brings storage and registry together, after a crash and as time goes by.
//!
//! Every step of an upload's life is written down before or after it is done, in an
//! order that leaves no doubt: the registry says what was *about* to happen, the
//! storage shows whether it did. Nothing that was acknowledged as durable is given up.
//!
//! | the registry knows | the storage has | so |
//! | --- | --- | --- |
//! | an upload, about to be stored | the file, no part | it is stored |
//! | an upload, about to be stored | the part | it goes on as an upload |
//! | an upload | no part | it is over |
//! | an upload of which nothing is durable | the part | it is over: nothing is lost |
//! | nothing | a part | the part is deleted |
//! | a file, about to be moved | the file, under either name | it is moved |
//! | a file, about to be deleted | the file, under its name or put aside | it is deleted |
//! | a deleted file, about to come back | the file, put aside or under its name | it is back |
//! | a deleted file | nothing put aside | it is forgotten |
//! | nothing | something put aside | that is destroyed |

use std::collections::HashSet;
use std::time::Duration;

use crate::api::{DeletedFile, KEPT, StoredFile};
use crate::protocol::id::FileId;
use crate::protocol::trouble::Trouble;
use crate::registry::{Claim, Registry, RegistryError, Upload, now};
use crate::storage::{Storage, StorageError};
use crate::units::Bytes;
use crate::verify::{BlockHash, Root, blocks, tree};

/// Why storage and registry could not be brought together.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The storage failed.
    #[error("the storage failed: {0}")]
    Storage(#[from] StorageError),
}

impl RecoverError {
    /// What a sender is told of it.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Registry(error) => error.trouble(),
            Self::Storage(error) => error.trouble(),
        }
    }
}

/// What was found at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Uploads that can go on.
    pub kept: usize,
    /// How many bytes of them are durable.
    pub durable: u64,
    /// Uploads whose last step was completed.
    pub stored: usize,
    /// Uploads that were ended, their bytes lost or too old.
    pub ended: usize,
    /// Parts that belonged to nothing.
    pub discarded: usize,
    /// Files whose move was completed or taken back.
    pub moved: usize,
    /// Files whose deletion or return was completed or taken back.
    pub deleted: usize,
    /// Deleted files that can be taken back no longer.
    pub gone: usize,
}

/// Brings both together at the start, before anybody is connected. Uploads that are
/// untouched for longer than `expire_after` are ended.
pub async fn recover(
    registry: &dyn Registry,
    storage: &dyn Storage,
    expire_after: Option<Duration>,
) -> Result<Summary, RecoverError> {
    let mut summary = Summary::default();
    for (file, to) in registry.moves().await? {
        finish_move(registry, storage, &file, &to).await?;
        summary.moved += 1;
    }
    let mut aside: HashSet<FileId> = storage.aside().await?.into_iter().collect();
    for file in registry.leavings().await? {
        if put_aside(registry, storage, &file, &aside).await? {
            aside.insert(file.id);
        }
        summary.deleted += 1;
    }
    for (file, to) in registry.returns().await? {
        if finish_return(registry, storage, &file, &to).await? {
            aside.remove(&file.id);
        }
        summary.deleted += 1;
    }
    summary.gone = purge(registry, storage, KEPT).await?;
    for deleted in registry.deleted().await? {
        if !aside.remove(&deleted.file.id) {
            registry.forget(deleted.file.id).await?;
            summary.gone += 1;
        }
    }
    for id in aside {
        storage.destroy(id).await?;
    }
    let mut parts: HashSet<FileId> = storage.parts().await?.into_iter().collect();
    let before = oldest(expire_after);
    for upload in registry.uploads().await? {
        let id = upload.id;
        if !parts.remove(&id) {
            let claim = registry.hold(id).await?;
            if settle(registry, storage, &claim).await?.is_some() {
                summary.stored += 1;
            } else {
                summary.ended += 1;
            }
        } else if let Some(why) = over(&upload, before) {
            end(registry, storage, &upload, why).await?;
            summary.ended += 1;
        } else {
            if upload.sealing.is_some() {
                let epoch = registry.hold(id).await?.epoch;
                registry.sealing(id, epoch, None).await?;
            }
            summary.kept += 1;
            summary.durable += upload.durable;
            tracing::info!(
                %id, path = upload.path, durable = upload.durable, size = upload.manifest.size,
                "an unfinished upload can go on"
            );
        }
    }
    for id in parts {
        storage.discard(id).await?;
        summary.discarded += 1;
        tracing::info!(%id, "bytes that belong to no upload: deleted");
    }
    tracing::info!(
        kept = summary.kept,
        durable = %Bytes(summary.durable),
        stored = summary.stored,
        ended = summary.ended,
        discarded = summary.discarded,
        moved = summary.moved,
        deleted = summary.deleted,
        gone = summary.gone,
        "storage and registry agree"
    );
    Ok(summary)
}

/// What became of an upload whose part is not there: an earlier holder put it under its
/// final name without living to say so, which is completed; a newer one was faster; or
/// nothing of it is left, and it is ended: `None`.
pub async fn settle(
    registry: &dyn Registry,
    storage: &dyn Storage,
    claim: &Claim,
) -> Result<Option<StoredFile>, RecoverError> {
    let (id, epoch) = (claim.upload.id, claim.epoch);
    let settled = match placed(storage, claim).await? {
        Some((path, root)) => registry.finish(id, epoch, path, root).await.map(Some),
        None => registry.end(id, Some(epoch)).await.map(|_| None),
    };
    match settled {
        Ok(Some(file)) => {
            let (path, digest) = (&file.path, file.digest);
            tracing::info!(%id, path, %digest, "an upload had been stored");
            Ok(Some(file))
        }
        Ok(None) => {
            let path = &claim.upload.path;
            tracing::warn!(%id, path, "nothing of an upload is left: ended");
            Ok(None)
        }
        // A newer holder stored it, or somebody ended it.
        Err(RegistryError::Unknown) => Ok(registry.file(id).await?),
        Err(error) => Err(error.into()),
    }
}

/// Where all bytes of an upload are, and their digest, if they are under its final name.
async fn placed<'a>(
    storage: &dyn Storage,
    claim: &'a Claim,
) -> Result<Option<(&'a str, Root)>, RecoverError> {
    let size = claim.upload.manifest.size;
    let Some(path) = claim.upload.sealing.as_deref() else {
        return Ok(None);
    };
    let in_order = claim.blocks.iter().map(|&(index, _)| index);
    let hashes: Vec<BlockHash> = claim.blocks.iter().map(|&(_, hash)| hash).collect();
    let Some(root) = tree::root(&hashes, size).filter(|_| in_order.eq(0..blocks(size))) else {
        return Ok(None);
    };
    let there = storage.confirm(path).await? == Some(size);
    Ok(there.then_some((path, root)))
}

/// Ends all uploads that are untouched for longer than `expire_after` and that nobody
/// holds; returns which.
pub async fn expire(
    registry: &dyn Registry,
    storage: &dyn Storage,
    expire_after: Option<Duration>,
    held: impl Fn(FileId) -> bool,
) -> Result<Vec<FileId>, RecoverError> {
    let before = oldest(expire_after);
    let mut ended = Vec::new();
    for upload in registry.uploads().await? {
        if upload.touched < before && !held(upload.id) {
            end(registry, storage, &upload, EXPIRED).await?;
            ended.push(upload.id);
        }
    }
    Ok(ended)
}

/// Why an upload whose part is there is over all the same, at the start.
fn over(upload: &Upload, before: i64) -> Option<&'static str> {
    // Its client may never have heard its token. One that did begins anew.
    let empty = upload.durable == 0 && upload.sealing.is_none();
    let expired = (upload.touched < before).then_some(EXPIRED);
    expired.or(empty.then_some("nothing of it is durable"))
}

const EXPIRED: &str = "it expired";

/// The registry first: a crash in between leaves bytes that belong to nothing, which
/// the next start deletes.
async fn end(
    registry: &dyn Registry,
    storage: &dyn Storage,
    upload: &Upload,
    why: &str,
) -> Result<(), RecoverError> {
    let id = upload.id;
    registry.end(id, None).await?;
    storage.discard(id).await?;
    let (path, durable) = (&upload.path, upload.durable);
    tracing::info!(%id, path, durable, why, "an upload is ended");
    Ok(())
}

/// The moment before which what is untouched is expired.
fn oldest(expire_after: Option<Duration>) -> i64 {
    let after = expire_after.and_then(|after| i64::try_from(after.as_millis()).ok());
    after.map_or(i64::MIN, |after| now().saturating_sub(after))
}

/// Completes the move of a file; takes it back where another is in the way.
async fn finish_move(
    registry: &dyn Registry,
    storage: &dyn Storage,
    file: &StoredFile,
    to: &str,
) -> Result<(), RecoverError> {
    let arrived = match storage.rename(&file.path, to).await {
        Ok(()) => true,
        Err(StorageError::Missing) => storage.confirm(to).await? == Some(file.size),
        Err(StorageError::Exists { .. }) => false,
        Err(e) => return Err(e.into()),
    };
    if arrived {
        registry.rename(file.id, to).await?;
        tracing::info!(id = %file.id, from = file.path, to, "a move is completed");
    } else {
        registry.moving(file.id, None).await?;
        tracing::info!(id = %file.id, path = file.path, to, "a move is taken back");
    }
    Ok(())
}

/// Completes a deletion; whether the file is put aside now. If there is neither the file
/// nor anything put aside, it is forgotten.
async fn put_aside(
    registry: &dyn Registry,
    storage: &dyn Storage,
    file: &StoredFile,
    aside: &HashSet<FileId>,
) -> Result<bool, RecoverError> {
    let (id, path) = (file.id, &file.path);
    let there = match storage.set_aside(path, id).await {
        Ok(()) => true,
        Err(StorageError::Missing) => aside.contains(&id),
        Err(e) => return Err(e.into()),
    };
    if there {
        registry.put_aside(id).await?;
        tracing::info!(%id, path, "a deletion is completed");
    } else {
        registry.delete(id).await?;
        tracing::warn!(%id, path, "nothing was left of a file that was to be deleted");
    }
    Ok(there)
}

/// Completes the return of a deleted file; whether it is back. If another is in its way,
/// it stays deleted, and can still be taken back.
async fn finish_return(
    registry: &dyn Registry,
    storage: &dyn Storage,
    file: &StoredFile,
    to: &str,
) -> Result<bool, RecoverError> {
    let id = file.id;
    let back = match storage.bring_back(id, to).await {
        Ok(()) => true,
        Err(StorageError::Missing) => storage.confirm(to).await? == Some(file.size),
        Err(StorageError::Exists { .. }) => false,
        Err(e) => return Err(e.into()),
    };
    if back {
        registry.bring_back(id, to).await?;
        tracing::info!(%id, path = to, "the return of a deleted file is completed");
    } else {
        registry.returning(id, None).await?;
        tracing::info!(%id, path = to, "the return of a deleted file is taken back");
    }
    Ok(back)
}

/// Destroys what was deleted longer ago than `kept`; how many files that were.
///
/// The registry first: it alone knows whether a file is about to come back, and what a
/// crash leaves then belongs to nothing, and is destroyed by the next start.
pub async fn purge(
    registry: &dyn Registry,
    storage: &dyn Storage,
    kept: Duration,
) -> Result<usize, RecoverError> {
    let before = oldest(Some(kept));
    let mut gone = 0;
    for DeletedFile { file, deleted } in registry.deleted().await? {
        if deleted <= before && registry.forget(file.id).await? {
            storage.destroy(file.id).await?;
            tracing::info!(id = %file.id, path = file.path, "a deleted file is gone for good");
            gone += 1;
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests;
