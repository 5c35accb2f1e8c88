//! Who may write an upload: the newest that opened it.
//!
//! A writer holds the lock of its upload for the length of each step that changes
//! something. Opening with a newer epoch takes the same lock, so it waits for a step
//! in flight, never for a connection; after it no older write can land.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::StorageError;
use crate::protocol::id::FileId;
use crate::registry::Epoch;

/// No writer is as new as this: the upload is over.
const OVER: Epoch = Epoch(u64::MAX);

/// The newest epoch of every unfinished upload that was opened since the start.
#[derive(Debug, Default)]
pub struct Leases(Mutex<HashMap<FileId, Arc<Mutex<Epoch>>>>);

/// What one writer holds.
#[derive(Clone, Debug)]
pub struct Lease {
    epoch: Epoch,
    newest: Arc<Mutex<Epoch>>,
}

/// Proof that no newer writer comes in between.
#[derive(Debug)]
pub struct Held<'a>(MutexGuard<'a, Epoch>);

impl Leases {
    /// Gives the upload to the writer with this epoch, if there was no newer one.
    pub fn take(&self, id: FileId, epoch: Epoch) -> Result<Lease, StorageError> {
        let newest = Arc::clone(
            self.0
                .lock()
                .entry(id)
                .or_insert(Arc::new(Mutex::new(epoch))),
        );
        let mut guard = newest.lock();
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
                let mut guard = newest.lock();
                let done = work()?;
                *guard = OVER;
                self.0.lock().remove(&id);
                Ok(done)
            }
        }
    }

    /// Forgets an upload that its holder has finished.
    pub fn over(&self, id: FileId, mut held: Held<'_>) {
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
        let newest = self.newest.lock();
        if *newest != self.epoch {
            return Err(StorageError::Superseded);
        }
        Ok(Held(newest))
    }
}
