//! All uploads that this page knows, in the order of the list.
//!
//! Everything that is shown of all of them together, or of the files of a folder, is kept up
//! row by row: a report costs what it is about, however many there are.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use super::rows::{RowData, Totals};
use crate::port::{Key, RowState};

/// Names a folder that was picked or dropped, with all that is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderId(u32);

impl FolderId {
    /// Its number on this page.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The opposite of [`FolderId::number`].
    pub fn numbered(number: u32) -> Self {
        Self(number)
    }
}

/// The uploads.
#[derive(Debug, Default)]
pub struct Queue {
    rows: HashMap<Key, Entry>,
    order: BTreeSet<(u64, Key)>,
    folders: Vec<Folder>,
    names: HashMap<Arc<str>, FolderId>,
    totals: Totals,
}

/// One of them.
#[derive(Debug)]
struct Entry {
    row: ArcRwSignal<RowData>,
    folder: Option<FolderId>,
    /// Its path, as it is searched.
    folded: Box<str>,
    state: RowState,
    order: u64,
}

#[derive(Debug)]
struct Folder {
    name: Arc<str>,
    totals: ArcRwSignal<Totals>,
    /// Its totals, if the signal does not say so yet.
    changed: Option<Totals>,
}

/// What became of a row that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new, or somewhere else in the list, or has another path.
    Moved,
    /// It is in another state.
    State,
    /// Only what is shown in it changed.
    Inside,
}

/// What is looked at of an upload to decide whether it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Glimpse<'a> {
    /// Which.
    pub key: Key,
    /// The folder in which it came, if it did.
    pub folder: Option<FolderId>,
    /// Its path, folded.
    pub folded: &'a str,
    /// What happens to it.
    pub state: RowState,
}

impl Queue {
    /// Puts a row in, or in the place of what was known of it.
    pub fn put(&mut self, row: RowData) -> Put {
        let key = row.key;
        let Some(entry) = self.rows.get_mut(&key) else {
            let folder = top(&row).map(|name| self.folder(name));
            self.count(folder, |totals| totals.add(&row));
            self.order.insert((row.order, key));
            let entry = Entry {
                folder,
                folded: browser::fold(&row.path()).into(),
                state: row.state,
                order: row.order,
                row: ArcRwSignal::new(row),
            };
            self.rows.insert(key, entry);
            return Put::Moved;
        };
        let old = entry.row.read_untracked().clone();
        let mut put = match entry.state == row.state {
            true => Put::Inside,
            false => Put::State,
        };
        if old.name != row.name {
            entry.folded = browser::fold(&row.path()).into();
            put = Put::Moved;
        }
        if entry.order != row.order {
            self.order.remove(&(entry.order, key));
            self.order.insert((row.order, key));
            entry.order = row.order;
            put = Put::Moved;
        }
        entry.state = row.state;
        let (folder, signal) = (entry.folder, entry.row.clone());
        self.count(folder, |totals| {
            totals.take(&old);
            totals.add(&row);
        });
        if old != row {
            signal.set(row);
        }
        put
    }

    /// Forgets a row; whether there was one.
    pub fn remove(&mut self, key: Key) -> bool {
        let Some(entry) = self.rows.remove(&key) else {
            return false;
        };
        self.order.remove(&(entry.order, key));
        let row = entry.row.read_untracked();
        self.count(entry.folder, |totals| totals.take(&row));
        true
    }

    fn count(&mut self, folder: Option<FolderId>, mut count: impl FnMut(&mut Totals)) {
        count(&mut self.totals);
        if let Some(folder) = folder.and_then(|id| self.folders.get_mut(id.0 as usize)) {
            let totals = &folder.totals;
            count(
                folder
                    .changed
                    .get_or_insert_with(|| *totals.read_untracked()),
            );
        }
    }

