//! The rows of this page's uploads as reactive data, and what they add up to.

use std::sync::Arc;

use reactive_stores::{AtKeyed, Patch, Store};

use crate::port::{Key, Note, Row, RowState};
use crate::protocol::id::FileId;
use crate::protocol::trouble::{Class, Trouble};
use crate::verify::Root;

/// All uploads of this page. A row is found by its key; its fields are signals.
#[derive(Debug, Default, Store)]
pub struct Uploads {
    /// The rows, in the order of the list.
    #[store(key: Key = |row| row.key)]
    pub rows: Vec<RowData>,
}

/// One row of the store. See [`Row`] for what comes from the engine.
#[derive(Clone, Debug, PartialEq, Store, Patch)]
pub struct RowData {
    /// Its name within the engine; it never changes, [`AtKeyed::key`] gives it.
    #[store(skip)]
    #[patch(|this, new| *this = new)]
    pub key: Key,
    /// The file's own name.
    pub name: String,
    /// The folders above it, without the last `/`; empty if there are none.
    pub folder: String,
    /// Length in bytes.
    pub size: u64,
    /// The media type; empty if unknown.
    pub media_type: String,
    /// What happens to it.
    #[patch(|this, new| *this = new)]
    pub state: RowState,
    /// Bytes received and verified by the server.
    pub received: u64,
    /// Bytes durable on the server.
    pub durable: u64,
    /// Bytes per second.
    pub rate: u64,
    /// Milliseconds left.
    pub left: Option<u64>,
    /// What went wrong.
    #[patch(|this, new| *this = new)]
    pub trouble: Option<Trouble>,
    /// A quiet line.
    #[patch(|this, new| *this = new)]
    pub note: Option<Note>,
    /// Whether the browser can be asked for its file.
    pub handle: bool,
    /// Its name in links.
    #[patch(|this, new| *this = new)]
    pub id: Option<FileId>,
    /// Its digest.
    #[patch(|this, new| *this = new)]
    pub digest: Option<Root>,
    /// An object URL that shows it, where it is an image that this page was given.
    pub preview: Option<Arc<str>>,
}

impl RowData {
    /// The row that the engine reported, with the picture that the page has of it.
    pub fn new(row: Row, preview: Option<Arc<str>>) -> Self {
        let (folder, name) = split(&row.path);
        Self {
            key: row.key,
            name: name.to_owned(),
            folder: folder.to_owned(),
            size: row.size,
            media_type: row.media_type,
            state: row.state,
            received: row.received,
            durable: row.durable,
            rate: row.rate,
            left: row.left,
            trouble: row.trouble,
            note: row.note,
            handle: row.handle,
            id: row.id,
            digest: row.digest,
            preview,
        }
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

/// Gives access to the signals of one row: `row.state().try_get()` and so on. They
/// give `None` once the row is gone.
pub type RowHandle = AtKeyed<Store<Uploads>, Uploads, Key, Vec<RowData>>;

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

/// All rows added up.
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
    /// Milliseconds left for what moves or will move by itself.
    pub left: Option<u64>,
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
    /// Adds up these rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a RowData>) -> Self {
        let mut totals = Self::default();
        let mut coming = 0u64;
        for row in rows {
            totals.counts[index(row.state)] += 1;
            totals.retryable += u32::from(retry_helps(row.state, row.trouble.as_ref()));
            totals.held += u32::from(holds_file(row.state, row.handle));
            if row.state == RowState::Failed {
                continue;
            }
            totals.size = totals.size.saturating_add(row.size);
            totals.received = totals.received.saturating_add(row.received);
            totals.durable = totals.durable.saturating_add(row.durable);
            if row.state != RowState::Stored {
                totals.unfinished_durable = totals.unfinished_durable.saturating_add(row.durable);
            }
            totals.rate = totals.rate.saturating_add(row.rate);
            if matches!(
                row.state,
                RowState::Queued | RowState::Sending | RowState::Waiting | RowState::Verifying
            ) {
                coming = coming.saturating_add(row.size.saturating_sub(row.durable));
            }
        }
        totals.left = (coming > 0)
            .then(|| (u128::from(coming) * 1000).checked_div(u128::from(totals.rate)))
            .flatten()
            .and_then(|left| u64::try_from(left).ok());
        totals
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

    /// Durable per cent of everything that did not fail.
    pub fn percent(&self) -> u8 {
        let all = self.unfinished() == 0 && !self.fell_short();
        percent(self.durable, self.size, all)
    }
}

fn index(state: RowState) -> usize {
    STATES.iter().position(|s| *s == state).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u32, state: RowState, size: u64, durable: u64, rate: u64) -> RowData {
        let row = Row {
            key: Key(key),
            order: key.into(),
            path: format!("folder/{key}.bin"),
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
        };
        RowData::new(row, None)
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
        let stored = row(1, RowState::Stored, 5, 5, 0);
        let failed = row(2, RowState::Failed, 2_000_000, 0, 0);
        assert_eq!(Totals::of([&stored]).percent(), 100);
        assert!(!Totals::of([&stored]).fell_short());
        assert_eq!(Totals::of([&stored, &failed]).percent(), 99);
        assert!(Totals::of([&stored, &failed]).fell_short());
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
        let totals = Totals::of(&[
            row(1, RowState::Sending, 100, 50, 10),
            row(2, RowState::Stored, 100, 100, 0),
            row(3, RowState::Paused, 100, 0, 0),
            row(4, RowState::Failed, 1_000_000, 0, 0),
        ]);
        assert_eq!(totals.files(), 4);
        assert_eq!(totals.unfinished(), 2);
        assert_eq!(totals.moving(), 1);
        assert_eq!((totals.size, totals.durable), (300, 150));
        assert_eq!(totals.unfinished_durable, 50);
        assert_eq!(totals.percent(), 50);
        assert_eq!(totals.left, Some(5_000), "the paused one is not waited for");
    }
}
