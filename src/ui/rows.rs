//! The rows of this page's uploads as reactive data, and what they add up to.
//!
//! A row is one signal, and each part of its view a memo of it: of ten thousand rows only
//! those that are seen cost more than their data.

use leptos::prelude::*;

use crate::port::{Key, Note, Row, RowState};
use crate::protocol::id::FileId;
use crate::protocol::trouble::{Class, Trouble};
use crate::verify::Root;

/// One row. See [`Row`] for what comes from the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct RowData {
    /// Its name within the engine.
    pub key: Key,
    /// Its place in the list.
    pub order: u64,
    /// The file's own name.
    pub name: String,
    /// The folders above it, without the last `/`; empty if there are none.
    pub folder: String,
    /// The media type; empty if unknown.
    pub media_type: String,
    /// What happens to it.
    pub state: RowState,
    /// How far it is.
    pub progress: Progress,
    /// What went wrong.
    pub trouble: Option<Trouble>,
    /// A quiet line.
    pub note: Option<Note>,
    /// Whether the browser can be asked for its file.
    pub handle: bool,
    /// Whether its name can still be changed.
    pub fresh: bool,
    /// Its name in links.
    pub id: Option<FileId>,
    /// Its digest.
    pub digest: Option<Root>,
}

/// How far an upload is. All of it changes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Length in bytes.
    pub size: u64,
    /// Bytes received and verified by the server.
    pub received: u64,
    /// Bytes durable on the server.
    pub durable: u64,
    /// Bytes per second.
    pub rate: u64,
    /// Milliseconds left.
    pub left: Option<u64>,
}

impl From<Row> for RowData {
    fn from(row: Row) -> Self {
        let (folder, name) = split(&row.path);
        Self {
            key: row.key,
            order: row.order,
            name: name.to_owned(),
            folder: folder.to_owned(),
            media_type: row.media_type,
            state: row.state,
            progress: Progress {
                size: row.size,
                received: row.received,
                durable: row.durable,
                rate: row.rate,
                left: row.left,
            },
            trouble: row.trouble,
            note: row.note,
            handle: row.handle,
            fresh: row.fresh,
            id: row.id,
            digest: row.digest,
        }
    }
}

impl RowData {
    /// Its path, as it is sent.
    pub fn path(&self) -> String {
        join(&self.folder, &self.name)
    }
}

/// One row for a component, for as long as that lives; also when the row itself is gone.
#[derive(Clone, Copy, Debug)]
pub struct RowHandle {
    key: Key,
    row: RwSignal<RowData>,
}

impl RowHandle {
    /// The row that this signal is.
    pub fn new(key: Key, row: ArcRwSignal<RowData>) -> Self {
        Self {
            key,
            row: row.into(),
        }
    }

    /// Its name within the engine.
    pub fn key(self) -> Key {
        self.key
    }

    /// A part of it, which says so when it changes.
    pub fn part<T>(self, part: fn(&RowData) -> T) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.row.with(part))
    }

    /// A part of it as it is now; nothing if its component is gone.
    pub fn now<T>(self, part: impl FnOnce(&RowData) -> T) -> Option<T> {
        self.row.try_with_untracked(part)
    }
}

/// Splits a path into its folders and its last part.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The opposite of [`split`].
pub fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// Whether only the right file helps.
pub fn wants_file(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Changed | Trouble::Vanished | Trouble::Different
    )
}

/// Whether trying again could change anything. What only waits for the connection
/// goes on with it, and what the rules refuse they refuse again.
pub fn retry_helps(state: RowState, trouble: Option<&Trouble>) -> bool {
    match state {
        RowState::Waiting => trouble.is_some(),
        RowState::Failed => trouble.is_none_or(|it| it.class() != Class::Final && !wants_file(it)),
        _ => false,
    }
}

/// Whether only the engine has the file of an upload: if that ended, the person would have
/// to pick it again. With a handle the browser finds it, once the upload is written down,
/// which those that only wait for their turn may not be. What is paused is put aside: its
/// file may be gone already.
pub fn holds_file(state: RowState, handle: bool) -> bool {
    match state {
        RowState::Queued => true,
        RowState::Sending | RowState::Waiting | RowState::Verifying => !handle,
        RowState::Paused | RowState::NeedsFile | RowState::Stored | RowState::Failed => false,
    }
}

