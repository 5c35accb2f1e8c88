//! The choice of the language. It is a form: it works before the page has come to life, and
//! without scripts.

use leptos::html::Select;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icons::{Icon, Picture};
use super::language::{I18nLocaleTrait, Language, Locale, say, td_string};

/// The field in the header.
#[component]
pub fn LanguageSwitch() -> impl IntoView {
    let language = Language::expect();
    let location = use_location();
    let select = NodeRef::<Select>::new();
    let choose = move || {
        if let Some(select) = select.get()
            && let Ok(locale) = select.value().parse()
        {
            language.choose(locale);
        }
    };
    // What was chosen before the page came to life is not lost.
    Effect::new(move |_| choose());
    let here = move || match location.search.get() {
        search if search.is_empty() => location.pathname.get(),
        search => format!("{}?{search}", location.pathname.get()),
    };
    // Each calls itself by its own name, for those who cannot read the page.
    let option = move |locale: Locale| {
        view! {
            <option
                value=locale.as_str()
                lang=locale.as_str()
                selected=move || language.get() == locale
            >
                {td_string!(locale, language.name)}
            </option>
        }
    };
    let apply = td_string!(untrack(|| language.get()), language.apply);
    let apply = format!("<button class=\"button small\">{apply}</button>");
    view! {
        <form class="language" method="post" action="/language">
            <Picture icon=Icon::Language/>
            <select
                class="language-field"
                name="language"
                aria-label=say!(language.label)
                autocomplete="off"
                node_ref=select
                on:change=move |_| choose()
            >
                {Locale::get_all().iter().copied().map(option).collect_view()}
            </select>
            <input type="hidden" name="back" value=here/>
            <noscript inner_html=apply></noscript>
        </form>
    }
    .into_any()
}
