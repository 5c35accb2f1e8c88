//! What a person chooses for this browser: the theme and the language. It is a form: it
//! works before the page has come to life, and without scripts.

use leptos::html::Select;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icons::{Icon, Picture};
use super::language::{Language, td_string};
use super::language_switch::LanguageSwitch;
use super::theme_switch::ThemeSwitch;

/// The form in the header.
#[component]
pub fn Choices() -> impl IntoView {
    let language = Language::expect();
    let location = use_location();
    let here = move || match location.search.get() {
        search if search.is_empty() => location.pathname.get(),
        search => format!("{}?{search}", location.pathname.get()),
    };
    let apply = td_string!(untrack(|| language.get()), language.apply);
    let apply = format!("<button class=\"button small\">{apply}</button>");
    view! {
        <form class="choices" method="post" action="/choices">
            <ThemeSwitch/>
            <LanguageSwitch/>
            <input type="hidden" name="back" value=here/>
            <noscript inner_html=apply></noscript>
        </form>
    }
    .into_any()
}

/// One of several things to choose from.
#[derive(Clone, Copy)]
pub struct Offer {
    /// What a cookie keeps.
    pub value: &'static str,
    /// What it is called.
    pub words: Signal<&'static str>,
    /// The language in which it is called so, if that is not the page's.
    pub lang: Option<&'static str>,
}

/// A field of it.
#[component]
pub fn Choice(
    /// Its name in the form.
    name: &'static str,
    /// What is chosen.
    label: Signal<&'static str>,
    /// Its picture.
    #[prop(into)]
    icon: Signal<Icon>,
    /// What there is to choose from.
    offers: Vec<Offer>,
    /// The value that holds now.
    chosen: Signal<&'static str>,
    /// Called with the value that a person chose.
    #[prop(into)]
    choose: Callback<String>,
) -> impl IntoView {
    let select = NodeRef::<Select>::new();
    let tell = move || {
        if let Some(select) = select.get() {
            choose.run(select.value());
        }
    };
    // What was chosen before the page came to life is not lost.
    Effect::new(move |_| tell());
    let option = move |offer: Offer| {
        view! {
            <option
                value=offer.value
                lang=offer.lang
                selected=move || chosen.get() == offer.value
            >
                {move || offer.words.get()}
            </option>
        }
    };
    view! {
        <span class="choice">
            <Picture icon/>
            <select
                class="choice-field"
                name=name
                aria-label=move || label.get()
                autocomplete="off"
                node_ref=select
                on:change=move |_| tell()
            >
                {offers.into_iter().map(option).collect_view()}
            </select>
        </span>
    }
    .into_any()
}
