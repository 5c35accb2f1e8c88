//! A table of live uploads: begins with what the server rendered, and then follows
//! what the connection says.
//!
//! A report touches the rows that it is about, and the sum of all once. Where rows are
//! sorted by what moves, they change places every few seconds only: nobody can read a list
//! that never stands still.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use leptos::prelude::*;

use super::browser;
use crate::protocol::id::FileId;
use crate::protocol::live::{LiveState, LiveUpload, Pulse};

/// How long rows keep their places that are sorted by speed, in milliseconds.
const STILL: f64 = 3000.0;

/// In which order rows are shown. What moves always comes before what rests, and that before
/// what ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By path.
    #[default]
    Path,
    /// The slowest first.
    Slowest,
    /// The largest first.
    Largest,
    /// The one with the most still to come first.
    Left,
}

impl Order {
    /// All of them, the usual one first.
    pub const ALL: [Self; 4] = [Self::Path, Self::Slowest, Self::Largest, Self::Left];

    /// It as one word, the value of a choice.
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Slowest => "slowest",
            Self::Largest => "largest",
            Self::Left => "left",
        }
    }

    /// The one with that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }

    /// Whether it changes while uploads move.
    fn moves(self) -> bool {
        matches!(self, Self::Slowest | Self::Left)
    }

    /// What comes first has the smaller one.
    fn place(self, upload: &LiveUpload) -> (u8, Reverse<u64>, u64, String, FileId) {
        let (falling, rising) = match self {
            Self::Path => (0, 0),
            Self::Slowest => (0, upload.rate),
            Self::Largest => (upload.size, 0),
            Self::Left => (upload.size.saturating_sub(upload.durable), 0),
        };
        let path = upload.path.clone();
        (
            rank(upload.state),
            Reverse(falling),
            rising,
            path,
            upload.id,
        )
    }
}

/// All rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub rows: u64,
    /// How many are being sent.
    pub moving: u64,
    /// Bytes per second.
    pub rate: u64,
    /// Bytes of all files.
    pub size: u64,
    /// Bytes of them that are durable.
    pub durable: u64,
    /// Below how many bytes per second an upload is slow: clearly slower than most that
    /// move now, where there are a few.
    pub slow: u64,
}

/// How many must move for one of them to be slow.
const FEW: usize = 3;

impl Sum {
    fn of<'a>(uploads: impl Iterator<Item = &'a LiveUpload>) -> Self {
        let mut sum = Self::default();
        let mut rates = Vec::new();
        for upload in uploads {
            sum.rows += 1;
            if upload.state == LiveState::Receiving {
                sum.moving += 1;
                rates.push(upload.rate);
            }
            sum.rate = sum.rate.saturating_add(upload.rate);
            sum.size = sum.size.saturating_add(upload.size);
            sum.durable = sum.durable.saturating_add(upload.durable);
        }
        let middle = rates.len() / 2;
        if rates.len() >= FEW {
            sum.slow = *rates.select_nth_unstable(middle).1 / 4;
        }
        sum
    }
}

/// Uploads that are watched: their order, one signal per row, what they add up to, and what
/// went through the server of late.
#[derive(Clone, Debug, Default)]
pub struct LiveTable {
    order: ArcRwSignal<Vec<FileId>>,
    sorted: Arc<RwLock<Sorted>>,
    rows: Arc<RwLock<HashMap<FileId, ArcRwSignal<LiveUpload>>>>,
    sum: ArcRwSignal<Sum>,
    pulse: ArcRwSignal<Pulse>,
}

/// How rows are sorted, and when they changed places last.
#[derive(Clone, Copy, Debug, Default)]
struct Sorted {
    by: Order,
    at: f64,
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

    /// What they add up to; tracked.
    pub fn sum(&self) -> Sum {
        self.sum.get()
    }

    /// What went through the server; tracked.
    pub fn pulse(&self) -> Pulse {
        self.pulse.get()
    }

    /// The same as a signal.
    pub fn pulses(&self) -> ArcRwSignal<Pulse> {
        self.pulse.clone()
    }

    /// Takes in what went through the server since.
    pub fn follow(&self, next: Pulse) {
        self.pulse.update(|pulse| pulse.follow(next));
    }

    /// Sorts the rows.
    pub fn sort(&self, by: Order) {
        *self.sorted.write().unwrap_or_else(PoisonError::into_inner) = Sorted { by, at: 0.0 };
        let mut ids = self.order.get_untracked();
        self.arrange(&mut ids);
        self.order.set(ids);
    }

    /// Shows these rows and no others.
    pub fn replace(&self, new: Vec<LiveUpload>) {
        let mut ids: Vec<FileId> = new.iter().map(|upload| upload.id).collect();
        self.put(new);
        self.arrange(&mut ids);
        self.order.set(ids);
        self.forget_unlisted();
        self.add_up();
    }

