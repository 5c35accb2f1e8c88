//! The list of uploads as a person handles it: what they look for, where they are in it,
//! what they move and rename.
//!
//! All that is to be done with the lines on the page is done once for each picture that the
//! browser paints, in [`List::paint`]: however many reports and scrolls there were, the lines
//! are chosen and placed once, and only a few new ones are built.

mod focus;
mod moving;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::vec;

use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;

pub use self::moving::Held;
use crate::port::Key;
use crate::ui::browser;
use crate::ui::engine::Engine;
use crate::ui::heights::Heights;
use crate::ui::listing::{Item, Kind, Listing, Query};
use crate::ui::queue::FolderId;
use crate::ui::window::{Layout, Wanted};

/// How far from what is seen lines are on the page, in pixels.
const AHEAD: f64 = 500.0;
/// What is seen before anything can be measured, in pixels.
const SCREEN: f64 = 900.0;
/// How many lines are built at once: so many fit between two pictures.
const BUILT: usize = 3;
/// How high a line is before one was measured, in pixels.
const ROW: f64 = 94.0;
const FOLDER: f64 = 60.0;

/// The list. `Copy`; find it with [`List::expect`].
#[derive(Clone, Copy)]
pub struct List {
    engine: Engine,
    /// What is looked for.
    pub query: RwSignal<Query>,
    /// How many uploads answer that.
    pub matched: RwSignal<usize>,
    /// The lines on the page.
    layout: RwSignal<Arc<Layout>>,
    /// Its element.
    pub place: NodeRef<Div>,
    /// Whose name is being changed.
    pub editing: RwSignal<Option<Key>>,
    /// What is being moved by the pointer, and where it would land.
    held: RwSignal<Option<Held>>,
    /// What was done, for those who hear it.
    pub said: RwSignal<Option<Said>>,
    lines: StoredValue<Lines>,
}

/// Where something was put.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// What.
    pub name: String,
    /// Which it is now.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

#[derive(Debug, Default)]
struct Lines {
    listing: Arc<Listing>,
    heights: Heights,
    /// How high lines were that were seen.
    known: HashMap<Item, f64>,
    /// How high the last row and the last folder was.
    usual: (Option<f64>, Option<f64>),
    /// Whether others are to be listed.
    stale: bool,
    /// Whether it will be painted.
    due: bool,
    /// What is to have the focus as soon as it is on the page, and which of its controls.
    focus: Option<(Item, String)>,
    /// What was moved by keyboard, from which place, and with which of its controls.
    moved: Option<(Item, (u32, u32), String)>,
}

impl Lines {
    fn height(&self, item: Item) -> f64 {
        let usual = match item {
            Item::Row(_) => self.usual.0.unwrap_or(ROW),
            Item::Folder(_) => self.usual.1.unwrap_or(FOLDER),
        };
        self.known.get(&item).copied().unwrap_or(usual)
    }

    fn list(&mut self, listing: Listing) {
        let heights = listing.items().iter().map(|item| self.height(*item));
        self.heights = Heights::new(heights.collect());
        self.listing = Arc::new(listing);
        self.stale = false;
    }
}

impl Item {
    /// It in `data-item`.
    pub fn word(self) -> String {
        match self {
            Self::Row(key) => format!("row-{}", key.0),
            Self::Folder(folder) => format!("folder-{}", folder.number()),
        }
    }

    /// The opposite of [`Item::word`].
    pub fn parse(word: &str) -> Option<Self> {
        let (kind, number) = word.split_once('-')?;
        let number = number.parse().ok()?;
        match kind {
            "row" => Some(Self::Row(Key(number))),
            "folder" => Some(Self::Folder(FolderId::numbered(number))),
            _ => None,
        }
    }
}

impl List {
    /// Makes the list and provides it to every component below.
    pub fn provide() -> Self {
        let engine = Engine::expect();
        let list = Self {
            engine,
            query: RwSignal::new(Query::default()),
            matched: RwSignal::new(0),
            layout: RwSignal::new(Arc::default()),
            place: NodeRef::new(),
            editing: RwSignal::new(None),
            held: RwSignal::new(None),
            said: RwSignal::new(None),
            lines: StoredValue::new(Lines::default()),
        };
        provide_context(list);
        // Effects run in a browser only.
        Effect::new(move |_| {
            engine.follow(list.query.read().kind != Kind::All);
            list.lines.update_value(|lines| lines.stale = true);
            list.paint_soon();
        });
        Effect::new(move |_| {
            let escape = window_event_listener(ev::keydown, move |event| {
                // Wherever the focus is while the pointer holds something.
                if event.key() == "Escape" {
                    list.on_cancel();
                }
            });
            let listeners = [
                escape,
                window_event_listener(ev::scroll, move |_| list.paint_soon()),
                window_event_listener(ev::resize, move |_| {
                    list.lines.update_value(|lines| lines.usual = (None, None));
                    list.paint_soon();
                }),
            ];
            on_cleanup(move || listeners.into_iter().for_each(|it| it.remove()));
        });
        list
    }

