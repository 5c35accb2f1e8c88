//! What a small panel behind a button does: Escape, or going elsewhere, closes it. It is a
//! `<details>`, which opens before the page has come to life, and without scripts.

use leptos::ev;
use leptos::html::Details;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlElement, Node};

/// The panel and its button. `Copy`; it is nothing before its element is on the page.
#[derive(Clone, Copy, Default)]
pub struct Popup {
    /// The `<details>`.
    pub place: NodeRef<Details>,
}

impl Popup {
    /// Whether the panel is open.
    pub fn is_open(self) -> bool {
        self.place.get_untracked().is_some_and(|it| it.open())
    }

    /// Closes the panel.
    pub fn close(self) {
        if let Some(details) = self.place.get_untracked() {
            details.set_open(false);
        }
    }

    /// Closes the panel, and gives its button the focus.
    pub fn leave(self) {
        self.close();
        if let Some(details) = self.place.get_untracked()
            && let Ok(Some(summary)) = details.query_selector("summary")
            && let Some(summary) = summary.dyn_ref::<HtmlElement>()
        {
            _ = summary.focus();
        }
    }

    /// Closes the panel if the focus goes elsewhere.
    pub fn on_focus_out(self, event: &ev::FocusEvent) {
        let next = event
            .related_target()
            .and_then(|to| to.dyn_into::<Node>().ok());
        if let Some(details) = self.place.get_untracked()
            && !details.contains(next.as_ref())
        {
            self.close();
        }
    }
}
