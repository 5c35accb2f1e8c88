//! Where one is in the list, by keyboard: what had the focus keeps it or gives it to the next
//! line, wherever that is.

use leptos::ev;
use leptos::prelude::*;

use super::{Lines, List};
use crate::ui::arrange::Shift;
use crate::ui::browser;
use crate::ui::listing::Item;

impl List {
    /// Goes to a line: it is seen, and one of its controls has the focus.
    fn go(self, item: Item, control: String) {
        let place = self.look(|listing, heights| {
            let line = listing.line(item)?;
            Some((heights.before(line), heights.of(line)))
        });
        if let Some((top, height)) = place {
            browser::scroll_to(self.place, top, height);
            // At once if it can: who holds a key down is not to wait for a picture.
            match browser::focus(self.place, &item.word(), &control) {
                true => self.paint_soon(),
                false => self.focus(item, control),
            }
        }
    }

    /// Gives a line the focus as soon as it is on the page.
    pub fn focus(self, item: Item, control: impl Into<String>) {
        self.lines
            .update_value(|lines| lines.focus = Some((item, control.into())));
        self.paint_soon();
    }

    /// A line that has the focus is about to go: the next one gets it.
    pub fn leave(self, item: Item, control: &str) {
        let next = self.look(|listing, _| {
            let line = listing.line(item)?;
            let above = line.checked_sub(1).and_then(|line| listing.item(line));
            listing.item(line + 1).or(above)
        });
        if let Some(next) = next {
            self.focus(next, control);
        }
    }

    pub(super) fn give_focus(self) {
        let Some((item, control)) = self.lines.with_value(|lines| lines.focus.clone()) else {
            return;
        };
        // In a moment the lines are on the page that were just placed.
        queue_microtask(move || {
            let there = |lines: &Lines| lines.listing.line(item).is_some();
            let Some(there) = self.lines.try_with_value(there) else {
                return;
            };
            if !there || browser::focus(self.place, &item.word(), &control) {
                self.lines.update_value(|lines| lines.focus = None);
            } else {
                self.paint_soon();
            }
        });
    }

    /// A key was pressed in the list.
    pub fn on_key(self, event: &ev::KeyboardEvent) {
        let item = browser::item_of(event.target());
        let Some(item) = item.and_then(|word| Item::parse(&word)) else {
            return;
        };
        if browser::is_in(event.target(), "input, textarea, details[open]") {
            return;
        }
        // Who goes on before the focus got there means where it goes.
        let asked = |lines: &Lines| lines.focus.as_ref().map(|(item, _)| *item);
        let item = self.lines.with_value(asked).unwrap_or(item);
        let plain = !(event.ctrl_key() || event.meta_key() || event.shift_key());
        let control = browser::control_of(event.target()).unwrap_or_default();
        let done = match (event.key().as_str(), event.alt_key()) {
            _ if !plain => false,
            ("ArrowUp", true) => self.shift(item, Shift::Up, control),
            ("ArrowDown", true) => self.shift(item, Shift::Down, control),
            ("ArrowUp", false) => self.step(item, -1, control),
            ("ArrowDown", false) => self.step(item, 1, control),
            ("Home", false) => self.step(item, isize::MIN, control),
            ("End", false) => self.step(item, isize::MAX, control),
            ("F2", false) => self.edit(item),
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    }

    /// Goes so many lines on; whether there is another.
    fn step(self, item: Item, by: isize, control: String) -> bool {
        let next = self.look(|listing, _| {
            let line = listing.line(item)?;
            let last = listing.items().len().checked_sub(1)?;
            let next = line.saturating_add_signed(by).min(last);
            listing.item(next).filter(|_| next != line)
        });
        if let Some(next) = next {
            self.go(next, control);
        }
        next.is_some()
    }

    /// Lets the name of a line be changed, if it still can be.
    pub fn edit(self, item: Item) -> bool {
        let Item::Row(key) = item else {
            return false;
        };
        let row = self.engine.queue(|queue| queue.row(key));
        let fresh = row.is_some_and(|row| row.with_untracked(|row| row.fresh));
        if fresh {
            // The field takes the focus, whoever was to have it next.
            self.lines.update_value(|lines| lines.focus = None);
            self.editing.set(Some(key));
        }
        fresh
    }
}
