//! A table of live uploads: begins with what the server rendered, and then follows
//! what the connection says.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use leptos::prelude::*;

use crate::protocol::id::FileId;
use crate::protocol::live::LiveUpload;

/// Uploads that are watched: their order, and one signal per row.
#[derive(Clone, Debug, Default)]
pub struct LiveTable {
    order: ArcRwSignal<Vec<FileId>>,
    rows: Arc<RwLock<HashMap<FileId, ArcRwSignal<LiveUpload>>>>,
}

impl LiveTable {
    /// A table with these rows.
    pub fn new(rows: Vec<LiveUpload>) -> Self {
        let table = Self::default();
        table.replace(rows);
        table
    }

    /// The rows there are, in order; tracked.
    pub fn order(&self) -> Vec<FileId> {
        self.order.get()
    }

    /// One row, as a signal.
    pub fn row(&self, id: FileId) -> Option<ArcRwSignal<LiveUpload>> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        rows.get(&id).cloned()
    }

    /// All rows, each of them tracked.
    pub fn all(&self) -> Vec<LiveUpload> {
        let order = self.order.get();
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        order
            .iter()
            .filter_map(|id| rows.get(id).map(|row| row.get()))
            .collect()
    }

    /// Shows these rows and no others.
    pub fn replace(&self, new: Vec<LiveUpload>) {
        let ids: Vec<FileId> = new.iter().map(|upload| upload.id).collect();
        self.put(new);
        self.order.set(ids);
        self.forget_unlisted();
    }

    /// Shows what changed, and no longer what is gone.
    pub fn merge(&self, changed: Vec<LiveUpload>, gone: &[FileId]) {
        let ids: Vec<FileId> = changed.iter().map(|upload| upload.id).collect();
        self.put(changed);
        let order = self.order.get_untracked();
        let next: Vec<FileId> = order
            .iter()
            .copied()
            .chain(ids.into_iter().filter(|id| !order.contains(id)))
            .filter(|id| !gone.contains(id))
            .collect();
        if next != order {
            self.order.set(next);
            self.forget_unlisted();
        }
    }

    fn put(&self, new: Vec<LiveUpload>) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for upload in new {
            match rows.get(&upload.id) {
                Some(row) => {
                    if row.read_untracked() != upload {
                        row.set(upload);
                    }
                }
                None => {
                    rows.insert(upload.id, ArcRwSignal::new(upload));
                }
            }
        }
    }

    fn forget_unlisted(&self) {
        let order = self.order.read_untracked();
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() > order.len() {
            rows.retain(|id, _| order.contains(id));
        }
    }
}
