//! Who may write an upload: the newest that opened it.
//!
//! A writer shares the lock of its upload among the steps that change something, for the
//! length of each. Opening with a newer epoch takes the same lock alone, so it waits for
//! steps in flight, never for a connection; after it no older write can land. Who was to
//! open it before and comes late, when all is over, would create it anew: so the last
//! holders of what was over lately are remembered.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::StorageError;
use crate::protocol::id::FileId;
use crate::registry::Epoch;

/// No writer is as new as this: the upload is over.
const OVER: Epoch = Epoch(u64::MAX);

/// How many uploads that are over are remembered.
const REMEMBERED: usize = 4096;

/// The newest epoch of every unfinished upload that was opened since the start.
#[derive(Debug, Default)]
pub struct Leases(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    newest: HashMap<FileId, Arc<RwLock<Epoch>>>,
    /// The last holders of uploads that are over, the latest at the end.
    over: VecDeque<(FileId, Epoch)>,
    last: HashMap<FileId, Epoch>,
}

impl Known {
    fn over(&mut self, id: FileId, last: Epoch) {
        self.newest.remove(&id);
        self.last.insert(id, last);
        self.over.push_back((id, last));
        if self.over.len() > REMEMBERED
            && let Some((oldest, last)) = self.over.pop_front()
            && self.last.get(&oldest) == Some(&last)
        {
            self.last.remove(&oldest);
        }
    }
}

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
        let mut known = self.0.lock();
        if known.last.get(&id).is_some_and(|last| *last > epoch) {
            return Err(StorageError::Superseded);
        }
        let newest = known.newest.entry(id);
        let newest = Arc::clone(newest.or_insert(Arc::new(RwLock::new(epoch))));
        drop(known);
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
        let newest = self.0.lock().newest.get(&id).cloned();
        match newest {
            None => work(),
            Some(newest) => {
                let mut guard = newest.write();
                let done = work()?;
                let last = std::mem::replace(&mut *guard, OVER);
                if last != OVER {
                    self.0.lock().over(id, last);
                }
                Ok(done)
            }
        }
    }

    /// Forgets an upload that its holder has finished.
    pub fn over(&self, id: FileId, mut held: HeldAlone<'_>) {
        let last = std::mem::replace(&mut *held.0, OVER);
        self.0.lock().over(id, last);
    }

    /// How many unfinished uploads are remembered.
    pub fn count(&self) -> usize {
        self.0.lock().newest.len()
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
