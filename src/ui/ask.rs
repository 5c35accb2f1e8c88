//! A button that opens a small panel with a question or a form in it. It is a
//! `<details>`: it works before the page has come to life, and without scripts.

use leptos::ev;
use leptos::html::Details;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlElement, HtmlInputElement, Node};

use super::icons::{Icon, Picture};

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
                && let Some(summary) = summary.dyn_ref::<HtmlElement>()
            {
                _ = summary.focus();
            }
        }
    };
    // What is to be filled in has the focus at once; an answer has not.
    let on_toggle = move |_| {
        if let Some(details) = details.get_untracked()
            && details.open()
            && let Ok(Some(field)) = details.query_selector("input:not([type=hidden])")
            && let Some(field) = field.dyn_ref::<HtmlInputElement>()
        {
            _ = field.focus();
            // The name without its extension is what is usually changed.
            let value = field.value();
            let stem = value
                .rfind('.')
                .filter(|dot| *dot > 0)
                .unwrap_or(value.len());
            let end = value[..stem].encode_utf16().count();
            _ = field.set_selection_range(0, u32::try_from(end).unwrap_or(u32::MAX));
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
    let only_picture = words.is_none() && code.is_empty();
    view! {
        <details
            class="ask"
            name="ask"
            node_ref=details
            on:keydown=on_key
            on:toggle=on_toggle
            on:focusout=on_focus_out
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
