//! Who may write an upload: the newest that opened it.
//!
//! A writer shares the lock of its upload among the steps that change something, for the
//! length of each. Opening with a newer epoch takes the same lock alone, so it waits for
//! steps in flight, never for a connection; after it no older write can land.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::StorageError;
use crate::protocol::id::FileId;
use crate::registry::Epoch;

/// No writer is as new as this: the upload is over.
const OVER: Epoch = Epoch(u64::MAX);

/// The newest epoch of every unfinished upload that was opened since the start.
#[derive(Debug, Default)]
pub struct Leases(Mutex<HashMap<FileId, Arc<RwLock<Epoch>>>>);

/// What one writer holds.
#[derive(Clone, Debug)]
pub struct Lease {
    epoch: Epoch,
    newest: Arc<RwLock<Epoch>>,
}

/// Proof that no newer writer comes in between.
#[derive(Debug)]
pub struct Held<'a>(
    #[expect(dead_code, reason = "it is held, not read")] RwLockReadGuard<'a, Epoch>,
);

/// The same, and no other step of this writer either.
#[derive(Debug)]
pub struct HeldAlone<'a>(RwLockWriteGuard<'a, Epoch>);

impl Leases {
    /// Gives the upload to the writer with this epoch, if there was no newer one.
    pub fn take(&self, id: FileId, epoch: Epoch) -> Result<Lease, StorageError> {
        let newest = Arc::clone(
            self.0
                .lock()
                .entry(id)
                .or_insert(Arc::new(RwLock::new(epoch))),
        );
        let mut guard = newest.write();
        if *guard > epoch {
            return Err(StorageError::Superseded);
        }
        *guard = epoch;
        drop(guard);
        Ok(Lease { epoch, newest })
    }

    /// Ends the upload, whoever has it, by `work`.
    pub fn end<T>(
        &self,
        id: FileId,
        work: impl FnOnce() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let newest = self.0.lock().get(&id).cloned();
        match newest {
            None => work(),
            Some(newest) => {
                let mut guard = newest.write();
                let done = work()?;
                *guard = OVER;
                self.0.lock().remove(&id);
                Ok(done)
            }
        }
    }

    /// Forgets an upload that its holder has finished.
    pub fn over(&self, id: FileId, mut held: HeldAlone<'_>) {
        *held.0 = OVER;
        self.0.lock().remove(&id);
    }

    /// How many uploads are remembered.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }
}

impl Lease {
    /// Its writer's epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Keeps newer writers out until the result is dropped.
    pub fn hold(&self) -> Result<Held<'_>, StorageError> {
        let newest = self.newest.read();
        self.check(*newest).map(|()| Held(newest))
    }

    /// The same, once this writer's other steps are done: for the last one.
    pub fn hold_alone(&self) -> Result<HeldAlone<'_>, StorageError> {
        let newest = self.newest.write();
        self.check(*newest).map(|()| HeldAlone(newest))
    }

    fn check(&self, newest: Epoch) -> Result<(), StorageError> {
        match newest == self.epoch {
            true => Ok(()),
            false => Err(StorageError::Superseded),
        }
    }
}
