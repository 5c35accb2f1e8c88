//! Where an upload is put in the list: among the files of its folder, or among the folders
//! and the files that came without one.

use super::heights::Heights;
use super::listing::{Item, Listing};
use super::queue::Queue;
use crate::port::{Key, RowState};

/// A way to move something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Before the one above it.
    Up,
    /// Behind the one below it.
    Down,
    /// Before all that waits.
    Top,
    /// Behind all others.
    End,
}

/// The line before which something is put that moves this way; nothing if it is there.
pub fn shifted(listing: &Listing, queue: &Queue, line: usize, shift: Shift) -> Option<usize> {
    match shift {
        Shift::Up => listing.beside(line, false),
        Shift::Down => Some(after(listing, listing.beside(line, true)?)),
        Shift::Top => {
            let first = listing.inside(line).map_or(0, |group| group.head + 1);
            let level = std::iter::successors(Some(first), |line| listing.beside(*line, true));
            let mut waiting = level.filter(|line| waits(listing, queue, *line));
            waiting.next().filter(|first| *first < line)
        }
        Shift::End => {
            let end = listing.inside(line).map(|group| group.end);
            let end = end.unwrap_or(listing.items().len());
            (after(listing, line) < end).then_some(end)
        }
    }
}

/// The line before which something is put that is let go of at a height; nothing if it is
/// there.
pub fn dropped(listing: &Listing, heights: &Heights, line: usize, y: f64) -> Option<usize> {
    let at = heights.at(y);
    let (start, end) = match listing.inside(line) {
        Some(group) => {
            let at = at.clamp(group.head + 1, group.end - 1);
            (at, at + 1)
        }
        None => match listing.group(at) {
            Some(group) => (group.head, group.end),
            None => (at, at + 1),
        },
    };
    let middle = (heights.before(start) + heights.before(end)) / 2.0;
    let to = if y < middle { start } else { end };
    (to != line && to != after(listing, line)).then_some(to)
}

/// The upload before which something is put that is put before a line; nothing at the end.
/// `inside` is the line that is put there.
pub fn target(listing: &Listing, queue: &Queue, inside: usize, to: usize) -> Option<Key> {
    let end = listing.inside(inside).is_some_and(|group| group.end == to);
    let item = listing.item(to).filter(|_| !end);
    match item {
        Some(Item::Row(key)) => Some(key),
        Some(Item::Folder(folder)) => queue.files_of(folder).first().copied(),
        // Behind the last that is shown there may be others.
        None => {
            let last = match listing.item(to.checked_sub(1)?)? {
                Item::Row(key) => key,
                Item::Folder(folder) => queue.files_of(folder).last().copied()?,
            };
            queue.after(last)
        }
    }
}

/// The uploads that move with a line.
pub fn moved(queue: &Queue, item: Item) -> Vec<Key> {
    match item {
        Item::Row(key) => vec![key],
        Item::Folder(folder) => queue.files_of(folder),
    }
}

/// Whether something waits for its turn: that can be put elsewhere.
pub fn waits(listing: &Listing, queue: &Queue, line: usize) -> bool {
    match listing.item(line) {
        Some(Item::Row(key)) => queue.state(key) == Some(RowState::Queued),
        Some(Item::Folder(folder)) => queue.waits_in(folder),
        None => false,
    }
}

/// The line after something and all that belongs to it.
fn after(listing: &Listing, line: usize) -> usize {
    match listing.group(line) {
        Some(group) if group.head == line => group.end,
        _ => line + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::Query;
    use super::super::rows::tests::row;
    use super::*;

    /// 0: stored · 1, 2 · 3: a folder of 4, 5, 6 · 7.
    fn list() -> (Queue, Listing, Heights) {
        let mut queue = Queue::default();
        for (key, path) in (0..).zip(["a", "b", "c", "trip/d", "trip/e", "trip/f", "g"]) {
            let state = match key {
                0 => RowState::Stored,
                _ => RowState::Queued,
            };
            queue.put(row(key, path, state, (1, 0, 0)));
        }
        let listing = Listing::new(&queue, &Query::default());
        let heights = Heights::new(vec![10.0; listing.items().len()]);
        (queue, listing, heights)
    }

    #[test]
    fn one_step_passes_a_file_or_a_whole_folder() {
        let (queue, listing, _) = list();
        let to = |line, shift| shifted(&listing, &queue, line, shift);
        assert_eq!(to(2, Shift::Up), Some(1));
        assert_eq!(to(2, Shift::Down), Some(7));
        assert_eq!(to(7, Shift::Up), Some(3));
        assert_eq!(to(7, Shift::Down), None);
        assert_eq!(to(4, Shift::Up), None, "it stays in its folder");
        assert_eq!(to(4, Shift::Down), Some(6));
        assert_eq!(to(3, Shift::Down), Some(8));
        assert_eq!(to(7, Shift::Top), Some(1), "behind what is not waiting");
        assert_eq!(to(1, Shift::Top), None);
        assert_eq!(to(6, Shift::Top), Some(4));
        assert_eq!(to(4, Shift::End), Some(7));
        assert_eq!(to(3, Shift::End), Some(8));
        assert_eq!(to(7, Shift::End), None);
    }

    #[test]
    fn what_is_let_go_of_lands_at_the_nearest_place_of_its_level() {
        let (_, listing, heights) = list();
        let to = |line, y| dropped(&listing, &heights, line, y);
        assert_eq!(to(1, 26.0), Some(3));
        assert_eq!(to(1, 17.0), None, "where it was");
        assert_eq!(to(1, 45.0), Some(3), "in the upper half of the folder");
        assert_eq!(to(1, 65.0), Some(7));
        assert_eq!(to(1, 500.0), Some(8));
        assert_eq!(to(5, 500.0), Some(7), "the end of its folder");
        assert_eq!(to(6, -9.0), Some(4));
    }

    #[test]
    fn the_target_is_an_upload_also_where_it_is_not_shown() {
        let (queue, listing, _) = list();
        assert_eq!(target(&listing, &queue, 1, 3), Some(Key(3)));
        assert_eq!(target(&listing, &queue, 4, 7), Some(Key(6)));
        assert_eq!(target(&listing, &queue, 1, 8), None);
        let query = Query {
            words: vec!["b".into()],
            ..Query::default()
        };
        let narrow = Listing::new(&queue, &query);
        assert_eq!(target(&narrow, &queue, 0, 1), Some(Key(2)));
        let folder = listing.item(3).map(|folder| moved(&queue, folder));
        assert_eq!(folder, Some(vec![Key(3), Key(4), Key(5)]));
    }
}
