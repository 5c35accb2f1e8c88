//! What of the uploads is shown, and in which order: a list of files, and of folders with
//! their files below them.
//!
//! A folder is where the first of its files is. Files that came without one stand by
//! themselves.

use std::collections::{HashMap, HashSet};

use super::queue::{FolderId, Glimpse, Queue};
use crate::port::{Key, RowState};

/// Which uploads a person wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// All of them.
    #[default]
    All,
    /// What is on its way.
    Sending,
    /// What waits: for its turn, for a person, for the connection.
    Waiting,
    /// What has arrived.
    Stored,
    /// What cannot go on.
    Failed,
    /// What needs its file again.
    NeedsFile,
}

impl Kind {
    /// All of them, as they are offered.
    pub const ALL: [Self; 6] = [
        Self::All,
        Self::Sending,
        Self::Waiting,
        Self::Stored,
        Self::Failed,
        Self::NeedsFile,
    ];

    /// Whether an upload in this state is of this kind.
    pub fn includes(self, state: RowState) -> bool {
        match self {
            Self::All => true,
            Self::Sending => matches!(state, RowState::Sending | RowState::Verifying),
            Self::Waiting => matches!(
                state,
                RowState::Queued | RowState::Paused | RowState::Waiting
            ),
            Self::Stored => state == RowState::Stored,
            Self::Failed => state == RowState::Failed,
            Self::NeedsFile => state == RowState::NeedsFile,
        }
    }
}

/// What a person looks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// In the path, folded; every word of it.
    pub words: Vec<String>,
    /// Which of them.
    pub kind: Kind,
    /// Folders whose files are not shown.
    pub collapsed: HashSet<FolderId>,
}

impl Query {
    /// Whether something is looked for.
    pub fn is_narrow(&self) -> bool {
        !self.words.is_empty() || self.kind != Kind::All
    }

    fn matches(&self, it: &Glimpse<'_>) -> bool {
        self.kind.includes(it.state) && self.words.iter().all(|word| it.folded.contains(word))
    }

    /// Whether the files of a folder are shown: what was searched for always is.
    pub fn opens(&self, folder: FolderId) -> bool {
        !self.words.is_empty() || !self.collapsed.contains(&folder)
    }
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// The head of a folder; its files follow.
    Folder(FolderId),
    /// An upload.
    Row(Key),
}

/// A folder in the list, by the numbers of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which.
    pub folder: FolderId,
    /// Its own line.
    pub head: usize,
    /// The line after its last.
    pub end: usize,
    /// How many of its files are shown, or would be if it were open.
    pub files: usize,
}

/// The lines of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    items: Vec<Item>,
    /// Which each of them is, and of how many, on its level.
    places: Vec<(u32, u32)>,
    groups: Vec<Group>,
    lines: HashMap<Item, usize>,
    matched: usize,
}

impl Listing {
    /// What of the queue answers the query.
    pub fn new(queue: &Queue, query: &Query) -> Self {
        enum Top {
            Row(Key),
            Folder(usize),
        }
        let mut tops = Vec::new();
        let mut folders: Vec<(FolderId, Vec<Key>)> = Vec::new();
        // Which of these each folder is, by its number.
        let mut known: Vec<Option<usize>> = Vec::new();
        let mut matched = 0;
        for it in queue.glimpses().filter(|it| query.matches(it)) {
            matched += 1;
            match it.folder {
                None => tops.push(Top::Row(it.key)),
                Some(id) => {
                    let number = id.number() as usize;
                    if known.len() <= number {
                        known.resize(number + 1, None);
                    }
                    let index = *known[number].get_or_insert_with(|| {
                        tops.push(Top::Folder(folders.len()));
                        folders.push((id, Vec::new()));
                        folders.len() - 1
                    });
                    folders[index].1.push(it.key);
                }
            }
        }
        let mut listing = Self {
            matched,
            ..Self::default()
        };
        let of = tops.len() as u32;
        for (top, number) in tops.iter().zip(1..) {
            match top {
                Top::Row(key) => listing.push(Item::Row(*key), (number, of)),
                Top::Folder(index) => {
                    let (folder, keys) = &folders[*index];
                    let head = listing.items.len();
                    listing.push(Item::Folder(*folder), (number, of));
                    if query.opens(*folder) {
                        let of = keys.len() as u32;
                        for (key, number) in keys.iter().zip(1..) {
                            listing.push(Item::Row(*key), (number, of));
                        }
                    }
                    listing.groups.push(Group {
                        folder: *folder,
                        head,
                        end: listing.items.len(),
                        files: keys.len(),
                    });
                }
            }
        }
        listing
    }

    fn push(&mut self, item: Item, place: (u32, u32)) {
        self.lines.insert(item, self.items.len());
        self.items.push(item);
        self.places.push(place);
    }

    /// All lines.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How many uploads answer the query, those in closed folders too.
    pub fn matched(&self) -> usize {
        self.matched
    }

