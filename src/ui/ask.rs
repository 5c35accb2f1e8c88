//! A button that opens a small panel with a question or a form in it.

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlInputElement;

use super::browser;
use super::icons::{Icon, Picture};
use super::popup::Popup;

/// The button and its panel. Escape, or going elsewhere, closes the panel.
#[component]
pub fn Ask(
    /// The button's name.
    #[prop(into)]
    label: Signal<String>,
    /// Its picture, if it has one.
    #[prop(optional, into)]
    icon: Option<Icon>,
    /// Its words, where there is room for them.
    #[prop(optional_no_strip, into)]
    words: Option<Signal<&'static str>>,
    /// Words that are the same in every language.
    #[prop(optional)]
    code: String,
    /// What is in the panel.
    children: Children,
) -> impl IntoView {
    let popup = Popup::default();
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            popup.leave();
        }
    };
    // What is to be filled in has the focus at once; an answer has not.
    let on_toggle = move |_| {
        if popup.is_open()
            && let Some(details) = popup.place.get_untracked()
            && let Ok(Some(field)) = details.query_selector("input:not([type=hidden])")
            && let Some(field) = field.dyn_ref::<HtmlInputElement>()
        {
            browser::begin_to_write(field);
        }
    };
    let only_picture = words.is_none() && code.is_empty();
    view! {
        <details
            class="ask"
            name="ask"
            node_ref=popup.place
            on:keydown=on_key
            on:toggle=on_toggle
            on:focusout=move |event| popup.on_focus_out(&event)
        >
            <summary
                class="button"
                class:icon-button=only_picture
                aria-label=label
                title=label
            >
                {icon.map(|icon| view! { <Picture icon/> })}
                {words}
                {code}
            </summary>
            // It can take the focus, so that a click into it does not close it.
            <div class="ask-panel" tabindex="-1">{children()}</div>
        </details>
    }
    .into_any()
}
