//! Keys in the table of files: the arrows go from box to box, with Shift they choose;
//! Ctrl and A choose all, Escape none, and Delete deletes what is chosen.

use leptos::ev;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlInputElement};

use super::chosen_bar::FIELD;
use crate::protocol::id::FileId;

/// What a key means.
pub enum Key {
    /// To another box; and choose all up to it.
    Go {
        /// That box.
        next: Check,
        /// Whether it is chosen.
        choose: bool,
    },
    /// Choose all.
    All,
    /// Choose none.
    None,
    /// Delete what is chosen.
    Delete,
}

/// The box of a row.
pub struct Check(HtmlInputElement);

impl Check {
    /// Gives it the focus.
    pub fn focus(&self) {
        _ = self.0.focus();
    }

    /// Which file it chooses.
    pub fn id(&self) -> Option<FileId> {
        self.0.value().parse().ok()
    }
}

/// What a key means that was pressed in the table; `None` for what is not ours, as all
/// that is typed into a field.
pub fn key_of(event: &ev::KeyboardEvent) -> Option<Key> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let field = target.dyn_ref::<HtmlInputElement>();
    if field.is_some_and(|field| field.type_() != "checkbox") {
        return None;
    }
    // A question in a row has its own Escape.
    if target.closest("details[open]").ok()?.is_some() {
        return None;
    }
    let command = event.ctrl_key() || event.meta_key();
    match event.key().as_str() {
        "a" if command => Some(Key::All),
        "Escape" => Some(Key::None),
        "Delete" => Some(Key::Delete),
        "ArrowDown" | "ArrowUp" if field.is_some() && !command => {
            let row = target.closest("tr").ok()??;
            let next = match event.key().as_str() {
                "ArrowDown" => row.next_element_sibling(),
                _ => row.previous_element_sibling(),
            };
            let check = next?
                .query_selector(&format!("input[name='{FIELD}'][type=checkbox]"))
                .ok()??;
            let next = Check(check.dyn_into().ok()?);
            let choose = event.shift_key();
            Some(Key::Go { next, choose })
        }
        _ => None,
    }
}
