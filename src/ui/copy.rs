//! A button that puts a text on the clipboard and says so for a moment.

use std::time::Duration;

use leptos::prelude::*;

use super::browser;
use super::icons::{Icon, Picture};
use super::language::{Language, td_string};

/// Copies `text`.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// The button's name, `Copy the digest of film.mkv`.
    #[prop(into)]
    label: Signal<String>,
    /// Its picture.
    #[prop(default = Icon::Copy)]
    icon: Icon,
    /// Its words, where there is room for them.
    #[prop(optional, into)]
    words: Option<Signal<&'static str>>,
) -> impl IntoView {
    let language = Language::expect();
    let copied = RwSignal::new(false);
    let named = move || match copied.get() {
        true => td_string!(language.get(), copy.copied).to_owned(),
        false => label.get(),
    };
    let copy = move |_| {
        browser::copy(text.get_untracked(), move || {
            copied.set(true);
            set_timeout(
                move || {
                    copied.try_set(false);
                },
                Duration::from_secs(2),
            );
        });
    };
    view! {
        <button
            type="button"
            class="button needs-script"
            class:icon-button=words.is_none()
            class:is-done=move || copied.get()
            aria-label=named
            title=named
            on:click=copy
        >
            <Picture icon=Signal::derive(move || if copied.get() { Icon::Check } else { icon })/>
            {words}
        </button>
    }
    .into_any()
}