/// How much of `size` bytes `part` is, in whole per cent, never rounded up; for an
/// empty file, 100 where it is `done`.
pub fn percent(part: u64, size: u64, done: bool) -> u8 {
    if done {
        return 100;
    }
    let whole = (u128::from(part) * 100)
        .checked_div(u128::from(size))
        .unwrap_or(0);
    // Only what is done shows 100.
    u8::try_from(whole.min(99)).unwrap_or(99)
}

/// Many rows added up, row by row: a report about twenty of ten thousand costs twenty.
///
/// Sums wrap around, so that what was added can be taken off again whatever it was; they are
/// right as long as all files together are shorter than 16 EiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many rows there are in each state.
    counts: [u32; STATES.len()],
    /// How many could be helped by trying again.
    pub retryable: u32,
    /// How many have a file that would be lost with their engine, see [`holds_file`].
    pub held: u32,
    /// Bytes of all rows but failed ones.
    pub size: u64,
    /// Bytes of those that are received.
    pub received: u64,
    /// Bytes of those that are durable.
    pub durable: u64,
    /// Bytes that are durable of files that are not stored yet.
    pub unfinished_durable: u64,
    /// Bytes per second.
    pub rate: u64,
    /// Bytes that are still to come of what moves or will move by itself.
    coming: u64,
}

const STATES: [RowState; 8] = [
    RowState::Queued,
    RowState::Sending,
    RowState::Paused,
    RowState::Waiting,
    RowState::Verifying,
    RowState::Stored,
    RowState::Failed,
    RowState::NeedsFile,
];

impl Totals {
    /// Counts a row in.
    pub fn add(&mut self, row: &RowData) {
        self.count_row(row, u32::wrapping_add, u64::wrapping_add);
    }

    /// Takes a row off that was counted in as it is here.
    pub fn take(&mut self, row: &RowData) {
        self.count_row(row, u32::wrapping_sub, u64::wrapping_sub);
    }

    fn count_row(&mut self, row: &RowData, rows: fn(u32, u32) -> u32, sum: fn(u64, u64) -> u64) {
        let count = |n: &mut u32, by| *n = rows(*n, by);
        let bytes = |n: &mut u64, by| *n = sum(*n, by);
        let retryable = retry_helps(row.state, row.trouble.as_ref());
        count(&mut self.counts[index(row.state)], 1);
        count(&mut self.retryable, u32::from(retryable));
        let held = holds_file(row.state, row.handle);
        count(&mut self.held, u32::from(held));
        if row.state == RowState::Failed {
            return;
        }
        let Progress {
            size,
            received,
            durable,
            rate,
            ..
        } = row.progress;
        bytes(&mut self.size, size);
        bytes(&mut self.received, received);
        bytes(&mut self.durable, durable);
        bytes(&mut self.rate, rate);
        if row.state != RowState::Stored {
            bytes(&mut self.unfinished_durable, durable);
        }
        if matches!(
            row.state,
            RowState::Queued | RowState::Sending | RowState::Waiting | RowState::Verifying
        ) {
            bytes(&mut self.coming, size.saturating_sub(durable));
        }
    }

    /// How many rows are in `state`.
    pub fn count(&self, state: RowState) -> u32 {
        self.counts[index(state)]
    }