    fn folder(&mut self, name: &str) -> FolderId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = FolderId(self.folders.len() as u32);
        let name: Arc<str> = name.into();
        self.folders.push(Folder {
            name: name.clone(),
            totals: ArcRwSignal::default(),
            changed: None,
        });
        self.names.insert(name, id);
        id
    }

    /// Has folders say what changed of them.
    pub fn settle(&mut self) {
        for folder in &mut self.folders {
            if let Some(totals) = folder.changed.take() {
                folder.totals.set(totals);
            }
        }
    }

    /// All rows added up.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The keys of all of them, in no order.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.rows.keys().copied()
    }

    /// Whether there is one of that key.
    pub fn contains(&self, key: Key) -> bool {
        self.rows.contains_key(&key)
    }

    /// The signal of one row.
    pub fn row(&self, key: Key) -> Option<ArcRwSignal<RowData>> {
        self.rows.get(&key).map(|entry| entry.row.clone())
    }

    /// What happens to one.
    pub fn state(&self, key: Key) -> Option<RowState> {
        self.rows.get(&key).map(|entry| entry.state)
    }

    /// The folder in which one came.
    pub fn folder_of(&self, key: Key) -> Option<FolderId> {
        self.rows.get(&key)?.folder
    }

    /// The name of a folder, and its files added up.
    pub fn folder_row(&self, id: FolderId) -> Option<(Arc<str>, ArcRwSignal<Totals>)> {
        let folder = self.folders.get(id.0 as usize)?;
        Some((folder.name.clone(), folder.totals.clone()))
    }

    /// The uploads of a folder, in the order of the list.
    pub fn files_of(&self, id: FolderId) -> Vec<Key> {
        let inside = self.glimpses().filter(|it| it.folder == Some(id));
        inside.map(|it| it.key).collect()
    }

    /// Whether something of a folder waits for its turn.
    pub fn waits_in(&self, id: FolderId) -> bool {
        let totals = self.folders.get(id.0 as usize).map(|folder| &folder.totals);
        totals.is_some_and(|it| it.read_untracked().count(RowState::Queued) > 0)
    }

    /// The one after another in the list.
    pub fn after(&self, key: Key) -> Option<Key> {
        let place = (self.rows.get(&key)?.order, key);
        let mut later = self.order.range((Bound::Excluded(place), Bound::Unbounded));
        later.next().map(|(_, key)| *key)
    }

    /// All of them, in the order of the list.
    pub fn glimpses(&self) -> impl Iterator<Item = Glimpse<'_>> {
        self.order.iter().filter_map(|(_, key)| {
            let entry = self.rows.get(key)?;
            Some(Glimpse {
                key: *key,
                folder: entry.folder,
                folded: &entry.folded,
                state: entry.state,
            })
        })
    }
}

/// The uppermost folder above a file.
fn top(row: &RowData) -> Option<&str> {
    let folder = row.folder.trim_start_matches('/');
    let top = folder.split('/').next();
    top.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::row;
    use super::*;

    fn keys(queue: &Queue) -> Vec<u32> {
        queue.glimpses().map(|it| it.key.0).collect()
    }

    #[test]
    fn rows_stand_where_they_were_put() {
        let mut queue = Queue::default();
        for (key, path) in [(1, "a"), (2, "trip/b"), (3, "trip/x/c")] {
            queue.put(row(key, path, RowState::Queued, (10, 0, 0)));
        }
        let mut moved = row(3, "trip/x/c", RowState::Queued, (10, 0, 0));
        moved.order = 0;
        assert_eq!(queue.put(moved.clone()), Put::Moved);
        assert_eq!(keys(&queue), [3, 1, 2]);
        assert_eq!(queue.after(Key(3)), Some(Key(1)));
        assert_eq!(queue.after(Key(2)), None);
        moved.state = RowState::Sending;
        assert_eq!(queue.put(moved.clone()), Put::State);
        moved.progress.received = 5;
        assert_eq!(queue.put(moved), Put::Inside);
        assert!(queue.remove(Key(1)) && !queue.remove(Key(1)));
        assert_eq!(keys(&queue), [3, 2]);
    }

    #[test]
    fn a_folder_adds_up_its_files() {
        let mut queue = Queue::default();
        queue.put(row(1, "a", RowState::Sending, (10, 5, 1)));
        queue.put(row(2, "trip/b", RowState::Sending, (10, 5, 1)));
        queue.put(row(3, "trip/x/c", RowState::Queued, (10, 0, 0)));
        let id = FolderId::numbered(0);
        assert_eq!(queue.folder_of(Key(2)), Some(id));
        assert_eq!(queue.folder_of(Key(3)), Some(id));
        assert_eq!(queue.folder_of(Key(1)), None);
        let name = queue.folder_row(id).map(|(name, _)| name.to_string());
        assert_eq!(name.as_deref(), Some("trip"));
        let totals = |queue: &mut Queue| {
            queue.settle();
            let row = queue.folder_row(id);
            row.map(|(_, totals)| totals.get_untracked())
                .unwrap_or_default()
        };
        assert_eq!((totals(&mut queue).size, queue.totals().size), (20, 30));
        queue.put(row(2, "trip/b", RowState::Stored, (10, 10, 0)));
        queue.remove(Key(3));
        assert_eq!(totals(&mut queue).percent(), 100);
        assert_eq!(queue.files_of(id), [Key(2)]);
    }
}
