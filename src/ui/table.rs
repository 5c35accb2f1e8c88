//! A table of live uploads: begins with what the server rendered, and then follows
//! what the connection says.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use leptos::prelude::*;

use crate::protocol::id::FileId;
use crate::protocol::live::{LiveState, LiveUpload};

/// Uploads that are watched: their order, and one signal per row. What moves comes
/// first, then what rests, then what ended; within each it goes by path.
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
        let mut ids: Vec<FileId> = new.iter().map(|upload| upload.id).collect();
        self.put(new);
        self.arrange(&mut ids);
        self.order.set(ids);
        self.forget_unlisted();
    }

    /// Shows what changed, and no longer what is gone.
    pub fn merge(&self, changed: Vec<LiveUpload>, gone: &[FileId]) {
        let ids: Vec<FileId> = changed.iter().map(|upload| upload.id).collect();
        self.put(changed);
        let order = self.order.get_untracked();
        let mut next: Vec<FileId> = order
            .iter()
            .copied()
            .chain(ids.into_iter().filter(|id| !order.contains(id)))
            .filter(|id| !gone.contains(id))
            .collect();
        self.arrange(&mut next);
        if next != order {
            self.order.set(next);
            self.forget_unlisted();
        }
    }

    fn arrange(&self, ids: &mut [FileId]) {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        ids.sort_by_cached_key(|id| {
            let row = rows.get(id).map(|row| {
                let row = row.read_untracked();
                (rank(row.state), row.path.clone())
            });
            (row, *id)
        });
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

fn rank(state: LiveState) -> u8 {
    match state {
        LiveState::Receiving => 0,
        LiveState::Resting => 1,
        LiveState::Stored => 2,
        LiveState::Ended => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(id: u8, path: &str, state: LiveState) -> LiveUpload {
        LiveUpload {
            id: FileId::from_bytes([id; 16]),
            path: path.to_owned(),
            size: 100,
            received: 0,
            durable: 0,
            rate: 0,
            state,
        }
    }

    #[test]
    fn what_moves_is_first_and_then_it_goes_by_path() {
        let table = LiveTable::new(vec![
            upload(1, "d", LiveState::Stored),
            upload(2, "c", LiveState::Receiving),
            upload(3, "b", LiveState::Resting),
            upload(4, "a", LiveState::Receiving),
        ]);
        let paths = || -> Vec<String> {
            let order = table.order.get_untracked();
            let rows = order.iter().filter_map(|id| table.row(*id));
            rows.map(|row| row.get_untracked().path).collect()
        };
        assert_eq!(paths(), ["a", "c", "b", "d"]);
        let changed = vec![
            upload(4, "a", LiveState::Stored),
            upload(5, "b2", LiveState::Receiving),
        ];
        table.merge(changed, &[FileId::from_bytes([1; 16])]);
        assert_eq!(paths(), ["b2", "c", "b", "a"]);
    }
}