    /// How many rows there are.
    pub fn files(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// How many rows are on their way at this moment.
    pub fn sending(&self) -> u32 {
        self.count(RowState::Sending) + self.count(RowState::Verifying)
    }

    /// How many rows may still become stored.
    pub fn unfinished(&self) -> u32 {
        self.files() - self.count(RowState::Stored) - self.count(RowState::Failed)
    }

    /// How many rows go on by themselves as long as the page is there.
    pub fn moving(&self) -> u32 {
        self.count(RowState::Queued)
            + self.count(RowState::Sending)
            + self.count(RowState::Waiting)
            + self.count(RowState::Verifying)
    }

    /// Whether nothing more will come, although not everything arrived.
    pub fn fell_short(&self) -> bool {
        self.unfinished() == 0 && self.count(RowState::Failed) > 0
    }

    /// Milliseconds left for what moves or will move by itself.
    pub fn left(&self) -> Option<u64> {
        let left = (u128::from(self.coming) * 1000).checked_div(u128::from(self.rate))?;
        u64::try_from(left).ok().filter(|_| self.coming > 0)
    }

    /// Durable per cent of everything that did not fail.
    pub fn percent(&self) -> u8 {
        let done = self.unfinished() == 0 && self.count(RowState::Failed) == 0;
        percent(self.durable, self.size, done)
    }
}

fn index(state: RowState) -> usize {
    STATES.iter().position(|s| *s == state).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub fn row(key: u32, path: &str, state: RowState, progress: (u64, u64, u64)) -> RowData {
        let (size, durable, rate) = progress;
        RowData::from(Row {
            key: Key(key),
            order: key.into(),
            path: path.to_owned(),
            size,
            media_type: String::new(),
            state,
            received: durable,
            durable,
            rate,
            left: None,
            trouble: None,
            note: None,
            handle: false,
            fresh: false,
            id: None,
            digest: None,
        })
    }

    pub fn of(rows: &[RowData]) -> Totals {
        let mut totals = Totals::default();
        rows.iter().for_each(|row| totals.add(row));
        totals
    }

    #[test]
    fn a_path_has_folders_and_a_name() {
        assert_eq!(split("a/b/c.txt"), ("a/b", "c.txt"));
        assert_eq!(split("c.txt"), ("", "c.txt"));
        assert_eq!(join("a/b", "c.txt"), "a/b/c.txt");
        assert_eq!(join("", "c.txt"), "c.txt");
    }

    #[test]
    fn only_what_is_done_shows_a_hundred() {
        assert_eq!(percent(999, 1000, false), 99);
        assert_eq!(percent(1000, 1000, false), 99);
        assert_eq!(percent(0, 0, false), 0);
        assert_eq!(percent(0, 0, true), 100);
        assert_eq!(percent(u64::MAX, u64::MAX, false), 99);
    }

    #[test]
    fn what_failed_never_makes_a_hundred() {
        let stored = row(1, "a", RowState::Stored, (5, 5, 0));
        let failed = row(2, "b", RowState::Failed, (2_000_000, 0, 0));
        let both = [stored, failed];
        assert_eq!(of(&both[..1]).percent(), 100);
        assert!(!of(&both[..1]).fell_short());
        assert_eq!(of(&both).percent(), 99);
        assert!(of(&both).fell_short());
    }

    #[test]
    fn a_file_is_held_where_nothing_else_finds_it_again() {
        assert!(holds_file(RowState::Sending, false));
        assert!(
            holds_file(RowState::Queued, true),
            "it may not be written down yet"
        );
        assert!(!holds_file(RowState::Sending, true));
        assert!(
            !holds_file(RowState::NeedsFile, false),
            "there is nothing to lose"
        );
        assert!(!holds_file(RowState::Stored, false));
    }

    #[test]
    fn a_retry_is_offered_where_it_helps() {
        let helps = |state, trouble: Option<Trouble>| retry_helps(state, trouble.as_ref());
        assert!(helps(RowState::Waiting, Some(Trouble::DiskFull)));
        assert!(!helps(RowState::Waiting, None), "for the connection");
        assert!(helps(RowState::Failed, Some(Trouble::Ended)));
        assert!(!helps(RowState::Failed, Some(Trouble::NoFolders)));
        assert!(!helps(RowState::Failed, Some(Trouble::Changed)));
        assert!(!helps(RowState::Sending, None));
    }

    #[test]
    fn rows_add_up() {
        let totals = of(&[
            row(1, "a", RowState::Sending, (100, 50, 10)),
            row(2, "b", RowState::Stored, (100, 100, 0)),
            row(3, "c", RowState::Paused, (100, 0, 0)),
            row(4, "d", RowState::Failed, (1_000_000, 0, 0)),
        ]);
        assert_eq!(totals.files(), 4);
        assert_eq!(totals.unfinished(), 2);
        assert_eq!(totals.moving(), 1);
        assert_eq!((totals.size, totals.durable), (300, 150));
        assert_eq!(totals.unfinished_durable, 50);
        assert_eq!(totals.percent(), 50);
        assert_eq!(
            totals.left(),
            Some(5_000),
            "the paused one is not waited for"
        );
    }

    proptest! {
        #[test]
        fn what_was_added_can_be_taken_off(
            rows in prop::collection::vec((0..8usize, any::<u64>(), any::<u64>(), any::<u64>()), 0..20),
            gone in prop::collection::vec(any::<bool>(), 20),
        ) {
            let rows: Vec<RowData> = rows
                .into_iter()
                .map(|(state, size, durable, rate)| row(1, "a", STATES[state], (size, durable, rate)))
                .collect();
            let mut totals = of(&rows);
            let (mut left, taken): (Vec<_>, Vec<_>) =
                rows.iter().zip(gone).partition(|(_, gone)| !gone);
            taken.iter().for_each(|(row, _)| totals.take(row));
            let left: Vec<RowData> = left.drain(..).map(|(row, _)| row.clone()).collect();
            prop_assert_eq!(totals, of(&left));
        }
    }
}