    /// The list provided above this component.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The lines on the page; tracked.
    pub fn layout(self) -> Arc<Layout> {
        self.layout.get()
    }

    /// What is being moved by the pointer; tracked.
    pub fn held(self) -> Option<Held> {
        self.held.get()
    }

    /// Shows everything again.
    pub fn show_all(self) {
        self.query.update(|query| {
            query.words.clear();
            query.kind = Kind::All;
        });
    }

    /// Opens or closes a folder.
    pub fn toggle(self, folder: FolderId) {
        self.query.update(|query| {
            if !query.collapsed.remove(&folder) {
                query.collapsed.insert(folder);
            }
        });
    }

    /// A line is this high.
    pub fn measured(self, item: Item, height: f64) {
        // What is not shown says nothing about its height.
        if height == 0.0 {
            return;
        }
        let grown = self.lines.try_update_value(|lines| {
            match item {
                Item::Row(_) => lines.usual.0.get_or_insert(height),
                Item::Folder(_) => lines.usual.1.get_or_insert(height),
            };
            lines.known.insert(item, height);
            let line = lines.listing.line(item)?;
            let old = lines.heights.of(line);
            lines.heights.set(line, height);
            Some((lines.heights.before(line) + old, height - old))
        });
        if let Some((end, more)) = grown.flatten()
            && more.abs() > 0.5
        {
            browser::stay(self.place, end, more);
            self.paint_soon();
        }
    }

    /// Paints the list once, however often it is asked for.
    fn paint_soon(self) {
        let due = self
            .lines
            .try_update_value(|lines| std::mem::replace(&mut lines.due, true));
        if due == Some(false) {
            browser::soon(move || self.paint());
        }
    }

    fn paint(self) {
        let Some(query) = self.query.try_get_untracked() else {
            return;
        };
        let listing = self
            .lines
            .with_value(|lines| lines.stale)
            .then(|| self.engine.queue(|queue| Listing::new(queue, &query)));
        if let Some(listing) = &listing
            && self.matched.get_untracked() != listing.matched()
        {
            self.matched.set(listing.matched());
        }
        self.scroll_with_held();
        let seen = browser::seen(self.place).unwrap_or(0.0..SCREEN);
        let focused = browser::focused_item(self.place);
        let focused = focused.and_then(|word| Item::parse(&word));
        let held = self.held.get_untracked().map(|held| held.item);
        let layout = self.layout.get_untracked();
        let next = self.lines.try_update_value(|lines| {
            lines.due = false;
            if let Some(listing) = listing {
                lines.list(listing);
            }
            let line = |item: Item| lines.listing.line(item);
            let mut wanted = Wanted::at(&lines.heights, seen, AHEAD);
            let asked = lines.focus.as_ref().map(|(item, _)| *item);
            wanted.kept = held.or(asked).or(focused).and_then(line);
            let there: BTreeSet<usize> = layout.items().filter_map(line).collect();
            let (chosen, all) = wanted.lines(&there, BUILT);
            let steps = Layout::steps(&lines.listing, &lines.heights, &there, &chosen);
            (steps, all)
        });
        let Some((steps, all)) = next else {
            return;
        };
        if !all || held.is_some() {
            self.paint_soon();
        }
        self.lay(steps.into_iter());
    }

    /// Takes these steps, all of them before the next picture.
    fn lay(self, mut steps: vec::IntoIter<Layout>) {
        let Some(next) = steps.next() else {
            self.say_moved();
            self.give_focus();
            return;
        };
        let same = self.layout.try_with_untracked(|layout| **layout == next);
        match same {
            None => {}
            Some(true) => self.lay(steps),
            Some(false) => {
                self.layout.set(Arc::new(next));
                // By then the effects of this step have run.
                queue_microtask(move || self.lay(steps));
            }
        }
    }

    /// Looks at the lines.
    fn look<T>(self, look: impl FnOnce(&Listing, &Heights) -> T) -> T {
        self.lines
            .with_value(|lines| look(&lines.listing, &lines.heights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_word() {
        for item in [Item::Row(Key(7)), Item::Folder(FolderId::numbered(3))] {
            assert_eq!(Item::parse(&item.word()), Some(item));
        }
        assert_eq!(Item::parse("row-x"), None);
    }
}
