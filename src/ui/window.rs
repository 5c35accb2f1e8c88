//! Which lines of the list are on the page, and how much space there is between them.
//!
//! On the page are the lines near what is seen, the heads of their folders, and what has to
//! stay wherever one scrolls: what has the focus, and its neighbours, so that Tab leads to
//! them. All others are space, as high as they were or are thought to be.

use std::collections::BTreeSet;
use std::ops::Range;

use super::heights::Heights;
use super::listing::{Item, Listing};
use super::queue::FolderId;
use crate::port::Key;

/// The lines that are to be on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What is seen.
    pub seen: Range<usize>,
    /// What may be seen next.
    pub near: Range<usize>,
    /// What has to stay.
    pub kept: Option<usize>,
}

impl Wanted {
    /// What is seen and near at these heights: `ahead` is how far it is near.
    pub fn at(heights: &Heights, seen: Range<f64>, ahead: f64) -> Self {
        let lines = |from: f64, to: f64| match heights.is_empty() || to <= 0.0 {
            true => 0..0,
            false => heights.at(from)..heights.at(to) + 1,
        };
        Self {
            seen: lines(seen.start, seen.end),
            near: lines(seen.start - ahead, seen.end + ahead),
            kept: None,
        }
    }

    /// The lines to have on the page next, and whether these are all: of those that are not
    /// `there` yet, only so many at once, for to build one takes time. Those that are seen
    /// come first.
    pub fn lines(&self, there: &BTreeSet<usize>, most: usize) -> (BTreeSet<usize>, bool) {
        let kept = self
            .kept
            .map(|line| line.saturating_sub(1)..line + 2)
            .unwrap_or_default();
        let mut lines: BTreeSet<usize> = kept.collect();
        let near = self.near.clone();
        lines.extend(there.range(near.clone()));
        let (above, below) = (near.start..self.seen.start, self.seen.end..near.end);
        let next = self.seen.clone().chain(below).chain(above.rev());
        let mut left = most;
        for line in next {
            if !lines.contains(&line) {
                if left == 0 {
                    return (lines, false);
                }
                left -= 1;
                lines.insert(line);
            }
        }
        (lines, true)
    }
}

/// The lines on the page, and the space between them. They are few: one is found by looking
/// through all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Those on the upper level.
    pub tops: Vec<Item>,
    spots: Vec<(Item, Spot)>,
    folders: Vec<(FolderId, Inside)>,
    /// The space below the last line, in pixels.
    pub tail: f64,
}

/// What is on the page of a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inside {
    /// Its files.
    pub files: Vec<Key>,
    /// The space below the last of them, in pixels.
    pub tail: f64,
}

/// Where a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// Which it is on its level, from one.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// The space above it, in pixels.
    pub gap: f64,
}

impl Layout {
    /// With these lines on the page.
    pub fn new(listing: &Listing, heights: &Heights, lines: &BTreeSet<usize>) -> Self {
        let mut layout = Self::default();
        // Where the last line on each level ends.
        let (mut end, mut inner) = (0.0, 0.0);
        let mut open = None;
        for &line in lines {
            let Some(item) = listing.item(line) else {
                continue;
            };
            let group = listing.group(line);
            let (first, after) = group.map_or((line, line + 1), |group| (group.head, group.end));
            if open != Some(first) {
                open = Some(first);
                let top = group.map_or(item, |group| Item::Folder(group.folder));
                layout.tops.push(top);
                layout.spot(listing, first, top, heights.before(first) - end);
                end = heights.before(after);
                inner = heights.before(first + 1);
                if let Some(group) = group {
                    let inside = Inside {
                        tail: end - inner,
                        ..Inside::default()
                    };
                    layout.folders.push((group.folder, inside));
                }
            }
            if let (Some((_, inside)), Item::Row(key)) = (layout.folders.last_mut(), item)
                && group.is_some()
            {
                let gap = heights.before(line) - inner;
                inner = heights.before(line + 1);
                inside.files.push(key);
                inside.tail = end - inner;
                layout.spot(listing, line, item, gap);
            }
        }
        layout.tail = heights.total() - end;
        layout
    }

    /// How these lines come to be on the page where those are `there`: first those that go are
    /// gone, then each of the others comes by itself.
    ///
    /// Leptos tells what moves in a keyed list from what is moved by others only if one thing
    /// changes at a time; what it takes for moved, it takes out of the page and puts in again,
    /// and that loses the focus.
    pub fn steps(
        listing: &Listing,
        heights: &Heights,
        there: &BTreeSet<usize>,
        lines: &BTreeSet<usize>,
    ) -> Vec<Self> {
        let mut now = there & lines;
        let mut steps = vec![Self::new(listing, heights, &now)];
        for line in lines - &now {
            now.insert(line);
            steps.push(Self::new(listing, heights, &now));
        }
        steps
    }

    fn spot(&mut self, listing: &Listing, line: usize, item: Item, gap: f64) {
        let (number, of) = listing.place(line);
        // What is less than this is a matter of rounding.
        let gap = if gap < 0.01 { 0.0 } else { gap };
        self.spots.push((item, Spot { number, of, gap }));
    }