    /// Shows what changed, and no longer what is gone.
    pub fn merge(&self, changed: Vec<LiveUpload>, gone: &[FileId]) {
        let ids: Vec<FileId> = changed.iter().map(|upload| upload.id).collect();
        let turned = self.put(changed);
        let order = self.order.get_untracked();
        let known: HashSet<FileId> = order.iter().copied().collect();
        let fresh = ids.iter().filter(|id| !known.contains(id)).copied();
        let mut next: Vec<FileId> = order.iter().copied().chain(fresh).collect();
        next.retain(|id| !gone.contains(id));
        let same = next.len() == order.len() && gone.is_empty();
        if !same || turned || self.is_unsorted() {
            self.arrange(&mut next);
        }
        if next != order {
            self.order.set(next);
            self.forget_unlisted();
        }
        self.add_up();
    }

    /// Whether rows that move may have to change places again.
    fn is_unsorted(&self) -> bool {
        let sorted = *self.sorted.read().unwrap_or_else(PoisonError::into_inner);
        sorted.by.moves() && sorted.at + STILL <= browser::now()
    }

    fn arrange(&self, ids: &mut [FileId]) {
        let by = {
            let mut sorted = self.sorted.write().unwrap_or_else(PoisonError::into_inner);
            sorted.at = browser::now();
            sorted.by
        };
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        ids.sort_by_cached_key(|id| rows.get(id).map(|row| by.place(&row.read_untracked())));
    }

    /// Takes rows in; whether one of them is in another state than before.
    fn put(&self, new: Vec<LiveUpload>) -> bool {
        let mut turned = false;
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for upload in new {
            match rows.get(&upload.id) {
                Some(row) => {
                    let before = row.read_untracked().state;
                    turned |= before != upload.state;
                    if *row.read_untracked() != upload {
                        row.set(upload);
                    }
                }
                None => {
                    rows.insert(upload.id, ArcRwSignal::new(upload));
                }
            }
        }
        turned
    }

    fn forget_unlisted(&self) {
        let order = self.order.read_untracked();
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() > order.len() {
            let listed: HashSet<FileId> = order.iter().copied().collect();
            rows.retain(|id, _| listed.contains(id));
        }
    }

    fn add_up(&self) {
        let sum = {
            let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
            let rows: Vec<_> = rows.values().map(ReadUntracked::read_untracked).collect();
            Sum::of(rows.iter().map(|row| &**row))
        };
        if *self.sum.read_untracked() != sum {
            self.sum.set(sum);
        }
    }
}

fn rank(state: LiveState) -> u8 {
    match state {
        LiveState::Receiving => 0,
        LiveState::Paused => 1,
        LiveState::Resting => 2,
        LiveState::Stored => 3,
        LiveState::Ended => 4,
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

    fn paths(table: &LiveTable) -> Vec<String> {
        let order = table.order.get_untracked();
        let rows = order.iter().filter_map(|id| table.row(*id));
        rows.map(|row| row.get_untracked().path).collect()
    }

    #[test]
    fn what_moves_is_first_and_then_it_goes_by_path() {
        let table = LiveTable::new(vec![
            upload(1, "d", LiveState::Stored),
            upload(2, "c", LiveState::Receiving),
            upload(3, "b", LiveState::Resting),
            upload(4, "a", LiveState::Receiving),
        ]);
        assert_eq!(paths(&table), ["a", "c", "b", "d"]);
        let changed = vec![
            upload(4, "a", LiveState::Stored),
            upload(5, "b2", LiveState::Receiving),
        ];
        table.merge(changed, &[FileId::from_bytes([1; 16])]);
        assert_eq!(paths(&table), ["b2", "c", "b", "a"]);
    }

    #[test]
    fn rows_are_sorted_as_it_is_chosen() {
        let row = |id, path, size, rate| LiveUpload {
            size,
            rate,
            ..upload(id, path, LiveState::Receiving)
        };
        let table = LiveTable::new(vec![
            row(1, "a", 10, 30),
            row(2, "b", 30, 10),
            row(3, "c", 20, 20),
            upload(4, "d", LiveState::Resting),
        ]);
        let mut seen = Vec::new();
        for order in Order::ALL {
            assert_eq!(Order::of_word(order.word()), Some(order));
            table.sort(order);
            seen.push(paths(&table).concat());
        }
        assert_eq!(seen, ["abcd", "bcad", "bcad", "bcad"]);
        table.merge(
            vec![LiveUpload {
                durable: 25,
                ..row(2, "b", 30, 10)
            }],
            &[],
        );
        table.sort(Order::Left);
        assert_eq!(paths(&table).concat(), "cabd");
    }

    #[test]
    fn they_add_up_and_the_slow_ones_stand_out() {
        let row = |id, rate| LiveUpload {
            rate,
            durable: 50,
            ..upload(id, "a", LiveState::Receiving)
        };
        let table = LiveTable::new(vec![row(1, 100), row(2, 10)]);
        assert_eq!(table.sum.get_untracked().slow, 0, "two are no crowd");
        table.merge(vec![row(3, 120), upload(4, "b", LiveState::Resting)], &[]);
        let sum = Sum {
            rows: 4,
            moving: 3,
            rate: 230,
            size: 400,
            durable: 150,
            slow: 25,
        };
        assert_eq!(table.sum.get_untracked(), sum);
    }
}
