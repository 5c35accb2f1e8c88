//! Which files of a list are chosen: one by one, from one to another, or all.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::protocol::id::FileId;

/// The chosen files of one page of the list. A copy is the same selection.
#[derive(Clone, Copy)]
pub struct Selection {
    /// What is shown, in order.
    shown: Signal<Vec<FileId>>,
    chosen: RwSignal<Chosen>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chosen {
    ids: BTreeSet<FileId>,
    /// Where the next range begins: the file that was chosen or let go last.
    anchor: Option<FileId>,
}

impl Chosen {
    /// Chooses a file or lets it go; with `range`, all between it and the anchor too.
    fn set(&mut self, shown: &[FileId], id: FileId, on: bool, range: bool) {
        let at = |id: FileId| shown.iter().position(|other| *other == id);
        let from = self.anchor.filter(|_| range).and_then(at);
        let all = match (from, at(id)) {
            (Some(from), Some(to)) => &shown[from.min(to)..=from.max(to)],
            _ => &[id][..],
        };
        for id in all {
            if on {
                self.ids.insert(*id);
            } else {
                self.ids.remove(id);
            }
        }
        self.anchor = Some(id);
    }
}

impl Selection {
    /// Nothing is chosen of what is shown.
    pub fn new(shown: Signal<Vec<FileId>>) -> Self {
        Self {
            shown,
            chosen: RwSignal::default(),
        }
    }

    /// Whether a file is chosen; tracked.
    pub fn has(self, id: FileId) -> bool {
        self.chosen.read().ids.contains(&id)
    }

    /// The chosen files that are shown, in order; tracked.
    pub fn ids(self) -> Vec<FileId> {
        let chosen = self.chosen.read();
        let mut ids = self.shown.get();
        ids.retain(|id| chosen.ids.contains(id));
        ids
    }

    /// Chooses a file or lets it go; with `range`, all between it and the last one too.
    pub fn set(self, id: FileId, on: bool, range: bool) {
        let shown = self.shown.get_untracked();
        self.chosen
            .update(|chosen| chosen.set(&shown, id, on, range));
    }

    /// Chooses all that is shown, or nothing.
    pub fn set_all(self, on: bool) {
        let ids = match on {
            true => self.shown.get_untracked().into_iter().collect(),
            false => BTreeSet::new(),
        };
        self.chosen.set(Chosen { ids, anchor: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<const N: usize>(numbers: [u8; N]) -> [FileId; N] {
        numbers.map(|n| FileId::from_bytes([n; 16]))
    }

    #[test]
    fn a_range_goes_from_the_last_one_in_either_direction() {
        let shown = ids([5, 3, 9, 1, 7]);
        let [five, three, nine, one, seven] = shown;
        let mut chosen = Chosen::default();
        chosen.set(&shown, one, true, true);
        assert_eq!(chosen.ids, [one].into());
        chosen.set(&shown, three, true, true);
        assert_eq!(chosen.ids, [one, nine, three].into());
        chosen.set(&shown, seven, true, false);
        chosen.set(&shown, nine, false, true);
        assert_eq!(chosen.ids, [three].into());
        // Where the anchor is not shown any more, there is no range.
        chosen.set(&shown[..2], five, true, true);
        assert_eq!(chosen.ids, [five, three].into());
    }
}