    /// Where something is, if it is on the page.
    pub fn at(&self, item: Item) -> Option<Spot> {
        let mut spots = self.spots.iter();
        spots
            .find(|(other, _)| *other == item)
            .map(|(_, spot)| *spot)
    }

    /// All that is on the page.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        self.spots.iter().map(|(item, _)| *item)
    }

    /// What is on the page of a folder.
    pub fn inside(&self, folder: FolderId) -> Option<&Inside> {
        let mut folders = self.folders.iter();
        folders
            .find(|(other, _)| *other == folder)
            .map(|(_, inside)| inside)
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::Query;
    use super::super::queue::Queue;
    use super::super::rows::tests::row;
    use super::*;
    use crate::port::RowState;

    fn heights(count: usize) -> Heights {
        Heights::new(vec![10.0; count])
    }

    fn set(lines: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        lines.into_iter().collect()
    }

    #[test]
    fn what_is_near_is_on_the_page() {
        let wanted = Wanted::at(&heights(100), 200.0..250.0, 30.0);
        assert_eq!((wanted.seen.clone(), wanted.near.clone()), (20..26, 17..29));
        assert_eq!(wanted.lines(&set([]), 99), (set(17..29), true));
        let above = Wanted::at(&heights(100), -500.0..-10.0, 100.0);
        assert_eq!((above.seen, above.near), (0..0, 0..10));
        let nothing = Wanted::at(&heights(0), 0.0..100.0, 100.0);
        assert_eq!(nothing.lines(&set([]), 99), (set([]), true));
    }

    #[test]
    fn what_is_seen_comes_first_and_little_at_once() {
        let wanted = Wanted::at(&heights(100), 200.0..229.0, 30.0);
        let (lines, all) = wanted.lines(&set([]), 4);
        assert_eq!((lines.clone(), all), (set(20..24), false));
        let (lines, all) = wanted.lines(&lines, 4);
        assert_eq!(
            (lines, all),
            (set(19..26).union(&set([18])).copied().collect(), false)
        );
    }

    #[test]
    fn what_has_the_focus_stays_with_its_neighbours() {
        let mut wanted = Wanted::at(&heights(100), 500.0..520.0, 0.0);
        wanted.kept = Some(3);
        let (lines, _) = wanted.lines(&set([7, 50]), 99);
        assert_eq!(lines, set([2, 3, 4, 50, 51, 52]));
    }

    #[test]
    fn lines_go_together_and_come_one_by_one() {
        let mut queue = Queue::default();
        for key in 0..9 {
            queue.put(row(key, &key.to_string(), RowState::Queued, (1, 0, 0)));
        }
        let listing = Listing::new(&queue, &Query::default());
        let steps = Layout::steps(&listing, &heights(9), &set([0, 1, 5, 6]), &set(3..8));
        let tops = |step: &Layout| step.tops.iter().map(|item| item.word()).collect::<String>();
        let tops: Vec<String> = steps.iter().map(tops).collect();
        let words = |keys: &[u64]| {
            keys.iter()
                .map(|key| format!("row-{key}"))
                .collect::<String>()
        };
        assert_eq!(
            tops,
            [
                words(&[5, 6]),
                words(&[3, 5, 6]),
                words(&[3, 4, 5, 6]),
                words(&[3, 4, 5, 6, 7]),
            ]
        );
        assert_eq!(
            steps.last(),
            Some(&Layout::new(&listing, &heights(9), &set(3..8)))
        );
    }

    #[test]
    fn space_stands_for_all_that_is_not_there() {
        let mut queue = Queue::default();
        for key in 0..10 {
            let path = match key {
                3..8 => format!("trip/{key}"),
                _ => key.to_string(),
            };
            queue.put(row(key, &path, RowState::Queued, (1, 0, 0)));
        }
        // 0 1 2 / 3 4 5 6 7 8 9, the folder being line 3.
        let listing = Listing::new(&queue, &Query::default());
        let layout = Layout::new(&listing, &heights(11), &set([1, 6, 7, 10]));
        let trip = FolderId::numbered(0);
        let tops = [Item::Row(Key(1)), Item::Folder(trip), Item::Row(Key(9))];
        assert_eq!(layout.tops, tops);
        let gap = |item| layout.at(item).map(|spot| spot.gap);
        assert_eq!(gap(tops[0]), Some(10.0));
        assert_eq!(gap(tops[1]), Some(10.0), "line 2 is missing");
        assert_eq!(gap(tops[2]), Some(10.0), "line 9 is missing");
        let inside = layout.inside(trip).cloned().unwrap_or_default();
        assert_eq!(inside.files, [Key(5), Key(6)]);
        assert_eq!(inside.tail, 10.0);
        assert_eq!(gap(Item::Row(Key(5))), Some(20.0));
        assert_eq!(gap(Item::Row(Key(6))), Some(0.0));
        assert_eq!(layout.tail, 0.0);
        let place = layout.at(Item::Row(Key(6))).map(|it| (it.number, it.of));
        assert_eq!(place, Some((4, 5)));
    }
}
