//! A button that opens a small panel with a question or a form in it. It is a
//! `<details>`: it works before the page has come to life, and without scripts.

use leptos::ev;
use leptos::html::Details;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Node;

use super::icons::{Icon, Picture};

/// The button and its panel. Escape, or going elsewhere, closes the panel.
#[component]
pub fn Ask(
    /// The button's name.
    #[prop(into)]
    label: String,
    /// Its picture.
    icon: Icon,
    /// Its words, where there is room for them.
    #[prop(optional)]
    words: &'static str,
    /// What is in the panel.
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            close();
            if let Some(details) = details.get_untracked()
                && let Ok(Some(summary)) = details.query_selector("summary")
                && let Some(summary) = summary.dyn_ref::<leptos::web_sys::HtmlElement>()
            {
                _ = summary.focus();
            }
        }
    };
    let on_focus_out = move |event: ev::FocusEvent| {
        let next = event
            .related_target()
            .and_then(|to| to.dyn_into::<Node>().ok());
        if let Some(details) = details.get_untracked()
            && !details.contains(next.as_ref())
        {
            close();
        }
    };
    view! {
        <details
            class="ask"
            name="ask"
            node_ref=details
            on:keydown=on_key
            on:focusout=on_focus_out
        >
            <summary
                class="button"
                class:icon-button=words.is_empty()
                aria-label=label.clone()
                title=label
            >
                <Picture icon/>
                {words}
            </summary>
            // It can take the focus, so that a click into it does not close it.
            <div class="ask-panel" tabindex="-1">{children()}</div>
        </details>
    }
}
