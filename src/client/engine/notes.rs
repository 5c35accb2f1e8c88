//! What is on its way into the journal: one batch is written at a time, and what comes
//! meanwhile is the next one.
//!
//! The sender waits until what it wants kept is kept. A database that hangs delays it
//! once: from then on nobody waits, until it has written something.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::{Engine, Inner, warn};
use crate::client::journal::Journal;
use crate::ledger::{Change, Changes};
use crate::port::Key;

/// How long the sender waits for the journal, in milliseconds.
const PATIENCE: u32 = 2000;

/// The journal, if there is one, and what is to be written.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) journal: Option<Rc<Journal>>,
    changes: Changes<JsValue>,
    /// For which of them the sender waits.
    keeping: Vec<Key>,
    batch: Option<Batch>,
    hangs: bool,
}

/// What is being written.
struct Batch {
    keeping: Vec<Key>,
    _patience: Timeout,
}

impl Notes {
    /// Writes something down soon, if there is a journal.
    pub(super) fn push(&mut self, change: Change<JsValue>) {
        if self.journal.is_some() {
            self.changes.push(change);
        }
    }

    /// Writes what is not written yet, and waits for all of it.
    pub(super) async fn finish(self) -> Result<(), idb::Error> {
        if let Some(journal) = self.journal {
            journal.write(&self.changes).await?;
            journal.settle().await?;
        }
        Ok(())
    }

    /// All that the sender waits for.
    fn awaited(&mut self) -> Vec<Key> {
        let under_way = self.batch.as_mut().map(|batch| &mut batch.keeping);
        let mut keys = under_way.map(std::mem::take).unwrap_or_default();
        keys.append(&mut self.keeping);
        keys
    }
}

impl Inner {
    /// Has an upload kept, and tells the sender when it is.
    pub(super) fn write_down(&mut self, key: Key) {
        let record = self.client.sender.record(key);
        if let Some(record) = record {
            let handle = self.sources.get(key).map(|s| s.handle.clone());
            let handle = handle.unwrap_or(JsValue::NULL);
            self.notes.push(Change::Keep(record, handle));
        }
        if self.notes.journal.is_some() && !self.notes.hangs {
            self.notes.keeping.push(key);
        } else {
            self.client.sender.kept(key);
        }
    }

    /// Begins to write what there is, unless something is being written.
    pub(super) fn write_notes(&mut self, engine: &Engine) {
        let notes = &mut self.notes;
        let Some(journal) = notes.journal.clone() else {
            return;
        };
        if notes.batch.is_some() || notes.changes.is_empty() {
            return;
        }
        let changes = std::mem::take(&mut notes.changes);
        let impatient = engine.clone();
        let patience = Timeout::new(PATIENCE, move || {
            impatient.event(|inner| {
                inner.notes.hangs = true;
                let keys = inner.notes.awaited();
                keys.into_iter()
                    .for_each(|key| inner.client.sender.kept(key));
            });
        });
        notes.batch = Some(Batch {
            keeping: std::mem::take(&mut notes.keeping),
            _patience: patience,
        });
        let engine = engine.clone();
        spawn_local(async move {
            if let Err(error) = journal.write(&changes).await {
                warn("what is unfinished could not be written down", &error);
            }
            engine.event(|inner| {
                inner.notes.hangs = false;
                let batch = inner.notes.batch.take();
                let keys = batch.into_iter().flat_map(|batch| batch.keeping);
                keys.for_each(|key| inner.client.sender.kept(key));
            });
        });
    }
}