    /// What is in a line.
    pub fn item(&self, line: usize) -> Option<Item> {
        self.items.get(line).copied()
    }

    /// Where something is.
    pub fn line(&self, item: Item) -> Option<usize> {
        self.lines.get(&item).copied()
    }

    /// Which something is on its level, from one, and of how many.
    pub fn place(&self, line: usize) -> (u32, u32) {
        self.places.get(line).copied().unwrap_or_default()
    }

    /// The folder in whose lines this one is, its own included.
    pub fn group(&self, line: usize) -> Option<&Group> {
        let after = self.groups.partition_point(|group| group.head <= line);
        let group = self.groups.get(after.checked_sub(1)?)?;
        (line < group.end).then_some(group)
    }

    /// The folder in which a line is, below its head.
    pub fn inside(&self, line: usize) -> Option<&Group> {
        self.group(line).filter(|group| group.head != line)
    }

    /// The line on the same level before or after this one.
    pub fn beside(&self, line: usize, down: bool) -> Option<usize> {
        let inside = self.inside(line);
        let next = match (down, self.group(line)) {
            (true, Some(group)) if group.head == line => group.end,
            (true, _) => line + 1,
            (false, _) => line.checked_sub(1)?,
        };
        match inside {
            Some(group) => (group.head < next && next < group.end).then_some(next),
            None if next >= self.items.len() => None,
            // Above, there may be a folder with its files.
            None => Some(self.group(next).map_or(next, |group| group.head)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::row;
    use super::*;

    fn queue() -> Queue {
        let mut queue = Queue::default();
        for (key, path, state) in [
            (1, "Alpha.txt", RowState::Stored),
            (2, "trip/one.jpg", RowState::Sending),
            (3, "beta.txt", RowState::Queued),
            (4, "trip/two.jpg", RowState::Queued),
            (5, "other/one.txt", RowState::Failed),
        ] {
            queue.put(row(key, path, state, (10, 0, 0)));
        }
        queue
    }

    /// `/` for a folder, else the key.
    fn lines(listing: &Listing) -> String {
        let line = |item: &Item| match item {
            Item::Folder(_) => "/".to_owned(),
            Item::Row(key) => key.0.to_string(),
        };
        listing.items().iter().map(line).collect()
    }

    #[test]
    fn a_folder_is_where_its_first_file_is() {
        let listing = Listing::new(&queue(), &Query::default());
        assert_eq!(lines(&listing), "1/243/5");
        assert_eq!(listing.matched(), 5);
        let places: Vec<_> = (0..7).map(|line| listing.place(line)).collect();
        let whole = [(1, 4), (2, 4), (1, 2), (2, 2), (3, 4), (4, 4), (1, 1)];
        assert_eq!(places, whole);
        assert_eq!(listing.inside(3).map(|group| group.head), Some(1));
        assert_eq!(listing.inside(1), None);
        assert_eq!(listing.group(4), None);
        assert_eq!(listing.line(Item::Row(Key(3))), Some(4));
    }

    #[test]
    fn who_is_beside_is_on_the_same_level() {
        let listing = Listing::new(&queue(), &Query::default());
        let walk = |down: bool| {
            (0..7)
                .map(|line| listing.beside(line, down))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            walk(true),
            [Some(1), Some(4), Some(3), None, Some(5), None, None]
        );
        assert_eq!(
            walk(false),
            [None, Some(0), None, Some(2), Some(1), Some(4), None]
        );
    }

    #[test]
    fn every_word_is_looked_for_in_the_path() {
        let queue = queue();
        let find = |words: &[&str], kind| {
            let query = Query {
                words: words.iter().map(|word| word.to_string()).collect(),
                kind,
                ..Query::default()
            };
            lines(&Listing::new(&queue, &query))
        };
        assert_eq!(find(&["one"], Kind::All), "/2/5");
        assert_eq!(find(&["trip", "one"], Kind::All), "/2");
        assert_eq!(find(&["alpha"], Kind::All), "1");
        assert_eq!(find(&["trip"], Kind::Waiting), "/4");
        assert_eq!(find(&[], Kind::Failed), "/5");
        assert_eq!(find(&["nothing"], Kind::All), "");
    }

    #[test]
    fn a_closed_folder_is_one_line_until_something_is_searched_in_it() {
        let queue = queue();
        let trip = FolderId::numbered(0);
        assert_eq!(queue.folder_of(Key(2)), Some(trip));
        let mut query = Query::default();
        query.collapsed.insert(trip);
        let listing = Listing::new(&queue, &query);
        assert_eq!(lines(&listing), "1/3/5");
        assert_eq!(listing.matched(), 5);
        assert_eq!(listing.group(1).map(|group| group.files), Some(2));
        assert_eq!(listing.beside(1, true), Some(2));
        query.words.push("two".into());
        assert_eq!(lines(&Listing::new(&queue, &query)), "/4");
    }
}
