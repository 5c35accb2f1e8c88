//! What a person puts elsewhere in the list, by keyboard or with the pointer.

use leptos::ev;
use leptos::prelude::*;

use super::{List, Said};
use crate::port::Command;
use crate::ui::arrange::{self, Shift};
use crate::ui::browser;
use crate::ui::listing::Item;

/// Something that is moved by the pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// What.
    pub item: Item,
    /// Where the pointer is, in pixels from the top of the window.
    y: f64,
    /// The line before which it would land.
    to: Option<usize>,
    /// Where that is, in pixels from the top of the list.
    pub mark: Option<f64>,
}

impl List {
    /// Moves a line, with the keyboard on one of its controls; whether it can be moved so.
    pub fn shift(self, item: Item, shift: Shift, control: impl Into<String>) -> bool {
        let to = self.look(|listing, _| {
            let line = listing.line(item)?;
            let to = self.engine.queue(|queue| {
                let waits = arrange::waits(listing, queue, line);
                waits.then(|| arrange::shifted(listing, queue, line, shift))?
            })?;
            Some((line, to, listing.place(line)))
        });
        let Some((line, to, place)) = to else {
            return false;
        };
        self.put(item, line, to);
        let moved = Some((item, place, control.into()));
        self.lines.update_value(|lines| lines.moved = moved);
        true
    }

    fn put(self, item: Item, line: usize, to: usize) {
        let (keys, before) = self.look(|listing, _| {
            self.engine.queue(|queue| {
                let before = arrange::target(listing, queue, line, to);
                (arrange::moved(queue, item), before)
            })
        });
        self.engine.command(Command::Arrange(keys, before));
    }

    /// Says where a line is that was moved, once it is there. It has the focus there, too:
    /// browsers take it from what they move.
    pub(super) fn say_moved(self) {
        let moved = self.lines.try_update_value(|lines| {
            let (item, from, control) = lines.moved.clone()?;
            let place = lines.listing.place(lines.listing.line(item)?);
            (place != from).then(|| lines.moved = None)?;
            lines.focus = Some((item, control));
            Some((item, place))
        });
        let Some((item, (number, of))) = moved.flatten() else {
            return;
        };
        let name = self.engine.queue(|queue| match item {
            Item::Row(key) => queue
                .row(key)
                .map(|row| row.with_untracked(|row| row.name.clone())),
            Item::Folder(folder) => queue.folder_row(folder).map(|(name, _)| name.to_string()),
        });
        if let Some(name) = name {
            self.said.set(Some(Said { name, number, of }));
        }
    }

    /// The pointer takes hold of a line, if it does so at its handle.
    pub fn on_hold(self, event: &ev::PointerEvent) {
        let item = browser::item_of(event.target()).and_then(|word| Item::parse(&word));
        let handle = browser::is_in(event.target(), ".grip") && event.button() == 0;
        if let Some(item) = item.filter(|_| handle) {
            event.prevent_default();
            browser::hold(event);
            let y = event.client_y().into();
            self.held.set(Some(Held {
                item,
                y,
                to: None,
                mark: None,
            }));
            self.paint_soon();
        }
    }

    /// The pointer moves what it holds.
    pub fn on_move(self, event: &ev::PointerEvent) {
        if let Some(held) = self.held.get_untracked() {
            let y = event.client_y().into();
            self.held.set(Some(self.landing(Held { y, ..held })));
        }
    }

    /// The pointer lets go.
    pub fn on_drop(self) {
        let Some(held) = self.held.get_untracked() else {
            return;
        };
        self.held.set(None);
        let line = self.look(|listing, _| listing.line(held.item));
        if let (Some(line), Some(to)) = (line, held.to) {
            self.put(held.item, line, to);
        }
    }

    /// The pointer was taken away.
    pub fn on_cancel(self) {
        if self.held.get_untracked().is_some() {
            self.held.set(None);
        }
    }

    fn landing(self, held: Held) -> Held {
        let top = browser::seen(self.place).map_or(0.0, |seen| seen.start);
        self.look(|listing, heights| {
            let line = listing.line(held.item);
            let to = line.and_then(|it| arrange::dropped(listing, heights, it, top + held.y));
            let mark = to.map(|to| heights.before(to));
            Held { to, mark, ..held }
        })
    }

    pub(super) fn scroll_with_held(self) {
        if let Some(held) = self.held.get_untracked()
            && browser::scroll_at_edge(held.y)
        {
            self.held.set(Some(self.landing(held)));
        }
    }
}
